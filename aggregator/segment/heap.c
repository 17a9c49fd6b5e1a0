/* A binary heap of indices: the smallest first. */
#include <stdlib.h>

#include "aggregator/segment/merge_int.h"

void
segment__heap_init(struct segment__heap *h, uint32_t n_max,
                   bool (*is_less)(const void *context, uint32_t a, uint32_t b),
                   const void *context)
{
    *h = (struct segment__heap){
        .items = mem_alloc((n_max + (size_t)1) * sizeof *h->items),
        .is_less = is_less,
        .context = context,
    };
}

void
segment__heap_fini(struct segment__heap *h)
{
    free(h->items);
    h->items = NULL;
    h->n = 0;
}

static void
swap(uint32_t *a, uint32_t *b)
{
    uint32_t item = *a;

    *a = *b;
    *b = item;
}

void
segment__heap_add(struct segment__heap *h, uint32_t item)
{
    uint32_t at = h->n++;

    h->items[at] = item;
    for (; at > 0 && h->is_less(h->context, h->items[at], h->items[(at - 1) / 2]);
         at = (at - 1) / 2)
        swap(&h->items[at], &h->items[(at - 1) / 2]);
}

void
segment__heap_sink(struct segment__heap *h)
{
    uint32_t at = 0;

    for (;;) {
        uint32_t least = at;

        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < h->n; child++)
            if (h->is_less(h->context, h->items[child], h->items[least]))
                least = child;
        if (least == at)
            return;
        swap(&h->items[at], &h->items[least]);
        at = least;
    }
}

void
segment__heap_drop(struct segment__heap *h)
{
    h->items[0] = h->items[--h->n];
    segment__heap_sink(h);
}
