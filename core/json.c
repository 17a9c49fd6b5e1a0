/* The pull parser for JSON: one byte of look-ahead, one state a level, no recursion.
 *
 * The state of a level says what may come next in it:
 *
 *     WANT_VALUE    the one value of the input, or an object's after its key
 *     ARRAY_FIRST   a value or ]          ARRAY_REST    , or ]
 *     OBJECT_FIRST  a key or }            OBJECT_REST   , or }
 *     WANT_END      nothing but white space
 *
 * A value that begins moves its level on before the value is read, so that an object or array only
 * pushes its own state and pops it at its end.
 */
#include "core/json.h"

#include <assert.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "core/bytes.h"

enum state {
    WANT_VALUE,
    WANT_END,
    ARRAY_FIRST,
    ARRAY_REST,
    OBJECT_FIRST,
    OBJECT_VALUE,
    OBJECT_REST
};

void
json_init(struct json *j, struct slice in, struct arena *a)
{
    memset(j, 0, sizeof *j);
    j->in = in;
    j->arena = a;
    j->text = SLICE_EMPTY;
    j->is_plain = slice_is_plain(in);
    j->state[0] = WANT_VALUE;
}

static enum json_token
fail(struct json *j, const char *why)
{
    j->error = why;
    return JSON_ERROR;
}

/* The byte at the reader, or -1 at the end. */
static int
peek(const struct json *j)
{
    return j->at < j->in.n ? (unsigned char)j->in.p[j->at] : -1;
}

static inline void
skip_space(struct json *j)
{
    int c = peek(j);

    if (c > ' ') /* nearly always */
        return;
    for (; c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = peek(j))
        j->at++;
}

static bool
is_digit(int c)
{
    return c >= '0' && c <= '9';
}

/* ---- Strings ---- */

/* Four hex digits at *at of s, or -1. */
static int
read_hex4(struct slice s, size_t *at)
{
    int v = 0;

    if (s.n - *at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = slice_hex_digit(s.p[*at + (size_t)i]);

        if (digit < 0)
            return -1;
        v = v << 4 | digit;
    }
    *at += 4;
    return v;
}

