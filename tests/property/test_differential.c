/* The engine against the reference: random sites, written as real segments in several commits, some
 * merged, and random questions, put to query_funnel and compared figure by figure.
 *
 * CORONG_CASES says how many reports are compared, CORONG_SEED which. A case that differs is shrunk
 * (visitors, events and parts of the question are left out while it still differs) and printed.
 */
#include <jansson.h>

#include "aggregator/merge.h"
#include "core/log.h"
#include "tests/property/always_true.h"
#include "tests/property/random_site.h"
#include "tests/property/reference.h"
#include "tests/unit/aggregator/fixture.h"

#define SITES_PER_STORE    12
#define QUESTIONS_PER_SITE 60

static long
from_environment(const char *name, long otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtol(text, NULL, 10) : otherwise;
}

/* ---- What could not be compared ---- */

static struct skip {
    char what[64];
    long n;
} skips[32];

static void
count_skip(const char *what)
{
    size_t i = 0;

    while (skips[i].n > 0 && strcmp(skips[i].what, what) != 0)
        i++;
    assert_true(i < sizeof skips / sizeof *skips - 1);
    snprintf(skips[i].what, sizeof skips[i].what, "%s", what);
    skips[i].n++;
}

/* ---- Stores ---- */

static void
merge_everything(struct fixture *f)
{
    struct merge_options options = {
        .store = &f->store, .settings = f->settings, .everything = true};
    struct err err = ERR_NONE;

    for (size_t n = 1; n != 0;)
        assert_ok(merge_step(f->catalog, &options, &n, &err));
}

/* Write the sites' events flush by flush; those up to merge_after are merged before the others
 * come. */
static void
write_sites(struct fixture *f, const struct random_site *sites, int n, int merge_after)
{
    for (int flush = 0; flush < SITE_FLUSHES; flush++) {
        for (int s = 0; s < n; s++)
            for (size_t i = 0; i < sites[s].n; i++)
                if (sites[s].events[i].flush == flush)
                    fixture_add(f, &sites[s].events[i].event);
        fixture_commit(f);
        segment_builder_reset(f->builder);
        if (flush == merge_after)
            merge_everything(f);
    }
}

/* ---- One question: what the engine says ---- */

/* The engine reads driver attributes from the event itself until it has the 24-hour rule. */
static bool
asks_for_drivers(const struct question_rule *rule)
{
    if (rule->kind == QUESTION_TEST)
        return rule->attribute.class == CLASS_DRIVER;
    for (int i = 0; i < rule->n_members; i++)
        if (asks_for_drivers(rule->members[i]))
            return true;
    return false;
}

static bool
is_later(const struct question *q)
{
    for (int i = 0; i < q->n_stages; i++)
        if (asks_for_drivers(q->stages[i].rule))
            return true;
    for (int i = 0; i < q->n_exclusions; i++)
        if (asks_for_drivers(q->exclusions[i].rule))
            return true;
    return false;
}

struct asking {
    struct funnel *funnel;
    struct request request;
    struct query_answer answer;
    bool is_answered;
};

static enum err_code
parse_request(struct request *request, const struct buffer *text, struct err *err)
{
    json_t *json = json_loadb(text->p, text->n, 0, NULL);
    enum err_code rc;

    assert_non_null(json);
    rc = request_read_json(request, json, NULL, err);
    json_decref(json);
    return rc != ERR_OK ? rc : request_finish(request, SLICE("UTC"), REFERENCE_NOW_MS, err);
}

static enum err_code
ask(struct fixture *f, uint32_t site, const struct question *q, struct asking *out, struct err *err)
{
    struct buffer definition = BUFFER_EMPTY;
    struct buffer request = BUFFER_EMPTY;
    struct query_funnel query = {.site = site,
                                 .n_presets = PRESET_COUNT,
                                 .presets = {PRESET_OPEN, PRESET_CLOSED, PRESET_SEQUENTIAL},
                                 .want_paths = !q->of_sessions};
    enum err_code rc;

    *out = (struct asking){.funnel = NULL};
    request_init(&out->request);
    question_add_definition(&definition, q);
    question_add_request(&request, q);
    rc = funnel_parse(buffer_slice(&definition), &out->funnel, err);
    if (rc == ERR_OK)
        rc = parse_request(&out->request, &request, err);
    if (rc == ERR_OK) {
        query.funnel = out->funnel;
        query.request = &out->request;
        rc = query_funnel(f->pool, &query, &out->answer, err);
        out->is_answered = rc == ERR_OK;
    }
    buffer_fini(&definition);
    buffer_fini(&request);
    return rc;
}

