/* What followed, what sets people apart, why they left, finding people, one person's journey:
 * POST /api/v1/sites/{site}/next, .../contrast, .../dropoff, .../search, .../journey. */
#include "aggregator/query_contrast.h"
#include "aggregator/query_dropoff.h"
#include "aggregator/query_journey.h"
#include "aggregator/query_next.h"
#include "aggregator/query_search.h"
#include "core/clock.h"
#include "web/api/web_int.h"

#define ID_MAX            EVENT_VISITOR_MAX
#define ATTRIBUTES_MAX    16
#define JOURNEY_LIMIT     1000 /* events, where none is asked for */
#define JOURNEY_LIMIT_MAX 10000

struct question {
    struct request request;
    struct funnel *funnel;
    char snapshot[SNAPSHOT_NAME_MAX];
    struct arena *arena; /* of the HTTP request */
    struct query_next next;
    struct query_contrast contrast;
    struct query_dropoff dropoff;
    struct query_search search;
    struct query_journey journey;
    struct figure_place figure;
};

/* ---- Reading ---- */

static enum err_code
read_whole(const json_t *body, const char *name, int from, int to, int *out, struct err *err)
{
    const json_t *value = json_object_get(body, name);

    if (value == NULL || json_is_null(value))
        return ERR_OK;
    if (!json_is_integer(value) || json_integer_value(value) < from ||
        json_integer_value(value) > to)
        return err_set(err, ERR_INVALID, name, "must be a whole number, %d to %d", from, to);
    *out = (int)json_integer_value(value);
    return ERR_OK;
}

/* ---- next ---- */

static enum err_code
read_attribute(const json_t *body, struct question *q, struct err *err)
{
    struct slice name;
    enum err_code rc = web__body_text(body, "attribute", false, &name, err);

    if (rc != ERR_OK)
        return rc;
    name = name.n != 0 ? arena_copy(q->arena, name) : SLICE("event");
    if (!attribute_find(name, &q->next.attribute))
        return err_set(err, ERR_INVALID, "attribute", "is none that a site can have");
    return ERR_OK;
}

static enum err_code
read_next(struct call *c, json_t *body, struct question *q, struct err *err)
{
    static const char *const own[] = {"funnel", "figure",   "stage",    "attribute",
                                      "steps",  "snapshot", "query_id", NULL};
    enum err_code rc = web__read_question(c, body, own, &q->request, q->snapshot, err);

    q->next.steps = 1;
    if (rc == ERR_OK)
        rc = web__read_funnel(c, json_object_get(body, "funnel"), &q->funnel, err);
    if (rc == ERR_OK)
        rc = web__read_figure(body, q->funnel, &q->next.figure, err);
    if (rc == ERR_OK)
        rc = read_attribute(body, q, err);
    if (rc == ERR_OK)
        rc = read_whole(body, "steps", 1, NEXT_STEPS_MAX, &q->next.steps, err);
    return rc;
}

static enum err_code
answer_next(struct call *c, const void *what, struct web__from from, struct buffer *out,
            struct err *err)
{
    const struct question *q = what;
    struct query_next next = q->next;
    struct next_answer answer;
    enum err_code rc;

    next.site = c->site.id;
    next.funnel = q->funnel;
    next.request = &q->request;
    next.snapshot = from.snapshot;
    next.guard = from.guard;
    rc = query_next(c->web->pool, &next, q->arena, &answer, err);
    if (rc == ERR_OK)
        next_add_members(out, &answer, &next);
    return rc;
}

/* ---- contrast ---- */

/* What is asked about where nothing is said. */
static const char *const usual[] = {"channel", "source",  "campaign", "keyword",
                                    "landing", "country", "region",   "city",
                                    "device",  "browser", "os",       "language"};

