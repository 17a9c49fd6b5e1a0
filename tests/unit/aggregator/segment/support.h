/* What the tests of segments share: random events, the plain way to sort and drop repeats, and
 * comparing it with what files say. */
#ifndef TESTS_SEGMENT_SUPPORT_H
#define TESTS_SEGMENT_SUPPORT_H

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "aggregator/segment/merge.h"
#include "aggregator/segment/segment.h"
#include "aggregator/segment/writer.h"
#include "core/file.h"
#include "core/hash.h"

static const struct segment_owner test_owner = {
    .install_id = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
    .hash_seed = UINT64_C(0x0123456789abcdef),
};

#define JUNE_2026_MS INT64_C(1780272000000)
#define DAY_MS       INT64_C(86400000)

/* ---- random numbers ---- */

struct random {
    uint64_t state;
};

static inline uint64_t
random_next(struct random *r)
{
    uint64_t z = (r->state += UINT64_C(0x9e3779b97f4a7c15)); /* splitmix64 */

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline uint32_t
random_below(struct random *r, uint32_t n)
{
    return (uint32_t)(random_next(r) % n);
}

/* ---- events ---- */

/* Text attributes that there were when the golden files were written; later ones are columns like
 * these. */
#define WORLD_TEXTS 27

/* How many of each there are to choose from. */
struct world {
    uint32_t n_sites;
    uint32_t n_visitors;
    uint32_t n_ids;
    uint32_t n_texts;
    uint32_t n_keys;
    int64_t time_from_ms;
    uint32_t time_span_s;
    uint32_t sparse; /* a built-in attribute is set once in so many events, or less */
};

static inline void
random_event(struct random *r, const struct world *w, struct arena *a, struct event *e)
{
    *e = (struct event){
        .site = 1 + random_below(r, w->n_sites),
        .flags = random_below(r, 4) == 0 ? EVENT_BOT | EVENT_DRIVER : 0,
        .origin = random_below(r, 5),
        .time_ms = w->time_from_ms + (int64_t)random_below(r, w->time_span_s) * 1000 +
                   (random_below(r, 3) ? 0 : random_below(r, 1000)),
        .visitor = arena_printf(a, "v%u", random_below(r, w->n_visitors)),
        .id = arena_printf(a, "i%u", random_below(r, w->n_ids)),
    };
    if (random_below(r, 4) == 0) { /* like the id of an event that was given none */
        struct hash128 h = hash128(e->id);
        char id[EVENT_CONTENT_ID_BYTES] = {EVENT_CONTENT_ID};

        memcpy(id + 1, &h, sizeof h);
        e->id = arena_copy(a, slice_of(id, sizeof id));
    }
    e->text[TEXT_EVENT] = arena_printf(a, "e%u", random_below(r, 5));
    for (uint32_t i = 0; i < WORLD_TEXTS; i++)
        if (i != TEXT_EVENT && random_below(r, 1 + i * w->sparse) == 0)
            e->text[i] = arena_printf(a, "%s %u", event_text_name((enum event_text)i),
                                      random_below(r, w->n_texts));
    for (uint32_t i = 0; i < NUMBER_COUNT; i++)
        if (random_below(r, 1 + i * w->sparse) == 0)
            event_set_number(e, (enum event_number)i,
                             random_below(r, 50) == 0 ? (int64_t)random_next(r)
                                                      : (int64_t)random_below(r, 5000) - 100);
    if (w->n_keys == 0)
        return;
    e->properties = ARENA_ARRAY(a, struct event_property, w->n_keys);
    for (uint32_t k = 0; k < w->n_keys; k++)
        if (random_below(r, w->n_keys * 2) == 0)
            e->properties[e->n_properties++] = (struct event_property){
                arena_printf(a, "k%03u", k),
                arena_printf(a, "%u", random_below(r, w->n_texts)),
            };
}

/* Like a shop's: most of what an event says follows from its url, its kind, its visitor or the
 * event before, and now and then it does not. */
static inline void
likely_event(struct random *r, uint32_t i, struct arena *a, struct event *e)
{
    static const char *const kinds[] = {"pageview", "pageview", "engage", "sale"};
    uint32_t visitor = i / 5;
    uint32_t page = random_below(r, 60);
    const char *kind = kinds[random_below(r, 4)];
    bool is_odd = random_below(r, 40) == 0;
    uint32_t place = is_odd ? random_below(r, 90) : visitor * 7 % 90;

    *e = (struct event){
        .site = 1,
        .origin = ORIGIN_IMPORT,
        .time_ms = JUNE_2026_MS + (int64_t)random_below(r, 2000000) * 1000,
        .visitor = arena_printf(a, "v%u", visitor),
        .id = arena_printf(a, "i%u", i),
    };
    e->text[TEXT_EVENT] = slice_from(kind);
    e->text[TEXT_URL] = arena_printf(a, "https://shop.example/p%u?x=%u", page, page % 7);
    e->text[TEXT_HOST] = SLICE("shop.example");
    e->text[TEXT_PATH] = arena_printf(a, "/p%u", page + (is_odd ? 1 : 0));
    e->text[TEXT_QUERY] = arena_printf(a, "x=%u", page % 7);
    e->text[TEXT_CITY] = arena_printf(a, "city %u", place);
    e->text[TEXT_REGION] = arena_printf(a, "region %u", place / 3);
    e->text[TEXT_COUNTRY] = arena_printf(a, "C%u", place / 9);
    e->text[TEXT_DEVICE] = visitor % 5 == 0 ? SLICE_EMPTY : SLICE("mobile");
    if (kind[0] == 'p' || is_odd) {
        e->text[TEXT_TITLE] = arena_printf(a, "Page %u", page);
        event_set_number(e, NUMBER_LOAD_MS, random_below(r, 3000));
    }
    if (kind[0] == 's') {
        e->text[TEXT_CURRENCY] = SLICE("USD");
        event_set_number(e, NUMBER_VALUE, random_below(r, 100000));
    }
    if (i % 4 != 0) { /* was given none */
        unsigned char *id = arena_alloc(a, EVENT_CONTENT_ID_BYTES);

        event_content_id(e, id);
        e->id = slice_of((const char *)id, EVENT_CONTENT_ID_BYTES);
    }
}

static inline struct event *
likely_events(struct random *r, size_t n, struct arena *a)
{
    struct event *events = ARENA_ARRAY(a, struct event, n);

    for (size_t i = 0; i < n; i++)
        likely_event(r, (uint32_t)i, a, &events[i]);
    return events;
}

static inline struct event *
random_events(struct random *r, const struct world *w, size_t n, struct arena *a)
{
    struct event *events = ARENA_ARRAY(a, struct event, n);

    for (size_t i = 0; i < n; i++)
        random_event(r, w, a, &events[i]);
    return events;
}

static inline void
assert_slices(struct slice a, struct slice b)
{
    assert_int_equal(a.n, b.n);
    if (a.n > 0)
        assert_memory_equal(a.p, b.p, a.n);
}

static inline void
assert_events(const struct event *a, const struct event *b)
{
    assert_int_equal(a->site, b->site);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->origin, b->origin);
    assert_int_equal(a->time_ms, b->time_ms);
    assert_slices(a->visitor, b->visitor);
    assert_slices(a->id, b->id);
    for (int i = 0; i < TEXT_COUNT; i++)
        assert_slices(a->text[i], b->text[i]);
    assert_int_equal(a->numbers_set, b->numbers_set);
    for (int i = 0; i < NUMBER_COUNT; i++)
        if (event_has_number(a, (enum event_number)i))
            assert_int_equal(a->number[i], b->number[i]);
    assert_int_equal(a->n_properties, b->n_properties);
    for (uint32_t i = 0; i < a->n_properties; i++) {
        assert_slices(a->properties[i].key, b->properties[i].key);
        assert_slices(a->properties[i].value, b->properties[i].value);
    }
}

