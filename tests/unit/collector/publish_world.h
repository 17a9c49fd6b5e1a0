/* A publisher with a real redis-server and a spool, and records that are numbers. */
#ifndef TESTS_UNIT_COLLECTOR_PUBLISH_WORLD_H
#define TESTS_UNIT_COLLECTOR_PUBLISH_WORLD_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <unistd.h>

#include "collector/publish.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/codec.h"
#include "core/event.h"
#include "core/hash.h"
#include "tests/support/patience.h"
#include "tests/support/redis_fixture.h"

#define STUCK_MS (REDIS_PATIENCE_MS / 2)
#define IDS_MAX  200000

struct fixture {
    struct redis_fixture redis;
    struct publish_config config;
    struct publish *publish;
    char spool[96];
};

static inline int
set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct err err;

    redis_fixture_start(&f->redis, REDIS_DURABLE);
    snprintf(f->spool, sizeof f->spool, "%s/spool", f->redis.folder);
    f->config = (struct publish_config){
        .wait_ms = 3 * REDIS_PATIENCE_MS,
        .queue_bytes = 8 * 1024 * 1024,
        .spool = {.dir = f->spool, .bytes_max = 256 * 1024 * 1024, .free_bytes_min = 1},
        .drain_bytes_per_second = 256 * 1024 * 1024};
    assert_int_equal(stream_address_parse(slice_from(f->redis.socket), &f->config.redis, &err),
                     ERR_OK);
    f->config.redis.timeout_ms = REDIS_PATIENCE_MS;
    assert_int_equal(publish_start(&f->config, &f->publish, &err), ERR_OK);
    *state = f;
    return 0;
}

static inline int
tear_down(void **state)
{
    struct fixture *f = *state;

    publish_stop(&f->publish);
    redis_fixture_stop(&f->redis);
    free(f);
    return 0;
}

/* A record whose payload is a number and n bytes of filling: the publisher looks no further than
 * the length. */
static inline void
add_record(struct buffer *b, uint32_t number, size_t n)
{
    size_t at = b->n;

    buffer_add_u32(b, (uint32_t)(4 + n));
    buffer_add_u64(b, 0);
    buffer_add_u32(b, number);
    for (size_t i = 0; i < n; i++)
        buffer_add_char(b, (char)i);
    store_u64(b->p + at + 4, checksum64(b->p + at + CODEC_RECORD_HEADER, 4 + n));
}

/* How often each number is in the stream. Returns the number of entries. */
static inline int
count_numbers(struct fixture *f, unsigned char *counts)
{
    struct stream *s = stream_create(&f->config.redis);
    struct stream_id after = {0, 0};
    struct stream_entry *entries;
    struct codec_reader reader;
    struct slice payload;
    struct arena arena;
    struct err err;
    int n = 1, n_entries = 0;

    memset(counts, 0, IDS_MAX);
    while (n > 0) {
        arena_init(&arena, 4096);
        assert_int_equal(stream_read(s, after, 100, 0, &arena, &entries, &n, &err), ERR_OK);
        for (int i = 0; i < n; i++) {
            assert_true(entries[i].batch.n <= CODEC_BATCH_BYTES);
            assert_int_equal(codec_reader_init(&reader, entries[i].batch, &err), ERR_OK);
            while (codec_reader_next(&reader, &payload))
                counts[load_u32(payload.p)]++;
            assert_int_equal(reader.n_bad, 0);
            after = entries[i].id;
        }
        n_entries += n;
        arena_fini(&arena);
    }
    stream_destroy(&s);
    return n_entries;
}

static inline struct publish_figures
figures_of(struct publish *p)
{
    struct publish_figures figures;

    publish_figures(p, &figures);
    return figures;
}

static inline void
await_ready(struct publish *p)
{
    int64_t deadline = clock_steady_ms() + PATIENCE_MS;

    while (!publish_is_ready(p, NULL) && clock_steady_ms() < deadline)
        clock_sleep_ms(10);
    assert_true(publish_is_ready(p, NULL));
}

static inline void
await_not_ready(struct publish *p, struct err *err)
{
    int64_t deadline = clock_steady_ms() + PATIENCE_MS;

    while (publish_is_ready(p, err) && clock_steady_ms() < deadline)
        clock_sleep_ms(10);
    assert_false(publish_is_ready(p, err));
}

static inline void
await_drained(struct publish *p)
{
    int64_t deadline = clock_steady_ms() + PATIENCE_MS;

    while (figures_of(p).spool.bytes > 0 && clock_steady_ms() < deadline)
        clock_sleep_ms(10);
    assert_int_equal(figures_of(p).spool.bytes, 0);
}

#define WITH_REDIS(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

#endif
