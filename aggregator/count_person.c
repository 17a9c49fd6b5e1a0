/* One visitor where he lies: sessions are found as settle.c finds them, and what is the same in
 * consecutive events is added at once. */
#include <stdlib.h>

#include "aggregator/count_lying_int.h"

/* ---- Order, sessions, drivers ---- */

/* The row at a place of the order; places are numbered as rows are. */
static inline uint32_t
row_at(const struct count_lying *l, const struct rows *person, uint32_t place)
{
    return l->is_reordered ? l->order[place - person->begin] : place;
}

static void
reserve(struct count_lying *l, uint32_t n)
{
    if (n <= l->room)
        return;
    l->room = 2 * n;
    l->order = mem_realloc(l->order, l->room * sizeof *l->order);
    l->sessions = mem_realloc(l->sessions, l->room * sizeof *l->sessions);
    l->drivers = mem_realloc(l->drivers, l->room * sizeof *l->drivers);
    l->origins = mem_realloc(l->origins, l->room * sizeof *l->origins);
}

/* All of the visitor's are read together. */
static void
know_driver(const struct rows *r, uint32_t row)
{
    if (r->span->drivers[row] == SPAN_UNKNOWN)
        count_span_read_drivers(r->span, r->begin, r->end);
}

/* Of rows of one moment those with a driver of their own come first, by its texts; rows are in the
 * order of ids. */
static bool
is_before(const struct rows *r, uint32_t i, uint32_t k)
{
    const struct count_span *s = r->span;
    bool has = s->drivers[i] != 0, other_has = s->drivers[k] != 0;
    int sign = 0;

    if (has != other_has)
        return has;
    if (has && !r->are_alike) {
        know_driver(r, i);
        sign = count_span_compare_drivers(s, i, k);
    }
    return sign != 0 ? sign < 0 : i < k;
}

/* Row `row` is the next one: to its place among those of its moment. */
static void
put_in_order(struct count_lying *l, const struct rows *r, uint32_t row)
{
    uint32_t at = row - r->begin;

    while (at > 0 && r->span->times[l->order[at - 1]] == r->span->times[row] &&
           is_before(r, row, l->order[at - 1])) {
        l->order[at] = l->order[at - 1];
        at--;
    }
    l->order[at] = row;
}

/* Is the order of drivers another than that in which the rows lie? Then it is in l->order. */
static void
find_order(struct count_lying *l, const struct rows *r)
{
    const struct count_span *s = r->span;
    uint32_t row = r->begin + 1;

    l->is_reordered = false;
    while (row < r->end && (s->drivers[row] == 0 || s->times[row] != s->times[row - 1]))
        row++;
    if (row >= r->end)
        return;
    l->is_reordered = true;
    for (row = r->begin; row < r->end; row++)
        put_in_order(l, r, row);
}

/* The driver by its texts. */
static uint32_t
texts_of(const struct rows *r, uint32_t row)
{
    if (row == SETTLE_DIRECT)
        return SPAN_EMPTY;
    know_driver(r, row);
    return r->span->drivers[row];
}

/* Do two rows have the same driver, by its texts? SETTLE_DIRECT: none. */
static inline bool
are_alike(const struct rows *r, uint32_t a, uint32_t b)
{
    if (r->are_alike && a != SETTLE_DIRECT && b != SETTLE_DIRECT)
        return true;
    return texts_of(r, a) == texts_of(r, b);
}

/* As settle_person, of rows in order. */
static inline void
find_sessions(struct count_lying *l, const struct rows *r, bool asks_drivers)
{
    const struct count_span *s = r->span;
    uint32_t driver = SETTLE_DIRECT; /* rows */
    uint32_t driver_before = SETTLE_DIRECT;
    uint32_t earliest = r->begin; /* a place */
    uint32_t session = 0;
    int64_t before_ms = 0;

    for (uint32_t i = r->begin; i < r->end; i++) {
        uint32_t row = row_at(l, r, i);
        int64_t now_ms = s->times[row];
        bool is_apart = i == r->begin || now_ms - before_ms > SETTLE_GAP_MS;

        if (is_apart) {
            driver = SETTLE_DIRECT;
            earliest = i;
        }
        if (s->drivers[row] != 0)
            driver = row;
        else if (driver != SETTLE_DIRECT && now_ms - s->times[driver] > SETTLE_DRIVER_MS)
            driver = SETTLE_DIRECT;
        session += i > r->begin &&
                   (is_apart || (driver != driver_before && !are_alike(r, driver, driver_before)));
        driver_before = driver;
        before_ms = now_ms;
        l->sessions[i - r->begin] = session;
        if (!asks_drivers)
            continue;
        while (now_ms - s->times[row_at(l, r, earliest)] > SETTLE_DRIVER_MS)
            earliest++;
        l->drivers[i - r->begin] = driver;
        l->origins[i - r->begin] = driver == SETTLE_DIRECT ? row_at(l, r, earliest) : driver;
    }
}

/* ---- Adding ---- */

