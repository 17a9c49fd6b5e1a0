#include "tests/property/always_true.h"

static json_int_t
count(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static json_int_t
sum(const json_t *list, const char *key)
{
    json_int_t total = 0;

    for (size_t i = 0; i < json_array_size(list); i++)
        total += count(json_array_get(list, i), key);
    return total;
}

/* "entered = throughput[1] = sum(exits) = sum(entries); throughput never grows down the funnel;
 * reached[n] = throughput[n]" */
static const char *
broken_in_stages(const json_t *report)
{
    const json_t *stages = json_object_get(report, "stages");
    size_t n = json_array_size(stages);
    json_int_t entered = count(report, "entered");
    const json_t *last = json_array_get(stages, n - 1);

    if (entered != count(json_array_get(stages, 0), "throughput"))
        return "entered is not throughput[1]";
    if (entered != sum(stages, "exits"))
        return "entered is not the sum of exits";
    if (entered != sum(stages, "entries"))
        return "entered is not the sum of entries";
    for (size_t i = 1; i < n; i++)
        if (count(json_array_get(stages, i), "throughput") >
            count(json_array_get(stages, i - 1), "throughput"))
            return "throughput grows";
    if (count(last, "reached") != count(last, "throughput"))
        return "reached[n] is not throughput[n]";
    if (count(report, "converted") != count(last, "throughput"))
        return "converted is not throughput[n]";
    for (size_t i = 0; i < n; i++)
        if (count(json_array_get(stages, i), "open") > count(json_array_get(stages, i), "exits"))
            return "more are open than dropped off";
    return NULL;
}

/* "breakdown rows add up to the total in every count of paths" */
static const char *
broken_in_rows(const json_t *report)
{
    static const char *const counts[] = {"reached", "skipped", "throughput", "entries",
                                         "exits",   "onward",  "converted",  "open"};
    const json_t *rows = json_object_get(report, "breakdown");
    const json_t *stages = json_object_get(report, "stages");

    if (rows == NULL)
        return NULL;
    if (sum(rows, "entered") != count(report, "entered"))
        return "the rows' entered do not add up";
    for (size_t i = 0; i < json_array_size(stages); i++) {
        for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
            json_int_t total = 0;

            for (size_t row = 0; row < json_array_size(rows); row++)
                total +=
                    count(json_array_get(json_object_get(json_array_get(rows, row), "stages"), i),
                          counts[k]);
            if (total != count(json_array_get(stages, i), counts[k]))
                return "a stage's count is not the sum of the rows'";
        }
    }
    return NULL;
}

const char *
always_true_broken(const json_t *report, bool of_sessions)
{
    const json_t *points = json_object_get(report, "trend");
    const json_t *compared = json_object_get(report, "compare");
    const char *broken = broken_in_stages(report);

    if (broken == NULL)
        broken = broken_in_rows(report);
    for (size_t i = 0; broken == NULL && i < json_array_size(points); i++)
        broken = broken_in_stages(json_array_get(points, i));
    if (broken == NULL && points != NULL && of_sessions &&
        sum(points, "entered") != count(report, "entered"))
        broken = "points of sessions do not add up";
    if (broken == NULL && compared != NULL)
        broken = always_true_broken(compared, of_sessions);
    return broken;
}
