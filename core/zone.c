/* TZif (RFC 8536), versions 2 and 3: the 64-bit data block and the POSIX rule behind it for times
 * after the last transition. */
#include "core/zone.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/file.h"

#define ZONE_FOLDER   "/usr/share/zoneinfo"
#define ZONE_FILE_MAX (256 * 1024)
#define S_PER_HOUR    3600
#define S_PER_DAY     INT64_C(86400)

/* One of the two yearly moments of a POSIX rule: Mm.w.d, Jn or n, at time_s of the local day. */
struct rule_moment {
    char kind; /* 'M', 'J', '0' */
    int month, week, day;
    int time_s;
};

struct zone {
    char name[65];
    size_t n_transitions;
    int64_t *at_s;       /* sorted */
    unsigned char *type; /* of the time from at_s[i] on */
    int offsets_s[256];
    int first_offset_s; /* before the first transition */
    bool has_rule;      /* for times after the last one */
    bool has_daylight;
    int standard_s, daylight_s;
    struct rule_moment start, end;
};

static int32_t
big_i32(const unsigned char *p)
{
    return (int32_t)((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]);
}

static int64_t
big_i64(const unsigned char *p)
{
    return (int64_t)((uint64_t)(uint32_t)big_i32(p) << 32 | (uint32_t)big_i32(p + 4));
}

/* ---- the POSIX rule: "CET-1CEST,M3.5.0,M10.5.0/3", "<+07>-7" ---- */

