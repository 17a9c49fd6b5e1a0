/* One walk over a person's events. What is not here: rules, columns, ids. */
#include "aggregator/settle.h"

#include <stdlib.h>

/* Of events of one millisecond: those with a driver of their own first, by its texts, then by id
 * (which is the order of the indices). */
struct settle_tie {
    const struct driver *driver;
    uint32_t index;
};

static int
compare_ties(const void *x, const void *y)
{
    const struct settle_tie *a = x;
    const struct settle_tie *b = y;
    int order = 0;

    if ((a->driver == NULL) != (b->driver == NULL))
        return a->driver == NULL ? 1 : -1;
    if (a->driver != b->driver)
        order = driver_compare(a->driver, b->driver);
    if (order != 0)
        return order;
    return a->index < b->index ? -1 : 1;
}

static void
sort_ties(struct settle *s, const struct settle_event *events, uint32_t begin, uint32_t end)
{
    bool has_driver = false;

    for (uint32_t i = begin; i < end; i++) {
        s->ties[i] = (struct settle_tie){events[i].driver, i};
        has_driver = has_driver || events[i].driver != NULL;
    }
    if (!has_driver)
        return;
    qsort(s->ties + begin, end - begin, sizeof *s->ties, compare_ties);
    for (uint32_t i = begin; i < end; i++)
        s->order[i] = s->ties[i].index;
}

static void
put_in_order(struct settle *s, const struct settle_event *events, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        s->order[i] = i;
    for (uint32_t begin = 0, end; begin < n; begin = end) {
        for (end = begin + 1; end < n && events[end].time_ms == events[begin].time_ms;)
            end++;
        if (end - begin > 1)
            sort_ties(s, events, begin, end);
    }
}

static void
reserve(struct settle *s, uint32_t n)
{
    if (n <= s->room)
        return;
    s->room = 2 * (size_t)n;
    s->events = mem_realloc(s->events, s->room * sizeof *s->events);
    s->order = mem_realloc(s->order, s->room * sizeof *s->order);
    s->sessions = mem_realloc(s->sessions, s->room * sizeof *s->sessions);
    s->ties = mem_realloc(s->ties, s->room * sizeof *s->ties);
}

/* The driver's texts, NULL for none of them: two events are alike where these are. */
static const struct driver *
texts_of(const struct settle_event *events, uint32_t driver)
{
    if (driver == SETTLE_DIRECT || events[driver].driver->is_empty)
        return NULL;
    return events[driver].driver;
}

void
settle_person(struct settle *s, const struct settle_event *events, uint32_t n)
{
    const struct driver *texts_before = NULL;
    uint32_t driver = SETTLE_DIRECT;
    uint32_t earliest = 0; /* place of the first event of the gapless run, at most 24 h back */

    reserve(s, n);
    put_in_order(s, events, n);
    s->n_sessions = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = s->order[i];
        int64_t now_ms = events[at].time_ms;
        bool is_apart = i == 0 || now_ms - events[s->order[i - 1]].time_ms > SETTLE_GAP_MS;
        const struct driver *texts;

        if (is_apart) {
            driver = SETTLE_DIRECT;
            earliest = i;
        }
        if (events[at].driver != NULL)
            driver = at;
        else if (driver != SETTLE_DIRECT && now_ms - events[driver].time_ms > SETTLE_DRIVER_MS)
            driver = SETTLE_DIRECT;
        while (now_ms - events[s->order[earliest]].time_ms > SETTLE_DRIVER_MS)
            earliest++;
        texts = texts_of(events, driver);
        if (is_apart || texts != texts_before)
            s->sessions[s->n_sessions++] = (struct settle_session){i, i};
        s->sessions[s->n_sessions - 1].end = i + 1;
        s->events[at] =
            (struct settled){.driver = driver,
                             .origin = driver == SETTLE_DIRECT ? s->order[earliest] : driver,
                             .session = s->n_sessions - 1,
                             .rank = i,
                             .is_entrance = s->sessions[s->n_sessions - 1].begin == i};
        texts_before = texts;
    }
}

void
settle_first(struct settle *s, bool has_driver)
{
    reserve(s, 1);
    s->order[0] = 0;
    s->n_sessions = 1;
    s->sessions[0] = (struct settle_session){0, 1};
    s->events[0] = (struct settled){.driver = has_driver ? 0 : SETTLE_DIRECT, .is_entrance = true};
}

void
settle_fini(struct settle *s)
{
    free(s->events);
    free(s->order);
    free(s->sessions);
    free(s->ties);
    *s = SETTLE_EMPTY;
}
