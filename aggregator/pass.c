/* See pass.h. */
#include "aggregator/pass_plain_int.h"

#include <stdlib.h>

/* ---- The value of an attribute, of a counted path ---- */

struct counted {
    const struct journey *journey;
    const struct unit *unit;
    const uint32_t *from; /* event of the unit -> event of the person; NULL: plus first */
    uint32_t first;
};

static uint32_t
person_event(const struct counted *c, uint32_t i)
{
    return c->from ? c->from[i] : c->first + i;
}

static uint32_t
read_at(const struct pass *p, const struct counted *c, struct attribute_values *values,
        uint32_t event)
{
    uint32_t row = p->person.all.from[event];
    size_t input;
    uint32_t code;

    if (p->plain && pass__code_of_run(p->plain, c->journey, row, &input, &code))
        return attribute_values_of_code(values, input, code);
    return attribute_values_read(values, NULL, journey_place(c->journey, row));
}

uint32_t
pass__value_without_driver(const struct pass *p, size_t b)
{
    return p->setup.q->request->breakdowns[b].attribute.code == TEXT_CHANNEL
               ? attribute_values_find(p->setup.values[b], MATCHER_DIRECT)
               : ATTRIBUTE_VALUE_NULL;
}

/* Of event i of the unit. */
static uint32_t
read_value(const struct pass *p, const struct counted *c, size_t b, uint32_t i)
{
    const struct attribute *a = &p->setup.q->request->breakdowns[b].attribute;
    struct attribute_values *values = p->setup.values[b];
    uint32_t event = person_event(c, i);
    enum matcher_part part = matcher_part_of(a);
    const struct settled *s;

    if (part == PART_EVENT)
        return read_at(p, c, values, event);
    s = &p->person.settle.events[event];
    if (part == PART_ORIGIN)
        return read_at(p, c, values, s->origin);
    if (part == PART_DRIVER && s->driver != SETTLE_DIRECT)
        return read_at(p, c, values, s->driver);
    if (part == PART_DRIVER)
        return pass__value_without_driver(p, b);
    return attribute_values_find(values, s->is_entrance ? SLICE("true") : SLICE("false"));
}

/* Of the unit's first or last event on the way that has one. */
static uint32_t
read_ordered(const struct pass *p, const struct counted *c, size_t b, const struct path *path)
{
    const struct unit *u = c->unit;
    bool is_first = p->setup.q->request->breakdowns[b].at == AT_FIRST;
    uint32_t best = UINT32_MAX;
    uint32_t best_value = ATTRIBUTE_VALUE_NULL;

    for (uint32_t i = 0; i < u->n; i++) {
        uint32_t value;

        if (!unit_is_on_the_way(u, path, i) ||
            (best != UINT32_MAX && (u->ranks[i] < u->ranks[best]) != is_first))
            continue;
        value = read_value(p, c, b, i);
        if (value == ATTRIBUTE_VALUE_NULL)
            continue;
        best = i;
        best_value = value;
    }
    return best_value;
}

static struct breakdown_key
read_key(const struct pass *p, const struct counted *c, const struct path *path)
{
    const struct request *r = p->setup.q->request;
    struct breakdown_key key = {{ATTRIBUTE_VALUE_NULL}};

    for (size_t b = 0; b < r->n_breakdowns; b++) {
        const struct request_breakdown *asked = &r->breakdowns[b];

        if (asked->at == AT_FIRST || asked->at == AT_LAST) {
            key.values[b] = read_ordered(p, c, b, path);
            continue;
        }
        for (uint32_t v = 0; v < path->n; v++)
            if (asked->at == AT_ENTRY ? v == 0 : (int)path->visits[v].stage == asked->stage - 1)
                key.values[b] = read_value(p, c, b, path->visits[v].event);
    }
    return key;
}

/* ---- Counting a unit ---- */

static enum err_code
add_to_list(struct pass *p, struct pass_list *l, const struct counted *c, const struct outcome *o,
            struct err *err)
{
    uint32_t n = o->has_path ? o->path.n : 0;
    struct report_visit *visits;
    struct slice visitor;
    enum err_code rc = journey_visitor(c->journey, &visitor, err);

