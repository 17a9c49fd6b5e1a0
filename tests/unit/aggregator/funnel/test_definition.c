/* Every error that a definition can have, with its field; defaults; the canonical form; required.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>

#include "aggregator/funnel/definition.h"

#define RULE    "{\"attribute\":\"event\",\"op\":\"is\",\"values\":[\"a\"]}"
#define OTHER   "{\"attribute\":\"event\",\"op\":\"is\",\"values\":[\"b\"]}"
#define STAGE   "{\"name\":\"A\",\"rule\":" RULE "}"
#define STAGE_B "{\"name\":\"B\",\"rule\":" OTHER "}"
#define STAGES  "\"stages\":[" STAGE "," STAGE_B "]"
#define WINDOW  "\"window\":\"30d\""

/* A funnel whose first stage has this rule, or these further members. */
#define WITH_RULE(rule)     "{" WINDOW ",\"stages\":[{\"name\":\"A\",\"rule\":" rule "}," STAGE_B "]}"
#define WITH_STAGE(stage)   "{" WINDOW ",\"stages\":[" STAGE "," stage "]}"
#define WITH_MEMBER(member) "{" WINDOW "," STAGES "," member "}"
#define TEST(attribute, op, rest)                                                                  \
    WITH_RULE("{\"attribute\":\"" attribute "\",\"op\":\"" op "\"" rest "}")

struct refusal {
    const char *text;
    const char *field;
    const char *words; /* a part of the message */
};

