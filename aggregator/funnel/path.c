/* The counted path of one visitor.
 *
 * The visitor's events of one millisecond are an instant: they are simultaneous. All paths so far
 * are summed up by a board, whose cell (last stage k, number of stages c) holds the latest first
 * visit of any path that stands there: of two such paths the one that began later can do whatever
 * the other can, for longer. At an instant a path goes on by a walk: down the stages below its
 * last, taking each that the instant matches, up to a required one that it does not match.
 *
 *   1. forward()  from every start in the range: which (k, c) is the deepest, then fullest, and at
 *                 which instant F is it first there. Most visitors never get here: what only one
 *                 stage matches is answered by single_visit().
 *   2. trace()    from one start alone, and every stage remembers the best trail to it: which
 *                 stages, which events. The earliest start in [F - window, F] that reaches (k, c)
 *                 is the path's; it is nearly always the first one tried, otherwise forward() with
 *                 ever fewer starts finds it in O(log n) passes, for more starts never reach less.
 *
 * Not here: which events match (matcher.h), what is counted (tally.h).
 */
#include "aggregator/funnel/path.h"

#include <assert.h>

#define NO_STAGE 0 /* the empty path stands above stage 1 */
#define NO_DEPTH ((struct depth){FUNNEL_STAGES_MAX + 1, 0}) /* deeper than any path gets */

static_assert(FUNNEL_STAGES_MAX <= 32 && FUNNEL_EXCLUSIONS_MAX <= 32, "masks are 32 bits");

/* All events of one millisecond; its events are events[begin, end). */
struct instant {
    int64_t time_ms;
    uint32_t begin;
    uint32_t end;
    uint32_t stages;
    uint32_t exclusions;
    uint32_t in_group[FUNNEL_STAGES_MAX / 2]; /* events that match the group's rule */
};

struct visitor {
    const struct plan *plan;
    const struct path_event *events;
    uint32_t n;
};

/* How far a path got: the last stage (from 1), and how many it visits. */
struct depth {
    int stage;
    int count;
};

/* A cell is kept only where no path at the same stage visits as many stages and is good for as
 * long: down a stage's counts, first visits get strictly earlier. */
struct board {
    int64_t endless_ms;                 /* paths that begin from here on outlast the last event */
    uint32_t stages;                    /* bit k-1: some path stands at k */
    uint32_t counts[FUNNEL_STAGES_MAX]; /* [k-1], bit c-1: with c stages; set only if k's bit is */
    int64_t first_ms[FUNNEL_STAGES_MAX][FUNNEL_STAGES_MAX]; /* [k-1][c-1], at most endless_ms */
};

struct trail {
    uint32_t stages;
    uint32_t events[FUNNEL_STAGES_MAX]; /* one per stage, ascending */
};

/* One trail a stage is enough: had one with fewer stages a way on to the depth that is looked for,
 * the one with more would have it too and get to a fuller one, and there is none. */
struct trail_board {
    uint32_t stages; /* bit k-1: trails[k-1] is there */
    struct trail trails[FUNNEL_STAGES_MAX];
};

/* Where forward() looks: starts in [from, to), until the depth `until` is there. */
struct span {
    int64_t from_ms;
    int64_t to_ms;
    uint32_t begin; /* event to begin at: none before lies in the span */
    struct depth until;
};

struct reached {
    struct depth depth;
    int64_t at_ms;  /* first instant at which it was there */
    uint32_t event; /* its first event */
};

static inline uint32_t
below(int stage) /* the mask of the stages 1 .. stage */
{
    return stage >= 32 ? UINT32_MAX : (1u << stage) - 1;
}

static inline int
lowest(uint32_t stages) /* number of the first stage in a mask that is not empty */
{
    return __builtin_ctz(stages) + 1;
}

static inline int
highest(uint32_t stages)
{
    return 32 - __builtin_clz(stages);
}

static inline bool
is_deeper(struct depth a, struct depth b)
{
    return a.stage > b.stage || (a.stage == b.stage && a.count > b.count);
}

/* The instant that begins at event i; returns the event after it. */
static uint32_t
read_instant(const struct visitor *v, uint32_t i, struct instant *out)
{
    const struct plan *p = v->plan;

    out->time_ms = v->events[i].time_ms;
    out->begin = i;
    out->stages = 0;
    out->exclusions = 0;
    for (int g = 0; g < p->n_groups; g++)
        out->in_group[g] = 0;
    for (; i < v->n && v->events[i].time_ms == out->time_ms; i++) {
        uint32_t stages = v->events[i].stages;

        out->stages |= stages;
        out->exclusions |= v->events[i].exclusions;
        for (int g = 0; g < p->n_groups; g++)
            out->in_group[g] += (stages & p->groups[g]) != 0;
    }
    out->end = i;
    out->stages &= p->stages;
    return i;
}

