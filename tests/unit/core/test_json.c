/* The pull parser: what it accepts, as which tokens; what it refuses, and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/buffer.h"
#include "core/json.h"
#include "tests/support/json_members.h"
#include "tests/unit/guard.h"

static struct guard guard;

/* The tokens of an input in one line: { } [ ] key: "string" number t f n, "." at the end, or
 * "! why". */
static void
describe(struct slice in, struct arena *a, struct buffer *out)
{
    struct json j;
    enum json_token t;

    json_members_agree(in, a);
    json_init(&j, in, a);
    buffer_clear(out);
    do {
        t = json_next(&j);
        switch (t) {
        case JSON_ERROR:
            buffer_printf(out, "! %s", j.error);
            assert_int_equal(json_next(&j), JSON_ERROR);
            break;
        case JSON_KEY:
            buffer_printf(out, "%.*s:", SLICE_ARG(j.text));
            break;
        case JSON_STRING:
            buffer_printf(out, "\"%.*s\"", SLICE_ARG(j.text));
            break;
        case JSON_NUMBER:
            buffer_printf(out, "%.*s", SLICE_ARG(j.text));
            break;
        default:
            buffer_add_char(out, " .{}[]   tfn"[t]);
        }
        if (t != JSON_ERROR && t != JSON_END)
            buffer_add_char(out, ' ');
    } while (t != JSON_ERROR && t != JSON_END);
}

struct row {
    const char *in;
    const char *out;
};

static void
check(const struct row *rows, size_t n)
{
    struct buffer got = BUFFER_EMPTY;
    struct arena a;

    arena_init(&a, 4096);
    for (size_t i = 0; i < n; i++) {
        describe(guard_copy(&guard, slice_from(rows[i].in)), &a, &got);
        if (!slice_is(buffer_slice(&got), rows[i].out))
            fail_msg("%s\n gave %.*s\n not  %s", rows[i].in, SLICE_ARG(buffer_slice(&got)),
                     rows[i].out);
    }
    buffer_fini(&got);
    arena_fini(&a);
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof *(rows))

static void
accepts_what_rfc_8259_accepts(void **state)
{
    static const struct row rows[] = {
        {"{}", "{ } ."},
        {"[]", "[ ] ."},
        {" \t\r\n[ ] \n", "[ ] ."},
        {"true", "t ."},
        {"null", "n ."},
        {"-0", "-0 ."},
        {"[0,-1,1.5,1e3,1E+3,-12.50e-7]", "[ 0 -1 1.5 1e3 1E+3 -12.50e-7 ] ."},
        {"{\"a\":1,\"b\":[true,false,null],\"c\":{\"d\":\"\"}}",
         "{ a: 1 b: [ t f n ] c: { d: \"\" } } ."},
        {"{ \"a\" : 1 , \"a\" : 2 }", "{ a: 1 a: 2 } ."}, /* doubled keys are the caller's to see */
        {"\"a\\\"\\\\\\/b\"", "\"a\"\\/b\" ."},
        {"\"\\u0041\\u00e9\\u20AC\"", "\"A\xC3\xA9\xE2\x82\xAC\" ."},
        {"\"\\ud83d\\ude00!\"", "\"\xF0\x9F\x98\x80!\" ."},
        {"\"\\udbff\\udfff\"", "\"\xF4\x8F\xBF\xBF\" ."},
        {"\"\xF0\x9F\x98\x80\"", "\"\xF0\x9F\x98\x80\" ."},
        {"\"\\b\\f\\n\\r\\t\"", "\"\b\f\n\r\t\" ."},
        {"[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]",
         "[ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ 1 ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ."},
    };
    (void)state;
    CHECK(rows);
}

