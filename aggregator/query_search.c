/* One walk; the latest visitors are kept in a heap whose root is the one to be dropped first. */
#include "aggregator/query_search.h"

#include <stdlib.h>

#include "core/timestamp.h"

static const enum event_text told[SEARCH_TEXTS] = {
    [SEARCH_CHANNEL] = TEXT_CHANNEL, [SEARCH_SOURCE] = TEXT_SOURCE,
    [SEARCH_MEDIUM] = TEXT_MEDIUM,   [SEARCH_CAMPAIGN] = TEXT_CAMPAIGN,
    [SEARCH_KEYWORD] = TEXT_KEYWORD, [SEARCH_COUNTRY] = TEXT_COUNTRY,
    [SEARCH_REGION] = TEXT_REGION,   [SEARCH_CITY] = TEXT_CITY,
    [SEARCH_DEVICE] = TEXT_DEVICE,
};

struct searching {
    const struct query_search *q;
    const struct funnel *funnel;
    struct enquiry *e;
    struct count_columns columns;
    bool *has_id; /* by person of several ids: one of them starts with q->id; NULL: none is asked */
    struct arena arena; /* of one walk */
    int64_t n_all;
    struct search_visitor *heap;
    size_t n;
    size_t max;
    struct attribute_values *orders;
    int64_t *met; /* by order: the last person (by n_all) who had it */
    uint32_t n_met;
    /* of the person at hand */
    bool is_found;
    int stage;
};

/* ---- The heap: the latest visitors ---- */

/* Is a to be given before b? */
static bool
is_before(const struct search_visitor *a, const struct search_visitor *b)
{
    if (a->last_ms != b->last_ms)
        return a->last_ms > b->last_ms;
    return slice_compare(a->visitor, b->visitor) < 0;
}

static void
swap(struct search_visitor *a, struct search_visitor *b)
{
    struct search_visitor c = *a;

    *a = *b;
    *b = c;
}

static void
sift_down(struct searching *s, size_t at)
{
    size_t child;

    while ((child = 2 * at + 1) < s->n) {
        if (child + 1 < s->n && is_before(&s->heap[child], &s->heap[child + 1]))
            child++;
        if (!is_before(&s->heap[at], &s->heap[child]))
            break;
        swap(&s->heap[at], &s->heap[child]);
        at = child;
    }
}

static void
sift_up(struct searching *s, size_t at)
{
    while (at > 0 && is_before(&s->heap[(at - 1) / 2], &s->heap[at])) {
        swap(&s->heap[(at - 1) / 2], &s->heap[at]);
        at = (at - 1) / 2;
    }
}

/* Would the visitor be among those that are given? */
static bool
is_wanted(const struct searching *s, const struct search_visitor *v)
{
    return s->n < s->max || (s->max > 0 && is_before(v, &s->heap[0]));
}

static void
keep(struct searching *s, const struct search_visitor *v)
{
    if (s->n < s->max) {
        s->heap[s->n++] = *v;
        sift_up(s, s->n - 1);
    } else {
        s->heap[0] = *v;
        sift_down(s, 0);
    }
}

/* ---- Who is found ---- */

static bool
is_id(const struct searching *s, const struct journey *j, struct slice visitor)
{
    const struct persons *p = s->e->persons;
    uint32_t person;

    if (slice_starts_with(visitor, s->q->id))
        return true;
    if (j->name.n == 0) /* his only id */
        return false;
    person = persons_find(p, snapshot_visitor_hash(s->e->pool, visitor), visitor);
    return person != PERSON_NOBODY && s->has_id[person];
}

/* Which persons of several ids have one that starts so. */
static void
find_ids(struct searching *s)
{
    const struct persons *p = s->e->persons;

    s->has_id = ARENA_ARRAY(&s->arena, bool, (size_t)p->n_persons + 1);
    for (size_t i = 0; i < p->n_ids; i++)
        if (slice_starts_with(p->ids[i].id, s->q->id))
            s->has_id[p->ids[i].person] = true;
}

static enum err_code
take_unit(struct enquiry *e, const struct journey *j, const struct enquiry_unit *u, void *context,
          struct err *err)
{
    struct searching *s = context;
    struct outcome o = {.is_chosen = false};

    (void)j;
    (void)err;
    if (!s->q->funnel) {
        s->is_found = s->is_found || (count_path(&u->unit, &o.path) &&
                                      unit_is_chosen(&u->unit, &e->chooser, &o.path));
        return ERR_OK;
    }
    unit_count(&u->unit, &e->plan, &e->chooser, &o);
    if (s->q->figure ? !unit_is_in_figure(&u->unit, s->funnel->n_stages, &o, s->q->figure)
                     : !o.is_chosen)
        return ERR_OK;
    s->is_found = true;
    if (o.has_path)
        s->stage = (int)o.path.visits[o.path.n - 1].stage + 1;
    return ERR_OK;
}

