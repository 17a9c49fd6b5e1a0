#include "tests/property/differential.h"

#include "aggregator/pass.h"
#include "tests/property/always_true.h"

/* ---- JSON lives in the arena of one question, which makes it twice as fast ---- */

static struct arena *json_arena;

static void *
json_alloc(size_t bytes)
{
    return arena_alloc(json_arena, bytes);
}

static void
json_free(void *p)
{
    (void)p;
}

/* ---- Comparing: everything that the reference says must be there and equal ---- */

struct place {
    char text[200];
};

static bool is_equal(const json_t *expected, const json_t *actual, struct place *place);

static bool
is_equal_member(const json_t *expected, const json_t *actual, struct place *place, const char *key)
{
    size_t length = strlen(place->text);

    snprintf(place->text + length, sizeof place->text - length, "%s%s", length > 0 ? "." : "", key);
    if (!is_equal(expected, actual, place))
        return false;
    place->text[length] = '\0';
    return true;
}

static bool
is_equal_array(const json_t *expected, const json_t *actual, struct place *place)
{
    char number[24];

    for (size_t i = 0; i < json_array_size(expected); i++) {
        snprintf(number, sizeof number, "%zu", i);
        if (!is_equal_member(json_array_get(expected, i), json_array_get(actual, i), place, number))
            return false;
    }
    return json_array_size(expected) == json_array_size(actual);
}

/* Objects whose keys are figures have more members in a report than the reference knows; those
 * whose keys are currencies or visitors have not. */
static bool
may_have_more(const json_t *expected)
{
    return json_object_get(expected, "entered") != NULL ||
           json_object_get(expected, "reached") != NULL;
}

static bool
is_equal_object(const json_t *expected, const json_t *actual, struct place *place)
{
    const char *key;
    const json_t *value;

    if (!may_have_more(expected) && json_object_size(expected) != json_object_size(actual))
        return false;
    json_object_foreach((json_t *)(uintptr_t)expected, key, value)
    {
        if (!is_equal_member(value, json_object_get(actual, key), place, key))
            return false;
    }
    return true;
}

static bool
is_equal(const json_t *expected, const json_t *actual, struct place *place)
{
    if (actual == NULL || json_typeof(expected) != json_typeof(actual))
        return false;
    if (json_is_object(expected))
        return is_equal_object(expected, actual, place);
    if (json_is_array(expected))
        return is_equal_array(expected, actual, place);
    return json_equal(expected, actual) != 0;
}

static json_t *
at_place(json_t *json, const char *place)
{
    struct slice rest = slice_from(place);
    struct slice head;
    char key[100];

    for (bool is_more = rest.n > 0; is_more && json != NULL;) {
        is_more = slice_cut(rest, '.', &head, &rest);
        slice_to_cstr(head, key, sizeof key);
        json = json_is_array(json) ? json_array_get(json, strtoul(key, NULL, 10))
                                   : json_object_get(json, key);
    }
    return json;
}

static const char *
json_text(json_t *json)
{
    const char *text = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);

    return text != NULL ? text : "nothing";
}

/* ---- One case ---- */

static json_t *
report_json(const struct report *report)
{
    struct buffer text = BUFFER_EMPTY;
    json_t *out;

    report_add_json(&text, report);
    out = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    if (out == NULL)
        fail_msg("no JSON: %.*s", SLICE_ARG(buffer_slice(&text)));
    buffer_fini(&text);
    return out;
}

static void
describe(struct verdict *v, const struct place *place, json_t *expected, json_t *actual)
{
    const char *expected_text = json_text(at_place(expected, place->text));
    const char *actual_text = json_text(at_place(actual, place->text));

    snprintf(v->words, sizeof v->words, "%s: expected %.900s, got %.900s", place->text,
             expected_text, actual_text);
}

static void
compare_report(const struct reference_site *site, const struct question *q,
               const struct report *report, struct arena *a, struct verdict *v)
{
    json_t *expected = reference_report(site, q, v->preset, a);
    json_t *actual = report_json(report);
    const char *broken = always_true_broken(actual, q->of_sessions);
    struct place place = {""};

    if (q->is_alone)
        json_object_del(expected, "paths");
    if (expected == NULL)
        v->outcome = TOO_MUCH;
    else if (!is_equal(expected, actual, &place))
        v->outcome = DIFFERENT;
    if (v->outcome == DIFFERENT)
        describe(v, &place, expected, actual);
    if (v->outcome == SAME && broken != NULL) {
        v->outcome = DIFFERENT;
        snprintf(v->words, sizeof v->words, "not true: %s", broken);
    }
}

