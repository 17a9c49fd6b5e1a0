/* What an id must be, to be one person's and always the same. */
#include "collector/visitor.h"

#include <sodium.h>
#include <stdlib.h>
#include <sys/random.h>

#include "core/address.h"
#include "core/bytes.h"

#define TIME_DIGITS   13 /* of ms since the epoch, until the year 2286 */
#define ID_DIGITS_MAX (TIME_DIGITS + 20)

/* C0, DEL and C1: event_prepare refuses them, so nothing else may take them. */
static bool
has_control_characters(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c < 0x20 || c == 0x7F)
            return true;
        if (c == 0xC2 && i + 1 < s.n && (unsigned char)s.p[i + 1] < 0xA0)
            return true;
    }
    return false;
}

static enum err_code
check_id(const char *field, struct slice id, struct err *err)
{
    if (id.n == 0)
        return err_set(err, ERR_INVALID, field, "missing or empty");
    if (id.n > EVENT_VISITOR_MAX)
        return err_set(err, ERR_INVALID, field, "longer than %d bytes", EVENT_VISITOR_MAX);
    if (!slice_is_utf8(id) || has_control_characters(id))
        return err_set(err, ERR_INVALID, field,
                       "has control characters or bytes that are not UTF-8");
    return ERR_OK;
}

enum err_code
visitor_check(struct slice id, struct err *err)
{
    return check_id("visitor", id, err);
}

enum err_code
visitor_check_known(struct slice id, struct err *err)
{
    static const char *const nobody[] = {"", "null", "undefined", "anonymous", "guest", "0"};
    enum err_code rc = check_id("known", id, err);

    for (size_t i = 0; rc == ERR_OK && i < sizeof nobody / sizeof *nobody; i++)
        if (slice_equal_nocase(slice_trim(id), slice_from(nobody[i])))
            rc = err_set(err, ERR_INVALID, "known", "\"%s\" is nobody's id", nobody[i]);
    return rc;
}

enum err_code
visitor_check_event(const struct event *e, struct err *err)
{
    bool is_handover = slice_equal(e->text[TEXT_EVENT], EVENT_HANDOVER);

    if (is_handover && (e->origin == ORIGIN_SNIPPET || e->origin == ORIGIN_PIXEL))
        return err_set(err, ERR_INVALID, "event", "handover is the collector's own word");
    if (is_handover || slice_equal(e->text[TEXT_EVENT], EVENT_IDENTIFY))
        return visitor_check_known(e->text[TEXT_KNOWN], err);
    if (e->text[TEXT_KNOWN].n != 0)
        return err_set(err, ERR_INVALID, "known", "belongs to the event identify only");
    return ERR_OK;
}

struct slice
visitor_make(int64_t now_ms, struct arena *a)
{
    uint32_t r[2];

    if (getrandom(r, sizeof r, 0) != (ssize_t)sizeof r)
        abort(); /* 8 bytes never come short once the system is up */
    return arena_printf(a, "%013lld%u%u", (long long)now_ms, (unsigned)r[0], (unsigned)r[1]);
}

int64_t
visitor_life_left(struct slice id, int64_t now_ms)
{
    int64_t born_ms, left_ms;

    if (id.n <= TIME_DIGITS || id.n > ID_DIGITS_MAX)
        return 0;
    for (size_t i = 0; i < id.n; i++)
        if (id.p[i] < '0' || id.p[i] > '9')
            return 0;
    slice_to_int64(slice_sub(id, 0, TIME_DIGITS), &born_ms);
    left_ms = born_ms + VISITOR_LIFE_MS - now_ms;
    if (left_ms > VISITOR_LIFE_MS) /* made by a clock that is ahead of ours */
        return VISITOR_LIFE_MS;
    return left_ms > 0 ? left_ms : 0;
}

struct slice
visitor_of_day(const unsigned char salt[VISITOR_SALT_BYTES], uint32_t site, struct slice address,
               struct slice user_agent, struct arena *a)
{
    unsigned char fixed[4 + 16] = {0}, hash[16];
    crypto_generichash_state state;
    char *hex = arena_alloc(a, 2 * sizeof hash + 1);

    store_u32((char *)fixed, site);
    address_parse(address, fixed + 4);
    crypto_generichash_init(&state, salt, VISITOR_SALT_BYTES, sizeof hash);
    crypto_generichash_update(&state, fixed, sizeof fixed);
    crypto_generichash_update(&state, (const unsigned char *)user_agent.p, user_agent.n);
    crypto_generichash_final(&state, hash, sizeof hash);
    sodium_bin2hex(hex, 2 * sizeof hash + 1, hash, sizeof hash);
    return slice_of(hex, 2 * sizeof hash);
}
