/* Redis over hiredis: see stream.h for what it promises.
 *
 * What this file keeps to, as hiredis 0.14 needs it:
 * - any error that is not an error reply ends the connection (redisFree): a latched error never
 *   clears, and a late reply would be taken for the answer to the next command
 * - the time-out is set again on every new connection (redisReconnect would not)
 * - a pipeline is bounded, because the output buffer of hiredis is not
 * - the process ignores SIGPIPE
 */
#include "core/stream.h"

#include <hiredis/hiredis.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

#include "core/clock.h"
#include "core/hash.h"

#define BACKOFF_MIN_MS   50
#define BACKOFF_MAX_MS   2000
#define READER_BUF_BYTES (64 * 1024) /* what an idle connection's reader may keep */
#define READ_STEP        16          /* entries of one XREAD: at most 256 KB each */
#define READ_STEP_MAX    64
#define READ_BUDGET      (4 * 1024 * 1024)
#define ADD_MANY_MAX     64
#define ARGS_MAX         8

struct stream {
    struct stream_address address;
    redisContext *context; /* NULL: not connected */
    int64_t retry_at_ms;   /* steady clock: no connecting before it */
    int64_t backoff_ms;    /* 0 after a success */
    uint64_t dice;         /* jitter */
    struct err why;        /* why there is no connection: what calls in back-off are told */
    bool needs_durable;
};

/* ---- Connecting ---- */

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
static void
fail(struct stream *s)
{
    drop(s);
    s->backoff_ms = s->backoff_ms == 0 ? BACKOFF_MIN_MS : s->backoff_ms * 2;
    if (s->backoff_ms > BACKOFF_MAX_MS)
        s->backoff_ms = BACKOFF_MAX_MS;
    s->dice = s->dice * 6364136223846793005u + 1442695040888963407u;
    s->retry_at_ms = clock_steady_ms() + s->backoff_ms / 2 +
                     (int64_t)((s->dice >> 33) % (uint64_t)(s->backoff_ms / 2 + 1));
}

static bool
set_timeout(struct stream *s, int64_t ms)
{
    struct timeval t = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};

    return redisSetTimeout(s->context, t) == REDIS_OK;
}

/* What broke, from the context; the connection is dropped. */
static enum err_code
broken(struct stream *s, struct err *err)
{
    err_set(&s->why, ERR_UNAVAILABLE, "redis", "Redis does not answer: %s",
            s->context && s->context->errstr[0] ? s->context->errstr : "no connection");
    fail(s);
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
        fail(s);
    }
    if (err)
        *err = e;
    return e.code;
}

/* Take one reply. On ERR_OK *out is the caller's (freeReplyObject), and no error reply. */
static enum err_code
receive(struct stream *s, redisReply **out, struct err *err)
{
    void *raw = NULL;
    redisReply *reply;
    enum err_code rc;

    if (redisGetReply(s->context, &raw) != REDIS_OK || !raw)
        return broken(s, err);
    reply = raw;
    if (reply->type == REDIS_REPLY_ERROR) {
        rc = refused(s, reply, err);
        freeReplyObject(reply);
        return rc;
    }
    *out = reply;
    return ERR_OK;
}

struct command {
    int n;
    const char *arg[ARGS_MAX];
    size_t bytes[ARGS_MAX];
};

static void
command_add(struct command *c, struct slice arg)
{
    assert(c->n < ARGS_MAX);
    c->arg[c->n] = arg.p;
    c->bytes[c->n++] = arg.n;
}

/* `words` split at spaces; further arguments by command_add. */
static struct command
command_of(const char *words)
{
    struct command c = {.n = 0};
    struct slice rest = slice_from(words);
    struct slice word;

    do {
        bool more = slice_cut(rest, ' ', &word, &rest);
        command_add(&c, word);
        if (!more)
            break;
    } while (rest.n != 0);
    return c;
}

