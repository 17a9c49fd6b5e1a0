/* A request's head, from bytes to names and values: pure, so that it can be tested and fuzzed
 * without a server. */
#include "core/http_int.h"

#include <strings.h>

#include "core/bytes.h"

/* RFC 9110's token: what a method or a header's name may be made of. */
static const bool token_bytes[256] = {
    ['!'] = true,         ['#'] = true,         ['$'] = true,         ['%'] = true, ['&'] = true,
    ['\''] = true,        ['*'] = true,         ['+'] = true,         ['-'] = true, ['.'] = true,
    ['^'] = true,         ['_'] = true,         ['`'] = true,         ['|'] = true, ['~'] = true,
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
};

size_t
http__head_length(const char *p, size_t n, size_t seen)
{
    size_t from = seen > 3 ? seen - 3 : 0; /* the empty line may have come in two parts */
    const char *end = n > from ? memmem(p + from, n - from, "\r\n\r\n", 4) : NULL;

    return end ? (size_t)(end - p) + 4 : 0;
}

/* The end of the token at p, or p where there is none. */
static char *
after_token(char *p)
{
    while (token_bytes[(unsigned char)*p])
        p++;
    return p;
}

/* Has it a control character? A tab is none here. */
static bool
has_control(const char *p, const char *end)
{
    while (end - p >= 8 && !bytes_any_below(load_u64(p), ' ') &&
           !bytes_any_equal(load_u64(p), 0x7F))
        p += 8;
    for (; p < end; p++)
        if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7F)
            return true;
    return false;
}

/* "/path?query", or with http://host before it, as proxies are asked. */
static void
take_target(char *p, struct http_incoming *out)
{
    char *query = strchr(p, '?'), *path = p;

    if (query) {
        *query = '\0';
        out->query = query + 1;
    }
    if (strncasecmp(p, "http://", 7) == 0)
        path = strchr(p + 7, '/');
    else if (strncasecmp(p, "https://", 8) == 0)
        path = strchr(p + 8, '/');
    out->target = path && *path == '/' ? path : NULL;
}

/* "POST /e?a=1 HTTP/1.1", of which *end is the byte behind. */
static int
take_request_line(char *p, char *end, struct http_incoming *out)
{
    char *target = after_token(p), *version;

    *end = '\0';
    if (target == p || *target != ' ' || has_control(p, end))
        return 400;
    *target++ = '\0';
    version = strchr(target, ' ');
    if (!version || version == target || strncmp(version, " HTTP/", 6) != 0)
        return 400;
    *version = '\0';
    out->version = version + 6;
    if (strcmp(out->version, "1.1") != 0 && strcmp(out->version, "1.0") != 0)
        return strchr(out->version, ' ') ? 400 : 505;
    out->method = p;
    take_target(target, out);
    return 0;
}

/* "Name: value". */
static bool
take_field(char *p, char *end, struct http_field *out)
{
    char *colon = after_token(p);

    if (colon == p || *colon != ':')
        return false; /* a folded line, or a space before the colon, too */
    *colon = '\0';
    out->name = p;
    p = colon + 1;
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *end = '\0';
    out->value = p;
    return !has_control(p, end);
}

/* The CR of the line at p; NULL for one that ends by LF alone, which is none. */
static char *
end_of_line(char *p, const char *end)
{
    char *feed = memchr(p, '\n', (size_t)(end - p));

    return feed && feed > p && feed[-1] == '\r' ? feed - 1 : NULL;
}

int
http__parse_head(char *p, size_t n, struct http_incoming *out)
{
    char *end = p + n, *line_end;
    int status;

    out->method = out->target = out->query = out->version = NULL;
    out->n_fields = 0;
    line_end = end_of_line(p, end);
    status = line_end ? take_request_line(p, line_end, out) : 400;
    if (status != 0)
        return status;
    for (p = line_end + 2; out->n_fields < HTTP_FIELDS_MAX; p = line_end + 2) {
        line_end = p < end ? end_of_line(p, end) : NULL;
        if (!line_end)
            return 400;
        if (line_end == p) /* the empty line */
            return p + 2 == end ? 0 : 400;
        if (!take_field(p, line_end, &out->fields[out->n_fields]))
            return 400;
        out->n_fields++;
    }
    return 0;
}