/* Which stages a path that stands at `from` visits in this instant. Stages of one rule need an
 * event each, so of a group only as many as it has events, the first ones. */
static uint32_t
walk(const struct plan *p, const struct instant *now, int from)
{
    uint32_t ahead = p->stages & ~below(from);
    uint32_t taken = now->stages & ahead;
    uint32_t missing;

    for (int g = 0; g < p->n_groups; g++) {
        uint32_t members = taken & p->groups[g];
        int n = __builtin_popcount(members);

        for (; n > (int)now->in_group[g]; n--) {
            uint32_t last = 1u << (highest(members) - 1);
            members &= ~last;
            taken &= ~last;
        }
    }
    missing = p->required & ahead & ~taken;
    if (missing != 0)
        taken &= below(lowest(missing) - 1);
    return taken;
}

/* The stages at which an exclusion in this instant ends the paths that stand there. */
static uint32_t
ended_stages(const struct plan *p, const struct instant *now)
{
    uint32_t ended = 0;

    for (uint32_t x = now->exclusions; x != 0; x &= x - 1) {
        int i = __builtin_ctz(x);
        if (i < p->n_exclusions)
            ended |= p->ends[i];
    }
    return ended;
}

/* ---- Forward: how deep, how full, and when ---- */

static void
board_offer(struct board *b, struct depth d, int64_t first_ms)
{
    int k = d.stage - 1;
    int64_t *firsts = b->first_ms[k];
    uint32_t fuller;
    uint32_t emptier;

    if ((b->stages >> k & 1) == 0) {
        b->stages |= 1u << k;
        b->counts[k] = 0;
    }
    fuller = b->counts[k] & ~below(d.count - 1);
    if (fuller != 0 && firsts[lowest(fuller) - 1] >= first_ms)
        return;
    emptier = b->counts[k] & below(d.count - 1);
    while (emptier != 0 && firsts[highest(emptier) - 1] <= first_ms)
        emptier &= below(highest(emptier) - 1);
    b->counts[k] = emptier | fuller | 1u << (d.count - 1);
    firsts[d.count - 1] = first_ms;
}

/* A path that stands at d goes on over the stages taken. */
static void
board_advance(struct board *b, struct depth d, uint32_t taken, int64_t first_ms,
              const struct instant *now, struct reached *best)
{
    if (first_ms > b->endless_ms)
        first_ms = b->endless_ms;
    for (; taken != 0; taken &= taken - 1) {
        d.stage = lowest(taken);
        d.count++;
        board_offer(b, d, first_ms);
    }
    if (is_deeper(d, best->depth))
        *best = (struct reached){d, now->time_ms, now->begin};
}

/* Every path that stands at stage k before this instant goes on, or is forgotten where its window
 * is over. */
static void
board_step(const struct plan *p, struct board *b, int k, const struct instant *now,
           struct reached *best)
{
    uint32_t taken = walk(p, now, k);

    if (taken == 0)
        return;
    for (uint32_t counts = b->counts[k - 1]; counts != 0; counts &= counts - 1) {
        int c = lowest(counts);
        int64_t first_ms = b->first_ms[k - 1][c - 1];

        if (now->time_ms - first_ms > p->window_ms)
            b->counts[k - 1] &= ~(1u << (c - 1));
        else
            board_advance(b, (struct depth){k, c}, taken, first_ms, now, best);
    }
    if (b->counts[k - 1] == 0)
        b->stages &= ~(1u << (k - 1));
}

/* The deepest, then fullest depth that any path from a start in the span reaches, and when; ends
 * early where span->until is there. Steps go from the deepest stage up, so that each sees the
 * paths as they stood before the instant. The board is left as the paths stand at the end. */
