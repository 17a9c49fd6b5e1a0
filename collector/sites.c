#include "collector/sites.h"

#include <jansson.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/published.h"
#include "core/ticker.h"
#include "core/url.h"

#define ARENA_BYTES      (16 * 1024)
#define SITE_JSON_MAX    (64 * 1024)
#define EAGER_REFRESH_MS 100 /* until the first settings are there */
#define HASTY_MS         500
#define COPY_BYTES_MAX   (64 * 1024 * 1024)
#define MAX_AGE_MS       (INT64_C(100) * 366 * 86400 * 1000)
_Static_assert(SITES_SECRET == crypto_hash_sha256_BYTES, "a secret is kept as its SHA-256");

/* Immutable once published; its memory is its arena. */
struct sites_table {
    atomic_int n_users; /* the one in `sites` included */
    struct arena arena;
    struct site *sites; /* sorted by key */
    int n;
    struct site_link *links; /* sorted by slug */
    int n_links;
    bool is_known;
};

struct sites {
    struct stream *stream; /* of the thread */
    int64_t refresh_ms;
    struct ticker *ticker;
    pthread_mutex_t mutex; /* guards `table` (the pointer), which only the thread sets */
    struct sites_table *table;

    char copy_path[FILE_PATH_MAX]; /* "": none */
    uint64_t seen;                 /* hash of what the table was made from */
    bool is_away;                  /* said once */
};

/* ---- One site from its JSON ---- */

static bool
take_text(const json_t *object, const char *name, struct arena *a, struct slice *out)
{
    const json_t *v = json_object_get(object, name);

    *out = SLICE_EMPTY;
    if (!v || json_is_null(v))
        return true;
    if (!json_is_string(v))
        return false;
    *out = arena_copy(a, slice_of(json_string_value(v), json_string_length(v)));
    return true;
}

static bool
take_integer(const json_t *object, const char *name, int64_t max, int64_t *out)
{
    const json_t *v = json_object_get(object, name);

    if (!v || json_is_null(v))
        return true; /* keeps what it was */
    if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > max)
        return false;
    *out = json_integer_value(v);
    return true;
}

static bool
take_secret(const json_t *object, struct site *site)
{
    const char *hex = json_string_value(json_object_get(object, "secret_sha256"));
    size_t n;

    if (!hex)
        return true;
    site->has_secret =
        sodium_hex2bin(site->secret, sizeof site->secret, hex, strlen(hex), NULL, &n, NULL) == 0 &&
        n == sizeof site->secret;
    return site->has_secret;
}

static bool
take_event_keys(const json_t *object, struct arena *a, struct site *site)
{
    const json_t *list = json_object_get(object, "event_keys");
    size_t n = json_array_size(list), n_bytes;

    site->event_keys = arena_alloc(a, (n + 1) * sizeof *site->event_keys);
    for (size_t i = 0; i < n; i++) {
        const char *hex = json_string_value(json_array_get(list, i));

        if (!hex ||
            sodium_hex2bin(site->event_keys[i], SITES_SECRET, hex, strlen(hex), NULL, &n_bytes,
                           NULL) != 0 ||
            n_bytes != SITES_SECRET)
            return false;
    }
    site->n_event_keys = n;
    return true;
}

static bool
take_hosts(const json_t *object, struct arena *a, struct site *site)
{
    const json_t *list = json_object_get(object, "ignored_referrers");
    struct slice *hosts;
    size_t n = json_array_size(list);

    if (list && !json_is_array(list))
        return json_is_null(list);
    hosts = ARENA_ARRAY(a, struct slice, n + 1);
    for (size_t i = 0; i < n; i++) {
        const json_t *host = json_array_get(list, i);
        if (!json_is_string(host))
            return false;
        hosts[i] = arena_copy(a, slice_of(json_string_value(host), json_string_length(host)));
    }
    site->ignored_referrers = hosts;
    site->n_ignored_referrers = n;
    return true;
}

/* A word that is missing is the one before there was a choice: an older aggregator's. */
static bool
take_privacy(const json_t *object, struct privacy *out)
{
    for (int i = 0; i < PRIVACY_COUNT; i++) {
        const json_t *word = json_object_get(object, privacy_name((enum privacy_setting)i));
        if (word && privacy_set(out, (enum privacy_setting)i, slice_from(json_string_value(word)),
                                NULL) != ERR_OK)
            return false;
    }
    return true;
}

