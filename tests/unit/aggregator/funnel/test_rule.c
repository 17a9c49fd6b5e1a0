/* What every operator holds for, through definition and matcher; folding, globs and expressions on
 * their own; programs of rules against the tree they came from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "aggregator/funnel/fold.h"
#include "aggregator/funnel/glob.h"
#include "aggregator/funnel/matcher.h"
#include "aggregator/funnel/regex.h"

struct subject {
    struct funnel *funnel;
    struct matcher *matcher;
    struct leaf_scratch *scratch;
};

/* A funnel whose first stage has the rule. */
static void
subject_init(struct subject *s, const char *rule)
{
    struct buffer b = BUFFER_EMPTY;
    struct err err = ERR_NONE;

    buffer_printf(&b,
                  "{\"window\":\"1d\",\"stages\":[{\"name\":\"1\",\"rule\":%s},{\"name\":\"2\","
                  "\"rule\":{\"attribute\":\"event\",\"op\":\"is\",\"values\":[\"never\"]}}]}",
                  rule);
    if (funnel_parse(buffer_slice(&b), &s->funnel, &err) != ERR_OK)
        fail_msg("%s\n%s: %s", rule, err.field, err.message);
    assert_int_equal(matcher_create(s->funnel, NULL, 0, &s->matcher, NULL), ERR_OK);
    s->scratch = leaf_scratch_create();
    buffer_fini(&b);
}

static void
subject_fini(struct subject *s)
{
    leaf_scratch_destroy(&s->scratch);
    matcher_destroy(&s->matcher);
    funnel_destroy(&s->funnel);
}

static bool
holds(const char *rule, const struct event *e)
{
    struct subject s;
    struct masks masks;

    subject_init(&s, rule);
    assert_int_equal(matcher_event(s.matcher, s.scratch, e, &masks, NULL), ERR_OK);
    assert_int_equal(masks.exclusions, 0);
    subject_fini(&s);
    return masks.stages == 1;
}

/* ---- Texts ---- */

static void
test_text_operators(void **state)
{
    static const struct {
        const char *test; /* op and values */
        const char *path; /* "" = not set */
        bool holds;
    } rows[] = {
        {"\"op\":\"is\",\"values\":[\"/a\",\"/b\"]", "/b", true},
        {"\"op\":\"is\",\"values\":[\"/a\",\"/b\"]", "/c", false},
        {"\"op\":\"is\",\"values\":[\"/a\"]", "/A", false},
        {"\"op\":\"is\",\"values\":[\"/a\"],\"ignore_case\":true", "/A", true},
        {"\"op\":\"is\",\"values\":[\"/A\"],\"ignore_case\":true", "/a", true},
        {"\"op\":\"is\",\"values\":[\"/STRA\\u1e9eE\"],\"ignore_case\":true", "/stra\u00dfe", true},
        {"\"op\":\"is\",\"values\":[\"/strasse\"],\"ignore_case\":true", "/stra\u00dfe", false},
        {"\"op\":\"is\",\"values\":[\"\\u03a3\"],\"ignore_case\":true", "\u03c2", true},
        {"\"op\":\"is\",\"values\":[\"/a\"]", "", false},
        {"\"op\":\"is\",\"values\":[\"\"]", "", false},
        {"\"op\":\"is_not\",\"values\":[\"/a\",\"/b\"]", "/b", false},
        {"\"op\":\"is_not\",\"values\":[\"/a\"]", "/c", true},
        {"\"op\":\"is_not\",\"values\":[\"/a\"]", "", true},
        {"\"op\":\"contains\",\"values\":[\"x\",\"/b\"]", "/a/b/c", true},
        {"\"op\":\"contains\",\"values\":[\"\"]", "/a", true},
        {"\"op\":\"contains\",\"values\":[\"\"]", "", false},
        {"\"op\":\"contains\",\"values\":[\"B\"],\"ignore_case\":true", "/a/b", true},
        {"\"op\":\"not_contains\",\"values\":[\"b\"]", "/a/b", false},
        {"\"op\":\"not_contains\",\"values\":[\"b\"]", "", true},
        {"\"op\":\"starts_with\",\"values\":[\"/a\"]", "/a/b", true},
        {"\"op\":\"starts_with\",\"values\":[\"/a/b/c\"]", "/a/b", false},
        {"\"op\":\"ends_with\",\"values\":[\"b\"]", "/a/b", true},
        {"\"op\":\"ends_with\",\"values\":[\"B\"]", "/a/b", false},
        {"\"op\":\"glob\",\"values\":[\"/p/*\"]", "/p/1", true},
        {"\"op\":\"glob\",\"values\":[\"/p/*\"]", "/p/1/2", false},
        {"\"op\":\"glob\",\"values\":[\"/P/**\"],\"ignore_case\":true", "/p/1/2", true},
        {"\"op\":\"regex\",\"values\":[\"^/p/\\\\d+$\"]", "/p/12", true},
        {"\"op\":\"regex\",\"values\":[\"x\",\"\\\\d\"]", "/p/1", true},
        {"\"op\":\"regex\",\"values\":[\"p\"]", "/p", true},
        {"\"op\":\"regex\",\"values\":[\"^p\"]", "/p", false},
        {"\"op\":\"regex\",\"values\":[\"P\"],\"ignore_case\":true", "/p", true},
        {"\"op\":\"regex\",\"values\":[\"^\\u00c9.$\"],\"ignore_case\":true", "\u00e9\u00e9", true},
        {"\"op\":\"regex\",\"values\":[\"^$\"]", "", false},
        {"\"op\":\"set\"", "/", true},
        {"\"op\":\"set\"", "", false},
        {"\"op\":\"not_set\"", "", true},
        {"\"op\":\"not_set\"", "/", false},
    };
    char rule[256];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct event e = {.time_ms = 0};

        e.text[TEXT_PATH] = slice_from(rows[i].path);
        snprintf(rule, sizeof rule, "{\"attribute\":\"path\",%s}", rows[i].test);
        if (holds(rule, &e) != rows[i].holds)
            fail_msg("%s on \"%s\"", rule, rows[i].path);
    }
}

