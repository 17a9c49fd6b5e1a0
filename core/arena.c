/* A chain of blocks; small requests come from the current one, large ones get a block alone. */
#include "core/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/log.h"

#define ALIGNMENT 16u

struct arena_block {
    struct arena_block *next;
    size_t bytes;
    _Alignas(16) char data[];
};

static void
out_of_memory(size_t bytes)
{
    log_error("out of memory (%zu bytes): ending, a restart loses nothing", bytes);
    abort();
}

void *
mem_alloc(size_t bytes)
{
    void *p = malloc(bytes ? bytes : 1);

    if (p == NULL)
        out_of_memory(bytes);
    return p;
}

void *
mem_zalloc(size_t bytes)
{
    void *p = calloc(1, bytes ? bytes : 1);

    if (p == NULL)
        out_of_memory(bytes);
    return p;
}

void *
mem_realloc(void *p, size_t bytes)
{
    p = realloc(p, bytes ? bytes : 1);
    if (p == NULL)
        out_of_memory(bytes);
    return p;
}

char *
mem_cstr(struct slice s)
{
    char *p = mem_alloc(s.n + 1);

    if (s.n != 0)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return p;
}

void
arena_init(struct arena *a, size_t block_bytes)
{
    *a = (struct arena){.block_bytes = block_bytes};
}

static void
add_block(struct arena *a, size_t bytes)
{
    struct arena_block *b = mem_alloc(sizeof *b + bytes);

    b->bytes = bytes;
    b->next = NULL;
    if (a->current != NULL)
        a->current->next = b;
    else
        a->first = b;
    a->current = b;
    a->next = b->data;
    a->end = b->data + bytes;
}

void *
arena_alloc(struct arena *a, size_t bytes)
{
    size_t need = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    void *p;

    if (need < bytes)
        out_of_memory(bytes);
    if (a->current == NULL || (size_t)(a->end - a->next) < need)
        add_block(a, need > a->block_bytes ? need : a->block_bytes);
    p = a->next;
    a->next += need;
    a->used_bytes += need;
    return p;
}

void *
arena_zalloc(struct arena *a, size_t bytes)
{
    return memset(arena_alloc(a, bytes), 0, bytes);
}

static void
free_chain(struct arena_block *b)
{
    while (b != NULL) {
        struct arena_block *next = b->next;

        free(b);
        b = next;
    }
}

void
arena_reset(struct arena *a)
{
    a->used_bytes = 0;
    if (a->first == NULL)
        return;
    free_chain(a->first->next);
    a->first->next = NULL;
    a->current = a->first;
    a->next = a->first->data;
    a->end = a->next + a->first->bytes;
}

void
arena_fini(struct arena *a)
{
    free_chain(a->first);
    *a = (struct arena){.block_bytes = a->block_bytes};
}

struct slice
arena_copy(struct arena *a, struct slice s)
{
    return slice_of(arena_cstr(a, s), s.n);
}

char *
arena_cstr(struct arena *a, struct slice s)
{
    char *p = arena_alloc(a, s.n + 1);

    if (s.n != 0)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return p;
}

struct slice
arena_printf(struct arena *a, const char *format, ...)
{
    va_list args;
    va_list again;
    char *p;
    int n;

    va_start(args, format);
    va_copy(again, args);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0)
        n = 0;
    p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, format, again);
    va_end(again);
    return slice_of(p, (size_t)n);
}
