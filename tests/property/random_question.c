#include "tests/property/random_site.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   INT64_C(3600000)
#define DAY_MS    INT64_C(86400000)

#define ONE_OF(r, list) (list)[random_below((r), (int)(sizeof(list) / sizeof *(list)))]

/* ---- Rules ---- */

struct test_row {
    const char *attribute;
    const char *op;
    bool ignore_case;
    const char *values[QUESTION_VALUES_MAX];
};

/* Of the event itself, its surroundings, its driver; the first ones are asked most. */
static const struct test_row event_tests[] = {
    {"event", "is", false, {"a"}},
    {"event", "is", false, {"b"}},
    {"event", "is", false, {"c"}},
    {"event", "is", false, {"sale"}},
    {"event", "is", false, {"pageview", "d"}},
    {"event", "is_not", false, {"pageview"}},
    {"path", "starts_with", false, {"/p/1"}},
    {"path", "glob", false, {"/p/*"}},
    {"path", "glob", false, {"**x"}},
    {"path", "not_contains", false, {"/x", "0"}},
    {"path", "set", false, {NULL}},
    {"value", "ge", false, {"10"}},
    {"value", "between", false, {"0", "2.5"}},
    {"value", "not_set", false, {NULL}},
    {"quantity", "eq", false, {"1.0"}},
    {"engaged_ms", "gt", false, {"20000"}},
    {"currency", "is", true, {"usd", "jpy"}},
    {"properties.size", "is", false, {"2"}},
    {"properties.size", "ge", false, {"2"}},
    {"properties.size", "ne", false, {"2"}},
    {"entrance", "is", false, {"true"}},
    {"entrance", "is", false, {"false"}},
};

static const struct test_row surroundings_tests[] = {
    {"country", "is", false, {"ID"}},        {"country", "is", true, {"Id"}},
    {"country", "not_set", false, {NULL}},   {"device", "is", false, {"mobile"}},
    {"device", "is_not", false, {"mobile"}}, {"bot", "is", false, {"false"}},
};

static const struct test_row driver_tests[] = {
    {"channel", "is", false, {"direct"}},
    {"channel", "is_not", false, {"direct", "email"}},
    {"source", "is", false, {"google"}},
    {"source", "set", false, {NULL}},
    {"medium", "is", false, {"cpc"}},
    {"campaign", "contains", false, {"s"}},
    {"campaign", "not_set", false, {NULL}},
    {"keyword", "set", false, {NULL}},
    {"referrer", "ends_with", false, {"1.example/", "2.example/"}},
    {"referrer", "set", false, {NULL}},
    {"landing", "is", false, {"/p/1"}},
    {"landing", "set", false, {NULL}},
};

static struct question_rule *
rule_of(const struct test_row *row, struct arena *a)
{
    struct question_rule *rule = ARENA_NEW(a, struct question_rule);

    rule->kind = QUESTION_TEST;
    (void)attribute_find(slice_from(row->attribute), &rule->attribute);
    rule->op = row->op;
    rule->ignore_case = row->ignore_case;
    for (int i = 0; i < QUESTION_VALUES_MAX && row->values[i] != NULL; i++)
        rule->values[rule->n_values++] = row->values[i];
    return rule;
}

static const struct question_rule *
random_test(struct random *r, struct arena *a)
{
    int kind = random_below(r, 100);

    if (kind < 45)
        return rule_of(&event_tests[random_below(r, 5)], a);
    if (kind < 75)
        return rule_of(&ONE_OF(r, event_tests), a);
    return kind < 85 ? rule_of(&ONE_OF(r, surroundings_tests), a)
                     : rule_of(&ONE_OF(r, driver_tests), a);
}

static struct question_rule *
list_of(enum question_kind kind, int n, const struct question_rule *const *members, struct arena *a)
{
    struct question_rule *rule = ARENA_NEW(a, struct question_rule);

    rule->kind = kind;
    for (int i = 0; i < n; i++)
        rule->members[rule->n_members++] = members[i];
    return rule;
}

const struct question_rule *
random_rule(struct random *r, struct arena *a)
{
    const struct question_rule *members[2];
    int kind = random_below(r, 100);

    if (kind < 70)
        return random_test(r, a);
    members[0] = random_test(r, a);
    members[1] = random_rule(r, a);
    if (kind < 80)
        return list_of(QUESTION_ALL, 2, members, a);
    return list_of(kind < 93 ? QUESTION_ANY : QUESTION_NOT, kind < 93 ? 2 : 1, members, a);
}

