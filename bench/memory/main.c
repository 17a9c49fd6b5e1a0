/* bench-memory: how fast this machine reads memory, in GB/s: one thread, and one a core. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/clock.h"

#define WORDS_PER_THREAD (UINT64_C(1) << 26) /* 512 MB: no cache holds it */
#define THREADS_MAX      64
#define ROUNDS           5

struct part {
    pthread_t thread;
    const uint64_t *words;
    uint64_t sum;
};

static void *
sum_words(void *arg)
{
    struct part *p = arg;
    uint64_t a[8] = {0};

    for (uint64_t i = 0; i < WORDS_PER_THREAD; i += 8)
        for (int k = 0; k < 8; k++)
            a[k] += p->words[i + (uint64_t)k];
    for (int k = 0; k < 8; k++)
        p->sum += a[k];
    return NULL;
}

/* The best of some rounds, as others may be at work. */
static double
gigabytes_per_s(struct part *parts, long n)
{
    double best = 0;

    for (int round = 0; round < ROUNDS; round++) {
        int64_t start = clock_steady_us();
        double gb_s;

        for (long i = 0; i < n; i++)
            if (pthread_create(&parts[i].thread, NULL, sum_words, &parts[i]) != 0)
                abort();
        for (long i = 0; i < n; i++)
            pthread_join(parts[i].thread, NULL);
        gb_s = (double)n * WORDS_PER_THREAD * 8 / 1e3 / (double)(clock_steady_us() - start);
        best = gb_s > best ? gb_s : best;
    }
    return best;
}

int
main(void)
{
    static struct part parts[THREADS_MAX];
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t sum = 0;
    double one;

    n = n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : n;
    for (long i = 0; i < n; i++) {
        uint64_t *words = mem_alloc(WORDS_PER_THREAD * 8);

        for (uint64_t k = 0; k < WORDS_PER_THREAD; k++)
            words[k] = k;
        parts[i].words = words;
    }
    one = gigabytes_per_s(parts, 1);
    printf("%.1f %.1f\n", one, gigabytes_per_s(parts, n));
    for (long i = 0; i < n; i++)
        sum += parts[i].sum; /* so that the reading is not left out */
    return sum == 1;
}
