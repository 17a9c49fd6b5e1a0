/* A walk over the runs of one person's ids alone. */
#include "aggregator/query_journey.h"

#include <stdlib.h>

#include "aggregator/event_reader.h"
#include "aggregator/query_count.h"
#include "core/event_json.h"
#include "core/timestamp.h"

struct reading {
    const struct query_journey *q;
    struct slice name; /* of the person: two may have one hash */
    struct arena *arena;
    struct journey_answer *out;
    struct event_reader reader;
    struct journey_path *paths;
    size_t paths_max;
    struct journey_event **filled; /* by event of the person; NULL: it is not given */
};

/* ---- Events ---- */

static enum err_code
read_event(struct reading *r, struct enquiry *e, const struct journey *j, uint32_t event,
           struct event *out, struct err *err)
{
    return event_reader_read(&r->reader, e, journey_place(j, e->person.all.from[event]), out, err);
}

/* The event of a place in the person's, read where it was not yet. */
static enum err_code
borrow_event(struct reading *r, struct enquiry *e, const struct journey *j, uint32_t event,
             const struct event **read, const struct event **out, struct err *err)
{
    enum err_code rc = ERR_OK;

    if (!read[event]) {
        struct event *one = ARENA_NEW(r->arena, struct event);

        rc = read_event(r, e, j, event, one, err);
        read[event] = one;
    }
    *out = read[event];
    return rc;
}

static enum err_code
fill_event(struct reading *r, struct enquiry *e, const struct journey *j, uint32_t event,
           const struct event **read, struct journey_event *out, struct err *err)
{
    const struct settled *s = &e->person.settle.events[event];
    const struct event *own = NULL;
    enum err_code rc = borrow_event(r, e, j, event, read, &own, err);

    if (rc != ERR_OK)
        return rc;
    *out = (struct journey_event){.event = *own,
                                  .session = s->session,
                                  .is_entrance = s->is_entrance,
                                  .stages = r->q->funnel ? e->person.all.events[event].stages : 0};
    if (s->driver != SETTLE_DIRECT)
        rc = borrow_event(r, e, j, s->driver, read, &out->driver, err);
    return rc == ERR_OK ? borrow_event(r, e, j, s->origin, read, &out->origin, err) : rc;
}

static enum err_code
fill_events(struct reading *r, struct enquiry *e, const struct journey *j, struct err *err)
{
    const struct event_list *all = &e->person.all;
    const struct path_range *range = &r->q->request->range;
    uint32_t begin = path_first_from(all->events, all->n, range->from_ms);
    uint32_t end = path_first_from(all->events, all->n, range->to_ms);
    const struct event **read = ARENA_ARRAY(r->arena, const struct event *, all->n + (size_t)1);
    struct journey_event *events;
    enum err_code rc = ERR_OK;

    r->filled = ARENA_ARRAY(r->arena, struct journey_event *, all->n + (size_t)1);
    r->out->n_all = end - begin;
    if (r->out->n_all > r->q->limit)
        begin = end - (uint32_t)r->q->limit;
    r->out->n = end - begin;
    events = ARENA_ARRAY(r->arena, struct journey_event, r->out->n + 1);
    for (uint32_t i = begin; i < end && rc == ERR_OK; i++) {
        uint32_t event = e->person.settle.order[i];

        rc = fill_event(r, e, j, event, read, &events[i - begin], err);
        r->filled[event] = &events[i - begin];
    }
    r->out->events = events;
    return rc;
}

/* Why a row of the journey is not among the person's events; NULL where it is. */
static const char *
left_out_reason(const struct reading *r, const struct scan_row *row)
{
    bool is_bot = (row->flags & EVENT_BOT) != 0;

    if (row->time_ms > r->q->request->as_of_ms)
        return "after_as_of";
    if (is_bot && r->q->request->bots == BOTS_EXCLUDE)
        return "bot";
    return !is_bot && r->q->request->bots == BOTS_ONLY ? "not_bot" : NULL;
}

static enum err_code
fill_left_out(struct reading *r, struct enquiry *e, const struct journey *j, struct err *err)
{
    const struct path_range *range = &r->q->request->range;
    struct journey_left_out *list = ARENA_ARRAY(r->arena, struct journey_left_out, r->q->limit + 1);
    enum err_code rc = ERR_OK;
    size_t n = 0;

    for (uint32_t i = j->n; i-- > 0 && n < r->q->limit && rc == ERR_OK;) {
        const char *reason = left_out_reason(r, &j->rows[i]);

        if (reason == NULL || j->rows[i].time_ms < range->from_ms ||
            j->rows[i].time_ms >= range->to_ms)
            continue;
        list[n].reason = reason;
        rc = event_reader_read(&r->reader, e, journey_place(j, i), &list[n++].event, err);
    }
    r->out->left_out = list;
    r->out->n_left_out = n;
    return rc;
}

/* ---- Paths ---- */