static bool
read_site(const struct stream_pair *pair, struct arena *a, struct site *out)
{
    struct site s = {.max_age_ms = 86400000, .max_events_per_visitor_day = 5000};
    json_t *root = NULL;
    int64_t id = 0;
    bool is_good;

    if (pair->value.n <= SITE_JSON_MAX)
        root = json_loadb(pair->value.p, pair->value.n, JSON_REJECT_DUPLICATES, NULL);
    s.key = arena_copy(a, pair->key);
    is_good = json_is_object(root) && take_integer(root, "id", UINT32_MAX, &id) && id > 0 &&
              take_text(root, "name", a, &s.name) && take_text(root, "domain", a, &s.domain) &&
              take_text(root, "timezone", a, &s.timezone) &&
              take_text(root, "currency", a, &s.currency) &&
              take_integer(root, "max_age_ms", MAX_AGE_MS, &s.max_age_ms) &&
              take_integer(root, "max_events_per_visitor_day", INT32_MAX,
                           &s.max_events_per_visitor_day) &&
              take_secret(root, &s) && take_event_keys(root, a, &s) && take_hosts(root, a, &s) &&
              take_privacy(root, &s.privacy);
    json_decref(root);
    s.id = (uint32_t)id;
    if (is_good)
        *out = s;
    return is_good;
}

static const struct site *
find_id(const struct site *sites, int n, int64_t id)
{
    for (int i = 0; i < n; i++)
        if (sites[i].id == id)
            return &sites[i];
    return NULL;
}

/* Sites, where they are, do not move any more. False: unreadable, or of a site that is. */
static bool
read_link(const struct stream_pair *pair, struct sites_table *t, struct site_link *out)
{
    struct site_link l = {.target = SLICE_EMPTY};
    struct slice slug = slice_sub(pair->key, sizeof PUBLISHED_LINK - 1, pair->key.n);
    json_t *root = NULL;
    int64_t site = 0;
    struct url url;
    bool is_good;

    if (pair->value.n <= SITE_JSON_MAX)
        root = json_loadb(pair->value.p, pair->value.n, JSON_REJECT_DUPLICATES, NULL);
    is_good = json_is_object(root) && take_integer(root, "site", UINT32_MAX, &site) &&
              take_text(root, "target", &t->arena, &l.target) && url_split(l.target, &url) &&
              url.scheme.n != 0;
    json_decref(root);
    l.site = find_id(t->sites, t->n, site);
    l.slug = arena_copy(&t->arena, slug);
    if (is_good && l.site)
        *out = l;
    return is_good && l.site;
}

/* ---- The table ---- */

static struct sites_table *
table_create(void)
{
    struct sites_table *t = mem_zalloc(sizeof *t);

    atomic_init(&t->n_users, 1);
    arena_init(&t->arena, ARENA_BYTES);
    return t;
}

static void
table_release(struct sites_table *t)
{
    if (atomic_fetch_sub(&t->n_users, 1) != 1)
        return;
    arena_fini(&t->arena);
    free(t);
}

static int
compare_keys(const void *a, const void *b)
{
    return slice_compare(((const struct site *)a)->key, ((const struct site *)b)->key);
}

static bool
is_link(const struct stream_pair *pair)
{
    return slice_starts_with(pair->key, SLICE(PUBLISHED_LINK));
}

static int
compare_slugs(const void *a, const void *b)
{
    return slice_compare(((const struct site_link *)a)->slug, ((const struct site_link *)b)->slug);
}

static void
read_links(struct sites_table *t, const struct stream_pair *pairs, int n)
{
    t->links = ARENA_ARRAY(&t->arena, struct site_link, (size_t)n + 1);
    for (int i = 0; i < n; i++) {
        if (is_link(&pairs[i]) && read_link(&pairs[i], t, &t->links[t->n_links]))
            t->n_links++;
    }
    qsort(t->links, (size_t)t->n_links, sizeof *t->links, compare_slugs);
}

static struct sites_table *
table_read(const struct stream_pair *pairs, int n)
{
    struct sites_table *t = table_create();

    t->sites = ARENA_ARRAY(&t->arena, struct site, (size_t)n + 1);
    for (int i = 0; i < n; i++) {
        if (slice_is(pairs[i].key, PUBLISHED_MARK) || is_link(&pairs[i]))
            continue;
        if (read_site(&pairs[i], &t->arena, &t->sites[t->n]))
            t->n++;
        else
            log_error("the settings of a site are unreadable; its events are refused (key %.*s)",
                      (int)(pairs[i].key.n < 40 ? pairs[i].key.n : 40), pairs[i].key.p);
    }
    t->is_known = true;
    qsort(t->sites, (size_t)t->n, sizeof *t->sites, compare_keys);
    read_links(t, pairs, n);
    return t;
}