/* ---- Numbers ---- */

static void
test_number_operators(void **state)
{
    static const struct {
        const char *test;
        int64_t units; /* of `value` */
        const char *currency;
        bool holds;
    } rows[] = {
        /* major units, whatever the currency */
        {"\"op\":\"eq\",\"values\":[12.5]", 1250, "USD", true},
        {"\"op\":\"eq\",\"values\":[12.5]", 1250, "", true},
        {"\"op\":\"eq\",\"values\":[12.5]", 1250, "JPY", false},
        {"\"op\":\"eq\",\"values\":[1250]", 1250, "JPY", true},
        {"\"op\":\"eq\",\"values\":[1.25]", 1250, "KWD", true},
        {"\"op\":\"eq\",\"values\":[0.125]", 1250, "CLF", true},
        {"\"op\":\"eq\",\"values\":[12.501]", 1250, "USD", false},
        {"\"op\":\"ne\",\"values\":[12.5]", 1250, "USD", false},
        {"\"op\":\"ne\",\"values\":[12.501]", 1250, "USD", true},
        {"\"op\":\"lt\",\"values\":[12.5]", 1250, "USD", false},
        {"\"op\":\"lt\",\"values\":[12.501]", 1250, "USD", true},
        {"\"op\":\"lt\",\"values\":[12.499]", 1250, "USD", false},
        {"\"op\":\"le\",\"values\":[12.5]", 1250, "USD", true},
        {"\"op\":\"le\",\"values\":[12.499]", 1250, "USD", false},
        {"\"op\":\"gt\",\"values\":[12.5]", 1250, "USD", false},
        {"\"op\":\"gt\",\"values\":[12.499]", 1250, "USD", true},
        {"\"op\":\"ge\",\"values\":[12.5]", 1250, "USD", true},
        {"\"op\":\"ge\",\"values\":[12.501]", 1250, "USD", false},
        {"\"op\":\"between\",\"values\":[12.5,13]", 1250, "USD", true},
        {"\"op\":\"between\",\"values\":[12,12.5]", 1250, "USD", true},
        {"\"op\":\"between\",\"values\":[12.501,13]", 1250, "USD", false},
        {"\"op\":\"between\",\"values\":[13,12]", 1250, "USD", false},
        /* below zero the floor lies further out */
        {"\"op\":\"eq\",\"values\":[-12.5]", -1250, "USD", true},
        {"\"op\":\"lt\",\"values\":[-12.499]", -1250, "USD", true},
        {"\"op\":\"lt\",\"values\":[-12.501]", -1250, "USD", false},
        {"\"op\":\"gt\",\"values\":[-12.501]", -1250, "USD", true},
        {"\"op\":\"le\",\"values\":[-12.505]", -1251, "USD", true},
        {"\"op\":\"le\",\"values\":[-12.505]", -1250, "USD", false},
        {"\"op\":\"ge\",\"values\":[0]", 0, "USD", true},
        {"\"op\":\"gt\",\"values\":[0]", 0, "USD", false},
        /* beyond any event's number, and beyond a double's digits */
        {"\"op\":\"lt\",\"values\":[1e30]", 9000000000000000, "USD", true},
        {"\"op\":\"gt\",\"values\":[-1e30]", -9000000000000000, "USD", true},
        {"\"op\":\"eq\",\"values\":[1e30]", 9000000000000000, "USD", false},
        {"\"op\":\"eq\",\"values\":[\"89999999999999.99\"]", 8999999999999999, "USD", true},
        {"\"op\":\"eq\",\"values\":[\"89999999999999.98\"]", 8999999999999999, "USD", false},
        {"\"op\":\"set\"", 0, "USD", true},
        {"\"op\":\"not_set\"", 0, "USD", false},
    };
    char rule[256];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct event e = {.time_ms = 0};

        e.text[TEXT_CURRENCY] = slice_from(rows[i].currency);
        event_set_number(&e, NUMBER_VALUE, rows[i].units);
        snprintf(rule, sizeof rule, "{\"attribute\":\"value\",%s}", rows[i].test);
        if (holds(rule, &e) != rows[i].holds)
            fail_msg("%s on %lld %s", rule, (long long)rows[i].units, rows[i].currency);
    }
}