    if (rc != ERR_OK)
        return rc;
    if (l->n == l->max) {
        l->max = 2 * l->max + 64;
        l->units = mem_realloc(l->units, l->max * sizeof *l->units);
    }
    visits = arena_alloc(&p->arena, n * sizeof *visits);
    for (uint32_t i = 0; i < n; i++)
        visits[i] = (struct report_visit){o->path.visits[i].stage,
                                          c->unit->events[o->path.visits[i].event].time_ms};
    l->units[l->n++] =
        (struct report_path){.visitor = arena_copy(&p->arena, visitor),
                             .session_ms = c->unit->is_session ? c->unit->events[0].time_ms : 0,
                             .n = n,
                             .visits = visits};
    return ERR_OK;
}

/* A unit that is in the figure: its place decides whether it was asked for. */
static enum err_code
list_unit(struct pass *p, const struct counted *c, const struct outcome *o, struct err *err)
{
    const struct query_funnel *q = p->setup.q;
    size_t place = p->n_in_figure++;

    if (place < q->list_skip || (q->list_max != 0 && place - q->list_skip >= q->list_max))
        return ERR_OK;
    return add_to_list(p, &p->list, c, o, err);
}

static void
break_down(struct pass *p, int preset, const struct counted *c, const struct outcome *o)
{
    struct breakdown_key key = read_key(p, c, &o->path);
    struct tally *tally = breakdown_add(p->breakdowns[preset], &key);

    if (tally)
        tally_unit(tally, c->unit, o);
}

/* In the figures of the whole range, as p->outcomes says, per preset. */
static enum err_code
add_unit(struct pass *p, const struct counted *c, struct err *err)
{
    const struct query_funnel *q = p->setup.q;
    const struct outcome *o = p->outcomes;
    enum err_code rc = ERR_OK;

    for (int i = 0; i < q->n_presets && rc == ERR_OK; i++) {
        tally_unit(p->tallies[i], c->unit, &o[i]);
        if (i == 0 && q->figure &&
            unit_is_in_figure(c->unit, q->funnel->n_stages, &o[i], q->figure))
            rc = list_unit(p, c, &o[i], err);
        if (!o[i].has_path || rc != ERR_OK)
            continue;
        p->n_cookieless[i] += (p->person.flags & EVENT_COOKIELESS) != 0;
        if (q->want_paths)
            rc = add_to_list(p, &p->paths[i], c, &o[i], err);
        if (p->breakdowns[i])
            break_down(p, i, c, &o[i]);
    }
    return rc;
}

static enum err_code
count_unit(struct pass *p, const struct counted *c, struct err *err)
{
    for (int i = 0; i < p->setup.q->n_presets; i++)
        unit_count(c->unit, &p->plans[i], &p->chooser, &p->outcomes[i]);
    return add_unit(p, c, err);
}

enum err_code
pass__add_visitor(struct pass *p, const struct journey *j, struct err *err)
{
    const struct event_list *l = &p->person.all;
    struct unit unit = {.n = l->n,
                        .events = l->events,
                        .conditions = l->conditions,
                        .ranks = l->ranks,
                        .values = l->values,
                        .range = p->setup.range,
                        .as_of_ms = p->setup.as_of_ms};

    return add_unit(p, &(struct counted){.journey = j, .unit = &unit}, err);
}

/* ---- Persons ---- */