static void
asking_fini(struct asking *a)
{
    if (a->is_answered)
        query_answer_fini(&a->answer);
    request_fini(&a->request);
    funnel_destroy(&a->funnel);
}

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
        if (json_object_get(actual, key) == NULL && may_have_more(expected))
            count_skip(key);
        else if (!is_equal_member(value, json_object_get(actual, key), place, key))
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

static char *
json_text(json_t *json)
{
    char *text = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);

    return text != NULL ? text : strdup("nothing");
}

/* ---- One case ---- */

enum outcome { SAME, DIFFERENT, SKIPPED };

struct verdict {
    enum outcome outcome;
    enum question_preset preset;
    char words[2048];
};

static void
describe(struct verdict *v, const struct place *place, json_t *expected, json_t *actual)
{
    char *expected_text = json_text(at_place(expected, place->text));
    char *actual_text = json_text(at_place(actual, place->text));

    snprintf(v->words, sizeof v->words, "%s: expected %.900s, got %.900s", place->text,
             expected_text, actual_text);
    free(expected_text);
    free(actual_text);
}

static void
compare_report(const struct reference_site *site, const struct question *q,
               const struct report *report, struct arena *a, struct verdict *v)
{
    json_t *expected = reference_report(site, q, v->preset, a);
    json_t *actual = report_json(report);
    const char *broken = always_true_broken(actual, q->of_sessions);
    struct place place = {""};

    if (expected == NULL)
        v->outcome = SKIPPED;
    else if (!is_equal(expected, actual, &place))
        v->outcome = DIFFERENT;
    if (v->outcome == DIFFERENT)
        describe(v, &place, expected, actual);
    if (v->outcome == SAME && broken != NULL) {
        v->outcome = DIFFERENT;
        snprintf(v->words, sizeof v->words, "not true: %s", broken);
    }
    json_decref(expected);
    json_decref(actual);
}

/* Compares one report a preset; returns how many. Stops at the first that differs. */
static int
try_question(struct fixture *f, uint32_t number, const struct reference_site *site,
             const struct question *q, struct arena *a, struct verdict *v)
{
    struct asking asking;
    struct err err = ERR_NONE;
    int n = 0;

    *v = (struct verdict){.outcome = SAME};
    if (is_later(q)) {
        count_skip("drivers by the 24-hour rule");
        v->outcome = SKIPPED;
        return 0;
    }
    if (ask(f, number, q, &asking, &err) != ERR_OK) {
        v->outcome = funnel_error_is_not_yet(&err) ? SKIPPED : DIFFERENT;
        snprintf(v->words, sizeof v->words, "%s: %s", err.field, err.message);
        if (v->outcome == SKIPPED)
            count_skip(err.message);
    }
    while (asking.is_answered && n < PRESETS) {
        v->preset = (enum question_preset)n;
        v->outcome = SAME;
        compare_report(site, q, &asking.answer.reports[n++], a, v);
        if (v->outcome == DIFFERENT)
            break;
    }
    asking_fini(&asking);
    arena_reset(a);
    return n;
}

/* ---- A case that differs: made small, and printed ---- */

struct failing {
    struct random_site site;
    struct question q;
    bool is_merged;
    int merge_after;
};

static bool
differs(const struct failing *c, struct verdict *v)
{
    struct event *events = calloc(c->site.n + 1, sizeof *events);
    struct reference_site site;
    struct segment_owner owner;
    struct fixture *f;
    struct arena a;
    void *state;

    fixture_setup(&state);
    f = state;
    arena_init(&a, 1 << 20);
    write_sites(f, &c->site, 1, c->merge_after);
    if (c->is_merged)
        merge_everything(f);
    for (size_t i = 0; i < c->site.n; i++)
        events[i] = c->site.events[i].event;
    owner = store_owner(&f->store);
    reference_site(&owner, events, c->site.n, &f->arena, &site);
    try_question(f, c->site.n > 0 ? events[0].site : 1, &site, &c->q, &a, v);
    arena_fini(&a);
    free(events);
    fixture_teardown(&state);
    return v->outcome == DIFFERENT;
}

