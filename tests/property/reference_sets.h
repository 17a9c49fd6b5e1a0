/* What is asked of the units behind a figure, once more from docs/questions.md alone. */
#ifndef TESTS_PROPERTY_REFERENCE_SETS_H
#define TESTS_PROPERTY_REFERENCE_SETS_H

#include "tests/property/reference.h"

struct reference_set {
    const char *figure;
    int stage; /* from 1; 0: the report's own */
};

/* {"n", "next":{"a b c": units}, "last":{"c": units}}: values joined by spaces, "-" is null. NULL
 * where there are too many paths. A new object, as are the others. */
struct json_t *reference_next(const struct reference_site *site, const struct question *q,
                              struct reference_set set, const struct attribute *attribute,
                              int steps, struct arena *a);

/* {"a", "b", "rows":{"0 value": [of a, of b]}}: by the number of the attribute, also of values that
 * are not more frequent in a. places: at ANY, an event's values on the way. */
struct json_t *reference_contrast(const struct reference_site *site, const struct question *q,
                                  const struct reference_set *sets,
                                  const struct question_breakdown *places, int n_places,
                                  struct arena *a);

/* {visitor: [stage or 0, first ms, last ms, sessions, events]} of those behind the figure (NULL:
 * that the filters choose). */
struct json_t *reference_search(const struct reference_site *site, const struct question *q,
                                const struct reference_set *set, struct arena *a);

#endif
