/* corong visitor show|export|erase: the journey of a person, event by event, whichever of its ids
 * is asked for. */
#include "aggregator/query.h"
#include "aggregator/site.h"
#include "cmd/cmd.h"
#include "cmd/visitor_erase.h"
#include "core/decimal.h"
#include "core/event_json.h"
#include "core/zone.h"

#define EVENTS_MAX 100000

static void
add_line(struct buffer *b, const struct zone *zone, const struct event *e, bool say_who)
{
    static const enum event_text told[] = {TEXT_PATH,   TEXT_PRODUCT,  TEXT_ORDER,   TEXT_SOURCE,
                                           TEXT_MEDIUM, TEXT_CAMPAIGN, TEXT_KEYWORD, TEXT_KNOWN};
    char when[TIMESTAMP_TEXT_MAX];

    buffer_printf(b, "%s  %-16.*s", zone_format(zone, e->time_ms, when),
                  SLICE_ARG(e->text[TEXT_EVENT]));
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
        if (e->text[told[i]].n != 0)
            buffer_printf(b, " %s=%.*s", event_text_name(told[i]), SLICE_ARG(e->text[told[i]]));
    if (event_has_number(e, NUMBER_VALUE)) {
        buffer_add_text(b, " value=");
        decimal_add(b, e->number[NUMBER_VALUE], currency_digits(e->text[TEXT_CURRENCY]));
        buffer_printf(b, " %.*s", SLICE_ARG(e->text[TEXT_CURRENCY]));
    }
    if (e->flags & EVENT_BOT)
        buffer_printf(b, " bot (%.*s)", SLICE_ARG(e->text[TEXT_BOT_REASON]));
    if (say_who)
        buffer_printf(b, " as %.*s", SLICE_ARG(e->visitor));
    buffer_add_char(b, '\n');
}

static void
add_json(struct buffer *b, struct slice visitor, const struct query_person *p)
{
    buffer_add_text(b, "{\"visitor\":");
    buffer_add_json(b, visitor);
    buffer_add_text(b, ",\"ids\":[");
    for (size_t i = 0; i < p->n_ids; i++) {
        buffer_add_text(b, i > 0 ? "," : "");
        buffer_add_json(b, p->ids[i]);
    }
    buffer_add_text(b, "],\"events\":[");
    for (size_t i = 0; i < p->n_events; i++) {
        buffer_add_text(b, i > 0 ? ",\n" : "\n");
        event_add_json(b, &p->events[i]);
    }
    buffer_add_text(b, "]}\n");
}

static void
add_lines_json(struct buffer *b, const struct query_person *p)
{
    for (size_t i = 0; i < p->n_events; i++) {
        event_add_json(b, &p->events[i]);
        buffer_add_char(b, '\n');
    }
}

static enum err_code
load(struct cmd *c, struct snapshot_pool *pool, struct settings_db *db, struct buffer *out,
     struct err *err)
{
    struct slice visitor = cmd_word(c, 2);
    struct zone *zone = NULL;
    struct query_person person;
    struct site site;
    bool is_export = slice_is(cmd_word(c, 0), "export");
    enum err_code rc = site_find(db, cmd_word(c, 1), &c->arena, &site, err);

    if (rc == ERR_OK)
        rc = query_person(pool, site.id, visitor, is_export ? SIZE_MAX : EVENTS_MAX, &c->arena,
                          &person, err);
    if (rc == ERR_OK && person.n_events == 0)
        rc = err_set(err, ERR_NOT_FOUND, "visitor", "no visitor %.*s on site %.*s",
                     SLICE_ARG(visitor), SLICE_ARG(site.name));
    if (rc == ERR_OK)
        rc = zone_open(site.timezone, &zone, err);
    if (rc != ERR_OK)
        return rc;
    if (is_export)
        add_lines_json(out, &person);
    else if (cmd_flag(c, "--json"))
        add_json(out, visitor, &person);
    else
        for (size_t i = 0; i < person.n_events; i++)
            add_line(out, zone, &person.events[i], person.n_ids > 1);
    zone_close(&zone);
    return ERR_OK;
}

int
cmd_visitor(struct cmd *c)
{
    struct snapshot_pool *pool = NULL;
    struct settings_db *db = NULL;
    struct buffer out = BUFFER_EMPTY;
    struct store store;
    struct err err = ERR_NONE;
    enum err_code rc;
    int status;

    bool is_erase = cmd_is(c, 0, "erase", 3);

    if (!is_erase && !cmd_is(c, 0, "show", 3) && !cmd_is(c, 0, "export", 3))
        return cmd_usage(c);
    rc = store_open(settings_text(c->settings, "data"), false, &store, &err);
    if (rc == ERR_OK)
        rc = settings_db_open(&store, &db, &err);
    if (rc == ERR_OK)
        rc = snapshot_pool_open(&store, &pool, &err);
    if (rc == ERR_OK)
        rc = is_erase ? visitor_erase(c, &store, db, pool, &err) : load(c, pool, db, &out, &err);
    status = rc == ERR_OK ? cmd_print(buffer_slice(&out)) : cmd_fail(&err);
    buffer_fini(&out);
    snapshot_pool_close(&pool);
    settings_db_close(&db);
    return status;
}