/* Leave out those events that `is_out` says, if the case still differs without them. */
static bool
leave_out(struct failing *c, bool (*is_out)(const struct site_event *e, const struct site_event *x),
          size_t x)
{
    struct failing less = *c;
    struct verdict v;

    less.site.n = 0;
    less.site.events = calloc(c->site.n + 1, sizeof *less.site.events);
    for (size_t i = 0; i < c->site.n; i++)
        if (!is_out(&c->site.events[i], &c->site.events[x]))
            less.site.events[less.site.n++] = c->site.events[i];
    if (less.site.n > 0 && differs(&less, &v)) {
        memcpy(c->site.events, less.site.events, less.site.n * sizeof *less.site.events);
        c->site.n = less.site.n;
        free(less.site.events);
        return true;
    }
    free(less.site.events);
    return false;
}

static bool
is_of_visitor(const struct site_event *e, const struct site_event *x)
{
    return slice_equal(e->event.visitor, x->event.visitor);
}

static bool
is_it(const struct site_event *e, const struct site_event *x)
{
    return e == x;
}

static void
try_simpler(struct failing *c, const struct question *simpler)
{
    struct failing other = *c;
    struct verdict v;

    other.q = *simpler;
    if (differs(&other, &v))
        c->q = *simpler;
}

static void
shrink_question(struct failing *c)
{
    struct question q;

#define TRY(change)                                                                                \
    q = c->q;                                                                                      \
    change;                                                                                        \
    try_simpler(c, &q)
    TRY(q.compare = NO_COMPARE);
    TRY(q.trend = NO_TREND);
    TRY(q.n_breakdowns = 0);
    TRY(q.n_filters = 0);
    TRY(q.n_exclusions = 0);
    TRY(q.bots = WITH_BOTS);
    TRY(q.as_of.is_given = false);
    TRY(q.from.is_given = q.trend != NO_TREND || q.compare != NO_COMPARE);
    TRY(q.to.is_given = q.trend != NO_TREND || q.compare != NO_COMPARE);
    TRY(q.timezone = "UTC");
    TRY(q.of_sessions = false);
    TRY(q.n_breakdowns = q.n_breakdowns > 1 ? 1 : q.n_breakdowns);
    for (int i = c->q.n_filters - 1; i >= 0 && c->q.n_filters > 1; i--) {
        TRY(memmove(&q.filters[i], &q.filters[i + 1],
                    (size_t)(--q.n_filters - i) * sizeof *q.filters));
    }
    while (c->q.n_stages > 2) {
        int n = c->q.n_stages;

        TRY(q.n_stages--);
        if (c->q.n_stages == n)
            break;
    }
#undef TRY
}

static void
print_event(const struct site_event *e)
{
    const struct event *x = &e->event;

    print_error("  flush %d %.*s %lld id %.*s%s%s", e->flush, SLICE_ARG(x->visitor),
                (long long)x->time_ms, SLICE_ARG(x->id), x->flags & EVENT_BOT ? " BOT" : "",
                x->flags & EVENT_DRIVER ? " DRIVER" : "");
    for (int i = 0; i < TEXT_COUNT; i++)
        if (x->text[i].n > 0)
            print_error(" %s=%.*s", event_text_name((enum event_text)i), SLICE_ARG(x->text[i]));
    for (int i = 0; i < NUMBER_COUNT; i++)
        if (event_has_number(x, (enum event_number)i))
            print_error(" %s=%lld", event_number_name((enum event_number)i),
                        (long long)x->number[i]);
    for (uint32_t i = 0; i < x->n_properties; i++)
        print_error(" %.*s=%.*s", SLICE_ARG(x->properties[i].key),
                    SLICE_ARG(x->properties[i].value));
    print_error("\n");
}

