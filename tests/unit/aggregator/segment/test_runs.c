/* What a merged file says of whole runs is what their rows say. */
#include "aggregator/segment/format.h"
#include "tests/unit/aggregator/segment/format_repair.h"
#include "tests/unit/aggregator/segment/support.h"

#define ROWS_MAX 4000 /* of a run */

/* Some thousand events, merged; visitors are numbers of up to 38 digits, or texts. */
struct merged {
    char *dir;
    struct arena arena;
    struct segment_merge merge;
    struct segment **flushes;
    struct event *events;
    size_t n;
    char *path;
    struct segment *segment;
};

enum visitors { NUMBERS, TEXTS, MIXED };

static struct slice
visitor_of(struct arena *a, uint32_t i, enum visitors kind)
{
    if (kind == TEXTS || (kind == MIXED && i % 50 == 7))
        return i % 2 == 0 ? arena_printf(a, "v%u", i) : arena_printf(a, "0%u", i);
    if (i == 0)
        return SLICE("99999999999999999999999999999999999999");
    return i % 3 == 0 ? arena_printf(a, "%u%019u", i, i * 7) : arena_printf(a, "%u", i);
}

static void
merged_open(struct merged *m, enum visitors kind)
{
    struct random r = {31};
    struct segment_file *files;
    size_t n_files;
    char path[FILE_PATH_MAX];

    *m = (struct merged){.dir = test_folder(), .merge = {.site = 1, .month = 202606}, .n = 6000};
    arena_init(&m->arena, 1 << 20);
    m->events = likely_events(&r, m->n, &m->arena);
    for (size_t i = 0; i < m->n; i++) {
        struct event *e = &m->events[i];

        e->visitor = visitor_of(&m->arena, random_below(&r, i % 5 == 0 ? 3 : 900), kind);
        if (i % 8 != 0) /* times close to each other: few steps are wide */
            e->time_ms = JUNE_2026_MS + (e->time_ms - JUNE_2026_MS) / 1000;
        if (i % 2 == 0) /* some at one moment */
            e->time_ms -= e->time_ms % 900000;
        if (i % 40 == 0)
            e->flags |= i % 80 == 0 ? EVENT_BOT : EVENT_COOKIELESS;
        if (i % 3 == 0)
            e->text[TEXT_CAMPAIGN] = arena_printf(&m->arena, "c%u", random_below(&r, 5));
        if (i % 20 == 0) /* more names than a word has bits for */
            e->text[TEXT_EVENT] = arena_printf(&m->arena, "z%u", random_below(&r, 100));
        e->id = arena_printf(&m->arena, "%zu", i);
    }
    m->flushes = write_flushes(&r, m->events, m->n, 3, m->dir, &m->arena, &m->merge.n_inputs);
    m->merge.inputs = (const struct segment *const *)m->flushes;
    m->n = settle_events(m->events, m->n);
    assert_int_equal(segment_merge(&m->merge, m->dir, &m->arena, &files, &n_files, NULL), ERR_OK);
    assert_int_equal(n_files, 1);
    file_path(path, m->dir, files[0].name);
    m->path = mem_cstr(slice_from(path));
    m->segment = open_file(m->dir, files[0].name);
}

static void
merged_close(struct merged *m)
{
    segment_close(&m->segment);
    for (size_t i = 0; i < m->merge.n_inputs; i++)
        segment_close(&m->flushes[i]);
    free(m->path);
    arena_fini(&m->arena);
    remove_folder(m->dir);
}

static uint32_t
n_runs(const struct merged *m)
{
    return segment_info(m->segment)->n_runs;
}

static void
test_visitors_are_what_they_were(void **state)
{
    (void)state;
    for (enum visitors kind = NUMBERS; kind <= MIXED; kind++) {
        struct merged m;

        merged_open(&m, kind);
        assert_segment(m.segment, m.events, m.n);
        merged_close(&m);
    }
}