/* ---- "a report filtered to a breakdown row's values equals that row" ---- */

/* A filter at the breakdown's place that holds for exactly those of one value ("": null). */
static struct question_filter
filter_to(const struct question_breakdown *b, struct slice value, struct arena *a)
{
    struct question_rule *rule = ARENA_NEW(a, struct question_rule);

    *rule = (struct question_rule){
        .kind = QUESTION_TEST, .attribute = b->attribute, .op = value.n > 0 ? "is" : "not_set"};
    if (value.n > 0)
        rule->values[rule->n_values++] = arena_cstr(a, value);
    return (struct question_filter){rule, b->at == OF_STAGE ? OF_VISIT : b->at, b->stage};
}

/* The question that one row answers; false where no filter says the same as the breakdown. */
static bool
question_of_row(const struct question *q, const json_t *row, struct arena *a, struct question *out)
{
    const json_t *values = json_object_get(row, "values");

    *out = *q;
    out->is_alone = false;
    out->n_breakdowns = 0;
    out->trend = NO_TREND;
    out->compare = NO_COMPARE;
    for (int i = 0; i < q->n_breakdowns; i++) {
        const struct question_breakdown *b = &q->breakdowns[i];
        const char *value = json_string_value(json_array_get(values, (size_t)i));

        if (b->attribute.type == ATTRIBUTE_NUMBER)
            return false;
        out->filters[out->n_filters++] = filter_to(b, slice_from(value), a);
    }
    return values != NULL;
}

static void
compare_row(struct fixture *f, uint32_t site, const struct question *q, const json_t *row,
            struct arena *a, struct verdict *v)
{
    struct question of_row;
    struct asking asking;
    struct err err = ERR_NONE;
    struct place place = {""};

    if (!question_of_row(q, row, a, &of_row))
        return;
    if (differential_ask(f, site, &of_row, &ASKING_LISTS, &asking, &err) == ERR_OK) {
        json_t *actual = report_json(&asking.answer.reports[v->preset]);
        json_t *expected = json_copy((json_t *)(uintptr_t)row);

        json_object_del(expected, "values");
        if (!is_equal(expected, actual, &place)) {
            v->outcome = DIFFERENT;
            describe(v, &place, expected, actual);
        }
    }
    asking_fini(&asking);
}

/* One row of the first preset's breakdown. */
static void
compare_some_row(struct fixture *f, uint32_t site, const struct question *q,
                 const struct report *report, struct arena *a, struct verdict *v)
{
    json_t *whole = report_json(report);
    const json_t *rows = json_object_get(whole, "breakdown");
    size_t n = json_array_size(rows);

    if (n > 0)
        compare_row(f, site, q,
                    json_array_get(
                        rows, (size_t)json_integer_value(json_object_get(whole, "converted")) % n),
                    a, v);
}

/* ---- "the list of units behind a figure has exactly that many rows" ---- */

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A list of units in the order of their texts, as one text. */
static const char *
sorted_text(json_t *list, struct arena *a)
{
    size_t n = json_array_size(list);
    const char **texts = ARENA_ARRAY(a, const char *, n + 1);
    json_t *sorted = json_array();

    for (size_t i = 0; i < n; i++)
        texts[i] = json_text(json_array_get(list, i));
    qsort(texts, n, sizeof *texts, compare_texts);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(sorted, json_string(texts[i]));
    return json_text(sorted);
}

static json_t *
list_json(const struct asking *asking)
{
    struct buffer text = BUFFER_EMPTY;
    json_t *out;

    buffer_add_char(&text, '{');
    report_add_list(&text, &asking->answer.list, asking->funnel);
    buffer_add_char(&text, '}');
    out = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(out);
    buffer_fini(&text);
    return out;
}

/* The list comes with the first preset. */
static void
compare_list(const struct reference_site *site, const struct question *q,
             const struct asking *asking, struct arena *a, struct verdict *v)
{
    json_t *expected = reference_list(site, q, PRESET_IS_OPEN, q->figure, q->figure_stage, a);
    json_t *actual = list_json(asking);
    const char *expected_text = sorted_text(expected, a);
    const char *actual_text = sorted_text(json_object_get(actual, "visitors"), a);

    v->preset = PRESET_IS_OPEN;
    if (expected != NULL && strcmp(expected_text, actual_text) != 0) {
        v->outcome = DIFFERENT;
        snprintf(v->words, sizeof v->words, "visitors %s:%d: expected %.900s, got %.900s",
                 q->figure, q->figure_stage, expected_text, actual_text);
    }
}

