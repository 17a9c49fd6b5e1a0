/* Slices: borrowed bytes with a length. NUL only at the edges. A slice never owns. */
#ifndef CORE_SLICE_H
#define CORE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/bytes.h"

struct slice {
    const char *p;
    size_t n;
};

#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})
#define SLICE_EMPTY    ((struct slice){"", 0})
#define SLICE_ARG(s)   (int)(s).n, (s).p /* for "%.*s" */

static inline struct slice
slice_of(const char *p, size_t n)
{
    return (struct slice){p, n};
}

static inline struct slice
slice_from(const char *text) /* NULL gives the empty slice */
{
    return (struct slice){text ? text : "", text ? strlen(text) : 0};
}

static inline bool
slice_equal(struct slice a, struct slice b)
{
    return a.n == b.n && bytes_equal(a.p, b.p, a.n); /* most are short: no call */
}

/* Inline, so that the length of a literal is a constant. */
static inline bool
slice_is(struct slice s, const char *text)
{
    return slice_equal(s, slice_from(text));
}

int slice_compare(struct slice a, struct slice b); /* as bytes; a prefix comes first */
bool slice_starts_with(struct slice s, struct slice prefix);
bool slice_ends_with(struct slice s, struct slice suffix);
bool slice_contains(struct slice s, struct slice part);
bool slice_equal_nocase(struct slice a, struct slice b); /* ASCII letters only */
struct slice slice_trim(struct slice s);                 /* spaces, tabs, CR, LF at both ends */
struct slice slice_sub(struct slice s, size_t from, size_t n); /* clamped to s */

/* Rows of `row_bytes` that begin with a `const char *`, sorted by that text as bytes: the first
 * that is not before s; n_rows where all are. */
size_t slice_lower_bound(const void *rows, size_t n_rows, size_t row_bytes, struct slice s);

/* The value of a hexadecimal digit, or -1. */
static inline int
slice_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Index of the first c at or after from; s.n where there is none. */
size_t slice_find(struct slice s, char c, size_t from);

/* Cut s at the first c: *head is what stands before; *rest what follows (empty without c).
 * Returns whether c was there. */
bool slice_cut(struct slice s, char c, struct slice *head, struct slice *rest);

/* The whole of s as a decimal integer with optional '-'. False on anything else or overflow. */
bool slice_to_int64(struct slice s, int64_t *out);
bool slice_to_uint64(struct slice s, uint64_t *out);

/* Copy into a NUL-ended buffer of `size`; false (and dst = "") where it does not fit. */
bool slice_to_cstr(struct slice s, char *dst, size_t size);

/* Text rules for what comes from outside. */
void text_make_printable(char *text); /* whatever is not printable ASCII becomes '?' */
bool slice_is_plain(struct slice s);  /* printable ASCII without a backslash */
bool slice_is_utf8(struct slice s);   /* well-formed, no surrogates, at most U+10FFFF */
/* Bytes of the well-formed character that s starts with; 0 where it starts with none. */
size_t slice_utf8_length(struct slice s);
size_t slice_utf8_cut(struct slice s, size_t max_bytes); /* longest whole-character prefix */

#endif
