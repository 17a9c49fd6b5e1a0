/* One walk. Sales that name an order wait until its end: only then is it known who told of it. */
#include "aggregator/query_reconcile.h"

#include <stdlib.h>

#include "aggregator/funnel/why.h"

#define NOT_SEEN UINT8_MAX       /* no unit of the range has the event */
#define COUNTED  RECONCILE_PARTS /* beside the parts */
#define NO_EVENT UINT32_MAX

enum { ATTRIBUTE_EVENT, ATTRIBUTE_ORDER, N_ATTRIBUTES };

/* A sale that names an order. */
struct told_sale {
    uint32_t order; /* number of its value */
    uint32_t person;
    int64_t time_ms;
    struct tally_value value;
    uint8_t part;
};

struct reconciling {
    const struct query_reconcile *q;
    /* of a walk */
    uint32_t sale; /* numbers of values */
    uint32_t refund;
    struct count_sums received;
    struct count_sums counted;
    struct count_sums parts[RECONCILE_PARTS];
    int64_t n_refunds;
    uint32_t person; /* number of the one at hand, from 1 */
    struct told_sale *sales;
    size_t n_sales;
    size_t sales_max;
    struct slice *names; /* of persons that have such a sale; in the walk's arena */
    size_t names_max;
    struct arena walk;
    uint8_t *part_of; /* of the events of the person at hand */
    size_t part_of_max;
};

const char *
reconcile_part_name(enum reconcile_part part)
{
    static const char *const names[RECONCILE_PARTS] = {
        [RECONCILE_BOTS] = "bots",
        [RECONCILE_REPEATS] = "repeats",
        [RECONCILE_OTHER_RULE] = "other_rule",
        [RECONCILE_FILTERED] = "filtered",
        [RECONCILE_SECOND] = "second",
        [RECONCILE_EXCLUDED] = "excluded",
        [RECONCILE_WINDOW] = "window",
        [RECONCILE_BEFORE_RANGE] = "before_range",
        [RECONCILE_NO_STAGE] = "no_stage",
        [RECONCILE_OTHER_PATH] = "other_path",
        [RECONCILE_REFUNDS] = "refunds",
        [RECONCILE_AFTER_RANGE] = "after_range",
        [RECONCILE_NO_SALE] = "no_sale",
    };

    return names[part];
}

/* ---- Sums ---- */

static void
add(struct reconciling *c, struct count_sums *s, const struct tally_value *value)
{
    s->orders++;
    count_sums_add_value(s, value, &c->walk);
}

static void
take_off(struct reconciling *c, struct count_sums *s, const struct tally_value *value, int64_t n)
{
    struct tally_value less = {-value->units, value->currency};

    s->orders -= n;
    count_sums_add_value(s, &less, &c->walk);
}

static void
add_to_part(struct reconciling *c, uint8_t part, const struct tally_value *value)
{
    if (part != COUNTED)
        add(c, &c->parts[part], value);
}

/* ---- The events of a person ---- */

static bool
is_in_range(const struct reconciling *c, int64_t time_ms)
{
    const struct request *r = c->q->request;

    return time_ms >= r->range.from_ms && time_ms < r->range.to_ms && time_ms <= r->as_of_ms;
}

static uint32_t
read_row(struct enquiry *e, const struct journey *j, int attribute, uint32_t row)
{
    return attribute_values_read(e->values[attribute], &e->windows[attribute],
                                 journey_place(j, row));
}

static void
take_refund(struct reconciling *c, const struct tally_value *value)
{
    c->n_refunds++;
    take_off(c, &c->received, value, 0);
    take_off(c, &c->parts[RECONCILE_REFUNDS], value, 0);
}

/* Rows that the question leaves out for whose they are. */
static void
take_left_out(struct reconciling *c, struct enquiry *e, const struct journey *j)
{
    enum request_bots bots = c->q->request->bots;

    for (uint32_t i = 0; bots != BOTS_INCLUDE && i < j->n; i++) {
        const struct scan_row *row = &j->rows[i];
        bool is_bot = (row->flags & EVENT_BOT) != 0;
        uint32_t name;

        if (is_bot != (bots == BOTS_EXCLUDE) || !is_in_range(c, row->time_ms))
            continue;
        name = read_row(e, j, ATTRIBUTE_EVENT, i);
        if (name == c->refund)
            take_refund(c, &row->value);
        if (name != c->sale)
            continue;
        add(c, &c->received, &row->value);
        add(c, &c->parts[RECONCILE_BOTS], &row->value);
    }
}

