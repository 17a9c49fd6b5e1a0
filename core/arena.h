/* Arenas: the memory of one request, one flush, one query. No per-field free.
 *
 * Pointers stay valid until arena_reset or arena_fini. Running out of memory aborts the process
 * (a restart loses nothing); no size from network or disk reaches here before a limit check.
 */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H

#include "core/slice.h"

struct arena_block;

struct arena {
    struct arena_block *first; /* kept over resets */
    struct arena_block *current;
    char *next;
    char *end;
    size_t block_bytes;
    size_t used_bytes; /* handed out since the last reset */
};

void arena_init(struct arena *a, size_t block_bytes);
void arena_reset(struct arena *a); /* forgets everything, keeps the first block */
void arena_fini(struct arena *a);

void *arena_alloc(struct arena *a, size_t bytes); /* 16-byte aligned, not zeroed */
void *arena_zalloc(struct arena *a, size_t bytes);
struct slice arena_copy(struct arena *a, struct slice s); /* with a NUL behind it */
char *arena_cstr(struct arena *a, struct slice s);
struct slice arena_printf(struct arena *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define ARENA_NEW(a, type)      ((type *)arena_zalloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_zalloc((a), sizeof(type) * (n)))

/* The same contract without an arena, for long-lived memory: abort, never NULL. */
void *mem_alloc(size_t bytes);
void *mem_zalloc(size_t bytes);
void *mem_realloc(void *p, size_t bytes);
char *mem_cstr(struct slice s); /* owned by the caller: free() */

#endif
