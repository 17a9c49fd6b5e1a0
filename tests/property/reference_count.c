/* Every sum by its own sentence, over lists that are searched from their begin. */
#include "tests/property/reference_count.h"

#include <jansson.h>
#include <stdlib.h>

#include "core/decimal.h"

#define POINTS_MAX 2000

/* One counted event: who did it, in which session, in which row. */
struct item {
    int person;
    int session; /* of all people */
    const struct reference_event *e;
    struct slice keys[QUESTION_BREAKDOWNS_MAX];
};

struct items {
    int n;
    struct item *list;
};

struct counter {
    const struct count_question *cq;
    const struct question *q;
    struct reference_range range;
    bool is_point;
    struct arena *a;
    struct items items;
    int person;
    int first_session;
};

/* A visitor or a session. */
struct unit {
    const struct reference_event *events; /* in the order of section 4 */
    int n;
    int64_t from_ms;
    int64_t to_ms;
    const struct reference_event *first; /* counted ones, by time and id */
    const struct reference_event *last;
};

static int64_t
plus(int64_t a, int64_t b)
{
    int64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/* ---- What counts ---- */

static bool
is_before(const struct reference_event *a, const struct reference_event *b)
{
    int order = event_compare(a->event, b->event);

    return order != 0 ? order < 0 : a->hash < b->hash;
}

static bool
is_counted(const struct counter *c, const struct unit *u, const struct reference_event *e)
{
    if (e->event->time_ms < u->from_ms || e->event->time_ms >= u->to_ms)
        return false;
    for (int i = 0; i < c->q->n_filters; i++) {
        const struct question_filter *f = &c->q->filters[i];

        if ((f->at == EVERY || f->at == OF_STAGE) && !reference_holds(f->rule, e, c->a))
            return false;
    }
    return true;
}

static struct slice
in_order(const struct counter *c, const struct unit *u, const struct attribute *attribute,
         bool is_first)
{
    struct slice found = SLICE_EMPTY;

    for (int i = 0; i < u->n; i++) {
        int64_t time_ms = u->events[i].event->time_ms;
        struct slice value;

        if (time_ms < u->from_ms || time_ms > u->last->event->time_ms)
            continue;
        value = reference_value(&u->events[i], attribute, c->a);
        if (value.n > 0 && (found.n == 0 || !is_first))
            found = value;
    }
    return found;
}

static bool
passes(const struct counter *c, const struct unit *u, const struct question_filter *f)
{
    enum question_at at = question_filter_at(f, c->a);
    int64_t end_ms = plus(u->to_ms, c->q->window_ms);
    bool is_met = false;

    if (at == ENTRY || at == OF_VISIT) /* of the one stage of a count */
        return reference_holds(f->rule, u->first, c->a);
    if (at == FIRST || at == LAST)
        return reference_holds_for(f->rule,
                                   in_order(c, u, question_attribute(f->rule), at == FIRST), c->a);
    if (at != ANY && at != NONE)
        return true;
    for (int i = 0; i < u->n; i++)
        if (u->events[i].event->time_ms >= u->from_ms && u->events[i].event->time_ms < end_ms)
            is_met = is_met || reference_holds(f->rule, &u->events[i], c->a);
    return is_met == (at == ANY);
}

/* ---- Rows ---- */

static struct slice
binned(const struct question_breakdown *b, struct slice value, struct arena *a)
{
    int above = 0;

    if (value.n == 0 || b->n_bins == 0)
        return value;
    while (above < b->n_bins && decimal_compare(value, arena_printf(a, "%d", b->bins[above])) >= 0)
        above++;
    if (above == 0)
        return arena_printf(a, "<%d", b->bins[0]);
    if (above == b->n_bins)
        return arena_printf(a, ">=%d", b->bins[above - 1]);
    return arena_printf(a, "%d..%d", b->bins[above - 1], b->bins[above]);
}

static struct slice
key_of(const struct counter *c, const struct unit *u, const struct reference_event *e,
       const struct question_breakdown *b)
{
    struct slice value;

    if (b->at == FIRST || b->at == LAST)
        value = in_order(c, u, &b->attribute, b->at == FIRST);
    else
        value = reference_value(b->at == EVERY ? e : u->first, &b->attribute, c->a);
    return binned(b, value, c->a);
}

/* ---- Units ---- */

static void
add_unit(struct counter *c, struct unit u)
{
    for (int i = 0; i < u.n; i++) {
        const struct reference_event *e = &u.events[i];

        if (!is_counted(c, &u, e))
            continue;
        if (u.first == NULL || is_before(e, u.first))
            u.first = e;
        if (u.last == NULL || is_before(u.last, e))
            u.last = e;
    }
    if (u.first == NULL)
        return;
    for (int i = 0; i < c->q->n_filters; i++)
        if (!passes(c, &u, &c->q->filters[i]))
            return;
    for (int i = 0; i < u.n; i++) {
        const struct reference_event *e = &u.events[i];
        struct item *item = &c->items.list[c->items.n];

        if (!is_counted(c, &u, e))
            continue;
        *item = (struct item){c->person, c->first_session + e->session, e, {{NULL, 0}}};
        for (int b = 0; b < c->q->n_breakdowns && !c->is_point; b++)
            item->keys[b] = key_of(c, &u, e, &c->q->breakdowns[b]);
        c->items.n++;
    }
}

static void
add_person(struct counter *c, const struct reference_event *events, int n)
{
    if (!c->q->of_sessions) {
        add_unit(c, (struct unit){events, n, c->range.from_ms, c->range.to_ms, NULL, NULL});
        return;
    }
    for (int begin = 0, end; begin < n; begin = end) {
        for (end = begin + 1; end < n && events[end].session == events[begin].session;)
            end++;
        if (events[begin].event->time_ms >= c->range.from_ms &&
            events[begin].event->time_ms < c->range.to_ms)
            add_unit(c,
                     (struct unit){events + begin, end - begin, INT64_MIN, INT64_MAX, NULL, NULL});
    }
}

static struct items
items_of(const struct reference_site *site, const struct count_question *cq,
         struct reference_range range, bool is_point, struct arena *a)
{
    struct counter c = {.cq = cq, .q = &cq->q, .range = range, .is_point = is_point, .a = a};
    struct reference_person *people;
    int n_people = reference_people(site, range.as_of_ms, a, &people);
    int n_max = 0;

    for (int i = 0; i < n_people; i++)
        n_max += people[i].n;
    c.items.list = ARENA_ARRAY(a, struct item, (size_t)n_max + 1);
    for (int i = 0; i < n_people; i++) {
        struct reference_event *events;
        const struct event **left_out;
        int n_left_out;
        int n = reference_settle(site, &people[i], range.as_of_ms, cq->q.bots, a, &events,
                                 &left_out, &n_left_out);

        c.person = i;
        add_person(&c, events, n);
        c.first_session += n;
    }
    return c.items;
}

/* ---- Sums ---- */

typedef bool (*in_row)(const struct item *item, const void *row);

static bool
is_any(const struct item *item, const void *row)
{
    (void)item;
    (void)row;
    return true;
}

static bool
is_in(const struct item *item, const void *row)
{
    const struct item *like = row;

    return slice_equal(item->keys[0], like->keys[0]) && slice_equal(item->keys[1], like->keys[1]);
}

static bool
has_order(const struct event *e)
{
    return slice_is(e->text[TEXT_EVENT], "sale") && e->text[TEXT_ORDER].n > 0;
}

static void
add_value(json_t *sums, const struct event *e)
{
    char currency[8];
    json_t *sum;

    slice_to_cstr(e->text[TEXT_CURRENCY], currency, sizeof currency);
    sum = json_object_get(sums, currency);
    json_object_set_new(sums, currency,
                        json_integer(json_integer_value(sum) + e->number[NUMBER_VALUE]));
}

static void
values_as_text(json_t *sums)
{
    const char *currency;
    json_t *units;
    void *next;

    json_object_foreach_safe(sums, next, currency, units)
    {
        struct buffer text = BUFFER_EMPTY;

        decimal_add(&text, json_integer_value(units), currency_digits(slice_from(currency)));
        json_object_set_new(sums, currency, json_stringn(text.p, text.n));
        buffer_fini(&text);
    }
}

/* Is item i the first of those in the row with its person (or session, or order)? */
enum same { SAME_PERSON, SAME_SESSION, SAME_ORDER };

static bool
is_first(const struct items *l, int i, enum same what, in_row in, const void *row)
{
    const struct item *x = &l->list[i];

    for (int k = 0; k < i; k++) {
        const struct item *y = &l->list[k];

        if (!in(y, row))
            continue;
        if ((what == SAME_PERSON && x->person == y->person) ||
            (what == SAME_SESSION && x->session == y->session) ||
            (what == SAME_ORDER && has_order(y->e->event) &&
             slice_equal(x->e->event->text[TEXT_ORDER], y->e->event->text[TEXT_ORDER])))
            return false;
    }
    return true;
}

static json_t *
sums_of(const struct items *l, const char *value_of, in_row in, const void *row)
{
    json_int_t visitors = 0, sessions = 0, events = 0, orders = 0, engaged = 0;
    json_t *value = json_object();

    for (int i = 0; i < l->n; i++) {
        const struct event *e = l->list[i].e->event;

        if (!in(&l->list[i], row))
            continue;
        visitors += is_first(l, i, SAME_PERSON, in, row);
        sessions += is_first(l, i, SAME_SESSION, in, row);
        events++;
        orders += has_order(e) && is_first(l, i, SAME_ORDER, in, row);
        engaged += event_has_number(e, NUMBER_ENGAGED_MS) ? e->number[NUMBER_ENGAGED_MS] : 0;
        if (event_has_number(e, NUMBER_VALUE) && slice_is(e->text[TEXT_EVENT], value_of))
            add_value(value, e);
    }
    values_as_text(value);
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:o}", "visitors", visitors, "sessions", sessions,
                     "events", events, "orders", orders, "engaged_ms", engaged, "value", value);
}