/* ---- One question ---- */

/* ---- The same without lists: by one thread or several, with every visitor as any other, and
 * without times and values ---- */

static const struct asking_way ways[] = {
    {.n_threads = 1},
    {.n_threads = 3},
    {.is_general = true, .n_threads = 2},
    {.is_counts_only = true, .n_threads = 1},
    {.is_counts_only = true, .n_threads = 2},
};
#define N_WAYS (sizeof ways / sizeof *ways)

static unsigned next_way;
static bool has_differed;
long differential_n_plain;
long differential_n_several;

/* Leave out times and values, wherever they are. */
static void
leave_counts(json_t *json)
{
    static const char *const others[] = {"value", "seen_value", "time_from_previous_ms",
                                         "time_from_start_ms"};
    const char *key;
    json_t *value;
    size_t i;

    for (i = 0; i < sizeof others / sizeof *others; i++)
        json_object_del(json, others[i]);
    json_object_foreach(json, key, value) leave_counts(value);
    json_array_foreach(json, i, value) leave_counts(value);
}

static const char *
text_without_lists(const struct report *report, bool is_counts_only)
{
    json_t *json = report_json(report);

    json_object_del(json, "paths");
    json_object_del(json, "elapsed_ms");
    if (is_counts_only)
        leave_counts(json);
    return json_text(json);
}

static void
compare_way(struct fixture *f, uint32_t site, const struct question *q, const struct asking *first,
            const struct asking_way *way, struct verdict *v)
{
    struct asking asking;
    struct err err = ERR_NONE;

    if (differential_ask(f, site, q, way, &asking, &err) != ERR_OK) {
        v->outcome = DIFFERENT;
        snprintf(v->words, sizeof v->words, "asked without lists: %s", err.message);
    }
    for (int i = 0; v->outcome != DIFFERENT && i < first->answer.n_reports; i++) {
        const char *expected = text_without_lists(&first->answer.reports[i], way->is_counts_only);
        const char *actual = text_without_lists(&asking.answer.reports[i], false);

        if (strcmp(expected, actual) == 0)
            continue;
        v->preset = q->is_alone ? q->alone : (enum question_preset)i;
        v->outcome = DIFFERENT;
        snprintf(v->words, sizeof v->words, "%d threads, %s%s: expected %.900s, got %.900s",
                 way->n_threads, way->is_general ? "general" : "plain visitors apart",
                 way->is_counts_only ? ", counts only" : "", expected, actual);
    }
    if (v->outcome != DIFFERENT) {
        differential_n_plain += asking.answer.main->n_plain > 0;
        differential_n_several += asking.answer.main->n_several > 0;
    }
    asking_fini(&asking);
}

int
differential_try(struct fixture *f, uint32_t number, const struct reference_site *site,
                 const struct question *q, struct arena *a, struct verdict *v)
{
    struct asking asking;
    struct err err = ERR_NONE;
    int n = 0;

    *v = (struct verdict){.outcome = SAME};
    json_arena = a;
    json_set_alloc_funcs(json_alloc, json_free);
    if (differential_ask(f, number, q, &ASKING_LISTS, &asking, &err) != ERR_OK) {
        v->outcome = DIFFERENT;
        snprintf(v->words, sizeof v->words, "%s: %s", err.field, err.message);
    }
    for (int i = 0; v->outcome != DIFFERENT && i < asking.answer.n_reports; i++) {
        v->preset = q->is_alone ? q->alone : (enum question_preset)i;
        v->outcome = SAME;
        compare_report(site, q, &asking.answer.reports[i], a, v);
        n += v->outcome != TOO_MUCH;
    }
    if (v->outcome != DIFFERENT && !q->is_alone)
        compare_list(site, q, &asking, a, v);
    if (v->outcome != DIFFERENT) /* one way after the other */
        compare_way(f, number, q, &asking, &ways[next_way % N_WAYS], v);
    next_way += v->outcome != DIFFERENT && !has_differed; /* shrinking stays with that way */
    has_differed = has_differed || v->outcome == DIFFERENT;
    if (v->outcome != DIFFERENT && q->n_breakdowns > 0) {
        v->preset = q->is_alone ? q->alone : PRESET_IS_OPEN;
        compare_some_row(f, number, q, &asking.answer.reports[0], a, v);
    }
    asking_fini(&asking);
    json_set_alloc_funcs(malloc, free);
    arena_reset(a);
    return n;
}