/* ---- What is told ---- */

/* Is it the first time that this person has the order? */
static bool
is_new_order(struct searching *s, struct slice order)
{
    uint32_t number = attribute_values_find(s->orders, order);

    if (number >= s->n_met) {
        uint32_t n = 2 * number + 64;

        s->met = mem_realloc(s->met, n * sizeof *s->met);
        memset(s->met + s->n_met, 0, (n - s->n_met) * sizeof *s->met);
        s->n_met = n;
    }
    if (s->met[number] == s->n_all)
        return false;
    s->met[number] = s->n_all;
    return true;
}

/* The sums of his events [begin, end) in the order of drivers. */
static void
sum_up(struct searching *s, const struct journey *j, uint32_t begin, uint32_t end,
       struct count_sums *out)
{
    const struct settle *settle = &s->e->person.settle;
    uint32_t session = UINT32_MAX;

    *out = (struct count_sums){.visitors = 1};
    for (uint32_t r = begin; r < end; r++) {
        uint32_t event = settle->order[r];
        struct count_event adds;

        count_columns_read(&s->columns, j, event, &adds);
        out->events++;
        out->sessions += settle->events[event].session != session;
        session = settle->events[event].session;
        out->engaged_ms += adds.engaged_ms;
        count_sums_add_value(out, &adds.value, &s->arena);
        out->orders += adds.order.n != 0 && is_new_order(s, adds.order);
    }
}

static void
read_texts(struct searching *s, const struct journey *j, uint32_t first, uint32_t last,
           struct search_visitor *v)
{
    for (size_t k = 0; k < SEARCH_TEXTS; k++) {
        uint32_t number = enquiry_value(s->e, j, k, k < SEARCH_COUNTRY ? first : last);

        v->texts[k] = enquiry_text(s->e, k, number);
    }
}

static enum err_code
tell(struct searching *s, const struct journey *j, struct err *err)
{
    const struct event_list *all = &s->e->person.all;
    const struct path_range *range = &s->q->request->range;
    const uint32_t *order = s->e->person.settle.order;
    uint32_t begin = path_first_from(all->events, all->n, range->from_ms);
    uint32_t end = path_first_from(all->events, all->n, range->to_ms);
    struct search_visitor v = {.stage = s->stage};
    enum err_code rc;

    if (begin == end)
        return ERR_OK;
    rc = journey_visitor(j, &v.visitor, err);
    if (rc != ERR_OK || (s->q->id.n != 0 && !is_id(s, j, v.visitor)))
        return rc;
    s->n_all++;
    v.first_ms = all->events[begin].time_ms;
    v.last_ms = all->events[end - 1].time_ms;
    if (!is_wanted(s, &v))
        return ERR_OK;
    v.visitor = arena_copy(&s->arena, v.visitor);
    sum_up(s, j, begin, end, &v.sums);
    read_texts(s, j, order[begin], order[end - 1], &v);
    keep(s, &v);
    return ERR_OK;
}

static enum err_code
take_person(struct enquiry *e, const struct journey *j, void *context, struct err *err)
{
    struct searching *s = context;
    enum err_code rc;

    s->is_found = false;
    s->stage = 0;
    rc = enquiry_each_unit(e, j, take_unit, s, err);
    return rc == ERR_OK && s->is_found ? tell(s, j, err) : rc;
}

static const struct request_breakdown no_attribute;

static void
drop(struct searching *s)
{
    attribute_values_destroy(&s->orders);
    free(s->met);
    s->met = NULL;
    s->n_met = 0;
}

static enum err_code
start(struct enquiry *e, void *context, struct err *err)
{
    struct searching *s = context;

    drop(s);
    arena_reset(&s->arena);
    s->orders = attribute_values_create(&no_attribute, NULL);
    s->n = 0;
    s->n_all = 0;
    s->max = s->q->skip + s->q->limit;
    s->heap = ARENA_ARRAY(&s->arena, struct search_visitor, s->max + 1);
    if (s->q->id.n != 0)
        find_ids(s);
    return count_columns_open(&s->columns, e, &s->arena, err);
}

static size_t
held_bytes(void *context)
{
    const struct searching *s = context;

    return s->arena.used_bytes + s->n_met * sizeof *s->met + attribute_values_held_bytes(s->orders);
}

/* ---- The answer ---- */

static int
compare_visitors(const void *x, const void *y)
{
    return is_before(x, y) ? -1 : 1;
}

