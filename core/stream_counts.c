#include "core/stream_counts.h"

#include <assert.h>
#include <stdio.h>

#include "core/stream_int.h"

#define COUNTS_MAX 64 /* of one pipeline */

void
stream_day_key(uint32_t site, struct date day, char out[STREAM_DAY_MAX])
{
    snprintf(out, STREAM_DAY_MAX, STREAM_DAY "%u:%04d-%02d-%02d", (unsigned)site, day.year,
             day.month, day.day);
}

static bool
append_life(struct stream *s, const char *key, int64_t life_s)
{
    struct stream_command c = stream__command_on("EXPIRE", key);
    char life[32];

    snprintf(life, sizeof life, "%lld", (long long)life_s);
    stream__argument(&c, slice_from(life));
    return stream__append(s, &c);
}

static bool
append_count(struct stream *s, const char *key, const struct stream_count *count)
{
    struct stream_command c = stream__command_on("HINCRBY", key);
    char n[32];

    snprintf(n, sizeof n, "%llu", (unsigned long long)count->n);
    stream__argument(&c, count->field);
    stream__argument(&c, slice_from(n));
    return stream__append(s, &c);
}

enum err_code
stream_counts_add(struct stream *s, const char *key, const struct stream_count *counts, int n,
                  int64_t life_s, struct err *err)
{
    enum err_code rc = stream__ready(s, err);

    assert(n <= COUNTS_MAX);
    for (int i = 0; rc == ERR_OK && i < n; i++)
        if (!append_count(s, key, &counts[i]))
            return stream__broken(s, err);
    if (rc == ERR_OK && !append_life(s, key, life_s))
        return stream__broken(s, err);
    return rc == ERR_OK ? stream__receive_plain(s, n + 1, NULL, err) : rc;
}

enum err_code
stream_counts_tell(struct stream *s, const char *key, struct slice field, struct slice value,
                   int64_t life_s, struct err *err)
{
    struct stream_command c = stream__command_on("HSET", key);
    enum err_code rc = stream__ready(s, err);

    if (rc != ERR_OK)
        return rc;
    stream__argument(&c, field);
    stream__argument(&c, value);
    if (!stream__append(s, &c) || !append_life(s, key, life_s))
        return stream__broken(s, err);
    return stream__receive_plain(s, 2, NULL, err);
}

/* The first error is the result; every reply of the pipeline is taken, or the connection ends. */
static enum err_code
receive_hashes(struct stream *s, int n, struct arena *a, struct stream_hash *out, struct err *err)
{
    enum err_code first = ERR_OK;

    for (int i = 0; i < n && s->context; i++) {
        redisReply *reply;
        struct err e = ERR_NONE;
        enum err_code rc = stream__receive(s, &reply, &e);

        if (rc == ERR_OK)
            rc = stream__take_hash(reply, a, &out[i].pairs, &out[i].n, &e);
        if (rc != ERR_OK && first == ERR_OK) {
            first = rc;
            if (err)
                *err = e;
        }
    }
    return first;
}

enum err_code
stream_counts_read(struct stream *s, const char (*keys)[STREAM_DAY_MAX], int n, struct arena *a,
                   struct stream_hash *out, struct err *err)
{
    enum err_code rc = stream__ready(s, err);

    assert(n <= STREAM_COUNTS_READ_MAX);
    memset(out, 0, (size_t)n * sizeof *out);
    for (int i = 0; rc == ERR_OK && i < n; i++) {
        struct stream_command c = stream__command_on("HGETALL", keys[i]);

        if (!stream__append(s, &c))
            return stream__broken(s, err);
    }
    if (rc == ERR_OK)
        rc = receive_hashes(s, n, a, out, err);
    if (rc == ERR_OK)
        s->backoff_ms = 0;
    return rc;
}