static const struct refusal refusals[] = {
    /* the whole */
    {"", "", "no JSON: line 1"},
    {"{", "", "no JSON"},
    {"{} x", "", "no JSON"},
    {"[]", "", "must be an object"},
    {"{\"window\":\"1d\",\"window\":\"2d\"}", "", "duplicate"},
    {"{\"stages\":[\"\x01\"]}", "", "no JSON"},
    {"{\"stages\":[\"\xff\"]}", "", "no JSON"},
    {WITH_MEMBER("\"stage\":[]"), "stage", "is not known"},
    {WITH_MEMBER("\"\":1"), "", "unknown member"},
    {WITH_MEMBER("\"name\":7"), "name", "must be text"},
    {WITH_MEMBER("\"name\":\"\""), "name", "must not be empty"},
    {WITH_MEMBER("\"name\":\"a\\nb\""), "name", "control characters"},
    {WITH_MEMBER("\"preset\":\"strict\""), "preset", "\"open\", \"closed\" or \"sequential\""},
    {WITH_MEMBER("\"preset\":1"), "preset", "must be"},
    {WITH_MEMBER("\"count\":\"events\""), "count", "\"visitors\" or \"sessions\""},
    /* the window */
    {"{" STAGES "}", "window", "is missing"},
    {"{\"window\":30," STAGES "}", "window", "whole number"},
    {"{\"window\":\"30\"," STAGES "}", "window", "whole number"},
    {"{\"window\":\"d\"," STAGES "}", "window", "whole number"},
    {"{\"window\":\"\"," STAGES "}", "window", "whole number"},
    {"{\"window\":\"-1d\"," STAGES "}", "window", "whole number"},
    {"{\"window\":\"1.5d\"," STAGES "}", "window", "whole number"},
    {"{\"window\":\"30 d\"," STAGES "}", "window", "whole number"},
    {"{\"window\":\"4w\"," STAGES "}", "window", "whole number"},
    {"{\"window\":\"99999999999999999999d\"," STAGES "}", "window", "whole number"},
    {"{\"window\":\"0ms\"," STAGES "}", "window", "from 1ms to 400d"},
    {"{\"window\":\"401d\"," STAGES "}", "window", "from 1ms to 400d"},
    {"{\"window\":\"34560000001ms\"," STAGES "}", "window", "from 1ms to 400d"},
    {"{\"window\":\"9223372036854775807d\"," STAGES "}", "window", "from 1ms to 400d"},
    /* stages */
    {"{" WINDOW "}", "stages", "is missing"},
    {"{" WINDOW ",\"stages\":{}}", "stages", "must be a list"},
    {"{" WINDOW ",\"stages\":[]}", "stages", "2 to 16 stages, not 0"},
    {"{" WINDOW ",\"stages\":[" STAGE "]}", "stages", "2 to 16 stages, not 1"},
    {"{" WINDOW ",\"stages\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}", "stages", "not 17"},
    {WITH_STAGE("1"), "stages[1]", "must be an object"},
    {WITH_STAGE("{\"rule\":" RULE "}"), "stages[1].name", "is missing"},
    {WITH_STAGE("{\"name\":\"B\"}"), "stages[1].rule", "is missing"},
    {WITH_STAGE("{\"name\":\"\",\"rule\":" RULE "}"), "stages[1].name", "empty"},
    {WITH_STAGE("{\"name\":\"B\",\"rule\":" RULE ",\"colour\":1}"), "stages[1].colour", "known"},
    {WITH_STAGE("{\"name\":\"B\",\"rule\":" RULE ",\"kind\":\"x\"}"), "stages[1].kind", "must be"},
    {WITH_STAGE("{\"name\":\"B\",\"rule\":" RULE ",\"required\":1}"), "stages[1].required",
     "true or false"},
    /* exclusions */
    {WITH_MEMBER("\"exclusions\":{}"), "exclusions", "must be a list"},
    {WITH_MEMBER("\"exclusions\":[{}]"), "exclusions[0].rule", "is missing"},
    {WITH_MEMBER("\"exclusions\":[{\"rule\":" RULE ",\"from\":0}]"), "exclusions[0].from",
     "1 to 2"},
    {WITH_MEMBER("\"exclusions\":[{\"rule\":" RULE ",\"to\":3}]"), "exclusions[0].to", "1 to 2"},
    {WITH_MEMBER("\"exclusions\":[{\"rule\":" RULE ",\"to\":\"2\"}]"), "exclusions[0].to",
     "1 to 2"},
    {WITH_MEMBER("\"exclusions\":[{\"rule\":" RULE ",\"from\":2}]"), "exclusions[0].from",
     "before \"to\""},
    {WITH_MEMBER("\"exclusions\":[{\"rule\":" RULE "},{\"rule\":" RULE ",\"at\":1}]"),
     "exclusions[1].at", "known"},
    /* rules: the tree */
    {WITH_RULE("[]"), "stages[0].rule", "must be an object, a rule"},
    {WITH_RULE("{}"), "stages[0].rule", "must have"},
    {WITH_RULE("{\"op\":\"is\"}"), "stages[0].rule", "must have"},
    {WITH_RULE("{\"all\":[]}"), "stages[0].rule.all", "must not be empty"},
    {WITH_RULE("{\"any\":{}}"), "stages[0].rule.any", "must be a list"},
    {WITH_RULE("{\"all\":[" RULE "],\"any\":[" RULE "]}"), "stages[0].rule.any", "not known"},
    {WITH_RULE("{\"not\":[" RULE "]}"), "stages[0].rule.not", "must be an object"},
    {WITH_RULE("{\"all\":[" RULE ",{\"any\":[{\"not\":1}]}]}"), "stages[0].rule.all[1].any[0].not",
     "must be an object"},
    {WITH_RULE("{\"all\":[{\"attribute\":\"event\",\"op\":\"iss\",\"values\":[\"a\"]}]}"),
     "stages[0].rule.all[0].op", "no operator"},
    /* rules: one test */
    {TEST("event", "is", ",\"values\":[\"a\"],\"value\":1"), "stages[0].rule.value", "not known"},
    {WITH_RULE("{\"attribute\":1,\"op\":\"is\"}"), "stages[0].rule.attribute", "must be text"},
    {WITH_RULE("{\"attribute\":\"event\"}"), "stages[0].rule.op", "is missing"},
    {WITH_RULE("{\"attribute\":\"event\",\"op\":null}"), "stages[0].rule.op", "no operator"},
    {TEST("colour", "is", ",\"values\":[\"a\"]"), "stages[0].rule.attribute", "is not known"},
    {TEST("properties.", "is", ",\"values\":[\"a\"]"), "stages[0].rule.attribute", "is not known"},
    {TEST("bot_reason", "is", ",\"values\":[\"a\"]"), "stages[0].rule.attribute", "is not known"},
    {TEST("visitor", "is", ",\"values\":[\"a\"]"), "stages[0].rule.attribute", "is not known"},
    {TEST("page_group", "ge", ",\"values\":[1]"), "stages[0].rule.op", "is for numbers"},
    {TEST("value", "is", ",\"values\":[\"1\"]"), "stages[0].rule.op", "is for texts"},
    {TEST("quantity", "regex", ",\"values\":[\"1\"]"), "stages[0].rule.op", "is for texts"},
    {TEST("campaign", "eq", ",\"values\":[1]"), "stages[0].rule.op", "is for numbers"},
    {TEST("bot", "ge", ",\"values\":[1]"), "stages[0].rule.op", "is for numbers"},
    {TEST("event", "is", ""), "stages[0].rule.values", "is missing"},
    {TEST("event", "is", ",\"values\":\"a\""), "stages[0].rule.values", "must be a list"},
    {TEST("event", "is_not", ",\"values\":[]"), "stages[0].rule.values", "must not be empty"},
    {TEST("value", "eq", ",\"values\":[]"), "stages[0].rule.values", "must not be empty"},
    {TEST("event", "is", ",\"values\":[\"a\",1]"), "stages[0].rule.values[1]", "must be text"},
    {TEST("event", "set", ",\"values\":[]"), "stages[0].rule.values", "must not be given"},
    {TEST("event", "not_set", ",\"values\":[\"a\"]"), "stages[0].rule.values", "must not be given"},
    {TEST("value", "ge", ",\"values\":[1,2]"), "stages[0].rule.values", "one number"},
    {TEST("value", "between", ",\"values\":[1]"), "stages[0].rule.values", "two numbers"},
    {TEST("value", "between", ",\"values\":[1,2,3]"), "stages[0].rule.values", "two numbers"},
    {TEST("value", "between", ",\"values\":[1,\"x\"]"), "stages[0].rule.values[1]", "a number"},
    {TEST("value", "eq", ",\"values\":[true]"), "stages[0].rule.values[0]", "a number"},
    {TEST("value", "eq", ",\"values\":[\"0x1\"]"), "stages[0].rule.values[0]", "a number"},
    {TEST("value", "eq", ",\"values\":[0.12345678901234567]"), "stages[0].rule.values[0]",
     "more than 15 digits"},
    {TEST("value", "eq", ",\"values\":[\"1e999\"]"), "stages[0].rule.values[0]", "too many digits"},
    {TEST("value", "eq", ",\"values\":[1],\"ignore_case\":true"), "stages[0].rule.ignore_case",
     "must not be given"},
    {TEST("event", "is", ",\"values\":[\"a\"],\"ignore_case\":\"yes\""),
     "stages[0].rule.ignore_case", "true or false"},
    /* regular expressions */
    {TEST("path", "regex", ",\"values\":[\"a\",\"(\"]"), "stages[0].rule.values[1]", "at byte 1"},
    {TEST("path", "regex", ",\"values\":[\"(a)\\\\1\"]"), "stages[0].rule.values[0]",
     "back-references"},
    {TEST("path", "regex", ",\"values\":[\"(?<n>a)\\\\k<n>\"]"), "stages[0].rule.values[0]",
     "back-references"},
    {TEST("path", "regex", ",\"values\":[\"(a)?(?(1)b|c)\"]"), "stages[0].rule.values[0]",
     "back-references"},
    {TEST("path", "regex", ",\"values\":[\"a(?=b)\"]"), "stages[0].rule.values[0]", "look-around"},
    {TEST("path", "regex", ",\"values\":[\"a(?!b)\"]"), "stages[0].rule.values[0]", "look-around"},
    {TEST("path", "regex", ",\"values\":[\"(?<=a)b\"]"), "stages[0].rule.values[0]", "look-around"},
    {TEST("path", "regex", ",\"values\":[\"(?<!a)b\"]"), "stages[0].rule.values[0]", "look-around"},
    {TEST("path", "regex", ",\"values\":[\"(*pla:a)b\"]"), "stages[0].rule.values[0]", "verbs"},
    {TEST("path", "regex", ",\"values\":[\"(*LIMIT_MATCH=1)b\"]"), "stages[0].rule.values[0]",
     "verbs"},
    {TEST("path", "regex", ",\"values\":[\"\\\\C\"]"), "stages[0].rule.values[0]", "\\C"},
};