static enum err_code
read_attributes(const json_t *body, struct question *q, struct err *err)
{
    json_t *list = json_object_get(body, "attributes");
    size_t n_usual = sizeof usual / sizeof *usual;
    struct request_breakdown *attributes =
        ARENA_ARRAY(q->arena, struct request_breakdown, ATTRIBUTES_MAX);
    enum err_code rc = ERR_OK;

    q->contrast.attributes = attributes;
    if (list == NULL || json_is_null(list)) {
        for (size_t i = 0; i < n_usual; i++)
            (void)attribute_find(slice_from(usual[i]), &attributes[i].attribute);
        q->contrast.n_attributes = n_usual;
        return ERR_OK;
    }
    if (!json_is_array(list) || json_array_size(list) == 0 ||
        json_array_size(list) > ATTRIBUTES_MAX)
        return err_set(err, ERR_INVALID, "attributes", "must be a list of 1 to %d attributes",
                       ATTRIBUTES_MAX);
    for (size_t i = 0; i < json_array_size(list) && rc == ERR_OK; i++) {
        char at[48];

        rc = request_read_place(json_array_get(list, i), q->arena, &attributes[i], err);
        if (rc == ERR_OK && attributes[i].stage > q->funnel->n_stages)
            rc = err_set(err, ERR_INVALID, "at", "must be the number of a stage, 1 to %d",
                         q->funnel->n_stages);
        snprintf(at, sizeof at, "attributes[%zu]", i);
        if (rc != ERR_OK)
            err_prefix(err, at);
    }
    q->contrast.n_attributes = json_array_size(list);
    return rc;
}

static enum err_code
read_set(const json_t *body, const char *name, const struct funnel *f, struct figure_place *out,
         struct err *err)
{
    static const char *const known[] = {"figure", "stage", NULL};
    const json_t *set = json_object_get(body, name);
    enum err_code rc;

    if (!json_is_object(set))
        return err_set(err, ERR_INVALID, name, "must be a figure of the funnel: {\"figure\":..}");
    rc = web__body_check_keys(set, known, err);
    if (rc == ERR_OK)
        rc = web__read_figure(set, f, out, err);
    if (rc != ERR_OK)
        err_prefix(err, name);
    return rc;
}

static enum err_code
read_contrast(struct call *c, json_t *body, struct question *q, struct err *err)
{
    static const char *const own[] = {"funnel",   "a",        "b", "attributes",
                                      "snapshot", "query_id", NULL};
    enum err_code rc = web__read_question(c, body, own, &q->request, q->snapshot, err);

    if (rc == ERR_OK)
        rc = web__read_funnel(c, json_object_get(body, "funnel"), &q->funnel, err);
    if (rc == ERR_OK)
        rc = read_set(body, "a", q->funnel, &q->contrast.a, err);
    if (rc == ERR_OK)
        rc = read_set(body, "b", q->funnel, &q->contrast.b, err);
    return rc == ERR_OK ? read_attributes(body, q, err) : rc;
}

static enum err_code
answer_contrast(struct call *c, const void *what, struct web__from from, struct buffer *out,
                struct err *err)
{
    const struct question *q = what;
    struct query_contrast contrast = q->contrast;
    struct contrast_answer answer;
    enum err_code rc;

    contrast.site = c->site.id;
    contrast.funnel = q->funnel;
    contrast.request = &q->request;
    contrast.snapshot = from.snapshot;
    contrast.guard = from.guard;
    rc = query_contrast(c->web->pool, &contrast, q->arena, &answer, err);
    if (rc == ERR_OK)
        contrast_add_members(out, &answer, &contrast);
    return rc;
}

/* ---- dropoff ---- */

static enum err_code
read_dropoff(struct call *c, json_t *body, struct question *q, struct err *err)
{
    static const char *const own[] = {"funnel",   "stage",    "attributes",
                                      "snapshot", "query_id", NULL};
    enum err_code rc = web__read_question(c, body, own, &q->request, q->snapshot, err);

    if (rc == ERR_OK)
        rc = web__read_funnel(c, json_object_get(body, "funnel"), &q->funnel, err);
    if (rc == ERR_OK)
        rc = read_whole(body, "stage", 1, q->funnel->n_stages - 1, &q->dropoff.stage, err);
    if (rc == ERR_OK && q->dropoff.stage == 0)
        rc = err_set(err, ERR_INVALID, "stage", "is missing");
    return rc == ERR_OK ? read_attributes(body, q, err) : rc;
}

