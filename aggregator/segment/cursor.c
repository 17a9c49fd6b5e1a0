/* Cursors: ids, visitors and whole events; finding a visitor; which of two repeats stays. */
#include <stdlib.h>

#include "aggregator/segment/segment_int.h"
#include "core/codec.h"

#define ARENA_BYTES 4096

struct segment_cursor {
    const struct segment *segment;
    struct segment__cold visitors;
    struct segment__cold ids;
    bool is_given_open;
    struct segment_column given; /* rows that have one of these ids */
    struct arena arena;          /* of an event whose id is made */
    unsigned char content_id[EVENT_CONTENT_ID_BYTES];
    bool are_columns_open;
    struct segment_column time;
    struct segment_column flags;
    struct segment_column origin;
    struct segment_column texts[TEXT_COUNT];
    struct segment_column numbers[NUMBER_COUNT];
    struct segment_column *properties; /* segment_property_count of them */
};

struct segment_cursor *
segment_cursor_create(const struct segment *s)
{
    struct segment_cursor *c = mem_zalloc(sizeof *c);

    c->segment = s;
    segment__cold_init(&c->visitors, s, BLOCK_RUN_VISITOR);
    if (segment__find(s, BLOCK_ID, 0) != NULL)
        segment__cold_init(&c->ids, s, BLOCK_ID);
    arena_init(&c->arena, ARENA_BYTES);
    return c;
}

void
segment_cursor_destroy(struct segment_cursor **cursor)
{
    struct segment_cursor *c = *cursor;

    if (c == NULL)
        return;
    segment__cold_fini(&c->visitors);
    segment__cold_fini(&c->ids);
    arena_fini(&c->arena);
    free(c->properties);
    free(c);
    *cursor = NULL;
}

enum err_code
segment_cursor_visitor(struct segment_cursor *c, uint32_t run, struct slice *out, struct err *err)
{
    return segment__cold_read(&c->visitors, run, out, err);
}

enum err_code
segment_cursor_is_same(struct segment_cursor *a, uint32_t run_a, struct segment_cursor *b,
                       uint32_t run_b, bool *out, struct err *err)
{
    return segment__cold_compare(&a->visitors, run_a, &b->visitors, run_b, out, err);
}

static enum err_code
open_columns(struct segment_cursor *c, struct err *err)
{
    const struct segment *s = c->segment;
    uint32_t n_keys = segment_property_count(s);
    enum err_code rc = segment_time_open(s, &c->time, err);

    if (rc == ERR_OK)
        rc = segment_flags_open(s, &c->flags, err);
    if (rc == ERR_OK)
        rc = segment_origin_open(s, &c->origin, err);
    for (int i = 0; rc == ERR_OK && i < TEXT_COUNT; i++)
        rc = segment_text_open(s, (enum event_text)i, &c->texts[i], err);
    for (int i = 0; rc == ERR_OK && i < NUMBER_COUNT; i++)
        rc = segment_number_open(s, (enum event_number)i, &c->numbers[i], err);
    if (c->properties == NULL)
        c->properties = mem_zalloc((n_keys + (size_t)1) * sizeof *c->properties);
    for (uint32_t i = 0; rc == ERR_OK && i < n_keys; i++)
        rc = segment__text_open(s, BLOCK_PROPERTY, i, &c->properties[i], err);
    c->are_columns_open = rc == ERR_OK;
    return rc;
}

static int64_t
value_at(const struct segment_column *c, uint32_t row, bool *is_set)
{
    int64_t value;

    segment_values(c, row, 1, &value, is_set);
    return value;
}

static struct slice
text_at(const struct segment_column *c, uint32_t row)
{
    uint32_t code;

    segment_codes(c, row, 1, &code);
    return segment_text_value(c, code);
}

static void
read_properties(const struct segment_cursor *c, uint32_t row, struct arena *a, struct event *e)
{
    uint32_t n_keys = segment_property_count(c->segment);
    uint32_t n = 0;
    uint32_t code;

    for (uint32_t i = 0; i < n_keys; i++) {
        segment_codes(&c->properties[i], row, 1, &code);
        n += code != 0;
    }
    if (n == 0)
        return;
    e->properties = ARENA_ARRAY(a, struct event_property, n);
    for (uint32_t i = 0; i < n_keys && e->n_properties < n; i++) {
        struct slice value = text_at(&c->properties[i], row);

        if (value.n > 0)
            e->properties[e->n_properties++] =
                (struct event_property){segment_property_key(c->segment, i), value};
    }
}

/* The site whose runs hold the run. */
static uint32_t
site_of_run(const struct segment *s, uint32_t run)
{
    uint32_t low = 0;
    uint32_t high = s->info.n_sites;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (s->sites[middle].run_begin <= run)
            low = middle;
        else
            high = middle;
    }
    return s->sites[low].site;
}

