/* Files of every released version stay here and stay readable: golden/v*.seg were written from the
 * events that the seeds below give (which therefore stay as they are). A new version adds its own,
 * with a row each in the table; none is ever written again:
 *
 *     build/dev/tests/aggregator_segment_test_golden --write tests/unit/aggregator/segment/golden
 */
#include "aggregator/segment/format.h"
#include "core/bytes.h"
#include "tests/unit/aggregator/segment/support.h"

#define FOLDER CORONG_SOURCE_DIR "/tests/unit/aggregator/segment/golden"

enum golden_events { RANDOM, LIKELY, WALKS, NUMBERS };

static const struct golden {
    const char *name;
    uint32_t version;
    uint64_t seed;
    enum golden_events kind;
    struct world world; /* of RANDOM */
    size_t n;
    uint32_t n_flushes; /* that are merged; 0: a flush */
} goldens[] = {
    {"v1-flush.seg", 1, 101, RANDOM, {2, 30, 400, 40, 6, JUNE_2026_MS, 500000, 9}, 150, 0},
    {"v1-merged.seg", 1, 102, RANDOM, {1, 40, 100000, 10, 2, JUNE_2026_MS, 500000, 3}, 100, 4},
    {"v2-flush.seg", 2, 201, RANDOM, {2, 30, 400, 40, 6, JUNE_2026_MS, 500000, 9}, 150, 0},
    {"v2-merged.seg", 2, 202, RANDOM, {1, 40, 100000, 10, 2, JUNE_2026_MS, 500000, 3}, 100, 4},
    {"v2-guessed.seg", 2, 203, LIKELY, {0}, 700, 3},
    {"v2-walks.seg", 2, 204, WALKS, {0}, 1200, 3},
    {"v2-numbers.seg", 2, 205, NUMBERS, {0}, 500, 3},
};
#define N_GOLDENS (sizeof goldens / sizeof *goldens)

#define STEPS_OF_A_WALK 60

/* Visitors who go from page to page: each says where it came from, and a campaign stays until
 * another comes; seconds apart, now and then days. */
static struct event *
walking_events(struct random *r, size_t n, struct arena *a)
{
    struct event *events = ARENA_ARRAY(a, struct event, n);

    for (size_t i = 0; i < n; i++) {
        struct event *e = &events[i];
        bool is_first = i % STEPS_OF_A_WALK == 0;

        *e = (struct event){
            .site = 1,
            .origin = ORIGIN_SNIPPET,
            .time_ms = is_first ? JUNE_2026_MS + (int64_t)random_below(r, 1000000)
                                : e[-1].time_ms + 1 + random_below(r, 20000),
            .visitor = arena_printf(a, "v%zu", i / STEPS_OF_A_WALK),
            .id = arena_printf(a, "i%zu", i),
        };
        if (random_below(r, 50) == 0)
            e->time_ms += (int64_t)random_below(r, 2) * DAY_MS / 4;
        e->text[TEXT_EVENT] = SLICE("pageview");
        e->text[TEXT_URL] = arena_printf(a, "https://shop.example/p%u", random_below(r, 30));
        e->text[TEXT_REFERRER] = is_first ? SLICE_EMPTY : e[-1].text[TEXT_URL];
        e->text[TEXT_CAMPAIGN] = is_first || random_below(r, 20) == 0
                                     ? arena_printf(a, "campaign %u", random_below(r, 9))
                                     : e[-1].text[TEXT_CAMPAIGN];
    }
    return events;
}

/* Visitors and ids are decimal numbers. */
static struct event *
numbered_events(struct random *r, size_t n, struct arena *a)
{
    struct event *events = likely_events(r, n, a);

    for (size_t i = 0; i < n; i++) {
        events[i].visitor = arena_printf(a, "%u%020u", random_below(r, 20) + 1, 7u);
        events[i].id = arena_printf(a, "%zu", i + 1);
    }
    return events;
}

/* As they were before they were sorted and freed of repeats. */
static struct event *
golden_events(const struct golden *g, struct random *r, struct arena *a)
{
    switch (g->kind) {
    case RANDOM:
        return random_events(r, &g->world, g->n, a);
    case LIKELY:
        return likely_events(r, g->n, a);
    case WALKS:
        return walking_events(r, g->n, a);
    default:
        return numbered_events(r, g->n, a);
    }
}

/* ---- Reading them ---- */