static void
test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *r = &refusals[i];
        struct funnel *f = NULL;
        struct err err = ERR_NONE;
        enum err_code rc = funnel_parse(slice_from(r->text), &f, &err);

        if ((rc != ERR_INVALID && rc != ERR_LIMIT) || err.code != rc || f != NULL)
            fail_msg("accepted: %s", r->text);
        if (strcmp(err.field, r->field) != 0 || strstr(err.message, r->words) == NULL)
            fail_msg("%s\n  field \"%s\": %s", r->text, err.field, err.message);
        assert_int_equal(funnel_parse(slice_from(r->text), &f, NULL), rc);
    }
}

static struct funnel *
parsed(const char *text)
{
    struct funnel *f = NULL;
    struct err err = ERR_NONE;

    if (funnel_parse(slice_from(text), &f, &err) != ERR_OK)
        fail_msg("%s\n  field \"%s\": %s", text, err.field, err.message);
    return f;
}

/* ---- Limits that take long texts ---- */

static void
assert_refused(struct buffer *text, enum err_code rc, const char *field)
{
    struct funnel *f = NULL;
    struct err err = ERR_NONE;

    assert_int_equal(funnel_parse(buffer_slice(text), &f, &err), rc);
    assert_string_equal(err.field, field);
    buffer_clear(text);
}

