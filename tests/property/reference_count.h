/* Counts once more, from docs/questions.md alone: slow, and meant to be obviously right. */
#ifndef TESTS_PROPERTY_REFERENCE_COUNT_H
#define TESTS_PROPERTY_REFERENCE_COUNT_H

#include "tests/property/reference.h"

struct count_question {
    struct question q; /* filters (also at EVERY and of stage 1), breakdowns (also at EVERY) .. */
    bool is_by_hour;   /* the trend */
    const char *value_of;
};

/* {visitors .. engaged_ms, breakdown, trend, compare}: a new object. q.window_ms is the window. */
struct json_t *reference_count(const struct reference_site *site, const struct count_question *q,
                               struct arena *a);

/* [[value, visitors, events]..] of the first breakdown that start with prefix. */
struct json_t *reference_values(const struct reference_site *site, const struct count_question *q,
                                struct slice prefix, struct arena *a);

#endif
