/* Whose events up to when are left out, and from when on anybody's count. */
#include "aggregator/segment/segment_int.h"

#include "core/hash.h"

uint64_t
segment_erased_hash(const struct segment_owner *owner, struct slice visitor)
{
    return hash64(visitor, ~owner->hash_seed);
}

static size_t
first_from(const struct segment_erased_list *l, uint64_t hash)
{
    return hash_lower_bound(l->list, l->n, sizeof *l->list, hash);
}

bool
segment_erased_may_have(const struct segment_erased_list *l, uint64_t hash)
{
    size_t at = l->n == 0 ? 0 : first_from(l, hash);

    return at < l->n && l->list[at].hash == hash;
}

int64_t
segment_erased_from(const struct segment_erased_list *l, uint64_t hash, struct slice visitor)
{
    uint64_t other = segment_erased_hash(&l->owner, visitor);
    int64_t from_ms = l->kept_from_ms > 0 ? l->kept_from_ms : INT64_MIN;

    for (size_t i = first_from(l, hash); i < l->n && l->list[i].hash == hash; i++)
        if (l->list[i].other == other && l->list[i].until_ms >= from_ms)
            from_ms = l->list[i].until_ms + 1;
    return from_ms;
}
