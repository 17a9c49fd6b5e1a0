/* Which values stay where there are too many: the most frequent ones, in order of their texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aggregator/segment/merge_int.h"

#define VALUES_MAX 8

static void
test_the_most_frequent_stay(void **state)
{
    static const struct {
        uint32_t max, n;
        const char *values[VALUES_MAX]; /* in order */
        uint32_t counts[VALUES_MAX];
        const char *folded; /* what each of them becomes */
    } rows[] = {
        {2, 4, {"a", "b", "c", "d"}, {1, 9, 2, 3}, "(other) b (other) d "},
        {2, 3, {"a", "b", "c"}, {1, 1, 1}, "a b (other) "},
        {1, 2, {"a", "b"}, {1, 2}, "(other) b "},
        /* before, behind and between others; a byte below '(' too */
        {1, 3, {"!", "#", "z"}, {1, 5, 1}, "(other) # (other) "},
        {2, 3, {"!", "#", "z"}, {5, 1, 5}, "! (other) z "},
        /* what was folded before stays so, however rare, and takes no one's place */
        {2, 4, {"(other)", "a", "b", "c"}, {1, 2, 3, 4}, "(other) (other) b c "},
        {2, 4, {"!", "(other)", "a", "b"}, {7, 90, 2, 3}, "! (other) (other) b "},
        {2, 3, {"(other)", "a", "b"}, {1, 2, 3}, "(other) a b "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice *values = mem_alloc(VALUES_MAX * sizeof *values);
        uint32_t counts[VALUES_MAX + 1] = {0}, renumber[VALUES_MAX + 1], n;
        char got[100] = "";

        for (uint32_t k = 0; k < rows[i].n; k++) {
            values[k] = slice_from(rows[i].values[k]);
            counts[k + 1] = rows[i].counts[k];
        }
        n = segment__fold(&values, rows[i].n, counts, rows[i].max, renumber);
        assert_true(n <= rows[i].max + 1);
        for (uint32_t k = 1; k < n; k++)
            assert_true(slice_compare(values[k - 1], values[k]) < 0);
        assert_int_equal(renumber[0], 0);
        for (uint32_t k = 1; k <= rows[i].n; k++) {
            assert_true(renumber[k] >= 1 && renumber[k] <= n);
            snprintf(got + strlen(got), sizeof got - strlen(got), "%.*s ",
                     SLICE_ARG(values[renumber[k] - 1]));
        }
        assert_string_equal(got, rows[i].folded);
        free(values);
    }
}

static void
test_ids_never_fold(void **state)
{
    (void)state;
    assert_int_equal(segment__values_max(BLOCK_TEXT, TEXT_ORDER), UINT32_MAX);
    assert_int_equal(segment__values_max(BLOCK_TEXT, TEXT_KNOWN), UINT32_MAX);
    assert_int_equal(segment__values_max(BLOCK_TEXT, TEXT_CLICK_ID), UINT32_MAX);
    assert_int_equal(segment__values_max(BLOCK_TEXT, TEXT_PATH), 1000000);
    assert_int_equal(segment__values_max(BLOCK_TEXT, TEXT_QUERY), 1000000);
    assert_int_equal(segment__values_max(BLOCK_TEXT, TEXT_KEYWORD), 200000);
    /* the number of a property is no event_text */
    assert_int_equal(segment__values_max(BLOCK_PROPERTY, TEXT_ORDER), 200000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_most_frequent_stay),
        cmocka_unit_test(test_ids_never_fold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
