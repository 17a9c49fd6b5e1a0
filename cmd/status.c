/* corong status: what runs, what is stored, what needs a look. */
#include <signal.h>
#include <string.h>

#include "aggregator/query.h"
#include "aggregator/site.h"
#include "cmd/cmd.h"
#include "cmd/state.h"
#include "core/clock.h"
#include "core/timestamp.h"

struct status {
    struct cmd *c;
    struct store store;
    json_t *out; /* the whole answer; the table for people is made of it */
};

static json_t *
text(struct slice s)
{
    return json_stringn(s.p, s.n);
}

static json_t *
moment(int64_t ms)
{
    char when[TIMESTAMP_TEXT_MAX];

    return ms == 0 ? json_null() : json_string(timestamp_format(ms, true, when));
}

/* Which processes of `corong up` are there, by its state file. */
static void
add_processes(struct status *s)
{
    static const char *const told[] = {"collector_port", "web_port"};
    json_t *state = state_read(&s->store);
    json_t *processes = json_object();
    const char *name;
    json_t *pid;

    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        json_t *value = json_object_get(state, told[i]);

        json_object_set(s->out, told[i], value != NULL ? value : json_null());
    }
    json_object_foreach(json_object_get(state, "processes"), name, pid)
    {
        bool is_there = json_integer_value(pid) > 0 && kill((pid_t)json_integer_value(pid), 0) == 0;

        json_object_set_new(processes, name, is_there ? json_incref(pid) : json_null());
    }
    json_object_set_new(s->out, "processes", processes);
    json_decref(state);
}

static void
add_stream(struct status *s)
{
    struct stream_address address;
    struct stream_info info;
    struct stream *stream;
    json_t *j = json_null();
    int64_t used = 0;
    int64_t max = 0;

    if (cmd_redis(s->c, &address, NULL) == ERR_OK) {
        stream = stream_create(&address);
        if (stream_info(stream, &info, NULL) == ERR_OK &&
            stream_memory(stream, &used, &max, NULL) == ERR_OK) {
            int64_t oldest = info.length > 0 ? clock_wall_ms() - (int64_t)info.first.ms : 0;

            j = json_pack("{s:I,s:I,s:I,s:I}", "entries_waiting", (json_int_t)info.length,
                          "oldest_ms", (json_int_t)(oldest > 0 ? oldest : 0), "memory_bytes",
                          (json_int_t)used, "memory_max_bytes", (json_int_t)max);
        }
        stream_destroy(&stream);
    }
    json_object_set_new(s->out, "redis", j);
}

/* Who is one person, and what was said of that and does not count (docs/identity.md). */
static json_t *
identity(const struct query_summary *q)
{
    return json_pack("{s:I,s:I,s:{s:I,s:I}}", "joined_ids", (json_int_t)q->n_joined_ids, "people",
                     (json_int_t)q->n_persons, "not_joined", "other_person",
                     (json_int_t)q->n_links_other, "too_many_ids", (json_int_t)q->n_links_full);
}

static void
print_identity(const json_t *j)
{
    json_int_t joined = json_integer_value(json_object_get(j, "joined_ids"));
    json_int_t people = json_integer_value(json_object_get(j, "people"));
    const json_t *not_joined = json_object_get(j, "not_joined");
    json_int_t other = json_integer_value(json_object_get(not_joined, "other_person"));
    json_int_t full = json_integer_value(json_object_get(not_joined, "too_many_ids"));

    if (joined != 0)
        printf("%-14s %lld ids are %lld people\n", "", (long long)joined, (long long)people);
    if (other + full != 0)
        printf("%-14s not joined: %lld ids that are another person's already, %lld of people with "
               "50 ids\n",
               "", (long long)other, (long long)full);
}

static enum err_code
add_sites(struct status *s, struct err *err)
{
    struct settings_db *db = NULL;
    struct snapshot_pool *pool = NULL;
    struct site *sites;
    json_t *list = json_array();
    size_t n = 0;
    enum err_code rc = settings_db_open(&s->store, &db, err);

    json_object_set_new(s->out, "sites", list);
    if (rc == ERR_OK)
        rc = site_list(db, &s->c->arena, &sites, &n, err);
    if (rc == ERR_OK)
        rc = snapshot_pool_open(&s->store, &pool, err);
    for (size_t i = 0; rc == ERR_OK && i < n; i++) {
        struct query_summary q;

        rc = query_site_summary(pool, sites[i].id, &q, err);
        if (rc == ERR_OK)
            json_array_append_new(
                list, json_pack("{s:o,s:I,s:o,s:o,s:o}", "name", text(sites[i].name), "events",
                                (json_int_t)q.n_events, "first", moment(q.first_ms), "last",
                                moment(q.last_ms), "identity", identity(&q)));
    }
    snapshot_pool_close(&pool);
    settings_db_close(&db);
    return rc;
}

/* How often a stored byte was written; null where nothing was yet. */
static json_t *
amplification(const struct catalog_written *w)
{
    if (w->n_new_bytes == 0)
        return json_null();
    return json_real((double)(w->n_new_bytes + w->n_merged_bytes) / (double)w->n_new_bytes);
}