static struct reached
forward(const struct visitor *v, const struct span *span, struct board *b)
{
    const struct plan *p = v->plan;
    struct reached best = {.depth = {NO_STAGE, 0}};
    int64_t last_start_ms = INT64_MIN;
    struct instant now;

    b->stages = 0;
    if (v->n == 0)
        return best;
    b->endless_ms = v->events[v->n - 1].time_ms - p->window_ms;
    for (uint32_t i = span->begin; i < v->n;) {
        if ((v->events[i].stages | v->events[i].exclusions) == 0) {
            i++;
            continue;
        }
        i = read_instant(v, i, &now);
        if (now.time_ms >= span->to_ms &&
            (b->stages == 0 || now.time_ms - last_start_ms > p->window_ms))
            break;
        b->stages &= ~ended_stages(p, &now);
        if (now.stages == 0)
            continue;
        for (uint32_t at = b->stages; at != 0; at &= below(highest(at) - 1))
            board_step(p, b, highest(at), &now, &best);
        if (now.time_ms >= span->from_ms && now.time_ms < span->to_ms) {
            uint32_t taken = walk(p, &now, NO_STAGE);
            if (taken != 0) {
                board_advance(b, (struct depth){NO_STAGE, 0}, taken, now.time_ms, &now, &best);
                last_start_ms = now.time_ms;
            }
        }
        if (!is_deeper(span->until, best.depth))
            break;
    }
    return best;
}

/* ---- Trace: which stages, which events ---- */

/* The event that serves a stage which a walk took: the first that matches, or of a group the one
 * after those that serve the walk's stages of the group before it. */
static uint32_t
serving_event(const struct visitor *v, const struct instant *now, uint32_t taken, int stage)
{
    const struct plan *p = v->plan;
    uint32_t bit = 1u << (stage - 1);
    int skip = 0;

    for (int g = 0; g < p->n_groups; g++)
        if ((p->groups[g] & bit) != 0)
            skip = __builtin_popcount(taken & p->groups[g] & below(stage - 1));
    for (uint32_t i = now->begin; i < now->end; i++)
        if ((v->events[i].stages & bit) != 0 && skip-- == 0)
            return i;
    assert(false && "a walk takes a stage only where an event serves it");
    return now->begin;
}

/* Is a to be counted before b, both with the same last stage? The fuller one, then the earlier
 * stages, then the earlier visits. Where two trails have the same stages, an earlier event is an
 * earlier visit: within an instant, other events serve only after an earlier visit differed in
 * time. */
static bool
trail_is_before(const struct trail *a, const struct trail *b)
{
    uint32_t differs = a->stages ^ b->stages;
    int n = __builtin_popcount(a->stages);
    int n_b = __builtin_popcount(b->stages);

    if (n != n_b)
        return n > n_b;
    if (differs != 0)
        return (a->stages & differs & (~differs + 1)) != 0;
    for (int i = 0; i < n; i++)
        if (a->events[i] != b->events[i])
            return a->events[i] < b->events[i];
    return false;
}

/* The trail goes on over the stages that the instant's walk took. */
static void
trail_advance(const struct visitor *v, struct trail_board *b, struct trail t,
              const struct instant *now, uint32_t taken)
{
    int count = __builtin_popcount(t.stages);

    for (uint32_t left = taken; left != 0; left &= left - 1) {
        int stage = lowest(left);
        uint32_t bit = 1u << (stage - 1);

        t.stages |= bit;
        t.events[count++] = serving_event(v, now, taken, stage);
        if ((b->stages & bit) == 0 || trail_is_before(&t, &b->trails[stage - 1]))
            b->trails[stage - 1] = t;
        b->stages |= bit;
    }
}

/* The path of this depth whose first visit is at the instant of event `begin`: with the earliest
 * last visit, then the earliest stages, then the earliest visits. False where there is none. */
static bool
trace(const struct visitor *v, uint32_t begin, struct depth depth, struct trail *out)
{
    const struct plan *p = v->plan;
    const int64_t start_ms = v->events[begin].time_ms;
    const int last = depth.stage - 1;
    struct trail_board b;
    struct instant now;

    b.stages = 0;
    for (uint32_t i = begin; i < v->n;) {
        i = read_instant(v, i, &now);
        if (now.time_ms - start_ms > p->window_ms)
            return false;
        b.stages &= ~ended_stages(p, &now);
        for (uint32_t at = b.stages; at != 0; at &= below(highest(at) - 1)) {
            uint32_t taken = walk(p, &now, highest(at));
            if (taken != 0)
                trail_advance(v, &b, b.trails[highest(at) - 1], &now, taken);
        }
        if (now.time_ms == start_ms)
            trail_advance(v, &b, (struct trail){.stages = 0}, &now, walk(p, &now, NO_STAGE));
        if ((b.stages >> last & 1) != 0 &&
            __builtin_popcount(b.trails[last].stages) == depth.count) {
            *out = b.trails[last];
            return true;
        }
        if (b.stages == 0)
            return false;
    }
    return false;
}

