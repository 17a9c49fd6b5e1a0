/* Entries that could not be read: listed with why, read again once they can be, nothing twice. */
#include "aggregator/bad_entry.h"
#include "core/codec.h"
#include "tests/unit/aggregator/fixture.h"

#define TIME_MS (JUNE_2026_MS + 5)

/* A batch of events a and b of a visitor. */
static void
add_batch(struct buffer *batch)
{
    struct event a = event_of(1, "v", "1", "a", JUNE_2026_MS);
    struct event b = event_of(1, "v", "2", "b", JUNE_2026_MS + 1);
    struct err err = ERR_NONE;

    codec_batch_begin(batch);
    assert_ok(codec_batch_add(batch, &a, &err));
    assert_ok(codec_batch_add(batch, &b, &err));
}

static void
keep(struct fixture *f, uint64_t seq, struct slice bytes)
{
    struct stream_entry entry = {{TIME_MS, seq}, bytes};
    struct err err = ERR_NONE;

    assert_ok(bad_entry_keep(&f->store, &entry, &err));
}

static size_t
list(struct fixture *f, struct bad_entry **out)
{
    struct err err = ERR_NONE;
    size_t n = 99;

    assert_ok(bad_entry_list(&f->store, &f->arena, out, &n, &err));
    return n;
}

static struct bad_entry_replay
replay(struct fixture *f)
{
    struct bad_entry_replay result = {0};
    struct err err = ERR_NONE;

    assert_ok(bad_entry_replay(&f->store, &result, &err));
    return result;
}

static size_t
n_alarms(struct fixture *f)
{
    struct catalog_alarm *alarms = NULL;
    struct err err = ERR_NONE;
    size_t n = 99;

    assert_ok(catalog_alarms(f->catalog, &f->arena, &alarms, &n, &err));
    return n;
}

static void
test_none(void **state)
{
    struct fixture *f = *state;
    struct bad_entry *entries;

    assert_int_equal(list(f, &entries), 0);
    assert_int_equal(replay(f).n_entries, 0);
}

static void
test_what_cannot_be_read_stays(void **state)
{
    struct fixture *f = *state;
    struct buffer batch = BUFFER_EMPTY;
    struct bad_entry *entries;
    struct bad_entry_replay result;
    struct err err = ERR_NONE;

    add_batch(&batch);
    batch.p[batch.n - 1] ^= 1; /* the second event */
    keep(f, 1, SLICE("nonsense"));
    keep(f, 0, buffer_slice(&batch));
    assert_ok(catalog_alarm_raise(f->catalog, "bad_records", 2, "two", &err));
    assert_int_equal(list(f, &entries), 2);
    assert_int_equal(entries[0].id.ms, TIME_MS);
    assert_int_equal(entries[0].id.seq, 0);
    assert_int_equal(entries[0].n_bytes, batch.n);
    assert_int_equal(entries[0].n_events, 1);
    assert_int_equal(entries[0].n_bad, 1);
    assert_true(entries[0].reason.n != 0);
    assert_int_equal(entries[1].n_events, 0);
    for (int i = 0; i < 2; i++) {
        result = replay(f);
        assert_int_equal(result.n_entries, 0);
        assert_int_equal(result.n_events, 1);
        assert_int_equal(result.n_left, 2);
    }
    assert_int_equal(list(f, &entries), 2);
    assert_int_equal(n_alarms(f), 1);
    buffer_fini(&batch);
}

/* As after an update: ingest has stored the first event, and now both can be read. */
static void
test_replay_stores_nothing_twice(void **state)
{
    struct fixture *f = *state;
    struct event a = event_of(1, "v", "1", "a", JUNE_2026_MS);
    struct event b = event_of(1, "v", "2", "b", JUNE_2026_MS + 1);
    struct buffer batch = BUFFER_EMPTY;
    struct bad_entry *entries;
    struct query_person person;
    struct err err = ERR_NONE;

    fixture_add(f, &a);
    fixture_commit(f);
    add_batch(&batch);
    keep(f, 0, buffer_slice(&batch));
    assert_ok(catalog_alarm_raise(f->catalog, "bad_records", 1, "one", &err));
    assert_int_equal(list(f, &entries), 1);
    assert_int_equal(entries[0].n_bad, 0);
    assert_int_equal(replay(f).n_entries, 1);
    assert_int_equal(list(f, &entries), 0);
    assert_int_equal(n_alarms(f), 0);
    keep(f, 0, buffer_slice(&batch)); /* as after a crash between the commit and the removal */
    assert_int_equal(replay(f).n_entries, 1);
    assert_ok(query_person(f->pool, 1, SLICE("v"), 10, &f->arena, &person, &err));
    assert_int_equal(person.n_events, 2);
    assert_true(slice_equal(person.events[1].id, b.id));
    buffer_fini(&batch);
}

static void
test_of_a_newer_version(void **state)
{
    struct fixture *f = *state;
    struct buffer batch = BUFFER_EMPTY;
    struct bad_entry *entries;
    struct err err = ERR_NONE;

    assert_ok(
        file_read(CORONG_SOURCE_DIR "/tests/fuzz/corpus/codec/batch_newer", 1 << 16, &batch, &err));
    keep(f, 0, buffer_slice(&batch));
    assert_int_equal(list(f, &entries), 1);
    assert_int_equal(entries[0].n_events, 0);
    assert_int_equal(entries[0].n_bad, 1);
    assert_contains(entries[0].reason, "newer");
    assert_int_equal(replay(f).n_left, 1);
    buffer_fini(&batch);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_none),
        CASE(test_what_cannot_be_read_stays),
        CASE(test_replay_stores_nothing_twice),
        CASE(test_of_a_newer_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
