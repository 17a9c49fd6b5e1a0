#include "collector/metrics.h"

static const struct {
    const char *name;
    int status;
} reasons[REASON_COUNT] = {
    [REASON_INVALID] = {"invalid", 400},
    [REASON_TOO_OLD] = {"too_old", 400},
    [REASON_IN_FUTURE] = {"in_future", 400},
    [REASON_TOO_MANY] = {"too_many", 429},
    [REASON_TOO_LARGE] = {"too_large", 413},
    [REASON_UNKNOWN_SITE] = {"unknown_site", 404},
    [REASON_RATE_ADDRESS] = {"rate_address", 429},
    [REASON_RATE_SITE] = {"rate_site", 429},
    [REASON_UNKNOWN_LINK] = {"unknown_link", 404},
    [REASON_BAD_KEY] = {"bad_key", 401},
    [REASON_UNAVAILABLE] = {"unavailable", 503},
    [REASON_SPOOL_FULL] = {"spool_full", 503},
    [REASON_CLOCK] = {"clock", 503},
    [REASON_OPTED_OUT] = {"opted_out", 204},
    [REASON_NO_CONSENT] = {"no_consent", 204},
};

const char *
reason_name(enum reason r)
{
    return reasons[r].name;
}

int
reason_status(enum reason r)
{
    return reasons[r].status;
}

static void
print_head(struct buffer *out, const char *name, const char *kind, const char *help)
{
    buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

void
metrics_print_one(struct buffer *out, const char *name, const char *kind, const char *help,
                  double value)
{
    print_head(out, name, kind, help);
    buffer_printf(out, "%s %.17g\n", name, value);
}

static void
print_reasons(struct buffer *out, const char *name, const char *help,
              atomic_uint_fast64_t counters[REASON_COUNT])
{
    print_head(out, name, "counter", help);
    for (int i = 0; i < REASON_COUNT; i++)
        buffer_printf(out, "%s{reason=\"%s\"} %llu\n", name, reasons[i].name,
                      (unsigned long long)atomic_load(&counters[i]));
}

void
metrics_print(struct metrics *m, struct buffer *out)
{
    metrics_print_one(out, "corong_events_received_total", "counter",
                      "Events that came in, whatever became of them.",
                      (double)atomic_load(&m->received));
    metrics_print_one(out, "corong_events_accepted_total", "counter",
                      "Events acknowledged: Redis or the spool has them on disk.",
                      (double)atomic_load(&m->accepted));
    metrics_print_one(out, "corong_events_failed_total", "counter",
                      "Good events that could not be kept; their senders were told to try again.",
                      (double)atomic_load(&m->failed));
    print_reasons(out, "corong_events_rejected_total", "Events refused, by reason.", m->rejected);
    print_reasons(out, "corong_requests_refused_total",
                  "Requests of which no event was taken, by reason.", m->refused);
    metrics_print_one(out, "corong_tickets_refused_total", "counter",
                      "Tickets (_c) that were wrong, too late, or used before by another visitor.",
                      (double)atomic_load(&m->tickets_refused));
}
