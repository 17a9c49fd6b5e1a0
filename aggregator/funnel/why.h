/* Why an event is, or is not, what a funnel counts its visitor by: for people who ask.
 *
 * Of an event and a stage whose rule it matches, against the unit's counted path (funnel.md 2). The
 * first reason that holds is given, from the plainest on; that another path goes deeper, is fuller
 * or earlier is what is left.
 */
#ifndef AGGREGATOR_FUNNEL_WHY_H
#define AGGREGATOR_FUNNEL_WHY_H

#include "aggregator/funnel/unit.h"

enum why_reason {
    WHY_COUNTED,       /* it serves the stage on the counted path */
    WHY_BEFORE_RANGE,  /* by_ms before it: no path begins there */
    WHY_AFTER_RANGE,   /* by_ms after its end: no path begins there */
    WHY_AFTER_WINDOW,  /* by_ms more than a window after the path's first visit */
    WHY_BEFORE_WINDOW, /* by_ms more than a window before its last */
    WHY_OUT_OF_ORDER,  /* before a visit of an earlier stage (`stage`), or after one of a later */
    WHY_ALREADY_USED,  /* it serves `stage`, which has the same rule */
    WHY_STAGE_SERVED,  /* another event serves the stage, at at_ms */
    WHY_STAGE_MISSING, /* `stage` is required before it and was not visited */
    WHY_EXCLUDED,      /* an excluded event, at at_ms, ended the path before */
    WHY_OTHER_PATH,    /* a path without it goes deeper, is fuller or earlier */
    WHY_NO_PATH,       /* the filters do not choose the visitor */
    WHY_COUNT
};

struct why {
    int stage; /* whose rule it matches, from 1 */
    enum why_reason reason;
    int64_t by_ms; /* of the two windows and the range */
    int64_t at_ms; /* of WHY_STAGE_SERVED and WHY_EXCLUDED */
    int other;     /* a stage, from 1: see the reasons; else 0 */
};

const char *why_name(enum why_reason r); /* "after_window" */

/* Of event i of the unit, whose stages contain `stage` (from 0). o: what unit_count said. */
struct why why_of(const struct unit *u, const struct plan *plan, const struct outcome *o,
                  uint32_t i, int stage);

#endif
