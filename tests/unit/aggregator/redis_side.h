/* A data folder and a Redis beside it: what the worlds of ingest and backup have in common. */
#ifndef TESTS_UNIT_AGGREGATOR_REDIS_SIDE_H
#define TESTS_UNIT_AGGREGATOR_REDIS_SIDE_H

#include "core/stream.h"
#include "tests/support/patience.h"
#include "tests/support/redis_fixture.h"
#include "tests/unit/aggregator/fixture.h"

static inline struct fixture *
redis_side_open(struct redis_fixture *redis, struct stream_address *address, struct stream **stream)
{
    struct err err = ERR_NONE;
    void *f = NULL;

    fixture_setup(&f);
    redis_fixture_start(redis, REDIS_DURABLE);
    assert_ok(stream_address_parse(slice_from(redis->socket), address, &err));
    address->timeout_ms = REDIS_PATIENCE_MS;
    *stream = stream_create(address);
    return f;
}

static inline void
redis_side_close(struct fixture *f, struct redis_fixture *redis, struct stream **stream)
{
    void *state = f;

    stream_destroy(stream);
    redis_fixture_stop(redis);
    fixture_teardown(&state);
}

#endif