static int
compare_pairs(const void *a, const void *b)
{
    return slice_compare(((const struct stream_pair *)a)->key,
                         ((const struct stream_pair *)b)->key);
}

static uint64_t
hash_pairs(struct stream_pair *pairs, int n)
{
    uint64_t h = 1;

    qsort(pairs, (size_t)n, sizeof *pairs, compare_pairs); /* a hash has no order of its own */
    for (int i = 0; i < n; i++)
        h = hash64(pairs[i].value, hash64(pairs[i].key, h));
    return h;
}

/* ---- The copy, for a start while Redis is away ----
 *
 *   OFFSET  SIZE  MEANING
 *   0       8     "CORSITE1"
 *   8       8     XXH3-64 of all that follows
 *   16      ..    pairs until the end: u32 bytes of the key, the key, u32 bytes of the value, the
 *                 value (JSON, as in Redis)
 */

#define COPY_MAGIC  "CORSITE1"
#define COPY_HEADER 16

static void
write_copy(const struct sites *s, const struct stream_pair *pairs, int n)
{
    struct buffer out = BUFFER_EMPTY;
    struct err err;

    if (s->copy_path[0] == '\0')
        return;
    buffer_add_text(&out, COPY_MAGIC);
    buffer_add_u64(&out, 0);
    for (int i = 0; i < n; i++) {
        buffer_add_u32(&out, (uint32_t)pairs[i].key.n);
        buffer_add_slice(&out, pairs[i].key);
        buffer_add_u32(&out, (uint32_t)pairs[i].value.n);
        buffer_add_slice(&out, pairs[i].value);
    }
    store_u64(out.p + 8, checksum64(out.p + COPY_HEADER, out.n - COPY_HEADER));
    if (file_replace(s->copy_path, buffer_slice(&out), 0600, &err) != ERR_OK)
        log_warn("the settings of the sites are not kept for the next start: %s", err.message);
    buffer_fini(&out);
}

static bool
take_bytes(struct slice *rest, struct slice *out)
{
    size_t n = rest->n >= 4 ? load_u32(rest->p) : SIZE_MAX;

    if (rest->n < 4 || n > rest->n - 4)
        return false;
    *out = slice_sub(*rest, 4, n);
    *rest = slice_sub(*rest, 4 + n, rest->n);
    return true;
}

/* NULL where there is no copy, or none that can be believed. */
static struct sites_table *
read_copy(const char *path)
{
    struct buffer bytes = BUFFER_EMPTY;
    struct sites_table *t = NULL;
    struct stream_pair *pairs;
    struct slice rest;
    struct err err;
    int n = 0;

    if (path[0] == '\0' || !file_exists(path))
        return NULL;
    if (file_read(path, COPY_BYTES_MAX, &bytes, &err) != ERR_OK) {
        log_warn("the settings of the sites of the last run cannot be read: %s", err.message);
        return NULL;
    }
    rest = slice_sub(buffer_slice(&bytes), COPY_HEADER, bytes.n);
    pairs = mem_alloc((rest.n / 8 + 1) * sizeof *pairs);
    if (bytes.n >= COPY_HEADER && memcmp(bytes.p, COPY_MAGIC, 8) == 0 &&
        load_u64(bytes.p + 8) == checksum64(rest.p, rest.n)) {
        while (take_bytes(&rest, &pairs[n].key) && take_bytes(&rest, &pairs[n].value))
            n++;
        t = table_read(pairs, n);
    } else {
        log_warn("the settings of the sites of the last run are damaged: %s", path);
    }
    free(pairs);
    buffer_fini(&bytes);
    return t;
}

/* ---- The thread ---- */

static void
swap_table(struct sites *s, struct sites_table *t)
{
    struct sites_table *old;

    pthread_mutex_lock(&s->mutex);
    old = s->table;
    s->table = t;
    pthread_mutex_unlock(&s->mutex);
    table_release(old);
}

static void
refresh(struct sites *s)
{
    struct arena arena;
    struct stream_pair *pairs;
    struct err err;
    uint64_t hash;
    int n;

    arena_init(&arena, ARENA_BYTES);
    if (stream_hash_read(s->stream, STREAM_SITES, &arena, &pairs, &n, &err) != ERR_OK) {
        if (!s->is_away)
            log_warn("the settings of the sites cannot be read: %s", err.message);
        s->is_away = true;
    } else {
        s->is_away = false;
        hash = n > 0 ? hash_pairs(pairs, n) : s->seen; /* no mark, even: it was wiped */
        if (hash != s->seen) {
            swap_table(s, table_read(pairs, n));
            write_copy(s, pairs, n);
            s->seen = hash;
        }
    }
    arena_fini(&arena);
}