/* ---- The table ---- */

struct row {
    const struct item *like;
    json_int_t visitors;
    json_int_t events;
};

static int
compare_texts(struct slice a, struct slice b)
{
    if ((a.n == 0) != (b.n == 0))
        return a.n == 0 ? 1 : -1; /* null last */
    return slice_compare(a, b);
}

static int
compare_rows(const void *x, const void *y)
{
    const struct row *a = x;
    const struct row *b = y;
    int order = 0;

    if (a->visitors != b->visitors)
        return a->visitors > b->visitors ? -1 : 1;
    for (int k = 0; k < QUESTION_BREAKDOWNS_MAX && order == 0; k++)
        order = compare_texts(a->like->keys[k], b->like->keys[k]);
    return order;
}

static int
rows_of(const struct items *l, const char *value_of, struct arena *a, struct row **out)
{
    int n = 0;

    *out = ARENA_ARRAY(a, struct row, (size_t)l->n + 1);
    for (int i = 0; i < l->n; i++) {
        json_t *sums;
        bool is_new = true;

        for (int k = 0; k < n && is_new; k++)
            is_new = !is_in(&l->list[i], (*out)[k].like);
        if (!is_new)
            continue;
        sums = sums_of(l, value_of, is_in, &l->list[i]);
        (*out)[n++] =
            (struct row){&l->list[i], json_integer_value(json_object_get(sums, "visitors")),
                         json_integer_value(json_object_get(sums, "events"))};
        json_decref(sums);
    }
    qsort(*out, (size_t)n, sizeof **out, compare_rows);
    return n;
}