/* ---- the plain way: what files of these events must say ---- */

static inline int
compare_whole(const void *x, const void *y, bool by_id)
{
    const struct event *a = x;
    const struct event *b = y;
    uint64_t hash_a = segment_visitor_hash(&test_owner, a->visitor);
    uint64_t hash_b = segment_visitor_hash(&test_owner, b->visitor);
    int order;

    if (a->site != b->site)
        return a->site < b->site ? -1 : 1;
    if (hash_a != hash_b)
        return hash_a < hash_b ? -1 : 1;
    order = slice_compare(a->visitor, b->visitor);
    if (order == 0 && by_id)
        order = slice_compare(a->id, b->id);
    if (order != 0)
        return order;
    if (by_id)
        return segment_repeat_compare(a, b);
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    return slice_compare(a->id, b->id);
}

static inline int
compare_by_id(const void *x, const void *y)
{
    return compare_whole(x, y, true);
}

static inline int
compare_by_time(const void *x, const void *y)
{
    return compare_whole(x, y, false);
}

/* Sort, drop repeats, in place; returns how many stay. */
static inline size_t
settle_events(struct event *events, size_t n)
{
    size_t n_kept = 0;

    qsort(events, n, sizeof *events, compare_by_id);
    for (size_t i = 0; i < n; i++)
        if (n_kept == 0 || events[n_kept - 1].site != events[i].site ||
            !slice_equal(events[n_kept - 1].visitor, events[i].visitor) ||
            !slice_equal(events[n_kept - 1].id, events[i].id))
            events[n_kept++] = events[i];
    qsort(events, n_kept, sizeof *events, compare_by_time);
    return n_kept;
}

