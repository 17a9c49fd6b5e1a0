/* Counters per stage, a matrix of moves, exact sums of money per currency, and times. Everything is
 * a sum (or a bag of values), so that tallies of disjoint visitors add up. */
#include "aggregator/funnel/tally.h"

#include <assert.h>
#include <stdlib.h>

#include "aggregator/funnel/times_int.h"
#include "core/decimal.h"

/* Currencies by number, shared by the tallies that are alike. */
struct currencies {
    int n_users;
    int n;
    struct currency {
        char *code; /* owned */
        int digits; /* of its minor unit */
    } * list;
};

struct sums {
    struct tally_sum value[FUNNEL_STAGES_MAX];
    struct tally_sum seen[FUNNEL_STAGES_MAX];
};

struct tally {
    int n_stages;
    struct currencies *currencies;
    int n_sums; /* at most currencies->n: what was not met needs no sums */
    struct sums *sums;
    int64_t entered;
    int64_t began_before;
    int64_t after_range;
    struct tally_stage stages[FUNNEL_STAGES_MAX];
    int64_t moves[FUNNEL_STAGES_MAX + 1][FUNNEL_STAGES_MAX]; /* [i][j-1] */
    struct times from_previous[FUNNEL_STAGES_MAX];
    struct times from_start[FUNNEL_STAGES_MAX];
};

struct tally *
tally_create(int n_stages)
{
    struct tally *t = mem_zalloc(sizeof *t);

    assert(n_stages > 0 && n_stages <= FUNNEL_STAGES_MAX);
    t->n_stages = n_stages;
    t->currencies = mem_zalloc(sizeof *t->currencies);
    t->currencies->n_users = 1;
    return t;
}

struct tally *
tally_create_like(struct tally *t)
{
    struct tally *like = mem_zalloc(sizeof *like);

    like->n_stages = t->n_stages;
    like->currencies = t->currencies;
    like->currencies->n_users++;
    return like;
}

static void
currencies_let_go(struct currencies *c)
{
    if (--c->n_users > 0)
        return;
    for (int i = 0; i < c->n; i++)
        free(c->list[i].code);
    free(c->list);
    free(c);
}

void
tally_destroy(struct tally **t)
{
    if (*t == NULL)
        return;
    currencies_let_go((*t)->currencies);
    for (int i = 0; i < (*t)->n_stages; i++) {
        times__fini(&(*t)->from_previous[i]);
        times__fini(&(*t)->from_start[i]);
    }
    free((*t)->sums);
    free(*t);
    *t = NULL;
}

/* ---- Adding ---- */

int
tally_currency(struct tally *t, struct slice code)
{
    struct currencies *c = t->currencies;

    for (int i = 0; i < c->n; i++)
        if (slice_is(code, c->list[i].code))
            return i;
    c->list = mem_realloc(c->list, ((size_t)c->n + 1) * sizeof *c->list);
    c->list[c->n] = (struct currency){.code = mem_cstr(code), .digits = currency_digits(code)};
    return c->n++;
}

struct slice
tally_currency_code(const struct tally *t, int currency)
{
    return slice_from(t->currencies->list[currency].code);
}

static struct sums *
sums_of(struct tally *t, int currency)
{
    assert(currency < t->currencies->n);
    if (currency >= t->n_sums) {
        t->sums = mem_realloc(t->sums, ((size_t)currency + 1) * sizeof *t->sums);
        memset(t->sums + t->n_sums, 0, (size_t)(currency + 1 - t->n_sums) * sizeof *t->sums);
        t->n_sums = currency + 1;
    }
    return &t->sums[currency];
}

static void
add_seen_value(struct tally *t, uint32_t stages, const struct tally_value *value)
{
    if (value->currency < 0)
        return;
    for (; stages != 0; stages &= stages - 1)
        tally_sum_add(&sums_of(t, value->currency)->seen[__builtin_ctz(stages)], value->units);
}

static void
add_seen(struct tally *t, const struct path_range *range, const struct path_event *events,
         uint32_t n, const struct tally_value *values)
{
    uint32_t seen = 0;

    for (uint32_t i = 0; i < n && events[i].time_ms < range->to_ms; i++) {
        if (events[i].stages == 0 || events[i].time_ms < range->from_ms)
            continue;
        seen |= events[i].stages;
        if (values != NULL)
            add_seen_value(t, events[i].stages, &values[i]);
    }
    for (; seen != 0; seen &= seen - 1)
        t->stages[__builtin_ctz(seen)].seen++;
}