static enum err_code
exchange(struct stream *s, const struct command *c, redisReply **out, struct err *err)
{
    const char *arg[ARGS_MAX];

    memcpy(arg, c->arg, sizeof arg);
    if (redisAppendCommandArgv(s->context, c->n, arg, c->bytes) != REDIS_OK)
        return broken(s, err);
    return receive(s, out, err);
}

static enum err_code
authenticate(struct stream *s, struct err *err)
{
    struct command c = command_of("AUTH");
    redisReply *reply;
    enum err_code rc;

    if (s->address.password[0] == '\0')
        return ERR_OK;
    command_add(&c, slice_from(s->address.password));
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
    struct command c = command_of("CONFIG GET");
    redisReply *reply;
    enum err_code rc;

    command_add(&c, slice_from(name));
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

/* Be connected, or say why not. In back-off this returns at once. */
static enum err_code
ready(struct stream *s, struct err *err)
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
        return broken(s, err);
    s->context->reader->maxbuf = READER_BUF_BYTES;
    if (!set_timeout(s, s->address.timeout_ms))
        return broken(s, err);
    rc = authenticate(s, &e);
    if (rc == ERR_OK && s->needs_durable)
        rc = check_durable(s, &e);
    if (rc == ERR_OK)
        return ERR_OK;
    s->why = e;
    if (s->context)
        fail(s);
away:
    if (err)
        *err = s->why;
    return s->why.code;
}

/* One command and its reply, the caller's on ERR_OK. */
static enum err_code
call(struct stream *s, const struct command *c, redisReply **out, struct err *err)
{
    enum err_code rc = ready(s, err);

    if (rc != ERR_OK)
        return rc;
    rc = exchange(s, c, out, err);
    if (rc == ERR_OK)
        s->backoff_ms = 0;
    return rc;
}

/* As call, for a command whose reply says no more than that it was done. */
static enum err_code
call_plain(struct stream *s, const struct command *c, struct err *err)
{
    redisReply *reply;
    enum err_code rc = call(s, c, &reply, err);

    if (rc == ERR_OK)
        freeReplyObject(reply);
    return rc;
}

static enum err_code
odd_reply(redisReply *reply, const char *command, struct err *err)
{
    freeReplyObject(reply);
    return err_set(err, ERR_IO, "redis", "Redis answers %s in a shape we do not know", command);
}

enum err_code
stream_ping(struct stream *s, struct err *err)
{
    struct command c = command_of("PING");

    return call_plain(s, &c, err);
}

enum err_code
stream_check_durable(struct stream *s, struct err *err)
{
    enum err_code rc = ready(s, err);

    return rc == ERR_OK ? check_durable(s, err) : rc;
}

/* ---- The stream ---- */

static bool
append_batch(struct stream *s, struct slice batch)
{
    const char *arg[] = {"XADD", STREAM_EVENTS, "*", "b", batch.p};
    const size_t bytes[] = {4, sizeof STREAM_EVENTS - 1, 1, 1, batch.n};

    return redisAppendCommandArgv(s->context, 5, arg, bytes) == REDIS_OK;
}