static void
add_values(struct buffer *b, int n)
{
    buffer_add_text(b, "{" WINDOW ",\"stages\":[{\"name\":\"A\",\"rule\":{\"attribute\":\"event\","
                       "\"op\":\"is\",\"values\":[");
    for (int i = 0; i < n; i++)
        buffer_printf(b, "%s\"v%d\"", i > 0 ? "," : "", i);
    buffer_add_text(b, "]}}," STAGE_B "]}");
}

static void
add_nested(struct buffer *b, int depth)
{
    buffer_add_text(b, "{" WINDOW ",\"stages\":[{\"name\":\"A\",\"rule\":");
    for (int i = 1; i < depth; i++)
        buffer_add_text(b, "{\"not\":");
    buffer_add_text(b, RULE);
    for (int i = 1; i < depth; i++)
        buffer_add_char(b, '}');
    buffer_add_text(b, "}," STAGE_B "]}");
}

static void
test_limits(void **state)
{
    struct buffer b = BUFFER_EMPTY;
    struct funnel *f = NULL;

    (void)state;
    add_values(&b, RULE_VALUES_MAX + 1);
    assert_refused(&b, ERR_LIMIT, "stages[0].rule.values");
    add_values(&b, RULE_VALUES_MAX);
    assert_int_equal(funnel_parse(buffer_slice(&b), &f, NULL), ERR_OK);
    assert_int_equal(f->stages[0].canonical->test.n_values, RULE_VALUES_MAX);
    funnel_destroy(&f);
    buffer_clear(&b);

    add_nested(&b, RULE_DEPTH_MAX);
    assert_int_equal(funnel_parse(buffer_slice(&b), &f, NULL), ERR_OK);
    funnel_destroy(&f);
    buffer_clear(&b);
    add_nested(&b, RULE_DEPTH_MAX + 1);
    assert_refused(
        &b, ERR_LIMIT,
        "stages[0].rule.not.not.not.not.not.not.not.not.not.not.not.not.not.not.not.not");
    for (int i = 0; i < 3000; i++)
        buffer_add_char(&b, '[');
    assert_refused(&b, ERR_INVALID, "");

    for (int i = 0; i < FUNNEL_BYTES_MAX + 1; i++)
        buffer_add_char(&b, ' ');
    assert_refused(&b, ERR_LIMIT, "");
    buffer_fini(&b);
}