/* ---- The first visit ---- */

/* Does some path that begins at one of the events [begin, last] get to that depth? */
static bool
is_reached_from(const struct visitor *v, uint32_t begin, uint32_t last, struct depth depth)
{
    struct span span = {.from_ms = v->events[begin].time_ms,
                        .to_ms = v->events[last].time_ms + 1,
                        .begin = begin,
                        .until = depth};
    struct board b;

    return !is_deeper(depth, forward(v, &span, &b).depth);
}

/* The first event from which the depth is reached, in (begin, end]; with all of them it is.
 * Doubling steps, then halving: the first that serves is usually near. */
static uint32_t
earliest_start(const struct visitor *v, uint32_t begin, uint32_t end, struct depth depth)
{
    uint32_t low = begin; /* not reached from [begin, low] */
    uint32_t step = 1;

    while (step < end - low && !is_reached_from(v, begin, low + step, depth)) {
        low += step;
        step *= 2;
    }
    if (step < end - low)
        end = low + step;
    while (end - low > 1) {
        uint32_t middle = low + (end - low) / 2;
        if (is_reached_from(v, begin, middle, depth))
            end = middle;
        else
            low = middle;
    }
    return end;
}

static void
find_trail(const struct visitor *v, const struct path_range *range, const struct reached *best,
           struct trail *out)
{
    int64_t from_ms = best->at_ms - v->plan->window_ms;
    uint32_t begin;
    bool is_found;

    if (from_ms < range->from_ms)
        from_ms = range->from_ms;
    begin = path_first_from(v->events, v->n, from_ms);
    while ((v->events[begin].stages & v->plan->stages) == 0)
        begin++; /* ends: the path that was found begins at or after it */
    if (trace(v, begin, best->depth, out))
        return;
    begin = earliest_start(v, begin, best->event, best->depth);
    is_found = trace(v, begin, best->depth, out);
    assert(is_found);
    (void)is_found;
}

/* ---- Public ---- */

void
plan_init(struct plan *plan, const struct funnel *f, enum funnel_preset preset)
{
    *plan = (struct plan){.n_stages = f->n_stages,
                          .n_exclusions = f->n_exclusions,
                          .window_ms = f->window_ms,
                          .stages = below(f->n_stages),
                          .required = funnel_required_stages(f, preset)};
    for (int i = 0; i < f->n_exclusions; i++)
        plan->ends[i] = below(f->exclusions[i].to - 1) & ~below(f->exclusions[i].from - 1);
    for (int i = 0; i < f->n_stages; i++) {
        uint32_t members = 0;

        for (int j = i; j < f->n_stages; j++)
            if (f->stages[j].group == i)
                members |= 1u << j;
        if (__builtin_popcount(members) > 1)
            plan->groups[plan->n_groups++] = members;
    }
}

