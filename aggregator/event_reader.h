/* Events as they were stored, of the rows that a walk meets (aggregator/enquiry.h): for lists of
 * what somebody did.
 *
 *     in walk.start      event_reader_start(&reader, e, arena)
 *     in walk.person     event_reader_read(&reader, e, journey_place(j, row), &event, err)
 *     after the walk     event_reader_end(&reader)
 */
#ifndef AGGREGATOR_EVENT_READER_H
#define AGGREGATOR_EVENT_READER_H

#include "aggregator/enquiry.h"

struct event_reader {
    struct arena *arena;
    struct segment_cursor **cursors; /* of the inputs; NULL: not yet opened */
    size_t n;
};

/* Takes one that was started before, or is all 0. */
void event_reader_start(struct event_reader *r, const struct enquiry *e, struct arena *a);

/* All of *out is the arena's. Where it fails e->bad_input says which file. */
enum err_code event_reader_read(struct event_reader *r, struct enquiry *e,
                                struct journey_place place, struct event *out, struct err *err);

void event_reader_end(struct event_reader *r);

#endif