/* All but visitor and id. */
static enum err_code
read_event(struct segment_cursor *c, uint32_t row, struct arena *a, struct event *out,
           struct err *err)
{
    enum err_code rc = c->are_columns_open ? ERR_OK : open_columns(c, err);

    if (rc != ERR_OK)
        return rc;
    *out = (struct event){
        .flags = (uint32_t)value_at(&c->flags, row, NULL),
        .origin = (uint32_t)value_at(&c->origin, row, NULL),
        .time_ms = value_at(&c->time, row, NULL),
    };
    for (int i = 0; i < TEXT_COUNT; i++)
        out->text[i] = text_at(&c->texts[i], row);
    for (int i = 0; i < NUMBER_COUNT; i++) {
        bool is_set;
        int64_t value = value_at(&c->numbers[i], row, &is_set);

        if (is_set)
            event_set_number(out, (enum event_number)i, value);
    }
    read_properties(c, row, a, out);
    return ERR_OK;
}

/* ---- ids ---- */

static enum err_code
open_given(struct segment_cursor *c, struct err *err)
{
    enum err_code rc = ERR_OK;

    if (!c->is_given_open)
        rc = segment__given_open(c->segment, &c->given, err);
    c->is_given_open = rc == ERR_OK;
    return rc;
}

enum err_code
segment_cursor_given(struct segment_cursor *c, uint32_t row, uint32_t n, uint32_t *at,
                     uint32_t *out_n, struct err *err)
{
    enum err_code rc = open_given(c, err);

    *out_n = rc == ERR_OK ? segment_set_rows(&c->given, row, n, at) : 0;
    return rc;
}

enum err_code
segment_cursor_id_is_content(struct segment_cursor *c, uint32_t row, bool *out, struct err *err)
{
    enum err_code rc = open_given(c, err);
    uint32_t ignored;

    if (rc == ERR_OK)
        *out = !segment__value_index(&c->given, row, &ignored);
    return rc;
}

enum err_code
segment_cursor_id(struct segment_cursor *c, uint32_t row, struct slice *out, struct err *err)
{
    enum err_code rc = open_given(c, err);
    struct event event;
    uint32_t index;

    if (rc != ERR_OK)
        return rc;
    if (segment__value_index(&c->given, row, &index))
        return segment__cold_read(&c->ids, index, out, err);
    arena_reset(&c->arena);
    rc = read_event(c, row, &c->arena, &event, err);
    if (rc != ERR_OK)
        return rc;
    event_content_id(&event, c->content_id);
    *out = slice_of((const char *)c->content_id, sizeof c->content_id);
    return ERR_OK;
}

enum err_code
segment_cursor_event(struct segment_cursor *c, uint32_t row, struct arena *a, struct event *out,
                     struct err *err)
{
    uint32_t run = segment_run_of_row(c->segment, row);
    struct slice visitor;
    struct slice id = SLICE_EMPTY;
    bool is_content;
    enum err_code rc = segment_cursor_visitor(c, run, &visitor, err);

    if (rc == ERR_OK)
        rc = segment_cursor_id_is_content(c, row, &is_content, err);
    if (rc == ERR_OK && !is_content)
        rc = segment_cursor_id(c, row, &id, err);
    if (rc == ERR_OK)
        rc = read_event(c, row, a, out, err);
    if (rc != ERR_OK)
        return rc;
    if (is_content) {
        event_content_id(out, c->content_id);
        id = slice_of((const char *)c->content_id, sizeof c->content_id);
    }
    out->site = site_of_run(c->segment, run);
    out->visitor = arena_copy(a, visitor);
    out->id = arena_copy(a, id);
    return ERR_OK;
}

enum err_code
segment_find_visitor(struct segment_cursor *c, uint32_t site, struct slice visitor,
                     uint32_t *out_run, struct err *err)
{
    const struct segment *s = c->segment;
    const struct segment_site *place = segment_find_site(s, site);
    uint64_t hash = segment_visitor_hash(&s->owner, visitor);
    struct slice other;

    if (place != NULL) {
        uint32_t run = segment_seek_run(s, place, hash);

        for (; run < place->run_end && s->run_hashes[run] == hash; run++) {
            enum err_code rc = segment_cursor_visitor(c, run, &other, err);

            if (rc != ERR_OK)
                return rc;
            if (slice_equal(visitor, other)) {
                *out_run = run;
                return ERR_OK;
            }
        }
    }
    return err_set(err, ERR_NOT_FOUND, "visitor", "the visitor has no events here");
}

/* ---- repeats ---- */

int
segment_repeat_compare(const struct event *a, const struct event *b)
{
    struct buffer bytes_a = BUFFER_EMPTY;
    struct buffer bytes_b = BUFFER_EMPTY;
    int order;

    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    (void)codec_encode(&bytes_a, a, NULL);
    (void)codec_encode(&bytes_b, b, NULL);
    order = slice_compare(buffer_slice(&bytes_a), buffer_slice(&bytes_b));
    buffer_fini(&bytes_a);
    buffer_fini(&bytes_b);
    return order;
}