static bool
skip_name(const char **p)
{
    const char *s = *p;

    if (*s == '<') {
        while (*s != '\0' && *s != '>')
            s++;
        if (*s != '>')
            return false;
        s++;
    } else {
        while ((*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z'))
            s++;
    }
    if (s == *p)
        return false;
    *p = s;
    return true;
}

static bool
read_number(const char **p, int max, int *out)
{
    int v = 0;
    const char *s = *p;

    while (*s >= '0' && *s <= '9' && v <= max)
        v = v * 10 + (*s++ - '0');
    if (s == *p || v > max)
        return false;
    *p = s;
    *out = v;
    return true;
}

/* [+-]hh[:mm[:ss]], hours to 167 as version 3 allows. */
static bool
read_hms(const char **p, int *out_s)
{
    int sign = 1, h = 0, m = 0, s = 0;

    if (**p == '+' || **p == '-')
        sign = *(*p)++ == '-' ? -1 : 1;
    if (!read_number(p, 167, &h))
        return false;
    if (**p == ':' && (++*p, !read_number(p, 59, &m)))
        return false;
    if (**p == ':' && (++*p, !read_number(p, 59, &s)))
        return false;
    *out_s = sign * (h * 3600 + m * 60 + s);
    return true;
}

static bool
read_moment(const char **p, struct rule_moment *m)
{
    *m = (struct rule_moment){.kind = '0', .time_s = 7200};
    if (**p != ',')
        return false;
    ++*p;
    if (**p == 'M') {
        m->kind = 'M';
        ++*p;
        if (!read_number(p, 12, &m->month) || *(*p)++ != '.' || !read_number(p, 5, &m->week) ||
            *(*p)++ != '.' || !read_number(p, 6, &m->day) || m->month == 0 || m->week == 0)
            return false;
    } else {
        if (**p == 'J') {
            m->kind = 'J';
            ++*p;
        }
        if (!read_number(p, 365, &m->day))
            return false;
    }
    if (**p == '/') {
        ++*p;
        return read_hms(p, &m->time_s);
    }
    return true;
}

static bool
read_rule(const char *text, struct zone *z)
{
    const char *p = text;
    int west;

    if (!skip_name(&p) || !read_hms(&p, &west))
        return false;
    z->standard_s = -west;
    z->has_rule = true;
    if (*p == '\0')
        return true;
    z->has_daylight = true;
    z->daylight_s = z->standard_s + 3600;
    if (!skip_name(&p))
        return false;
    if (*p != ',') {
        if (!read_hms(&p, &west))
            return false;
        z->daylight_s = -west;
    }
    return read_moment(&p, &z->start) && read_moment(&p, &z->end) && *p == '\0';
}

static bool
is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Day since the epoch on which m falls in that year. */
static int64_t
moment_day(const struct rule_moment *m, int year)
{
    int64_t first;
    int64_t next;
    int64_t day;

    if (m->kind != 'M') {
        first = date_to_days((struct date){year, 1, 1});
        if (m->kind == 'J') /* 1..365, the 29th of February is never counted */
            return first + m->day - 1 + (m->day >= 60 && is_leap(year));
        return first + m->day;
    }
    first = date_to_days((struct date){year, m->month, 1});
    next = m->month == 12 ? date_to_days((struct date){year + 1, 1, 1})
                          : date_to_days((struct date){year, m->month + 1, 1});
    day = first + (m->day - date_weekday(date_from_days(first)) % 7 + 7) % 7 + (m->week - 1) * 7;
    return day >= next ? day - 7 : day;
}

static int
rule_offset(const struct zone *z, int64_t s)
{
    int64_t local = s + z->standard_s;
    int64_t days = local >= 0 ? local / S_PER_DAY : -((-local + S_PER_DAY - 1) / S_PER_DAY);
    int year = date_from_days(days).year;
    int64_t on;
    int64_t off;
    bool is_daylight;

    if (!z->has_daylight)
        return z->standard_s;
    on = moment_day(&z->start, year) * S_PER_DAY + z->start.time_s - z->standard_s;
    off = moment_day(&z->end, year) * S_PER_DAY + z->end.time_s - z->daylight_s;
    is_daylight = on < off ? s >= on && s < off : s >= on || s < off;
    return is_daylight ? z->daylight_s : z->standard_s;
}

/* ---- the file ---- */

struct header {
    size_t isut, isstd, leap, times, types, chars;
};

static bool
read_header(const unsigned char *p, size_t n, struct header *h)
{
    if (n < 44 || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
        return false;
    h->isut = (uint32_t)big_i32(p + 20);
    h->isstd = (uint32_t)big_i32(p + 24);
    h->leap = (uint32_t)big_i32(p + 28);
    h->times = (uint32_t)big_i32(p + 32);
    h->types = (uint32_t)big_i32(p + 36);
    h->chars = (uint32_t)big_i32(p + 40);
    return h->times <= 10000 && h->types >= 1 && h->types <= 256 && h->chars <= 10000 &&
           h->leap <= 1000 && h->isut <= 256 && h->isstd <= 256;
}

static size_t
block_bytes(const struct header *h, size_t time_bytes)
{
    return h->times * (time_bytes + 1) + h->types * 6 + h->chars + h->leap * (time_bytes + 4) +
           h->isstd + h->isut;
}

static bool
parse_tzif(const unsigned char *p, size_t n, struct zone *z)
{
    struct header h;
    const unsigned char *types;
    char rule[128];
    size_t skip;
    size_t body;

    if (!read_header(p, n, &h))
        return false;
    skip = 44 + block_bytes(&h, 4);
    if (n < skip || !read_header(p + skip, n - skip, &h))
        return false;
    p += skip + 44;
    n -= skip + 44;
    body = block_bytes(&h, 8);
    if (n < body)
        return false;
    z->n_transitions = h.times;
    z->at_s = mem_alloc(h.times * sizeof *z->at_s);
    z->type = mem_alloc(h.times);
    types = p + h.times * 9;
    for (size_t i = 0; i < h.times; i++) {
        z->at_s[i] = big_i64(p + i * 8);
        z->type[i] = p[h.times * 8 + i];
        if (z->type[i] >= h.types || (i > 0 && z->at_s[i] <= z->at_s[i - 1]))
            return false;
    }
    for (size_t i = 0; i < h.types; i++)
        z->offsets_s[i] = big_i32(types + i * 6);
    z->first_offset_s = z->offsets_s[0];
    /* "\n<rule>\n" */
    if (n < body + 2 || p[body] != '\n' || p[n - 1] != '\n')
        return false;
    if (!slice_to_cstr(slice_of((const char *)p + body + 1, n - body - 2), rule, sizeof rule))
        return false;
    return rule[0] == '\0' || read_rule(rule, z);
}

static bool
is_zone_name(struct slice name)
{
    if (name.n == 0 || name.n > 64 || name.p[0] == '/' || slice_contains(name, SLICE("..")))
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '+' || c == '-' || c == '_' || c == '/'))
            return false;
    }
    return true;
}

