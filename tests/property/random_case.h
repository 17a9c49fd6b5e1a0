/* Random funnels and visitors for the property tests, the same for the same seed. */
#ifndef TESTS_PROPERTY_RANDOM_CASE_H
#define TESTS_PROPERTY_RANDOM_CASE_H

#include "core/buffer.h"
#include "tests/property/brute.h"

#define CASE_RULES      6 /* rule r matches the events whose bit r is set */
#define CASE_EVENTS_MAX 48

struct random {
    uint64_t state;
};

uint64_t random_next(struct random *r);
int random_below(struct random *r, int n); /* 0 .. n-1 */
bool random_chance(struct random *r, int percent);

/* A funnel of min_stages..max_stages stages, its window and range in 0..span ms. */
void random_funnel(struct random *r, int min_stages, int max_stages, int span,
                   struct brute_funnel *out);

/* n events at 0..span ms, sorted by time; their order within a ms is that of their ids. */
void random_events(struct random *r, int n, int span, struct brute_event *out);

/* The funnel's definition as JSON: rule r is a property "r" that is "1". */
void random_definition(const struct brute_funnel *f, struct buffer *out);

#endif
