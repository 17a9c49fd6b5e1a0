/* Random visitors for the differential test: ties in a millisecond, repeats, ids that were given
 * and ids of content, drivers, gaps around 30 minutes and 24 hours, several currencies, bots. */
#ifndef TESTS_PROPERTY_RANDOM_SITE_H
#define TESTS_PROPERTY_RANDOM_SITE_H

#include "tests/property/question.h"
#include "tests/property/random_case.h"

#define SITE_FLUSHES 5

struct site_event {
    struct event event;
    int flush;        /* in which of the flushes it is written, from 0 */
    bool is_given_id; /* else event_content_id */
};

struct random_site {
    size_t n;
    struct site_event *events;
    bool is_tight; /* all within a few milliseconds */
    int64_t begin_ms;
    int64_t end_ms; /* of the latest event */
};

/* Everything lives in the arena. */
void random_site(struct random *r, uint32_t site, struct arena *a, struct random_site *out);

/* A question that fits the site's times and values. */
void random_question(struct random *r, const struct random_site *site, struct arena *a,
                     struct question *out);

/* A random rule; and one that is the same, written otherwise. */
const struct question_rule *random_rule(struct random *r, struct arena *a);
const struct question_rule *random_same_rule(struct random *r, const struct question_rule *rule,
                                             struct arena *a);

#endif
