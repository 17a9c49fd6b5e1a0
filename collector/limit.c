#include "collector/limit.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/hash.h"

#define ROWS   2
#define CELLS  (1u << 18) /* of 2 bytes, a row */
#define DAY_MS 86400000
#define FULL   UINT16_C(64000) /* a cell stops here: threads that race cannot wrap it */

_Static_assert(LIMIT_MAX < FULL, "a limit is reached before a cell is full");

struct limit {
    atomic_int_fast64_t day;
    _Atomic uint16_t cells[ROWS][CELLS];
};

struct limit *
limit_create(void)
{
    return mem_zalloc(sizeof(struct limit));
}

void
limit_destroy(struct limit **l)
{
    free(*l);
    *l = NULL;
}

/* Whoever sees the new day first wipes the old one; counts that others add meanwhile may go too. */
static void
turn_day(struct limit *l, int64_t day)
{
    int_fast64_t seen = atomic_load_explicit(&l->day, memory_order_relaxed);

    if (seen == day || !atomic_compare_exchange_strong(&l->day, &seen, day))
        return;
    for (int r = 0; r < ROWS; r++)
        for (uint32_t i = 0; i < CELLS; i++)
            atomic_store_explicit(&l->cells[r][i], 0, memory_order_relaxed);
}

static void
find_cells(struct limit *l, uint32_t site, struct slice visitor, _Atomic uint16_t *cell[ROWS])
{
    uint64_t hash = hash64(visitor, site);

    for (int r = 0; r < ROWS; r++)
        cell[r] = &l->cells[r][(hash >> (32 * r)) % CELLS];
}

bool
limit_take(struct limit *l, uint32_t site, struct slice visitor, int64_t now_ms, int64_t max)
{
    _Atomic uint16_t *cell[ROWS];
    uint16_t value, least = UINT16_MAX;

    if (max > LIMIT_MAX)
        return true;
    turn_day(l, now_ms / DAY_MS);
    find_cells(l, site, visitor, cell);
    for (int r = 0; r < ROWS; r++) {
        value = atomic_load_explicit(cell[r], memory_order_relaxed);
        least = value < least ? value : least;
    }
    if (least >= max)
        return false;
    for (int r = 0; r < ROWS; r++)
        if (atomic_load_explicit(cell[r], memory_order_relaxed) < FULL)
            atomic_fetch_add_explicit(cell[r], 1, memory_order_relaxed);
    return true;
}

void
limit_give_back(struct limit *l, uint32_t site, struct slice visitor, int64_t now_ms, int64_t max)
{
    _Atomic uint16_t *cell[ROWS];

    if (max > LIMIT_MAX || atomic_load_explicit(&l->day, memory_order_relaxed) != now_ms / DAY_MS)
        return;
    find_cells(l, site, visitor, cell);
    for (int r = 0; r < ROWS; r++) {
        uint16_t value = atomic_load_explicit(cell[r], memory_order_relaxed);
        while (value > 0 && !atomic_compare_exchange_weak(cell[r], &value, (uint16_t)(value - 1)))
            continue;
    }
}
