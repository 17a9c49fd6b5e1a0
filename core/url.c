/* Splitting URLs the way a browser reads http and https, as far as counting needs it. */
#include "core/url.h"

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* What ends a part of a URL. */
enum { ENDS_SCHEME = 1, ENDS_HOST = 2, ENDS_PATH = 4, ENDS_QUERY = 8 };

static const unsigned char ends[256] = {[':'] = ENDS_SCHEME,
                                        ['/'] = ENDS_SCHEME | ENDS_HOST,
                                        ['\\'] = ENDS_HOST,
                                        ['?'] = ENDS_SCHEME | ENDS_HOST | ENDS_PATH,
                                        ['#'] = ENDS_SCHEME | ENDS_HOST | ENDS_PATH | ENDS_QUERY};

/* Index of the first byte at or after from that ends the part; s.n where there is none. */
static size_t
find_end(struct slice s, unsigned part, size_t from)
{
    while (from < s.n && (ends[(unsigned char)s.p[from]] & part) == 0)
        from++;
    return from;
}

static struct slice
from_to(struct slice s, size_t from, size_t to)
{
    return slice_of(s.p + from, to - from);
}

/* May a host hold this byte? Browsers refuse these in a host of http. */
static bool
is_host_byte(char c)
{
    static const bool is_refused[256] = {
        ['#'] = true, ['%'] = true, ['/'] = true,  ['<'] = true, ['>'] = true,  ['?'] = true,
        ['@'] = true, ['['] = true, ['\\'] = true, [']'] = true, ['^'] = true,  ['|'] = true,
        ['"'] = true, ['`'] = true, ['{'] = true,  ['}'] = true, [0x7F] = true,
    };
    unsigned char u = (unsigned char)c;

    return u > 0x20 && !is_refused[u];
}

static bool
is_host(struct slice host)
{
    if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
        for (size_t i = 1; i + 1 < host.n; i++)
            if (slice_hex_digit(host.p[i]) < 0 && host.p[i] != ':' && host.p[i] != '.')
                return false;
        return true;
    }
    for (size_t i = 0; i < host.n; i++)
        if (!is_host_byte(host.p[i]))
            return false;
    return host.n > 0;
}

static bool
is_port(struct slice port)
{
    for (size_t i = 0; i < port.n; i++)
        if (port.p[i] < '0' || port.p[i] > '9')
            return false;
    return port.n <= 5;
}

/* How many letters, digits, dots and dashes s begins with: most hosts are nothing else. */
static size_t
count_plain_host(struct slice s)
{
    static const bool is_plain[256] = {
        ['-'] = true, ['.'] = true, ['0'] = true, ['1'] = true, ['2'] = true, ['3'] = true,
        ['4'] = true, ['5'] = true, ['6'] = true, ['7'] = true, ['8'] = true, ['9'] = true,
        ['A'] = true, ['B'] = true, ['C'] = true, ['D'] = true, ['E'] = true, ['F'] = true,
        ['G'] = true, ['H'] = true, ['I'] = true, ['J'] = true, ['K'] = true, ['L'] = true,
        ['M'] = true, ['N'] = true, ['O'] = true, ['P'] = true, ['Q'] = true, ['R'] = true,
        ['S'] = true, ['T'] = true, ['U'] = true, ['V'] = true, ['W'] = true, ['X'] = true,
        ['Y'] = true, ['Z'] = true, ['a'] = true, ['b'] = true, ['c'] = true, ['d'] = true,
        ['e'] = true, ['f'] = true, ['g'] = true, ['h'] = true, ['i'] = true, ['j'] = true,
        ['k'] = true, ['l'] = true, ['m'] = true, ['n'] = true, ['o'] = true, ['p'] = true,
        ['q'] = true, ['r'] = true, ['s'] = true, ['t'] = true, ['u'] = true, ['v'] = true,
        ['w'] = true, ['x'] = true, ['y'] = true, ['z'] = true,
    };
    size_t n = 0;

    while (n < s.n && is_plain[(unsigned char)s.p[n]])
        n++;
    return n;
}

/* "user:password@host:port" */
static bool
split_authority(struct slice authority, struct url *out)
{
    size_t from = 0, colon;

    for (size_t i = 0; i < authority.n; i++)
        if (authority.p[i] == '@')
            from = i + 1;
    authority = from_to(authority, from, authority.n);
    colon = authority.n;
    for (size_t i = authority.n; i-- > 0 && authority.p[i] != ']';)
        if (authority.p[i] == ':')
            colon = i;
    out->host = from_to(authority, 0, colon);
    if (colon < authority.n)
        out->port = from_to(authority, colon + 1, authority.n);
    return is_host(out->host) && is_port(out->port);
}

/* Index of the first "?" or "#"; s.n where there is none. */
static size_t
find_path_end(struct slice s)
{
    size_t at = 0;

    for (; s.n - at >= 8; at += 8) {
        uint64_t eight = load_u64(s.p + at);
        uint64_t marks = bytes_mark_equal(eight, '?') | bytes_mark_equal(eight, '#');

        if (marks != 0)
            return at + bytes_first(marks);
    }
    return find_end(s, ENDS_PATH, at);
}