enum err_code
stream_add_many(struct stream *s, const struct slice *batches, int n, bool *ok, struct err *err)
{
    enum err_code rc, first = ERR_OK;
    struct err e;
    redisReply *reply;

    assert(n >= 0 && n <= ADD_MANY_MAX);
    for (int i = 0; i < n; i++)
        ok[i] = false;
    rc = ready(s, err);
    if (rc != ERR_OK)
        return rc;
    for (int i = 0; i < n; i++)
        if (!append_batch(s, batches[i]))
            return broken(s, err);
    for (int i = 0; i < n && s->context; i++) {
        rc = receive(s, &reply, &e);
        ok[i] = rc == ERR_OK;
        if (ok[i])
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

enum err_code
stream_add(struct stream *s, struct slice batch, struct err *err)
{
    bool ok;

    return stream_add_many(s, &batch, 1, &ok, err);
}

/* [id, [field, value, ..]] into *out; false where it has another shape. */
static bool
take_entry(const redisReply *r, struct arena *a, struct stream_entry *out)
{
    const redisReply *fields;

    if (r->type != REDIS_REPLY_ARRAY || r->elements != 2 ||
        r->element[0]->type != REDIS_REPLY_STRING ||
        !stream_id_parse(slice_of(r->element[0]->str, r->element[0]->len), &out->id))
        return false;
    out->batch = SLICE_EMPTY;
    fields = r->element[1];
    if (fields->type != REDIS_REPLY_ARRAY)
        return fields->type == REDIS_REPLY_NIL; /* deleted while it was read */
    for (size_t i = 0; i + 1 < fields->elements; i += 2) {
        const redisReply *name = fields->element[i], *value = fields->element[i + 1];
        if (name->type == REDIS_REPLY_STRING && slice_is(slice_of(name->str, name->len), "b") &&
            value->type == REDIS_REPLY_STRING)
            out->batch = arena_copy(a, slice_of(value->str, value->len));
    }
    return true;
}

struct reading {
    struct stream_id after;
    struct stream_entry *entries;
    int n;
    size_t bytes;
};

/* One XREAD of at most `count`. *out_got is how many it brought. */
static enum err_code
read_some(struct stream *s, struct reading *r, int count, int block_ms, struct arena *a,
          int *out_got, struct err *err)
{
    char count_text[16], block_text[16], id[STREAM_ID_TEXT_MAX];
    struct command c = command_of("XREAD COUNT");
    redisReply *reply;
    const redisReply *list;
    enum err_code rc;

    snprintf(count_text, sizeof count_text, "%d", count);
    snprintf(block_text, sizeof block_text, "%d", block_ms);
    stream_id_format(r->after, id);
    command_add(&c, slice_from(count_text));
    if (block_ms > 0) {
        command_add(&c, SLICE("BLOCK"));
        command_add(&c, slice_from(block_text));
    }
    command_add(&c, SLICE("STREAMS"));
    command_add(&c, SLICE(STREAM_EVENTS));
    command_add(&c, slice_from(id));
    rc = call(s, &c, &reply, err);
    if (rc != ERR_OK)
        return rc;
    *out_got = 0;
    if (reply->type == REDIS_REPLY_NIL) {
        freeReplyObject(reply);
        return ERR_OK;
    }
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 1 ||
        reply->element[0]->type != REDIS_REPLY_ARRAY || reply->element[0]->elements != 2 ||
        reply->element[0]->element[1]->type != REDIS_REPLY_ARRAY ||
        reply->element[0]->element[1]->elements > (size_t)count)
        return odd_reply(reply, "XREAD", err);
    list = reply->element[0]->element[1];
    for (size_t i = 0; i < list->elements; i++) {
        struct stream_entry *e = &r->entries[r->n];
        if (!take_entry(list->element[i], a, e))
            return odd_reply(reply, "XREAD", err);
        r->n++;
        r->bytes += e->batch.n;
        r->after = e->id;
    }
    *out_got = (int)list->elements;
    freeReplyObject(reply);
    return ERR_OK;
}

enum err_code
stream_read(struct stream *s, struct stream_id after, int max, int block_ms, struct arena *a,
            struct stream_entry **out, int *out_n, struct err *err)
{
    struct reading r = {.after = after};
    int step = READ_STEP, got = 0;
    enum err_code rc;

    assert(max > 0 && block_ms >= 0);
    rc = ready(s, err);
    if (rc != ERR_OK)
        return rc;
    r.entries = ARENA_ARRAY(a, struct stream_entry, (size_t)max);
    if (block_ms > 0 && !set_timeout(s, (int64_t)s->address.timeout_ms + block_ms))
        return broken(s, err);
    /* small steps, since an entry may have 256 KB and Redis knows no limit in bytes */
    do {
        step = step < max - r.n ? step : max - r.n;
        rc = read_some(s, &r, step, r.n == 0 ? block_ms : 0, a, &got, err);
        if (rc != ERR_OK)
            break;
        if (got < step)
            break;
        step = READ_STEP_MAX;
    } while (r.n < max && r.bytes < READ_BUDGET);
    if (block_ms > 0 && s->context && !set_timeout(s, s->address.timeout_ms))
        fail(s); /* what was read stands; the next call connects anew */
    if (rc != ERR_OK && r.n == 0)
        return rc;
    *out = r.entries; /* entries before an error are good: the next call meets it again */
    *out_n = r.n;
    return ERR_OK;
}

enum err_code
stream_trim(struct stream *s, struct stream_id upto, struct err *err)
{
    char id[STREAM_ID_TEXT_MAX];
    struct command c = command_of("XTRIM " STREAM_EVENTS " MINID =");
    struct stream_id least = {upto.ms, upto.seq + 1};

    if (least.seq == 0)
        least.ms++;
    stream_id_format(least, id);
    command_add(&c, slice_from(id));
    return call_plain(s, &c, err);
}

/* One pair of XINFO STREAM's flat list. */
static bool
take_info(struct stream_info *info, struct slice name, const redisReply *value)
{
    struct slice text = slice_of(value->str, value->len);

    if (slice_is(name, "length"))
        info->length = value->integer;
    else if (slice_is(name, "entries-added"))
        info->entries_added = value->integer;
    else if (slice_is(name, "last-generated-id"))
        return value->type == REDIS_REPLY_STRING && stream_id_parse(text, &info->last_generated);
    else if (slice_is(name, "recorded-first-entry-id"))
        return value->type == REDIS_REPLY_STRING && stream_id_parse(text, &info->first);
    return true;
}

enum err_code
stream_info(struct stream *s, struct stream_info *out, struct err *err)
{
    struct command c = command_of("XINFO STREAM " STREAM_EVENTS);
    struct stream_info info = {.exists = true};
    struct err e;
    redisReply *reply;
    enum err_code rc;

    rc = call(s, &c, &reply, &e);
    if (rc == ERR_IO && strstr(e.message, "no such key")) {
        *out = (struct stream_info){.exists = false};
        return ERR_OK;
    }
    if (rc != ERR_OK) {
        if (err)
            *err = e;
        return rc;
    }
    if (reply->type != REDIS_REPLY_ARRAY)
        return odd_reply(reply, "XINFO", err);
    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        const redisReply *name = reply->element[i];
        if (name->type != REDIS_REPLY_STRING ||
            !take_info(&info, slice_of(name->str, name->len), reply->element[i + 1]))
            return odd_reply(reply, "XINFO", err);
    }
    freeReplyObject(reply);
    *out = info;
    return ERR_OK;
}

