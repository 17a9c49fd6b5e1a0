/* One bit flipped, or the file cut, at every 512 bytes of a segment, of catalog.db, of its log, and
 * of what lies beside it: never another figure without a warning, `corong check` names what is
 * wrong, the server starts, and after a repair everything that was committed counts again.
 *
 * Every damage is asked about; every REPAIRS-th is repaired too, as that waits for the disk some
 * dozen times (CORONG_TEST_FULL=1 repairs all of them; minutes). */
#include <fcntl.h>

#include "aggregator/repair.h"
#include "core/log.h"
#include "tests/unit/aggregator/fixture.h"

#define STEP    512
#define REPAIRS 16
#define N_MANY  3000 /* events of the larger segment: some of its blocks have several pages */
#define OF_PATHS                                                                                   \
    "{\"window\":\"30d\",\"stages\":["                                                             \
    "{\"name\":\"A\",\"rule\":{\"attribute\":\"event\",\"op\":\"is\",\"values\":[\"a\"]}},"        \
    "{\"name\":\"P\",\"rule\":{\"attribute\":\"path\",\"op\":\"contains\",\"values\":[\"7\"]}}]}"

/* ---- Asking as a process does that has just started ---- */

static void
collect(const struct check_finding *f, void *context)
{
    buffer_printf(context, "%s %.*s: %.*s\n", f->is_problem ? "problem" : "note",
                  SLICE_ARG(f->where), SLICE_ARG(f->what));
}

static uint64_t
check(struct fixture *f, struct buffer *told)
{
    struct check_result result = {0};
    struct err err = ERR_NONE;

    buffer_clear(told);
    assert_ok(check_run(&f->store, collect, told, &result, &err));
    return result.n_problems;
}

static enum err_code
try_report(struct fixture *f, const char *definition, struct slice *out, struct err *err)
{
    enum err_code rc;

    snapshot_pool_close(&f->pool);
    rc = snapshot_pool_open(&f->store, &f->pool, err);
    return rc == ERR_OK
               ? fixture_try_report(f, 1, definition, BOTS_EXCLUDE, PATH_RANGE_ALL, out, err)
               : rc;
}

static struct slice
report(struct fixture *f, const char *definition)
{
    struct slice out = SLICE_EMPTY;
    struct err err = ERR_NONE;

    assert_ok(try_report(f, definition, &out, &err));
    return out;
}

static bool
has(struct slice text, const char *part)
{
    return slice_contains(text, slice_from(part));
}

static long
entered(struct slice text)
{
    struct slice head, tail = text;

    while (slice_cut(tail, ':', &head, &tail))
        if (slice_ends_with(head, SLICE("\"entered\"")))
            return strtol(tail.p, NULL, 10);
    fail_msg("no figure in %.*s", SLICE_ARG(text));
    return -1;
}

/* ---- Files ---- */

struct image { /* a file as it was */
    char path[FILE_PATH_MAX];
    struct buffer bytes;
    bool is_there;
};

static void
image_take(struct fixture *f, const char *name, struct image *out)
{
    struct err err = ERR_NONE;

    *out = (struct image){.bytes = BUFFER_EMPTY};
    store_path(&f->store, name, out->path);
    out->is_there = file_exists(out->path);
    if (out->is_there)
        assert_ok(file_read(out->path, 1 << 24, &out->bytes, &err));
}

/* Without the fsyncs of file_replace: it happens thousands of times. */
static void
put(const char *path, struct slice bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0640);
    struct err err = ERR_NONE;

    assert_true(fd >= 0);
    assert_ok(file_write(fd, bytes.p, bytes.n, &err));
    close(fd);
}

static void
image_put(const struct image *i)
{
    struct err err = ERR_NONE;

    if (i->is_there)
        put(i->path, buffer_slice(&i->bytes));
    else
        assert_ok(file_remove(i->path, &err));
}