/* The same visitors in two files, as numbers and among texts. */
static void
test_visitors_are_compared(void **state)
{
    struct merged m[2];
    struct segment_cursor *c[2];
    bool is_same;

    (void)state;
    for (int i = 0; i < 2; i++) {
        merged_open(&m[i], i == 0 ? NUMBERS : MIXED);
        c[i] = segment_cursor_create(m[i].segment);
    }
    for (uint32_t run = 0; run < n_runs(&m[0]); run++)
        for (int other = 0; other < 2; other++) {
            uint64_t hash = segment_run_hashes(m[0].segment)[run];
            uint32_t found =
                segment_seek_run(m[other].segment, segment_sites(m[other].segment), hash);

            if (found == n_runs(&m[other]) || segment_run_hashes(m[other].segment)[found] != hash)
                continue;
            assert_int_equal(segment_cursor_is_same(c[0], run, c[other], found, &is_same, NULL),
                             ERR_OK);
            assert_true(is_same);
            assert_int_equal(segment_cursor_is_same(c[0], run, c[other], found == 0 ? 1 : found - 1,
                                                    &is_same, NULL),
                             ERR_OK);
            assert_false(is_same);
        }
    for (int i = 0; i < 2; i++) {
        segment_cursor_destroy(&c[i]);
        merged_close(&m[i]);
    }
}

static void
test_times_of_runs(void **state)
{
    struct segment_column time;
    int64_t times[ROWS_MAX];
    struct merged m;
    const uint32_t *rows;

    (void)state;
    merged_open(&m, NUMBERS);
    rows = segment_run_rows(m.segment);
    assert_int_equal(segment_time_open(m.segment, &time, NULL), ERR_OK);
    assert_int_equal(time.encoding, ENCODING_STEPS);
    for (uint32_t run = 0; run < n_runs(&m); run++) {
        assert_true(rows[run + 1] - rows[run] <= ROWS_MAX);
        segment_run_times(&time, run, times);
        for (uint32_t row = rows[run]; row < rows[run + 1]; row++)
            assert_int_equal(times[row - rows[run]], m.events[row].time_ms);
    }
    merged_close(&m);
}

/* The code of all rows of a run, or CODES_DIFFER; and the bits of all. */
static uint32_t
common_code(const struct segment_column *c, uint32_t row, uint32_t end, const uint64_t *bits,
            struct segment_run_bits *out)
{
    uint32_t common = 0;
    uint32_t code;

    *out = (struct segment_run_bits){0, UINT64_MAX};
    for (uint32_t i = row; i < end; i++) {
        segment_codes(c, i, 1, &code);
        common = i == row || common == code ? code : CODES_DIFFER;
        out->any |= bits[code];
        out->all &= bits[code];
    }
    return common;
}

static void
check_column(const struct merged *m, const struct segment_column *c, struct random *r,
             uint32_t *n_common, uint32_t *n_found)
{
    const uint32_t *rows = segment_run_rows(m->segment);
    uint64_t *bits = mem_zalloc(c->n_codes * sizeof *bits);
    uint32_t begin = random_below(r, n_runs(m));
    uint32_t n = random_below(r, n_runs(m) - begin) + 1;
    uint32_t *codes = mem_alloc(n * sizeof *codes);
    struct segment_run_bits *known = mem_alloc(n * sizeof *known);

    for (uint32_t code = 0; code < c->n_codes; code++)
        bits[code] = UINT64_C(1) << random_below(r, 5);
    for (uint32_t i = 0; i < n; i++)
        known[i] = (struct segment_run_bits){0, UINT64_MAX};
    segment_run_codes(c, begin, n, codes);
    segment_run_bits(c, bits, begin, n, known);
    for (uint32_t i = 0; i < n; i++) {
        struct segment_run_bits right;
        uint32_t code = common_code(c, rows[begin + i], rows[begin + i + 1], bits, &right);

        *n_common += code != CODES_DIFFER;
        *n_found += codes[i] != CODES_DIFFER;
        if (codes[i] != CODES_DIFFER)
            assert_int_equal(codes[i], code);
        assert_int_equal(right.any & ~known[i].any, 0);
        assert_int_equal(known[i].all & ~right.all, 0);
    }
    free(bits);
    free(codes);
    free(known);
}

static void
test_codes_of_runs(void **state)
{
    struct random r = {32};
    uint32_t n_common = 0;
    uint32_t n_found = 0;
    struct merged m;

    (void)state;
    merged_open(&m, NUMBERS);
    for (int text = 0; text < TEXT_COUNT; text++) {
        struct segment_column c;

        assert_int_equal(segment_text_open(m.segment, (enum event_text)text, &c, NULL), ERR_OK);
        for (int i = 0; i < 10; i++)
            check_column(&m, &c, &r, &n_common, &n_found);
    }
    assert_true(n_found > n_common / 2);
    merged_close(&m);
}

