/* Redis, as Corong uses it: a log with positions, a few published settings. The only includer of
 * hiredis.
 *
 * One struct stream is one connection, for one thread. After any error or time-out the connection
 * is dropped (a late reply would desynchronise it) and made anew at the next call, with back-off
 * 50 ms .. 2 s; a command in flight is then UNKNOWN: send it again, repeats are dropped downstream.
 */
#ifndef CORE_STREAM_H
#define CORE_STREAM_H

#include "core/arena.h"
#include "core/err.h"
#include "core/slice.h"

#define STREAM_EVENTS "corong:{0}:events" /* 0: one machine; a hash tag of Redis Cluster */
#define STREAM_EPOCH  "corong:{0}:epoch"  /* random, set once (SET NX) by whoever comes first */
#define STREAM_OWNER  "corong:{0}:owner"  /* install id of the data folder that reads it */
#define STREAM_SITES  "corong:{0}:sites"  /* hash: site key -> JSON settings, by the aggregator */
#define STREAM_PROBE  "corong:{0}:probe"  /* never made: stream_check_writable */

struct stream_address {
    char unix_path[108]; /* used where not "" */
    char host[256];
    int port;
    char password[256]; /* "" = none */
    int timeout_ms;     /* of connecting and of each command */
};

/* "unix:/path", "/path", "host:port". ERR_INVALID. */
enum err_code stream_address_parse(struct slice text, struct stream_address *out, struct err *err);

struct stream;
struct stream *stream_create(const struct stream_address *address);
void stream_destroy(struct stream **s);

/* Every call: ERR_UNAVAILABLE (away, timed out, -LOADING), ERR_FULL (-OOM, -MISCONF), ERR_DENIED
 * (-NOAUTH, -NOPERM, -WRONGPASS), ERR_CONFLICT (-READONLY, -MOVED), ERR_IO (any other error
 * reply), with Redis's words in err. */

enum err_code stream_ping(struct stream *s, struct err *err);

/* XADD STREAM_EVENTS * b <batch>, waiting for the reply: with appendfsync always it is on disk. */
enum err_code stream_add(struct stream *s, struct slice batch, struct err *err);

/* Several batches as one pipeline; ok[i] says which were acknowledged. The first error is the
 * result; n at most 64. */
enum err_code stream_add_many(struct stream *s, const struct slice *batches, int n, bool *ok,
                              struct err *err);

struct stream_id {
    uint64_t ms;
    uint64_t seq;
};
struct stream_entry {
    struct stream_id id;
    struct slice batch; /* field "b"; "" where the entry has none */
};

/* Entries after `after`, oldest first, at most max (and about 4 MB); block_ms 0 = do not wait.
 * Entries live in the arena. *out_n may be 0. */
enum err_code stream_read(struct stream *s, struct stream_id after, int max, int block_ms,
                          struct arena *a, struct stream_entry **out, int *out_n, struct err *err);

/* XTRIM MINID: forget entries up to and including `upto`. */
enum err_code stream_trim(struct stream *s, struct stream_id upto, struct err *err);

struct stream_info {
    bool exists;
    int64_t length;
    int64_t entries_added;
    struct stream_id last_generated;
    struct stream_id first; /* oldest entry there is; {0,0} without one */
};
enum err_code stream_info(struct stream *s, struct stream_info *out, struct err *err);

/* Is this Redis fit to promise durability: AOF on, appendfsync always, noeviction? ERR_INVALID
 * names what is not. Where CONFIG is not allowed: ERR_DENIED. */
enum err_code stream_check_durable(struct stream *s, struct err *err);

/* From now on every connection is checked so before its first use: a Redis that came back with
 * other settings is refused (ERR_INVALID, ERR_DENIED) instead of believed. */
void stream_require_durable(struct stream *s);

/* Does it take writes now? As a write's errors (-OOM, -MISCONF, -READONLY, ..), though nothing is
 * written. */
enum err_code stream_check_writable(struct stream *s, struct err *err);

/* Its wall clock, ms. */
enum err_code stream_time(struct stream *s, int64_t *out_ms, struct err *err);

/* used_memory and maxmemory in bytes (0 = unlimited). */
enum err_code stream_memory(struct stream *s, int64_t *out_used, int64_t *out_max, struct err *err);

/* Small keys. Values live in the arena; a missing key is ERR_NOT_FOUND. */
enum err_code stream_get(struct stream *s, const char *key, struct arena *a, struct slice *out,
                         struct err *err);
/* SET NX, then GET: *out is what the key holds now, whoever set it. */
enum err_code stream_get_or_set(struct stream *s, const char *key, struct slice value,
                                struct arena *a, struct slice *out, struct err *err);
/* Replace a whole hash in one MULTI, or read it whole. */
struct stream_pair {
    struct slice key;
    struct slice value;
};
enum err_code stream_hash_replace(struct stream *s, const char *key,
                                  const struct stream_pair *pairs, int n, struct err *err);
enum err_code stream_hash_read(struct stream *s, const char *key, struct arena *a,
                               struct stream_pair **out, int *out_n, struct err *err);

/* "1526919030474-55" */
#define STREAM_ID_TEXT_MAX 48
void stream_id_format(struct stream_id id, char dst[STREAM_ID_TEXT_MAX]);
bool stream_id_parse(struct slice text, struct stream_id *out);
int stream_id_compare(struct stream_id a, struct stream_id b);

#endif
