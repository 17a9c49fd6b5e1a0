#include "core/stream_list.h"

#include <assert.h>

#include "core/stream_int.h"

/* LPUSH .., LTRIM, EXPIRE: the number of commands, or -1. */
static int
append_push(struct stream *s, const char *key, const struct slice *values, int n, int max,
            int64_t life_s)
{
    char last[32], life[32];
    struct stream_command trim = stream__command_on("LTRIM", key),
                          expire = stream__command_on("EXPIRE", key);

    for (int i = 0; i < n; i++) {
        struct stream_command push = stream__command_on("LPUSH", key);
        stream__argument(&push, values[i]);
        if (!stream__append(s, &push))
            return -1;
    }
    snprintf(last, sizeof last, "%d", max - 1);
    snprintf(life, sizeof life, "%lld", (long long)life_s);
    stream__argument(&trim, SLICE("0"));
    stream__argument(&trim, slice_from(last));
    stream__argument(&expire, slice_from(life));
    return stream__append(s, &trim) && stream__append(s, &expire) ? n + 2 : -1;
}

enum err_code
stream_list_push(struct stream *s, const char *key, const struct slice *values, int n, int max,
                 int64_t life_s, struct err *err)
{
    enum err_code rc = stream__ready(s, err);
    int n_sent;

    assert(n <= STREAM_LIST_PUSH_MAX && max > 0);
    if (rc != ERR_OK)
        return rc;
    n_sent = append_push(s, key, values, n, max, life_s);
    if (n_sent < 0)
        return stream__broken(s, err);
    return stream__receive_plain(s, n_sent, NULL, err);
}

enum err_code
stream_list_read(struct stream *s, const char *key, struct arena *a, struct slice **out, int *out_n,
                 struct err *err)
{
    struct stream_command c = stream__command_on("LRANGE", key);
    struct slice *values;
    redisReply *reply;
    enum err_code rc;
    int n = 0;

    stream__argument(&c, SLICE("0"));
    stream__argument(&c, SLICE("-1"));
    rc = stream__call(s, &c, &reply, err);
    if (rc != ERR_OK)
        return rc;
    if (reply->type != REDIS_REPLY_ARRAY)
        return stream__odd_reply(reply, "LRANGE", err);
    values = ARENA_ARRAY(a, struct slice, reply->elements + 1);
    for (size_t i = 0; i < reply->elements; i++)
        values[n++] = arena_copy(a, slice_of(reply->element[i]->str, reply->element[i]->len));
    freeReplyObject(reply);
    *out = values;
    *out_n = n;
    return ERR_OK;
}