struct rows {
    int n;
    const struct row *list;
};

static bool
is_in_none(const struct item *item, const void *row)
{
    const struct rows *rows = row;

    for (int i = 0; i < rows->n; i++)
        if (is_in(item, rows->list[i].like))
            return false;
    return true;
}

static json_t *
table_of(const struct items *l, const struct count_question *cq, const struct rows *rows)
{
    json_t *out = json_array();
    json_t *other = sums_of(l, cq->value_of, is_in_none, rows);

    for (int i = 0; i < rows->n; i++) {
        json_t *row = sums_of(l, cq->value_of, is_in, rows->list[i].like);
        json_t *values = json_array();

        for (int k = 0; k < cq->q.n_breakdowns; k++) {
            struct slice text = rows->list[i].like->keys[k];

            json_array_append_new(values, text.n > 0 ? json_stringn(text.p, text.n) : json_null());
        }
        json_object_set_new(row, "values", values);
        json_array_append_new(out, row);
    }
    if (json_integer_value(json_object_get(other, "events")) > 0) {
        json_object_set_new(other, "other", json_true());
        json_array_append(out, other);
    }
    json_decref(other);
    return out;
}

/* ---- Points ---- */

/* Hours of the local clock: tried minute by minute. */
static int
hours_of(const struct question *q, struct reference_range *out)
{
    struct reference_range range = reference_range(q);
    int64_t start = range.from_ms;
    int n = 0;

    while (start < range.to_ms && n < POINTS_MAX) {
        int64_t end = (start / 60000 + 1) * 60000;
        char text[TIMESTAMP_TEXT_MAX];

        for (;; end += 60000) {
            struct reference_range moment = {end, end, 0};

            if (memcmp(reference_start(q, &moment, text) + 14, "00", 2) == 0)
                break;
        }
        out[n++] =
            (struct reference_range){start, end < range.to_ms ? end : range.to_ms, range.as_of_ms};
        start = end;
    }
    return n;
}