static void
refuses_everything_else(void **state)
{
    static const struct row rows[] = {
        {"", "! the input ends where a value was expected"},
        {"  ", "! the input ends where a value was expected"},
        {"{} {}", "{ } ! something follows the value"},
        {"1,", "1 ! something follows the value"},
        {"[1,]", "[ 1 ! a value was expected"},
        {"[,1]", "[ ! a value was expected"},
        {"[1 2]", "[ 1 ! a comma or ] was expected"},
        {"[1}", "[ 1 ! a comma or ] was expected"},
        {"{\"a\":1]", "{ a: 1 ! a comma or } was expected"},
        {"{\"a\":1,}", "{ a: 1 ! a key in quotes was expected"},
        {"{a:1}", "{ ! a key in quotes was expected"},
        {"{\"a\"}", "{ ! a colon must follow a key"},
        {"{\"a\":}", "{ a: ! a value was expected"},
        {"{\"a\"", "{ ! a colon must follow a key"},
        {"[", "[ ! the input ends where a value was expected"},
        {"]", "! a value was expected"},
        {"[1", "[ 1 ! a comma or ] was expected"},
        {"[01]", "[ 0 ! a comma or ] was expected"},
        {"[-]", "[ ! a number needs digits"},
        {"[+1]", "[ ! a value was expected"},
        {"[.5]", "[ ! a value was expected"},
        {"[1.]", "[ ! digits must follow a number's point"},
        {"[1e]", "[ ! digits must follow a number's exponent"},
        {"1e+", "! digits must follow a number's exponent"},
        {"-", "! a number needs digits"},
        {"[NaN]", "[ ! a value was expected"},
        {"[Infinity]", "[ ! a value was expected"},
        {"tru", "! a value was expected"},
        {"truex", "t ! something follows the value"},
        {"[1]//", "[ 1 ] ! something follows the value"},
        {"'a'", "! a value was expected"},
        {"\"a", "! the input ends inside a string"},
        {"\"a\\", "! the input ends inside a string"},
        {"\"a\\\"", "! the input ends inside a string"},
        {"\"a\nb\"", "! a control character in a string"},
        {"\"\\x41\"", "! an unknown escape in a string"},
        {"\"\\u12\"", "! four hex digits must follow \\u"},
        {"\"\\u12g4\"", "! four hex digits must follow \\u"},
        {"\"\\ud83d\"", "! half a surrogate pair in a string"},
        {"\"\\ud83dx\"", "! half a surrogate pair in a string"},
        {"\"\\ud83d\\n\"", "! half a surrogate pair in a string"},
        {"\"\\ud83d\\u0041\"", "! half a surrogate pair in a string"},
        {"\"\\ud83d\\u00\"", "! four hex digits must follow \\u"},
        {"\"\\ude00\"", "! half a surrogate pair in a string"},
        {"\"\xFF\"", "! a string is not UTF-8"},
        {"\"\xC0\x80\"", "! a string is not UTF-8"},
        {"\"\xED\xA0\x80\"", "! a string is not UTF-8"},
        {"\xEF\xBB\xBF{}", "! a value was expected"},
        {"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]",
         "[ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ ! nested too deeply"},
    };
    (void)state;
    CHECK(rows);
}

static void
decodes_a_nul_as_any_other_character(void **state)
{
    struct arena a;
    struct json j;

    (void)state;
    arena_init(&a, 4096);
    json_init(&j, SLICE("\"a\\u0000b\""), &a);
    assert_int_equal(json_next(&j), JSON_STRING);
    assert_int_equal(j.text.n, 3);
    assert_memory_equal(j.text.p, "a\0b", 3);
    arena_fini(&a);
}

static void
skips_values_whole(void **state)
{
    struct slice raw;
    struct arena a;
    struct json j;

    (void)state;
    arena_init(&a, 4096);
    json_init(&j, SLICE("{\"a\": {\"b\":[1,{}]} ,\"c\":\"\\u0041\",\"d\":[ 1 , [2] ,true]}"), &a);
    assert_int_equal(json_next(&j), JSON_OBJECT);
    assert_int_equal(json_next(&j), JSON_KEY);
    assert_int_equal(json_skip_raw(&j, &raw), JSON_OBJECT);
    assert_true(slice_is(raw, "{\"b\":[1,{}]}"));
    assert_int_equal(json_next(&j), JSON_KEY);
    assert_int_equal(json_skip_raw(&j, &raw), JSON_STRING);
    assert_true(slice_is(raw, "\"\\u0041\""));
    assert_int_equal(json_next(&j), JSON_KEY);
    assert_true(slice_is(j.text, "d"));
    assert_int_equal(json_next(&j), JSON_ARRAY);
    assert_int_equal(json_skip_raw(&j, &raw), JSON_NUMBER);
    assert_true(slice_is(raw, "1"));
    assert_int_equal(json_skip_raw(&j, &raw), JSON_ARRAY);
    assert_true(slice_is(raw, "[2]"));
    assert_int_equal(json_skip_open(&j, 1), JSON_ARRAY_END);
    assert_int_equal(json_next(&j), JSON_OBJECT_END);
    assert_int_equal(json_next(&j), JSON_END);

    json_init(&j, SLICE("[{\"a\":[1,}]"), &a);
    assert_int_equal(json_next(&j), JSON_ARRAY);
    assert_int_equal(json_skip(&j), JSON_ERROR);
    assert_int_equal(json_skip_open(&j, 0), JSON_ERROR);
    arena_fini(&a);
}

