#include "core/stream_forget.h"

#include "core/stream_int.h"

static struct stream_command
command(const char *word, const char *key, struct slice field)
{
    struct stream_command c = stream__command_on(word, key);

    stream__argument(&c, field);
    return c;
}

enum err_code
stream_field_add(struct stream *s, const char *key, struct slice field, struct slice value,
                 struct err *err)
{
    struct stream_command c = command("HSETNX", key, field);

    stream__argument(&c, value);
    return stream__call_plain(s, &c, err);
}

enum err_code
stream_field_set(struct stream *s, const char *key, struct slice field, struct slice value,
                 struct err *err)
{
    struct stream_command c = command("HSET", key, field);

    stream__argument(&c, value);
    return stream__call_plain(s, &c, err);
}

enum err_code
stream_field_remove(struct stream *s, const char *key, struct slice field, struct err *err)
{
    struct stream_command c = command("HDEL", key, field);

    return stream__call_plain(s, &c, err);
}

enum err_code
stream_rewrite(struct stream *s, struct err *err)
{
    struct stream_command c = stream__command("BGREWRITEAOF");

    return stream__call_plain(s, &c, err);
}

enum err_code
stream_rewriting(struct stream *s, struct stream_rewriting *out, struct err *err)
{
    struct stream_command c = stream__command("INFO persistence");
    int64_t in_progress, scheduled, n_begun;
    struct slice text, status;
    redisReply *reply;
    enum err_code rc;

    rc = stream__call(s, &c, &reply, err);
    if (rc != ERR_OK)
        return rc;
    text = slice_of(reply->str, reply->len);
    if (reply->type != REDIS_REPLY_STRING ||
        !stream__find_info(text, SLICE("aof_rewrite_in_progress"), &status) ||
        !slice_to_int64(status, &in_progress) ||
        !stream__find_info(text, SLICE("aof_rewrite_scheduled"), &status) ||
        !slice_to_int64(status, &scheduled) ||
        !stream__find_info(text, SLICE("aof_rewrites"), &status) ||
        !slice_to_int64(status, &n_begun) ||
        !stream__find_info(text, SLICE("aof_last_bgrewrite_status"), &status))
        return stream__odd_reply(reply, "INFO", err);
    *out = (struct stream_rewriting){in_progress != 0 || scheduled != 0, !slice_is(status, "ok"),
                                     n_begun};
    freeReplyObject(reply);
    return ERR_OK;
}