static void
test_absent_numbers(void **state)
{
    struct event e = {.time_ms = 0};

    (void)state;
    assert_false(holds("{\"attribute\":\"value\",\"op\":\"eq\",\"values\":[0]}", &e));
    assert_false(holds("{\"attribute\":\"value\",\"op\":\"le\",\"values\":[0]}", &e));
    assert_true(holds("{\"attribute\":\"value\",\"op\":\"ne\",\"values\":[0]}", &e));
    assert_true(holds("{\"attribute\":\"value\",\"op\":\"not_set\"}", &e));
    event_set_number(&e, NUMBER_QUANTITY, 2500);
    event_set_number(&e, NUMBER_ENGAGED_MS, 30000);
    assert_true(holds("{\"attribute\":\"quantity\",\"op\":\"eq\",\"values\":[2.5]}", &e));
    assert_true(holds("{\"attribute\":\"engaged_ms\",\"op\":\"ge\",\"values\":[3e4]}", &e));
    assert_false(holds("{\"attribute\":\"engaged_ms\",\"op\":\"gt\",\"values\":[30000]}", &e));
}

static void
test_properties(void **state)
{
    static const struct {
        const char *test;
        const char *value;
        bool holds;
    } rows[] = {
        {"\"op\":\"is\",\"values\":[\"10\"]", "10", true},
        {"\"op\":\"is\",\"values\":[\"10\"]", "10.0", false},
        {"\"op\":\"eq\",\"values\":[10]", "10.0", true},
        {"\"op\":\"eq\",\"values\":[10]", "1e1", true},
        {"\"op\":\"eq\",\"values\":[10]", "010", false},
        {"\"op\":\"eq\",\"values\":[10]", "10 ", false},
        {"\"op\":\"ne\",\"values\":[10]", "ten", true},
        {"\"op\":\"lt\",\"values\":[0]", "ten", false},
        {"\"op\":\"lt\",\"values\":[0]", "-0.0001", true},
        {"\"op\":\"le\",\"values\":[0]", "-0", true},
        {"\"op\":\"gt\",\"values\":[0]", "1e-300", true},
        {"\"op\":\"ge\",\"values\":[0.1]", "0.1", true},
        {"\"op\":\"between\",\"values\":[1,2]", "1.5", true},
        {"\"op\":\"between\",\"values\":[1,2]", "2.5", false},
        {"\"op\":\"set\"", "x", true},
        {"\"op\":\"set\"", "", false},
    };
    char rule[256];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct event_property properties[] = {{SLICE("color"), SLICE("red")},
                                              {SLICE("size"), slice_from(rows[i].value)}};
        struct event e = {.n_properties = 2, .properties = properties};

        snprintf(rule, sizeof rule, "{\"attribute\":\"properties.size\",%s}", rows[i].test);
        if (holds(rule, &e) != rows[i].holds)
            fail_msg("%s on \"%s\"", rule, rows[i].value);
    }
}