static json_t *
points_of(const struct reference_site *site, const struct count_question *cq, struct arena *a)
{
    static struct reference_range points[POINTS_MAX];
    int n =
        cq->is_by_hour ? hours_of(&cq->q, points) : reference_points(&cq->q, points, POINTS_MAX);
    json_t *out = json_array();

    for (int i = 0; i < n; i++) {
        struct items items = items_of(site, cq, points[i], true, a);
        json_t *point = sums_of(&items, cq->value_of, is_any, NULL);
        char start[TIMESTAMP_TEXT_MAX];

        json_object_set_new(point, "start",
                            json_string(reference_start(&cq->q, &points[i], start)));
        json_array_append_new(out, point);
    }
    return out;
}

/* ---- The answers ---- */

json_t *
reference_count(const struct reference_site *site, const struct count_question *cq, struct arena *a)
{
    int limit = cq->q.limit != 0 ? cq->q.limit : 20;
    struct items items = items_of(site, cq, reference_range(&cq->q), false, a);
    json_t *out = sums_of(&items, cq->value_of, is_any, NULL);
    struct rows rows;
    struct row *list;

    rows.n = rows_of(&items, cq->value_of, a, &list);
    rows.n = rows.n < limit ? rows.n : limit;
    rows.list = list;
    if (cq->q.n_breakdowns > 0)
        json_object_set_new(out, "breakdown", table_of(&items, cq, &rows));
    if (cq->q.trend != NO_TREND)
        json_object_set_new(out, "trend", points_of(site, cq, a));
    if (cq->q.compare != NO_COMPARE) {
        struct items others = items_of(site, cq, reference_compared(&cq->q), false, a);
        json_t *compare = sums_of(&others, cq->value_of, is_any, NULL);

        if (cq->q.n_breakdowns > 0)
            json_object_set_new(compare, "breakdown", table_of(&others, cq, &rows));
        json_object_set_new(out, "compare", compare);
    }
    return out;
}

static int
compare_by_events(const void *x, const void *y)
{
    const struct row *a = x;
    const struct row *b = y;

    if (a->events != b->events)
        return a->events > b->events ? -1 : 1;
    return slice_compare(a->like->keys[0], b->like->keys[0]);
}

json_t *
reference_values(const struct reference_site *site, const struct count_question *cq,
                 struct slice prefix, struct arena *a)
{
    struct items items = items_of(site, cq, reference_range(&cq->q), false, a);
    json_t *out = json_array();
    struct row *rows;
    int n = rows_of(&items, cq->value_of, a, &rows);

    qsort(rows, (size_t)n, sizeof *rows, compare_by_events);
    for (int i = 0; i < n; i++) {
        struct slice text = rows[i].like->keys[0];

        if (text.n > 0 && slice_starts_with(text, prefix))
            json_array_append_new(
                out, json_pack("[s%,I,I]", text.p, text.n, rows[i].visitors, rows[i].events));
    }
    return out;
}
