/* The builder: events in as rows of codes, and a row as the event it was. In which order they are
 * written is writer_sort.c's. */
#include "aggregator/segment/writer.h"

#include <stdlib.h>

#include "aggregator/segment/writer_int.h"

#define TIME_MAX_MS   INT64_C(253402300800000) /* the year 10000 */
#define ARENA_BYTES   (256 * 1024)
#define NUMBERS_KNOWN ((1u << NUMBER_COUNT) - 1)

struct segment_builder *
segment_builder_create(const struct segment_owner *owner)
{
    struct segment_builder *b = mem_zalloc(sizeof *b);

    b->owner = *owner;
    b->n_slots_max = TEXT_COUNT;
    b->slots = mem_zalloc(b->n_slots_max * sizeof *b->slots);
    arena_init(&b->arena, ARENA_BYTES);
    return b;
}

void
segment_builder_reset(struct segment_builder *b)
{
    for (uint32_t i = 0; i < TEXT_COUNT + b->keys.n; i++)
        segment__texts_fini(&b->slots[i]);
    segment__texts_fini(&b->visitors);
    segment__texts_fini(&b->keys);
    free(b->rows);
    b->rows = NULL;
    b->n_rows = 0;
    b->n_rows_max = 0;
    arena_reset(&b->arena);
}

void
segment_builder_destroy(struct segment_builder **builder)
{
    struct segment_builder *b = *builder;

    if (b == NULL)
        return;
    segment_builder_reset(b);
    arena_fini(&b->arena);
    free(b->slots);
    free(b);
    *builder = NULL;
}

uint32_t
segment_builder_rows(const struct segment_builder *b)
{
    return b->n_rows;
}

size_t
segment_builder_bytes(const struct segment_builder *b)
{
    return b->arena.used_bytes + b->n_rows_max * sizeof *b->rows;
}

/* ---- adding ---- */

/* As large as the longest text, or a bit larger. */
static size_t
texts_bits(const struct event *e)
{
    size_t bits = 0;

    for (int i = 0; i < TEXT_COUNT; i++)
        bits |= e->text[i].n;
    return bits;
}

static enum err_code
check_event(const struct segment_builder *b, const struct event *e, struct err *err)
{
    if (e->visitor.n == 0 || e->visitor.n > FORMAT_COLD_STRING_MAX)
        return err_set(err, ERR_INVALID, "visitor", "a visitor has 1 to 65535 bytes");
    if (e->id.n == 0 || e->id.n > FORMAT_COLD_STRING_MAX)
        return err_set(err, ERR_INVALID, "id", "an id has 1 to 65535 bytes");
    if (e->text[TEXT_EVENT].n == 0)
        return err_set(err, ERR_INVALID, "event", "an event has a name");
    if (e->time_ms < 0 || e->time_ms >= TIME_MAX_MS)
        return err_set(err, ERR_INVALID, "time", "a time is in 1970..9999");
    if ((e->numbers_set & ~NUMBERS_KNOWN) != 0)
        return err_set(err, ERR_INVALID, NULL, "a number that nobody knows");
    for (int i = 0; texts_bits(e) > EVENT_ENCODED_MAX && i < TEXT_COUNT; i++)
        if (e->text[i].n > EVENT_ENCODED_MAX)
            return err_set(err, ERR_INVALID, event_text_name((enum event_text)i),
                           "a text has at most %d bytes", EVENT_ENCODED_MAX);
    for (uint32_t i = 0; i < e->n_properties; i++) {
        const struct event_property *p = &e->properties[i];

        if (p->key.n == 0 || p->key.n > EVENT_ENCODED_MAX || p->value.n > EVENT_ENCODED_MAX ||
            (i > 0 && slice_compare(p[-1].key, p->key) >= 0))
            return err_set(err, ERR_INVALID, "properties", "keys ascend and are never empty");
    }
    if (b->n_rows == SEGMENT_ROWS_MAX)
        return err_set(err, ERR_LIMIT, NULL, "a segment has at most %u events", SEGMENT_ROWS_MAX);
    return ERR_OK;
}

static uint32_t
property_slot(struct segment_builder *b, struct slice key)
{
    uint32_t slot = TEXT_COUNT + segment__texts_code(&b->keys, &b->arena, key);

    if (slot >= b->n_slots_max) {
        uint32_t n_max = b->n_slots_max * 2;

        b->slots = mem_realloc(b->slots, n_max * sizeof *b->slots);
        memset(b->slots + b->n_slots_max, 0, (n_max - b->n_slots_max) * sizeof *b->slots);
        b->n_slots_max = n_max;
    }
    return slot;
}

/* The codes of the texts that are set; returns what is behind them. */
static uint32_t *
add_texts(struct segment_builder *b, const struct event *e, uint32_t texts_set, uint32_t *codes)
{
    uint32_t *code = codes;
    uint32_t unknown = 0;

    for (uint32_t bits = texts_set; bits != 0; bits &= bits - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(bits);

        if (!segment__texts_seek(&b->slots[i], e->text[i], code++))
            unknown |= 1u << i;
    }
    code = codes;
    for (uint32_t bits = texts_set; bits != 0; bits &= bits - 1, code++) {
        uint32_t i = (uint32_t)__builtin_ctz(bits);

        if (unknown >> i & 1)
            *code = segment__texts_find(&b->slots[i], &b->arena, e->text[i], *code);
    }
    return code;
}