static uint64_t
held_by(const struct segment_column *event, const struct event *e, uint32_t row)
{
    uint32_t code;

    segment_codes(event, row, 1, &code);
    return (code < PRESENCE_EVENTS ? UINT64_C(1) << code : PRESENCE_ANY_EVENT) |
           ((e->flags & EVENT_BOT) != 0 ? PRESENCE_BOT : 0) |
           ((e->flags & EVENT_COOKIELESS) != 0 ? PRESENCE_COOKIELESS : 0) |
           (event_has_number(e, NUMBER_VALUE) ? PRESENCE_VALUE : 0) | PRESENCE_GIVEN;
}

/* A name of a run, and when it first comes up. */
struct met {
    uint32_t code;
    int64_t time_ms;
};

/* How many names rows [row, end) have; 0: more than an order has room for, or such as it has none
 * for. */
static int
find_names(const struct merged *m, const struct segment_column *event, uint32_t row, uint32_t end,
           struct met *names)
{
    int n = 0;

    for (; row < end; row++) {
        uint32_t code;
        int i = 0;

        segment_codes(event, row, 1, &code);
        while (i < n && names[i].code != code)
            i++;
        if (code == 0 || code >= PRESENCE_EVENTS || i == ORDER_EVENTS_MAX)
            return 0;
        if (i == n)
            names[n++] = (struct met){code, m->events[row].time_ms};
    }
    return n;
}

static void
check_order(uint64_t order, const struct met *names, int n, int64_t span_ms)
{
    static const int64_t limits_ms[] = {0,         1800000,    3600000,    21600000,  86400000,
                                        604800000, 1209600000, 2592000000, 2678400000};
    int limit = 0;

    for (int i = 0; i < n; i++) {
        assert_int_equal(segment_order_event(order, i), names[i].code);
        assert_int_equal(segment_order_is_tied(order, i),
                         i > 0 && names[i].time_ms == names[i - 1].time_ms);
    }
    assert_int_equal(segment_order_event(order, n), 0);
    while (limit == 0 || limits_ms[limit] < span_ms)
        limit++;
    assert_int_equal(segment_order_span_ms(order), limits_ms[limit]);
}

static void
test_orders_of_runs(void **state)
{
    struct met names[ORDER_EVENTS_MAX];
    struct segment_presence p;
    struct segment_column event;
    const uint32_t *rows;
    uint32_t n_tied = 0;
    uint32_t n_unknown = 0;
    struct merged m;

    (void)state;
    merged_open(&m, MIXED);
    rows = segment_run_rows(m.segment);
    assert_int_equal(segment_text_open(m.segment, TEXT_EVENT, &event, NULL), ERR_OK);
    assert_int_equal(segment_presence_open(m.segment, &p, NULL), ERR_OK);
    for (uint32_t run = 0; run < n_runs(&m); run++) {
        int n = find_names(&m, &event, rows[run], rows[run + 1], names);
        uint32_t which;

        segment_presence_read(&p, run, 1, &which);
        n_unknown += n == 0;
        if (n == 0) {
            assert_true(p.orders[which] == 0);
            continue;
        }
        check_order(p.orders[which], names, n,
                    m.events[rows[run + 1] - 1].time_ms - m.events[rows[run]].time_ms);
        for (int i = 0; i < n; i++)
            n_tied += segment_order_is_tied(p.orders[which], i);
    }
    assert_in_range(n_tied, 10, n_runs(&m));
    assert_in_range(n_unknown, 1, n_runs(&m) / 2);
    merged_close(&m);
}

static void
test_presence_of_runs(void **state)
{
    struct segment_presence p;
    struct segment_column event;
    struct merged m;
    const uint32_t *rows;

    (void)state;
    merged_open(&m, TEXTS);
    rows = segment_run_rows(m.segment);
    assert_int_equal(segment_text_open(m.segment, TEXT_EVENT, &event, NULL), ERR_OK);
    assert_int_equal(segment_presence_open(m.segment, &p, NULL), ERR_OK);
    assert_true(p.n_words > 3);
    for (uint32_t run = 0; run < n_runs(&m); run++) {
        uint64_t held = 0;
        uint32_t which;

        for (uint32_t row = rows[run]; row < rows[run + 1]; row++)
            held |= held_by(&event, &m.events[row], row);
        segment_presence_read(&p, run, 1, &which);
        assert_true(p.words[which] == held);
    }
    merged_close(&m);
}