uint32_t
path_first_from(const struct path_event *events, uint32_t n, int64_t ms)
{
    uint32_t low = 0;
    uint32_t high = n;

    if (n == 0 || events[0].time_ms >= ms) /* nearly always */
        return 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (events[middle].time_ms < ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t
plan_possible(const struct plan *plan, uint32_t matched)
{
    uint32_t missing = plan->required & ~matched;

    matched &= plan->stages;
    return missing != 0 ? matched & below(lowest(missing) - 1) : matched;
}

/* Of the events from the range on. */
static uint32_t
possible_stages(const struct visitor *v, uint32_t begin, uint32_t *out_exclusions)
{
    uint32_t matched = 0;

    *out_exclusions = 0;
    for (uint32_t i = begin; i < v->n; i++) {
        matched |= v->events[i].stages;
        *out_exclusions |= v->events[i].exclusions;
    }
    return plan_possible(v->plan, matched);
}

static bool
single_visit(const struct visitor *v, uint32_t begin, int64_t to_ms, int stage, struct path *out)
{
    uint32_t bit = 1u << (stage - 1);

    for (uint32_t i = begin; i < v->n && v->events[i].time_ms < to_ms; i++) {
        if ((v->events[i].stages & bit) == 0)
            continue;
        out->stages = bit;
        out->n = 1;
        out->visits[0] = (struct path_visit){(uint32_t)stage - 1, i};
        return true;
    }
    return false;
}

/* Each of the stages at the first event that may serve it after the one before. Where that gets to
 * the last of them within the window, no path is deeper, fuller or earlier in any of its visits.
 * True for most of those who get anywhere. */
static bool
earliest_visits(const struct visitor *v, uint32_t begin, int64_t to_ms, uint32_t stages,
                struct path *out)
{
    const struct path_event *events = v->events;
    uint32_t i = begin;

    out->stages = stages;
    out->n = 0;
    for (; stages != 0; stages &= stages - 1) {
        uint32_t bit = stages & (~stages + 1);

        while (i > begin && events[i - 1].time_ms == events[i].time_ms)
            i--; /* what is of one moment has no order */
        while (i < v->n && (events[i].stages & bit) == 0)
            i++;
        if (i == v->n)
            return false;
        out->visits[out->n++] = (struct path_visit){(uint32_t)lowest(bit) - 1, i};
    }
    return events[out->visits[0].event].time_ms < to_ms &&
           events[i].time_ms - events[out->visits[0].event].time_ms <= v->plan->window_ms;
}

static void
path_from_trail(const struct trail *t, struct path *out)
{
    out->stages = t->stages;
    out->n = 0;
    for (uint32_t left = t->stages; left != 0; left &= left - 1) {
        out->visits[out->n] = (struct path_visit){(uint32_t)lowest(left) - 1, t->events[out->n]};
        out->n++;
    }
}

bool
path_count(const struct plan *plan, const struct path_range *range, const struct path_event *events,
           uint32_t n, struct path *out)
{
    struct visitor v = {plan, events, n};
    struct span span = {.from_ms = range->from_ms, .to_ms = range->to_ms};
    struct reached best;
    struct board board;
    struct trail trail;
    uint32_t exclusions;
    uint32_t possible;

    while (span.begin < n && events[span.begin].time_ms < range->from_ms)
        span.begin++;
    possible = possible_stages(&v, span.begin, &exclusions);
    if (possible == 0)
        return false;
    if ((possible & (possible - 1)) == 0)
        return single_visit(&v, span.begin, range->to_ms, lowest(possible), out);
    if (plan->n_groups == 0 && exclusions == 0 &&
        earliest_visits(&v, span.begin, range->to_ms, possible, out))
        return true;

    span.until = (struct depth){highest(possible), __builtin_popcount(possible)};
    best = forward(&v, &span, &board);
    if (best.depth.count == 0)
        return false;
    if (best.depth.count == 1)
        return single_visit(&v, best.event, range->to_ms, best.depth.stage, out);
    find_trail(&v, range, &best, &trail);
    path_from_trail(&trail, out);
    return true;
}

bool
path_is_open(const struct plan *plan, const struct path_range *range,
             const struct path_event *events, uint32_t n, int64_t as_of_ms)
{
    struct visitor v = {plan, events, n};
    struct span span = {.from_ms = range->from_ms, .to_ms = range->to_ms, .until = NO_DEPTH};
    struct board board;

    if (path_time_add(as_of_ms, -plan->window_ms) >= span.from_ms)
        span.from_ms = path_time_add(as_of_ms, 1 - plan->window_ms);
    if (n == 0 || events[n - 1].time_ms < span.from_ms)
        return false;
    span.begin = path_first_from(events, n, span.from_ms);
    (void)forward(&v, &span, &board);
    return board.stages != 0;
}

bool
path_began_before(const struct plan *plan, const struct path_range *range,
                  const struct path_event *events, uint32_t n, const struct path *counted)
{
    const struct path_visit *last = &counted->visits[counted->n - 1];
    struct visitor v = {plan, events, n};
    struct span span = {.to_ms = range->from_ms, .until = NO_DEPTH};
    uint32_t instant = path_first_from(events, n, events[last->event].time_ms);
    struct instant now;
    struct board b;

    if (counted->visits[0].stage == 0)
        return false;
    span.from_ms = events[last->event].time_ms - plan->window_ms;
    span.begin = path_first_from(events, n, span.from_ms);
    v.n = instant; /* the paths as they stand before the last visit's instant */
    (void)forward(&v, &span, &b);
    v.n = n;
    (void)read_instant(&v, instant, &now);
    b.stages &= ~ended_stages(plan, &now);
    for (uint32_t at = b.stages; at != 0; at &= at - 1) {
        uint32_t taken = walk(plan, &now, lowest(at));
        int count = highest(b.counts[lowest(at) - 1]) +
                    __builtin_popcount(taken & below((int)last->stage + 1));

        if ((taken >> last->stage & 1) != 0 && count > (int)counted->n)
            return true;
    }
    return false;
}
