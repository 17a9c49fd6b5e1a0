/* What happened in the session in which somebody left a stage, or went on. */
#include "aggregator/query_dropoff_int.h"

#define PAGES_MAX 256 /* of one session; what is beyond gives no signs */

static const char *const sign_names[SIGN_COUNT] = {[SIGN_WENT_BACK] = "went_back",
                                                   [SIGN_SAME_PAGE] = "same_page_3",
                                                   [SIGN_RAGE_CLICK] = "rage_click",
                                                   [SIGN_ERROR] = "error",
                                                   [SIGN_SLOW_LOAD] = "slow_load"};

const char *
dropoff__sign_name(enum dropoff_sign sign)
{
    return sign_names[sign];
}

/* The pages of a session in order, for its signs. */
struct pages {
    uint32_t n;
    uint32_t paths[PAGES_MAX];
};

static void
take_page(struct pages *p, uint32_t path, bool *signs)
{
    uint32_t n_same = 0;

    if (path == ATTRIBUTE_VALUE_NULL || p->n == PAGES_MAX)
        return;
    for (uint32_t i = 0; i < p->n; i++)
        n_same += p->paths[i] == path;
    if (n_same > 0 && p->paths[p->n - 1] != path)
        signs[SIGN_WENT_BACK] = true;
    if (n_same >= 2)
        signs[SIGN_SAME_PAGE] = true;
    p->paths[p->n++] = path;
}

/* Where the visit of the stage stands on the path. */
static uint32_t
find_visit(const struct dropoff *d, const struct path *path)
{
    uint32_t v = 0;

    while ((int)path->visits[v].stage != d->q->stage - 1)
        v++;
    return v;
}

/* Up to when the unit's events are looked at, exclusive. */
static int64_t
find_end(const struct dropoff *d, const struct enquiry_unit *u, const struct path *path, uint32_t v)
{
    const struct path_event *events = u->unit.events;

    if (v + 1 < path->n)
        return events[path->visits[v + 1].event].time_ms;
    return path_time_add(
        path_time_add(events[path->visits[v].event].time_ms, d->q->funnel->window_ms), 1);
}

static void
take_event(struct dropoff *d, struct enquiry *e, const struct journey *j, uint32_t event, int who,
           struct pages *pages, bool *signs)
{
    size_t base = d->n_asked;
    uint32_t values[SESSION_ATTRIBUTES];
    bool serves = e->person.all.events[event].stages >> (d->q->stage - 1) != 0;

    for (size_t k = 0; k < SESSION_ATTRIBUTES; k++)
        values[k] = enquiry_value(e, j, base + k, event);
    if (values[SESSION_EVENT] == d->words.engage) /* how long a page was seen is told at its end, */
        values[SESSION_EVENT] = ATTRIBUTE_VALUE_NULL; /* which those who go on may not wait for */
    for (size_t k = 0; k < SESSION_ROWS && !serves; k++)
        if (values[k] != ATTRIBUTE_VALUE_NULL)
            dropoff__add(d, base + k, values[k], who);
    if (values[SESSION_EVENT] == d->words.pageview)
        take_page(pages, values[SESSION_PATH], signs);
    signs[SIGN_ERROR] = signs[SIGN_ERROR] || values[SESSION_EVENT] == d->words.error;
    signs[SIGN_RAGE_CLICK] = signs[SIGN_RAGE_CLICK] || values[SESSION_TOLD] == d->words.rage_click;
    signs[SIGN_SAME_PAGE] = signs[SIGN_SAME_PAGE] || values[SESSION_TOLD] == d->words.same_page;
    signs[SIGN_SLOW_LOAD] = signs[SIGN_SLOW_LOAD] || values[SESSION_LOAD] == d->words.slow;
}

/* The pages of the step by which a unit goes on. */
static void
take_onward(struct dropoff *d, struct enquiry *e, const struct journey *j, uint32_t event)
{
    for (size_t k = SESSION_PATH; k <= SESSION_GROUP; k++) {
        struct value_key key = {{enquiry_value(e, j, d->n_asked + k, event)}};

        if (key.values[0] != ATTRIBUTE_VALUE_NULL)
            value_table_row(&d->tables[d->n_asked + k], &key)->score += 1;
    }
}

void
dropoff__session(struct dropoff *d, struct enquiry *e, const struct journey *j,
                 const struct enquiry_unit *u, const struct path *path, int who)
{
    const struct settle *settle = &e->person.settle;
    uint32_t v = find_visit(d, path);
    int64_t end_ms = find_end(d, u, path, v);
    uint32_t session = settle->events[enquiry_event(u, path->visits[v].event)].session;
    bool signs[SIGN_COUNT] = {false};
    struct pages pages = {.n = 0};

    for (uint32_t r = settle->sessions[session].begin; r < settle->sessions[session].end; r++) {
        uint32_t event = settle->order[r];
        int64_t time_ms = e->person.all.events[event].time_ms;

        if (time_ms >= d->q->request->range.from_ms && time_ms < end_ms)
            take_event(d, e, j, event, who, &pages, signs);
    }
    for (int s = 0; s < SIGN_COUNT; s++)
        d->signs[s][who] += signs[s];
    if (who == STAYERS)
        take_onward(d, e, j, enquiry_event(u, path->visits[v + 1].event));
}
