#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/buffer.h"
#include "core/slice.h"

static void
utf8_is_checked_by_the_standard_table(void **state)
{
    static const struct {
        const char *bytes;
        bool is_good;
    } rows[] = {
        {"", true},
        {"plain", true},
        {"\xC3\xA9", true},
        {"\xE2\x82\xAC", true},
        {"\xF0\x9F\x98\x80", true},
        {"\xF4\x8F\xBF\xBF", true},
        {"\xC0\x80", false},         /* overlong */
        {"\xE0\x80\x80", false},     /* overlong */
        {"\xED\xA0\x80", false},     /* surrogate */
        {"\xF4\x90\x80\x80", false}, /* over U+10FFFF */
        {"\xE2\x82", false},         /* cut */
        {"\x80", false},
        {"\xFF", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(slice_is_utf8(slice_from(rows[i].bytes)), rows[i].is_good);
}

static void
cutting_keeps_whole_characters(void **state)
{
    struct slice s = SLICE("a\xE2\x82\xAC"
                           "b");

    (void)state;
    assert_int_equal(slice_utf8_cut(s, 10), 5);
    assert_int_equal(slice_utf8_cut(s, 4), 4);
    assert_int_equal(slice_utf8_cut(s, 3), 1);
    assert_int_equal(slice_utf8_cut(s, 1), 1);
    assert_int_equal(slice_utf8_cut(s, 0), 0);
}

static void
integers_are_whole_and_in_range(void **state)
{
    int64_t v = 7;

    (void)state;
    assert_true(slice_to_int64(SLICE("-9223372036854775808"), &v));
    assert_true(v == INT64_MIN);
    assert_true(slice_to_int64(SLICE("9223372036854775807"), &v));
    assert_true(v == INT64_MAX);
    assert_false(slice_to_int64(SLICE("9223372036854775808"), &v));
    assert_false(slice_to_int64(SLICE(""), &v));
    assert_false(slice_to_int64(SLICE("-"), &v));
    assert_false(slice_to_int64(SLICE("+1"), &v));
    assert_false(slice_to_int64(SLICE("1 "), &v));
    assert_false(slice_to_int64(SLICE("0x1"), &v));
    assert_true(v == INT64_MAX);
}

static void
order_is_that_of_bytes(void **state)
{
    (void)state;
    assert_true(slice_compare(SLICE("a"), SLICE("b")) < 0);
    assert_true(slice_compare(SLICE("a"), SLICE("ab")) < 0);
    assert_true(slice_compare(SLICE("\xC3\xA9"), SLICE("z")) > 0);
    assert_int_equal(slice_compare(SLICE(""), SLICE_EMPTY), 0);
}

static void
finds_places_in_sorted_rows(void **state)
{
    static const struct {
        const char *text;
        int other;
    } rows[] = {{"a", 1}, {"ab", 2}, {"ab", 3}, {"b", 4}, {"\xC3\xA9", 5}};
    static const struct {
        struct slice wanted;
        size_t place;
    } cases[] = {
        {SLICE(""), 0},     {SLICE("a"), 0},        {SLICE("a\0"), 1},  {SLICE("aa"), 1},
        {SLICE("ab"), 1},   {SLICE("abc"), 3},      {SLICE("b"), 3},    {SLICE("z"), 4},
        {SLICE("\xC3"), 4}, {SLICE("\xC3\xA9"), 4}, {SLICE("\xFF"), 5},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(slice_lower_bound(rows, 5, sizeof *rows, cases[i].wanted), cases[i].place);
    assert_int_equal(slice_lower_bound(rows, 0, sizeof *rows, SLICE("a")), 0);
}

static void
cut_find_trim(void **state)
{
    struct slice head;
    struct slice rest;

    (void)state;
    assert_true(slice_cut(SLICE("k=v=w"), '=', &head, &rest));
    assert_true(slice_is(head, "k") && slice_is(rest, "v=w"));
    assert_false(slice_cut(SLICE("kv"), '=', &head, &rest));
    assert_true(slice_is(head, "kv") && rest.n == 0);
    assert_true(slice_is(slice_trim(SLICE(" \t a b\r\n")), "a b"));
    assert_int_equal(slice_find(SLICE("abc"), 'c', 1), 2);
    assert_int_equal(slice_find(SLICE("abc"), 'a', 1), 3);
    assert_true(slice_contains(SLICE("abc"), SLICE("bc")));
    assert_false(slice_contains(SLICE("abc"), SLICE("cb")));
}

/* Checked by eights where all is ASCII: the same answer as character by character. */
static void
utf8_is_checked_at_every_place(void **state)
{
    static const struct {
        const char *bytes;
        bool is_good;
    } rows[] = {{"\xC3\xA9", true}, {"\xC3(", false}, {"\x80", false}, {"\xF0\x9F\x98\x80", true}};
    char text[32];

    (void)state;
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
        for (size_t n = strlen(rows[k].bytes); n < 26; n++)
            for (size_t at = 0; at + strlen(rows[k].bytes) <= n; at++) {
                memset(text, 'x', sizeof text);
                memcpy(text + at, rows[k].bytes, strlen(rows[k].bytes));
                assert_int_equal(slice_is_utf8(slice_of(text, n)), rows[k].is_good);
            }
}

static void
numbers_are_written_in_digits(void **state)
{
    struct buffer b = BUFFER_EMPTY;

    (void)state;
    buffer_add_number(&b, 0);
    buffer_add_char(&b, ' ');
    buffer_add_number(&b, 1234567890);
    buffer_add_char(&b, ' ');
    buffer_add_number(&b, UINT64_MAX);
    assert_true(slice_is(buffer_slice(&b), "0 1234567890 18446744073709551615"));
    buffer_fini(&b);
}

/* Each byte at each place of texts of all lengths around a block. */
static void
plain_text_is_printable_ascii(void **state)
{
    static const struct {
        char byte;
        bool is_plain;
    } rows[] = {{' ', true},     {'~', true},   {'"', true},   {'\\', false},   {'\x7F', false},
                {'\x1F', false}, {'\n', false}, {'\0', false}, {'\x80', false}, {'\xFF', false}};
    char text[40];

    (void)state;
    for (size_t n = 0; n <= sizeof text; n++) {
        memset(text, 'x', sizeof text);
        assert_true(slice_is_plain(slice_of(text, n)));
        for (size_t at = 0; at < n; at++)
            for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
                text[at] = rows[k].byte;
                assert_int_equal(slice_is_plain(slice_of(text, n)), rows[k].is_plain);
                text[at] = 'x';
            }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_checked_by_the_standard_table),
        cmocka_unit_test(cutting_keeps_whole_characters),
        cmocka_unit_test(integers_are_whole_and_in_range),
        cmocka_unit_test(order_is_that_of_bytes),
        cmocka_unit_test(finds_places_in_sorted_rows),
        cmocka_unit_test(cut_find_trim),
        cmocka_unit_test(utf8_is_checked_at_every_place),
        cmocka_unit_test(numbers_are_written_in_digits),
        cmocka_unit_test(plain_text_is_printable_ascii),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
