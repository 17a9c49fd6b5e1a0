/* Values in Redis that must be gone for good once they are deleted: single fields of a hash, and
 * the rewriting of Redis's log, which else keeps whatever was ever written. (Redis itself, and
 * reading a whole hash: core/stream.h.) */
#ifndef CORE_STREAM_FORGET_H
#define CORE_STREAM_FORGET_H

#include "core/stream.h"

#define STREAM_SALTS "corong:{0}:salts" /* hash: collector/salt.h draws it */

/* HSETNX: set the field unless it is there. */
enum err_code stream_field_add(struct stream *s, const char *key, struct slice field,
                               struct slice value, struct err *err);
/* HSET; HDEL. */
enum err_code stream_field_set(struct stream *s, const char *key, struct slice field,
                               struct slice value, struct err *err);
enum err_code stream_field_remove(struct stream *s, const char *key, struct slice field,
                                  struct err *err);

/* BGREWRITEAOF: begin to write the log anew from what Redis holds now. ERR_IO while it is being
 * rewritten already (from what it held before). */
enum err_code stream_rewrite(struct stream *s, struct err *err);

struct stream_rewriting {
    bool is_under_way; /* or waits to begin */
    bool has_failed;   /* the last one that ended */
    int64_t n_begun;   /* since Redis started */
};
enum err_code stream_rewriting(struct stream *s, struct stream_rewriting *out, struct err *err);

#endif