/* ---- Defaults, and back to JSON ---- */

static void
test_defaults_are_written_out(void **state)
{
    struct funnel *f = parsed(
        "{\"stages\":[{\"rule\":{\"op\":\"between\",\"values\":[0.1,1e3],\"attribute\":\"value\"},"
        "\"name\":\"A\"},{\"name\":\"B\",\"required\":false,\"kind\":\"sale\",\"rule\":"
        "{\"not\":{\"all\":[" RULE ",{\"attribute\":\"path\",\"op\":\"set\"}]}}}],"
        "\"exclusions\":[{\"rule\":" RULE "}],\"window\":\"90m\"}");
    static const char expected[] =
        "{\"preset\":\"open\",\"window\":\"90m\",\"count\":\"visitors\",\"stages\":["
        "{\"name\":\"A\",\"kind\":\"custom\",\"rule\":{\"attribute\":\"value\",\"op\":\"between\","
        "\"values\":[0.1,1000]}},"
        "{\"name\":\"B\",\"kind\":\"sale\",\"required\":false,\"rule\":{\"not\":{\"all\":["
        "{\"attribute\":\"event\",\"op\":\"is\",\"values\":[\"a\"],\"ignore_case\":false},"
        "{\"attribute\":\"path\",\"op\":\"set\"}]}}}],"
        "\"exclusions\":[{\"rule\":{\"attribute\":\"event\",\"op\":\"is\",\"values\":[\"a\"],"
        "\"ignore_case\":false},\"from\":1,\"to\":2}]}";
    struct buffer b = BUFFER_EMPTY;
    struct funnel *again;

    (void)state;
    assert_int_equal(f->window_ms, 90 * 60000);
    funnel_add_json(&b, f);
    buffer_add_char(&b, '\0');
    assert_string_equal(b.p, expected);
    again = parsed(b.p);
    buffer_clear(&b);
    funnel_add_json(&b, again);
    buffer_add_char(&b, '\0');
    assert_string_equal(b.p, expected);
    buffer_fini(&b);
    funnel_destroy(&again);
    funnel_destroy(&f);
}

static void
test_the_definition_of_the_text(void **state)
{
    /* funnel.md section 5, without `entrance` */
    struct funnel *f = parsed(
        "{\"name\":\"Spring campaign\",\"preset\":\"open\",\"window\":\"30d\","
        "\"count\":\"visitors\",\"stages\":["
        "{\"name\":\"Trace\",\"kind\":\"trace\",\"rule\":{\"all\":[{\"attribute\":\"bot\","
        "\"op\":\"is\",\"values\":[\"false\"]},{\"attribute\":\"campaign\",\"op\":\"set\"}]}},"
        "{\"name\":\"Response\",\"kind\":\"response\",\"rule\":{\"attribute\":\"event\","
        "\"op\":\"is\",\"values\":[\"pageview\"]}},"
        "{\"name\":\"Engagement\",\"kind\":\"engagement\",\"required\":true,\"rule\":{\"any\":["
        "{\"attribute\":\"event\",\"op\":\"is\",\"values\":[\"add_to_cart\"]},"
        "{\"attribute\":\"engaged_ms\",\"op\":\"ge\",\"values\":[30000]}]}},"
        "{\"name\":\"Sale\",\"kind\":\"sale\",\"rule\":{\"attribute\":\"event\",\"op\":\"is\","
        "\"values\":[\"sale\"]}}],\"exclusions\":[{\"rule\":{\"attribute\":\"event\","
        "\"op\":\"is\",\"values\":[\"refund\"]},\"from\":3,\"to\":4}]}");

    (void)state;
    assert_int_equal(f->n_stages, 4);
    assert_true(slice_is(f->name, "Spring campaign"));
    assert_int_equal(f->window_ms, 30 * 86400000LL);
    assert_int_equal(f->stages[3].kind, KIND_SALE);
    assert_int_equal(f->exclusions[0].from, 3);
    assert_int_equal(funnel_required_stages(f, PRESET_OPEN), 0x4);
    assert_int_equal(funnel_required_stages(f, PRESET_CLOSED), 0x5);
    assert_int_equal(funnel_required_stages(f, PRESET_SEQUENTIAL), 0xf);
    funnel_destroy(&f);
}