/* The path, query and fragment of s, which begins where a path may begin. */
static void
split_path(struct slice s, struct url *out)
{
    size_t query = find_path_end(s);
    size_t fragment = find_end(s, ENDS_QUERY, query);

    out->path = from_to(s, 0, query);
    if (query < fragment)
        out->query = from_to(s, query + 1, fragment);
    if (fragment < s.n)
        out->fragment = from_to(s, fragment + 1, s.n);
}

/* As url_split of what begins `http://host/`, the host a plain one: nearly all. False, and nothing
 * is said, for others. */
static bool
split_plain(struct slice s, struct url *out)
{
    size_t n_scheme = slice_starts_with(s, SLICE("https://"))  ? 5
                      : slice_starts_with(s, SLICE("http://")) ? 4
                                                               : 0;
    size_t host = n_scheme + 3;
    size_t n;

    if (n_scheme == 0)
        return false;
    n = count_plain_host(from_to(s, host, s.n));
    if (n == 0 || host + n == s.n || s.p[host + n] != '/')
        return false;
    out->scheme = from_to(s, 0, n_scheme);
    out->host = from_to(s, host, host + n);
    split_path(from_to(s, host + n, s.n), out);
    return true;
}

static bool
is_web_scheme(struct slice scheme)
{
    return slice_is(scheme, "https") || slice_is(scheme, "http") ||
           slice_equal_nocase(scheme, SLICE("http")) || slice_equal_nocase(scheme, SLICE("https"));
}

bool
url_split(struct slice text, struct url *out)
{
    struct slice s = slice_trim(text);
    struct url u = {SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY};
    size_t end, colon;

    if (split_plain(s, &u)) {
        *out = u;
        return true;
    }
    colon = find_end(s, ENDS_SCHEME, 0);
    if (colon < s.n && s.p[colon] == ':') {
        u.scheme = from_to(s, 0, colon);
        if (!is_web_scheme(u.scheme))
            return false;
        s = from_to(s, colon + 1, s.n);
        if (!slice_starts_with(s, SLICE("//")))
            return false;
    }
    if (slice_starts_with(s, SLICE("//"))) {
        end = find_end(s, ENDS_HOST, 2);
        if (!split_authority(from_to(s, 2, end), &u))
            return false;
        s = from_to(s, end, s.n);
    } else if (!slice_starts_with(s, SLICE("/"))) {
        return false;
    }
    split_path(s, &u);
    if (u.path.n == 0)
        u.path = SLICE("/");
    *out = u;
    return true;
}

static bool
has_upper(struct slice s)
{
    size_t i = 0;

    for (; s.n - i >= 8; i += 8)
        if (bytes_any_upper(load_u64(s.p + i)))
            return true;
    for (; i < s.n; i++)
        if (s.p[i] >= 'A' && s.p[i] <= 'Z')
            return true;
    return false;
}

struct slice
url_host(struct arena *a, struct slice host)
{
    char *dst;

    if (host.n > 0 && host.p[host.n - 1] == '.')
        host.n--;
    if (!has_upper(host))
        return host;
    dst = arena_alloc(a, host.n);
    for (size_t i = 0; i < host.n; i++)
        dst[i] = lower(host.p[i]);
    return slice_of(dst, host.n);
}

bool
url_next_parameter(struct slice *rest, struct slice *name, struct slice *value)
{
    struct slice part;

    do {
        if (rest->n == 0)
            return false;
        slice_cut(*rest, '&', &part, rest);
    } while (part.n == 0);
    slice_cut(part, '=', name, value);
    return true;
}

/* s with every byte that is in no character as U+FFFD. */
static struct slice
replace_bad_bytes(struct arena *a, struct slice s)
{
    char *dst = arena_alloc(a, 3 * s.n);
    size_t n = 0;

    while (s.n > 0) {
        size_t k = slice_utf8_length(s);

        if (k > 0)
            memcpy(dst + n, s.p, k);
        else
            memcpy(dst + n, "\xEF\xBF\xBD", 3);
        n += k > 0 ? k : 3;
        s = slice_sub(s, k > 0 ? k : 1, s.n);
    }
    return slice_of(dst, n);
}

struct slice
url_decode_bytes(struct arena *a, struct slice encoded)
{
    struct slice s = encoded;
    char *dst;
    size_t n = 0;

    if (slice_find(s, '%', 0) == s.n && slice_find(s, '+', 0) == s.n)
        return s;
    dst = arena_alloc(a, s.n);
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (c == '%' && s.n - i > 2 && slice_hex_digit(s.p[i + 1]) >= 0 &&
            slice_hex_digit(s.p[i + 2]) >= 0) {
            c = (char)(slice_hex_digit(s.p[i + 1]) << 4 | slice_hex_digit(s.p[i + 2]));
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        dst[n++] = c;
    }
    return slice_of(dst, n);
}

struct slice
url_decode(struct arena *a, struct slice encoded)
{
    struct slice s = url_decode_bytes(a, encoded);

    return slice_is_utf8(s) ? s : replace_bad_bytes(a, s);
}
