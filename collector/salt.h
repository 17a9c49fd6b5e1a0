/* The day's salt: 32 random bytes without which nobody can tell, or try out, whose a cookieless
 * visitor's id is (docs/identity.md). A day is one of UTC.
 *
 *     days -1             0              1              2
 *           .. salt of 0 -+-- is used ---+- 1 h -|
 *              is made    |              |        gone from Redis and memory, then from
 *                         |              |        Redis's log
 *                         +- salt of 1   +-- is used ---..
 *                            is made
 *
 * In Redis, for all collectors, the hash STREAM_SALTS:
 *
 *     "2026-06-01"  ""          struck out; its bytes may still be in Redis's log
 *     "2026-06-02"  <32 bytes>  today's
 *     "2026-06-03"  <32 bytes>  tomorrow's; whoever comes first sets it (HSETNX)
 *
 * A thread of each collector makes what is missing as long as some site is cookieless, keeps copies
 * in memory (requests never wait for Redis, and while it is away they serve until tomorrow's end;
 * a Redis that was wiped gets them back), strikes out what is past, has the log rewritten, and
 * removes what it struck out only when that is done: whoever is killed in between, another goes on.
 * Nothing here writes a salt anywhere else: not to the spool, not to a log, not to a file.
 */
#ifndef COLLECTOR_SALT_H
#define COLLECTOR_SALT_H

#include "collector/publish.h"
#include "collector/sites.h"
#include "collector/visitor.h"

#define SALT_BYTES    VISITOR_SALT_BYTES
#define SALT_ROUND_MS 1000
#define SALT_LATE_MS  3600000 /* how long a salt outlives its day: clocks differ */

struct salts;

/* Reads once before it returns, where Redis is there; then a thread goes on, every round_ms.
 * sites, publish: borrowed until salts_stop. While publish holds our clock to be wrong, nothing is
 * made or struck out; NULL: it is right. */
enum err_code salts_start(const struct stream_address *redis, struct sites *sites,
                          struct publish *publish, int64_t round_ms, struct salts **out,
                          struct err *err);
void salts_stop(struct salts **s); /* takes NULL */

/* Copy the salt of the day of this moment. False: it is not known. Thread-safe. */
bool salts_find(struct salts *s, int64_t now_ms, unsigned char out[SALT_BYTES]);

#endif
