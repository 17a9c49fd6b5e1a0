/* Copies are dropped when the list is full; where that leaves it more than half full, it grows. */
#include "aggregator/link_set.h"

#include <stdlib.h>

#define ARENA_BYTES (16 << 10)
#define FIRST_MAX   1024

void
link_set_init(struct link_set *s)
{
    *s = (struct link_set){.list = NULL};
    arena_init(&s->arena, ARENA_BYTES);
}

void
link_set_fini(struct link_set *s)
{
    arena_fini(&s->arena);
    free(s->list);
    s->list = NULL;
}

void
link_set_clear(struct link_set *s)
{
    s->n = 0;
    arena_reset(&s->arena);
}

/* Of one link the earliest comes first. */
static int
compare_what(const struct catalog_link *a, const struct catalog_link *b)
{
    int order;

    if (a->site != b->site)
        return a->site < b->site ? -1 : 1;
    order = slice_compare(a->visitor, b->visitor);
    if (order == 0)
        order = slice_compare(a->known, b->known);
    return order != 0 ? order : (int)a->is_handover - (int)b->is_handover;
}

static int
compare(const void *x, const void *y)
{
    const struct catalog_link *a = x;
    const struct catalog_link *b = y;
    int order = compare_what(a, b);

    if (order == 0 && a->time_ms != b->time_ms)
        order = a->time_ms < b->time_ms ? -1 : 1;
    return order != 0 ? order : slice_compare(a->id, b->id);
}

static struct catalog_link
copy(const struct catalog_link *l, struct arena *a)
{
    struct catalog_link out = *l;

    out.visitor = arena_copy(a, l->visitor);
    out.known = arena_copy(a, l->known);
    out.id = arena_copy(a, l->id);
    return out;
}

static void
drop_copies(struct link_set *s)
{
    struct arena kept;
    size_t n = 0;

    if (s->n == 0)
        return;
    qsort(s->list, s->n, sizeof *s->list, compare);
    arena_init(&kept, ARENA_BYTES);
    for (size_t i = 0; i < s->n; i++)
        if (n == 0 || compare_what(&s->list[n - 1], &s->list[i]) != 0)
            s->list[n++] = copy(&s->list[i], &kept);
    s->n = n;
    arena_fini(&s->arena);
    s->arena = kept;
}

void
link_set_add(struct link_set *s, const struct catalog_link *link)
{
    if (s->n == s->max) {
        drop_copies(s);
        if (2 * s->n >= s->max) {
            s->max = s->max == 0 ? FIRST_MAX : 2 * s->max;
            s->list = mem_realloc(s->list, s->max * sizeof *s->list);
        }
    }
    s->list[s->n++] = copy(link, &s->arena);
}

const struct catalog_link *
link_set_list(struct link_set *s, size_t *out_n)
{
    drop_copies(s);
    *out_n = s->n;
    return s->list;
}
