/* What the newest events became: one walk over the people who did them, and nobody else. */
#include "aggregator/query_live_int.h"

#include <inttypes.h>
#include <stdlib.h>

#include "aggregator/event_reader.h"
#include "aggregator/query_count.h"
#include "core/event_json.h"
#include "core/timestamp.h"

struct telling {
    const struct query_live *q;
    struct live_answer *answer;
    struct arena *arena;
    struct event_reader reader;
    int64_t oldest_ms; /* of the answer's events */
    int reached;       /* by the person at hand */
};

static enum err_code
read_event(struct telling *t, struct enquiry *e, const struct journey *j, uint32_t event,
           struct event *out, struct err *err)
{
    return event_reader_read(&t->reader, e, journey_place(j, e->person.all.from[event]), out, err);
}

static struct live_event *
find_shown(struct telling *t, uint64_t key)
{
    for (size_t i = 0; i < t->answer->n; i++)
        if (t->answer->list[i].key == key)
            return &t->answer->list[i];
    return NULL;
}

static enum err_code
tell_event(struct telling *t, struct enquiry *e, const struct journey *j, uint32_t event,
           struct err *err)
{
    const struct settled *s = &e->person.settle.events[event];
    struct live_event *shown;
    struct event own;
    enum err_code rc = read_event(t, e, j, event, &own, err);

    shown = rc == ERR_OK ? find_shown(t, live__key(&own)) : NULL;
    if (shown == NULL)
        return rc;
    shown->is_known = true;
    shown->is_entrance = s->is_entrance;
    shown->stages = t->q->funnel ? e->person.all.events[event].stages : 0;
    shown->reached = t->reached;
    if (s->driver != SETTLE_DIRECT) {
        struct event *driver = ARENA_NEW(t->arena, struct event);

        rc = read_event(t, e, j, s->driver, driver, err);
        shown->driver = driver;
    }
    return rc;
}

/* The deepest of the units' counted paths. */
static enum err_code
take_unit(struct enquiry *e, const struct journey *j, const struct enquiry_unit *u, void *context,
          struct err *err)
{
    struct telling *t = context;
    struct outcome o;

    (void)j;
    (void)err;
    unit_count(&u->unit, &e->plan, &e->chooser, &o);
    if (o.has_path && (int)o.path.visits[o.path.n - 1].stage + 1 > t->reached)
        t->reached = (int)o.path.visits[o.path.n - 1].stage + 1;
    return ERR_OK;
}

static enum err_code
take_person(struct enquiry *e, const struct journey *j, void *context, struct err *err)
{
    struct telling *t = context;
    const struct event_list *all = &e->person.all;
    enum err_code rc = ERR_OK;

    t->reached = 0;
    if (t->q->funnel)
        rc = enquiry_each_unit(e, j, take_unit, t, err);
    for (uint32_t i = path_first_from(all->events, all->n, t->oldest_ms);
         i < all->n && rc == ERR_OK; i++)
        rc = tell_event(t, e, j, i, err);
    return rc;
}

static enum err_code
start(struct enquiry *e, void *context, struct err *err)
{
    struct telling *t = context;

    (void)err;
    event_reader_start(&t->reader, e, t->arena);
    return ERR_OK;
}

static bool
is_among(const struct slice *ids, size_t n, struct slice id)
{
    for (size_t i = 0; i < n; i++)
        if (slice_equal(ids[i], id))
            return true;
    return false;
}

/* All ids of the people whose events are shown, each once. */
static size_t
find_ids(const struct enquiry *e, const struct live_answer *answer, struct arena *a,
         struct slice **out)
{
    struct slice *all = ARENA_ARRAY(a, struct slice, answer->n * PERSON_IDS_MAX + 1);
    size_t n = 0;

    for (size_t i = 0; i < answer->n; i++) {
        struct slice *ids;
        size_t n_ids;

        if (is_among(all, n, answer->list[i].event.visitor))
            continue;
        n_ids = enquiry_ids(e, answer->list[i].event.visitor, a, &ids);
        for (size_t k = 0; k < n_ids; k++)
            if (!is_among(all, n, ids[k]))
                all[n++] = ids[k];
    }
    *out = all;
    return n;
}

/* The people as a report of now would have them: those who can still go on, and bots too. */
static enum err_code
read_request(const struct query_live *q, struct telling *t, struct request *r, struct err *err)
{
    int64_t from_ms = t->oldest_ms;

    request_init(r);
    r->is_count = true;
    r->bots = BOTS_INCLUDE;
    if (q->funnel && q->now_ms - q->funnel->window_ms < from_ms)
        from_ms = q->now_ms - q->funnel->window_ms;
    r->from = (struct request_moment){.is_given = true, .ms = from_ms};
    r->as_of = (struct request_moment){.is_given = true, .ms = t->answer->newest_ms};
    return request_finish(r, q->timezone, q->now_ms, err);
}

