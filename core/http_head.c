/* A reply's head as bytes: on every answer's way, so without printf, and the date once a second. */
#include "core/http_int.h"

#include <stdio.h>
#include <time.h>

#include "core/clock.h"

const char *
http__status_words(int status)
{
    static const struct {
        int status;
        const char *words;
    } table[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].status == status)
            return table[i].words;
    return "Unknown";
}

static struct slice
date_line(struct http_date *date)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = (time_t)(clock_wall_ms() / 1000);
    struct tm t;

    if (date->n == 0 || date->second != now) {
        gmtime_r(&now, &t);
        date->second = now;
        date->n = (size_t)snprintf(date->line, sizeof date->line,
                                   "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[t.tm_wday],
                                   t.tm_mday, months[t.tm_mon], t.tm_year + 1900, t.tm_hour,
                                   t.tm_min, t.tm_sec);
    }
    return slice_of(date->line, date->n);
}

struct slice
http__add_head(struct buffer *out, struct http_date *date, const struct http_reply *reply,
               bool closes)
{
    bool has_length = reply->status != 204 && reply->status != 304;
    struct slice body = SLICE_EMPTY;

    buffer_clear(out);
    buffer_add_text(out, "HTTP/1.1 ");
    buffer_add_number(out, (uint64_t)reply->status);
    buffer_add_char(out, ' ');
    buffer_add_text(out, http__status_words(reply->status));
    buffer_add_text(out, "\r\n");
    buffer_add_slice(out, date_line(date));
    if (has_length && reply->content_type) {
        if (!reply->stream.give)
            body = reply->fixed.n ? reply->fixed : buffer_slice(&reply->body);
        buffer_add_text(out, "Content-Type: ");
        buffer_add_text(out, reply->content_type);
        buffer_add_text(out, "\r\n");
    }
    if (has_length) {
        buffer_add_text(out, "Content-Length: ");
        buffer_add_number(out, reply->stream.give ? reply->stream.n_bytes : body.n);
        buffer_add_text(out, "\r\n");
    }
    buffer_add_text(out, "X-Content-Type-Options: nosniff\r\n");
    buffer_add_slice(out, buffer_slice(&reply->headers));
    buffer_add_text(out, closes ? "Connection: close\r\n\r\n" : "Connection: keep-alive\r\n\r\n");
    return body;
}
