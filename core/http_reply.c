/* Filling in a reply: the half of http.h that needs no server. */
#include "core/http.h"

#include "core/log.h"

void
http_reply_header(struct http_reply *reply, const char *name, struct slice value)
{
    buffer_add_text(&reply->headers, name);
    buffer_add_text(&reply->headers, ": ");
    buffer_reserve(&reply->headers, value.n);
    for (size_t i = 0; i < value.n; i++) /* no value may start a header of its own */
        if ((unsigned char)value.p[i] >= ' ' && value.p[i] != 0x7f)
            reply->headers.p[reply->headers.n++] = value.p[i];
    buffer_add_text(&reply->headers, "\r\n");
}

void
http_reply_json(struct http_reply *reply, int status)
{
    reply->status = status;
    reply->content_type = "application/json";
    reply->fixed = SLICE_EMPTY;
    buffer_clear(&reply->body);
}

void
http_reply_error(struct http_reply *reply, int status, const char *code, const char *message,
                 const char *field)
{
    http_reply_json(reply, status);
    reply->code = code;
    buffer_add_text(&reply->body, "{\"error\":{\"code\":");
    buffer_add_json(&reply->body, slice_from(code));
    buffer_add_text(&reply->body, ",\"message\":");
    buffer_add_json(&reply->body, slice_from(message));
    if (field && field[0]) {
        buffer_add_text(&reply->body, ",\"field\":");
        buffer_add_json(&reply->body, slice_from(field));
    }
    buffer_add_text(&reply->body, "}}\n");
}

void
http_reply_err(struct http_reply *reply, const struct err *err)
{
    int status = 500;

    switch (err->code) {
    case ERR_INVALID:
        status = 400;
        break;
    case ERR_DENIED:
        status = 403;
        break;
    case ERR_NOT_FOUND:
        status = 404;
        break;
    case ERR_EXISTS:
    case ERR_CONFLICT:
        status = 409;
        break;
    case ERR_LIMIT:
        status = 413;
        break;
    case ERR_UNAVAILABLE:
    case ERR_FULL:
        status = 503;
        break;
    case ERR_TIMEOUT:
        status = 504;
        break;
    default:
        break;
    }
    if (status == 500) {
        log_error("a request failed (%s): %s", err_code_name(err->code), err->message);
        http_reply_error(reply, 500, "internal", "something went wrong; the log says what", NULL);
        return;
    }
    http_reply_error(reply, status, err_code_name(err->code), err->message, err->field);
}
