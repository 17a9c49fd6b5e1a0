/* bench-generate VISITORS_PER_WEEK WEEKS [SEED]: shop traffic as NDJSON on standard output, for
 * loads and comparisons. The same arguments give the same bytes. */
#include <stdio.h>
#include <stdlib.h>

#include "bench/shop.h"
#include "core/event_json.h"

#define START_MS INT64_C(1767571200000) /* Monday 2026-01-05 */
#define WEEK_MS  INT64_C(604800000)
#define CHUNK    (1 << 20)

static enum err_code
print_event(void *context, const struct event *e, struct err *err)
{
    struct buffer *out = context;

    event_add_json(out, e);
    buffer_add_char(out, '\n');
    if (out->n >= CHUNK) {
        if (fwrite(out->p, 1, out->n, stdout) != out->n)
            return err_errno(err, "cannot write");
        buffer_clear(out);
    }
    return ERR_OK;
}

int
main(int argc, char **argv)
{
    struct bench_shop_config config = {
        .profile = BENCH_SHOP_LOAD, .site = 1, .seed = 1, .start_ms = START_MS};
    struct bench_shop_totals totals;
    struct buffer out = BUFFER_EMPTY;
    struct err err = ERR_NONE;
    uint64_t weeks = 0;

    if (argc < 3 || !slice_to_uint64(slice_from(argv[1]), &config.visitors_per_week) ||
        !slice_to_uint64(slice_from(argv[2]), &weeks) || weeks == 0 || weeks > 520 ||
        (argc > 3 && !slice_to_uint64(slice_from(argv[3]), &config.seed))) {
        fputs("usage: bench-generate VISITORS_PER_WEEK WEEKS [SEED]\n", stderr);
        return 2;
    }
    config.end_ms = START_MS + (int64_t)weeks * WEEK_MS;
    if (bench_shop_generate(&config, print_event, &out, &totals, &err) != ERR_OK ||
        fwrite(out.p, 1, out.n, stdout) != out.n || fflush(stdout) != 0) {
        fprintf(stderr, "bench-generate: %s\n", err.message);
        return 1;
    }
    fprintf(stderr, "%llu events, %llu visitors, %llu sales\n", (unsigned long long)totals.events,
            (unsigned long long)totals.visitors, (unsigned long long)totals.sales);
    buffer_fini(&out);
    return 0;
}