static const struct question_rule *
with_values_turned(const struct question_rule *rule, struct arena *a)
{
    struct question_rule *out = ARENA_NEW(a, struct question_rule);

    *out = *rule;
    if (rule->n_values == 0 || strcmp(rule->op, "between") == 0 || rule->n_values > 2 ||
        rule->values[0][0] == '1' || strcmp(rule->op, "ge") == 0 || strcmp(rule->op, "gt") == 0 ||
        strcmp(rule->op, "ne") == 0 || strcmp(rule->op, "eq") == 0)
        return rule;
    for (int i = 0; i < rule->n_values; i++)
        out->values[i] = rule->values[rule->n_values - 1 - i];
    out->values[out->n_values++] = rule->values[0]; /* one twice */
    return out;
}

const struct question_rule *
random_same_rule(struct random *r, const struct question_rule *rule, struct arena *a)
{
    const struct question_rule *members[QUESTION_MEMBERS_MAX];

    switch (random_below(r, 5)) {
    case 0: /* not not */
        rule = list_of(QUESTION_NOT, 1, &rule, a);
        return list_of(QUESTION_NOT, 1, &rule, a);
    case 1: /* a list of one, or of one twice */
        members[0] = members[1] = rule;
        return list_of(random_chance(r, 50) ? QUESTION_ALL : QUESTION_ANY, 1 + random_below(r, 2),
                       members, a);
    case 2: /* another order */
        if (rule->kind == QUESTION_TEST)
            return with_values_turned(rule, a);
        for (int i = 0; i < rule->n_members; i++)
            members[i] = random_same_rule(r, rule->members[rule->n_members - 1 - i], a);
        return list_of(rule->kind, rule->n_members, members, a);
    default:
        return rule;
    }
}

/* ---- The funnel ---- */

static void
random_stages(struct random *r, struct arena *a, struct question *q)
{
    q->n_stages = 2 + random_below(r, random_chance(r, 30) ? QUESTION_STAGES_MAX - 1 : 3);
    for (int i = 0; i < q->n_stages; i++) {
        const struct question_rule *rule = random_rule(r, a);

        if (i > 0 && random_chance(r, 20))
            rule = random_same_rule(r, q->stages[random_below(r, i)].rule, a);
        q->stages[i] =
            (struct question_stage){rule, random_chance(r, 20) ? random_below(r, 2) : -1};
    }
    q->n_exclusions = random_chance(r, 25) ? 1 + random_below(r, QUESTION_EXCLUSIONS_MAX) : 0;
    for (int i = 0; i < q->n_exclusions; i++) {
        struct question_exclusion *x = &q->exclusions[i];

        x->rule = random_rule(r, a);
        x->from = 1 + random_below(r, q->n_stages - 1);
        x->to = x->from + 1 + random_below(r, q->n_stages - x->from);
    }
}

static int64_t
random_window(struct random *r, const struct random_site *site)
{
    static const int64_t tight[] = {1, 2, 3, 5, 8, 12, 1000};
    static const int64_t wide[] = {1,      1000,       MINUTE_MS,   30 * MINUTE_MS, HOUR_MS,
                                   DAY_MS, 2 * DAY_MS, 30 * DAY_MS, 400 * DAY_MS};

    return site->is_tight ? ONE_OF(r, tight) : ONE_OF(r, wide);
}

/* ---- Moments ---- */

/* A moment of an event, or one beside it. */
static struct question_moment
random_moment(struct random *r, const struct random_site *site)
{
    static const int64_t beside[] = {0, 0, 1, -1, 2, 30 * MINUTE_MS, -DAY_MS};
    struct question_moment m = {.is_given = true};

    m.ms = site->events[random_below(r, (int)site->n)].event.time_ms + ONE_OF(r, beside);
    m.is_day = !site->is_tight && random_chance(r, 40);
    if (m.is_day)
        m.day = date_from_days(m.ms / DAY_MS + random_below(r, 3) - 1);
    return m;
}

