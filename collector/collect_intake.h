/* What collect_event.c and collect_answer.c share: one request on its way. */
#ifndef COLLECTOR_COLLECT_INTAKE_H
#define COLLECTOR_COLLECT_INTAKE_H

#include "collector/beacon.h"
#include "collector/collect_int.h"

struct intake {
    struct collect *c;
    const struct http_request *request;
    struct http_reply *reply;
    const struct sites_table *table; /* acquired; released at the end */
    const struct site *site;
    struct beacon beacon;
    int64_t received_ms;
    struct buffer records;
    enum reason *why; /* of each item; REASON_COUNT: accepted */
    uint32_t n_good;
    int64_t wait_s; /* of a limit that was met: how long to wait */
};

/* ---- collect_answer.c ---- */

/* The answer's status, reason and message; counted. */
void intake__refuse(struct intake *in, enum reason why, const char *message, const char *field);

/* The same for a request with all its events: they are counted as what became of them. */
void intake__refuse_all(struct intake *in, enum reason why, const char *message, const char *field);

/* For the list that the site's people can read. */
void intake__note_refusal(struct intake *in, enum reason why, const struct err *err,
                          struct slice event);

/* Whoever asked not to be followed leaves no trace but a number, and is told that all is well. */
void intake__leave_out(struct intake *in, enum reason why);

/* Answers once the events were judged: to the snippet, to a pixel, to a server. */
void intake__answer_beacon(struct intake *in);
void intake__answer_pixel(struct intake *in);
void intake__answer_server(struct intake *in);
void intake__answer_debug(struct intake *in); /* with every event as it was stored */

void intake__draw_pixel(struct http_reply *reply);

#endif
