#include "tests/property/differential.h"

#include "aggregator/merge.h"

/* ---- Stores ---- */

void
differential_merge(struct fixture *f)
{
    struct merge_options options = {
        .store = &f->store, .settings = f->settings, .everything = true};
    struct err err = ERR_NONE;

    for (size_t n = 1; n != 0;)
        assert_ok(merge_step(f->catalog, &options, &n, &err));
}

void
differential_write(struct fixture *f, const struct random_site *sites, int n, int merge_after)
{
    for (int flush = 0; flush < SITE_FLUSHES; flush++) {
        for (int s = 0; s < n; s++)
            for (size_t i = 0; i < sites[s].n; i++)
                if (sites[s].events[i].flush == flush)
                    fixture_add(f, &sites[s].events[i].event);
        fixture_commit(f);
        segment_builder_reset(f->builder);
        if (flush == merge_after)
            differential_merge(f);
    }
}

/* ---- One question: what the engine says ---- */

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

enum err_code
differential_ask(struct fixture *f, uint32_t site, const struct question *q,
                 const struct asking_way *way, struct asking *out, struct err *err)
{
    struct buffer definition = BUFFER_EMPTY;
    struct buffer request = BUFFER_EMPTY;
    struct query_funnel query = {.site = site,
                                 .n_presets = PRESET_COUNT,
                                 .presets = {PRESET_OPEN, PRESET_CLOSED, PRESET_SEQUENTIAL}};
    enum err_code rc;

    *out = (struct asking){.funnel = NULL};
    request_init(&out->request);
    question_add_definition(&definition, q);
    question_add_request(&request, q);
    rc = funnel_parse(buffer_slice(&definition), &out->funnel, err);
    if (rc == ERR_OK)
        rc = parse_request(&out->request, &request, err);
    if (rc == ERR_OK)
        rc = figure_find(slice_from(q->figure), q->figure_stage, q->n_stages, &out->figure, err);
    if (q->is_alone) {
        query.n_presets = 1;
        query.presets[0] = (enum funnel_preset)q->alone;
    }
    if (rc == ERR_OK) {
        out->request.is_counts_only = way->is_counts_only;
        query.want_paths = !q->is_alone && way->has_lists;
        query.figure = query.want_paths ? &out->figure : NULL;
        query.is_general = way->is_general;
        query.n_threads = way->n_threads;
        query.funnel = out->funnel;
        query.request = &out->request;
        rc = query_funnel(f->pool, &query, &out->answer, err);
        out->is_answered = rc == ERR_OK;
    }
    buffer_fini(&definition);
    buffer_fini(&request);
    return rc;
}

void
asking_fini(struct asking *a)
{
    if (a->is_answered)
        query_answer_fini(&a->answer);
    request_fini(&a->request);
    funnel_destroy(&a->funnel);
}
