/* Dice: random numbers that are the same on every machine. SplitMix64 (Steele, Lea, Flood: "Fast
 * Splittable Pseudorandom Number Generators", 2014) and integer arithmetic only, so that neither
 * libm nor a compiler's floating point has a say. */
#ifndef BENCH_DICE_H
#define BENCH_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

/* A bijection of 64 bits: different in, different out. */
static inline uint64_t
dice_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* The dice of one thing (a visitor, a session) of one seed: no thing's throws depend on another's.
 */
static inline struct dice
dice_of(uint64_t seed, uint64_t thing)
{
    return (struct dice){dice_mix(seed + dice_mix(thing ^ UINT64_C(0xC0D0C0D0C0D0C0D0)))};
}

static inline uint64_t
dice_next(struct dice *d)
{
    d->state += UINT64_C(0x9E3779B97F4A7C15);
    return dice_mix(d->state);
}

/* 0 .. n-1, n at least 1. */
static inline uint32_t
dice_below(struct dice *d, uint32_t n)
{
    return (uint32_t)(((dice_next(d) >> 32) * n) >> 32);
}

/* 0 .. n-1, small ones far more often: the k-th has a density like k^(-2/3). */
static inline uint32_t
dice_skewed(struct dice *d, uint32_t n)
{
    uint64_t u = dice_next(d) >> 32;
    uint64_t cube = (((u * u) >> 32) * u) >> 32;

    return (uint32_t)((cube * n) >> 32);
}

static inline bool
dice_chance(struct dice *d, uint32_t per_10000)
{
    return dice_below(d, 10000) < per_10000;
}

/* How long something took whose median is known: the 32 quantiles of a log-normal with sigma 1, in
 * 256ths, and even within a quantile. Between 0.1 and 9 times the median. */
static inline int64_t
dice_delay_ms(struct dice *d, int64_t median_ms)
{
    static const uint16_t quantile[33] = {30,  40,  55,  68,  81,  93,  106, 118, 130,  143,  156,
                                          169, 183, 197, 213, 229, 256, 268, 288, 309,  332,  358,
                                          387, 420, 457, 502, 556, 622, 708, 831, 1030, 1530, 2304};
    uint64_t u = dice_next(d);
    uint32_t k = (uint32_t)(u >> 59);
    int64_t low = quantile[k];
    int64_t high = quantile[k + 1];
    int64_t part = (int64_t)(u >> 16 & 0xFFFF);

    return median_ms * (low * 65536 + (high - low) * part) / (256 * 65536);
}

#endif