enum err_code
zone_open(struct slice name, struct zone **out, struct err *err)
{
    struct buffer file = BUFFER_EMPTY;
    char path[FILE_PATH_MAX];
    struct zone *z;
    bool is_good = true;

    if (!is_zone_name(name))
        return err_set(err, ERR_INVALID, NULL, "not a time zone: \"%.*s\"",
                       (int)(name.n < 64 ? name.n : 64), name.p);
    z = mem_zalloc(sizeof *z);
    slice_to_cstr(name, z->name, sizeof z->name);
    if (!slice_is(name, "UTC")) {
        file_path(path, ZONE_FOLDER, z->name);
        is_good = file_read(path, ZONE_FILE_MAX, &file, NULL) == ERR_OK &&
                  parse_tzif((const unsigned char *)file.p, file.n, z);
        buffer_fini(&file);
    }
    if (!is_good) {
        err_set(err, ERR_INVALID, NULL, "no time zone \"%s\" on this system (like Asia/Jakarta)",
                z->name);
        zone_close(&z);
        return ERR_INVALID;
    }
    *out = z;
    return ERR_OK;
}

void
zone_close(struct zone **z)
{
    if (*z == NULL)
        return;
    free((*z)->at_s);
    free((*z)->type);
    free(*z);
    *z = NULL;
}

const char *
zone_name(const struct zone *z)
{
    return z->name;
}

static int64_t
floor_div(int64_t a, int64_t b)
{
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

static int
offset_at(const struct zone *z, int64_t s)
{
    size_t low = 0;
    size_t high = z->n_transitions;

    while (low < high) { /* the first transition after s */
        size_t middle = (low + high) / 2;

        if (z->at_s[middle] <= s)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == z->n_transitions && z->has_rule)
        return rule_offset(z, s);
    return low == 0 ? z->first_offset_s : z->offsets_s[z->type[low - 1]];
}

int
zone_offset_s(const struct zone *z, int64_t ms)
{
    return offset_at(z, floor_div(ms, 1000));
}

struct date
zone_date(const struct zone *z, int64_t ms)
{
    int64_t s = floor_div(ms, 1000);

    return date_from_days(floor_div(s + offset_at(z, s), S_PER_DAY));
}

int64_t
zone_day_start(const struct zone *z, struct date local_day)
{
    int64_t day = date_to_days(local_day);
    int64_t s = day * S_PER_DAY - 26 * S_PER_HOUR; /* surely the day before, in any zone */
    int64_t end = day * S_PER_DAY + 26 * S_PER_HOUR;

    /* Hour by hour: where the clock does not change the day's begin is known; where it does (put
     * back at 00:01 it leaves one minute of the new day before it) every second is tried. */
    while (s < end) {
        int offset = offset_at(z, s);
        int64_t begin = day * S_PER_DAY - offset;
        int64_t next = s + S_PER_HOUR;

        if (offset == offset_at(z, next)) {
            if (begin < next)
                return (begin > s ? begin : s) * 1000;
            s = next;
        } else {
            for (; s < next; s++)
                if (floor_div(s + offset_at(z, s), S_PER_DAY) >= day)
                    return s * 1000;
        }
    }
    return end * 1000;
}

char *
zone_format(const struct zone *z, int64_t ms, char dst[TIMESTAMP_TEXT_MAX])
{
    int offset = zone_offset_s(z, ms);
    int minutes = abs(offset) / 60;
    size_t n;

    timestamp_format(ms + offset * INT64_C(1000), true, dst);
    n = strlen(dst) - 1; /* over the Z */
    snprintf(dst + n, TIMESTAMP_TEXT_MAX - n, "%c%02d:%02d", offset < 0 ? '-' : '+', minutes / 60,
             minutes % 60);
    return dst;
}
