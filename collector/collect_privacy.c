/* Who must leave no trace, and who a visitor is where browsers store nothing. */
#include "collector/collect_int.h"

#include <sodium.h>

#include "core/ticket.h"

static bool
says_one(const struct http_request *r, const char *header)
{
    return slice_is(slice_trim(http_header(r, header)), "1");
}

enum reason
collect__may_keep(const struct site *site, const struct http_request *r, bool has_consent)
{
    const bool *on = site->privacy.on;

    if ((on[PRIVACY_GPC] && says_one(r, "Sec-GPC")) || (on[PRIVACY_DNT] && says_one(r, "DNT")))
        return REASON_OPTED_OUT;
    return on[PRIVACY_CONSENT] && !has_consent ? REASON_NO_CONSENT : REASON_COUNT;
}

struct slice
collect__day_visitor(const struct collect *c, const struct site *site, const struct http_request *r,
                     int64_t received_ms)
{
    unsigned char salt[SALT_BYTES];
    struct slice id;

    if (!salts_find(c->salts, received_ms, salt))
        return SLICE_EMPTY;
    id = visitor_of_day(salt, site->id, r->remote, http_header(r, "User-Agent"), r->arena);
    sodium_memzero(salt, sizeof salt);
    return id;
}