static enum err_code
answer_dropoff(struct call *c, const void *what, struct web__from from, struct buffer *out,
               struct err *err)
{
    const struct question *q = what;
    struct query_dropoff dropoff = q->dropoff;
    struct dropoff_answer answer;
    enum err_code rc;

    dropoff.site = c->site.id;
    dropoff.funnel = q->funnel;
    dropoff.request = &q->request;
    dropoff.n_attributes = q->contrast.n_attributes;
    dropoff.attributes = q->contrast.attributes;
    dropoff.snapshot = from.snapshot;
    dropoff.guard = from.guard;
    rc = query_dropoff(c->web->pool, &dropoff, q->arena, &answer, err);
    if (rc == ERR_OK)
        dropoff_add_members(out, &answer, &dropoff);
    return rc;
}

/* ---- search ---- */

static enum err_code
read_id(const json_t *body, struct question *q, struct err *err)
{
    struct slice id;
    enum err_code rc = web__body_text(body, "id", false, &id, err);

    if (rc == ERR_OK && id.n > ID_MAX)
        rc = err_set(err, ERR_INVALID, "id", "is longer than %d bytes", ID_MAX);
    if (rc == ERR_OK)
        q->search.id = arena_copy(q->arena, id);
    return rc;
}

/* "order" stands for a filter. */
static enum err_code
read_order(const json_t *body, struct question *q, struct err *err)
{
    struct slice order;
    json_t *filter;
    enum err_code rc = web__body_text(body, "order", false, &order, err);

    if (rc != ERR_OK || order.n == 0)
        return rc;
    filter = json_pack("{s:[{s:{s:s,s:s,s:[o]},s:s}]}", "filters", "rule", "attribute", "order",
                       "op", "is", "values", web__json_text(order), "at", "any");
    rc = request_read_json(&q->request, filter, NULL, err);
    json_decref(filter);
    if (rc != ERR_OK)
        err_set(err, rc, "order", "cannot be searched for beside so many filters");
    return rc;
}

static enum err_code
read_cursor(const json_t *body, struct question *q, struct err *err)
{
    struct slice cursor;
    int64_t skip = 0;
    enum err_code rc = web__body_text(body, "cursor", false, &cursor, err);

    if (rc != ERR_OK || cursor.n == 0)
        return rc;
    if (q->snapshot[0] == '\0')
        return err_set(err, ERR_INVALID, "snapshot", "must be given with a cursor");
    if (!slice_to_int64(cursor, &skip) || skip < 0 || skip > SEARCH_PLACES_MAX - q->request.limit)
        return err_set(err, ERR_INVALID, "cursor", "is none");
    q->search.skip = (size_t)skip;
    return ERR_OK;
}

/* Where the funnel has them: a figure, or the stage at which their path ends. */
static enum err_code
read_where(struct call *c, const json_t *body, struct question *q, struct err *err)
{
    json_t *funnel = json_object_get(body, "funnel");
    bool has_figure = json_object_get(body, "figure") != NULL;
    int stage = 0;
    enum err_code rc;

    if (funnel == NULL) {
        if (has_figure || json_object_get(body, "stage") != NULL)
            return err_set(err, ERR_INVALID, "funnel", "is missing");
        return ERR_OK;
    }
    rc = web__read_funnel(c, funnel, &q->funnel, err);
    q->search.funnel = q->funnel;
    if (rc == ERR_OK && has_figure) {
        q->search.figure = &q->figure;
        return web__read_figure(body, q->funnel, &q->figure, err);
    }
    if (rc == ERR_OK)
        rc = read_whole(body, "stage", 1, q->funnel->n_stages, &stage, err);
    if (rc == ERR_OK && stage != 0) {
        q->search.figure = &q->figure;
        q->figure = (struct figure_place){FIGURE_EXITS, stage};
    }
    return rc;
}