static size_t
put_utf8(char *dst, unsigned c)
{
    if (c < 0x80) {
        dst[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        dst[0] = (char)(0xC0 | c >> 6);
        dst[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        dst[0] = (char)(0xE0 | c >> 12);
        dst[1] = (char)(0x80 | (c >> 6 & 0x3F));
        dst[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    dst[0] = (char)(0xF0 | c >> 18);
    dst[1] = (char)(0x80 | (c >> 12 & 0x3F));
    dst[2] = (char)(0x80 | (c >> 6 & 0x3F));
    dst[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

/* The code point of \uXXXX, whose u has been read; two of them for a surrogate pair. -1:
 * ill-formed, -2: half a pair. */
static int
read_code_point(struct slice raw, size_t *at)
{
    int high = read_hex4(raw, at), low;

    if (high < 0xD800 || high > 0xDFFF)
        return high;
    if (high > 0xDBFF || raw.n - *at < 2 || raw.p[*at] != '\\' || raw.p[*at + 1] != 'u')
        return -2;
    *at += 2;
    low = read_hex4(raw, at);
    if (low < 0)
        return -1;
    if (low < 0xDC00 || low > 0xDFFF)
        return -2;
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

/* What a one-letter escape stands for; 0 where it is none. */
static char
simple_escape(char c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
        return c;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return 0;
    }
}

/* Decode the inside of a string that has escapes. No escape grows, so raw.n bytes are enough. */
static const char *
decode_string(struct json *j, struct slice raw)
{
    char *dst = arena_alloc(j->arena, raw.n);
    size_t n = 0;

    for (size_t i = 0; i < raw.n;) {
        int c;

        if (raw.p[i] != '\\') {
            dst[n++] = raw.p[i++];
            continue;
        }
        i++; /* the scan saw that one more byte follows every backslash */
        if (raw.p[i] != 'u') {
            dst[n] = simple_escape(raw.p[i++]);
            if (dst[n++] == 0)
                return "an unknown escape in a string";
            continue;
        }
        i++;
        c = read_code_point(raw, &i);
        if (c == -1)
            return "four hex digits must follow \\u";
        if (c == -2)
            return "half a surrogate pair in a string";
        n += put_utf8(dst + n, (unsigned)c);
    }
    j->text = slice_of(dst, n);
    return NULL;
}

#ifdef __SSE2__
/* The start of find_special, by sixteens; *is_found where that was all. */
static inline size_t
find_special16(struct slice in, size_t at, uint64_t *bits, bool *is_found)
{
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i control = _mm_set1_epi8(0x1F);

    *is_found = false;
    for (; in.n - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(in.p + at));
        __m128i special = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)),
            _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes));
        unsigned marks = (unsigned)_mm_movemask_epi8(special);
        unsigned high = (unsigned)_mm_movemask_epi8(bytes);

        if (marks != 0) {
            unsigned n = (unsigned)__builtin_ctz(marks);

            *is_found = true;
            *bits |= (high & ((1u << n) - 1)) != 0 ? BYTES_HIGH : 0;
            return at + n;
        }
        *bits |= high != 0 ? BYTES_HIGH : 0;
    }
    return at;
}
#endif

/* The first byte from `at` on that a string does not hold as it is: a quote, a backslash, a control
 * character; in.n where there is none. *bits gets a byte's high bit where one before it has it. */
static inline size_t
find_special(struct slice in, size_t at, uint64_t *bits)
{
#ifdef __SSE2__
    bool is_found;

    at = find_special16(in, at, bits, &is_found);
    if (is_found)
        return at;
#endif
    for (; in.n - at >= 8; at += 8) {
        uint64_t eight = load_u64(in.p + at);
        uint64_t marks = bytes_mark_below(eight, 0x20) | bytes_mark_equal(eight, '"') |
                         bytes_mark_equal(eight, '\\');

        if (marks != 0) {
            unsigned n = bytes_first(marks);

            *bits |= eight & ((UINT64_C(1) << 8 * n) - 1);
            return at + n;
        }
        *bits |= eight;
    }
    for (; at < in.n; at++) {
        unsigned char c = (unsigned char)in.p[at];

        if (c < 0x20 || c == '"' || c == '\\')
            break;
        *bits |= c;
    }
    return at;
}

/* Read a string whose opening quote is at the reader into j->text. */
static enum json_token
read_string(struct json *j, enum json_token token)
{
    size_t from = ++j->at;
    bool has_escapes = false;
    const char *why = NULL;
    uint64_t bits = 0;
    struct slice raw;

    for (;;) {
        j->at = find_special(j->in, j->at, &bits);
        if (peek(j) == '"')
            break;
        if (peek(j) == '\\') {
            has_escapes = true;
            j->at++;
        } else if (peek(j) != -1) {
            return fail(j, "a control character in a string");
        }
        if (peek(j) == -1)
            return fail(j, "the input ends inside a string");
        j->at++;
    }
    raw = slice_of(j->in.p + from, j->at - from);
    j->at++;
    if (bytes_any_high(bits) && !slice_is_utf8(raw))
        return fail(j, "a string is not UTF-8");
    j->text = raw;
    if (has_escapes)
        why = decode_string(j, raw);
    return why ? fail(j, why) : token;
}

/* ---- Numbers and words ---- */

static bool
skip_digits(struct json *j)
{
    size_t from = j->at;

    while (is_digit(peek(j)))
        j->at++;
    return j->at != from;
}

static enum json_token
read_number(struct json *j)
{
    size_t from = j->at;

    if (peek(j) == '-')
        j->at++;
    if (peek(j) == '0')
        j->at++; /* and no digit may follow: the next token would be one, which is an error */
    else if (!skip_digits(j))
        return fail(j, "a number needs digits");
    if (peek(j) == '.') {
        j->at++;
        if (!skip_digits(j))
            return fail(j, "digits must follow a number's point");
    }
    if (peek(j) == 'e' || peek(j) == 'E') {
        j->at++;
        if (peek(j) == '+' || peek(j) == '-')
            j->at++;
        if (!skip_digits(j))
            return fail(j, "digits must follow a number's exponent");
    }
    j->text = slice_of(j->in.p + from, j->at - from);
    return JSON_NUMBER;
}

static enum json_token
read_word(struct json *j, struct slice word, enum json_token token)
{
    if (!slice_starts_with(slice_of(j->in.p + j->at, j->in.n - j->at), word))
        return fail(j, "a value was expected");
    j->at += word.n;
    return token;
}

/* ---- Structure ---- */

static enum json_token
open_level(struct json *j, enum state first, enum json_token token)
{
    if (j->depth == JSON_DEPTH_MAX)
        return fail(j, "nested too deeply");
    j->at++;
    j->state[++j->depth] = (unsigned char)first;
    return token;
}

static enum json_token
close_level(struct json *j, enum json_token token)
{
    assert(j->depth > 0);
    j->at++;
    j->depth--;
    return token;
}

static enum json_token
read_value(struct json *j, enum state after)
{
    int c = peek(j);

    j->state[j->depth] = (unsigned char)after;
    j->start = j->at;
    switch (c) {
    case '{':
        return open_level(j, OBJECT_FIRST, JSON_OBJECT);
    case '[':
        return open_level(j, ARRAY_FIRST, JSON_ARRAY);
    case '"':
        return read_string(j, JSON_STRING);
    case 't':
        return read_word(j, SLICE("true"), JSON_TRUE);
    case 'f':
        return read_word(j, SLICE("false"), JSON_FALSE);
    case 'n':
        return read_word(j, SLICE("null"), JSON_NULL);
    case -1:
        return fail(j, "the input ends where a value was expected");
    default:
        return c == '-' || is_digit(c) ? read_number(j) : fail(j, "a value was expected");
    }
}

/* A key and its colon; the level then wants the value. */
static enum json_token
read_key(struct json *j)
{
    if (peek(j) != '"')
        return fail(j, "a key in quotes was expected");
    j->start = j->at;
    if (read_string(j, JSON_KEY) == JSON_ERROR)
        return JSON_ERROR;
    skip_space(j);
    if (peek(j) != ':')
        return fail(j, "a colon must follow a key");
    j->at++;
    j->state[j->depth] = OBJECT_VALUE;
    return JSON_KEY;
}

/* Pass over the comma between two members. */
static bool
read_comma(struct json *j)
{
    if (peek(j) != ',')
        return false;
    j->at++;
    skip_space(j);
    return true;
}

enum json_token
json_next(struct json *j)
{
    enum state state = j->state[j->depth];

    if (j->error)
        return JSON_ERROR;
    skip_space(j);
    switch (state) {
    case WANT_VALUE:
        return read_value(j, WANT_END);
    case WANT_END:
        return peek(j) == -1 ? JSON_END : fail(j, "something follows the value");
    case OBJECT_VALUE:
        return read_value(j, OBJECT_REST);
    case ARRAY_FIRST:
        return peek(j) == ']' ? close_level(j, JSON_ARRAY_END) : read_value(j, ARRAY_REST);
    case ARRAY_REST:
        if (peek(j) == ']')
            return close_level(j, JSON_ARRAY_END);
        return read_comma(j) ? read_value(j, ARRAY_REST) : fail(j, "a comma or ] was expected");
    case OBJECT_FIRST:
        return peek(j) == '}' ? close_level(j, JSON_OBJECT_END) : read_key(j);
    case OBJECT_REST:
        if (peek(j) == '}')
            return close_level(j, JSON_OBJECT_END);
        return read_comma(j) ? read_key(j) : fail(j, "a comma or } was expected");
    }
    return fail(j, "a value was expected");
}

/* The quote from `at` on; in.n where there is none. */
static inline size_t
find_quote(struct slice in, size_t at)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"');

    for (; in.n - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(in.p + at));
        unsigned marks = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, quote));

        if (marks != 0)
            return at + (unsigned)__builtin_ctz(marks);
    }
