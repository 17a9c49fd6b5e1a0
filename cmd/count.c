/* corong count */
#include <stdio.h>

#include "aggregator/query_count.h"
#include "aggregator/settings_db.h"
#include "aggregator/site.h"
#include "cmd/cmd.h"
#include "cmd/query_flags.h"

#define NAME_WIDTH 28

struct printing {
    struct buffer *out;
    const struct tally *currencies;
};

static void
add_sums(const struct printing *p, const struct count_sums *s)
{
    buffer_printf(p->out, "%12lld%12lld%12lld%10lld%12lld s  ", (long long)s->visitors,
                  (long long)s->sessions, (long long)s->events, (long long)s->orders,
                  (long long)(s->engaged_ms / 1000));
    tally_add_sums_json(p->currencies, s->values, s->n_values, p->out);
    buffer_add_char(p->out, '\n');
}

static void
add_line(const struct printing *p, struct slice name, const struct count_sums *s)
{
    buffer_printf(p->out, "%-*.*s", NAME_WIDTH, SLICE_ARG(name));
    add_sums(p, s);
}

static struct slice
name_of(struct cmd *c, const struct count_row *row, size_t n)
{
    struct slice first = row->values[0].n != 0 ? row->values[0] : SLICE("(none)");
    struct slice second = row->values[1].n != 0 ? row->values[1] : SLICE("(none)");

    if (row->is_other)
        return SLICE("(other)");
    return n < 2 ? first
                 : arena_printf(&c->arena, "%.*s, %.*s", SLICE_ARG(first), SLICE_ARG(second));
}

static void
add_table(struct cmd *c, struct buffer *out, const struct count_answer *a, const struct request *r)
{
    const struct count_result *main = &a->main;
    struct printing p = {out, main->enquiry->currencies};
    char start[TIMESTAMP_TEXT_MAX];

    buffer_printf(out, "%*s%12s%12s%12s%10s%14s  value of %.*s\n", NAME_WIDTH, "", "visitors",
                  "sessions", "events", "orders", "engaged", SLICE_ARG(r->count.value_of));
    add_line(&p, SLICE("all"), &main->total);
    if (a->compare.enquiry) {
        p.currencies = a->compare.enquiry->currencies;
        add_line(&p, SLICE("compared with"), &a->compare.total);
        p.currencies = main->enquiry->currencies;
    }
    for (size_t i = 0; i < main->n_rows; i++)
        add_line(&p, name_of(c, &main->rows[i], r->n_breakdowns), &main->rows[i].sums);
    for (size_t i = 0; i < main->n_points; i++)
        add_line(&p, slice_from(zone_format(r->zone, main->points[i].start_ms, start)),
                 &main->points[i].sums);
}

static int
print_answer(struct cmd *c, const struct count_answer *a, const struct request *r)
{
    const struct report_about *about = &a->main.enquiry->about;
    struct buffer out = BUFFER_EMPTY;
    int status;

    if (cmd_flag(c, "--json")) {
        buffer_add_char(&out, '{');
        count_add_members(&out, a, r);
        buffer_add_text(&out, "}\n");
    } else {
        add_table(c, &out, a, r);
    }
    for (size_t i = 0; i < about->n_warnings; i++)
        fprintf(stderr, "corong: warning: %.*s\n", SLICE_ARG(about->warnings[i].message));
    status = cmd_print(buffer_slice(&out));
    buffer_fini(&out);
    return status;
}

static int
count(struct cmd *c, const struct store *store, const struct site *site, struct err *err)
{
    struct snapshot_pool *pool = NULL;
    struct count_answer answer;
    struct request request;
    int status = CMD_FAILED;

    request_init(&request);
    request.is_count = true;
    if (query_flags_read(c, &request, site->timezone, err) == ERR_OK &&
        snapshot_pool_open(store, &pool, err) == ERR_OK &&
        query_count(pool, &(struct query_count){.site = site->id, .request = &request}, &answer,
                    err) == ERR_OK) {
        status = print_answer(c, &answer, &request);
        count_answer_fini(&answer);
    } else {
        cmd_fail(err);
    }
    snapshot_pool_close(&pool);
    request_fini(&request);
    return status;
}

int
cmd_count(struct cmd *c)
{
    struct settings_db *db = NULL;
    struct err err = ERR_NONE;
    struct store store;
    struct site site;
    int status;

    if (c->n_words != 1)
        return cmd_usage(c);
    if (store_open(settings_text(c->settings, "data"), false, &store, &err) == ERR_OK &&
        settings_db_open(&store, &db, &err) == ERR_OK &&
        site_find(db, cmd_word(c, 0), &c->arena, &site, &err) == ERR_OK)
        status = count(c, &store, &site, &err);
    else
        status = cmd_fail(&err);
    settings_db_close(&db);
    return status;
}
