/* Kept values are five bytes each (400 days are 2^35 ms), so that a million of them at each of 16
 * stages is still bounded. A percentile of kept values is found by radix: the histogram of the
 * highest digit (of 2048) says among which values it lies, that of the next where among those, and
 * so on: two or three passes, no sorting, no copy. */
#include "aggregator/funnel/times_int.h"

#include <assert.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/bytes.h"

#define TIME_BYTES     5
#define SLACK_BYTES    3 /* so that a value can be read and written as eight bytes */
#define FIRST_ROOM     64
#define BUCKETS_POWER  7                          /* 128 buckets a doubling */
#define BUCKETS_LINEAR (1 << (BUCKETS_POWER + 1)) /* below it every value is its own bucket */
#define BUCKETS        (BUCKETS_LINEAR + (40 - BUCKETS_POWER - 1) * (1 << BUCKETS_POWER))
#define RADIX_POWER    11
#define RADIX          (1 << RADIX_POWER)
#define TIME_MASK      ((1ULL << 8 * TIME_BYTES) - 1)

static_assert(FUNNEL_WINDOW_MAX_MS < (1LL << 8 * TIME_BYTES), "a time fits its bytes");

void
times__fini(struct times *t)
{
    free(t->packed);
    free(t->buckets);
    *t = (struct times){.n = 0};
}

/* ---- Buckets ---- */

static int
bucket_of(uint64_t ms)
{
    int power;

    if (ms < BUCKETS_LINEAR)
        return (int)ms;
    power = 63 - __builtin_clzll(ms) - BUCKETS_POWER;
    return BUCKETS_LINEAR + ((power - 1) << BUCKETS_POWER) +
           (int)((ms >> power) - (1 << BUCKETS_POWER));
}

static int64_t
bucket_middle(int bucket)
{
    int power;
    int64_t low;

    if (bucket < BUCKETS_LINEAR)
        return bucket;
    bucket -= BUCKETS_LINEAR;
    power = (bucket >> BUCKETS_POWER) + 1;
    low = (int64_t)((1 << BUCKETS_POWER) + (bucket & ((1 << BUCKETS_POWER) - 1))) << power;
    return low + ((1LL << power) >> 1);
}

static uint64_t
value_at(const struct times *t, int64_t i)
{
    return load_u64(t->packed + i * TIME_BYTES) & TIME_MASK;
}

/* From kept values to buckets. */
static void
give_up_exactness(struct times *t)
{
    t->buckets = mem_zalloc(BUCKETS * sizeof *t->buckets);
    for (int64_t i = 0; i < t->n; i++)
        t->buckets[bucket_of(value_at(t, i))]++;
    free(t->packed);
    t->packed = NULL;
    t->n_max = 0;
}

/* ---- Adding ---- */

static void
reserve(struct times *t, int64_t n)
{
    int64_t room = t->n_max ? t->n_max : FIRST_ROOM;

    if (n <= t->n_max)
        return;
    while (room < n)
        room *= 2;
    t->packed = mem_realloc(t->packed, (size_t)(room * TIME_BYTES + SLACK_BYTES));
    t->n_max = room;
}

void
times__add(struct times *t, int64_t ms)
{
    assert(ms >= 0 && ms <= FUNNEL_WINDOW_MAX_MS);
    if (t->buckets == NULL && t->n == TALLY_EXACT_MAX)
        give_up_exactness(t);
    if (t->buckets != NULL) {
        t->buckets[bucket_of((uint64_t)ms)]++;
    } else {
        reserve(t, t->n + 1);
        store_u64(t->packed + t->n * TIME_BYTES, (uint64_t)ms);
    }
    t->n++;
    t->sum_ms += ms;
    t->bits |= (uint64_t)ms;
}

void
times__merge(struct times *into, const struct times *from)
{
    bool is_exact =
        into->buckets == NULL && from->buckets == NULL && into->n + from->n <= TALLY_EXACT_MAX;

    if (from->n == 0)
        return;
    if (is_exact) {
        reserve(into, into->n + from->n);
        memcpy(into->packed + into->n * TIME_BYTES, from->packed, (size_t)(from->n * TIME_BYTES));
    } else {
        if (into->buckets == NULL)
            give_up_exactness(into);
        for (int64_t i = 0; from->buckets == NULL && i < from->n; i++)
            into->buckets[bucket_of(value_at(from, i))]++;
        for (int i = 0; from->buckets != NULL && i < BUCKETS; i++)
            into->buckets[i] += from->buckets[i];
    }
    into->n += from->n;
    into->sum_ms += from->sum_ms;
    into->bits |= from->bits;
}

/* ---- Asking ---- */

/* The value that is looked for: so far its highest digits are known, and how many of the values
 * that have them are not behind it. */
struct sought {
    uint64_t prefix;
    int64_t rank; /* from 1 */
};

static void
add_digit(struct sought *s, const int64_t *histogram)
{
    uint64_t digit = 0;

    while (s->rank > histogram[digit])
        s->rank -= histogram[digit++];
    s->prefix = s->prefix << RADIX_POWER | digit;
}

/* Each digit from the highest in use, of both values at once. */
static void
find_kept(const struct times *t, struct sought *a, struct sought *b)
{
    int shift = 0;

    while (t->bits >> shift >= RADIX)
        shift += RADIX_POWER;
    for (; shift >= 0; shift -= RADIX_POWER) {
        int64_t histograms[2][RADIX] = {{0}};
        bool are_alike = a->prefix == b->prefix;

        for (int64_t i = 0; i < t->n; i++) {
            uint64_t v = value_at(t, i) >> shift;

            histograms[0][v & (RADIX - 1)] += v >> RADIX_POWER == a->prefix;
            if (!are_alike)
                histograms[1][v & (RADIX - 1)] += v >> RADIX_POWER == b->prefix;
        }
        add_digit(a, histograms[0]);
        add_digit(b, histograms[are_alike ? 0 : 1]);
    }
}

static int64_t
bucket_rank(const struct times *t, int64_t rank)
{
    int i = 0;

    while (rank > t->buckets[i])
        rank -= t->buckets[i++];
    return bucket_middle(i);
}

static int64_t
nearest_rank(int64_t n, int percent)
{
    return (n * percent + 99) / 100;
}

/* p50 and p90. */
static void
find_percentiles(const struct times *t, int64_t *out_p50, int64_t *out_p90)
{
    struct sought p50 = {0, nearest_rank(t->n, 50)};
    struct sought p90 = {0, nearest_rank(t->n, 90)};

    if (t->buckets != NULL) {
        *out_p50 = bucket_rank(t, p50.rank);
        *out_p90 = bucket_rank(t, p90.rank);
        return;
    }
    find_kept(t, &p50, &p90);
    *out_p50 = (int64_t)p50.prefix;
    *out_p90 = (int64_t)p90.prefix;
}

struct tally_times
times__summary(const struct times *t)
{
    int64_t p50_ms;
    int64_t p90_ms;

    if (t->n == 0)
        return (struct tally_times){.n = 0};
    find_percentiles(t, &p50_ms, &p90_ms);
    return (struct tally_times){.n = t->n,
                                .p50_ms = p50_ms,
                                .p90_ms = p90_ms,
                                /* half up: no time is negative */
                                .mean_ms = t->sum_ms / t->n + (t->sum_ms % t->n >= (t->n + 1) / 2),
                                .is_approximate = t->buckets != NULL};
}

size_t
times__held_bytes(const struct times *t)
{
    return (size_t)(t->n_max * TIME_BYTES) + (t->buckets ? BUCKETS * sizeof *t->buckets : 0);
}