/* Places [begin, end): one, or all rows of their moments, or rows as they lie. */
static struct counted
counted_of(const struct counting *c, const struct rows *person, uint32_t begin, uint32_t end)
{
    const struct count_span *s = person->span;
    const uint32_t *sessions = c->lying->sessions;
    uint32_t row = end - begin == 1 ? row_at(c->lying, person, begin) : begin;
    uint32_t row_end = row + (end - begin);

    return (struct counted){.n = end - begin,
                            .engaged_ms = s->engaged_ms[row_end] - s->engaged_ms[row],
                            .first_session = c->first_session + sessions[begin - person->begin],
                            .last_session = c->first_session + sessions[end - 1 - person->begin],
                            .n_sales = s->n_sales[row_end] - s->n_sales[row],
                            .sales = s->sales + s->n_sales[row]};
}

static uint32_t
value_at(const struct counting *c, const struct rows *person, size_t b, uint32_t place)
{
    const struct count_lying *l = c->lying;
    const uint32_t *values = person->span->values[b];
    uint32_t row;

    switch (matcher_part_of(&c->request->breakdowns[b].attribute)) {
    case PART_DRIVER:
        row = l->drivers[place - person->begin];
        return row == SETTLE_DIRECT ? l->direct[b] : values[row];
    case PART_ORIGIN:
        return values[l->origins[place - person->begin]];
    default:
        return values[row_at(l, person, place)];
    }
}

/* Where the row is that counts first, in the order of time and id. */
static uint32_t
place_of_entry(const struct counting *c, const struct rows *person, uint32_t begin)
{
    uint32_t place = begin;

    while (row_at(c->lying, person, place) != begin)
        place++;
    return place;
}

/* Its counted events are at places [begin, end). */
static void
add_to_rows(struct counting *c, const struct rows *person, uint32_t begin, uint32_t end)
{
    const struct request *r = c->request;
    uint32_t entry = place_of_entry(c, person, begin);
    struct value_key key = {{0}};
    struct value_key next = {{0}};
    struct counted counted;
    uint32_t from = begin;

    for (uint32_t i = begin; i < end; i++) {
        for (size_t b = 0; b < r->n_breakdowns; b++)
            next.values[b] = value_at(c, person, b, r->breakdowns[b].at == AT_ENTRY ? entry : i);
        if (i > from && (c->lying->is_reordered || memcmp(&key, &next, sizeof key) != 0)) {
            counted = counted_of(c, person, from, i);
            count_add_to_row(c, &key, &counted);
            from = i;
        }
        key = next;
    }
    counted = counted_of(c, person, from, end);
    count_add_to_row(c, &key, &counted);
}

static void
add_to_points(struct counting *c, const struct rows *person, uint32_t begin, uint32_t end)
{
    const int64_t *times = person->span->times;

    for (uint32_t i = begin, until; i < end; i = until) {
        size_t at = count_point_of(c, times[i]);
        struct counted counted;

        until = i + 1;
        if (at == c->n_points)
            continue;
        while (until < end && times[until] < c->points[at].to_ms)
            until++;
        counted = counted_of(c, person, i, until);
        count_add_to_cell(c, COUNT_POINTS + at, &counted);
    }
}

/* Those of a bot are left out, which is said. False where only some are. */
static bool
leave_out(struct counting *c, const struct rows *person)
{
    const struct count_span *s = person->span;
    const struct path_range *range = &c->e->person.setup.bots_range;
    int64_t n = 0;

    for (uint32_t i = person->begin; i < person->end; i++) {
        if (!s->are_bots[i])
            return false;
        n += s->times[i] >= range->from_ms && s->times[i] < range->to_ms;
    }
    c->e->person.n_bots += n;
    return true;
}

static bool
has_bot(const struct rows *person)
{
    for (uint32_t i = person->begin; i < person->end; i++)
        if (person->span->are_bots[i])
            return true;
    return false;
}

static void
add_person(struct counting *c, const struct rows *person)
{
    const int64_t *times = person->span->times;
    uint32_t begin = person->begin;
    uint32_t end = person->end;
    struct counted counted;

    while (begin < end && times[begin] < c->request->range.from_ms)
        begin++;
    while (end > begin && times[end - 1] >= c->request->range.to_ms)
        end--;
    if (begin == end)
        return;
    c->person++;
    counted = counted_of(c, person, begin, end);
    count_add_to_cell(c, COUNT_TOTAL, &counted);
    if (c->request->n_breakdowns != 0)
        add_to_rows(c, person, begin, end);
    if (c->n_points != 0)
        add_to_points(c, person, begin, end);
    c->first_session += c->lying->sessions[person->end - 1 - person->begin] + 1;
}

bool
count__person(struct counting *c, const struct rows *person)
{
    const struct count_span *s = person->span;
    struct count_lying *l = c->lying;

    if (s->is_odd || s->times[person->end - 1] > c->request->as_of_ms)
        return false;
    if (s->has_bots && c->request->bots == BOTS_EXCLUDE && has_bot(person))
        return leave_out(c, person);
    reserve(l, person->end - person->begin);
    find_order(l, person);
    if (l->asks_drivers)
        find_sessions(l, person, true);
    else
        find_sessions(l, person, false);
    add_person(c, person);
    c->n_lying++;
    return true;
}
