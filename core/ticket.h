/* Short-lived words of a site, which whoever knows the site's key can check without asking anybody:
 *
 *     <word>.<made, ms since the epoch>.<mac>        "k3b..9f.1780315200000.Jx0c..-w"
 *
 * The key is the SHA-256 of the site's secret key: settings.db and the collectors have it, browsers
 * never do. The mac is BLAKE2b with this key, 16 bytes in the url-safe alphabet, over the use, the
 * word and the time; a ticket of one use is none of another.
 */
#ifndef CORE_TICKET_H
#define CORE_TICKET_H

#include "core/arena.h"
#include "core/slice.h"

#define TICKET_KEY_BYTES 32
#define TICKET_WORD_MAX  64

enum ticket_use {
    TICKET_VISITOR = 'v', /* word: an id on its way from one domain to another */
    TICKET_DEBUG = 'd',   /* word: "debug"; whose beacons are told what became of them */
};

#define TICKET_VISITOR_MS (60 * 1000)
#define TICKET_DEBUG_MS   (30 * 60 * 1000)

/* 1 to TICKET_WORD_MAX letters, digits, - and _: what may be the word of a ticket. */
bool ticket_is_word(struct slice word);

/* word: ticket_is_word. Lives in the arena. */
struct slice ticket_make(struct arena *a, enum ticket_use use,
                         const unsigned char key[TICKET_KEY_BYTES], struct slice word,
                         int64_t now_ms);

/* Was this ticket made for this use with this key, at most its life before now_ms (and not over a
 * minute after it)? *word then borrows from it. */
bool ticket_check(enum ticket_use use, const unsigned char key[TICKET_KEY_BYTES],
                  struct slice ticket, int64_t now_ms, struct slice *word);

#endif
