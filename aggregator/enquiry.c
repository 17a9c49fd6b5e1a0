/* See enquiry.h. What is not here: the walk (enquiry_walk.c), what is counted. */
#include "aggregator/enquiry_int.h"

#include <stdlib.h>

#include "aggregator/pass.h"
#include "aggregator/shortfall.h"

/* ---- Life ---- */

static enum err_code
take_snapshot(struct enquiry *e, struct err *err)
{
    const struct enquiry_setup *s = &e->setup;
    enum err_code rc;

    if (s->beside) {
        e->snapshot = s->beside->snapshot;
        e->persons = e->snapshot->compare_persons;
        return ERR_OK;
    }
    if (s->snapshot.n != 0) {
        rc = snapshot_take_kept(e->pool, s->snapshot, pass_scope(s->site, s->funnel, s->request),
                                &e->snapshot, err);
    } else {
        rc = snapshot_take(e->pool, pass_scope(s->site, s->funnel, s->request), &e->snapshot, err);
        if (rc == ERR_OK && !s->is_passing)
            snapshot_keep(e->pool, e->snapshot);
    }
    e->persons = rc == ERR_OK ? e->snapshot->persons : NULL;
    return rc;
}

static void
copy_warnings(struct enquiry *e)
{
    const struct snapshot *s = e->snapshot;

    /* room for those of the snapshot, one for each of its segments, and of what else is short */
    e->warnings = ARENA_ARRAY(e->arena, struct report_warning,
                              s->n_warnings + s->n + 1 + SHORTFALL_WARNINGS_MAX);
    for (size_t i = 0; i < s->n_warnings; i++)
        e->warnings[i] =
            (struct report_warning){.code = arena_copy(e->arena, s->warnings[i].code),
                                    .message = arena_copy(e->arena, s->warnings[i].message)};
    e->about.warnings = e->warnings;
    e->about.n_warnings = s->n_warnings;
    shortfall_warn(s,
                   &(struct shortfall_question){.site = e->setup.site,
                                                .funnel = e->setup.funnel,
                                                .request = e->setup.request,
                                                .n_attributes = e->setup.n_attributes,
                                                .attributes = e->setup.attributes},
                   e->arena, e->warnings, &e->about.n_warnings);
}

enum err_code
enquiry_open(struct snapshot_pool *p, const struct enquiry_setup *setup, struct arena *a,
             struct enquiry **out, struct err *err)
{
    const struct request *r = setup->request;
    struct enquiry *e = mem_zalloc(sizeof *e);
    enum err_code rc;

    *e = (struct enquiry){.setup = *setup, .pool = p, .arena = a};
    e->scratch = leaf_scratch_create();
    rc = request_check_funnel(r, setup->funnel, err);
    if (rc == ERR_OK)
        rc = take_snapshot(e, err);
    if (rc == ERR_OK)
        rc = matcher_create(setup->funnel, r->filters, r->n_filters, &e->matcher, err);
    if (rc != ERR_OK) {
        enquiry_close(&e);
        return rc;
    }
    matcher_set_page_groups(e->matcher, &e->snapshot->page_groups);
    plan_init(&e->plan, setup->funnel, setup->funnel->preset);
    chooser_init(&e->chooser, r, e->matcher);
    e->about.snapshot = arena_copy(a, slice_from(e->snapshot->name));
    e->about.as_of_ms = r->as_of_ms;
    e->is_left_out = ARENA_ARRAY(a, bool, e->snapshot->n + 1);
    copy_warnings(e);
    *out = e;
    return ERR_OK;
}

void
enquiry__drop_walk(struct enquiry *e)
{
    person_events_fini(&e->person);
    leaf_sets_destroy(&e->sets);
    driver_table_destroy(&e->drivers);
    tally_destroy(&e->currencies);
    for (size_t k = 0; k < e->setup.n_attributes; k++) {
        attribute_windows_fini(&e->windows[k]);
        attribute_values_destroy(&e->values[k]);
    }
}

void
enquiry_close(struct enquiry **enquiry)
{
    struct enquiry *e = *enquiry;

    if (e == NULL)
        return;
    enquiry__drop_walk(e);
    matcher_destroy(&e->matcher);
    leaf_scratch_destroy(&e->scratch);
    if (e->snapshot && !e->setup.beside)
        snapshot_release(e->pool, &e->snapshot);
    free(e);
    *enquiry = NULL;
}

void
enquiry_times(const struct enquiry *e, int64_t *out_first_ms, int64_t *out_last_ms)
{
    *out_first_ms = INT64_MAX;
    *out_last_ms = INT64_MIN;
    for (size_t i = 0; i < e->snapshot->n; i++) {
        const struct segment_site *site =
            segment_find_site(e->snapshot->segments[i].segment, e->setup.site);

        if (site && site->time_min_ms < *out_first_ms)
            *out_first_ms = site->time_min_ms;
        if (site && site->time_max_ms > *out_last_ms)
            *out_last_ms = site->time_max_ms;
    }
}

/* ---- Units ---- */

bool
enquiry_visitor(struct enquiry *e, const struct path_range *range, struct enquiry_unit *out)
{
    *out = (struct enquiry_unit){.from = NULL};
    return person_events_visitor(&e->person, range, e->setup.funnel->window_ms, &out->unit,
                                 &out->first);
}

