/* Snapshots that are kept, so that a list is answered from the files of its report. */
#include "tests/unit/aggregator/fixture.h"

static void
add_event(struct fixture *f, const char *visitor)
{
    struct event e = event_of(1, visitor, "", "a", JUNE_2026_MS);

    e.id = slice_from(visitor);
    fixture_add(f, &e);
    fixture_commit(f);
}

/* Take and keep the newest; its name. */
static struct slice
keep(struct fixture *f, struct snapshot_scope scope)
{
    const struct snapshot *snapshot = NULL;
    struct slice name;
    struct err err = ERR_NONE;

    assert_ok(snapshot_take(f->pool, scope, &snapshot, &err));
    snapshot_keep(f->pool, snapshot);
    name = arena_copy(&f->arena, slice_from(snapshot->name));
    snapshot_release(f->pool, &snapshot);
    return name;
}

static void
test_kept(void **state)
{
    struct fixture *f = *state;
    const struct snapshot *snapshot = NULL;
    struct err err = ERR_NONE;
    struct slice first, second;

    add_event(f, "ann");
    first = keep(f, SNAPSHOT_WHOLE(1));
    add_event(f, "bob");
    second = keep(f, SNAPSHOT_WHOLE(1));
    assert_false(slice_equal(first, second));
    for (int i = 0; i < 2; i++) {
        assert_ok(snapshot_take_kept(f->pool, first, SNAPSHOT_WHOLE(1), &snapshot, &err));
        assert_int_equal(snapshot->n, 1);
        snapshot_release(f->pool, &snapshot);
        assert_ok(snapshot_take_kept(f->pool, second, SNAPSHOT_WHOLE(1), &snapshot, &err));
        assert_int_equal(snapshot->n, 2);
        snapshot_release(f->pool, &snapshot);
    }
}

static void
test_not_kept(void **state)
{
    struct fixture *f = *state;
    struct snapshot_scope other = SNAPSHOT_WHOLE(1);
    const struct snapshot *snapshot = NULL;
    struct err err = ERR_NONE;
    struct slice name;

    add_event(f, "ann");
    assert_rc(snapshot_take_kept(f->pool, SLICE("c1-00"), SNAPSHOT_WHOLE(1), &snapshot, &err),
              ERR_NOT_FOUND);
    name = keep(f, SNAPSHOT_WHOLE(1));
    other.as_of_ms = JUNE_2026_MS;
    assert_rc(snapshot_take_kept(f->pool, name, other, &snapshot, &err), ERR_NOT_FOUND);
    assert_rc(snapshot_take_kept(f->pool, name, SNAPSHOT_WHOLE(2), &snapshot, &err), ERR_NOT_FOUND);
    assert_null(snapshot);
    for (int i = 0; i < SNAPSHOT_KEPT_MAX - 1; i++)
        keep(f, other);
    assert_ok(snapshot_take_kept(f->pool, name, SNAPSHOT_WHOLE(1), &snapshot, &err));
    keep(f, other); /* one too many: the oldest goes, and stays with who has it */
    assert_int_equal(snapshot->n, 1);
    snapshot_release(f->pool, &snapshot);
    assert_rc(snapshot_take_kept(f->pool, name, SNAPSHOT_WHOLE(1), &snapshot, &err), ERR_NOT_FOUND);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kept, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_not_kept, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