static enum err_code
add_stored(struct status *s, struct err *err)
{
    struct catalog *catalog = NULL;
    struct catalog_list list = {0};
    struct catalog_alarm *alarms;
    json_t *said = json_array();
    json_int_t bytes = 0;
    json_int_t rows = 0;
    struct catalog_written written = {0, 0};
    uint64_t free_bytes = 0;
    size_t n = 0;
    enum err_code rc = catalog_open(&s->store, true, &catalog, err);

    if (rc == ERR_OK)
        rc = catalog_read(catalog, &s->c->arena, &list, err);
    if (rc == ERR_OK)
        rc = catalog_alarms(catalog, &s->c->arena, &alarms, &n, err);
    if (rc == ERR_OK)
        rc = store_free_bytes(&s->store, &free_bytes, err);
    for (size_t i = 0; rc == ERR_OK && i < list.n; i++) {
        bytes += (json_int_t)list.segments[i].n_bytes;
        rows += (json_int_t)list.segments[i].n_rows;
    }
    for (size_t i = 0; rc == ERR_OK && i < n; i++)
        json_array_append_new(said, json_pack("{s:o,s:o,s:o,s:I}", "code", text(alarms[i].code),
                                              "message", text(alarms[i].message), "last",
                                              moment(alarms[i].last_ms), "times",
                                              (json_int_t)alarms[i].n));
    json_object_set_new(s->out, "segments", json_integer((json_int_t)list.n));
    json_object_set_new(s->out, "events", json_integer(rows));
    json_object_set_new(s->out, "bytes", json_integer(bytes));
    if (rc == ERR_OK)
        written = catalog_written(catalog);
    json_object_set_new(s->out, "written",
                        json_pack("{s:I,s:I,s:o}", "new_bytes", (json_int_t)written.n_new_bytes,
                                  "merged_bytes", (json_int_t)written.n_merged_bytes,
                                  "amplification", amplification(&written)));
    json_object_set_new(s->out, "free_bytes", json_integer((json_int_t)free_bytes));
    json_object_set_new(s->out, "alarms", said);
    catalog_close(&catalog);
    return rc;
}

static void
print_people(const json_t *j)
{
    const json_t *times = json_object_get(json_object_get(j, "written"), "amplification");
    const json_t *redis = json_object_get(j, "redis");
    const json_t *each;
    const char *name;
    json_t *pid;
    size_t i;

    json_object_foreach(json_object_get(j, "processes"), name, pid)
    {
        if (json_is_integer(pid))
            printf("%-14s runs as process %lld\n", name, (long long)json_integer_value(pid));
        else
            printf("%-14s does not run\n", name);
    }
    if (json_is_object(redis))
        printf("%-14s %lld entries wait to be read, %.1f MB\n", "stream",
               (long long)json_integer_value(json_object_get(redis, "entries_waiting")),
               (double)json_integer_value(json_object_get(redis, "memory_bytes")) / 1e6);
    else
        printf("%-14s Redis is away\n", "stream");
    printf("%-14s %lld events in %lld segments, %.1f MB; %.1f GB free\n", "stored",
           (long long)json_integer_value(json_object_get(j, "events")),
           (long long)json_integer_value(json_object_get(j, "segments")),
           (double)json_integer_value(json_object_get(j, "bytes")) / 1e6,
           (double)json_integer_value(json_object_get(j, "free_bytes")) / 1e9);
    if (json_is_real(times))
        printf("%-14s each byte %.1f times so far, merges included\n", "written",
               json_real_value(times));
    json_array_foreach(json_object_get(j, "sites"), i, each)
    {
        printf("%-14s %s: %lld events, the last %s\n", "site",
               json_string_value(json_object_get(each, "name")),
               (long long)json_integer_value(json_object_get(each, "events")),
               json_is_string(json_object_get(each, "last"))
                   ? json_string_value(json_object_get(each, "last"))
                   : "never");
        print_identity(json_object_get(each, "identity"));
    }
    json_array_foreach(json_object_get(j, "alarms"), i, each)
        printf("%-14s %s: %s (%s)\n", "ALARM", json_string_value(json_object_get(each, "code")),
               json_string_value(json_object_get(each, "message")),
               json_string_value(json_object_get(each, "last")));
}

int
cmd_status(struct cmd *c)
{
    struct status s = {.c = c};
    struct err err = ERR_NONE;
    enum err_code rc;

    if (c->n_words != 0)
        return cmd_usage(c);
    rc = store_open(settings_text(c->settings, "data"), false, &s.store, &err);
    if (rc != ERR_OK)
        return cmd_fail(&err);
    s.out = json_object();
    add_processes(&s);
    add_stream(&s);
    rc = add_stored(&s, &err);
    if (rc == ERR_OK)
        rc = add_sites(&s, &err);
    if (rc == ERR_OK && cmd_flag(c, "--json")) {
        json_dumpf(s.out, stdout, JSON_INDENT(1));
        putchar('\n');
    } else if (rc == ERR_OK) {
        print_people(s.out);
    }
    json_decref(s.out);
    return rc == ERR_OK ? CMD_DONE : cmd_fail(&err);
}