/* ---- Required ---- */

static void
test_required(void **state)
{
    static const struct {
        const char *members; /* of stages 1, 2, 3; rules a, b, a with `repeats` */
        const char *second;
        const char *third_rule;
        const char *exclusions;
        uint32_t by_preset[PRESET_COUNT];
    } rows[] = {
        {"", "", "{\"attribute\":\"path\",\"op\":\"set\"}", "", {0, 1, 7}},
        {",\"required\":false", "", "{\"attribute\":\"path\",\"op\":\"set\"}", "", {0, 0, 6}},
        {"", ",\"required\":true", "{\"attribute\":\"path\",\"op\":\"set\"}", "", {2, 3, 7}},
        /* a rule used again further down, whatever the stage says */
        {"", "", RULE, "", {1, 1, 7}},
        {",\"required\":false", "", RULE, "", {1, 1, 7}},
        {"", "", OTHER, "", {2, 3, 7}},
        /* where an exclusion begins */
        {"", "", "{\"attribute\":\"path\",\"op\":\"set\"}", "{\"rule\":" RULE "}", {1, 1, 7}},
        {"",
         ",\"required\":false",
         "{\"attribute\":\"path\",\"op\":\"set\"}",
         "{\"rule\":" RULE ",\"from\":2}",
         {2, 3, 7}},
    };
    struct buffer b = BUFFER_EMPTY;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct funnel *f;

        buffer_clear(&b);
        buffer_printf(&b,
                      "{" WINDOW ",\"stages\":[{\"name\":\"1\",\"rule\":" RULE "%s},"
                      "{\"name\":\"2\",\"rule\":" OTHER "%s},{\"name\":\"3\",\"rule\":%s}],"
                      "\"exclusions\":[%s]}",
                      rows[i].members, rows[i].second, rows[i].third_rule, rows[i].exclusions);
        buffer_add_char(&b, '\0');
        f = parsed(b.p);
        for (int p = 0; p < PRESET_COUNT; p++)
            assert_int_equal(funnel_required_stages(f, (enum funnel_preset)p),
                             rows[i].by_preset[p]);
        funnel_destroy(&f);
    }
    buffer_fini(&b);
}

/* ---- Which rules are the same ---- */

#define IS(values) "{\"attribute\":\"path\",\"op\":\"is\",\"values\":" values "}"
#define LOW(values)                                                                                \
    "{\"attribute\":\"path\",\"op\":\"is\",\"values\":" values ",\"ignore_case\":true}"
#define NUM(op, values) "{\"attribute\":\"value\",\"op\":\"" op "\",\"values\":" values "}"