static void
test_every_event(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_GOLDENS; i++) {
        const struct golden *g = &goldens[i];
        struct random r = {g->seed};
        struct event *events;
        struct segment *s;
        struct arena a;
        size_t n;

        arena_init(&a, 1 << 16);
        events = golden_events(g, &r, &a);
        n = settle_events(events, g->n);
        s = open_file(FOLDER, g->name);
        assert_int_equal(segment_info(s)->version, g->version);
        assert_int_equal(segment_info(s)->kind, g->n_flushes > 0 ? SEGMENT_MERGED : SEGMENT_FLUSH);
        assert_segment(s, events, n);
        segment_close(&s);
        arena_fini(&a);
    }
}

/* Which encodings a version's files have, as bits. */
static uint32_t
encodings_of(uint32_t version)
{
    uint32_t out = 0;

    for (size_t i = 0; i < N_GOLDENS; i++) {
        struct buffer file = BUFFER_EMPTY;
        char path[FILE_PATH_MAX];
        const char *entry;

        if (goldens[i].version != version)
            continue;
        file_path(path, FOLDER, goldens[i].name);
        assert_int_equal(file_read(path, 1 << 20, &file, NULL), ERR_OK);
        entry = file.p + load_u64(file.p + HEADER_DIRECTORY);
        for (uint32_t k = load_u32(file.p + HEADER_ENTRIES); k > 0; k--, entry += FORMAT_ENTRY)
            out |= 1u << (unsigned char)entry[ENTRY_ENCODING];
        buffer_fini(&file);
    }
    return out;
}

/* What a version can say, its files do say. */
static void
test_every_encoding(void **state)
{
    const uint32_t of_1 = 1u << ENCODING_PLAIN | 1u << ENCODING_DENSE | 1u << ENCODING_BITMAP |
                          1u << ENCODING_LIST | 1u << ENCODING_COLD;

    (void)state;
    assert_int_equal(encodings_of(1) & of_1, of_1);
    assert_int_equal(encodings_of(2), of_1 | 1u << ENCODING_ZSTD | 1u << ENCODING_GUESSED |
                                          1u << ENCODING_GATED | 1u << ENCODING_STEPS |
                                          1u << ENCODING_WORDS);
}

/* ---- Writing those of a new version ---- */

static struct segment_file *
write_merged(const struct golden *g, struct random *r, const struct event *events, const char *dir,
             struct arena *a)
{
    struct segment_merge merge = {.site = 1, .month = 202606};
    struct segment **flushes =
        write_flushes(r, events, g->n, g->n_flushes, dir, a, &merge.n_inputs);
    struct segment_file *files;
    size_t n_files;

    merge.inputs = (const struct segment *const *)flushes;
    assert_int_equal(segment_merge(&merge, dir, a, &files, &n_files, NULL), ERR_OK);
    assert_int_equal(n_files, 1);
    for (size_t i = 0; i < merge.n_inputs; i++)
        segment_close(&flushes[i]);
    return files;
}

static void
write_golden(const struct golden *g, const char *out)
{
    struct random r = {g->seed};
    char *dir = test_folder();
    struct segment_file *files;
    struct buffer bytes = BUFFER_EMPTY;
    struct event *events;
    char path[FILE_PATH_MAX];
    size_t n_files = 1;
    struct arena a;
    FILE *file;

    arena_init(&a, 1 << 16);
    events = golden_events(g, &r, &a);
    if (g->n_flushes > 0)
        files = write_merged(g, &r, events, dir, &a);
    else
        write_events(events, g->n, dir, &a, &files, &n_files);
    assert_int_equal(n_files, 1);
    file_path(path, dir, files[0].name);
    assert_int_equal(file_read(path, 1 << 20, &bytes, NULL), ERR_OK);
    file_path(path, out, g->name);
    file = fopen(path, "wx"); /* never one that is there */
    if (file != NULL) {
        assert_int_equal(fwrite(bytes.p, 1, bytes.n, file), bytes.n);
        assert_int_equal(fclose(file), 0);
        printf("%s: %zu bytes\n", path, bytes.n);
    }
    buffer_fini(&bytes);
    arena_fini(&a);
    remove_folder(dir);
}

int
main(int n_arguments, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_event),
        cmocka_unit_test(test_every_encoding),
    };

    if (n_arguments == 3 && strcmp(arguments[1], "--write") == 0) {
        for (size_t i = 0; i < N_GOLDENS; i++)
            if (goldens[i].version == FORMAT_VERSION)
                write_golden(&goldens[i], arguments[2]);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
