/* What funnel.md section 3 calls always true, on a report as JSON. */
#ifndef TESTS_PROPERTY_ALWAYS_TRUE_H
#define TESTS_PROPERTY_ALWAYS_TRUE_H

#include <jansson.h>
#include <stdbool.h>

/* The first thing that is not true, in words; NULL where all is. */
const char *always_true_broken(const json_t *report, bool of_sessions);

#endif
