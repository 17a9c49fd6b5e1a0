/* bench-stream: what the aggregator has to read, and how long it takes.
 *
 *     bench-stream fill REDIS SITE-ID EVENTS BATCH   entries of BATCH events of the shop's traffic,
 *                                                    as a collector under load leaves them
 *     bench-stream drain REDIS                       wait until every entry is committed and gone
 *
 * fill prints the number of events and their bytes, drain the seconds that it waited.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench/shop.h"
#include "core/clock.h"
#include "core/codec.h"
#include "core/stream.h"

#define PIPELINE        32
#define POLL_MS         5
#define START_MS        INT64_C(1767571200000) /* Monday, 2026-01-05, UTC */
#define WEEK_MS         (INT64_C(7) * 86400 * 1000)
#define VISITORS_A_WEEK 100000
#define WEEKS           500 /* more than anybody asks for: the events end it */

struct filling {
    struct stream *stream;
    struct buffer batches[PIPELINE];
    int n_batches;
    int n_in_batch; /* of the last one */
    int batch_events;
    uint64_t n_events;
    uint64_t n_events_max;
    uint64_t n_bytes;
};

static enum err_code
send(struct filling *f, struct err *err)
{
    struct slice batches[PIPELINE];
    bool ok[PIPELINE];
    int n = f->n_batches;

    for (int i = 0; i < n; i++) {
        batches[i] = buffer_slice(&f->batches[i]);
        f->n_bytes += batches[i].n;
    }
    f->n_batches = 0;
    return n == 0 ? ERR_OK : stream_add_many(f->stream, batches, n, ok, err);
}

static enum err_code
take(void *context, const struct event *e, struct err *err)
{
    struct filling *f = context;
    enum err_code rc;

    if (f->n_events == f->n_events_max)
        return err_set(err, ERR_LIMIT, NULL, "enough");
    if (f->n_batches == 0 || f->n_in_batch == f->batch_events) {
        if (f->n_batches == PIPELINE && (rc = send(f, err)) != ERR_OK)
            return rc;
        codec_batch_begin(&f->batches[f->n_batches++]);
        f->n_in_batch = 0;
    }
    f->n_in_batch++;
    f->n_events++;
    return codec_batch_add(&f->batches[f->n_batches - 1], e, err);
}

static enum err_code
fill(struct stream *stream, char **words, struct err *err)
{
    struct filling f = {.stream = stream,
                        .n_events_max = strtoull(words[1], NULL, 10),
                        .batch_events = atoi(words[2])};
    struct bench_shop_config shop = {.profile = BENCH_SHOP_LOAD,
                                     .site = (uint32_t)strtoul(words[0], NULL, 10),
                                     .seed = 1,
                                     .start_ms = START_MS,
                                     .end_ms = START_MS + WEEKS * WEEK_MS,
                                     .visitors_per_week = VISITORS_A_WEEK};
    enum err_code rc = bench_shop_generate(&shop, take, &f, NULL, err);

    if (rc == ERR_LIMIT && f.n_events == f.n_events_max)
        rc = ERR_OK;
    if (rc == ERR_OK)
        rc = send(&f, err);
    if (rc == ERR_OK)
        printf("%llu events, %llu bytes\n", (unsigned long long)f.n_events,
               (unsigned long long)f.n_bytes);
    for (int i = 0; i < PIPELINE; i++)
        buffer_fini(&f.batches[i]);
    return rc;
}

static enum err_code
drain(struct stream *stream, struct err *err)
{
    int64_t start_ms = clock_steady_ms();
    struct stream_info info = {.length = 1};
    enum err_code rc = ERR_OK;

    while (rc == ERR_OK && info.length > 0) {
        rc = stream_info(stream, &info, err);
        clock_sleep_ms(POLL_MS);
    }
    if (rc == ERR_OK)
        printf("%.3f\n", (double)(clock_steady_ms() - start_ms) / 1000);
    return rc;
}

int
main(int argc, char **argv)
{
    struct stream_address address;
    struct stream *stream;
    struct err err = ERR_NONE;
    enum err_code rc;
    bool is_fill = argc == 6 && strcmp(argv[1], "fill") == 0;

    if (!is_fill && !(argc == 3 && strcmp(argv[1], "drain") == 0)) {
        fprintf(stderr, "bench-stream fill REDIS SITE-ID EVENTS BATCH | drain REDIS\n");
        return 2;
    }
    rc = stream_address_parse(slice_from(argv[2]), &address, &err);
    if (rc == ERR_OK) {
        stream = stream_create(&address);
        rc = is_fill ? fill(stream, argv + 3, &err) : drain(stream, &err);
        stream_destroy(&stream);
    }
    if (rc != ERR_OK)
        fprintf(stderr, "bench-stream: %s\n", err.message);
    return rc == ERR_OK ? 0 : 1;
}
