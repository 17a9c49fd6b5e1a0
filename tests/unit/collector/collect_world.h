/* The collector whole: HTTP on one side, a real redis-server on the other. Time stands at NOW. */
#ifndef TESTS_UNIT_COLLECTOR_COLLECT_WORLD_H
#define TESTS_UNIT_COLLECTOR_COLLECT_WORLD_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "collector/collect.h"
#include "core/clock.h"
#include "core/codec.h"
#include "tests/support/http_client.h"
#include "tests/support/patience.h"
#include "tests/support/redis_fixture.h"

#define NOW INT64_C(1780315200000) /* 2026-06-01T12:00:00Z */
#define DAY INT64_C(86400000)

struct fixture {
    struct redis_fixture redis;
    struct collect_config config;
    struct collect *collect;
    struct stream *stream;
    struct arena arena;
    int port;
};

/* A Redis with these fields of the sites' hash; the collector is not started yet. */
static inline struct fixture *
world_open(const struct stream_pair *published, int n)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct err err;

    clock_set_wall_ms(NOW);
    arena_init(&f->arena, 4096);
    redis_fixture_start(&f->redis, REDIS_DURABLE);
    f->config = (struct collect_config){.address = "127.0.0.1",
                                        .n_threads = 4,
                                        .queue = 16,
                                        .trusted_proxies = "127.0.0.1",
                                        .beacon_bytes_max = 65536,
                                        .publish_wait_ms = 3 * REDIS_PATIENCE_MS};
    assert_int_equal(stream_address_parse(slice_from(f->redis.socket), &f->config.redis, &err),
                     ERR_OK);
    f->config.redis.timeout_ms = REDIS_PATIENCE_MS;
    f->stream = stream_create(&f->config.redis);
    assert_int_equal(stream_hash_replace(f->stream, STREAM_SITES, published, n, &err), ERR_OK);
    return f;
}

static inline void
world_start(struct fixture *f)
{
    struct err err;

    assert_int_equal(collect_start(&f->config, &f->collect, &err), ERR_OK);
    f->port = collect_port(f->collect);
}

static inline int
tear_down(void **state)
{
    struct fixture *f = *state;

    collect_stop(&f->collect);
    stream_destroy(&f->stream);
    redis_fixture_stop(&f->redis);
    arena_fini(&f->arena);
    clock_set_wall_ms(-1);
    free(f);
    return 0;
}

/* Every event in the stream, decoded. No entry holds the address that the tests come from. */
static inline int
read_events(struct fixture *f, struct event *out, int max)
{
    struct stream_entry *entries;
    struct codec_reader reader;
    struct slice payload;
    struct err err;
    int n_entries, n = 0;

    assert_int_equal(stream_read(f->stream, (struct stream_id){0, 0}, 1000, 0, &f->arena, &entries,
                                 &n_entries, &err),
                     ERR_OK);
    for (int i = 0; i < n_entries; i++) {
        assert_false(slice_contains(entries[i].batch, SLICE("81.2.69")));
        assert_int_equal(codec_reader_init(&reader, entries[i].batch, &err), ERR_OK);
        while (codec_reader_next(&reader, &payload)) {
            assert_true(n < max);
            assert_int_equal(codec_decode(payload, &f->arena, &out[n++], &err), ERR_OK);
        }
        assert_int_equal(reader.n_bad, 0);
    }
    return n;
}

/* The same once there are n: a click is led on before its event is on disk. */
static inline int
await_events(struct fixture *f, struct event *out, int max, int n)
{
    int64_t deadline = clock_steady_ms() + PATIENCE_MS;
    int seen = read_events(f, out, max);

    while (seen < n && clock_steady_ms() < deadline) {
        clock_sleep_ms(10);
        seen = read_events(f, out, max);
    }
    return seen;
}

static inline int
count_events(struct fixture *f)
{
    static struct event events[20000];

    return read_events(f, events, 20000);
}

/* The value of one metric, by the whole of its name; -1 where there is none. */
static inline int64_t
metric(struct fixture *f, const char *name)
{
    struct http_answer a;
    struct slice rest, line, key, value;
    int64_t number = -1;
    bool more = true;

    http_client_request(f->port, "GET", "/metrics", "", SLICE_EMPTY, &a);
    assert_int_equal(a.status, 200);
    rest = a.body;
    while (more) {
        more = slice_cut(rest, '\n', &line, &rest);
        if (slice_cut(line, ' ', &key, &value) && slice_is(key, name))
            assert_true(slice_to_int64(value, &number));
    }
    http_answer_fini(&a);
    return number;
}

#endif