/* "name:123\r\n" in INFO's text. */
static bool
find_info(struct slice text, struct slice name, int64_t *out)
{
    struct slice line, key, value;
    bool more = true;

    while (more) {
        more = slice_cut(text, '\n', &line, &text);
        if (slice_cut(slice_trim(line), ':', &key, &value) && slice_equal(key, name))
            return slice_to_int64(value, out);
    }
    return false;
}

enum err_code
stream_memory(struct stream *s, int64_t *out_used, int64_t *out_max, struct err *err)
{
    struct command c = command_of("INFO memory");
    redisReply *reply;
    struct slice text;
    int64_t used, max;
    enum err_code rc;

    rc = call(s, &c, &reply, err);
    if (rc != ERR_OK)
        return rc;
    text = slice_of(reply->str, reply->len);
    if (reply->type != REDIS_REPLY_STRING || !find_info(text, SLICE("used_memory"), &used) ||
        !find_info(text, SLICE("maxmemory"), &max))
        return odd_reply(reply, "INFO", err);
    freeReplyObject(reply);
    *out_used = used;
    *out_max = max;
    return ERR_OK;
}

/* ---- Small keys ---- */

enum err_code
stream_get(struct stream *s, const char *key, struct arena *a, struct slice *out, struct err *err)
{
    struct command c = command_of("GET");
    redisReply *reply;
    enum err_code rc;

    command_add(&c, slice_from(key));
    rc = call(s, &c, &reply, err);
    if (rc != ERR_OK)
        return rc;
    if (reply->type == REDIS_REPLY_STRING)
        *out = arena_copy(a, slice_of(reply->str, reply->len));
    else
        rc = err_set(err, ERR_NOT_FOUND, "redis", "Redis has no key %s", key);
    freeReplyObject(reply);
    return rc;
}

