/* What stream_connection.c (a connection and its errors) and stream.c (Corong's commands) share.
 *
 * What they keep to, as hiredis 0.14 needs it:
 * - any error that is not an error reply ends the connection (redisFree): a latched error never
 *   clears, and a late reply would be taken for the answer to the next command
 * - the time-out is set again on every new connection (redisReconnect would not)
 * - a pipeline is bounded, because the output buffer of hiredis is not
 * - the process ignores SIGPIPE
 */
#ifndef CORE_STREAM_INT_H
#define CORE_STREAM_INT_H

#include <hiredis/hiredis.h>

#include "core/stream.h"

#define STREAM_ARGUMENTS_MAX 8

struct stream {
    struct stream_address address;
    redisContext *context; /* NULL: not connected */
    int64_t retry_at_ms;   /* steady clock: no connecting before it */
    int64_t backoff_ms;    /* 0 after a success */
    uint64_t dice;         /* jitter */
    struct err why;        /* why there is no connection: what calls in back-off are told */
    bool needs_durable;
};

struct stream_command {
    int n;
    const char *arg[STREAM_ARGUMENTS_MAX];
    size_t bytes[STREAM_ARGUMENTS_MAX];
};

/* `words` split at spaces (and a key); further arguments by stream__argument. All are borrowed. */
struct stream_command stream__command(const char *words);
struct stream_command stream__command_on(const char *words, const char *key);
void stream__argument(struct stream_command *c, struct slice argument);

/* Be connected, or say why not. In back-off this returns at once. */
enum err_code stream__ready(struct stream *s, struct err *err);

/* One command and its reply, the caller's on ERR_OK (freeReplyObject); connects where needed. */
enum err_code stream__call(struct stream *s, const struct stream_command *c, redisReply **out,
                           struct err *err);

/* As stream__call, for a command whose reply says no more than that it was done. */
enum err_code stream__call_plain(struct stream *s, const struct stream_command *c, struct err *err);

/* A pipeline by hand, on a connection that is ready: append all, receive as many. After an error
 * that ended the connection s->context is NULL. */
bool stream__append(struct stream *s, const struct stream_command *c);
enum err_code stream__receive(struct stream *s, redisReply **out, struct err *err);

/* The replies of n commands that say no more than that it was done; ok[i], unless ok is NULL: it
 * was. The first error is the result; every reply is taken, or the connection ends. */
enum err_code stream__receive_plain(struct stream *s, int n, bool *ok, struct err *err);

/* The connection broke: say how, drop it, back off. Returns ERR_UNAVAILABLE. */
enum err_code stream__broken(struct stream *s, struct err *err);
void stream__fail(struct stream *s);

bool stream__set_timeout(struct stream *s, int64_t ms);

/* The value of a "name:value" line of INFO's text. */
bool stream__find_info(struct slice text, struct slice name, struct slice *out);

/* HGETALL's reply, which is freed; in the arena. */
enum err_code stream__take_hash(redisReply *reply, struct arena *a, struct stream_pair **out,
                                int *out_n, struct err *err);

/* Frees reply. ERR_IO. */
enum err_code stream__odd_reply(redisReply *reply, const char *command, struct err *err);

#endif
