/* Publishing sites. What is not here: when (ingest.c). */
#include "aggregator/site_publish.h"

#include "aggregator/site.h"
#include "core/hash.h"
#include "core/published.h"

enum err_code
site_publish(struct settings_db *settings, struct stream *stream, bool always, uint64_t *published,
             struct err *err)
{
    struct stream_pair *pairs;
    struct site *sites = NULL;
    uint64_t hash = 1; /* never 0: no sites are to be published too */
    struct arena a;
    enum err_code rc;
    size_t n = 0;

    arena_init(&a, 16 << 10);
    rc = site_list(settings, &a, &sites, &n, err);
    if (rc != ERR_OK)
        goto done;
    pairs = ARENA_ARRAY(&a, struct stream_pair, n + 1);
    pairs[n] = (struct stream_pair){SLICE(PUBLISHED_MARK), SLICE("1")};
    for (size_t i = 0; i < n; i++) {
        struct buffer json = BUFFER_EMPTY;

        site_to_json(&sites[i], &json);
        pairs[i] = (struct stream_pair){sites[i].public_key, arena_copy(&a, buffer_slice(&json))};
        buffer_fini(&json);
        hash = hash64(pairs[i].key, hash64(pairs[i].value, hash));
    }
    if (hash == *published && !always)
        goto done;
    rc = stream_hash_replace(stream, STREAM_SITES, pairs, (int)n + 1, err);
    if (rc == ERR_OK)
        *published = hash;
done:
    arena_fini(&a);
    return rc;
}
