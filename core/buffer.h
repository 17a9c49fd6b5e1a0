/* A growing run of bytes, owned by whoever init'ed it. */
#ifndef CORE_BUFFER_H
#define CORE_BUFFER_H

#include "core/slice.h"

struct buffer {
    char *p;
    size_t n;
    size_t capacity;
};

#define BUFFER_EMPTY ((struct buffer){NULL, 0, 0})

void buffer_fini(struct buffer *b);
void buffer_reserve(struct buffer *b, size_t more);
void buffer_printf(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buffer_add_number(struct buffer *b, uint64_t v); /* in decimal digits */
void buffer_add_u32(struct buffer *b, uint32_t v);    /* little-endian */
void buffer_add_u64(struct buffer *b, uint64_t v);
void buffer_add_json(struct buffer *b, struct slice s); /* s as a JSON string, quotes included */

/* Inline, as events are encoded by many small ones. */
static inline void
buffer_add(struct buffer *b, const void *bytes, size_t n)
{
    if (n == 0)
        return;
    if (b->capacity - b->n < n)
        buffer_reserve(b, n);
    memcpy(b->p + b->n, bytes, n);
    b->n += n;
}

static inline void
buffer_add_slice(struct buffer *b, struct slice s)
{
    buffer_add(b, s.p, s.n);
}

static inline void
buffer_add_text(struct buffer *b, const char *text)
{
    buffer_add(b, text, strlen(text));
}

static inline void
buffer_add_char(struct buffer *b, char c)
{
    buffer_add(b, &c, 1);
}

static inline struct slice
buffer_slice(const struct buffer *b)
{
    return slice_of(b->p ? b->p : "", b->n);
}

static inline void
buffer_clear(struct buffer *b)
{
    b->n = 0;
}

#endif
