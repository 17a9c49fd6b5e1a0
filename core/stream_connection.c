#include "core/stream_int.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/time.h>

#include "core/clock.h"
#include "core/hash.h"

#define BACKOFF_MIN_MS   50
#define BACKOFF_MAX_MS   2000
#define READER_BUF_BYTES (64 * 1024) /* what an idle connection's reader may keep */

struct stream *
stream_create(const struct stream_address *address)
{
    struct stream *s = mem_zalloc(sizeof *s);

    s->address = *address;
    if (s->address.timeout_ms <= 0)
        s->address.timeout_ms = 2000;
    s->dice = hash64(slice_of((const char *)&s, sizeof s), (uint64_t)clock_steady_us());
    return s;
}

static void
drop(struct stream *s)
{
    if (s->context)
        redisFree(s->context);
    s->context = NULL;
}

void
stream_destroy(struct stream **s)
{
    if (!*s)
        return;
    drop(*s);
    free(*s);
    *s = NULL;
}

void
stream_require_durable(struct stream *s)
{
    s->needs_durable = true;
    drop(s);
    s->retry_at_ms = 0;
}

/* The connection is of no more use; the next one waits between half and all of the back-off. */
void
stream__fail(struct stream *s)
{
    drop(s);
    s->backoff_ms = s->backoff_ms == 0 ? BACKOFF_MIN_MS : s->backoff_ms * 2;
    if (s->backoff_ms > BACKOFF_MAX_MS)
        s->backoff_ms = BACKOFF_MAX_MS;
    s->dice = s->dice * 6364136223846793005u + 1442695040888963407u;
    s->retry_at_ms = clock_steady_ms() + s->backoff_ms / 2 +
                     (int64_t)((s->dice >> 33) % (uint64_t)(s->backoff_ms / 2 + 1));
}

bool
stream__set_timeout(struct stream *s, int64_t ms)
{
    struct timeval t = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};

    return redisSetTimeout(s->context, t) == REDIS_OK;
}

/* What broke, from the context; the connection is dropped. hiredis's words for a time-out are
 * errno's, which help nobody. */
enum err_code
stream__broken(struct stream *s, struct err *err)
{
    bool is_late = s->context && s->context->err == REDIS_ERR_IO && errno == EAGAIN;

    err_set(&s->why, ERR_UNAVAILABLE, "redis", "Redis does not answer: %s",
            is_late                                    ? "it takes too long"
            : s->context && s->context->errstr[0] != 0 ? s->context->errstr
                                                       : "no connection");
    stream__fail(s);
    if (err)
        *err = s->why;
    return ERR_UNAVAILABLE;
}

/* An error reply's first word decides what it means. */
static enum err_code
refused(struct stream *s, const redisReply *reply, struct err *err)
{
    static const struct {
        const char *word;
        enum err_code code;
        bool drops; /* another connection may find another server */
    } words[] = {
        {"LOADING", ERR_UNAVAILABLE, true},    {"BUSY", ERR_UNAVAILABLE, true},
        {"TRYAGAIN", ERR_UNAVAILABLE, true},   {"CLUSTERDOWN", ERR_UNAVAILABLE, true},
        {"MASTERDOWN", ERR_UNAVAILABLE, true}, {"OOM", ERR_FULL, false},
        {"MISCONF", ERR_FULL, false},          {"NOAUTH", ERR_DENIED, true},
        {"NOPERM", ERR_DENIED, false},         {"WRONGPASS", ERR_DENIED, true},
        {"READONLY", ERR_CONFLICT, true},      {"MOVED", ERR_CONFLICT, true},
        {"ASK", ERR_CONFLICT, true},
    };
    struct slice text = slice_of(reply->str, reply->len);
    const size_t n_words = sizeof words / sizeof words[0];
    struct slice word, rest;
    struct err e;
    size_t i;

    slice_cut(text, ' ', &word, &rest);
    for (i = 0; i < n_words && !slice_is(word, words[i].word); i++)
        continue;
    err_set(&e, i < n_words ? words[i].code : ERR_IO, "redis", "Redis says: %.*s",
            (int)(text.n < 300 ? text.n : 300), text.p);
    if (i < n_words && words[i].drops) {
        s->why = e;
        stream__fail(s);
    }
    if (err)
        *err = e;
    return e.code;
}

/* Take one reply. On ERR_OK *out is the caller's (freeReplyObject), and no error reply. */
enum err_code
stream__receive(struct stream *s, redisReply **out, struct err *err)
{
    void *raw = NULL;
    redisReply *reply;
    enum err_code rc;

    if (redisGetReply(s->context, &raw) != REDIS_OK || !raw)
        return stream__broken(s, err);
    reply = raw;
    if (reply->type == REDIS_REPLY_ERROR) {
        rc = refused(s, reply, err);
        freeReplyObject(reply);
        return rc;
    }
    *out = reply;
    return ERR_OK;
}

void
stream__argument(struct stream_command *c, struct slice arg)
{
    assert(c->n < STREAM_ARGUMENTS_MAX);
    c->arg[c->n] = arg.p;
    c->bytes[c->n++] = arg.n;
}

struct stream_command
stream__command(const char *words)
{
    struct stream_command c = {.n = 0};
    struct slice rest = slice_from(words);
    struct slice word;

    do {
        bool more = slice_cut(rest, ' ', &word, &rest);
        stream__argument(&c, word);
        if (!more)
            break;
    } while (rest.n != 0);
    return c;
}

struct stream_command
stream__command_on(const char *words, const char *key)
{
    struct stream_command c = stream__command(words);

    stream__argument(&c, slice_from(key));
    return c;
}

