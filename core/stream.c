/* Redis as stream.h promises it: the commands. Connecting and failing is stream_connection.c's. */
#include "core/stream.h"

#include <assert.h>
#include <stdio.h>

#include "core/stream_int.h"

#define READ_STEP     16 /* entries of one XREAD: at most 256 KB each */
#define READ_STEP_MAX 64
#define READ_BUDGET   (4 * 1024 * 1024)
#define ADD_MANY_MAX  64

/* ---- The stream ---- */

static bool
append_batch(struct stream *s, struct slice batch)
{
    struct stream_command c = stream__command("XADD " STREAM_EVENTS " * b");

    stream__argument(&c, batch);
    return stream__append(s, &c);
}

enum err_code
stream_add_many(struct stream *s, const struct slice *batches, int n, bool *ok, struct err *err)
{
    enum err_code rc;

    assert(n >= 0 && n <= ADD_MANY_MAX);
    for (int i = 0; i < n; i++)
        ok[i] = false;
    rc = stream__ready(s, err);
    if (rc != ERR_OK)
        return rc;
    for (int i = 0; i < n; i++)
        if (!append_batch(s, batches[i]))
            return stream__broken(s, err);
    return stream__receive_plain(s, n, ok, err);
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
    struct stream_command c = stream__command("XREAD COUNT");
    redisReply *reply;
    const redisReply *list;
    enum err_code rc;

    snprintf(count_text, sizeof count_text, "%d", count);
    snprintf(block_text, sizeof block_text, "%d", block_ms);
    stream_id_format(r->after, id);
    stream__argument(&c, slice_from(count_text));
    if (block_ms > 0) {
        stream__argument(&c, SLICE("BLOCK"));
        stream__argument(&c, slice_from(block_text));
    }
    stream__argument(&c, SLICE("STREAMS"));
    stream__argument(&c, SLICE(STREAM_EVENTS));
    stream__argument(&c, slice_from(id));
    rc = stream__call(s, &c, &reply, err);
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
        return stream__odd_reply(reply, "XREAD", err);
    list = reply->element[0]->element[1];
    for (size_t i = 0; i < list->elements; i++) {
        struct stream_entry *e = &r->entries[r->n];
        if (!take_entry(list->element[i], a, e))
            return stream__odd_reply(reply, "XREAD", err);
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
    rc = stream__ready(s, err);
    if (rc != ERR_OK)
        return rc;
    r.entries = ARENA_ARRAY(a, struct stream_entry, (size_t)max);
    if (block_ms > 0 && !stream__set_timeout(s, (int64_t)s->address.timeout_ms + block_ms))
        return stream__broken(s, err);
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
    if (block_ms > 0 && s->context && !stream__set_timeout(s, s->address.timeout_ms))
        stream__broken(s, NULL); /* what was read stands; the next call connects anew */
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
    struct stream_command c = stream__command("XTRIM " STREAM_EVENTS " MINID =");
    struct stream_id least = {upto.ms, upto.seq + 1};

    if (least.seq == 0)
        least.ms++;
    stream_id_format(least, id);
    stream__argument(&c, slice_from(id));
    return stream__call_plain(s, &c, err);
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
    struct stream_command c = stream__command("XINFO STREAM " STREAM_EVENTS);
    struct stream_info info = {.exists = true};
    struct err e;
    redisReply *reply;
    enum err_code rc;

    rc = stream__call(s, &c, &reply, &e);
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
        return stream__odd_reply(reply, "XINFO", err);
    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        const redisReply *name = reply->element[i];
        if (name->type != REDIS_REPLY_STRING ||
            !take_info(&info, slice_of(name->str, name->len), reply->element[i + 1]))
            return stream__odd_reply(reply, "XINFO", err);
    }
    freeReplyObject(reply);
    *out = info;
    return ERR_OK;
}

bool
stream__find_info(struct slice text, struct slice name, struct slice *out)
{
    struct slice line, key;
    bool more = true;

    while (more) {
        more = slice_cut(text, '\n', &line, &text);
        if (slice_cut(slice_trim(line), ':', &key, out) && slice_equal(key, name))
            return true;
    }
    return false;
}