/* With a bit of it flipped somewhere in the 512 bytes from `at` on, or cut there. */
static void
image_put_damaged(const struct image *i, size_t at, bool is_cut)
{
    size_t byte = at + at / STEP * 37 % STEP;

    if (byte >= i->bytes.n)
        byte = at;
    i->bytes.p[byte] ^= (char)(1 << at / STEP % 8);
    put(i->path, slice_of(i->bytes.p, is_cut ? at : i->bytes.n));
    i->bytes.p[byte] ^= (char)(1 << at / STEP % 8);
}

/* ---- A segment ---- */

static void
fill_segments(struct fixture *f)
{
    struct event e = event_of(1, "x", "1", "a", JUNE_2026_MS);
    uint64_t random = 1;

    fixture_add(f, &e);
    fixture_commit(f);
    for (int i = 0; i < N_MANY; i++) {
        char visitor[24], path[64];

        random = random * 6364136223846793005u + 1442695040888963407u;
        snprintf(visitor, sizeof visitor, "v%d", i / 2);
        snprintf(path, sizeof path, "/%016llx%016llx", (unsigned long long)random,
                 (unsigned long long)(random * random));
        e = event_of(1, visitor, path, i % 2 ? "b" : "a", JUNE_2026_MS + 1000 * i);
        e.text[TEXT_PATH] = slice_from(path);
        fixture_add(f, &e);
    }
    fixture_commit(f);
}

/* The file with most rows, as "segments/<name>". */
static const char *
largest(struct fixture *f)
{
    struct catalog_list list;
    struct err err = ERR_NONE;
    size_t at = 0;

    assert_ok(catalog_read(f->catalog, &f->arena, &list, &err));
    for (size_t i = 0; i < list.n; i++)
        if (list.segments[i].n_rows > list.segments[at].n_rows)
            at = i;
    return arena_printf(&f->arena, "segments/%s", list.segments[at].name).p;
}

/* The right answer, or that of the others and a warning that names this file and a block. */
static bool
is_warned(struct fixture *f, const char *name, const char *definition, struct slice truth)
{
    struct slice got = report(f, definition);

    if (slice_equal(got, truth))
        return false;
    if (!has(got, "\"segment_left_out\"") || !has(got, strchr(name, '/') + 1))
        fail_msg("no warning that names %s: %.*s", name, SLICE_ARG(got));
    assert_int_equal(entered(got), 1); /* x is in the other file */
    return true;
}

static void
test_every_512_bytes_of_a_segment(void **state)
{
    struct fixture *f = *state;
    struct buffer told = BUFFER_EMPTY;
    struct slice truth, truth_of_paths;
    int n_found = 0, n_warned = 0, n_paths_only = 0, n_pages = 0;
    struct image image;
    const char *name;

    fill_segments(f);
    name = largest(f);
    truth = arena_copy(&f->arena, report(f, FUNNEL_OF_3));
    truth_of_paths = arena_copy(&f->arena, report(f, OF_PATHS));
    assert_int_equal(entered(truth), 1 + N_MANY / 2);
    image_take(f, name, &image);
    for (size_t at = 0; at < image.bytes.n; at += STEP) {
        for (int is_cut = 0; is_cut < 2; is_cut++) {
            bool is_found, is_of_events, is_of_paths;

            image_put_damaged(&image, at, is_cut);
            is_found = check(f, &told) != 0;
            is_of_events = is_warned(f, name, FUNNEL_OF_3, truth);
            is_of_paths = is_warned(f, name, OF_PATHS, truth_of_paths);
            if (is_found && !has(buffer_slice(&told), name))
                fail_msg("at %zu: %.*s", at, SLICE_ARG(buffer_slice(&told)));
            assert_true(is_found || !(is_cut || is_of_events || is_of_paths));
            assert_true(!is_cut || is_of_events);
            n_found += is_found;
            n_warned += is_of_events;
            n_paths_only += is_of_paths && !is_of_events; /* only who needs the block misses it */
            n_pages += has(buffer_slice(&told), " page ");
        }
    }
    image_put(&image);
    assert_int_equal(check(f, &told), 0);
    assert_true(slice_equal(report(f, FUNNEL_OF_3), truth));
    print_message("%zu bytes: %d damages found, %d warned of, %d only by who needs the block; of "
                  "%d the page is named\n",
                  image.bytes.n, n_found, n_warned, n_paths_only, n_pages);
    assert_true(n_paths_only > 50 && n_pages > 50);
    buffer_fini(&image.bytes);
    buffer_fini(&told);
}