static void
test_same_rules(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        bool is_same;
    } rows[] = {
        {IS("[\"x\"]"),
         "{\"values\":[\"x\"],\"ignore_case\":false,\"op\":\"is\",\"attribute\":\"path\"}", true},
        {IS("[\"x\",\"y\"]"), IS("[\"y\",\"x\",\"y\"]"), true},
        {IS("[\"x\"]"), IS("[\"X\"]"), false},
        {LOW("[\"x\",\"\\u00c9\"]"), LOW("[\"\\u00e9\",\"X\",\"x\"]"), true},
        {LOW("[\"x\"]"), IS("[\"x\"]"), false},
        {NUM("eq", "[10]"), NUM("eq", "[1e1]"), true},
        {NUM("eq", "[10]"), NUM("eq", "[\"10.00\"]"), true},
        {NUM("ge", "[10]"), NUM("gt", "[10]"), false},
        {NUM("between", "[1,2]"), NUM("between", "[1.0,2.0]"), true},
        {NUM("between", "[1,2]"), NUM("between", "[2,1]"), false},
        {NUM("ne", "[1]"), "{\"not\":" NUM("eq", "[1]") "}", true},
        {NUM("ge", "[1]"), "{\"not\":" NUM("lt", "[1]") "}", false},
        {"{\"attribute\":\"path\",\"op\":\"not_set\"}",
         "{\"not\":{\"attribute\":\"path\",\"op\":\"set\",\"ignore_case\":true}}", true},
        {"{\"not\":{\"not\":" IS("[\"x\"]") "}}", IS("[\"x\"]"), true},
        {"{\"not\":{\"attribute\":\"path\",\"op\":\"is_not\",\"values\":[\"x\"]}}", IS("[\"x\"]"),
         true},
        {"{\"all\":[" IS("[\"x\"]") "]}", IS("[\"x\"]"), true},
        {"{\"any\":[" IS("[\"x\"]") "," IS("[\"x\"]") "]}", IS("[\"x\"]"), true},
        {"{\"all\":[" IS("[\"x\"]") ",{\"all\":[" RULE "," OTHER "]}]}",
         "{\"all\":[" OTHER "," RULE ",{\"any\":[" IS("[\"x\"]") "]}]}", true},
        {"{\"any\":[" RULE ",{\"not\":{\"not\":{\"any\":[" OTHER "," RULE "]}}}]}",
         "{\"any\":[" RULE "," OTHER "]}", true},
        {"{\"all\":[" RULE "," OTHER "]}", "{\"any\":[" RULE "," OTHER "]}", false},
        {"{\"any\":[" IS("[\"x\"]") "," IS("[\"y\"]") "]}", IS("[\"x\",\"y\"]"), false},
        {"{\"attribute\":\"path\",\"op\":\"regex\",\"values\":[\"\\\\D\"],\"ignore_case\":true}",
         "{\"attribute\":\"path\",\"op\":\"regex\",\"values\":[\"\\\\d\"],\"ignore_case\":true}",
         false},
        {"{\"attribute\":\"properties.a\",\"op\":\"is\",\"values\":[\"1\"]}",
         "{\"attribute\":\"properties.a\",\"op\":\"eq\",\"values\":[1]}", false},
    };
    struct buffer b = BUFFER_EMPTY;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct funnel *f;

        buffer_clear(&b);
        buffer_printf(&b,
                      "{" WINDOW ",\"stages\":[{\"name\":\"1\",\"rule\":%s},"
                      "{\"name\":\"2\",\"rule\":%s}]}",
                      rows[i].a, rows[i].b);
        buffer_add_char(&b, '\0');
        f = parsed(b.p);
        if ((f->stages[1].group == 0) != rows[i].is_same)
            fail_msg("%s\n%s", f->stages[0].canonical->canonical.p,
                     f->stages[1].canonical->canonical.p);
        assert_int_equal(funnel_required_stages(f, PRESET_OPEN), rows[i].is_same);
        funnel_destroy(&f);
    }
    buffer_fini(&b);
}

static void
test_windows(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"1ms", 1},          {"1s", 1000},          {"30m", 1800000},
        {"24h", 86400000},   {"400d", 34560000000}, {"34560000000ms", 34560000000},
        {"007d", 604800000},
    };
    struct buffer b = BUFFER_EMPTY;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct funnel *f;

        buffer_clear(&b);
        buffer_printf(&b, "{\"window\":\"%s\"," STAGES "}", rows[i].text);
        buffer_add_char(&b, '\0');
        f = parsed(b.p);
        assert_int_equal(f->window_ms, rows[i].ms);
        funnel_destroy(&f);
    }
    buffer_fini(&b);
}

static void
test_names(void **state)
{
    enum funnel_preset preset;

    (void)state;
    for (int p = 0; p < PRESET_COUNT; p++) {
        assert_true(
            funnel_preset_find(slice_from(funnel_preset_name((enum funnel_preset)p)), &preset));
        assert_int_equal(preset, p);
    }
    assert_false(funnel_preset_find(SLICE("Open"), &preset));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_defaults_are_written_out),
        cmocka_unit_test(test_the_definition_of_the_text),
        cmocka_unit_test(test_required),
        cmocka_unit_test(test_same_rules),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