enum err_code
stream_memory(struct stream *s, int64_t *out_used, int64_t *out_max, struct err *err)
{
    struct stream_command c = stream__command("INFO memory");
    struct slice text, figure;
    redisReply *reply;
    int64_t used, max;
    enum err_code rc;

    rc = stream__call(s, &c, &reply, err);
    if (rc != ERR_OK)
        return rc;
    text = slice_of(reply->str, reply->len);
    if (reply->type != REDIS_REPLY_STRING ||
        !stream__find_info(text, SLICE("used_memory"), &figure) || !slice_to_int64(figure, &used) ||
        !stream__find_info(text, SLICE("maxmemory"), &figure) || !slice_to_int64(figure, &max))
        return stream__odd_reply(reply, "INFO", err);
    freeReplyObject(reply);
    *out_used = used;
    *out_max = max;
    return ERR_OK;
}

/* A write by its flags, and so refused like one; NOMKSTREAM makes it do nothing. */
enum err_code
stream_check_writable(struct stream *s, struct err *err)
{
    struct stream_command c = stream__command("XADD " STREAM_PROBE " NOMKSTREAM * p 1");

    return stream__call_plain(s, &c, err);
}

enum err_code
stream_time(struct stream *s, int64_t *out_ms, struct err *err)
{
    struct stream_command c = stream__command("TIME");
    uint64_t seconds, micros;
    redisReply *reply;
    enum err_code rc;

    rc = stream__call(s, &c, &reply, err);
    if (rc != ERR_OK)
        return rc;
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        !slice_to_uint64(slice_of(reply->element[0]->str, reply->element[0]->len), &seconds) ||
        !slice_to_uint64(slice_of(reply->element[1]->str, reply->element[1]->len), &micros) ||
        seconds > INT64_MAX / 1000 - 1)
        return stream__odd_reply(reply, "TIME", err);
    freeReplyObject(reply);
    *out_ms = (int64_t)(seconds * 1000 + micros / 1000);
    return ERR_OK;
}

/* ---- Small keys ---- */

enum err_code
stream_get(struct stream *s, const char *key, struct arena *a, struct slice *out, struct err *err)
{
    struct stream_command c = stream__command_on("GET", key);
    redisReply *reply;
    enum err_code rc;

    rc = stream__call(s, &c, &reply, err);
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
    struct stream_command c = stream__command_on("SET", key);
    enum err_code rc;

    stream__argument(&c, value);
    stream__argument(&c, SLICE("NX"));
    rc = stream__call_plain(s, &c, err);
    return rc == ERR_OK ? stream_get(s, key, a, out, err) : rc;
}

/* MULTI, DEL, HSET .., EXEC: the number of commands, or -1. One HSET a pair keeps the code plain:
 * this runs once a second at most and over hundreds of pairs, not thousands. */
static int
append_replace(struct stream *s, const char *key, const struct stream_pair *pairs, int n)
{
    struct stream_command multi = stream__command("MULTI"), del = stream__command_on("DEL", key),
                          exec = stream__command("EXEC");

    if (!stream__append(s, &multi) || !stream__append(s, &del))
        return -1;
    for (int i = 0; i < n; i++) {
        struct stream_command c = stream__command_on("HSET", key);
        stream__argument(&c, pairs[i].key);
        stream__argument(&c, pairs[i].value);
        if (!stream__append(s, &c))
            return -1;
    }
    return stream__append(s, &exec) ? n + 3 : -1;
}

enum err_code
stream_hash_replace(struct stream *s, const char *key, const struct stream_pair *pairs, int n,
                    struct err *err)
{
    enum err_code rc = stream__ready(s, err);
    int n_sent;

    if (rc != ERR_OK)
        return rc;
    n_sent = append_replace(s, key, pairs, n);
    if (n_sent < 0)
        return stream__broken(s, err);
    /* Redis discards a transaction with an error in it */
    return stream__receive_plain(s, n_sent, NULL, err);
}

enum err_code
stream__take_hash(redisReply *reply, struct arena *a, struct stream_pair **out, int *out_n,
                  struct err *err)
{
    struct stream_pair *pairs;
    int n = 0;

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements % 2 != 0)
        return stream__odd_reply(reply, "HGETALL", err);
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

enum err_code
stream_hash_read(struct stream *s, const char *key, struct arena *a, struct stream_pair **out,
                 int *out_n, struct err *err)
{
    struct stream_command c = stream__command_on("HGETALL", key);
    redisReply *reply;
    enum err_code rc;

    rc = stream__call(s, &c, &reply, err);
    return rc == ERR_OK ? stream__take_hash(reply, a, out, out_n, err) : rc;
}
