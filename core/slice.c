#include "core/slice.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "core/bytes.h"

static unsigned char
lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

int
slice_compare(struct slice a, struct slice b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n == 0 ? 0 : memcmp(a.p, b.p, n);

    if (order != 0)
        return order;
    return a.n < b.n ? -1 : a.n > b.n;
}

/* Most texts differ within a byte or two: their lengths are not worth finding. */
static bool
is_before(const char *text, struct slice s)
{
    size_t i = 0;

    while (i < s.n && text[i] != '\0' && text[i] == s.p[i])
        i++;
    return i < s.n && (text[i] == '\0' || (unsigned char)text[i] < (unsigned char)s.p[i]);
}

size_t
slice_lower_bound(const void *rows, size_t n_rows, size_t row_bytes, struct slice s)
{
    size_t low = 0, high = n_rows;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *text;

        memcpy(&text, (const char *)rows + middle * row_bytes, sizeof text);
        if (is_before(text, s))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool
slice_starts_with(struct slice s, struct slice prefix)
{
    return s.n >= prefix.n && slice_equal(slice_of(s.p, prefix.n), prefix);
}

bool
slice_ends_with(struct slice s, struct slice suffix)
{
    return s.n >= suffix.n && slice_equal(slice_of(s.p + (s.n - suffix.n), suffix.n), suffix);
}

bool
slice_contains(struct slice s, struct slice part)
{
    return part.n == 0 || (s.n >= part.n && memmem(s.p, s.n, part.p, part.n) != NULL);
}

bool
slice_equal_nocase(struct slice a, struct slice b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower((unsigned char)a.p[i]) != lower((unsigned char)b.p[i]))
            return false;
    return true;
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice
slice_trim(struct slice s)
{
    while (s.n > 0 && is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

struct slice
slice_sub(struct slice s, size_t from, size_t n)
{
    if (from > s.n)
        from = s.n;
    if (n > s.n - from)
        n = s.n - from;
    return slice_of(from > 0 ? s.p + from : s.p, n); /* p of an empty text may be NULL */
}

size_t
slice_find(struct slice s, char c, size_t from)
{
    const char *hit;

    if (from >= s.n)
        return s.n;
    hit = memchr(s.p + from, c, s.n - from);
    return hit ? (size_t)(hit - s.p) : s.n;
}

bool
slice_cut(struct slice s, char c, struct slice *head, struct slice *rest)
{
    size_t at = slice_find(s, c, 0);

    *head = slice_of(s.p, at);
    *rest = at < s.n ? slice_of(s.p + at + 1, s.n - at - 1) : slice_of(s.p + s.n, 0);
    return at < s.n;
}

bool
slice_to_uint64(struct slice s, uint64_t *out)
{
    uint64_t v = 0;

    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, 10u, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
            return false;
    }
    *out = v;
    return true;
}

bool
slice_to_int64(struct slice s, int64_t *out)
{
    bool is_negative = s.n > 0 && s.p[0] == '-';
    uint64_t v;

    if (!slice_to_uint64(is_negative ? slice_sub(s, 1, s.n) : s, &v))
        return false;
    if (v > (uint64_t)INT64_MAX + (is_negative ? 1 : 0))
        return false;
    *out = is_negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

bool
slice_to_cstr(struct slice s, char *dst, size_t size)
{
    if (size == 0)
        return false;
    if (s.n >= size || memchr(s.p, '\0', s.n) != NULL) {
        dst[0] = '\0';
        return false;
    }
    memcpy(dst, s.p, s.n);
    dst[s.n] = '\0';
    return true;
}

/* Length of the well-formed character at p (n bytes left), 0 where there is none.
 * Unicode 15, table 3-7. */
static size_t
utf8_length(const unsigned char *p, size_t n)
{
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xC2 && p[0] <= 0xDF)
        return n >= 2 && (p[1] & 0xC0) == 0x80 ? 2 : 0;
    if (p[0] >= 0xE0 && p[0] <= 0xEF) {
        if (n < 3 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80)
            return 0;
        if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F))
            return 0;
        return 3;
    }
    if (p[0] >= 0xF0 && p[0] <= 0xF4) {
        if (n < 4 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80 || (p[3] & 0xC0) != 0x80)
            return 0;
        if ((p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
            return 0;
        return 4;
    }
    return 0;
}

size_t
slice_utf8_length(struct slice s)
{
    return s.n == 0 ? 0 : utf8_length((const unsigned char *)s.p, s.n);
}

void
text_make_printable(char *text)
{
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

bool
slice_is_utf8(struct slice s)
{
    size_t i = 0;

    while (i < s.n) {
        size_t n = 8;

        if (s.n - i < n || bytes_any_high(load_u64(s.p + i)))
            n = utf8_length((const unsigned char *)s.p + i, s.n - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

size_t
slice_utf8_cut(struct slice s, size_t max_bytes)
{
    size_t n = max_bytes;

    if (s.n <= max_bytes)
        return s.n;
    while (n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
        n--;
    return n;
}

static bool
is_plain_byte(char c)
{
    return c >= ' ' && c < 0x7F && c != '\\';
}

bool
slice_is_plain(struct slice s)
{
    size_t i = 0;

#ifdef __SSE2__
    for (; s.n - i >= 16; i += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(s.p + i));
        __m128i bad = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F)),
                                   _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
        __m128i good = _mm_andnot_si128(bad, _mm_cmpgt_epi8(bytes, _mm_set1_epi8(0x1F)));

        if (_mm_movemask_epi8(good) != 0xFFFF)
            return false;
    }
#endif
    for (; i < s.n; i++)
        if (!is_plain_byte(s.p[i]))
            return false;
    return true;
}