static enum err_code
read_search(struct call *c, json_t *body, struct question *q, struct err *err)
{
    static const char *const own[] = {"id",       "order",  "funnel",   "figure", "stage",
                                      "snapshot", "cursor", "query_id", NULL};
    enum err_code rc = web__read_question(c, body, own, &q->request, q->snapshot, err);

    if (rc == ERR_OK)
        rc = read_id(body, q, err);
    if (rc == ERR_OK)
        rc = read_order(body, q, err);
    if (rc == ERR_OK)
        rc = read_where(c, body, q, err);
    return rc == ERR_OK ? read_cursor(body, q, err) : rc;
}

static enum err_code
answer_search(struct call *c, const void *what, struct web__from from, struct buffer *out,
              struct err *err)
{
    const struct question *q = what;
    struct query_search search = q->search;
    struct search_answer answer;
    enum err_code rc;

    search.site = c->site.id;
    search.request = &q->request;
    search.limit = (size_t)q->request.limit;
    search.skip = from.is_anew ? 0 : search.skip;
    search.snapshot = from.snapshot;
    search.guard = from.guard;
    rc = query_search(c->web->pool, &search, &answer, err);
    if (rc != ERR_OK)
        return rc;
    search_add_members(out, &answer, &search);
    search_answer_fini(&answer);
    return ERR_OK;
}

/* ---- journey ---- */

static enum err_code
read_journey(struct call *c, json_t *body, struct question *q, struct err *err)
{
    static const char *const own[] = {"visitor", "funnel", "limit", "snapshot", "query_id", NULL};
    json_t *funnel = json_object_get(body, "funnel");
    int limit = JOURNEY_LIMIT;
    struct slice visitor;
    enum err_code rc = web__read_question(c, body, own, &q->request, q->snapshot, err);

    if (rc == ERR_OK)
        rc = web__body_text(body, "visitor", true, &visitor, err);
    if (rc == ERR_OK && (visitor.n == 0 || visitor.n > ID_MAX))
        rc = err_set(err, ERR_INVALID, "visitor", "must have 1 to %d bytes", ID_MAX);
    if (rc == ERR_OK)
        rc = read_whole(body, "limit", 1, JOURNEY_LIMIT_MAX, &limit, err);
    if (rc == ERR_OK && funnel != NULL && !json_is_null(funnel))
        rc = web__read_funnel(c, funnel, &q->funnel, err);
    if (rc == ERR_OK)
        q->journey = (struct query_journey){.visitor = arena_copy(q->arena, visitor),
                                            .limit = (size_t)limit};
    return rc;
}

static enum err_code
answer_journey(struct call *c, const void *what, struct web__from from, struct buffer *out,
               struct err *err)
{
    const struct question *q = what;
    struct query_journey journey = q->journey;
    struct journey_answer answer;
    enum err_code rc;

    journey.site = c->site.id;
    journey.funnel = q->funnel;
    journey.request = &q->request;
    journey.snapshot = from.snapshot;
    journey.guard = from.guard;
    rc = query_journey(c->web->pool, &journey, q->arena, &answer, err);
    if (rc == ERR_OK)
        journey_add_members(out, &answer, &journey);
    return rc;
}

/* ---- All of them ---- */

static void
ask(struct call *c, enum err_code (*read)(struct call *, json_t *, struct question *, struct err *),
    web__question answer)
{
    struct question q = {.arena = c->request->arena};
    struct err err = ERR_NONE;
    json_t *body = NULL;
    enum err_code rc;

    request_init(&q.request);
    rc = web__body_object(c, &body, &err);
    if (rc == ERR_OK)
        rc = read(c, body, &q, &err);
    if (rc == ERR_OK)
        web__answer(c, answer, &q, slice_from(q.snapshot));
    else
        web__reply_err(c, &err);
    json_decref(body);
    funnel_destroy(&q.funnel);
    request_fini(&q.request);
}

void
web__post_next(struct call *c)
{
    ask(c, read_next, answer_next);
}

void
web__post_contrast(struct call *c)
{
    ask(c, read_contrast, answer_contrast);
}

void
web__post_dropoff(struct call *c)
{
    ask(c, read_dropoff, answer_dropoff);
}

void
web__post_search(struct call *c)
{
    ask(c, read_search, answer_search);
}

void
web__post_journey(struct call *c)
{
    ask(c, read_journey, answer_journey);
}
