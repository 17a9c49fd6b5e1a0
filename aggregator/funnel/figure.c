/* One table: every figure's name and where it stands in a report. */
#include "aggregator/funnel/figure.h"

enum place { OF_REPORT = 1, OF_STAGE = 2, BUT_LAST = 4 };

static const struct {
    const char *name;
    unsigned places;
} rows[FIGURE_COUNT] = {
    [FIGURE_ENTERED] = {"entered", OF_REPORT},
    [FIGURE_BEGAN_BEFORE] = {"began_before", OF_REPORT},
    [FIGURE_AFTER_RANGE] = {"after_range", OF_REPORT},
    [FIGURE_CONVERTED] = {"converted", OF_REPORT | OF_STAGE},
    [FIGURE_REACHED] = {"reached", OF_STAGE},
    [FIGURE_SKIPPED] = {"skipped", OF_STAGE},
    [FIGURE_THROUGHPUT] = {"throughput", OF_STAGE},
    [FIGURE_ENTRIES] = {"entries", OF_STAGE},
    [FIGURE_EXITS] = {"exits", OF_STAGE},
    [FIGURE_DROPOFF] = {"dropoff", OF_STAGE | BUT_LAST},
    [FIGURE_OPEN] = {"open", OF_STAGE | BUT_LAST},
    [FIGURE_LOST] = {"lost", OF_STAGE | BUT_LAST},
    [FIGURE_ONWARD] = {"onward", OF_STAGE},
    [FIGURE_SEEN] = {"seen", OF_STAGE},
};

const char *
figure_name(enum figure f)
{
    return rows[f].name;
}

static enum err_code
check_place(unsigned places, int stage, int n_stages, struct err *err)
{
    if (stage == 0)
        return (places & OF_REPORT) != 0
                   ? ERR_OK
                   : err_set(err, ERR_INVALID, "stage", "is missing: the figure is a stage's");
    if ((places & OF_STAGE) == 0)
        return err_set(err, ERR_INVALID, "stage", "must not be given: the figure is the report's");
    if (stage < 1 || stage > n_stages)
        return err_set(err, ERR_INVALID, "stage", "must be the number of a stage, 1 to %d",
                       n_stages);
    if ((places & BUT_LAST) != 0 && stage == n_stages)
        return err_set(err, ERR_INVALID, "stage", "is the last, where there is no such figure");
    return ERR_OK;
}

enum err_code
figure_find(struct slice name, int stage, int n_stages, struct figure_place *out, struct err *err)
{
    for (int f = 0; f < FIGURE_COUNT; f++) {
        enum err_code rc;

        if (!slice_is(name, rows[f].name))
            continue;
        rc = check_place(rows[f].places, stage, n_stages, err);
        if (rc == ERR_OK)
            *out = (struct figure_place){(enum figure)f, stage};
        return rc;
    }
    return err_set(err, ERR_INVALID, "figure",
                   "must be entered, began_before, after_range, converted or, of a stage, reached, "
                   "skipped, throughput, entries, exits, dropoff, open, lost, onward, converted, "
                   "seen");
}

enum err_code
figure_parse(struct slice text, int n_stages, struct figure_place *out, struct err *err)
{
    struct slice name, number;
    int64_t stage = 0;
    enum err_code rc;

    if (slice_cut(text, ':', &name, &number) &&
        (!slice_to_int64(number, &stage) || stage < 1 || stage > n_stages))
        return err_set(err, ERR_INVALID, "visitors", "the stage must be its number, 1 to %d",
                       n_stages);
    rc = figure_find(name, (int)stage, n_stages, out, err);
    if (rc != ERR_OK)
        err_prefix(err, "visitors");
    return rc;
}
