/* From columns to masks. What is not here: visitors, paths. */
#include "aggregator/scan_int.h"

#include <assert.h>
#include <stdlib.h>

/* ---- Opening: tests over dictionaries ---- */

static void
set_leaf(const struct scan *s, uint64_t *words, int leaf)
{
    if (s->is_direct) {
        struct masks m = matcher_leaf_masks(s->matcher, leaf);

        words[0] |= (uint64_t)m.stages | (uint64_t)m.conditions << DIRECT_CONDITIONS |
                    (uint64_t)m.exclusions << DIRECT_EXCLUSIONS;
    } else {
        words[leaf / 64] |= 1ULL << (leaf % 64);
    }
}

static bool
is_same_attribute(const struct attribute *a, const struct attribute *b)
{
    return a->source == b->source && a->code == b->code && slice_equal(a->key, b->key);
}

static struct scan_column *
find_column(struct scan *s, const struct attribute *attribute)
{
    struct scan_column *c;

    for (int i = 0; i < s->n_columns; i++)
        if (is_same_attribute(&s->columns[i].attribute, attribute))
            return &s->columns[i];
    c = &s->columns[s->n_columns++];
    c->attribute = *attribute;
    return c;
}

static enum err_code
test_text(struct scan *s, struct scan_column *c, struct slice value, uint64_t *words,
          struct err *err)
{
    for (int i = 0; i < c->n_leaves; i++) {
        const struct leaf *leaf = matcher_leaf(s->matcher, c->leaves[i]);
        bool holds = false;
        enum err_code rc = leaf_text(leaf, s->setup.scratch, value, &holds, err);

        if (rc != ERR_OK)
            return rc;
        if (holds)
            set_leaf(s, words, c->leaves[i]);
    }
    return ERR_OK;
}

static enum err_code
test_dictionary(struct scan *s, struct scan_column *c, struct err *err)
{
    size_t n_words = c->column.n_codes * s->width;
    uint64_t *words = ARENA_ARRAY(&s->arena, uint64_t, n_words);
    enum err_code rc = ERR_OK;

    for (uint32_t code = 1; rc == ERR_OK && code < c->column.n_codes; code++) {
        struct slice text =
            matcher_text(s->matcher, &c->attribute, segment_text_value(&c->column, code));

        if (text.n != 0)
            rc = test_text(s, c, text, words + code * s->width, err);
    }
    c->words = words;
    c->is_idle = true;
    for (size_t i = 0; i < n_words && c->is_idle; i++)
        c->is_idle = words[i] == 0;
    return rc;
}

static enum err_code
open_derived(struct scan *s, const struct segment *segment, struct scan_column *c, struct err *err)
{
    uint64_t *words;
    enum err_code rc;

    /* the path, of a landing that of the event which gives it */
    if (c->attribute.code == DERIVED_LANDING || c->attribute.code == DERIVED_PAGE_GROUP) {
        rc = segment_text_open(segment, TEXT_PATH, &c->column, err);
        return rc == ERR_OK ? test_dictionary(s, c, err) : rc;
    }
    assert(c->attribute.code == DERIVED_BOT);
    c->kind = SCAN_BOT;
    words = ARENA_ARRAY(&s->arena, uint64_t, 2 * s->width);
    c->words = words;
    rc = test_text(s, c, SLICE("false"), words, err);
    return rc == ERR_OK ? test_text(s, c, SLICE("true"), words + s->width, err) : rc;
}

static enum err_code
open_column(struct scan *s, const struct segment *segment, struct scan_column *c, struct err *err)
{
    enum err_code rc;

    switch (c->attribute.source) {
    case SOURCE_TEXT:
        rc = segment_text_open(segment, (enum event_text)c->attribute.code, &c->column, err);
        break;
    case SOURCE_PROPERTY:
        rc = segment_property_open(segment, c->attribute.key, &c->column, err);
        break;
    case SOURCE_NUMBER:
        c->kind = SCAN_NUMBER;
        return segment_number_open(segment, (enum event_number)c->attribute.code, &c->column, err);
    case SOURCE_DERIVED:
    default:
        return open_derived(s, segment, c, err);
    }
    c->kind = SCAN_TEXT;
    return rc == ERR_OK ? test_dictionary(s, c, err) : rc;
}