/* What each of the unit's events is to the funnel. */
static void
fill_whys(struct reading *r, const struct enquiry *e, const struct enquiry_unit *u,
          const struct outcome *o)
{
    for (uint32_t i = 0; i < u->unit.n; i++) {
        struct journey_event *event = r->filled[enquiry_event(u, i)];
        uint32_t stages = u->unit.events[i].stages;

        if (event == NULL || stages == 0)
            continue;
        event->whys = ARENA_ARRAY(r->arena, struct why, FUNNEL_STAGES_MAX);
        event->n_whys = 0;
        for (; stages != 0; stages &= stages - 1)
            event->whys[event->n_whys++] = why_of(&u->unit, &e->plan, o, i, __builtin_ctz(stages));
    }
}

static enum err_code
take_unit(struct enquiry *e, const struct journey *j, const struct enquiry_unit *u, void *context,
          struct err *err)
{
    struct reading *r = context;
    struct report_visit *visits;
    struct outcome o;

    (void)j;
    (void)err;
    unit_count(&u->unit, &e->plan, &e->chooser, &o);
    fill_whys(r, e, u, &o);
    if (!o.has_path)
        return ERR_OK;
    if (r->out->n_paths == r->paths_max) {
        struct journey_path *more =
            ARENA_ARRAY(r->arena, struct journey_path, 2 * r->paths_max + 4);

        if (r->paths_max > 0)
            memcpy(more, r->paths, r->paths_max * sizeof *more);
        r->paths = more;
        r->paths_max = 2 * r->paths_max + 4;
    }
    visits = ARENA_ARRAY(r->arena, struct report_visit, o.path.n);
    for (uint32_t v = 0; v < o.path.n; v++)
        visits[v] = (struct report_visit){o.path.visits[v].stage,
                                          u->unit.events[o.path.visits[v].event].time_ms};
    r->paths[r->out->n_paths++] =
        (struct journey_path){u->unit.is_session ? u->unit.events[0].time_ms : 0, o.path.n, visits};
    return ERR_OK;
}

static enum err_code
take_person(struct enquiry *e, const struct journey *j, void *context, struct err *err)
{
    struct reading *r = context;
    struct slice visitor;
    enum err_code rc = journey_visitor(j, &visitor, err);

    if (rc != ERR_OK || !slice_equal(visitor, r->name))
        return rc;
    rc = fill_events(r, e, j, err);
    if (rc == ERR_OK && r->q->funnel)
        rc = fill_left_out(r, e, j, err);
    if (rc == ERR_OK && r->q->funnel)
        rc = enquiry_each_unit(e, j, take_unit, r, err);
    r->out->paths = r->paths;
    return rc;
}

/* ---- The walk ---- */

static enum err_code
start(struct enquiry *e, void *context, struct err *err)
{
    struct reading *r = context;

    (void)err;
    event_reader_start(&r->reader, e, r->arena);
    r->out->n = r->out->n_all = r->out->n_paths = r->out->n_left_out = 0;
    return ERR_OK;
}

enum err_code
query_journey(struct snapshot_pool *p, const struct query_journey *q, struct arena *a,
              struct journey_answer *out, struct err *err)
{
    struct journey_answer answer = {.n_ids = 0};
    struct enquiry_setup setup = {.site = q->site,
                                  .funnel =
                                      q->funnel ? q->funnel : count_funnel(&q->request->count, a),
                                  .request = q->request,
                                  .snapshot = q->snapshot,
                                  .guard = q->guard};
    struct reading r = {.q = q, .arena = a, .out = &answer};
    struct enquiry_walk walk = {.start = start, .person = take_person, .context = &r};
    struct enquiry *e = NULL;
    enum err_code rc = enquiry_open(p, &setup, a, &e, err);

    if (rc != ERR_OK)
        return rc;
    answer.n_ids = enquiry_ids(e, q->visitor, a, &answer.ids);
    walk.n_only = answer.n_ids;
    walk.only = answer.ids;
    r.name = answer.ids[0];
    rc = enquiry_walk(e, &walk, err);
    if (rc == ERR_OK && answer.n_all == 0)
        rc = err_set(err, ERR_NOT_FOUND, "visitor", "nobody of that id has done anything there");
    answer.about = e->about;
    event_reader_end(&r.reader);
    enquiry_close(&e);
    if (rc == ERR_OK)
        *out = answer;
    return rc;
}

/* ---- As JSON ---- */

static void
add_member(struct buffer *out, const char *name, struct slice value)
{
    buffer_printf(out, ",\"%s\":", name);
    enquiry_add_text(out, value);
}

static void
add_driver(struct buffer *out, const struct journey_event *e)
{
    static const enum event_text texts[] = {TEXT_SOURCE, TEXT_MEDIUM, TEXT_CAMPAIGN, TEXT_CONTENT,
                                            TEXT_KEYWORD};

    buffer_add_text(out, "\"channel\":");
    enquiry_add_text(out, e->driver ? e->driver->text[TEXT_CHANNEL] : MATCHER_DIRECT);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        add_member(out, event_text_name(texts[i]),
                   e->driver ? e->driver->text[texts[i]] : SLICE_EMPTY);
    add_member(out, "referrer", e->origin->text[TEXT_REFERRER]);
    add_member(out, "landing", e->origin->text[TEXT_PATH]);
}