enum err_code
stream_get_or_set(struct stream *s, const char *key, struct slice value, struct arena *a,
                  struct slice *out, struct err *err)
{
    struct command c = command_of("SET");
    enum err_code rc;

    command_add(&c, slice_from(key));
    command_add(&c, value);
    command_add(&c, SLICE("NX"));
    rc = call_plain(s, &c, err);
    return rc == ERR_OK ? stream_get(s, key, a, out, err) : rc;
}

static bool
append(struct stream *s, const struct command *c)
{
    const char *arg[ARGS_MAX];

    memcpy(arg, c->arg, sizeof arg);
    return redisAppendCommandArgv(s->context, c->n, arg, c->bytes) == REDIS_OK;
}

/* MULTI, DEL, HSET .., EXEC: the number of commands, or -1. One HSET a pair keeps the code plain:
 * this runs once a second at most and over hundreds of pairs, not thousands. */
static int
append_replace(struct stream *s, const char *key, const struct stream_pair *pairs, int n)
{
    struct command multi = command_of("MULTI"), del = command_of("DEL"), exec = command_of("EXEC");

    command_add(&del, slice_from(key));
    if (!append(s, &multi) || !append(s, &del))
        return -1;
    for (int i = 0; i < n; i++) {
        struct command c = command_of("HSET");
        command_add(&c, slice_from(key));
        command_add(&c, pairs[i].key);
        command_add(&c, pairs[i].value);
        if (!append(s, &c))
            return -1;
    }
    return append(s, &exec) ? n + 3 : -1;
}

enum err_code
stream_hash_replace(struct stream *s, const char *key, const struct stream_pair *pairs, int n,
                    struct err *err)
{
    redisReply *reply;
    enum err_code rc, first = ERR_OK;
    struct err e;
    int n_sent;

    rc = ready(s, err);
    if (rc != ERR_OK)
        return rc;
    n_sent = append_replace(s, key, pairs, n);
    if (n_sent < 0)
        return broken(s, err);
    for (int i = 0; i < n_sent && s->context; i++) {
        rc = receive(s, &reply, &e);
        if (rc == ERR_OK)
            freeReplyObject(reply);
        else if (first == ERR_OK) { /* Redis discards a transaction with an error in it */
            first = rc;
            if (err)
                *err = e;
        }
    }
    if (first == ERR_OK)
        s->backoff_ms = 0;
    return first;
}

enum err_code
stream_hash_read(struct stream *s, const char *key, struct arena *a, struct stream_pair **out,
                 int *out_n, struct err *err)
{
    struct command c = command_of("HGETALL");
    struct stream_pair *pairs;
    redisReply *reply;
    enum err_code rc;
    int n = 0;

    command_add(&c, slice_from(key));
    rc = call(s, &c, &reply, err);
    if (rc != ERR_OK)
        return rc;
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements % 2 != 0)
        return odd_reply(reply, "HGETALL", err);
    pairs = ARENA_ARRAY(a, struct stream_pair, reply->elements / 2 + 1);
    for (size_t i = 0; i < reply->elements; i += 2) {
        const redisReply *k = reply->element[i], *v = reply->element[i + 1];
        pairs[n].key = arena_copy(a, slice_of(k->str, k->len));
        pairs[n++].value = arena_copy(a, slice_of(v->str, v->len));
    }
    freeReplyObject(reply);
    *out = pairs;
    *out_n = n;
    return ERR_OK;
}