static enum err_code
open_columns(struct scan *s, const struct segment *segment, struct err *err)
{
    int n_leaves = matcher_n_leaves(s->matcher);
    enum err_code rc = ERR_OK;

    s->columns = ARENA_ARRAY(&s->arena, struct scan_column, (size_t)n_leaves + 1);
    for (int i = 0; i < n_leaves; i++) {
        const struct attribute *attribute = leaf_attribute(matcher_leaf(s->matcher, i));
        struct scan_column *c;

        if (matcher_part_of(attribute) == PART_ENTRANCE)
            continue; /* no column knows */
        c = find_column(s, attribute);
        c->leaves[c->n_leaves++] = i;
    }
    for (int i = 0; rc == ERR_OK && i < s->n_columns; i++)
        rc = open_column(s, segment, &s->columns[i], err);
    if (rc == ERR_OK)
        rc = segment_time_open(segment, &s->time, err);
    if (rc == ERR_OK)
        rc = segment_flags_open(segment, &s->flags, err);
    if (rc == ERR_OK)
        rc = segment_number_open(segment, NUMBER_VALUE, &s->value, err);
    if (rc == ERR_OK)
        rc = segment_text_open(segment, TEXT_CURRENCY, &s->currency, err);
    return rc;
}

static enum err_code
open_own_drivers(struct scan *s, const struct segment *segment, struct err *err)
{
    static const enum event_text texts[DRIVER_PARTS] = {
        [DRIVER_SOURCE] = TEXT_SOURCE,     [DRIVER_MEDIUM] = TEXT_MEDIUM,
        [DRIVER_CAMPAIGN] = TEXT_CAMPAIGN, [DRIVER_CONTENT] = TEXT_CONTENT,
        [DRIVER_KEYWORD] = TEXT_KEYWORD,
    };
    enum err_code rc = ERR_OK;

    if (!s->setup.sets)
        return ERR_OK;
    s->own = ARENA_NEW(&s->arena, struct own_drivers);
    for (int i = 0; i < DRIVER_PARTS && rc == ERR_OK; i++)
        rc = segment_text_open(segment, texts[i], &s->own->columns[i], err);
    return rc;
}

/* Can each row's masks be OR-ed together from those of its values? */
static bool
is_direct(const struct scan_setup *setup)
{
    const struct matcher *m = setup->matcher;
    uint32_t conditions = 0;

    if (setup->sets || !matcher_is_direct(m))
        return false;
    for (int i = 0; i < matcher_n_leaves(m); i++)
        conditions |= matcher_leaf_masks(m, i).conditions;
    return conditions >> (DIRECT_EXCLUSIONS - DIRECT_CONDITIONS) == 0;
}

static void
open_currencies(struct scan *s)
{
    uint32_t n = s->currency.n_codes;

    s->currency_index = ARENA_ARRAY(&s->arena, int32_t, n + 1);
    s->currency_digits = ARENA_ARRAY(&s->arena, int, n + 1);
    for (uint32_t code = 0; code <= n; code++) {
        struct slice text = code < n ? segment_text_value(&s->currency, code) : SLICE_EMPTY;

        s->currency_index[code] = -1;
        s->currency_digits[code] = event_number_digits(NUMBER_VALUE, text);
    }
}

static struct scan *
new_scan(const struct scan_setup *setup)
{
    struct scan *s = mem_alloc(sizeof *s); /* its chunk is not touched before it is filled */

    memset(s, 0, offsetof(struct scan, codes));
    s->matcher = setup->matcher;
    s->setup = *setup;
    arena_init(&s->arena, 64 << 10);
    s->is_direct = is_direct(setup);
    s->width = s->is_direct ? 1 : ((size_t)matcher_n_leaves(setup->matcher) + 63) / 64;
    s->words = arena_alloc(&s->arena, SCAN_CHUNK * s->width * sizeof *s->words);
    s->last_masks = matcher_masks(setup->matcher, &s->last_bits);
    s->last_leaves = LEAF_SETS_EMPTY;
    return s;
}

enum err_code
scan_open(const struct segment *segment, const struct segment_site *site,
          const struct scan_setup *setup, struct scan **out, struct err *err)
{
    struct scan *s = new_scan(setup);
    enum err_code rc;

    s->end = segment_run_rows(segment)[site->run_end];
    rc = open_columns(s, segment, err);
    if (rc == ERR_OK)
        rc = open_own_drivers(s, segment, err);
    if (rc != ERR_OK) {
        scan_close(&s);
        return rc;
    }
    open_currencies(s);
    s->only = scan__only_text(s);
    *out = s;
    return ERR_OK;
}

struct scan *
scan_open_like(const struct scan *like, const struct scan_setup *setup)
{
    struct scan *s = new_scan(setup);

    s->end = like->end;
    s->n_columns = like->n_columns;
    s->columns = ARENA_ARRAY(&s->arena, struct scan_column, (size_t)like->n_columns + 1);
    if (like->n_columns > 0)
        memcpy(s->columns, like->columns, (size_t)like->n_columns * sizeof *s->columns);
    s->time = like->time;
    s->flags = like->flags;
    s->value = like->value;
    s->currency = like->currency;
    s->runs = like->runs;
    if (like->own) {
        s->own = ARENA_NEW(&s->arena, struct own_drivers);
        memcpy(s->own->columns, like->own->columns, sizeof s->own->columns);
    }
    open_currencies(s);
    s->only = scan__only_text(s);
    return s;
}