static void
print_failing(const struct failing *c, const struct verdict *v)
{
    struct buffer text = BUFFER_EMPTY;

    question_add_definition(&text, &c->q);
    buffer_add_char(&text, '\n');
    question_add_request(&text, &c->q);
    print_error("%.*s\npreset %s%s\n", SLICE_ARG(buffer_slice(&text)),
                (const char *[]){"open", "closed", "sequential"}[v->preset],
                c->is_merged ? ", merged" : "");
    for (size_t i = 0; i < c->site.n; i++)
        print_event(&c->site.events[i]);
    print_error("%s\n", v->words);
    buffer_fini(&text);
}

static void
report_failure(const struct failing *found, const struct verdict *v)
{
    struct failing c = *found;
    struct verdict again;

    c.site.events = calloc(c.site.n, sizeof *c.site.events);
    memcpy(c.site.events, found->site.events, c.site.n * sizeof *c.site.events);
    if (!differs(&c, &again)) {
        print_failing(&c, v);
        fail_msg("differs beside other sites only");
    }
    for (size_t i = 0; i < c.site.n;)
        i = leave_out(&c, is_of_visitor, i) ? 0 : i + 1;
    shrink_question(&c);
    for (size_t i = c.site.n; i-- > 0;)
        leave_out(&c, is_it, i);
    shrink_question(&c);
    for (size_t i = c.site.n; i-- > 0;)
        leave_out(&c, is_it, i);
    assert_true(differs(&c, &again));
    print_failing(&c, &again);
    free(c.site.events);
    fail_msg("the engine differs from the reference");
}

/* ---- Many cases ---- */

struct store_case {
    struct fixture *f;
    struct random_site sites[SITES_PER_STORE];
    struct reference_site references[SITES_PER_STORE];
    struct segment_owner owner;
    int merge_after;
    struct arena a; /* of one question's reference */
};

static void
open_store_case(struct store_case *s, struct random *r)
{
    void *state;

    fixture_setup(&state);
    s->f = state;
    s->owner = store_owner(&s->f->store);
    s->merge_after = random_below(r, SITE_FLUSHES + 2);
    arena_init(&s->a, 1 << 20);
    for (int i = 0; i < SITES_PER_STORE; i++) {
        struct random_site *site = &s->sites[i];
        struct event *events;

        random_site(r, (uint32_t)i + 1, &s->f->arena, site);
        events = ARENA_ARRAY(&s->f->arena, struct event, site->n);
        for (size_t k = 0; k < site->n; k++)
            events[k] = site->events[k].event;
        reference_site(&s->owner, events, site->n, &s->f->arena, &s->references[i]);
    }
    write_sites(s->f, s->sites, SITES_PER_STORE, s->merge_after);
}

static void
close_store_case(struct store_case *s)
{
    void *state = s->f;

    arena_fini(&s->a);
    fixture_teardown(&state);
}

/* Questions to one site; returns how many reports were compared. */
static long
ask_site(struct store_case *s, struct random *r, int site, bool is_merged)
{
    struct arena of_question;
    long n = 0;

    arena_init(&of_question, 64 << 10);
    for (int i = 0; i < QUESTIONS_PER_SITE / 2; i++) {
        struct failing c = {s->sites[site], {0}, is_merged, s->merge_after};
        struct verdict v;

        random_question(r, &s->sites[site], &of_question, &c.q);
        n += try_question(s->f, (uint32_t)site + 1, &s->references[site], &c.q, &s->a, &v);
        if (v.outcome == DIFFERENT)
            report_failure(&c, &v);
        arena_reset(&of_question);
    }
    arena_fini(&of_question);
    return n;
}

static void
test_same_as_the_reference(void **state)
{
    struct random r = {(uint64_t)from_environment("CORONG_SEED", 20260801)};
    long wanted = from_environment("CORONG_CASES", 6000);
    struct store_case s;

    (void)state;
    for (long n = 0, tried = 0; n < wanted && tried < 1000; tried++) {
        open_store_case(&s, &r);
        for (int is_merged = 0; is_merged < 2; is_merged++) {
            for (int site = 0; site < SITES_PER_STORE; site++)
                n += ask_site(&s, &r, site, is_merged == 1);
            merge_everything(s.f);
        }
        close_store_case(&s);
    }
    for (size_t i = 0; skips[i].n > 0; i++)
        print_message("not compared, %ld times: %s\n", skips[i].n, skips[i].what);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_the_reference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