#endif
    while (at < in.n && in.p[at] != '"')
        at++;
    return at;
}

/* A value of plain input that is a string, or a number without sign, point and exponent: false,
 * with nothing read, where it is something else, or wrong. */
static inline bool
read_plain_value(struct json *j, size_t at, enum json_token *out)
{
    struct slice in = j->in;
    size_t end = at + 1;

    if (in.p[at] == '"') {
        end = find_quote(in, at + 1);
        if (end == in.n)
            return false;
        j->text = slice_of(in.p + at + 1, end - at - 1);
        j->at = end + 1;
        *out = JSON_STRING;
    } else {
        if (in.p[at] < '1' || in.p[at] > '9')
            return false;
        while (end < in.n && is_digit(in.p[end]))
            end++;
        if (end == in.n || (in.p[end] != ',' && in.p[end] != '}'))
            return false;
        j->text = slice_of(in.p + at, end - at);
        j->at = end;
        *out = JSON_NUMBER;
    }
    j->start = at;
    return true;
}

/* Where the quote of the next key of plain input is, written without white space; in.n: elsewhere,
 * or there is none. */
static inline size_t
find_plain_key(const struct json *j)
{
    enum state state = j->state[j->depth];
    size_t at = j->at;

    if (!j->is_plain || j->error != NULL || j->in.n - at < 4)
        return j->in.n;
    if (state == OBJECT_REST && j->in.p[at] == ',')
        at++;
    else if (state != OBJECT_FIRST)
        return j->in.n;
    return j->in.p[at] == '"' ? at : j->in.n;
}