/* What an event has beside its row; see segment__row. */
static void
add_contents(struct segment_builder *b, const struct event *e, struct segment__row *row)
{
    uint32_t n_codes;
    uint32_t *codes;
    int64_t *numbers;
    size_t n_numbers = (size_t)__builtin_popcount(e->numbers_set);

    for (uint32_t i = 0; i < TEXT_COUNT; i++)
        row->texts_set |= (uint32_t)(e->text[i].n > 0) << i;
    n_codes = (uint32_t)__builtin_popcount(row->texts_set);
    for (uint32_t i = 0; i < e->n_properties; i++)
        row->n_properties += e->properties[i].value.n > 0;
    n_codes += 2 * row->n_properties;
    numbers =
        arena_alloc(&b->arena, n_numbers * sizeof *numbers + n_codes * sizeof *codes + e->id.n);
    row->numbers_set = e->numbers_set;
    row->numbers = numbers;
    for (int i = 0; i < NUMBER_COUNT; i++)
        if (event_has_number(e, (enum event_number)i))
            *numbers++ = e->number[i];
    codes = add_texts(b, e, row->texts_set, (uint32_t *)numbers);
    for (uint32_t i = 0; i < e->n_properties; i++)
        if (e->properties[i].value.n > 0) {
            uint32_t slot = property_slot(b, e->properties[i].key);

            *codes++ = slot;
            *codes++ = segment__texts_code(&b->slots[slot], &b->arena, e->properties[i].value);
        }
    row->id_bytes = (uint16_t)e->id.n;
    memcpy(codes, e->id.p, e->id.n);
}

/* What a reader would make of the event anew. */
static bool
has_content_id(const struct event *e)
{
    unsigned char id[EVENT_CONTENT_ID_BYTES];

    if (event_id_is_given(e->id))
        return false;
    event_content_id(e, id);
    return slice_equal(e->id, slice_of((const char *)id, sizeof id));
}

enum err_code
segment_builder_add(struct segment_builder *b, const struct event *e, struct err *err)
{
    enum err_code rc = check_event(b, e, err);
    struct segment__row *row;
    uint32_t visitor;
    bool is_known;
    uint64_t hash;

    if (rc != ERR_OK)
        return rc;
    hash = segment_visitor_hash(&b->owner, e->visitor);
    is_known = segment__texts_seek_hashed(&b->visitors, e->visitor, (uint32_t)hash, &visitor);
    if (b->n_rows == b->n_rows_max) {
        b->n_rows_max = b->n_rows_max == 0 ? 256 : b->n_rows_max * 2;
        b->rows = mem_realloc(b->rows, b->n_rows_max * sizeof *b->rows);
    }
    row = &b->rows[b->n_rows];
    *row = (struct segment__row){
        .hash = hash,
        .time_ms = e->time_ms,
        .site = e->site,
        .flags = e->flags,
        .origin = e->origin,
        .is_content_id = has_content_id(e),
    };
    add_contents(b, e, row);
    if (!is_known) /* last, as it is far away where visitors are many */
        visitor = segment__texts_find(&b->visitors, &b->arena, e->visitor, visitor);
    row->visitor = visitor;
    b->n_rows++;
    return ERR_OK;
}

/* ---- rows ---- */

int
segment__row_compare_visitors(const struct segment_builder *b, const struct segment__row *x,
                              const struct segment__row *y)
{
    if (x->visitor == y->visitor)
        return 0;
    return slice_compare(b->visitors.values[x->visitor], b->visitors.values[y->visitor]);
}

void
segment__row_event(const struct segment_builder *b, const struct segment__row *row,
                   struct event_property *properties, struct event *out)
{
    const int64_t *number = row->numbers;
    const uint32_t *code = segment__row_codes(row);

    *out = (struct event){
        .site = row->site,
        .flags = row->flags,
        .origin = row->origin,
        .time_ms = row->time_ms,
        .visitor = b->visitors.values[row->visitor],
        .id = segment__row_id(row),
        .properties = properties,
    };
    for (int i = 0; i < NUMBER_COUNT; i++)
        if (row->numbers_set >> i & 1)
            event_set_number(out, (enum event_number)i, *number++);
    for (uint32_t i = 0; i < TEXT_COUNT; i++)
        if (row->texts_set >> i & 1)
            out->text[i] = b->slots[i].values[*code++];
    for (; out->n_properties < row->n_properties; code += 2)
        properties[out->n_properties++] = (struct event_property){
            b->keys.values[code[0] - TEXT_COUNT],
            b->slots[code[0]].values[code[1]],
        };
}

bool
segment_builder_next_with(const struct segment_builder *b, enum event_text text, uint32_t *at,
                          struct arena *a, struct event *out)
{
    if (b->slots[text].n == 0) /* nearly always */
        *at = b->n_rows;
    for (; *at < b->n_rows; ++*at) {
        const struct segment__row *row = &b->rows[*at];

        if ((row->texts_set >> text & 1) == 0)
            continue;
        segment__row_event(b, row, ARENA_ARRAY(a, struct event_property, row->n_properties), out);
        ++*at;
        return true;
    }
    return false;
}

void
segment_builder_leave_out(struct segment_builder *b, const struct segment_erased_site *sites,
                          size_t n)
{
    b->erased = sites;
    b->n_erased = n;
}

uint32_t
segment_builder_left_out(const struct segment_builder *b)
{
    return b->n_left_out;
}