/* Every beginning of a valid text is an error, never a read past its end and never a value. */
static void
every_prefix_fails(void **state)
{
    static const char text[] = "{\"k\\u00e9\":[-1.5e+3,\"\\ud83d\\ude00\",true,null,{\"\":false}]}";
    struct buffer got = BUFFER_EMPTY;
    struct arena a;

    (void)state;
    arena_init(&a, 4096);
    for (size_t n = 0; n < sizeof text - 1; n++) {
        describe(guard_copy(&guard, slice_of(text, n)), &a, &got);
        assert_true(slice_contains(buffer_slice(&got), SLICE("! ")));
    }
    buffer_fini(&got);
    arena_fini(&a);
}

/* Strings are read by eights: what ends or spoils one must be seen at every place. */
static void
every_place_of_a_string_is_looked_at(void **state)
{
    struct buffer got = BUFFER_EMPTY;
    char text[32];
    struct arena a;

    (void)state;
    arena_init(&a, 4096);
    for (size_t n = 1; n < 26; n++)
        for (size_t at = 0; at < n; at++) {
            static const struct row rows[] = {
                {"\x1f", "! a control character in a string"},
                {"\xff", "! a string is not UTF-8"},
                {"\\", "! an unknown escape in a string"},
                {"\"", "! something follows the value"},
            };
            for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
                memset(text, 'x', sizeof text);
                text[0] = text[n + 1] = '"';
                text[at + 1] = rows[k].in[0];
                if (k == 2 && at + 1 == n)
                    continue; /* the closing quote is the escaped one */
                describe(guard_copy(&guard, slice_of(text, n + 2)), &a, &got);
                assert_true(slice_ends_with(buffer_slice(&got), slice_from(rows[k].out)));
            }
        }
    buffer_fini(&got);
    arena_fini(&a);
}

/* As machines write events: every prefix, and every byte of it changed. */
static void
members_in_one_go_are_members(void **state)
{
    static const char line[] = "{\"visitor\":\"5692161d100b05e56447\",\"time\":1780315200123,"
                               "\"event\":\"pageview\",\"n\":-1.5e3,\"properties\":{\"a\":1,"
                               "\"b\":[{\"c\":\"d\"},2],\"e\":null},\"empty\":\"\",\"t\":true}";
    static const char others[] = "\"\\,:{}[]0 \t\x7F\x1F\xC3";
    char bytes[sizeof line];
    struct arena a;

    (void)state;
    arena_init(&a, 4096);
    for (size_t n = 0; n < sizeof line; n++)
        json_members_agree(guard_copy(&guard, slice_of(line, n)), &a);
    for (size_t i = 0; i < sizeof line - 1; i++)
        for (size_t k = 0; k < sizeof others - 1; k++) {
            memcpy(bytes, line, sizeof line);
            bytes[i] = others[k];
            json_members_agree(slice_of(bytes, sizeof line - 1), &a);
        }
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_what_rfc_8259_accepts),
        cmocka_unit_test(refuses_everything_else),
        cmocka_unit_test(decodes_a_nul_as_any_other_character),
        cmocka_unit_test(skips_values_whole),
        cmocka_unit_test(every_prefix_fails),
        cmocka_unit_test(members_in_one_go_are_members),
        cmocka_unit_test(every_place_of_a_string_is_looked_at),
    };

    guard = guard_create(4096);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
