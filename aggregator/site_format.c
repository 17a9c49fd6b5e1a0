/* What others get of a site: collectors its settings, pages their tag, people a ticket. */
#include <sodium.h>

#include "aggregator/site.h"
#include "core/ticket.h"

struct slice
site_debug_ticket(const struct site *s, struct arena *a, int64_t now_ms)
{
    unsigned char key[TICKET_KEY_BYTES];
    size_t n = 0;

    if (sodium_hex2bin(key, sizeof key, s->secret_sha256.p, s->secret_sha256.n, NULL, &n, NULL) !=
            0 ||
        n != sizeof key)
        return SLICE_EMPTY; /* no key, no ticket */
    return ticket_make(a, TICKET_DEBUG, key, SLICE("debug"), now_ms);
}

static void
add_member(struct buffer *out, const char *name, struct slice value)
{
    buffer_printf(out, ",\"%s\":", name);
    buffer_add_json(out, value);
}

/* The attribute for another beacon path than the snippet's own: seen from the script's address, so
 * that it also holds behind a proxy's path. */
static struct slice
endpoint_attribute(const struct site_tag *tag, struct arena *a)
{
    struct slice up = SLICE_EMPTY, beacon = slice_sub(tag->beacon_path, 1, SIZE_MAX);

    for (size_t i = 1; i < tag->snippet_path.n; i++)
        if (tag->snippet_path.p[i] == '/')
            up = arena_printf(a, "%.*s../", SLICE_ARG(up));
    if (up.n == 0 && slice_is(beacon, "e"))
        return SLICE_EMPTY;
    return arena_printf(a, " data-endpoint=\"%.*s%.*s\"", SLICE_ARG(up), SLICE_ARG(beacon));
}

struct slice
site_snippet(const struct site *s, const struct site_tag *tag, struct arena *a)
{
    const bool *on = s->privacy.on;
    const char *respect = on[PRIVACY_GPC] && on[PRIVACY_DNT] ? " data-respect=\"gpc dnt\""
                          : on[PRIVACY_GPC]                  ? " data-respect=\"gpc\""
                          : on[PRIVACY_DNT]                  ? " data-respect=\"dnt\""
                                                             : "";

    return arena_printf(a, "<script defer src=\"%.*s%.*s\" data-site=\"%.*s\"%.*s%s%s%s></script>",
                        SLICE_ARG(tag->collector_url), SLICE_ARG(tag->snippet_path),
                        SLICE_ARG(s->public_key), SLICE_ARG(endpoint_attribute(tag, a)),
                        on[PRIVACY_COOKIELESS] ? " data-identity=\"cookieless\"" : "",
                        on[PRIVACY_CONSENT] ? " data-consent=\"required\"" : "", respect);
}

struct slice *
site_quiet_hosts(const struct site *s, struct arena *a, uint32_t *out_n)
{
    struct slice *hosts =
        ARENA_ARRAY(a, struct slice, s->n_ignored_referrers + (size_t)s->n_hosts + 1);
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->n_ignored_referrers; i++)
        hosts[n++] = s->ignored_referrers[i];
    for (uint32_t i = 0; i < s->n_hosts; i++)
        hosts[n++] = s->hosts[i];
    *out_n = n;
    return hosts;
}

void
site_to_json(const struct site *s, struct buffer *out)
{
    const struct slice *const lists[] = {s->ignored_referrers, s->hosts};
    const uint32_t n_lists[] = {s->n_ignored_referrers, s->n_hosts};
    bool is_first = true;

    buffer_printf(out, "{\"id\":%u", (unsigned)s->id);
    add_member(out, "name", s->name);
    add_member(out, "domain", s->domain);
    add_member(out, "timezone", s->timezone);
    add_member(out, "currency", s->currency);
    buffer_printf(out, ",\"max_age_ms\":%lld,\"max_events_per_visitor_day\":%lld",
                  (long long)s->max_age_ms, (long long)s->max_events_per_visitor_day);
    add_member(out, "secret_sha256", s->secret_sha256);
    buffer_add_text(out, ",\"ignored_referrers\":[");
    for (int k = 0; k < 2; k++) { /* as site_quiet_hosts */
        for (uint32_t i = 0; i < n_lists[k]; i++) {
            buffer_add_text(out, is_first ? "" : ",");
            buffer_add_json(out, lists[k][i]);
            is_first = false;
        }
    }
    buffer_add_text(out, "],\"event_keys\":[");
    for (uint32_t i = 0; i < s->n_event_keys; i++) {
        buffer_add_text(out, i > 0 ? "," : "");
        buffer_add_json(out, s->event_keys[i]);
    }
    buffer_add_char(out, ']');
    for (int i = 0; i < PRIVACY_COUNT; i++) {
        enum privacy_setting p = (enum privacy_setting)i;
        add_member(out, privacy_name(p), slice_from(privacy_word(&s->privacy, p)));
    }
    buffer_printf(out, ",\"demo\":%s}", s->is_demo ? "true" : "false");
}
