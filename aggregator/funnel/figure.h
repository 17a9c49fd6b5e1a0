/* The figures that have a list of units behind them (funnel.md 3), by name. */
#ifndef AGGREGATOR_FUNNEL_FIGURE_H
#define AGGREGATOR_FUNNEL_FIGURE_H

#include "core/err.h"
#include "core/slice.h"

enum figure {
    FIGURE_ENTERED, /* of the report */
    FIGURE_BEGAN_BEFORE,
    FIGURE_AFTER_RANGE,
    FIGURE_CONVERTED, /* of the report or of a stage */
    FIGURE_REACHED,   /* of a stage */
    FIGURE_SKIPPED,
    FIGURE_THROUGHPUT,
    FIGURE_ENTRIES,
    FIGURE_EXITS,
    FIGURE_DROPOFF, /* not at the last stage */
    FIGURE_OPEN,    /* not at the last stage */
    FIGURE_LOST,    /* dropoff - open */
    FIGURE_ONWARD,
    FIGURE_SEEN,
    FIGURE_COUNT
};

struct figure_place {
    enum figure figure;
    int stage; /* from 1; 0: the report's own */
};

/* "reached:2", "entered". ERR_INVALID with err->field in "visitors" where there is no such figure,
 * or where it needs a stage, has none, or is null at that stage. */
enum err_code figure_parse(struct slice text, int n_stages, struct figure_place *out,
                           struct err *err);

/* The same from its parts (stage 0: none given); err->field is "figure" or "stage". */
enum err_code figure_find(struct slice name, int stage, int n_stages, struct figure_place *out,
                          struct err *err);

const char *figure_name(enum figure f); /* "reached" */

#endif