static int64_t
tick(void *context)
{
    struct sites *s = context;

    refresh(s);
    return s->table->is_known || s->refresh_ms < EAGER_REFRESH_MS ? s->refresh_ms
                                                                  : EAGER_REFRESH_MS;
}

static void
destroy(struct sites *s)
{
    stream_destroy(&s->stream);
    table_release(s->table);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

enum err_code
sites_start(const struct stream_address *redis, int64_t refresh_ms, const char *copy_path,
            struct sites **out, struct err *err)
{
    struct stream_address address = *redis;
    struct sites_table *copy = NULL;
    struct sites *s = mem_zalloc(sizeof *s);
    enum err_code rc;

    if (!slice_to_cstr(slice_from(copy_path), s->copy_path, sizeof s->copy_path)) {
        free(s);
        return err_set(err, ERR_INVALID, "", "the copy of the sites has too long a name");
    }
    if (s->copy_path[0] && file_exists(s->copy_path) && address.timeout_ms > HASTY_MS)
        address.timeout_ms = HASTY_MS; /* a start need not wait for a Redis that hangs */
    s->stream = stream_create(&address);
    s->refresh_ms = refresh_ms;
    s->table = table_create();
    pthread_mutex_init(&s->mutex, NULL);
    refresh(s);
    if (!s->table->is_known && (copy = read_copy(s->copy_path)) != NULL) {
        log_info("the settings of %d sites are those of the last run", copy->n);
        swap_table(s, copy);
    }
    rc = ticker_start(tick, s, s->table->is_known ? refresh_ms : EAGER_REFRESH_MS, &s->ticker, err);
    if (rc != ERR_OK)
        destroy(s);
    else
        *out = s;
    return rc;
}

void
sites_stop(struct sites **s)
{
    if (!*s)
        return;
    ticker_stop(&(*s)->ticker);
    destroy(*s);
    *s = NULL;
}

/* ---- Requests ---- */

const struct sites_table *
sites_acquire(struct sites *s)
{
    struct sites_table *t;

    pthread_mutex_lock(&s->mutex); /* held for two loads and an add, never over Redis */
    t = s->table;
    atomic_fetch_add(&t->n_users, 1);
    pthread_mutex_unlock(&s->mutex);
    return t;
}

void
sites_release(const struct sites_table *t)
{
    table_release((struct sites_table *)(uintptr_t)t);
}

bool
sites_are_known(const struct sites_table *t)
{
    return t->is_known;
}

int
sites_count(const struct sites_table *t)
{
    return t->n;
}

bool
sites_any_cookieless(const struct sites_table *t)
{
    for (int i = 0; i < t->n; i++)
        if (t->sites[i].privacy.on[PRIVACY_COOKIELESS])
            return true;
    return false;
}

const struct site *
sites_find_key(const struct sites_table *t, struct slice key)
{
    struct site wanted = {.key = key};

    if (t->n == 0)
        return NULL;
    return bsearch(&wanted, t->sites, (size_t)t->n, sizeof *t->sites, compare_keys);
}

const struct site *
sites_find_id(const struct sites_table *t, uint32_t id)
{
    return find_id(t->sites, t->n, id);
}

const struct site_link *
sites_find_link(const struct sites_table *t, struct slice slug)
{
    struct site_link wanted = {.slug = slug};

    if (t->n_links == 0)
        return NULL;
    return bsearch(&wanted, t->links, (size_t)t->n_links, sizeof *t->links, compare_slugs);
}

const struct site *
sites_find_secret(const struct sites_table *t, struct slice secret_key)
{
    unsigned char hash[SITES_SECRET];
    const struct site *found = NULL;

    crypto_hash_sha256(hash, (const unsigned char *)secret_key.p, secret_key.n);
    for (int i = 0; i < t->n; i++) { /* hundreds at most, and every one is looked at */
        const struct site *s = &t->sites[i];

        if (s->has_secret && sodium_memcmp(s->secret, hash, sizeof hash) == 0)
            found = s;
        for (size_t k = 0; k < s->n_event_keys; k++)
            if (sodium_memcmp(s->event_keys[k], hash, sizeof hash) == 0)
                found = s;
    }
    return found;
}