enum err_code
live__tell(struct snapshot_pool *p, const struct query_live *q, struct arena *a,
           struct live_answer *answer, struct err *err)
{
    struct request r;
    struct telling t = {.q = q, .answer = answer, .arena = a};
    struct enquiry_setup setup = {
        .site = q->site, .request = &r, .is_passing = true, .guard = q->guard};
    struct enquiry_walk walk = {.start = start, .person = take_person, .context = &t};
    struct enquiry *e = NULL;
    struct slice *ids = NULL;
    enum err_code rc;

    if (answer->n == 0)
        return ERR_OK;
    t.oldest_ms = answer->list[answer->n - 1].event.time_ms;
    rc = read_request(q, &t, &r, err);
    if (rc == ERR_OK) {
        setup.funnel = q->funnel ? q->funnel : count_funnel(&r.count, a);
        rc = enquiry_open(p, &setup, a, &e, err);
    }
    if (rc == ERR_OK) {
        walk.n_only = find_ids(e, answer, a, &ids);
        walk.only = ids;
        rc = enquiry_walk(e, &walk, err);
    }
    event_reader_end(&t.reader);
    enquiry_close(&e);
    request_fini(&r);
    return rc;
}

/* ---- As JSON ---- */

static void
add_driver(struct buffer *out, const struct live_event *e)
{
    static const enum event_text texts[] = {TEXT_SOURCE, TEXT_MEDIUM, TEXT_CAMPAIGN, TEXT_KEYWORD};

    buffer_add_text(out, ",\"channel\":");
    if (e->is_known)
        enquiry_add_text(out, e->driver ? e->driver->text[TEXT_CHANNEL] : MATCHER_DIRECT);
    else
        buffer_add_text(out, "null");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        buffer_printf(out, ",\"%s\":", event_text_name(texts[i]));
        enquiry_add_text(out, e->driver ? e->driver->text[texts[i]] : SLICE_EMPTY);
    }
}

static void
add_event(struct buffer *out, const struct live_event *e, const struct live_form *form)
{
    struct event event = e->event;
    bool is_first = true;

    buffer_printf(out, "{\"key\":\"%016" PRIx64 "\",\"visitor\":", e->key);
    if (form->is_anonymous) {
        event.visitor = event.id = event.text[TEXT_KNOWN] = SLICE_EMPTY;
        buffer_add_text(out, "null");
    } else {
        buffer_add_json(out, event.visitor);
    }
    buffer_printf(out, ",\"bot\":%s", (e->event.flags & EVENT_BOT) != 0 ? "true" : "false");
    buffer_add_text(out, ",\"event\":");
    event_add_json(out, &event);
    add_driver(out, e);
    buffer_printf(out, ",\"is_entrance\":%s", e->is_entrance ? "true" : "false");
    if (form->has_funnel) {
        buffer_add_text(out, ",\"stages\":[");
        for (uint32_t left = e->stages; left != 0; left &= left - 1, is_first = false)
            buffer_printf(out, "%s%d", is_first ? "" : ",", __builtin_ctz(left) + 1);
        if (e->reached > 0)
            buffer_printf(out, "],\"reached\":%d", e->reached);
        else
            buffer_add_text(out, "],\"reached\":null");
    }
    buffer_add_char(out, '}');
}

static void
add_moment(struct buffer *out, const char *name, int64_t ms, bool is_there)
{
    char text[TIMESTAMP_TEXT_MAX];

    if (is_there)
        buffer_printf(out, "\"%s\":\"%s\",", name, timestamp_format(ms, true, text));
    else
        buffer_printf(out, "\"%s\":null,", name);
}

void
live_add_members(struct buffer *out, const struct live_answer *answer, const struct live_form *form)
{
    add_moment(out, "newest", answer->newest_ms, answer->has_events);
    add_moment(out, "stored", answer->stored_ms, answer->stored_ms != 0);
    buffer_printf(out, "\"visitors\":%" PRId64 ",\"events_per_minute\":%.1f,\"cursor\":",
                  answer->visitors, (double)answer->events * 60000 / (double)LIVE_HERE_MS);
    if (answer->has_events)
        buffer_printf(out, "\"%" PRId64 "\"", answer->newest_ms);
    else
        buffer_add_text(out, "null");
    buffer_add_text(out, ",\"events\":[");
    for (size_t i = 0; i < answer->n; i++) {
        buffer_add_text(out, i > 0 ? "," : "");
        add_event(out, &answer->list[i], form);
    }
    buffer_add_char(out, ']');
}
