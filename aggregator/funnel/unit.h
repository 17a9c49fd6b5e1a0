/* One unit (a visitor, or a session) under a funnel and its filters: its counted path, whether the
 * filters choose it, and in which figures it counts (funnel.md 2 to 4). Pure.
 *
 *     struct chooser chooser;
 *     chooser_init(&chooser, request, matcher);
 *     for each unit and plan
 *         unit_count(&unit, &plan, &chooser, &outcome)
 *         tally_unit(tally, &unit, &outcome)
 *         if (unit_is_in_figure(&unit, &outcome, &place)) ...
 */
#ifndef AGGREGATOR_FUNNEL_UNIT_H
#define AGGREGATOR_FUNNEL_UNIT_H

#include "aggregator/funnel/figure.h"
#include "aggregator/funnel/matcher.h"
#include "aggregator/funnel/tally.h"

/* The arrays are parallel, borrowed, of n events by (time, id), none after as_of. Of a visitor they
 * begin a window before the range or earlier, and events without masks may be left out; of a
 * session they are all of its own. */
struct unit {
    uint32_t n;
    const struct path_event *events;
    const uint32_t *conditions;
    const uint32_t *ranks; /* the order that first and last go by; NULL: nobody asks for these */
    const struct tally_value *values;
    bool is_session;
    struct path_range range; /* of first visits; of a session open */
    int64_t end_ms;          /* of what `any` and `none` see: a window after the range */
    int64_t as_of_ms;
    bool may_go_on; /* of a session: nothing that is known ends it */
};

/* The filters that choose units, as bits of conditions. */
struct chooser {
    size_t n;
    struct chosen_by {
        enum request_at at;
        int stage; /* of AT_VISIT, from 0 */
        uint32_t condition;
        uint32_t set; /* of first and last: the event has the attribute */
    } filters[REQUEST_FILTERS_MAX];
    uint32_t unset; /* conditions that hold for an event which has no attribute */
    bool needs_path;
    bool needs_order; /* first or last: units need ranks and all their events */
};
void chooser_init(struct chooser *c, const struct request *r, const struct matcher *m);

struct outcome {
    bool is_chosen;
    bool has_path; /* false where it is not chosen */
    struct path path;
    bool is_open;
    bool began_before;
};
void unit_count(const struct unit *u, const struct plan *plan, const struct chooser *c,
                struct outcome *out);

/* Do the filters choose a unit whose counted path this is? NULL: it has none. */
bool unit_is_chosen(const struct unit *u, const struct chooser *c, const struct path *path);

/* In all its figures. */
void tally_unit(struct tally *t, const struct unit *u, const struct outcome *o);

bool unit_is_in_figure(const struct unit *u, int n_stages, const struct outcome *o,
                       const struct figure_place *place);

/* Is event i one of those from which a unit's first or last is taken: from the range's begin to the
 * counted path's last visit? */
bool unit_is_on_the_way(const struct unit *u, const struct path *path, uint32_t i);

#endif