void
scan_close(struct scan **s)
{
    if (!*s)
        return;
    arena_fini(&(*s)->arena);
    free(*s);
    *s = NULL;
}

/* ---- Decoding ---- */

static void
add_text(struct scan *s, struct scan_column *c)
{
    if (c->is_idle)
        return;
    segment_codes(&c->column, s->chunk_row, s->n, s->codes);
    for (uint32_t i = 0; s->width == 1 && i < s->n; i++)
        s->words[i] |= c->words[s->codes[i]];
    for (uint32_t i = 0; s->width != 1 && i < s->n; i++)
        for (size_t w = 0; w < s->width; w++)
            s->words[i * s->width + w] |= c->words[s->codes[i] * s->width + w];
}

static void
add_bot(struct scan *s, const struct scan_column *c)
{
    for (uint32_t i = 0; i < s->n; i++) {
        size_t which = (s->numbers[i] & EVENT_BOT) != 0;

        for (size_t w = 0; w < s->width; w++)
            s->words[i * s->width + w] |= c->words[which * s->width + w];
    }
}

static void
add_number(struct scan *s, const struct scan_column *c)
{
    enum event_number code = (enum event_number)c->attribute.code;
    int digits = event_number_digits(code, SLICE_EMPTY);

    segment_values(&c->column, s->chunk_row, s->n, s->numbers, s->is_set);
    for (uint32_t i = 0; i < s->n; i++) {
        if (!s->is_set[i])
            continue;
        if (code == NUMBER_VALUE)
            digits = s->currency_digits[s->currency_codes[i]];
        for (int k = 0; k < c->n_leaves; k++)
            if (leaf_number(matcher_leaf(s->matcher, c->leaves[k]), s->numbers[i], digits))
                set_leaf(s, s->words + i * s->width, c->leaves[k]);
    }
}

static struct masks
masks_of(struct scan *s, const uint64_t *words)
{
    struct leaf_bits bits = {{0}};

    if (s->is_direct)
        return (struct masks){.stages = (uint16_t)words[0],
                              .exclusions = (uint32_t)(words[0] >> DIRECT_EXCLUSIONS),
                              .conditions = (uint16_t)(words[0] >> DIRECT_CONDITIONS)};
    for (size_t w = 0; w < s->width; w++)
        bits.word[w] = words[w];
    if (memcmp(&bits, &s->last_bits, sizeof bits) != 0) {
        s->last_bits = bits;
        s->last_masks = matcher_masks(s->matcher, &bits);
    }
    return s->last_masks;
}

int32_t
scan__currency(struct scan *s, uint32_t code)
{
    if (s->currency_index[code] < 0) {
        struct slice text = segment_text_value(&s->currency, code);

        s->currency_index[code] = tally_currency(s->setup.tally, text);
    }
    return s->currency_index[code];
}

/* ---- Rows of an unsettled scan ---- */

static uint32_t
own_driver(struct scan *s, uint32_t i)
{
    struct own_drivers *own = s->own;
    uint32_t codes[DRIVER_PARTS];
    uint32_t hash = 0;
    struct driver texts;
    struct met *met;

    for (int part = 0; part < DRIVER_PARTS; part++) {
        codes[part] = own->codes[part][i];
        hash = (hash ^ codes[part]) * 0x9e3779b1u;
    }
    met = &own->met[hash >> 16 & (DRIVERS_MET - 1)];
    if (met->driver != 0 && memcmp(met->codes, codes, sizeof codes) == 0)
        return met->driver;
    for (int part = 0; part < DRIVER_PARTS; part++)
        texts.parts[part] = segment_text_value(&own->columns[part], codes[part]);
    memcpy(met->codes, codes, sizeof codes);
    met->driver = driver_table_find(s->setup.drivers, &texts)->number;
    return met->driver;
}

static uint32_t
leaves_of(struct scan *s, const uint64_t *words)
{
    struct leaf_bits bits = {{0}};

    for (size_t w = 0; w < s->width; w++)
        bits.word[w] = words[w];
    if (memcmp(&bits, &s->last_bits, sizeof bits) != 0) {
        s->last_bits = bits;
        s->last_leaves = leaf_sets_find(s->setup.sets, &bits);
    }
    return s->last_leaves;
}