/* Was the required stage there, though not for this sale? */
static uint8_t
part_of_missing(const struct reconciling *c, const struct enquiry *e, uint32_t event, int stage)
{
    const struct event_list *all = &e->person.all;
    int64_t time_ms = all->events[event].time_ms;
    uint8_t part = RECONCILE_NO_STAGE;

    for (uint32_t i = 0; i < event; i++) {
        if (!(all->events[i].stages & UINT32_C(1) << (stage - 1)))
            continue;
        if (time_ms - all->events[i].time_ms <= c->q->funnel->window_ms)
            return all->events[i].time_ms < c->q->request->range.from_ms ? RECONCILE_BEFORE_RANGE
                                                                         : RECONCILE_OTHER_PATH;
        part = RECONCILE_WINDOW;
    }
    return part;
}

/* Of a sale that the last stage's rule matches, of a unit that the filters choose and that is not
 * counted at that stage. */
static uint8_t
part_by_why(const struct reconciling *c, const struct enquiry *e, const struct enquiry_unit *u,
            const struct outcome *o, uint32_t i)
{
    struct why why = why_of(&u->unit, &e->plan, o, i, c->q->funnel->n_stages - 1);

    switch (why.reason) {
    case WHY_AFTER_WINDOW:
    case WHY_BEFORE_WINDOW:
        return RECONCILE_WINDOW;
    case WHY_EXCLUDED:
        return RECONCILE_EXCLUDED;
    case WHY_STAGE_MISSING:
        return part_of_missing(c, e, enquiry_event(u, i), why.other);
    default:
        return RECONCILE_OTHER_PATH;
    }
}

/* The event of the unit by which it is counted at the last stage; NO_EVENT. */
static uint32_t
counted_event(const struct reconciling *c, const struct outcome *o)
{
    const struct path_visit *last;

    if (!o->has_path)
        return NO_EVENT;
    last = &o->path.visits[o->path.n - 1];
    return (int)last->stage == c->q->funnel->n_stages - 1 ? last->event : NO_EVENT;
}

static void
take_counted(struct reconciling *c, struct enquiry *e, const struct journey *j, uint32_t event)
{
    const struct event_list *all = &e->person.all;
    const struct tally_value *value = &all->values[event];

    add(c, &c->counted, value);
    if (enquiry_value(e, j, ATTRIBUTE_EVENT, event) != c->sale)
        take_off(c, &c->parts[RECONCILE_NO_SALE], value, 1);
    else if (!is_in_range(c, all->events[event].time_ms))
        take_off(c, &c->parts[RECONCILE_AFTER_RANGE], value, 1);
}

static enum err_code
take_unit(struct enquiry *e, const struct journey *j, const struct enquiry_unit *u, void *context,
          struct err *err)
{
    struct reconciling *c = context;
    uint32_t last = UINT32_C(1) << (c->q->funnel->n_stages - 1), counted;
    struct outcome o;

    (void)err;
    unit_count(&u->unit, &e->plan, &e->chooser, &o);
    counted = counted_event(c, &o);
    if (counted != NO_EVENT)
        take_counted(c, e, j, enquiry_event(u, counted));
    for (uint32_t i = 0; i < u->unit.n; i++) {
        uint8_t *part = &c->part_of[enquiry_event(u, i)];

        if (!is_in_range(c, u->unit.events[i].time_ms) ||
            enquiry_value(e, j, ATTRIBUTE_EVENT, enquiry_event(u, i)) != c->sale)
            continue;
        if (i == counted)
            *part = COUNTED;
        else if (!(u->unit.events[i].stages & last))
            *part = RECONCILE_OTHER_RULE;
        else if (!o.is_chosen)
            *part = RECONCILE_FILTERED;
        else if (counted != NO_EVENT)
            *part = RECONCILE_SECOND;
        else
            *part = part_by_why(c, e, u, &o, i);
    }
    return ERR_OK;
}

/* ---- Sales with orders ---- */

static enum err_code
name_person(struct reconciling *c, const struct journey *j, struct err *err)
{
    struct slice name;
    enum err_code rc;

    if (c->person < c->names_max && c->names[c->person].p != NULL)
        return ERR_OK;
    rc = journey_visitor(j, &name, err);
    if (rc != ERR_OK)
        return rc;
    if (c->person >= c->names_max) {
        size_t more = 2 * (size_t)c->person + 256;

        c->names = mem_realloc(c->names, more * sizeof *c->names);
        memset(c->names + c->names_max, 0, (more - c->names_max) * sizeof *c->names);
        c->names_max = more;
    }
    c->names[c->person] = arena_copy(&c->walk, name);
    return ERR_OK;
}

static void
keep_sale(struct reconciling *c, const struct told_sale *sale)
{
    if (c->n_sales == c->sales_max) {
        c->sales_max = 2 * c->sales_max + 1024;
        c->sales = mem_realloc(c->sales, c->sales_max * sizeof *c->sales);
    }
    c->sales[c->n_sales++] = *sale;
}