bool
stream__append(struct stream *s, const struct stream_command *c)
{
    const char *arg[STREAM_ARGUMENTS_MAX];

    memcpy(arg, c->arg, sizeof arg);
    return redisAppendCommandArgv(s->context, c->n, arg, c->bytes) == REDIS_OK;
}

static enum err_code
exchange(struct stream *s, const struct stream_command *c, redisReply **out, struct err *err)
{
    if (!stream__append(s, c))
        return stream__broken(s, err);
    return stream__receive(s, out, err);
}

static enum err_code
authenticate(struct stream *s, struct err *err)
{
    struct stream_command c = stream__command("AUTH");
    redisReply *reply;
    enum err_code rc;

    if (s->address.password[0] == '\0')
        return ERR_OK;
    stream__argument(&c, slice_from(s->address.password));
    rc = exchange(s, &c, &reply, err);
    if (rc == ERR_OK)
        freeReplyObject(reply);
    else if (rc == ERR_IO) /* "ERR AUTH called without any password configured", and the like */
        rc = err->code = ERR_DENIED;
    return rc;
}

static enum err_code
config_must_be(struct stream *s, const char *name, const char *wanted, struct err *err)
{
    struct stream_command c = stream__command("CONFIG GET");
    redisReply *reply;
    enum err_code rc;

    stream__argument(&c, slice_from(name));
    rc = exchange(s, &c, &reply, err);
    if ((rc == ERR_IO || rc == ERR_DENIED) && s->context) { /* renamed, or not in the ACL */
        return err_set(err, ERR_DENIED, "redis",
                       "Redis does not let us read its setting %s: allow the command CONFIG GET",
                       name);
    }
    if (rc != ERR_OK)
        return rc;
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        reply->element[1]->type != REDIS_REPLY_STRING)
        rc = err_set(err, ERR_INVALID, "redis", "Redis has no setting %s", name);
    else if (strcmp(reply->element[1]->str, wanted) != 0)
        rc = err_set(err, ERR_INVALID, "redis",
                     "Redis has %s \"%.40s\", and must have \"%s\" to keep what it acknowledges",
                     name, reply->element[1]->str, wanted);
    freeReplyObject(reply);
    return rc;
}

static enum err_code
check_durable(struct stream *s, struct err *err)
{
    static const char *const wanted[][2] = {{"appendonly", "yes"},
                                            {"appendfsync", "always"},
                                            {"no-appendfsync-on-rewrite", "no"},
                                            {"maxmemory-policy", "noeviction"}};
    enum err_code rc = ERR_OK;

    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0] && rc == ERR_OK; i++)
        rc = config_must_be(s, wanted[i][0], wanted[i][1], err);
    return rc;
}

enum err_code
stream__ready(struct stream *s, struct err *err)
{
    struct timeval t;
    struct err e;
    enum err_code rc;

    if (s->context)
        return ERR_OK;
    if (clock_steady_ms() < s->retry_at_ms)
        goto away;
    t.tv_sec = s->address.timeout_ms / 1000;
    t.tv_usec = s->address.timeout_ms % 1000 * 1000;
    s->context = s->address.unix_path[0]
                     ? redisConnectUnixWithTimeout(s->address.unix_path, t)
                     : redisConnectWithTimeout(s->address.host, s->address.port, t);
    if (!s->context || s->context->err)
        return stream__broken(s, err);
    s->context->reader->maxbuf = READER_BUF_BYTES;
    if (!stream__set_timeout(s, s->address.timeout_ms))
        return stream__broken(s, err);
    rc = authenticate(s, &e);
    if (rc == ERR_OK && s->needs_durable)
        rc = check_durable(s, &e);
    if (rc == ERR_OK)
        return ERR_OK;
    s->why = e;
    if (s->context)
        stream__fail(s);
away:
    if (err)
        *err = s->why;
    return s->why.code;
}

enum err_code
stream__call(struct stream *s, const struct stream_command *c, redisReply **out, struct err *err)
{
    enum err_code rc = stream__ready(s, err);

    if (rc != ERR_OK)
        return rc;
    rc = exchange(s, c, out, err);
    if (rc == ERR_OK)
        s->backoff_ms = 0;
    return rc;
}

enum err_code
stream__call_plain(struct stream *s, const struct stream_command *c, struct err *err)
{
    redisReply *reply;
    enum err_code rc = stream__call(s, c, &reply, err);

    if (rc == ERR_OK)
        freeReplyObject(reply);
    return rc;
}

enum err_code
stream__odd_reply(redisReply *reply, const char *command, struct err *err)
{
    freeReplyObject(reply);
    return err_set(err, ERR_IO, "redis", "Redis answers %s in a shape we do not know", command);
}

enum err_code
stream_ping(struct stream *s, struct err *err)
{
    struct stream_command c = stream__command("PING");

    return stream__call_plain(s, &c, err);
}

enum err_code
stream_check_durable(struct stream *s, struct err *err)
{
    enum err_code rc = stream__ready(s, err);

    if (rc == ERR_OK)
        rc = check_durable(s, err);
    if (rc == ERR_OK)
        s->backoff_ms = 0;
    return rc;
}

enum err_code
stream__receive_plain(struct stream *s, int n, bool *ok, struct err *err)
{
    enum err_code first = ERR_OK;
    redisReply *reply;
    struct err e;

    for (int i = 0; i < n && s->context; i++) {
        enum err_code rc = stream__receive(s, &reply, &e);

        if (ok)
            ok[i] = rc == ERR_OK;
        if (rc == ERR_OK)
            freeReplyObject(reply);
        else if (first == ERR_OK) {
            first = rc;
            if (err)
                *err = e;
        }
    }
    if (first == ERR_OK)
        s->backoff_ms = 0;
    return first;
}