/* Changes the byte of the presence block that so many bytes a word are in front of, and says what
 * reading all of the file finds. */
static enum err_code
damage_presence(size_t of_words, struct err *err)
{
    struct buffer file = BUFFER_EMPTY;
    struct segment *s = NULL;
    struct merged m;
    unsigned char *entry;
    enum err_code rc;

    merged_open(&m, NUMBERS);
    assert_int_equal(file_read(m.path, 1 << 24, &file, NULL), ERR_OK);
    entry = (unsigned char *)file.p + load_u64(file.p + HEADER_DIRECTORY);
    while (load_u16(entry + ENTRY_TYPE) != BLOCK_PRESENCE)
        entry += FORMAT_ENTRY;
    file.p[load_u64(entry + ENTRY_OFFSET) + load_u64(entry + ENTRY_BASE) * of_words] ^= 2;
    format_repair((unsigned char *)file.p, file.n);
    assert_int_equal(file_replace(m.path, buffer_slice(&file), 0600, NULL), ERR_OK);
    assert_int_equal(segment_open(m.path, &test_owner, &s, NULL), ERR_OK);
    rc = segment_check(s, err);
    segment_close(&s);
    buffer_fini(&file);
    merged_close(&m);
    return rc;
}

/* A file whose presence words or orders say something else is found out, whatever its checksums
 * say.
 */
static void
test_wrong_presence_is_found(void **state)
{
    static const size_t of_words[] = {0, 8, 16}; /* a word, an order, which is a run's */

    (void)state;
    for (size_t i = 0; i < sizeof of_words / sizeof *of_words; i++) {
        struct err err = ERR_NONE;

        if (damage_presence(of_words[i], &err) != ERR_CORRUPT)
            fail_msg("%zu bytes a word behind the first", of_words[i]);
        assert_string_equal(err.field, "presence");
    }
}

/* Row by row, onwards with leaps back: what the column says of the row alone. */
static void
check_window_codes(const struct segment_column *c, struct random *r)
{
    struct segment_window w = {.column = c};
    uint32_t row = 0;

    for (int i = 0; i < 3000; i++) {
        uint32_t code;

        row = random_below(r, 50) == 0 ? random_below(r, c->n_rows)
                                       : (row + random_below(r, 4)) % c->n_rows;
        segment_codes(c, row, 1, &code);
        assert_int_equal(segment_window_code(&w, row), code);
    }
}

static void
check_window_values(const struct segment_column *c, struct random *r)
{
    struct segment_window w = {.column = c};

    for (uint32_t row = 0; row < c->n_rows; row += random_below(r, 4)) {
        int64_t value;
        bool is_set, is_set_there;

        segment_values(c, row, 1, &value, &is_set);
        assert_int_equal(segment_window_value(&w, row, &is_set_there), value);
        assert_int_equal(is_set_there, is_set);
    }
}

static void
test_windows(void **state)
{
    struct random r = {47};
    struct segment_column c;
    struct merged m;

    (void)state;
    merged_open(&m, MIXED);
    for (int i = 0; i < TEXT_COUNT; i++) {
        assert_int_equal(segment_text_open(m.segment, (enum event_text)i, &c, NULL), ERR_OK);
        check_window_codes(&c, &r);
    }
    for (int i = 0; i < NUMBER_COUNT; i++) {
        assert_int_equal(segment_number_open(m.segment, (enum event_number)i, &c, NULL), ERR_OK);
        check_window_values(&c, &r);
    }
    assert_int_equal(segment_flags_open(m.segment, &c, NULL), ERR_OK);
    check_window_values(&c, &r);
    merged_close(&m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_visitors_are_what_they_were),
        cmocka_unit_test(test_visitors_are_compared),
        cmocka_unit_test(test_times_of_runs),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_codes_of_runs),
        cmocka_unit_test(test_presence_of_runs),
        cmocka_unit_test(test_orders_of_runs),
        cmocka_unit_test(test_wrong_presence_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