/* ---- files ---- */

/* Ends with remove_folder. */
static inline char *
test_folder(void)
{
    char *dir = mem_cstr(SLICE("/tmp/segment-test-XXXXXX"));

    assert_non_null(mkdtemp(dir));
    return dir;
}

static inline size_t
count_files(const char *dir)
{
    DIR *d = opendir(dir);
    size_t n = 0;

    assert_non_null(d);
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        n += e->d_name[0] != '.' || (e->d_name[1] != '\0' && e->d_name[1] != '.');
    closedir(d);
    return n;
}

static inline void
remove_folder(char *dir)
{
    DIR *d = opendir(dir);
    char path[FILE_PATH_MAX];

    assert_non_null(d);
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        file_path(path, dir, e->d_name);
        unlink(path);
    }
    closedir(d);
    assert_int_equal(rmdir(dir), 0);
    free(dir);
}

static inline struct segment *
open_file(const char *dir, const char *name)
{
    char path[FILE_PATH_MAX];
    struct segment *s = NULL;
    struct err err = ERR_NONE;

    file_path(path, dir, name);
    if (segment_open(path, &test_owner, &s, &err) != ERR_OK)
        fail_msg("%s: %s", name, err.message);
    return s;
}

static inline void
write_events(const struct event *events, size_t n, const char *dir, struct arena *a,
             struct segment_file **files, size_t *n_files)
{
    struct segment_builder *b = segment_builder_create(&test_owner);
    struct err err = ERR_NONE;

    for (size_t i = 0; i < n; i++)
        if (segment_builder_add(b, &events[i], &err) != ERR_OK)
            fail_msg("%s", err.message);
    if (segment_builder_write(b, dir, a, files, n_files, &err) != ERR_OK)
        fail_msg("%s", err.message);
    segment_builder_destroy(&b);
}

/* The segment says exactly these events, in this order. */
static inline void
assert_segment(const struct segment *s, const struct event *events, size_t n)
{
    struct segment_cursor *c = segment_cursor_create(s);
    struct err err = ERR_NONE;
    struct arena a;
    struct event e;

    arena_init(&a, 65536);
    assert_int_equal(segment_info(s)->n_rows, n);
    for (uint32_t row = 0; row < n; row++) {
        if (segment_cursor_event(c, row, &a, &e, &err) != ERR_OK)
            fail_msg("row %u: %s", row, err.message);
        assert_events(&e, &events[row]);
        arena_reset(&a);
    }
    if (segment_check(s, &err) != ERR_OK)
        fail_msg("%s", err.message);
    arena_fini(&a);
    segment_cursor_destroy(&c);
}

/* Write the events as n_parts flushes, at random, and open them: n_out files in *out (arena). */
static inline struct segment **
write_flushes(struct random *r, const struct event *events, size_t n, uint32_t n_parts,
              const char *dir, struct arena *a, size_t *n_out)
{
    struct segment **out = NULL;
    struct event *some = ARENA_ARRAY(a, struct event, n + 1);
    uint32_t *part_of = ARENA_ARRAY(a, uint32_t, n + 1);

    *n_out = 0;
    for (size_t i = 0; i < n; i++)
        part_of[i] = random_below(r, n_parts);
    for (uint32_t part = 0; part < n_parts; part++) {
        struct segment_file *files;
        size_t n_files;
        size_t n_some = 0;
        struct segment **more;

        for (size_t i = 0; i < n; i++)
            if (part_of[i] == part)
                some[n_some++] = events[i];
        write_events(some, n_some, dir, a, &files, &n_files);
        more = ARENA_ARRAY(a, struct segment *, *n_out + n_files + 1);
        if (*n_out > 0)
            memcpy(more, out, *n_out * sizeof *more);
        out = more;
        for (size_t i = 0; i < n_files; i++)
            out[(*n_out)++] = open_file(dir, files[i].name);
    }
    return out;
}

#endif
