/* Short lists in Redis that forget by themselves: a capped number of entries, gone some time after
 * the last. For what is good to see and no loss to lose. (Redis itself: core/stream.h.) */
#ifndef CORE_STREAM_LIST_H
#define CORE_STREAM_LIST_H

#include "core/stream.h"

/* A site's refusals of late, newest first: JSON by the collectors (collector/refusal.h). */
#define STREAM_REFUSED       "corong:{0}:refused:" /* and the site's id */
#define STREAM_REFUSED_MAX   100
#define STREAM_REFUSED_LIFE  3600 /* seconds */
#define STREAM_LIST_PUSH_MAX 64

/* Put values in front of the list, the last one foremost, and keep max entries for life_s seconds
 * from now. At most STREAM_LIST_PUSH_MAX values. One pipeline. */
enum err_code stream_list_push(struct stream *s, const char *key, const struct slice *values, int n,
                               int max, int64_t life_s, struct err *err);

/* The whole list, foremost first; in the arena. Without the key *out_n is 0. */
enum err_code stream_list_read(struct stream *s, const char *key, struct arena *a,
                               struct slice **out, int *out_n, struct err *err);

#endif