/* A range: from before to, and not so long that a trend has many points. */
static void
random_range(struct random *r, const struct random_site *site, struct question_moment *from,
             struct question_moment *to)
{
    for (int64_t days = -1; days < 0 || days > 40;) {
        *from = random_moment(r, site);
        *to = random_moment(r, site);
        if (from->is_day && to->is_day)
            days = date_to_days(to->day) - date_to_days(from->day) - 1;
        else if (from->is_day || to->is_day) /* days apart, whatever the time zone */
            days = (to->is_day ? date_to_days(to->day) : to->ms / DAY_MS) -
                   (from->is_day ? date_to_days(from->day) : from->ms / DAY_MS) - 3;
        else
            days = to->ms > from->ms ? (to->ms - from->ms) / DAY_MS : -1;
        if (days < 0 && random_chance(r, 20)) { /* all events may be at one moment */
            *from = (struct question_moment){.is_given = true, .ms = site->begin_ms};
            *to = (struct question_moment){.is_given = true, .ms = site->begin_ms + 5 * DAY_MS};
            days = 5;
        }
    }
    if (!site->is_tight && random_chance(r, 8)) { /* whole months */
        struct date day = date_from_days(site->begin_ms / DAY_MS);

        day.day = 1;
        *from = (struct question_moment){.is_given = true, .is_day = true, .day = day};
        day.month++;
        if (day.month > 12)
            day = (struct date){day.year + 1, 1, 1};
        *to = (struct question_moment){.is_given = true, .is_day = true, .day = day};
    }
}

static void
random_moments(struct random *r, const struct random_site *site, struct question *q)
{
    if (random_chance(r, 65))
        random_range(r, site, &q->from, &q->to);
    if (q->from.is_given && random_chance(r, 15))
        q->from.is_given = false;
    else if (q->to.is_given && random_chance(r, 15))
        q->to.is_given = false;
    if (random_chance(r, 45))
        q->as_of = random_moment(r, site);
}

/* ---- Filters, breakdowns, trend, compare ---- */

static bool
shares_its_rule(const struct question *q, int stage, struct arena *a)
{
    struct slice rule = question_canonical(q->stages[stage - 1].rule, a);

    for (int i = 1; i <= q->n_stages; i++)
        if (i != stage && slice_equal(question_canonical(q->stages[i - 1].rule, a), rule))
            return true;
    return false;
}

static void
random_filter(struct random *r, struct arena *a, struct question *q)
{
    static const enum question_at places[] = {BY_DEFAULT, BY_DEFAULT, ENTRY, FIRST,    LAST,
                                              ANY,        NONE,       EVERY, OF_STAGE, OF_VISIT};
    struct question_filter f = {.at = ONE_OF(r, places)};

    f.rule = random_chance(r, 50) ? random_rule(r, a) : rule_of(&ONE_OF(r, driver_tests), a);
    if (f.at == OF_STAGE) {
        f.stage = 1 + random_below(r, q->n_stages);
        if (shares_its_rule(q, f.stage, a))
            return;
    }
    if (f.at == OF_VISIT)
        f.stage = 1 + random_below(r, q->n_stages);
    if ((f.at == FIRST || f.at == LAST || f.at == OF_VISIT) && question_attribute(f.rule) == NULL)
        return;
    if (question_filter_at(&f, a) != BY_DEFAULT)
        q->filters[q->n_filters++] = f;
}

static void
random_breakdown(struct random *r, struct question *q)
{
    static const char *const texts[] = {
        "event",    "path",    "country",  "device",   "channel", "source",         "campaign",
        "referrer", "landing", "currency", "entrance", "bot",     "properties.size"};
    static const enum question_at places[] = {ENTRY, ENTRY, FIRST, LAST, OF_STAGE};
    static const char *const numbers[] = {"value", "quantity", "engaged_ms"};
    struct question_breakdown *b = &q->breakdowns[q->n_breakdowns++];

    *b = (struct question_breakdown){.at = ONE_OF(r, places)};
    if (random_chance(r, 80)) {
        (void)attribute_find(slice_from(ONE_OF(r, texts)), &b->attribute);
    } else {
        (void)attribute_find(slice_from(ONE_OF(r, numbers)), &b->attribute);
        b->n_bins = random_below(r, QUESTION_BINS_MAX + 1);
        for (int i = 0; i < b->n_bins; i++)
            b->bins[i] = (i == 0 ? -3 : b->bins[i - 1]) + 1 + random_below(r, 5);
    }
    if (b->at == OF_STAGE)
        b->stage = 1 + random_below(r, q->n_stages);
}

