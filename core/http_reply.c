/* Filling in a reply: the half of http.h that needs no server. */
#include "core/http.h"

#include "core/bytes.h"
#include "core/log.h"

static bool
may_be_header(struct slice value)
{
    size_t i = 0;

    while (value.n - i >= 8 && !bytes_any_below(load_u64(value.p + i), ' ') &&
           !bytes_any_equal(load_u64(value.p + i), 0x7F))
        i += 8;
    while (i < value.n && (unsigned char)value.p[i] >= ' ' && value.p[i] != 0x7F)
        i++;
    return i == value.n;
}

void
http__reply_header(struct http_reply *reply, struct slice name, struct slice value)
{
    buffer_add_slice(&reply->headers, name);
    buffer_add_text(&reply->headers, ": ");
    if (may_be_header(value)) {
        buffer_add_slice(&reply->headers, value);
    } else { /* no value may start a header of its own */
        for (size_t i = 0; i < value.n; i++)
            if (may_be_header(slice_sub(value, i, 1)))
                buffer_add_char(&reply->headers, value.p[i]);
    }
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
