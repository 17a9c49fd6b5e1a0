/* Share links: /api/v1/sites/{site}/shares for editors, and GET /api/v1/share/{token} for whoever
 * has one: that one report and nothing else, as JSON or, with ".csv", as a table. */
#include "aggregator/funnel/request.h"
#include "core/clock.h"
#include "core/timestamp.h"
#include "web/api/csv.h"
#include "web/api/share.h"
#include "web/api/web_int.h"

#define DAY_MS INT64_C(86400000)

/* ---- Making ---- */

/* A report that can be shared: a funnel, a range, filters, at most one breakdown. */
static enum err_code
check_question(struct call *c, json_t *question, struct err *err)
{
    static const char *const own[] = {"funnel", NULL};
    static const char *const not_here[] = {"trend", "compare", "as_of", NULL};
    struct funnel *funnel = NULL;
    struct request r;
    enum err_code rc = ERR_OK;

    if (!json_is_object(question))
        return err_set(err, ERR_INVALID, NULL, "must be a report's body");
    for (int i = 0; rc == ERR_OK && not_here[i] != NULL; i++)
        if (json_object_get(question, not_here[i]) != NULL)
            rc = err_set(err, ERR_INVALID, not_here[i], "is not shared");
    request_init(&r);
    if (rc == ERR_OK)
        rc = request_read_json(&r, question, own, err);
    if (rc == ERR_OK)
        rc = request_finish(&r, c->site.timezone, clock_wall_ms(), err);
    if (rc == ERR_OK)
        rc = web__read_funnel(c, json_object_get(question, "funnel"), &funnel, err);
    if (rc == ERR_OK && r.n_breakdowns > 1)
        rc = err_set(err, ERR_INVALID, "breakdown", "must be at most one");
    if (rc == ERR_OK)
        rc = request_check_funnel(&r, funnel, err);
    funnel_destroy(&funnel);
    request_fini(&r);
    return rc;
}

static enum err_code
read_days(const json_t *body, const char *name, int64_t max, int64_t *out, struct err *err)
{
    const json_t *value = json_object_get(body, name);

    if (value == NULL)
        return ERR_OK;
    if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > max)
        return err_set(err, ERR_INVALID, name, "must be a whole number, 0 to %lld", (long long)max);
    *out = json_integer_value(value);
    return ERR_OK;
}

/* *out_text is the question; free() it. */
static enum err_code
read_share(struct call *c, const json_t *body, struct share_wish *w, char **out_text,
           struct err *err)
{
    static const char *const keys[] = {"name", "question", "days", "expires_days", NULL};
    json_t *question = json_object_get(body, "question");
    int64_t expires_days = SHARE_DAYS;
    enum err_code rc = web__body_check_keys(body, keys, err);

    if (rc == ERR_OK)
        rc = web__body_text(body, "name", true, &w->name, err);
    if (rc == ERR_OK)
        rc = read_days(body, "days", SHARE_BACK_MAX, &w->days, err);
    if (rc == ERR_OK && !json_is_null(json_object_get(body, "expires_days")))
        rc = read_days(body, "expires_days", SHARE_DAYS_MAX, &expires_days, err);
    else
        expires_days = 0;
    if (rc == ERR_OK) {
        rc = check_question(c, question, err);
        if (rc != ERR_OK)
            err_prefix(err, "question");
    }
    if (rc != ERR_OK)
        return rc;
    *out_text = json_dumps(question, JSON_COMPACT);
    w->question = slice_from(*out_text);
    w->expires_ms = expires_days != 0 ? clock_wall_ms() + expires_days * DAY_MS : 0;
    return ERR_OK;
}

static void
reply_share(struct call *c, int64_t id, const char *token)
{
    struct err err = ERR_NONE;
    json_t *list, *share;

    if (share_list(c->web->settings, c->site.id, id, &list, &err) != ERR_OK) {
        web__reply_err(c, &err);
        return;
    }
    share = json_incref(json_array_get(list, 0));
    json_object_update_new(share, json_pack("{s:s, s:o, s:o}", "token", token, "path",
                                            json_sprintf("/share#%s", token), "csv",
                                            json_sprintf("/api/v1/share/%s.csv", token)));
    json_decref(list);
    web__reply_json(c, 201, share);
}

void
web__post_share(struct call *c)
{
    struct share_wish w = {.site = c->site.id, .by = web__who(c)};
    char token[ACCOUNT_TOKEN_MAX];
    struct err err = ERR_NONE;
    json_t *body = NULL;
    char *text = NULL;
    int64_t id = 0;
    enum err_code rc = web__body_object(c, &body, &err);

    if (rc == ERR_OK)
        rc = read_share(c, body, &w, &text, &err);
    if (rc == ERR_OK)
        rc = share_create(c->web->settings, &w, token, &id, &err);
    if (rc == ERR_OK)
        reply_share(c, id, token);
    else
        web__reply_err(c, &err);
    free(text);
    json_decref(body);
}

void
web__get_shares(struct call *c)
{
    struct err err = ERR_NONE;
    json_t *list;

    if (share_list(c->web->settings, c->site.id, 0, &list, &err) == ERR_OK)
        web__reply_json(c, 200, json_pack("{s:o}", "shares", list));
    else
        web__reply_err(c, &err);
}

void
web__delete_share(struct call *c)
{
    web__delete_numbered(c, share_remove);
}

/* ---- Showing ---- */

