/* What figures are founded on: POST /api/v1/sites/{site}/reconcile (sales received against those
 * that a funnel counts), POST /api/v1/sites/{site}/catalogue (what the site sends). docs/health.md.
 */
#include "aggregator/query_catalogue.h"
#include "aggregator/query_reconcile.h"
#include "web/api/web_int.h"

#define CATALOGUE_ROWS 200 /* of each list, where none is asked for */

struct question {
    struct request request;
    struct funnel *funnel;
    char snapshot[SNAPSHOT_NAME_MAX];
};

static enum err_code
read_reconcile(struct call *c, json_t *body, struct question *q, struct err *err)
{
    static const char *const own[] = {"funnel", "snapshot", "query_id", NULL};
    enum err_code rc = web__read_question(c, body, own, &q->request, q->snapshot, err);

    return rc == ERR_OK ? web__read_funnel(c, json_object_get(body, "funnel"), &q->funnel, err)
                        : rc;
}

/* Whose orders they are is told to those who may see visitors. */
static enum err_code
answer_reconcile(struct call *c, const void *what, struct web__from from, struct buffer *out,
                 struct err *err)
{
    const struct question *q = what;
    struct query_reconcile reconcile = {.site = c->site.id,
                                        .funnel = q->funnel,
                                        .request = &q->request,
                                        .snapshot = from.snapshot,
                                        .guard = from.guard};
    struct reconcile_answer answer;
    enum err_code rc = query_reconcile(c->web->pool, &reconcile, &answer, err);

    if (rc != ERR_OK)
        return rc;
    reconcile_add_members(out, &answer, &reconcile, access_may(&c->who, &c->site, ACCESS_VISITORS));
    reconcile_fini(&answer);
    return ERR_OK;
}

/* Of all events there are: what chooses among them has no place. */
static enum err_code
read_catalogue(struct call *c, json_t *body, struct question *q, struct err *err)
{
    static const char *const own[] = {"query_id", NULL};
    static const char *const not_here[] = {"filters", "bots", "as_of", NULL};
    enum err_code rc = ERR_OK;

    q->request.limit = CATALOGUE_ROWS;
    for (int i = 0; rc == ERR_OK && not_here[i] != NULL; i++)
        if (json_object_get(body, not_here[i]) != NULL)
            rc = err_set(err, ERR_INVALID, not_here[i], "is not for this question");
    return rc == ERR_OK ? web__read_question(c, body, own, &q->request, q->snapshot, err) : rc;
}

static enum err_code
answer_catalogue(struct call *c, const void *what, struct web__from from, struct buffer *out,
                 struct err *err)
{
    const struct question *q = what;
    struct query_catalogue catalogue = {.site = c->site.id,
                                        .range = q->request.range,
                                        .limit = (size_t)q->request.limit,
                                        .guard = from.guard};
    struct catalogue_answer answer;
    enum err_code rc = query_catalogue(c->web->pool, &catalogue, c->request->arena, &answer, err);

    if (rc != ERR_OK)
        return rc;
    catalogue_add_members(out, &answer);
    request_add_range(out, &q->request, &q->request.range);
    return ERR_OK;
}

static void
ask(struct call *c, enum err_code (*read)(struct call *, json_t *, struct question *, struct err *),
    web__question answer)
{
    struct question q = {.funnel = NULL};
    struct err err = ERR_NONE;
    json_t *body = NULL;
    enum err_code rc = web__body_object(c, &body, &err);

    request_init(&q.request);
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
web__post_reconcile(struct call *c)
{
    ask(c, read_reconcile, answer_reconcile);
}

void
web__post_catalogue(struct call *c)
{
    ask(c, read_catalogue, answer_catalogue);
}
