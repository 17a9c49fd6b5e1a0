/* See kept.h. A kept value is as_of, the length of what stands before the snapshot's name, that,
 * and what stands behind it. */
#include "web/api/kept.h"

#include <inttypes.h>
#include <string.h>

#define NAME_MEMBER "\"snapshot\":\""

struct head {
    int64_t as_of_ms;
    size_t n_before;
};

bool
kept_key(const struct kept_question *q, struct buffer *out)
{
    const struct request *r = q->query->request;
    bool is_settled = query_funnel_is_settled(q->query, q->snapshot);

    if (!is_settled && !r->as_of.is_given)
        return false;
    buffer_printf(out, "%s %u %016" PRIx64 " %" PRId64 " %" PRId64 " %s", q->role, q->query->site,
                  q->snapshot->content, r->range.from_ms, r->range.to_ms, zone_name(r->zone));
    if (r->as_of.is_given)
        buffer_printf(out, " %" PRId64, r->as_of_ms);
    if (r->compare.is_given)
        buffer_printf(out, " %" PRId64 " %" PRId64, r->compare.range.from_ms,
                      r->compare.range.to_ms);
    buffer_add_char(out, '\n');
    funnel_add_json(out, q->query->funnel);
    buffer_add_char(out, '\n');
    buffer_add_slice(out, q->asked);
    return true;
}

void
kept_put(struct result_cache *c, struct slice key, const struct kept_report *report,
         const char *snapshot)
{
    struct buffer member = BUFFER_EMPTY, value = BUFFER_EMPTY;
    struct head head = {.as_of_ms = report->as_of_ms};
    size_t begin = 0, n_name = strlen(snapshot);

    buffer_printf(&member, NAME_MEMBER "%s\"", snapshot);
    while (begin + member.n <= report->json.n &&
           memcmp(report->json.p + begin, member.p, member.n) != 0)
        begin++;
    if (begin + member.n <= report->json.n) {
        /* no text of anybody's looks like that: its quotes would be escaped */
        head.n_before = begin + sizeof NAME_MEMBER - 1;
        buffer_add(&value, &head, sizeof head);
        buffer_add(&value, report->json.p, head.n_before);
        buffer_add_slice(&value, slice_sub(report->json, head.n_before + n_name, SIZE_MAX));
        result_cache_put(c, key, buffer_slice(&value));
    }
    buffer_fini(&member);
    buffer_fini(&value);
}

bool
kept_get(struct result_cache *c, struct slice key, const char *snapshot, struct buffer *out,
         int64_t *out_as_of_ms)
{
    struct buffer value = BUFFER_EMPTY;
    bool is_found = result_cache_get(c, key, &value);
    struct slice json;
    struct head head;

    if (is_found) {
        memcpy(&head, value.p, sizeof head);
        json = slice_sub(buffer_slice(&value), sizeof head, SIZE_MAX);
        buffer_add_slice(out, slice_sub(json, 0, head.n_before));
        buffer_add_text(out, snapshot);
        buffer_add_slice(out, slice_sub(json, head.n_before, SIZE_MAX));
        *out_as_of_ms = head.as_of_ms;
    }
    buffer_fini(&value);
    return is_found;
}