/* The point that a moment is in; n_points where it is in none. */
static size_t
point_of(const struct pass *p, int64_t time_ms)
{
    const struct path_range *points = p->setup.points;
    size_t low = 0;
    size_t high = p->setup.n_points;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (points[middle].to_ms <= time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low < p->setup.n_points && points[low].from_ms <= time_ms ? low : p->setup.n_points;
}

/* A point is the same report over its own days; without an event in these that matches a stage
 * there is nothing to report. */
static void
count_points(struct pass *p)
{
    const struct event_list *l = &p->person.all;

    for (uint32_t i = 0; i < l->n; i++) {
        size_t at =
            l->events[i].stages != 0 ? point_of(p, l->events[i].time_ms) : p->setup.n_points;
        const struct path_range *point = &p->setup.points[at];
        struct outcome *o = &p->outcomes[0];
        struct unit unit;
        uint32_t first;

        if (at == p->setup.n_points ||
            !person_events_visitor(&p->person, point, p->setup.q->funnel->window_ms, &unit, &first))
            continue;
        for (int k = 0; k < p->setup.q->n_presets; k++) {
            unit_count(&unit, &p->plans[k], &p->chooser, o);
            tally_unit(p->points[k][at], &unit, o);
        }
        while (i + 1 < l->n && l->events[i + 1].time_ms < point->to_ms)
            i++;
    }
}

enum err_code
pass__count_visitor(struct pass *p, const struct journey *j, struct err *err)
{
    struct unit unit;
    struct counted c = {.journey = j, .unit = &unit};
    enum err_code rc;

    if (!person_events_visitor(&p->person, &p->setup.range, p->setup.q->funnel->window_ms, &unit,
                               &c.first))
        return ERR_OK;
    rc = count_unit(p, &c, err);
    if (p->setup.n_points != 0)
        count_points(p);
    return rc;
}

static enum err_code
count_sessions(struct pass *p, const struct journey *j, struct err *err)
{
    const struct path_range *range = &p->setup.range;
    enum err_code rc = ERR_OK;

    for (uint32_t s = 0; s < p->person.settle.n_sessions && rc == ERR_OK; s++) {
        int64_t start_ms = person_events_session_start(&p->person, s);
        struct unit unit;
        struct counted c = {.journey = j, .unit = &unit};
        size_t point;

        if (start_ms < range->from_ms || start_ms >= range->to_ms)
            continue;
        person_events_session(&p->person, s, &unit);
        c.from = p->person.session.from;
        rc = count_unit(p, &c, err);
        point = point_of(p, start_ms);
        for (int i = 0; point < p->setup.n_points && i < p->setup.q->n_presets; i++)
            tally_unit(p->points[i][point], &unit, &p->outcomes[i]);
    }
    return rc;
}

enum err_code
pass__take_person(const struct journey *j, void *context, struct err *err)
{
    struct pass *p = context;

    person_events_read(&p->person, j);
    if (p->person.all.n == 0)
        return ERR_OK;
    return p->setup.q->funnel->count == COUNT_SESSIONS ? count_sessions(p, j, err)
                                                       : pass__count_visitor(p, j, err);
}

static size_t
list_bytes(const struct pass_list *l)
{
    return l->max * sizeof *l->units;
}

/* What grows with the visitors. */
size_t
pass__held_bytes(void *context)
{
    const struct pass *p = context;
    const struct request *r = p->setup.q->request;
    size_t bytes = p->arena.used_bytes + list_bytes(&p->list);

    for (size_t b = 0; b < r->n_breakdowns && !p->is_member; b++)
        bytes += attribute_values_held_bytes(p->setup.values[b]);
    for (int i = 0; i < p->setup.q->n_presets; i++) {
        size_t tally_bytes = tally_held_bytes(p->tallies[i]);

        bytes += list_bytes(&p->paths[i]) + tally_bytes;
        if (p->breakdowns[i])
            bytes += breakdown_held_bytes(p->breakdowns[i]);
        if (p->setup.n_points != 0) /* together they have about as many times as the whole */
            bytes += p->setup.n_points * sizeof(struct tally *) + tally_bytes;
    }
    return bytes;
}

/* ---- Adding up ---- */

void
pass__add(struct pass *p, const struct pass *from)
{
    for (int i = 0; i < p->setup.q->n_presets; i++) {
        tally_merge(p->tallies[i], from->tallies[i]);
        for (size_t k = 0; k < p->setup.n_points; k++)
            tally_merge(p->points[i][k], from->points[i][k]);
        if (p->breakdowns[i])
            breakdown_merge(p->breakdowns[i], from->breakdowns[i]);
        p->n_cookieless[i] += from->n_cookieless[i];
    }
    p->person.n_bots += from->person.n_bots;
    p->n_plain += from->n_plain;
    p->n_several += from->n_several;
}

/* ---- Life ---- */

/* Does the question ask for drivers, sessions or their order? */
static bool
needs_settling(const struct pass *p)
{
    const struct request *r = p->setup.q->request;
    bool needs = p->setup.q->funnel->count == COUNT_SESSIONS || p->chooser.needs_order ||
                 !matcher_asks_event_only(p->matcher);

    for (size_t i = 0; i < r->n_breakdowns; i++)
        needs = needs || r->breakdowns[i].at == AT_FIRST || r->breakdowns[i].at == AT_LAST ||
                matcher_part_of(&r->breakdowns[i].attribute) != PART_EVENT;
    return needs;
}

int64_t
pass_end_ms(const struct funnel *f, const struct path_range *range, int64_t as_of_ms)
{
    int64_t known_ms = path_time_add(as_of_ms, 1);
    int64_t to_ms = path_time_add(range->to_ms, f->window_ms);

    return f->count == COUNT_SESSIONS || to_ms > known_ms ? known_ms : to_ms;
}

struct snapshot_scope
pass_scope(uint32_t site, const struct funnel *f, const struct request *r)
{
    struct snapshot_scope scope = {.site = site,
                                   .from_ms = INT64_MIN,
                                   .to_ms = pass_end_ms(f, &r->range, r->as_of_ms),
                                   .as_of_ms = r->as_of_ms,
                                   .compare_as_of_ms = r->as_of_ms};
    int64_t compare_end_ms;

    if (!r->compare.is_given)
        return scope;
    scope.compare_as_of_ms = r->compare.as_of_ms;
    compare_end_ms = pass_end_ms(f, &r->compare.range, r->compare.as_of_ms);
    if (compare_end_ms > scope.to_ms)
        scope.to_ms = compare_end_ms;
    return scope;
}

/* Only visitors look back for paths; all look back for drivers. */
static int64_t
begin_of(const struct pass *p)
{
    const struct query_funnel *q = p->setup.q;
    int64_t back_ms = q->funnel->count == COUNT_SESSIONS ? 0 : q->funnel->window_ms;

    if (p->sets && back_ms < INT64_MAX - SETTLE_LOOK_BACK_MS)
        back_ms += SETTLE_LOOK_BACK_MS;
    return path_time_add(p->setup.range.from_ms, -back_ms);
}

static void
create_results(struct pass *p)
{
    const struct pass_setup *s = &p->setup;
    int n_stages = s->q->funnel->n_stages;

    for (int i = 0; i < s->q->n_presets; i++) {
        plan_init(&p->plans[i], s->q->funnel, s->q->presets[i]);
        p->tallies[i] = i > 0 ? tally_create_like(p->tallies[0]) : tally_create(n_stages);
        p->points[i] = mem_zalloc((s->n_points + 1) * sizeof(struct tally *));
        for (size_t k = 0; k < s->n_points; k++)
            p->points[i][k] = tally_create_like(p->tallies[0]);
        if (s->q->request->n_breakdowns != 0)
            p->breakdowns[i] = s->rows ? breakdown_create_like(s->rows[i], p->tallies[0])
                                       : breakdown_create(p->tallies[0], s->values);
    }
}

static enum err_code
create_matching(struct pass *p, struct err *err)
{
    const struct request *r = p->setup.q->request;
    enum err_code rc;

    p->scratch = leaf_scratch_create();
    rc = matcher_create(p->setup.q->funnel, r->filters, r->n_filters, &p->matcher, err);
    if (rc != ERR_OK)
        return rc;
    chooser_init(&p->chooser, r, p->matcher);
    if (!needs_settling(p))
        return ERR_OK;
    p->drivers = driver_table_create();
    return leaf_sets_create(p->matcher, p->scratch, &p->sets, err);
}

enum err_code
pass_create(const struct pass_setup *setup, struct pass **out, struct err *err)
{
    struct pass *p = mem_zalloc(sizeof *p);
    enum err_code rc;

    p->setup = *setup;
    arena_init(&p->arena, 16 << 10);
    create_results(p);
    rc = create_matching(p, err);
    if (rc != ERR_OK) {
        pass_destroy(&p);
        return rc;
    }
    p->begin_ms = begin_of(p);
    p->end_ms = pass_end_ms(setup->q->funnel, &setup->range, setup->as_of_ms);
    person_events_init(&p->person, &(struct person_setup){
                                       .bots = setup->q->request->bots,
                                       .as_of_ms = setup->as_of_ms,
                                       .bots_range = {setup->range.from_ms,
                                                      path_time_add(setup->range.to_ms,
                                                                    setup->q->funnel->window_ms)},
                                       .sets = p->sets,
                                       .drivers = p->drivers});
    pass__plain_init(p);
    *out = p;
    return ERR_OK;
}

void
pass__free_working(struct pass *p)
{
    pass__plain_fini(p);
    person_events_fini(&p->person);
    leaf_sets_destroy(&p->sets);
    driver_table_destroy(&p->drivers);
    matcher_destroy(&p->matcher);
    leaf_scratch_destroy(&p->scratch);
}

void
pass_destroy(struct pass **pass)
{
    struct pass *p = *pass;

    if (p == NULL)
        return;
    for (int i = 0; i < PRESET_COUNT; i++) {
        for (size_t k = 0; p->points[i] && k < p->setup.n_points; k++)
            tally_destroy(&p->points[i][k]);
        free(p->points[i]);
        breakdown_destroy(&p->breakdowns[i]);
        tally_destroy(&p->tallies[i]);
        free(p->paths[i].units);
    }
    free(p->list.units);
    pass__free_working(p);
    arena_fini(&p->arena);
    free(p);
    *pass = NULL;
}