static void
add_visit(struct tally *t, const struct path *path, uint32_t i, const struct path_event *events)
{
    uint32_t stage = path->visits[i].stage;
    int64_t time_ms = events[path->visits[i].event].time_ms;

    t->stages[stage].reached++;
    if (i == 0) {
        t->stages[stage].entries++;
        t->moves[0][stage]++;
        return;
    }
    t->moves[path->visits[i - 1].stage + 1][stage]++;
    times__add(&t->from_previous[stage], time_ms - events[path->visits[i - 1].event].time_ms);
    times__add(&t->from_start[stage], time_ms - events[path->visits[0].event].time_ms);
}

static void
add_path(struct tally *t, const struct path_range *range, const struct path_event *events,
         const struct tally_value *values, const struct path *path)
{
    uint32_t last = path->visits[path->n - 1].stage;
    bool is_converted = (int)last == t->n_stages - 1;

    t->entered++;
    t->stages[last].exits++;
    t->after_range +=
        is_converted && events[path->visits[path->n - 1].event].time_ms >= range->to_ms;
    for (uint32_t i = 0; i < path->n; i++) {
        uint32_t stage = path->visits[i].stage;

        add_visit(t, path, i, events);
        t->stages[stage].converted += is_converted;
        if (values != NULL && values[path->visits[i].event].currency >= 0) {
            const struct tally_value *value = &values[path->visits[i].event];

            tally_sum_add(&sums_of(t, value->currency)->value[stage], value->units);
        }
    }
}

void
tally_add(struct tally *t, const struct path_range *range, const struct path_event *events,
          uint32_t n, const struct tally_value *values, const struct path *path)
{
    add_seen(t, range, events, n, values);
    if (path != NULL)
        add_path(t, range, events, values, path);
}

void
tally_add_known(struct tally *t, uint32_t seen, uint32_t path, int64_t n)
{
    bool is_converted = (path >> (t->n_stages - 1) & 1) != 0;
    int last = 0; /* stage from 1 */

    for (; seen != 0; seen &= seen - 1)
        t->stages[__builtin_ctz(seen)].seen += n;
    if (path == 0)
        return;
    t->entered += n;
    t->stages[__builtin_ctz(path)].entries += n;
    for (; path != 0; path &= path - 1) {
        int stage = __builtin_ctz(path);

        t->stages[stage].reached += n;
        t->stages[stage].converted += is_converted ? n : 0;
        t->moves[last][stage] += n;
        last = stage + 1;
    }
    t->stages[last - 1].exits += n;
}

void
tally_add_open(struct tally *t, uint32_t stage)
{
    t->stages[stage].open++;
}

void
tally_add_began_before(struct tally *t)
{
    t->began_before++;
}

static void
merge_currency(struct tally *into, const struct tally *from, int number)
{
    int mine = into->currencies == from->currencies
                   ? number
                   : tally_currency(into, slice_from(from->currencies->list[number].code));
    struct sums *to = sums_of(into, mine);
    const struct sums *sums = &from->sums[number];

    for (int i = 0; i < into->n_stages; i++) {
        to->value[i].units += sums->value[i].units;
        to->value[i].n += sums->value[i].n;
        to->seen[i].units += sums->seen[i].units;
        to->seen[i].n += sums->seen[i].n;
    }
}

void
tally_merge(struct tally *into, const struct tally *from)
{
    assert(into->n_stages == from->n_stages);
    into->entered += from->entered;
    into->began_before += from->began_before;
    into->after_range += from->after_range;
    for (int i = 0; i < into->n_stages; i++) {
        into->stages[i].reached += from->stages[i].reached;
        into->stages[i].entries += from->stages[i].entries;
        into->stages[i].exits += from->stages[i].exits;
        into->stages[i].converted += from->stages[i].converted;
        into->stages[i].seen += from->stages[i].seen;
        into->stages[i].open += from->stages[i].open;
        times__merge(&into->from_previous[i], &from->from_previous[i]);
        times__merge(&into->from_start[i], &from->from_start[i]);
    }
    for (int i = 0; i <= into->n_stages; i++)
        for (int j = 0; j < into->n_stages; j++)
            into->moves[i][j] += from->moves[i][j];
    for (int i = 0; i < from->n_sums; i++)
        merge_currency(into, from, i);
}

