/* The generator of a shop's traffic: events as a collector would have stored them, with place,
 * device, driver and all. Deterministic: the same configuration gives the same events, byte for
 * byte, on every machine. Streaming: memory does not grow with the events, only with those
 * visitors who will come back (32 bytes each).
 *
 * BENCH_SHOP_DEMO  a small shop with the story of docs/demo.md in it, in its weeks 4 to 9
 * BENCH_SHOP_LOAD  the same people without the story, and many more campaigns, keywords and
 *                  products (all skewed): what the collector's benchmarks send
 * BENCH_SHOP_TABLE the same shop as a warehouse's table has it: visitors are numbers, every event
 * of a session names its driver, about seven events a visitor; the comparison with ClickHouse
 * BENCH_SHOP_PEOPLE  the table's people over a long time: three in ten are seen over 90 days or
 *                  more, one in twenty is on two devices and signs in on both (identify)
 *
 * Sessions come in the order of their beginnings, the events of a session one after the other: an
 * event is at most BENCH_SHOP_DISORDER_MS behind the newest one before it.
 */
#ifndef BENCH_SHOP_H
#define BENCH_SHOP_H

#include "core/event.h"

#define BENCH_SHOP_DISORDER_MS (2 * 3600 * 1000)

enum bench_shop_profile { BENCH_SHOP_DEMO, BENCH_SHOP_LOAD, BENCH_SHOP_TABLE, BENCH_SHOP_PEOPLE };

struct bench_shop_config {
    enum bench_shop_profile profile;
    uint32_t site;
    uint64_t seed;
    int64_t start_ms;           /* the beginning of a Monday, by the shop's days */
    int64_t end_ms;             /* no event at or after it; need not end a week */
    uint64_t visitors_per_week; /* people who come for the first time; at most 2^30 */
};

struct bench_shop_totals {
    uint64_t events;
    uint64_t bot_events;
    uint64_t visitors; /* with an event */
    uint64_t sales;
    uint64_t refunds;
};

/* Takes one event; its slices are borrowed until it returns. Anything but ERR_OK ends the run. */
typedef enum err_code (*bench_event_fn)(void *ctx, const struct event *e, struct err *err);

/* Generate all events. They are as event_prepare leaves them: ids given, properties sorted.
 * totals may be NULL. Returns ERR_OK, ERR_INVALID (end before start, too many visitors), or what
 * take returned. */
enum err_code bench_shop_generate(const struct bench_shop_config *config, bench_event_fn take,
                                  void *ctx, struct bench_shop_totals *totals, struct err *err);

#endif