static void
test_derived(void **state)
{
    struct event human = {.flags = EVENT_DRIVER};
    struct event bot = {.flags = EVENT_BOT};

    (void)state;
    human.text[TEXT_PATH] = SLICE("/in");
    bot.text[TEXT_PATH] = SLICE("/in");
    assert_true(holds("{\"attribute\":\"bot\",\"op\":\"is\",\"values\":[\"false\"]}", &human));
    assert_true(holds("{\"attribute\":\"bot\",\"op\":\"is\",\"values\":[\"true\"]}", &bot));
    assert_true(holds("{\"attribute\":\"bot\",\"op\":\"set\"}", &human));
    assert_true(holds("{\"attribute\":\"landing\",\"op\":\"is\",\"values\":[\"/in\"]}", &human));
    assert_true(holds("{\"attribute\":\"landing\",\"op\":\"is\",\"values\":[\"/in\"]}", &bot));
    assert_true(holds("{\"attribute\":\"entrance\",\"op\":\"is\",\"values\":[\"true\"]}", &bot));
    assert_true(holds("{\"attribute\":\"channel\",\"op\":\"is\",\"values\":[\"direct\"]}", &bot));
    assert_true(holds("{\"attribute\":\"channel\",\"op\":\"not_set\"}", &human));
}

/* ---- Trees ---- */