static void
make_unsettled(struct scan *s)
{
    for (int part = 0; part < DRIVER_PARTS; part++)
        segment_codes(&s->own->columns[part], s->chunk_row, s->n, s->own->codes[part]);
    for (uint32_t i = 0; i < s->n; i++) {
        s->rows[i].unsettled.leaves = leaves_of(s, s->words + i * s->width);
        s->rows[i].unsettled.driver = (s->rows[i].flags & EVENT_DRIVER) != 0 ? own_driver(s, i) : 0;
    }
}

/* ---- Chunks ---- */

/* Which stages match some row. */
static uint32_t
make_settled(struct scan *s)
{
    uint32_t stages = 0;

    for (uint32_t i = 0; i < s->n; i++) {
        s->rows[i].masks = masks_of(s, s->words + i * s->width);
        stages |= s->rows[i].masks.stages;
    }
    return stages;
}

/* Values are read only where some stage matches: most chunks have few. */
static void
decode_values(struct scan *s)
{
    bool is_settled = s->setup.sets == NULL;

    segment_values(&s->value, s->chunk_row, s->n, s->numbers, s->is_set);
    for (uint32_t i = 0; i < s->n; i++) {
        struct scan_row *row = &s->rows[i];

        if (s->is_set[i] && (!is_settled || row->masks.stages != 0))
            row->value =
                (struct tally_value){s->numbers[i], scan__currency(s, s->currency_codes[i])};
    }
}

/* Flags are left in s->numbers. */
static void
test_flags(struct scan *s)
{
    segment_values(&s->flags, s->chunk_row, s->n, s->numbers, NULL);
    for (int i = 0; i < s->n_columns; i++)
        if (s->columns[i].kind == SCAN_BOT)
            add_bot(s, &s->columns[i]);
}

static bool
tests_values(const struct scan *s)
{
    for (int i = 0; i < s->n_columns; i++)
        if (s->columns[i].kind == SCAN_NUMBER && s->columns[i].attribute.code == NUMBER_VALUE)
            return true;
    return false;
}

static void
test_columns(struct scan *s)
{
    for (int i = 0; i < s->n_columns; i++) {
        if (s->columns[i].kind == SCAN_TEXT)
            add_text(s, &s->columns[i]);
        else if (s->columns[i].kind == SCAN_NUMBER)
            add_number(s, &s->columns[i]);
    }
}

static void
begin_chunk(struct scan *s, uint32_t row, uint32_t n)
{
    s->chunk_row = row;
    s->n = n;
    memset(s->words, 0, n * s->width * sizeof *s->words);
}

static bool
tests_bots(const struct scan *s)
{
    for (int i = 0; i < s->n_columns; i++)
        if (s->columns[i].kind == SCAN_BOT)
            return true;
    return false;
}

const int64_t *
scan__test(struct scan *s, uint32_t row, uint32_t n)
{
    bool has_flags =
        tests_bots(s) || segment_may_have_bits(&s->flags, row, n, EVENT_BOT | EVENT_COOKIELESS);

    begin_chunk(s, row, n);
    if (tests_values(s))
        segment_codes(&s->currency, row, n, s->currency_codes);
    test_columns(s);
    if (has_flags)
        test_flags(s);
    s->n = 0; /* there are no rows of it */
    return has_flags ? s->numbers : NULL;
}

static void
decode_chunk(struct scan *s, uint32_t row, uint32_t n)
{
    bool has_values = true;

    begin_chunk(s, row, n);
    segment_values(&s->time, row, s->n, s->numbers, NULL);
    for (uint32_t i = 0; i < s->n; i++) {
        s->rows[i].time_ms = s->numbers[i];
        s->rows[i].value = (struct tally_value){0, -1};
    }
    test_flags(s);
    for (uint32_t i = 0; i < s->n; i++)
        s->rows[i].flags = (uint8_t)s->numbers[i];
    segment_codes(&s->currency, row, s->n, s->currency_codes);
    test_columns(s);
    if (s->own)
        make_unsettled(s);
    else
        has_values = make_settled(s) != 0;
    if (has_values)
        decode_values(s);
}

const struct scan_row *
scan_rows(struct scan *s, uint32_t row, uint32_t end, uint32_t *out_n)
{
    uint32_t to = s->setup.is_sparse ? end : s->end;
    uint32_t at;

    assert(row < end && end <= s->end);
    if (s->n == 0 || row < s->chunk_row || row >= s->chunk_row + s->n)
        decode_chunk(s, row, to - row < SCAN_CHUNK ? to - row : SCAN_CHUNK);
    at = row - s->chunk_row;
    *out_n = end - row < s->n - at ? end - row : s->n - at;
    return &s->rows[at];
}
