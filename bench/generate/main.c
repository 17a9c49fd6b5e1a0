/* bench-generate: shop traffic as NDJSON or CSV on standard output, for loads and comparisons. The
 * same arguments give the same bytes.
 *
 *     bench-generate --profile table --format csv --events 21600000 >shop.csv
 *
 * The profile people comes with what a collector sees: one event in five comes once more, at once
 * or a good deal later (up to some 100,000 events).
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/dice.h"
#include "bench/generate/csv.h"
#include "bench/shop.h"
#include "core/event_json.h"

#define START_MS      INT64_C(1764547200000) /* Monday 2025-12-01 */
#define WEEK_MS       INT64_C(604800000)
#define WEEKS_DEFAULT 39 /* nine months, to Monday 2026-08-31 */
#define CHUNK         (1 << 20)
#define LATE_LINES    (1 << 14) /* repeats that wait; each for 5 times as many events, on average */
#define REPEATS       2000      /* per 10,000 events */

struct generate {
    struct bench_shop_config config;
    bool is_csv;
    bool with_ids;
    bool with_repeats;
    struct dice dice;
    struct buffer out;
    struct buffer late[LATE_LINES]; /* empty: none waits there */
};

static enum err_code
write_out(struct buffer *out, struct err *err)
{
    for (size_t at = 0; at < out->n;) {
        ssize_t n = write(STDOUT_FILENO, out->p + at, out->n - at);

        if (n < 0 && errno != EINTR)
            return err_errno(err, "cannot write");
        at += n > 0 ? (size_t)n : 0;
    }
    buffer_clear(out);
    return ERR_OK;
}

/* Let the line wait in the place of one that now goes out. */
static void
repeat_later(struct generate *g, struct slice line)
{
    struct buffer *place = &g->late[dice_below(&g->dice, LATE_LINES)];
    struct buffer kept = BUFFER_EMPTY;

    buffer_add_slice(&kept, line);
    buffer_add_slice(&g->out, buffer_slice(place));
    buffer_fini(place);
    *place = kept;
}

static enum err_code
print_event(void *context, const struct event *e, struct err *err)
{
    struct generate *g = context;
    size_t start = g->out.n;

    if (g->is_csv) {
        buffer_reserve(&g->out, CSV_LINE_MAX);
        g->out.n = (size_t)(csv_put_event(g->out.p + g->out.n, e, g->with_ids) - g->out.p);
    } else {
        event_add_json(&g->out, e);
        buffer_add_char(&g->out, '\n');
    }
    if (g->with_repeats && dice_chance(&g->dice, REPEATS))
        repeat_later(g, slice_sub(buffer_slice(&g->out), start, SIZE_MAX));
    return g->out.n >= CHUNK ? write_out(&g->out, err) : ERR_OK;
}

static enum err_code
generate(struct generate *g, struct bench_shop_totals *totals, struct err *err)
{
    enum err_code rc;

    if (g->is_csv) {
        buffer_reserve(&g->out, CSV_LINE_MAX);
        g->out.n = (size_t)(csv_put_header(g->out.p, g->with_ids) - g->out.p);
    }
    rc = bench_shop_generate(&g->config, print_event, g, totals, err);
    for (size_t i = 0; i < LATE_LINES; i++) {
        buffer_add_slice(&g->out, buffer_slice(&g->late[i]));
        buffer_fini(&g->late[i]);
    }
    if (rc == ERR_OK)
        rc = write_out(&g->out, err);
    buffer_fini(&g->out);
    return rc;
}

/* ---- the command line ---- */

static const struct {
    const char *name;
    enum bench_shop_profile profile;
    uint32_t events_per_100_visitors; /* over nine months; measured */
} profiles[] = {
    {"load", BENCH_SHOP_LOAD, 427},
    {"table", BENCH_SHOP_TABLE, 707},
    {"people", BENCH_SHOP_PEOPLE, 945},
};

static const char usage[] =
    "usage: bench-generate [--profile load|table|people] [--format ndjson|csv]\n"
    "                      [--events ABOUT | --visitors-per-week N] [--weeks N] [--seed N]\n";

struct wishes {
    size_t profile;
    uint64_t events;
    uint64_t weeks;
};

static bool
set_profile(struct wishes *w, const char *name)
{
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
        if (strcmp(profiles[i].name, name) == 0) {
            w->profile = i;
            return true;
        }
    }
    return false;
}

static bool
set_option(struct generate *g, struct wishes *w, int option, const char *value)
{
    struct slice v = slice_from(value);

    switch (option) {
    case 'p':
        return set_profile(w, value);
    case 'f':
        g->is_csv = slice_is(v, "csv");
        return g->is_csv || slice_is(v, "ndjson");
    case 'e':
        return slice_to_uint64(v, &w->events) && w->events <= UINT64_C(1) << 40;
    case 'v':
        return slice_to_uint64(v, &g->config.visitors_per_week);
    case 'w':
        return slice_to_uint64(v, &w->weeks) && w->weeks > 0 && w->weeks <= 520;
    case 's':
        return slice_to_uint64(v, &g->config.seed);
    default:
        return false;
    }
}

static bool
read_options(struct generate *g, int argc, char **argv)
{
    static const struct option options[] = {
        {"profile", required_argument, NULL, 'p'},
        {"format", required_argument, NULL, 'f'},
        {"events", required_argument, NULL, 'e'},
        {"visitors-per-week", required_argument, NULL, 'v'},
        {"weeks", required_argument, NULL, 'w'},
        {"seed", required_argument, NULL, 's'},
        {NULL, 0, NULL, 0},
    };
    struct wishes w = {.weeks = WEEKS_DEFAULT};
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (!set_option(g, &w, option, optarg == NULL ? "" : optarg))
            return false;
    g->config.profile = profiles[w.profile].profile;
    g->config.end_ms = START_MS + (int64_t)w.weeks * WEEK_MS;
    if (w.events != 0)
        g->config.visitors_per_week =
            w.events * 100 / profiles[w.profile].events_per_100_visitors / w.weeks;
    g->with_ids = g->config.profile != BENCH_SHOP_TABLE;
    g->with_repeats = g->config.profile == BENCH_SHOP_PEOPLE;
    g->dice = dice_of(g->config.seed + 4, 0);
    return optind == argc && g->config.visitors_per_week > 0;
}

int
main(int argc, char **argv)
{
    static struct generate g = {.config = {.site = 1, .seed = 1, .start_ms = START_MS}};
    struct bench_shop_totals totals;
    struct err err = ERR_NONE;

    if (!read_options(&g, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    if (generate(&g, &totals, &err) != ERR_OK) {
        fprintf(stderr, "bench-generate: %s\n", err.message);
        return 1;
    }
    fprintf(stderr, "%llu events, %llu visitors, %llu sales\n", (unsigned long long)totals.events,
            (unsigned long long)totals.visitors, (unsigned long long)totals.sales);
    return 0;
}
