#include "cmd/query_flags.h"

#include "core/clock.h"
#include "core/file.h"

#define FILTERS_BYTES_MAX (1024 * 1024)

/* A file's name, or the JSON itself: that way a command is one line to copy, in every shell. */
static enum err_code
add_filters(struct request *r, struct slice where, struct err *err)
{
    struct buffer bytes = BUFFER_EMPTY;
    enum err_code rc;

    if (slice_starts_with(where, SLICE("{")) || slice_starts_with(where, SLICE("[")))
        return request_set(r, "filters", where, err);
    rc = file_read(where.p, FILTERS_BYTES_MAX, &bytes, err);
    if (rc == ERR_OK)
        rc = request_set(r, "filters", buffer_slice(&bytes), err);
    buffer_fini(&bytes);
    return rc;
}

static enum err_code
read_where(struct cmd *c, struct request *r, struct err *err)
{
    const char *where;
    int at = 0;
    enum err_code rc = ERR_OK;

    while (rc == ERR_OK && (where = cmd_next_value(c, "--where", &at)) != NULL)
        rc = add_filters(r, slice_from(where), err);
    return rc;
}

enum err_code
query_flags_read(struct cmd *c, struct request *r, struct slice site_zone, struct err *err)
{
    static const char *const flags[][2] = {
        {"--from", "from"},        {"--to", "to"},       {"--timezone", "timezone"},
        {"--as-of", "as_of"},      {"--bots", "bots"},   {"--breakdown", "breakdown"},
        {"--limit", "limit"},      {"--trend", "trend"}, {"--compare", "compare"},
        {"--figures", "figures"},  {"--count", "count"}, {"--window", "window"},
        {"--value-of", "value_of"}};
    enum err_code rc = read_where(c, r, err);

    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        const char *value;
        int at = 0;

        while (rc == ERR_OK && (value = cmd_next_value(c, flags[i][0], &at)) != NULL)
            rc = request_set(r, flags[i][1], slice_from(value), err);
    }
    return rc == ERR_OK ? request_finish(r, site_zone, clock_wall_ms(), err) : rc;
}