static void
random_figure(struct random *r, struct question *q)
{
    static const char *const of_report[] = {"entered", "converted", "began_before", "after_range"};
    static const char *const of_stage[] = {"reached", "skipped", "throughput", "entries",
                                           "exits",   "onward",  "converted",  "seen"};
    static const char *const of_dropoff[] = {"dropoff", "open"}; /* not of the last stage */

    if (random_chance(r, 30)) {
        q->figure = ONE_OF(r, of_report);
    } else if (random_chance(r, 80)) {
        q->figure = ONE_OF(r, of_stage);
        q->figure_stage = 1 + random_below(r, q->n_stages);
    } else {
        q->figure = ONE_OF(r, of_dropoff);
        q->figure_stage = 1 + random_below(r, q->n_stages - 1);
    }
}

/* UTC, but where days matter. */
static const char *
random_timezone(struct random *r, const struct question *q)
{
    static const char *const zones[] = {"UTC", "Asia/Jakarta", "Europe/Berlin", "Africa/Cairo",
                                        "America/New_York"};
    bool has_days = q->from.is_day || q->to.is_day || q->as_of.is_day || q->compare_from.is_day ||
                    q->compare_to.is_day || q->trend != NO_TREND || q->compare == WITH_PREVIOUS;

    return has_days ? ONE_OF(r, zones) : "UTC";
}

/* ---- Simple questions ---- */

/* Of the event itself alone. */
static const struct question_rule *
own_rule(struct random *r, struct arena *a)
{
    const struct question_rule *members[2];

    for (int i = 0; i < 2; i++)
        members[i] = random_chance(r, 75) ? rule_of(&event_tests[random_below(r, 10)], a)
                                          : rule_of(&surroundings_tests[random_below(r, 5)], a);
    if (random_chance(r, 65))
        return members[0];
    return list_of(random_chance(r, 70) ? QUESTION_ALL : QUESTION_ANY, 2, members, a);
}

/* As most people ask: visitors are counted where they lie. */
static void
random_simple_question(struct random *r, const struct random_site *site, struct arena *a,
                       struct question *q)
{
    static const char *const texts[] = {"event", "path", "country", "device"};
    static const enum question_at places[] = {ENTRY, ANY, NONE};

    q->n_stages = 2 + random_below(r, 3);
    for (int i = 0; i < q->n_stages; i++)
        q->stages[i] = (struct question_stage){own_rule(r, a), -1};
    if (random_chance(r, 60))
        random_moments(r, site, q);
    if (random_chance(r, 30))
        q->filters[q->n_filters++] =
            (struct question_filter){.rule = own_rule(r, a), .at = ONE_OF(r, places)};
    if (random_chance(r, 30)) {
        struct question_breakdown *b = &q->breakdowns[q->n_breakdowns++];

        *b = (struct question_breakdown){.at = random_chance(r, 70) ? ENTRY : OF_STAGE};
        (void)attribute_find(slice_from(ONE_OF(r, texts)), &b->attribute);
        if (b->at == OF_STAGE)
            b->stage = 1 + random_below(r, q->n_stages);
    }
    q->timezone = random_timezone(r, q);
    random_figure(r, q);
}

void
random_question(struct random *r, const struct random_site *site, struct arena *a,
                struct question *q)
{
    *q = (struct question){.window_ms = random_window(r, site)};
    if (random_chance(r, 35)) {
        random_simple_question(r, site, a, q);
        return;
    }
    random_stages(r, a, q);
    random_moments(r, site, q);
    q->of_sessions = random_chance(r, 25);
    q->bots = random_chance(r, 70) ? WITHOUT_BOTS : (enum question_bots)random_below(r, 3);
    for (int i = random_chance(r, 45) ? 1 + random_below(r, 3) : 0; i > 0; i--)
        random_filter(r, a, q);
    for (int i = random_chance(r, 30) ? 1 + random_below(r, QUESTION_BREAKDOWNS_MAX) : 0; i > 0;
         i--)
        random_breakdown(r, q);
    if (q->n_breakdowns > 0 && random_chance(r, 60))
        q->limit = 1 + random_below(r, 5);
    if (q->from.is_given && q->to.is_given) {
        if (random_chance(r, 10))
            q->trend = BY_DAY + (enum question_trend)random_below(r, 3);
        if (random_chance(r, 10))
            q->compare = WITH_PREVIOUS;
        else if (random_chance(r, 10))
            q->compare = WITH_RANGE;
        if (q->compare == WITH_RANGE) {
            random_range(r, site, &q->compare_from, &q->compare_to);
            q->is_full_age = random_chance(r, 30);
        }
    }
    q->timezone = random_timezone(r, q);
    random_figure(r, q);
    q->is_alone = random_chance(r, 15);
    q->alone = (enum question_preset)random_below(r, PRESETS);
}