static void
add_stages(struct buffer *out, uint32_t stages)
{
    bool is_first = true;

    buffer_add_text(out, ",\"stages\":[");
    for (; stages != 0; stages &= stages - 1, is_first = false)
        buffer_printf(out, "%s%d", is_first ? "" : ",", __builtin_ctz(stages) + 1);
    buffer_add_char(out, ']');
}

static void
add_why(struct buffer *out, const struct why *w)
{
    char at[TIMESTAMP_TEXT_MAX];

    buffer_printf(out, "{\"stage\":%d,\"reason\":\"%s\"", w->stage, why_name(w->reason));
    if (w->by_ms != 0)
        buffer_printf(out, ",\"by_ms\":%lld", (long long)w->by_ms);
    if (w->reason == WHY_STAGE_SERVED || w->reason == WHY_EXCLUDED)
        buffer_printf(out, ",\"at\":\"%s\"", timestamp_format(w->at_ms, false, at));
    if (w->other != 0)
        buffer_printf(out, ",\"other_stage\":%d", w->other);
    buffer_add_char(out, '}');
}

static void
add_whys(struct buffer *out, const struct journey_event *e)
{
    buffer_add_text(out, ",\"why\":[");
    for (uint32_t i = 0; i < e->n_whys; i++) {
        buffer_add_text(out, i > 0 ? "," : "");
        add_why(out, &e->whys[i]);
    }
    buffer_add_char(out, ']');
}

static void
add_left_out(struct buffer *out, const struct journey_answer *answer)
{
    buffer_add_text(out, ",\"left_out_events\":[");
    for (size_t i = 0; i < answer->n_left_out; i++) {
        buffer_add_text(out, i > 0 ? ",{\"event\":" : "{\"event\":");
        event_add_json(out, &answer->left_out[i].event);
        buffer_printf(out, ",\"reason\":\"%s\"}", answer->left_out[i].reason);
    }
    buffer_add_char(out, ']');
}

/* The session that event *at begins; *at moves behind it. */
static void
add_session(struct buffer *out, const struct journey_answer *answer, size_t *at, bool has_funnel)
{
    const struct journey_event *first = &answer->events[*at];
    char start[TIMESTAMP_TEXT_MAX];

    buffer_printf(out, "{\"start\":\"%s\",\"is_whole\":%s,",
                  timestamp_format(first->event.time_ms, true, start),
                  first->is_entrance ? "true" : "false");
    add_driver(out, first);
    buffer_add_text(out, ",\"events\":[");
    for (; *at < answer->n && answer->events[*at].session == first->session; ++*at) {
        const struct journey_event *e = &answer->events[*at];

        buffer_add_text(out, e != first ? ",{\"event\":" : "{\"event\":");
        event_add_json(out, &e->event);
        if (has_funnel) {
            add_stages(out, e->stages);
            add_whys(out, e);
        }
        buffer_add_char(out, '}');
    }
    buffer_add_text(out, "]}");
}

static void
add_paths(struct buffer *out, const struct journey_answer *answer, bool is_of_sessions)
{
    char start[TIMESTAMP_TEXT_MAX];

    buffer_add_text(out, ",\"paths\":[");
    for (size_t i = 0; i < answer->n_paths; i++) {
        const struct journey_path *p = &answer->paths[i];

        buffer_add_text(out, i > 0 ? ",{" : "{");
        if (is_of_sessions)
            buffer_printf(out, "\"session\":\"%s\",", timestamp_format(p->session_ms, true, start));
        buffer_add_text(out, "\"path\":[");
        for (uint32_t v = 0; v < p->n; v++)
            buffer_printf(out, "%s[%u,%lld]", v > 0 ? "," : "", p->visits[v].stage + 1,
                          (long long)p->visits[v].time_ms);
        buffer_add_text(out, "]}");
    }
    buffer_add_char(out, ']');
}

void
journey_add_members(struct buffer *out, const struct journey_answer *answer,
                    const struct query_journey *q)
{
    buffer_add_text(out, "\"visitor\":");
    buffer_add_json(out, answer->ids[0]);
    for (size_t i = 0; i < answer->n_ids; i++) {
        buffer_add_text(out, i > 0 ? "," : ",\"ids\":[");
        buffer_add_json(out, answer->ids[i]);
    }
    buffer_printf(out, "],\"n\":%zu,\"sessions\":[", answer->n_all);
    for (size_t at = 0; at < answer->n;) {
        buffer_add_text(out, at > 0 ? "," : "");
        add_session(out, answer, &at, q->funnel != NULL);
    }
    buffer_add_char(out, ']');
    if (q->funnel) {
        add_paths(out, answer, q->funnel->count == COUNT_SESSIONS);
        add_left_out(out, answer);
    }
    request_add_range(out, q->request, &q->request->range);
    report_add_about(out, &answer->about);
}
