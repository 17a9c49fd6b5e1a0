#include "aggregator/event_reader.h"

void
event_reader_start(struct event_reader *r, const struct enquiry *e, struct arena *a)
{
    event_reader_end(r);
    r->arena = a;
    r->cursors = ARENA_ARRAY(a, struct segment_cursor *, e->n_inputs + 1);
    r->n = e->n_inputs;
}

/* Texts lie in the segment, which may be closed before the answer is: the event keeps its own. */
enum err_code
event_reader_read(struct event_reader *r, struct enquiry *e, struct journey_place place,
                  struct event *out, struct err *err)
{
    enum err_code rc;

    e->bad_input = place.input;
    if (!r->cursors[place.input])
        r->cursors[place.input] = segment_cursor_create(e->inputs[place.input].segment);
    rc = segment_cursor_event(r->cursors[place.input], place.row, r->arena, out, err);
    if (rc == ERR_OK)
        event_keep(out, r->arena);
    return rc;
}

void
event_reader_end(struct event_reader *r)
{
    for (size_t i = 0; i < r->n; i++)
        segment_cursor_destroy(&r->cursors[i]);
    r->n = 0;
}