static void
test_trees(void **state)
{
#define E(name)     "{\"attribute\":\"event\",\"op\":\"is\",\"values\":[\"" name "\"]}"
#define P(op, name) "{\"attribute\":\"path\",\"op\":\"" op "\",\"values\":[\"" name "\"]}"
    static const struct {
        const char *rule;
        bool is_direct;
        bool holds; /* for event "a" on path "/x" */
    } rows[] = {
        {E("a"), true, true},
        {"{\"any\":[" E("b") "," P("is", "/x") "]}", true, true},
        {"{\"any\":[" E("b") "," P("is", "/y") "]}", true, false},
        {"{\"all\":[" E("a") "," P("is", "/x") "]}", false, true},
        {"{\"all\":[" E("a") "," P("is", "/y") "]}", false, false},
        {"{\"all\":[" E("a") "," P("is_not", "/y") "]}", false, true},
        {"{\"not\":{\"any\":[" E("b") "," P("is", "/y") "]}}", false, true},
        {"{\"not\":{\"all\":[" E("a") "," P("is", "/x") "]}}", false, false},
        {"{\"any\":[{\"all\":[" E("b") "," P("is", "/x") "]},{\"all\":[" E("a") ",{\"not\":" P(
             "is", "/z") "}," P("starts_with", "/") "]}]}",
         false, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct event e = {.time_ms = 0};
        struct subject s;
        struct masks masks;

        e.text[TEXT_EVENT] = SLICE("a");
        e.text[TEXT_PATH] = SLICE("/x");
        subject_init(&s, rows[i].rule);
        assert_int_equal(matcher_is_direct(s.matcher), rows[i].is_direct);
        assert_int_equal(matcher_event(s.matcher, s.scratch, &e, &masks, NULL), ERR_OK);
        if ((masks.stages == 1) != rows[i].holds)
            fail_msg("%s", rows[i].rule);
        subject_fini(&s);
    }
}

static void
test_leaves_are_unique(void **state)
{
    struct subject s;

    (void)state;
    subject_init(&s, "{\"all\":[" E("a") "," P("is", "/x") ",{\"not\":{\"any\":[" P(
                         "is", "/x") "," E("b") "," E("never") "]}}]}");
    assert_int_equal(matcher_n_leaves(s.matcher), 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(leaf_attribute(matcher_leaf(s.matcher, i))->source, SOURCE_TEXT);
    subject_fini(&s);
}

/* Where a funnel is direct, OR-ing the leaves' own masks is the same as the programs. */
static void
test_direct_masks(void **state)
{
    static const char text[] =
        "{\"window\":\"1d\",\"stages\":[{\"name\":\"1\",\"rule\":{\"any\":[" E("a") "," E(
            "b") "]}},"
                 "{\"name\":\"2\",\"rule\":" E("b") "},{\"name\":\"3\",\"rule\":" P(
                     "is", "/x") "}],"
                                 "\"exclusions\":[{\"rule\":" E("a") "},{\"rule\":" P("is",
                                                                                      "/y") "}]}";
    struct funnel *f = NULL;
    struct matcher *m = NULL;
    int n;

    (void)state;
    assert_int_equal(funnel_parse(SLICE(text), &f, NULL), ERR_OK);
    assert_int_equal(matcher_create(f, NULL, 0, &m, NULL), ERR_OK);
    n = matcher_n_leaves(m);
    assert_true(matcher_is_direct(m));
    assert_int_equal(n, 4);
    for (int set = 0; set < 1 << n; set++) {
        struct leaf_bits bits = {{0}};
        struct masks sum = {0, 0, 0};
        struct masks masks;

        for (int i = 0; i < n; i++) {
            if ((set >> i & 1) != 0) {
                leaf_bits_set(&bits, i);
                sum.stages |= matcher_leaf_masks(m, i).stages;
                sum.exclusions |= matcher_leaf_masks(m, i).exclusions;
            }
        }
        masks = matcher_masks(m, &bits);
        assert_int_equal(masks.stages, sum.stages);
        assert_int_equal(masks.exclusions, sum.exclusions);
    }
    matcher_destroy(&m);
    funnel_destroy(&f);
}

static void
test_too_many_leaves(void **state)
{
    struct buffer b = BUFFER_EMPTY;
    struct funnel *f = NULL;
    struct matcher *m = NULL;
    struct err err = ERR_NONE;

    (void)state;
    for (int n = MATCHER_LEAVES_MAX; n <= MATCHER_LEAVES_MAX + 1; n++) {
        buffer_clear(&b);
        buffer_add_text(&b, "{\"window\":\"1d\",\"stages\":[{\"name\":\"1\",\"rule\":{\"any\":[");
        for (int i = 1; i < n; i++)
            buffer_printf(&b, "%s{\"attribute\":\"path\",\"op\":\"is\",\"values\":[\"/%d\"]}",
                          i > 1 ? "," : "", i);
        buffer_add_text(&b, "]}},{\"name\":\"2\",\"rule\":" E("a") "}]}");
        assert_int_equal(funnel_parse(buffer_slice(&b), &f, NULL), ERR_OK);
        assert_int_equal(matcher_create(f, NULL, 0, &m, &err),
                         n <= MATCHER_LEAVES_MAX ? ERR_OK : ERR_LIMIT);
        matcher_destroy(&m);
        funnel_destroy(&f);
    }
    assert_string_equal(err.field, "stages");
    buffer_fini(&b);
}

/* ---- Parts ---- */

static void
test_fold(void **state)
{
    static const struct {
        const char *text;
        const char *folded;
    } rows[] = {
        {"", ""},
        {"aBZ[`{09", "abz[`{09"},
        {"\u00c0\u00de\u00df", "\u00e0\u00fe\u00df"},
        {"\u1e9e", "\u00df"},
        {"\u0130\u0131", "\u0130\u0131"},   /* Turkish i's fold to nothing else */
        {"\u017f\u212a\u212b", "sk\u00e5"}, /* long s, Kelvin, Angstrom */
        {"\u03a3\u03c3\u03c2", "\u03c3\u03c3\u03c3"},
        {"\u1f88\u1fbc", "\u1f80\u1fb3"}, /* status S: one character stays one */
        {"\ufb01\ufb06", "\ufb01\ufb06"}, /* ligatures have only a full folding */
        {"\u0410\u042f\u0401", "\u0430\u044f\u0451"},
        {"\u13a0\uab70", "\u13a0\u13a0"}, /* Cherokee folds upwards */
        {"\U00010400", "\U00010428"},
        {"\u4e2d\U0001f600", "\u4e2d\U0001f600"},
        {"A\xff\xc3", "a\xff\xc3"}, /* no UTF-8: kept */
    };
    struct buffer b = BUFFER_EMPTY;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        buffer_clear(&b);
        fold_add(&b, slice_from(rows[i].text));
        if (!slice_is(buffer_slice(&b), rows[i].folded))
            fail_msg("%s: %.*s", rows[i].text, SLICE_ARG(buffer_slice(&b)));
    }
    buffer_fini(&b);
}

/* The law of globs, as a recursion. */
static bool
glob_slowly(const char *pattern, const char *text)
{
    if (pattern[0] == '\0')
        return text[0] == '\0';
    if (pattern[0] == '*' && pattern[1] == '*')
        return glob_slowly(pattern + 2, text) ||
               (text[0] != '\0' && glob_slowly(pattern, text + 1));
    if (pattern[0] == '*')
        return glob_slowly(pattern + 1, text) ||
               (text[0] != '\0' && text[0] != '/' && glob_slowly(pattern, text + 1));
    return pattern[0] == text[0] && glob_slowly(pattern + 1, text + 1);
}

static void
test_glob_against_recursion(void **state)
{
    static const char letters[] = "a/b*";
    char pattern[7];
    char text[7];

    (void)state;
    for (int p = 0; p < 4096; p++) {
        for (int i = 0; i < 6; i++)
            pattern[i] = letters[p >> (2 * i) & 3];
        pattern[6] = '\0';
        for (int t = 0; t < 728; t++) { /* texts of up to 6 letters, in base 3 */
            int n = 0;

            for (int left = t; left > 0; left /= 3)
                text[n++] = letters[left % 3];
            text[n] = '\0';
            for (int cut = 0; cut <= 6; cut += 3) /* shorter patterns too */
                if (glob_match(slice_from(pattern + cut), slice_from(text)) !=
                    glob_slowly(pattern + cut, text))
                    fail_msg("glob %s on %s", pattern + cut, text);
        }
    }
}

static void
test_glob_is_fast(void **state)
{
    static char text[4001];

    (void)state;
    memset(text, 'a', 4000);
    assert_false(glob_match(SLICE("**a**a**a**a**a**a**a**a**a**a**b"), slice_from(text)));
    assert_false(glob_match(SLICE("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b"), slice_from(text)));
    assert_true(glob_match(SLICE("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*"), slice_from(text)));
}

static void
test_regex_limit_fails(void **state)
{
    struct regex *r = NULL;
    struct regex_scratch *scratch = regex_scratch_create();
    struct err err = ERR_NONE;
    bool matches = true;
    static char text[5001];

    (void)state;
    memset(text, 'a', 5000);
    text[4999] = '!';
    assert_int_equal(regex_create(SLICE("^(a+)+$"), false, &r, &err), ERR_OK);
    assert_int_equal(regex_match(r, scratch, slice_from(text), &matches, &err), ERR_LIMIT);
    assert_non_null(strstr(err.message, "^(a+)+$"));
    assert_int_equal(regex_match(r, scratch, SLICE("ab"), &matches, &err), ERR_OK);
    assert_false(matches);
    regex_destroy(&r);

    /* deep, but it matches */
    text[4999] = 'b';
    assert_int_equal(regex_create(SLICE("^(?:a|b)+$"), false, &r, &err), ERR_OK);
    assert_int_equal(regex_match(r, scratch, slice_from(text), &matches, &err), ERR_OK);
    assert_true(matches);
    /* no UTF-8: matches nothing, fails nothing */
    assert_int_equal(regex_match(r, scratch, SLICE("\xff\xff"), &matches, &err), ERR_OK);
    assert_false(matches);
    regex_destroy(&r);
    regex_scratch_destroy(&scratch);
}

static void
test_regex_limit_fails_the_query(void **state)
{
    struct subject s;
    struct event e = {.time_ms = 0};
    struct masks masks;
    struct err err = ERR_NONE;
    static char text[2001];

    (void)state;
    memset(text, 'a', 1999);
    text[1999] = '!';
    e.text[TEXT_PATH] = slice_from(text);
    subject_init(&s, "{\"attribute\":\"path\",\"op\":\"regex\",\"values\":[\"^(a+)+$\"]}");
    assert_int_equal(matcher_event(s.matcher, s.scratch, &e, &masks, &err), ERR_LIMIT);
    assert_non_null(strstr(err.message, "too many steps"));
    subject_fini(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_operators),
        cmocka_unit_test(test_number_operators),
        cmocka_unit_test(test_absent_numbers),
        cmocka_unit_test(test_properties),
        cmocka_unit_test(test_derived),
        cmocka_unit_test(test_trees),
        cmocka_unit_test(test_leaves_are_unique),
        cmocka_unit_test(test_direct_masks),
        cmocka_unit_test(test_too_many_leaves),
        cmocka_unit_test(test_fold),
        cmocka_unit_test(test_glob_against_recursion),
        cmocka_unit_test(test_glob_is_fast),
        cmocka_unit_test(test_regex_limit_fails),
        cmocka_unit_test(test_regex_limit_fails_the_query),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
