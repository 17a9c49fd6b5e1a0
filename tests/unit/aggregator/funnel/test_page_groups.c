/* A site's names for groups of paths: what is taken, what is refused and where, what is whose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aggregator/funnel/page_groups.h"

static void
test_the_first_group_that_covers_the_path_names_it(void **state)
{
    static const char json[] = "[{\"name\":\"Home\",\"globs\":[\"/\"]},"
                               "{\"name\":\"Sale\",\"globs\":[\"/p/*/sale\",\"/sale/**\"]},"
                               "{\"name\":\"Products\",\"globs\":[\"/p/**\"]},"
                               "{\"name\":\"Pages\",\"globs\":[\"**.html\"]}]";
    static const struct {
        const char *path, *name;
    } rows[] = {
        {"/", "Home"},
        {"/p/1", "Products"},
        {"/p/1/sale", "Sale"},
        {"/p/1/2/sale", "Products"},
        {"/sale/a/b", "Sale"},
        {"/sale", ""},
        {"/a/b.html", "Pages"},
        {"/p", ""},
        {"", ""},
    };
    struct page_groups groups;
    struct buffer out = BUFFER_EMPTY;
    struct err err = ERR_NONE;
    struct arena a;

    (void)state;
    arena_init(&a, 4096);
    assert_int_equal(page_groups_parse(slice_from(json), &a, &groups, &err), ERR_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!slice_is(page_groups_of(&groups, slice_from(rows[i].path)), rows[i].name))
            fail_msg("%s", rows[i].path);
    assert_int_equal(page_groups_of(NULL, SLICE("/")).n, 0);
    page_groups_add_json(&out, &groups);
    assert_true(slice_is(buffer_slice(&out), json));
    buffer_fini(&out);
    assert_int_equal(page_groups_parse(SLICE(""), &a, &groups, &err), ERR_OK);
    assert_int_equal(groups.n, 0);
    arena_fini(&a);
}

static void
test_refused(void **state)
{
    static const struct {
        const char *json, *field;
    } rows[] = {
        {"{}", ""},
        {"[1]", "[0]"},
        {"[{\"name\":\"A\"}]", "[0].globs"},
        {"[{\"name\":\"A\",\"globs\":[]}]", "[0].globs"},
        {"[{\"name\":\"\",\"globs\":[\"/\"]}]", "[0].name"},
        {"[{\"globs\":[\"/\"]}]", "[0].name"},
        {"[{\"name\":\"A\",\"globs\":[\"/\"],\"x\":1}]", "[0].x"},
        {"[{\"name\":\"A\",\"globs\":[\"/\",1]}]", "[0].globs[1]"},
        {"[{\"name\":\"A\",\"globs\":[\"p/1\"]}]", "[0].globs[0]"},
        {"[{\"name\":\"A\",\"globs\":[\"/\\n\"]}]", "[0].globs[0]"},
        {"[{\"name\":\"A\",\"globs\":[\"/\"]},{\"name\":\"A\",\"globs\":[\"/b\"]}]", "[1].name"},
    };
    struct arena a;

    (void)state;
    arena_init(&a, 4096);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct page_groups groups;
        struct err err = ERR_NONE;

        if (page_groups_parse(slice_from(rows[i].json), &a, &groups, &err) != ERR_INVALID)
            fail_msg("accepted: %s", rows[i].json);
        if (strcmp(err.field, rows[i].field) != 0)
            fail_msg("%s\nfield \"%s\": %s", rows[i].json, err.field, err.message);
    }
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_group_that_covers_the_path_names_it),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
