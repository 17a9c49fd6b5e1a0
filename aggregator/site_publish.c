/* Publishing sites. What is not here: when (ingest.c). */
#include "aggregator/site_publish.h"

#include "aggregator/link_target.h"
#include "aggregator/site.h"
#include "core/hash.h"
#include "core/published.h"

/* What is to be published; its hash, never 0, goes on in *hash. */
struct publication {
    struct arena arena;
    struct stream_pair *pairs;
    size_t n;
    uint64_t hash;
};

static void
add_pair(struct publication *p, struct slice key, struct slice value)
{
    p->pairs[p->n++] = (struct stream_pair){key, value};
    p->hash = hash64(key, hash64(value, p->hash));
}

static void
add_site(struct publication *p, const struct site *site)
{
    struct buffer json = BUFFER_EMPTY;

    site_to_json(site, &json);
    add_pair(p, site->public_key, arena_copy(&p->arena, buffer_slice(&json)));
    buffer_fini(&json);
}

static void
add_link(struct publication *p, const struct link_target *link)
{
    struct buffer json = BUFFER_EMPTY;

    buffer_printf(&json, "{\"site\":%u,\"target\":", (unsigned)link->site);
    buffer_add_json(&json, link->target);
    buffer_add_char(&json, '}');
    add_pair(p, arena_printf(&p->arena, PUBLISHED_LINK "%.*s", SLICE_ARG(link->slug)),
             arena_copy(&p->arena, buffer_slice(&json)));
    buffer_fini(&json);
}

enum err_code
site_publish(struct settings_db *settings, struct stream *stream, bool always, uint64_t *published,
             struct err *err)
{
    struct publication p = {.hash = 1};
    struct link_target *links = NULL;
    struct site *sites = NULL;
    size_t n_sites = 0, n_links = 0;
    enum err_code rc;

    arena_init(&p.arena, 16 << 10);
    rc = site_list(settings, &p.arena, &sites, &n_sites, err);
    if (rc == ERR_OK)
        rc = link_target_list(settings, 0, &p.arena, &links, &n_links, err);
    if (rc != ERR_OK)
        goto done;
    p.pairs = ARENA_ARRAY(&p.arena, struct stream_pair, n_sites + n_links + 1);
    add_pair(&p, SLICE(PUBLISHED_MARK), SLICE("1"));
    for (size_t i = 0; i < n_sites; i++)
        add_site(&p, &sites[i]);
    for (size_t i = 0; i < n_links; i++)
        add_link(&p, &links[i]);
    if (p.hash == *published && !always)
        goto done;
    rc = stream_hash_replace(stream, STREAM_SITES, p.pairs, (int)p.n, err);
    if (rc == ERR_OK)
        *published = p.hash;
done:
    arena_fini(&p.arena);
    return rc;
}