/* ---- Asking ---- */

size_t
tally_held_bytes(const struct tally *t)
{
    size_t bytes = sizeof *t + (size_t)t->n_sums * sizeof *t->sums;

    for (int i = 0; i < t->n_stages; i++)
        bytes += times__held_bytes(&t->from_previous[i]) + times__held_bytes(&t->from_start[i]);
    return bytes;
}

int
tally_n_stages(const struct tally *t)
{
    return t->n_stages;
}

int64_t
tally_entered(const struct tally *t)
{
    return t->entered;
}

int64_t
tally_began_before(const struct tally *t)
{
    return t->began_before;
}

int64_t
tally_after_range(const struct tally *t)
{
    return t->after_range;
}

const struct tally_stage *
tally_stage(const struct tally *t, int stage)
{
    assert(stage >= 0 && stage < t->n_stages);
    return &t->stages[stage];
}

int64_t
tally_moves(const struct tally *t, int i, int j)
{
    assert(i >= 0 && i <= t->n_stages && j >= 1 && j <= t->n_stages);
    return t->moves[i][j - 1];
}

struct tally_times
tally_time_from_previous(const struct tally *t, int stage)
{
    return times__summary(&t->from_previous[stage]);
}

struct tally_times
tally_time_from_start(const struct tally *t, int stage)
{
    return times__summary(&t->from_start[stage]);
}

/* ---- Money as text ---- */

/* units * 10^-digits, as decimal_add, for sums beyond an int64. */
static void
add_decimal(struct buffer *out, __int128 units, int digits)
{
    char text[48];
    size_t at = sizeof text;
    bool is_negative = units < 0;
    unsigned __int128 left = is_negative ? -(unsigned __int128)units : (unsigned __int128)units;

    for (int n = 0; left != 0 || n <= digits; n++) {
        if (n == digits && digits > 0)
            text[--at] = '.';
        text[--at] = (char)('0' + (int)(left % 10));
        left /= 10;
    }
    if (is_negative)
        text[--at] = '-';
    buffer_add(out, text + at, sizeof text - at);
}

/* Of the first n, the currency that follows `after` in the order of codes; -1: none does. after -1:
 * the first. */
static int
next_currency(const struct currencies *c, int n, int after)
{
    const struct currency *list = c->list;
    int next = -1;

    for (int i = 0; i < n; i++)
        if ((after < 0 || strcmp(list[i].code, list[after].code) > 0) &&
            (next < 0 || strcmp(list[i].code, list[next].code) < 0))
            next = i;
    return next;
}

/* sums: the first of them, each `step` bytes on. */
static void
add_sums(const struct currencies *currencies, const struct tally_sum *sums, size_t step, int n,
         struct buffer *out)
{
    bool is_first = true;

    buffer_add_char(out, '{');
    for (int i = next_currency(currencies, n, -1); i >= 0; i = next_currency(currencies, n, i)) {
        const struct tally_sum *s =
            (const struct tally_sum *)(const void *)((const char *)sums + (size_t)i * step);
        const struct currency *c = &currencies->list[i];

        if (s->n == 0)
            continue;
        if (!is_first)
            buffer_add_char(out, ',');
        is_first = false;
        buffer_add_json(out, slice_from(c->code));
        buffer_add_text(out, ":\"");
        add_decimal(out, s->units, c->digits);
        buffer_add_char(out, '"');
    }
    buffer_add_char(out, '}');
}

void
tally_add_value_json(const struct tally *t, int stage, struct buffer *out)
{
    assert(stage >= 0 && stage < t->n_stages);
    add_sums(t->currencies, t->sums ? &t->sums->value[stage] : NULL, sizeof *t->sums, t->n_sums,
             out);
}

void
tally_add_seen_value_json(const struct tally *t, int stage, struct buffer *out)
{
    assert(stage >= 0 && stage < t->n_stages);
    add_sums(t->currencies, t->sums ? &t->sums->seen[stage] : NULL, sizeof *t->sums, t->n_sums,
             out);
}

void
tally_add_sums_json(const struct tally *t, const struct tally_sum *sums, int n, struct buffer *out)
{
    assert(n <= t->currencies->n);
    add_sums(t->currencies, sums, sizeof *sums, n, out);
}