/* ---- The catalog ---- */

/* A person of two ids, someone erased, a position, and a few commits. */
static void
fill_catalog(struct fixture *f)
{
    static const char *const rows[][2] = {{"F", "a"}, {"F", "identify"}, {"G", "identify"},
                                          {"G", "b"}, {"x", "a"},        {"erased", "a"}};
    struct catalog_advance advance = {
        .stream = STREAM_EVENTS, .epoch = "e", .to = {7, 1}, .n_entries = 9};
    struct catalog_change change = {.advance = &advance};
    struct slice erased = SLICE("erased");
    struct err err = ERR_NONE;

    assert_ok(catalog_position_reset(f->catalog, STREAM_EVENTS, NULL, "e", &err));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct event e =
            event_of(1, rows[i][0], rows[i][1], rows[i][1], JUNE_2026_MS + 1000 * (int64_t)i);

        if (strcmp(rows[i][1], "identify") == 0)
            e.text[TEXT_KNOWN] = SLICE("K");
        fixture_add(f, &e);
        fixture_commit(f);
        if (i == 4)
            assert_ok(catalog_commit(f->catalog, &change, &err));
    }
    assert_ok(catalog_erase(f->catalog, 1, &erased, 1, JUNE_2026_MS + DAY_MS, &err));
}

struct folder { /* what is beside the segments */
    struct image db, log, mark, erased;
    struct slice truth;
    struct buffer told;
    int n, n_warned, n_refused, n_found, n_repaired;
};

static const char *const names[] = {"catalog.db", "catalog.db-wal", "catalog.mark", "erased"};

static void
folder_take(struct fixture *f, struct folder *out, bool is_closed)
{
    struct image *images[] = {&out->db, &out->log, &out->mark, &out->erased};

    *out = (struct folder){.told = BUFFER_EMPTY};
    fill_catalog(f);
    out->truth = arena_copy(&f->arena, report(f, FUNNEL_OF_3));
    assert_int_equal(entered(out->truth), 2);
    if (is_closed) { /* the last to close writes the log into the database */
        snapshot_pool_close(&f->pool);
        catalog_close(&f->catalog);
    }
    for (int i = 0; i < 4; i++)
        image_take(f, names[i], images[i]);
    snapshot_pool_close(&f->pool);
    catalog_close(&f->catalog);
}

static void
folder_put(struct fixture *f, const struct folder *folder)
{
    char path[FILE_PATH_MAX];
    struct err err = ERR_NONE;

    store_path(&f->store, "catalog.db-shm", path);
    assert_ok(file_remove(path, &err));
    image_put(&folder->db);
    image_put(&folder->log);
    image_put(&folder->mark);
    image_put(&folder->erased);
}

static void
folder_fini(struct fixture *f, struct folder *folder)
{
    struct err err = ERR_NONE;

    folder_put(f, folder);
    assert_ok(catalog_open(&f->store, false, &f->catalog, &err));
    assert_ok(snapshot_pool_open(&f->store, &f->pool, &err));
    assert_true(slice_equal(report(f, FUNNEL_OF_3), folder->truth));
    assert_int_equal(check(f, &folder->told), 0);
    buffer_fini(&folder->db.bytes);
    buffer_fini(&folder->log.bytes);
    buffer_fini(&folder->mark.bytes);
    buffer_fini(&folder->erased.bytes);
    buffer_fini(&folder->told);
}

