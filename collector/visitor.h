/* Who a visitor is: the rules that an id must keep to. Ids come from the snippet's first-party
 * storage, from servers and from imports. Only for a cookieless site an id is made here, of what a
 * request brings along; the address is used for that and not kept. */
#ifndef COLLECTOR_VISITOR_H
#define COLLECTOR_VISITOR_H

#include "core/event.h"

/* An id of an event: 1..EVENT_VISITOR_MAX bytes of UTF-8 without control characters (they would be
 * removed, and the id would be another one). ERR_INVALID with field "visitor". */
enum err_code visitor_check(struct slice id, struct err *err);

/* An id that a site knows a person by. Besides the rules above, what sites send when they know
 * nobody is refused: null, undefined, anonymous, guest, 0 (in any case). ERR_INVALID, "known". */
enum err_code visitor_check_known(struct slice id, struct err *err);

/* An id for somebody who has none, of the shape that the snippet's have too: ms since the epoch
 * when it was made, 13 digits, and up to 20 random ones. The newer of two is therefore the greater,
 * and nobody need keep how old an id is. In the arena. */
struct slice visitor_make(int64_t now_ms, struct arena *a);

/* How long a browser may go on with an id (the shortest 13 months there are), from now: 0 where
 * that is over, or the id is not of the shape above. */
#define VISITOR_LIFE_MS (INT64_C(393) * 86400000)
int64_t visitor_life_left(struct slice id, int64_t now_ms);

/* Does the event keep to what `known` may be? An identify or handover event has one, no other has.
 * A handover is the collector's own word about a ticket that it has checked, or a server's: what
 * anybody can send (snippet, pixel) may not join two browsers. ERR_INVALID, "known" or "event". */
enum err_code visitor_check_event(const struct event *e, struct err *err);

/* The id of a cookieless visitor, for as long as the salt (collector/salt.h) lives: 32 hex digits,
 * BLAKE2b (libsodium's crypto_generichash) of site, address and user agent with the salt as key. In
 * the arena. An address that is none (address_parse) counts as no address. */
#define VISITOR_SALT_BYTES 32
struct slice visitor_of_day(const unsigned char salt[VISITOR_SALT_BYTES], uint32_t site,
                            struct slice address, struct slice user_agent, struct arena *a);

#endif