/* The site's last days, today included. */
static enum err_code
set_range(const struct call *c, json_t *question, int64_t days, struct err *err)
{
    struct zone *zone = NULL;
    enum err_code rc;
    int64_t today;

    if (days == 0)
        return ERR_OK;
    rc = zone_open(c->site.timezone, &zone, err);
    if (rc != ERR_OK)
        return rc;
    today = date_to_days(zone_date(zone, clock_wall_ms()));
    json_object_set_new(question, "to",
                        json_integer(zone_day_start(zone, date_from_days(today + 1))));
    json_object_set_new(question, "from",
                        json_integer(zone_day_start(zone, date_from_days(today + 1 - days))));
    zone_close(&zone);
    return ERR_OK;
}

static enum err_code
find_site(struct call *c, uint32_t id, struct err *err)
{
    struct site *sites;
    size_t n = 0;
    enum err_code rc = site_list(c->web->settings, c->request->arena, &sites, &n, err);

    for (size_t i = 0; rc == ERR_OK && i < n; i++)
        if (sites[i].id == id)
            c->site = sites[i];
    if (rc == ERR_OK && c->site.id == 0)
        rc = err_set(err, ERR_NOT_FOUND, "token", "this link is not, or no longer, valid");
    return rc;
}

/* The report as an editor would get it; NULL, and the reply made, where it is none. */
static json_t *
ask_report(struct call *c, const struct share *share, struct err *err)
{
    struct http_request request = *c->request;
    const struct http_request *outer = c->request;
    json_t *question = json_loadb(share->question.p, share->question.n, 0, NULL), *report;
    char *text;

    if (set_range(c, question, share->days, err) != ERR_OK) {
        web__reply_err(c, err);
        json_decref(question);
        return NULL;
    }
    text = json_dumps(question, JSON_COMPACT);
    request.body = slice_from(text);
    c->request = &request;
    web__post_report(c);
    c->request = outer;
    free(text);
    json_decref(question);
    if (c->reply->status != 200)
        return NULL;
    report = json_loadb(buffer_slice(&c->reply->body).p, buffer_slice(&c->reply->body).n, 0, NULL);
    buffer_clear(&c->reply->body);
    return report;
}

static void
csv_cell(struct csv *csv, const json_t *value)
{
    if (json_is_integer(value))
        csv_integer(csv, json_integer_value(value));
    else if (json_is_real(value))
        csv_number(csv, json_real_value(value));
    else if (json_is_string(value))
        csv_text(csv, slice_from(json_string_value(value)));
    else
        csv_nothing(csv);
}

static void
csv_row(struct csv *csv, const char *what, const json_t *row, const json_t *names)
{
    const json_t *stage;
    size_t i;

    json_array_foreach(json_object_get(row, "stages"), i, stage)
    {
        const json_t *name = json_object_get(json_array_get(names, i), "name");

        csv_text(csv, slice_from(what));
        csv_integer(csv, (int64_t)i + 1);
        csv_cell(csv, name);
        csv_cell(csv, json_object_get(stage, "throughput"));
        csv_cell(csv, json_object_get(stage, "rate_from_first"));
        csv_cell(csv, json_object_get(stage, "rate_from_previous"));
        csv_end_line(csv);
    }
}

static void
reply_csv(struct call *c, const json_t *shown)
{
    static const char *const headings[] = {"row",          "stage",         "name",
                                           "got_this_far", "rate_of_first", "rate_of_previous"};
    struct csv csv = {.out = &c->reply->body};
    const json_t *names = json_object_get(shown, "stages"), *row;
    size_t i;

    c->reply->content_type = "text/csv; charset=utf-8";
    http_reply_header(c->reply, "Content-Disposition",
                      SLICE("attachment; filename=\"report.csv\""));
    for (i = 0; i < sizeof headings / sizeof *headings; i++)
        csv_text(&csv, slice_from(headings[i]));
    csv_end_line(&csv);
    csv_row(&csv, "total", shown, names);
    json_array_foreach(json_object_get(shown, "breakdown"), i, row)
    {
        const char *value = json_string_value(json_array_get(json_object_get(row, "values"), 0));

        csv_row(&csv,
                json_object_get(row, "other") ? "(others)"
                : value                       ? value
                                              : "(none)",
                row, names);
    }
}

void
web__get_share(struct call *c)
{
    struct slice token = c->parameters[0];
    bool is_csv = slice_ends_with(token, SLICE(".csv"));
    json_t *report = NULL, *shown;
    struct err err = ERR_NONE;
    struct share share;
    enum err_code rc;

    if (is_csv)
        token = slice_sub(token, 0, token.n - 4);
    rc = share_find(c->web->settings, token, c->request->arena, &share, &err);
    if (rc == ERR_OK)
        rc = find_site(c, share.site, &err);
    if (rc != ERR_OK) {
        web__reply_err(c, &err);
        return;
    }
    snprintf(c->account.email, sizeof c->account.email, "share %lld", (long long)share.id);
    c->who = (struct access_who){.has_role = true, .role = ROLE_VIEWER};
    report = ask_report(c, &share, &err);
    if (report == NULL)
        return;
    shown = share_report(report);
    json_decref(report);
    if (is_csv) {
        reply_csv(c, shown);
        json_decref(shown);
    } else {
        web__reply_json(c, 200,
                        json_pack("{s:o, s:o, s:o}", "name", web__json_text(share.name), "site",
                                  web__json_text(c->site.name), "report", shown));
    }
}