static enum err_code
take_sale(struct reconciling *c, struct enquiry *e, const struct journey *j, uint32_t event,
          struct err *err)
{
    const struct event_list *all = &e->person.all;
    struct told_sale sale = {.order = enquiry_value(e, j, ATTRIBUTE_ORDER, event),
                             .person = c->person,
                             .time_ms = all->events[event].time_ms,
                             .value = all->values[event],
                             .part = c->part_of[event] == NOT_SEEN ? RECONCILE_OTHER_PATH
                                                                   : c->part_of[event]};
    enum err_code rc = ERR_OK;

    add(c, &c->received, &sale.value);
    if (sale.order == ATTRIBUTE_VALUE_NULL) {
        add_to_part(c, sale.part, &sale.value);
        return ERR_OK;
    }
    rc = name_person(c, j, err);
    if (rc == ERR_OK)
        keep_sale(c, &sale);
    return rc;
}

static enum err_code
take_person(struct enquiry *e, const struct journey *j, void *context, struct err *err)
{
    struct reconciling *c = context;
    const struct event_list *all = &e->person.all;
    enum err_code rc = ERR_OK;

    c->person++;
    take_left_out(c, e, j);
    if (all->n == 0)
        return ERR_OK;
    if (all->n > c->part_of_max) {
        c->part_of_max = 2 * (size_t)all->n;
        c->part_of = mem_realloc(c->part_of, c->part_of_max);
    }
    memset(c->part_of, NOT_SEEN, all->n);
    rc = enquiry_each_unit(e, j, take_unit, c, err);
    for (uint32_t i = 0; rc == ERR_OK && i < all->n; i++) {
        uint32_t name;

        if (!is_in_range(c, all->events[i].time_ms))
            continue;
        name = enquiry_value(e, j, ATTRIBUTE_EVENT, i);
        if (name == c->sale)
            rc = take_sale(c, e, j, i, err);
        else if (name == c->refund)
            take_refund(c, &all->values[i]);
    }
    return rc;
}

/* ---- Orders ---- */

/* Of one order the one that is counted first, then the earliest. */
static int
compare_sales(const void *x, const void *y)
{
    const struct told_sale *a = x, *b = y;
    bool is_a = a->part == COUNTED, is_b = b->part == COUNTED;

    if (a->order != b->order)
        return a->order < b->order ? -1 : 1;
    if (is_a != is_b)
        return is_a ? -1 : 1;
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    return a->person < b->person ? -1 : a->person > b->person;
}

/* Sales [begin, end) are of one order. */
static void
describe_order(const struct reconciling *c, const struct enquiry *e, size_t begin, size_t end,
               struct reconcile_order *out)
{
    *out = (struct reconcile_order){.n_events = (int64_t)(end - begin)};
    for (size_t i = begin; i < end; i++) {
        bool is_met = false;

        out->n_counted += c->sales[i].part == COUNTED;
        for (size_t k = begin; k < i && !is_met; k++)
            is_met = c->sales[k].person == c->sales[i].person;
        if (is_met)
            continue;
        if (out->n_visitors < RECONCILE_VISITORS_MAX)
            out->visitors[out->n_visitors] = c->names[c->sales[i].person];
        out->n_visitors++;
    }
    out->order = enquiry_text(e, ATTRIBUTE_ORDER, c->sales[begin].order);
}

/* The most visitors first, then by the order. */
static int
compare_orders(const void *x, const void *y)
{
    const struct reconcile_order *a = x, *b = y;

    if (a->n_visitors != b->n_visitors)
        return a->n_visitors > b->n_visitors ? -1 : 1;
    return slice_compare(a->order, b->order);
}

static void
settle_orders(struct reconciling *c, const struct enquiry *e, struct reconcile_answer *out)
{
    struct reconcile_order *shared = NULL;
    size_t n = 0, n_max = 0, limit = (size_t)c->q->request->limit;

    if (c->n_sales > 1)
        qsort(c->sales, c->n_sales, sizeof *c->sales, compare_sales);
    for (size_t i = 0, end; i < c->n_sales; i = end) {
        struct reconcile_order order;

        for (end = i + 1; end < c->n_sales && c->sales[end].order == c->sales[i].order;)
            end++;
        for (size_t k = i; k < end; k++) {
            bool is_repeat = k > i && c->sales[k].part != COUNTED;

            add_to_part(c, is_repeat ? RECONCILE_REPEATS : c->sales[k].part, &c->sales[k].value);
        }
        if (end == i + 1)
            continue;
        describe_order(c, e, i, end, &order);
        if (order.n_visitors < 2)
            continue;
        if (n == n_max) {
            n_max = 2 * n_max + 64;
            shared = mem_realloc(shared, n_max * sizeof *shared);
        }
        out->n_shared_counted += order.n_counted > 1;
        shared[n++] = order;
    }
    if (n > 1)
        qsort(shared, n, sizeof *shared, compare_orders);
    out->n_shared = (int64_t)n;
    out->n_orders = n < limit ? n : limit;
    out->orders = ARENA_ARRAY(&out->arena, struct reconcile_order, out->n_orders + 1);
    for (size_t i = 0; i < out->n_orders; i++) {
        out->orders[i] = shared[i];
        out->orders[i].order = arena_copy(&out->arena, shared[i].order);
        for (int64_t v = 0; v < shared[i].n_visitors && v < RECONCILE_VISITORS_MAX; v++)
            out->orders[i].visitors[v] = arena_copy(&out->arena, shared[i].visitors[v]);
    }
    free(shared);
}

