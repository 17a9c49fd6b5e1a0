/* What machines ask: the API's description, health, metrics. */
#include <inttypes.h>

#include "core/embed.h"
#include "web/api/web_int.h"

extern const struct embed_file web_openapi_files[];

void
web__get_openapi(struct call *c)
{
    const struct embed_file *file = embed_find(web_openapi_files, SLICE("openapi.json"));

    c->reply->content_type = "application/json";
    c->reply->fixed = embed_bytes(file);
}

/* Healthy: settings.db and the catalog can be read. */
static enum err_code
check_health(struct web *w, struct err *err)
{
    uint64_t generation;
    int64_t n_accounts;
    enum err_code rc = account_count(w->settings, &n_accounts, err);

    return rc == ERR_OK ? snapshot_version(w->pool, &generation, err) : rc;
}

void
web__healthz(const struct http_request *request, struct http_reply *reply, void *context)
{
    struct err err = ERR_NONE;

    (void)request;
    if (check_health(context, &err) == ERR_OK) {
        reply->content_type = "text/plain; charset=utf-8";
        reply->fixed = SLICE("ok\n");
    } else {
        http_reply_error(reply, 503, err_code_name(err.code), err.message, "");
    }
}

static void
add_counter(struct buffer *out, const char *name, const char *help, uint64_t value)
{
    buffer_printf(out, "# HELP %s %s\n# TYPE %s counter\n%s %" PRIu64 "\n", name, help, name, name,
                  value);
}

void
web__metrics(const struct http_request *request, struct http_reply *reply, void *context)
{
    struct web *w = context;
    struct web__metrics *m = &w->metrics;
    struct buffer *out = &reply->body;
    struct turns_counts turns;

    (void)request;
    reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
    buffer_add_text(out, "# HELP corong_web_replies_total Replies by the class of their status.\n"
                         "# TYPE corong_web_replies_total counter\n");
    for (int i = 1; i <= 5; i++)
        buffer_printf(out, "corong_web_replies_total{status=\"%dxx\"} %" PRIu64 "\n", i,
                      (uint64_t)atomic_load(&m->replies[i]));
    add_counter(out, "corong_web_sign_ins_total", "Sign-ins that succeeded.",
                atomic_load(&m->sign_ins));
    add_counter(out, "corong_web_sign_ins_failed_total", "Sign-ins with a wrong password.",
                atomic_load(&m->sign_ins_failed));
    add_counter(out, "corong_web_sign_ins_limited_total",
                "Sign-ins that were told to wait, unchecked.", atomic_load(&m->sign_ins_limited));
    add_counter(out, "corong_web_reports_total", "Funnel reports computed.",
                atomic_load(&m->reports));
    add_counter(out, "corong_web_reports_kept_total",
                "Funnel reports answered from a kept one: nothing had changed.",
                atomic_load(&m->reports_kept));
    turns_count(w->turns, &turns);
    add_counter(out, "corong_web_queries_stopped_total",
                "Queries that a newer one of their id stopped, or their asker.", turns.n_stopped);
    add_counter(out, "corong_web_queries_limited_total",
                "Queries that ran into query-time or query-memory.", turns.n_limited);
    add_counter(out, "corong_web_queries_busy_total",
                "Queries that were told to come back, as too many waited.", turns.n_busy);
    buffer_printf(out,
                  "# HELP corong_web_queries_waiting Queries that wait for their turn.\n"
                  "# TYPE corong_web_queries_waiting gauge\n"
                  "corong_web_queries_waiting %" PRIu64 "\n",
                  turns.n_waiting);
    buffer_printf(out,
                  "# HELP corong_web_report_seconds_total Time spent on computing them.\n"
                  "# TYPE corong_web_report_seconds_total counter\n"
                  "corong_web_report_seconds_total %.6f\n",
                  (double)atomic_load(&m->report_us) / 1e6);
}