/* The answer that a damaged catalog gives is right, or comes with a warning, or there is none. */
static bool
ask_damaged(struct fixture *f, struct folder *folder)
{
    struct slice got = SLICE_EMPTY;
    struct err err = ERR_NONE;

    if (try_report(f, FUNNEL_OF_3, &got, &err) != ERR_OK) {
        assert_true(err.message[0] != '\0');
        folder->n_refused++;
        return true;
    }
    if (slice_equal(got, folder->truth))
        return false;
    if (has(got, "\"warnings\":[]"))
        fail_msg("another answer without a warning: %.*s", SLICE_ARG(got));
    folder->n_warned++;
    return true;
}

/* As `corong up` starts: whatever it was, all is there and right. */
static void
start_again(struct fixture *f, struct folder *folder, bool was_seen)
{
    struct slice got = SLICE_EMPTY;
    struct err err = ERR_NONE;

    snapshot_pool_close(&f->pool);
    assert_ok(repair_at_start(&f->store, collect, &folder->told, &err));
    assert_ok(try_report(f, FUNNEL_OF_3, &got, &err));
    if (!slice_equal(got, folder->truth))
        fail_msg("seen before: %d; after the repair: %.*s", was_seen, SLICE_ARG(got));
    if (check(f, &folder->told) != 0)
        fail_msg("%.*s", SLICE_ARG(buffer_slice(&folder->told)));
    snapshot_pool_close(&f->pool);
    folder->n_repaired++;
}

static void
damage_everywhere(struct fixture *f, struct folder *folder, const struct image *image, size_t step)
{
    for (size_t at = 0; at < image->bytes.n; at += step) {
        for (int is_cut = 0; is_cut < 2; is_cut++) {
            bool is_seen;

            folder_put(f, folder);
            image_put_damaged(image, at, is_cut);
            is_seen = ask_damaged(f, folder);
            snapshot_pool_close(&f->pool);
            if (check(f, &folder->told) != 0)
                folder->n_found++;
            else if (is_seen)
                fail_msg("check does not find what a report warns of: %s at %zu, cut %d",
                         image->path, at, is_cut);
            if (folder->n++ % REPAIRS == 0 || getenv("CORONG_TEST_FULL") != NULL)
                start_again(f, folder, is_seen);
        }
    }
    print_message("%s, %zu bytes: of %d damages %d warned of, %d without an answer, %d found by "
                  "check; %d repaired\n",
                  strrchr(image->path, '/') + 1, image->bytes.n, folder->n, folder->n_warned,
                  folder->n_refused, folder->n_found, folder->n_repaired);
}

static void
test_every_512_bytes_of_the_catalog(void **state)
{
    struct fixture *f = *state;
    struct folder folder;

    folder_take(f, &folder, true);
    damage_everywhere(f, &folder, &folder.db, STEP);
    assert_true(folder.n_refused + folder.n_warned > 20);
    folder_fini(f, &folder);
}

static void
test_every_512_bytes_of_its_log(void **state)
{
    struct fixture *f = *state;
    struct folder folder;

    folder_take(f, &folder, false);
    assert_true(folder.log.bytes.n > 20000);
    damage_everywhere(f, &folder, &folder.log, STEP);
    assert_true(folder.n_warned > 20); /* lost commits are noticed: catalog.mark */
    folder_fini(f, &folder);
}

static void
test_what_lies_beside_it(void **state)
{
    struct fixture *f = *state;
    struct folder folder;

    folder_take(f, &folder, true);
    damage_everywhere(f, &folder, &folder.mark, 3);
    damage_everywhere(f, &folder, &folder.erased, 3);
    assert_int_equal(folder.n_warned + folder.n_refused, 0); /* harmless by themselves */
    folder_fini(f, &folder);
}

static int
group_setup(void **state)
{
    (void)state;
    log_set_level((enum log_level)(LOG_ERROR + 1)); /* hundreds of lines about what is meant */
    return 0;
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_every_512_bytes_of_a_segment),
        CASE(test_every_512_bytes_of_the_catalog),
        CASE(test_every_512_bytes_of_its_log),
        CASE(test_what_lies_beside_it),
    };

    return cmocka_run_group_tests(tests, group_setup, NULL);
}
