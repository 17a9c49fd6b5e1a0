/* What was searched for, as a search engine's address says it: in a parameter or a part of the
 * path, in UTF-8 or what the engine wrote before there was one way. */
#include "collector/driver.h"

#include <iconv.h>

#define KEYWORD_MAX 2000 /* bytes, still encoded; the rest is cut */

/* ---- Text ---- */

/* Bytes of a charset as UTF-8; "" where they are none of it, or the system does not know it. */
static struct slice
from_charset(struct slice bytes, const char *charset, struct arena *a)
{
    size_t room = bytes.n * 4, in_left = bytes.n, out_left = room;
    char *in = arena_cstr(a, bytes), *text = arena_alloc(a, room), *out = text;
    iconv_t converter = iconv_open("UTF-8", charset);
    bool is_whole;

    if (converter == (iconv_t)-1)
        return SLICE_EMPTY;
    is_whole = iconv(converter, &in, &in_left, &out, &out_left) != (size_t)-1;
    iconv_close(converter);
    return is_whole ? slice_of(text, room - out_left) : SLICE_EMPTY;
}

static struct slice
decode(struct slice encoded, const char *charset, struct arena *a)
{
    struct slice bytes, text = SLICE_EMPTY;

    encoded = slice_sub(encoded, 0, KEYWORD_MAX);
    bytes = url_decode_bytes(a, encoded);
    if (!slice_is_utf8(bytes) && *charset)
        text = from_charset(bytes, charset, a);
    return slice_trim(text.n > 0 ? text : url_decode(a, encoded));
}

/* ---- Where it is ---- */

/* The value of a query's parameter. */
static struct slice
find_parameter(struct slice query, struct slice wanted)
{
    struct slice name, value;

    while (url_next_parameter(&query, &name, &value))
        if (slice_equal(name, wanted) && value.n > 0)
            return value;
    return SLICE_EMPTY;
}

/* The part at "+" of a pattern that the parts of a path, from its start on, are like. */
static bool
match_path(struct slice path, struct slice pattern, struct slice *out)
{
    struct slice part, wanted, found = SLICE_EMPTY;

    while (pattern.n > 0) {
        if (path.n == 0)
            return false;
        slice_cut(path, '/', &part, &path);
        slice_cut(pattern, '/', &wanted, &pattern);
        if (slice_is(wanted, "+"))
            found = part;
        else if (!slice_is(wanted, "*") && !slice_equal(wanted, part))
            return false;
    }
    *out = found;
    return found.n > 0;
}

/* The same from any part of the path on: "/s/+" in "/x/s/bed". */
static struct slice
find_in_path(struct slice path, struct slice pattern)
{
    struct slice part, found;

    pattern = slice_sub(pattern, 1, pattern.n); /* its first '/' */
    while (path.n > 0) {
        slice_cut(path, '/', &part, &path);
        if (match_path(path, pattern, &found))
            return found;
    }
    return SLICE_EMPTY;
}

/* "cache:ID:address words", as Google's cache had it: the words. */
static struct slice
without_cache(struct slice keyword)
{
    struct slice head, rest;

    if (!slice_starts_with(keyword, SLICE("cache:")))
        return keyword;
    slice_cut(keyword, ' ', &head, &rest);
    return slice_trim(rest);
}

struct slice
driver_read_keyword(const struct driver_host *known, const struct url *url, struct arena *a)
{
    struct slice places = slice_from(known->keywords), place, found;

    while (places.n > 0) {
        slice_cut(places, ',', &place, &places);
        found =
            place.p[0] == '/' ? find_in_path(url->path, place) : find_parameter(url->query, place);
        if (found.n > 0)
            return without_cache(decode(found, known->charset, a));
    }
    return SLICE_EMPTY;
}
