#include "core/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/bytes.h"

void
buffer_fini(struct buffer *b)
{
    free(b->p);
    *b = BUFFER_EMPTY;
}

void
buffer_reserve(struct buffer *b, size_t more)
{
    size_t capacity = b->capacity ? b->capacity : 256;

    if (b->capacity - b->n >= more)
        return;
    while (capacity - b->n < more)
        capacity *= 2;
    b->p = mem_realloc(b->p, capacity);
    b->capacity = capacity;
}

void
buffer_printf(struct buffer *b, const char *format, ...)
{
    va_list args;
    va_list again;
    int n;

    va_start(args, format);
    va_copy(again, args);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n > 0) {
        buffer_reserve(b, (size_t)n + 1);
        vsnprintf(b->p + b->n, (size_t)n + 1, format, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

void
buffer_add_number(struct buffer *b, uint64_t v)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v != 0);
    buffer_add(b, digits + at, sizeof digits - at);
}

void
buffer_add_u32(struct buffer *b, uint32_t v)
{
    unsigned char bytes[4];

    store_u32(bytes, v);
    buffer_add(b, bytes, sizeof bytes);
}

void
buffer_add_u64(struct buffer *b, uint64_t v)
{
    unsigned char bytes[8];

    store_u64(bytes, v);
    buffer_add(b, bytes, sizeof bytes);
}

void
buffer_add_json(struct buffer *b, struct slice s)
{
    static const char escapes[] = "\b\t\n\f\r";
    static const char letters[] = "btnfr";

    buffer_reserve(b, s.n + 2);
    buffer_add_char(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        const char *known = c != 0 && c < 0x20 ? strchr(escapes, c) : NULL;

        if (c == '"' || c == '\\') {
            buffer_add_char(b, '\\');
            buffer_add_char(b, (char)c);
        } else if (known != NULL) {
            buffer_add_char(b, '\\');
            buffer_add_char(b, letters[known - escapes]);
        } else if (c < 0x20 || c == 0x7F) {
            buffer_printf(b, "\\u%04x", c);
        } else {
            buffer_add_char(b, (char)c);
        }
    }
    buffer_add_char(b, '"');
}
