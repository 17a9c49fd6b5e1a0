/* What is said of a request: refused, left out, or what became of each event. */
#include "collector/collect_intake.h"

#include <stdio.h>

#include "core/event_json.h"

#define RETRY_AFTER_S "2"
#define DAY_MS        86400000

/* ---- Refusing ---- */

void
intake__refuse(struct intake *in, enum reason why, const char *message, const char *field)
{
    char seconds[24];

    metrics_add(&in->c->metrics.refused[why], 1);
    if (in->beacon.n_items == 0) /* else it is counted by its events */
        daily_refused(in->c->daily, in->site ? in->site->id : 0, why, 1);
    http_reply_error(in->reply, reason_status(why), reason_name(why), message, field);
    if (reason_status(why) == 503)
        http_reply_header(in->reply, "Retry-After", SLICE(RETRY_AFTER_S));
    if (why == REASON_BAD_KEY)
        http_reply_header(in->reply, "WWW-Authenticate", SLICE("Bearer"));
    if (why == REASON_TOO_MANY)
        in->wait_s = (DAY_MS - in->received_ms % DAY_MS) / 1000 + 1;
    if (in->wait_s > 0) {
        snprintf(seconds, sizeof seconds, "%lld", (long long)in->wait_s);
        http_reply_header(in->reply, "Retry-After", slice_from(seconds));
    }
}

/* A message that quotes what was given stays out: that may be anything. */
void
intake__note_refusal(struct intake *in, enum reason why, const struct err *err, struct slice event)
{
    struct refusal refusal = {.site = in->site->id,
                              .time_ms = in->received_ms,
                              .why = why,
                              .message = strchr(err->message, '"') ? "" : err->message,
                              .field = err->field,
                              .event = event};

    refusals_note(in->c->refusals, &refusal);
}

void
intake__refuse_all(struct intake *in, enum reason why, const char *message, const char *field)
{
    struct metrics *m = &in->c->metrics;
    struct err err;

    metrics_add(&m->received, in->beacon.n_items);
    metrics_add(reason_status(why) == 503 ? &m->failed : &m->rejected[why], in->beacon.n_items);
    daily_refused(in->c->daily, in->site ? in->site->id : 0, why, in->beacon.n_items);
    if (in->site && reason_status(why) != 503) {
        err_set(&err, ERR_LIMIT, field, "%s", message);
        intake__note_refusal(in, why, &err, SLICE_EMPTY);
    }
    intake__refuse(in, why, message, field);
}

void
intake__leave_out(struct intake *in, enum reason why)
{
    struct metrics *m = &in->c->metrics;

    metrics_add(&m->received, in->beacon.n_items);
    metrics_add(&m->rejected[why], in->beacon.n_items);
    metrics_add(&m->refused[why], 1);
    daily_refused(in->c->daily, in->site->id, why, in->beacon.n_items);
    in->reply->status = reason_status(why);
    in->reply->code = reason_name(why);
}

/* ---- Answering ---- */

/* What to say where no event was good: the reason, if it is one for all. */
static void
refuse_none_good(struct intake *in)
{
    struct beacon_item *first = in->beacon.items[0];
    enum reason why = in->why[0];

    for (uint32_t i = 1; i < in->beacon.n_items; i++)
        if (in->why[i] != why)
            why = REASON_INVALID;
    intake__refuse(in, why, first->err.message, first->err.field);
}

static void
add_error(struct buffer *out, enum reason why, const struct err *err)
{
    buffer_printf(out, "\"code\":\"%s\",\"message\":", reason_name(why));
    buffer_add_json(out, slice_from(err->message));
    if (err->field[0]) {
        buffer_add_text(out, ",\"field\":");
        buffer_add_json(out, slice_from(err->field));
    }
}

void
intake__answer_beacon(struct intake *in)
{
    struct buffer *out = &in->reply->body;
    const char *comma = "";

    if (in->n_good == in->beacon.n_items) {
        in->reply->status = 204;
        return;
    }
    if (in->n_good == 0) {
        refuse_none_good(in);
        return;
    }
    http_reply_json(in->reply, 200);
    buffer_printf(out, "{\"accepted\":%u,\"rejected\":[", in->n_good);
    for (uint32_t i = 0; i < in->beacon.n_items; i++) {
        if (in->why[i] == REASON_COUNT)
            continue;
        buffer_printf(out, "%s{\"index\":%u,", comma, i);
        add_error(out, in->why[i], &in->beacon.items[i]->err);
        buffer_add_char(out, '}');
        if (comma[0] == '\0')
            http_reply_header(in->reply, "X-Corong-Reason", slice_from(reason_name(in->why[i])));
        comma = ",";
    }
    buffer_add_text(out, "]}\n");
}

static void
add_accepted(struct buffer *out, const struct event *e, bool is_whole)
{
    buffer_add_text(out, "{\"status\":\"accepted\"");
    if (is_whole) {
        buffer_add_text(out, ",\"event\":");
        event_add_json(out, e);
    }
    if (is_whole && e->text[TEXT_BOT_REASON].n != 0) {
        buffer_add_text(out, ",\"bot_reason\":");
        buffer_add_json(out, e->text[TEXT_BOT_REASON]);
    }
    buffer_add_char(out, '}');
}

/* What became of each event, in their order; with is_whole as it was stored. */
static void
answer_results(struct intake *in, bool is_whole)
{
    struct buffer *out = &in->reply->body;

    if (in->n_good == 0)
        refuse_none_good(in);
    else
        http_reply_json(in->reply, 200);
    if (out->n != 0)
        out->n -= 2; /* reopen {"error":{..}}\n: the results follow it */
    buffer_add_text(out, out->n != 0 ? ",\"results\":[" : "{\"results\":[");
    for (uint32_t i = 0; i < in->beacon.n_items; i++) {
        if (i > 0)
            buffer_add_char(out, ',');
        if (in->why[i] == REASON_COUNT) {
            add_accepted(out, &in->beacon.items[i]->given.event, is_whole);
            continue;
        }
        buffer_add_text(out, "{\"status\":\"rejected\",\"error\":{");
        add_error(out, in->why[i], &in->beacon.items[i]->err);
        buffer_add_text(out, "}}");
    }
    buffer_add_text(out, "]}\n");
}

/* 1 x 1, transparent. */
void
intake__draw_pixel(struct http_reply *reply)
{
    static const char gif[] = "GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\4\1\0\0\0\0,\0\0\0\0"
                              "\1\0\1\0\0\2\2D\1\0;";

    reply->status = 200;
    reply->content_type = "image/gif";
    reply->fixed = SLICE(gif);
}

void
intake__answer_pixel(struct intake *in)
{
    if (in->n_good == 0)
        refuse_none_good(in);
    else
        intake__draw_pixel(in->reply);
}

void
intake__answer_server(struct intake *in)
{
    answer_results(in, false);
}

void
intake__answer_debug(struct intake *in)
{
    answer_results(in, true);
}