/* ---- The walk ---- */

static void
drop(struct reconciling *c)
{
    free(c->sales);
    free(c->names);
    free(c->part_of);
    c->sales = NULL;
    c->names = NULL;
    c->part_of = NULL;
    c->n_sales = c->sales_max = c->names_max = c->part_of_max = 0;
    arena_reset(&c->walk);
}

static enum err_code
start(struct enquiry *e, void *context, struct err *err)
{
    struct reconciling *c = context;

    (void)err;
    drop(c);
    c->received = c->counted = (struct count_sums){.orders = 0};
    memset(c->parts, 0, sizeof c->parts);
    c->n_refunds = 0;
    c->person = 0;
    c->sale = attribute_values_find(e->values[ATTRIBUTE_EVENT], SLICE("sale"));
    c->refund = attribute_values_find(e->values[ATTRIBUTE_EVENT], SLICE("refund"));
    return ERR_OK;
}

static size_t
held_bytes(void *context)
{
    const struct reconciling *c = context;

    return c->walk.used_bytes + c->sales_max * sizeof *c->sales + c->names_max * sizeof *c->names;
}

static struct count_sums
keep(const struct count_sums *s, struct arena *a)
{
    struct count_sums kept = *s;

    kept.values = ARENA_ARRAY(a, struct tally_sum, (size_t)s->n_values + 1);
    if (s->n_values > 0)
        memcpy(kept.values, s->values, (size_t)s->n_values * sizeof *kept.values);
    return kept;
}

static void
fill_answer(struct reconciling *c, struct enquiry *e, struct reconcile_answer *out)
{
    settle_orders(c, e, out);
    out->received = keep(&c->received, &out->arena);
    out->counted = keep(&c->counted, &out->arena);
    for (int i = 0; i < RECONCILE_PARTS; i++)
        out->parts[i] = keep(&c->parts[i], &out->arena);
    out->n_refunds = c->n_refunds;
    out->enquiry = e;
}

/* In the arena: the enquiry lives as long as the answer. */
static const struct request_breakdown *
find_attributes(struct arena *a)
{
    static const char *const names[N_ATTRIBUTES] = {"event", "order"};
    struct request_breakdown *list = ARENA_ARRAY(a, struct request_breakdown, N_ATTRIBUTES);

    for (int i = 0; i < N_ATTRIBUTES; i++) {
        list[i] = (struct request_breakdown){.at = AT_EVERY};
        (void)attribute_find(slice_from(names[i]), &list[i].attribute);
    }
    return list;
}

enum err_code
query_reconcile(struct snapshot_pool *p, const struct query_reconcile *q,
                struct reconcile_answer *out, struct err *err)
{
    struct reconcile_answer answer = {.n_shared = 0};
    struct reconciling c = {.q = q};
    struct enquiry_walk walk = {.start = start,
                                .person = take_person,
                                .held_bytes = held_bytes,
                                .context = &c,
                                .wants_left_out = true};
    struct enquiry_setup setup = {.site = q->site,
                                  .funnel = q->funnel,
                                  .request = q->request,
                                  .n_attributes = N_ATTRIBUTES,
                                  .snapshot = q->snapshot,
                                  .guard = q->guard};
    struct enquiry *e = NULL;
    enum err_code rc;

    arena_init(&answer.arena, 16 << 10);
    arena_init(&c.walk, 16 << 10);
    setup.attributes = find_attributes(&answer.arena);
    rc = enquiry_open(p, &setup, &answer.arena, &e, err);
    if (rc == ERR_OK)
        rc = enquiry_walk(e, &walk, err);
    if (rc == ERR_OK) {
        fill_answer(&c, e, &answer);
        *out = answer;
    } else {
        enquiry_close(&e);
        arena_fini(&answer.arena);
    }
    drop(&c);
    arena_fini(&c.walk);
    return rc;
}

void
reconcile_fini(struct reconcile_answer *a)
{
    enquiry_close(&a->enquiry);
    arena_fini(&a->arena);
}