/* `,"key":` of plain input and such a value: nearly all that machines write. */
static inline bool
read_plain_member(struct json *j, struct slice *key, enum json_token *out)
{
    size_t at = find_plain_key(j);
    struct slice in = j->in;
    size_t end;

    if (at == in.n)
        return false;
    end = find_quote(in, at + 1);
    if (in.n - end < 3 || in.p[end + 1] != ':' || !read_plain_value(j, end + 2, out))
        return false;
    *key = slice_of(in.p + at + 1, end - at - 1);
    j->state[j->depth] = OBJECT_REST;
    return true;
}

bool
json_try_member(struct json *j, struct slice key, enum json_token *value)
{
    size_t at = find_plain_key(j);
    const char *p;

    if (key.n == 0 || j->in.n - at < key.n + 4)
        return false;
    p = j->in.p + at + 1;
    if (p[key.n] != '"' || p[key.n + 1] != ':' || !slice_equal(slice_of(p, key.n), key) ||
        !read_plain_value(j, at + key.n + 3, value))
        return false;
    j->state[j->depth] = OBJECT_REST;
    return true;
}

enum json_token
json_next_member(struct json *j, struct slice *key)
{
    enum json_token t;

    if (read_plain_member(j, key, &t))
        return t;
    t = json_next(j);
    if (t != JSON_KEY)
        return t;
    *key = j->text;
    return json_next(j);
}

enum json_token
json_skip_open(struct json *j, int depth)
{
    enum json_token t = JSON_OBJECT;

    while (j->depth > depth && t != JSON_ERROR)
        t = json_next(j);
    return j->error ? JSON_ERROR : t;
}

enum json_token
json_skip(struct json *j)
{
    struct slice raw;

    return json_skip_raw(j, &raw);
}

enum json_token
json_skip_raw(struct json *j, struct slice *raw)
{
    int depth = j->depth;
    enum json_token first = json_next(j);
    size_t from = j->start;

    if (first == JSON_ERROR || json_skip_open(j, depth) == JSON_ERROR)
        return JSON_ERROR;
    *raw = slice_of(j->in.p + from, j->at - from);
    return first;
}
