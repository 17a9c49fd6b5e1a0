/* What the aggregator's tests share: a data folder of their own, events, segments from events. */
#ifndef TESTS_UNIT_AGGREGATOR_FIXTURE_H
#define TESTS_UNIT_AGGREGATOR_FIXTURE_H

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "aggregator/catalog.h"
#include "aggregator/query.h"
#include "aggregator/settings_db.h"
#include "aggregator/snapshot.h"
#include "aggregator/store.h"
#include "aggregator/writer.h"

#define JUNE_2026_MS INT64_C(1780272000000)
#define DAY_MS       INT64_C(86400000)

/* Fail with the words of err where the call did not end as expected. */
#define assert_rc(call, expected)                                                                  \
    do {                                                                                           \
        enum err_code rc_ = (call);                                                                \
        if (rc_ != (expected))                                                                     \
            fail_msg("%s: %s instead of %s: %s", #call, err_code_name(rc_),                        \
                     err_code_name(expected), err.message);                                        \
    } while (0)
#define assert_ok(call) assert_rc(call, ERR_OK)

/* ---- Folders ---- */

static inline void
folder_remove(const char *dir)
{
    char path[FILE_PATH_MAX];
    struct dirent *entry;
    DIR *d = opendir(dir);

    while (d && (entry = readdir(d)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        file_path(path, dir, entry->d_name);
        if (entry->d_type == DT_DIR)
            folder_remove(path);
        else
            unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(dir);
}

static inline size_t
folder_count(const char *dir)
{
    struct dirent *entry;
    DIR *d = opendir(dir);
    size_t n = 0;

    while (d && (entry = readdir(d)) != NULL)
        n += entry->d_name[0] != '.';
    if (d)
        closedir(d);
    return n;
}

/* ---- A data folder with everything open ---- */

struct fixture {
    char dir[64];
    struct store store;
    struct catalog *catalog;
    struct settings_db *settings;
    struct snapshot_pool *pool;
    struct segment_builder *builder;
    struct arena arena;
};

static inline int
fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct segment_owner owner;
    struct err err = ERR_NONE;

    strcpy(f->dir, "/tmp/corong-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    assert_ok(store_open(f->dir, true, &f->store, &err));
    assert_ok(catalog_open(&f->store, true, &f->catalog, &err));
    assert_ok(settings_db_open(&f->store, &f->settings, &err));
    assert_ok(snapshot_pool_open(&f->store, &f->pool, &err));
    owner = store_owner(&f->store);
    f->builder = segment_builder_create(&owner);
    arena_init(&f->arena, 64 << 10);
    *state = f;
    return 0;
}

static inline int
fixture_teardown(void **state)
{
    struct fixture *f = *state;

    segment_builder_destroy(&f->builder);
    snapshot_pool_close(&f->pool);
    settings_db_close(&f->settings);
    catalog_close(&f->catalog);
    arena_fini(&f->arena);
    folder_remove(f->dir);
    free(f);
    return 0;
}

/* ---- Events ---- */

static inline struct event
event_of(uint32_t site, const char *visitor, const char *id, const char *name, int64_t time_ms)
{
    struct event e = {.site = site, .time_ms = time_ms, .origin = ORIGIN_SNIPPET};

    for (int i = 0; i < TEXT_COUNT; i++)
        e.text[i] = SLICE_EMPTY;
    e.visitor = slice_from(visitor);
    e.id = slice_from(id);
    e.text[TEXT_EVENT] = slice_from(name);
    return e;
}

static inline void
fixture_add(struct fixture *f, const struct event *e)
{
    struct err err = ERR_NONE;

    assert_ok(segment_builder_add(f->builder, e, &err));
}

/* What was added becomes one commit. */
static inline void
fixture_commit(struct fixture *f)
{
    struct writer *w = NULL;
    struct err err = ERR_NONE;

    assert_ok(writer_open(&f->store, f->catalog, CATALOG_IMPORT, &w, &err));
    assert_ok(writer_add(w, f->builder, &err));
    assert_ok(writer_commit(w, NULL, &err));
    writer_close(&w);
}

static inline struct catalog_list
fixture_list(struct fixture *f)
{
    struct catalog_list list;
    struct err err = ERR_NONE;

    assert_ok(catalog_read(f->catalog, &f->arena, &list, &err));
    return list;
}

/* What another program does to the catalog. */
static inline void
fixture_change_catalog(struct fixture *f, const char *statements)
{
    char path[FILE_PATH_MAX];
    sqlite3 *db = NULL;

    store_path(&f->store, "catalog.db", path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, statements, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* From the catalog. */
static inline void
fixture_remove_everything(struct fixture *f)
{
    struct catalog_list list = fixture_list(f);
    struct err err = ERR_NONE;

    for (size_t i = 0; i < list.n; i++) {
        char name[1][CATALOG_NAME_MAX];
        struct catalog_change change = {.remove = (const char(*)[CATALOG_NAME_MAX])name,
                                        .n_remove = 1};

        memcpy(name[0], list.segments[i].name, CATALOG_NAME_MAX);
        assert_ok(catalog_commit(f->catalog, &change, &err));
    }
}

/* ---- Reports ---- */

/* A report as JSON, without what differs from run to run; in f->arena. */
static inline enum err_code
fixture_try_report(struct fixture *f, uint32_t site, const char *definition, enum request_bots bots,
                   struct path_range range, struct slice *out, struct err *why)
{
    struct query_funnel q = {.site = site, .n_presets = 1, .want_paths = true};
    struct funnel *funnel = NULL;
    struct query_answer answer;
    struct request request;
    struct buffer json = BUFFER_EMPTY;
    struct err err = ERR_NONE;
    enum err_code rc;

    assert_ok(funnel_parse(slice_from(definition), &funnel, &err));
    request_init(&request);
    request.bots = bots;
    assert_ok(request_finish(&request, SLICE("UTC"), INT64_C(4102444800000), &err));
    request.range = range;
    q.funnel = funnel;
    q.request = &request;
    q.presets[0] = funnel->preset;
    rc = query_funnel(f->pool, &q, &answer, why);
    if (rc == ERR_OK) {
        answer.reports[0].about.elapsed_us = 0;
        answer.reports[0].about.events_read = 0;
        answer.reports[0].about.snapshot = SLICE_EMPTY;
        report_add_json(&json, &answer.reports[0]);
        *out = arena_copy(&f->arena, buffer_slice(&json));
        query_answer_fini(&answer);
    }
    buffer_fini(&json);
    request_fini(&request);
    funnel_destroy(&funnel);
    return rc;
}

static inline struct slice
fixture_report_of_range(struct fixture *f, uint32_t site, const char *definition,
                        enum request_bots bots, struct path_range range)
{
    struct slice out = SLICE_EMPTY;
    struct err err = ERR_NONE;

    assert_ok(fixture_try_report(f, site, definition, bots, range, &out, &err));
    return out;
}

static inline struct slice
fixture_report(struct fixture *f, uint32_t site, const char *definition, enum request_bots bots)
{
    return fixture_report_of_range(f, site, definition, bots, PATH_RANGE_ALL);
}

#define FUNNEL_OF_3                                                                                \
    "{\"window\":\"30d\",\"stages\":["                                                             \
    "{\"name\":\"A\",\"rule\":{\"attribute\":\"event\",\"op\":\"is\",\"values\":[\"a\"]}},"        \
    "{\"name\":\"B\",\"rule\":{\"attribute\":\"event\",\"op\":\"is\",\"values\":[\"b\"]}},"        \
    "{\"name\":\"C\",\"rule\":{\"attribute\":\"event\",\"op\":\"is\",\"values\":[\"c\"]}}]}"

static inline void
assert_contains(struct slice text, const char *part)
{
    if (!slice_contains(text, slice_from(part)))
        fail_msg("\"%s\" is not in %.*s", part, SLICE_ARG(text));
}

#endif