static enum err_code
open_search(struct snapshot_pool *p, const struct query_search *q, struct search_answer *out,
            struct searching *s, struct err *err)
{
    struct request_breakdown *texts =
        ARENA_ARRAY(&out->arena, struct request_breakdown, SEARCH_TEXTS);
    struct enquiry_setup setup = {.site = q->site,
                                  .request = q->request,
                                  .n_attributes = SEARCH_TEXTS,
                                  .attributes = texts,
                                  .snapshot = q->snapshot,
                                  .guard = q->guard};

    if (q->figure && q->figure->figure == FIGURE_SEEN)
        return err_set(err, ERR_INVALID, "figure", "must be one of counted paths: not \"seen\"");
    for (size_t k = 0; k < SEARCH_TEXTS; k++)
        (void)attribute_find(slice_from(event_text_name(told[k])), &texts[k].attribute);
    s->funnel = q->funnel ? q->funnel : count_funnel(&q->request->count, &out->arena);
    setup.funnel = s->funnel;
    return enquiry_open(p, &setup, &out->arena, &out->enquiry, err);
}

enum err_code
query_search(struct snapshot_pool *p, const struct query_search *q, struct search_answer *out,
             struct err *err)
{
    struct search_answer answer = {.n = 0};
    struct searching s = {.q = q};
    struct enquiry_walk walk = {
        .start = start, .person = take_person, .held_bytes = held_bytes, .context = &s};
    enum err_code rc;

    arena_init(&answer.arena, 16 << 10);
    arena_init(&s.arena, 64 << 10);
    rc = open_search(p, q, &answer, &s, err);
    s.e = answer.enquiry;
    if (rc == ERR_OK)
        rc = enquiry_walk(s.e, &walk, err);
    if (rc == ERR_OK && s.n > 1)
        qsort(s.heap, s.n, sizeof *s.heap, compare_visitors);
    if (rc == ERR_OK && s.n > q->skip) {
        answer.n = s.n - q->skip;
        answer.list = s.heap + q->skip;
    }
    drop(&s);
    answer.n_all = s.n_all;
    answer.found = s.arena;
    if (rc == ERR_OK)
        *out = answer;
    else
        search_answer_fini(&answer);
    return rc;
}

void
search_answer_fini(struct search_answer *a)
{
    enquiry_close(&a->enquiry);
    arena_fini(&a->found);
    arena_fini(&a->arena);
}

/* ---- As JSON ---- */

static void
add_visitor(struct buffer *out, const struct search_answer *answer, const struct search_visitor *v,
            bool has_funnel)
{
    struct arena a;
    char text[TIMESTAMP_TEXT_MAX];
    struct slice *ids;
    size_t n;

    arena_init(&a, 4096);
    n = enquiry_ids(answer->enquiry, v->visitor, &a, &ids);
    buffer_add_text(out, "{\"visitor\":");
    buffer_add_json(out, v->visitor);
    for (size_t i = 0; i < n; i++) {
        buffer_add_text(out, i > 0 ? "," : ",\"ids\":[");
        buffer_add_json(out, ids[i]);
    }
    buffer_printf(out, "],\"first\":\"%s\"", timestamp_format(v->first_ms, true, text));
    buffer_printf(out, ",\"last\":\"%s\"", timestamp_format(v->last_ms, true, text));
    if (has_funnel && v->stage != 0)
        buffer_printf(out, ",\"stage\":%d", v->stage);
    else if (has_funnel)
        buffer_add_text(out, ",\"stage\":null");
    for (size_t k = 0; k < SEARCH_TEXTS; k++) {
        buffer_printf(out, ",\"%s\":", event_text_name(told[k]));
        enquiry_add_text(out, v->texts[k]);
    }
    buffer_add_char(out, ',');
    count_add_sums(out, &v->sums, answer->enquiry->currencies);
    buffer_add_char(out, '}');
    arena_fini(&a);
}

void
search_add_members(struct buffer *out, const struct search_answer *answer,
                   const struct query_search *q)
{
    size_t next = q->skip + answer->n;

    buffer_printf(out, "\"n\":%lld,\"visitors\":[", (long long)answer->n_all);
    for (size_t i = 0; i < answer->n; i++) {
        buffer_add_text(out, i > 0 ? "," : "");
        add_visitor(out, answer, &answer->list[i], q->funnel != NULL);
    }
    if (answer->n != 0 && (int64_t)next < answer->n_all && next < SEARCH_PLACES_MAX)
        buffer_printf(out, "],\"cursor\":\"%zu\"", next);
    else
        buffer_add_text(out, "],\"cursor\":null");
    request_add_range(out, q->request, &q->request->range);
    report_add_about(out, &answer->enquiry->about);
}