bool
enquiry_session(struct enquiry *e, uint32_t s, const struct path_range *range,
                struct enquiry_unit *out)
{
    int64_t start_ms = person_events_session_start(&e->person, s);

    if (start_ms < range->from_ms || start_ms >= range->to_ms)
        return false;
    *out = (struct enquiry_unit){.session = s};
    person_events_session(&e->person, s, &out->unit);
    out->from = e->person.session.from;
    return true;
}

enum err_code
enquiry_each_unit(struct enquiry *e, const struct journey *j, enquiry_take take, void *context,
                  struct err *err)
{
    const struct path_range *range = &e->setup.request->range;
    struct enquiry_unit u;
    enum err_code rc = ERR_OK;

    if (e->setup.funnel->count == COUNT_VISITORS)
        return enquiry_visitor(e, range, &u) ? take(e, j, &u, context, err) : ERR_OK;
    for (uint32_t s = 0; s < e->person.settle.n_sessions && rc == ERR_OK; s++)
        if (enquiry_session(e, s, range, &u))
            rc = take(e, j, &u, context, err);
    return rc;
}

/* ---- Values ---- */

static uint32_t
read_at(struct enquiry *e, const struct journey *j, size_t k, uint32_t event)
{
    return attribute_values_read(e->values[k], &e->windows[k],
                                 journey_place(j, e->person.all.from[event]));
}

uint32_t
enquiry_value(struct enquiry *e, const struct journey *j, size_t k, uint32_t event)
{
    const struct attribute *a = &e->setup.attributes[k].attribute;
    const struct settled *s = &e->person.settle.events[event];

    switch (matcher_part_of(a)) {
    case PART_ORIGIN:
        return read_at(e, j, k, s->origin);
    case PART_DRIVER:
        if (s->driver != SETTLE_DIRECT)
            return read_at(e, j, k, s->driver);
        return a->code == TEXT_CHANNEL ? attribute_values_find(e->values[k], MATCHER_DIRECT)
                                       : ATTRIBUTE_VALUE_NULL;
    case PART_ENTRANCE:
        return attribute_values_find(e->values[k], s->is_entrance ? SLICE("true") : SLICE("false"));
    case PART_EVENT:
    case PART_COUNT:
        break;
    }
    return read_at(e, j, k, event);
}

/* Of the unit's first or last event on the way that has one. */
static uint32_t
value_in_order(struct enquiry *e, const struct journey *j, size_t k, const struct enquiry_unit *u,
               const struct path *path)
{
    bool is_first = e->setup.attributes[k].at == AT_FIRST;
    uint32_t best = UINT32_MAX;
    uint32_t best_value = ATTRIBUTE_VALUE_NULL;

    for (uint32_t i = 0; i < u->unit.n; i++) {
        uint32_t value;

        if (!unit_is_on_the_way(&u->unit, path, i) ||
            (best != UINT32_MAX && (u->unit.ranks[i] < u->unit.ranks[best]) != is_first))
            continue;
        value = enquiry_value(e, j, k, enquiry_event(u, i));
        if (value == ATTRIBUTE_VALUE_NULL)
            continue;
        best = i;
        best_value = value;
    }
    return best_value;
}

uint32_t
enquiry_value_at(struct enquiry *e, const struct journey *j, size_t k, const struct enquiry_unit *u,
                 const struct path *path)
{
    const struct request_breakdown *asked = &e->setup.attributes[k];

    if (asked->at == AT_FIRST || asked->at == AT_LAST)
        return value_in_order(e, j, k, u, path);
    for (uint32_t v = 0; v < path->n; v++)
        if (asked->at == AT_STAGE ? (int)path->visits[v].stage == asked->stage - 1 : v == 0)
            return enquiry_value(e, j, k, enquiry_event(u, path->visits[v].event));
    return ATTRIBUTE_VALUE_NULL;
}

struct slice
enquiry_text(const struct enquiry *e, size_t k, uint32_t number)
{
    return attribute_values_text(e->values[k], number);
}

void
enquiry_add_text(struct buffer *out, struct slice value)
{
    if (value.n == 0)
        buffer_add_text(out, "null");
    else
        buffer_add_json(out, value);
}

void
enquiry_add_figure(struct buffer *out, const struct figure_place *place, int64_t n)
{
    buffer_printf(out, "\"figure\":\"%s\",\"stage\":", figure_name(place->figure));
    if (place->stage == 0)
        buffer_add_text(out, "null");
    else
        buffer_printf(out, "%d", place->stage);
    buffer_printf(out, ",\"n\":%lld", (long long)n);
}

size_t
enquiry_ids(const struct enquiry *e, struct slice visitor, struct arena *a, struct slice **out)
{
    const struct persons *p = e->persons;
    uint32_t person = persons_find(p, snapshot_visitor_hash(e->pool, visitor), visitor);
    struct slice *ids = ARENA_ARRAY(a, struct slice, PERSON_IDS_MAX);
    size_t n = 0;

    ids[n++] = arena_copy(a, person == PERSON_NOBODY ? visitor : p->names[person]);
    for (size_t i = 0; person != PERSON_NOBODY && i < p->n_ids; i++)
        if (p->ids[i].person == person && !slice_equal(p->ids[i].id, p->names[person]))
            ids[n++] = arena_copy(a, p->ids[i].id);
    *out = ids;
    return n;
}
