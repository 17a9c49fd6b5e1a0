/* Parameters are kept as they were asked for and resolved at the end, because days need the zone
 * and the zone may come last. A text is turned into the JSON that it stands for, so that there is
 * one reader for each parameter. */
#include "aggregator/funnel/request.h"

#include <stdio.h>

#include "aggregator/funnel/request_int.h"

#define ARENA_BLOCK_BYTES (4 * 1024)
#define NAME_BYTES_MAX    60 /* of a name that is not known: to be repeated in the error */

static const char *const bots_names[] = {"exclude", "include", "only"};
static const char *const trend_names[] = {"day", "week", "month", "hour"};

#define BOTS_COUNT  (int)(sizeof bots_names / sizeof *bots_names)
#define TREND_COUNT (int)(sizeof trend_names / sizeof *trend_names)

void
request_init(struct request *r)
{
    *r = (struct request){.bots = BOTS_EXCLUDE,
                          .limit = REQUEST_LIMIT_DEFAULT,
                          .range = PATH_RANGE_ALL,
                          .count = {.value_of = SLICE("sale")}};
    arena_init(&r->arena, ARENA_BLOCK_BYTES);
}

void
request_fini(struct request *r)
{
    zone_close(&r->zone);
    arena_fini(&r->arena);
}

const char *
request_bots_name(enum request_bots bots)
{
    return bots_names[bots];
}

/* ---- The readers; err->field is relative to the parameter ---- */

enum err_code
request__read_moment(struct request_moment *m, const json_t *value, struct err *err)
{
    char digits[32];
    struct slice text = SLICE_EMPTY;

    if (json_is_string(value)) {
        text = json__text(value);
    } else if (json_is_integer(value)) {
        snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        text = slice_from(digits);
    }
    m->is_day = date_parse(text, &m->day);
    if (!m->is_day && timestamp_parse(text, &m->ms, NULL) != ERR_OK)
        return err_set(err, ERR_INVALID, NULL,
                       "must be a date (2026-06-01), a time with its offset "
                       "(2026-06-01T12:00:00+07:00) or ms since 1970");
    m->is_given = true;
    return ERR_OK;
}

static enum err_code
read_from(struct request *r, json_t *value, struct err *err)
{
    return request__read_moment(&r->from, value, err);
}

static enum err_code
read_to(struct request *r, json_t *value, struct err *err)
{
    return request__read_moment(&r->to, value, err);
}

static enum err_code
read_as_of(struct request *r, json_t *value, struct err *err)
{
    return request__read_moment(&r->as_of, value, err);
}

static enum err_code
read_timezone(struct request *r, json_t *value, struct err *err)
{
    if (!json_is_string(value))
        return err_set(err, ERR_INVALID, NULL, "must be text");
    if (!slice_to_cstr(json__text(value), r->timezone, sizeof r->timezone))
        return err_set(err, ERR_INVALID, NULL, "is no time zone");
    return ERR_OK;
}

/* The place of a word among n; -1 for anything else. */
static int
find_word(const json_t *value, const char *const *words, int n)
{
    for (int i = 0; json_is_string(value) && i < n; i++)
        if (slice_is(json__text(value), words[i]))
            return i;
    return -1;
}

static enum err_code
read_bots(struct request *r, json_t *value, struct err *err)
{
    int i = find_word(value, bots_names, BOTS_COUNT);

    if (i < 0)
        return err_set(err, ERR_INVALID, NULL, "must be \"exclude\", \"include\" or \"only\"");
    r->bots = (enum request_bots)i;
    return ERR_OK;
}

static enum err_code
read_trend(struct request *r, json_t *value, struct err *err)
{
    int i = find_word(value, trend_names, r->is_count ? TREND_COUNT : TREND_COUNT - 1);

    if (i < 0)
        return err_set(err, ERR_INVALID, NULL, "must be %s\"day\", \"week\" or \"month\"",
                       r->is_count ? "\"hour\", " : "");
    r->trend = (enum request_trend)(TREND_DAY + i);
    return ERR_OK;
}

static enum err_code
read_figures(struct request *r, json_t *value, struct err *err)
{
    static const char *const names[] = {"all", "counts"};
    int i = find_word(value, names, 2);

    if (i < 0)
        return err_set(err, ERR_INVALID, NULL, "must be \"all\" or \"counts\"");
    r->is_counts_only = i == 1;
    return ERR_OK;
}

static enum err_code
read_limit(struct request *r, json_t *value, struct err *err)
{
    if (!json_is_integer(value) || json_integer_value(value) < 1 ||
        json_integer_value(value) > REQUEST_LIMIT_MAX)
        return err_set(err, ERR_INVALID, NULL, "must be a whole number, 1 to %d",
                       REQUEST_LIMIT_MAX);
    r->limit = (int)json_integer_value(value);
    return ERR_OK;
}

static enum err_code
read_filters(struct request *r, json_t *value, struct err *err)
{
    size_t n = json_array_size(value);
    enum err_code rc = ERR_OK;

    if (!json_is_array(value))
        return err_set(err, ERR_INVALID, NULL, "must be a list of filters");
    if (n > REQUEST_FILTERS_MAX - r->n_filters)
        return err_set(err, ERR_LIMIT, NULL, "has more than %d filters", REQUEST_FILTERS_MAX);
    for (size_t i = 0; i < n && rc == ERR_OK; i++) {
        rc = request__read_filter(&r->arena, json_array_get(value, i), &r->filters[r->n_filters],
                                  err);
        rc = json__at(rc, err, "", r->n_filters);
        r->n_filters += rc == ERR_OK;
    }
    return rc;
}

static enum err_code
read_breakdowns(struct request *r, json_t *value, struct err *err)
{
    size_t n = json_array_size(value);
    enum err_code rc = ERR_OK;

    if (!json_is_array(value))
        return err_set(err, ERR_INVALID, NULL, "must be a list of attributes");
    if (n > REQUEST_BREAKDOWNS_MAX - r->n_breakdowns)
        return err_set(err, ERR_INVALID, NULL, "has more than %d attributes",
                       REQUEST_BREAKDOWNS_MAX);
    for (size_t i = 0; i < n && rc == ERR_OK; i++) {
        rc = request__read_breakdown(&r->arena, json_array_get(value, i), r->is_count,
                                     &r->breakdowns[r->n_breakdowns], err);
        rc = json__at(rc, err, "", r->n_breakdowns);
        r->n_breakdowns += rc == ERR_OK;
    }
    return rc;
}

static enum err_code
read_compare(struct request *r, json_t *value, struct err *err)
{
    return request__read_compare(&r->compare, value, err);
}

/* ---- Of a count ---- */

static enum err_code
read_count(struct request *r, json_t *value, struct err *err)
{
    for (int i = 0; json_is_string(value) && i < COUNT_COUNT; i++) {
        if (slice_is(json__text(value), funnel_count_name((enum funnel_count)i))) {
            r->count.unit = (enum funnel_count)i;
            return ERR_OK;
        }
    }
    return err_set(err, ERR_INVALID, NULL, "must be \"visitors\" or \"sessions\"");
}

static enum err_code
read_window(struct request *r, json_t *value, struct err *err)
{
    if (!json_is_string(value))
        return err_set(err, ERR_INVALID, NULL, "must be text: \"30d\"");
    return funnel_window_parse(json__text(value), &r->count.window_ms, err);
}

static enum err_code
read_value_of(struct request *r, json_t *value, struct err *err)
{
    if (!json_is_string(value) || json_string_length(value) > REQUEST_EVENT_BYTES_MAX)
        return err_set(err, ERR_INVALID, NULL, "must be an event's name");
    r->count.value_of = arena_copy(&r->arena, json__text(value));
    return ERR_OK;
}

/* ---- One parameter ---- */

static json_t *
number_from_text(struct slice text)
{
    int64_t number;

    return slice_to_int64(text, &number) ? json_integer(number) : json_stringn(text.p, text.n);
}

static json_t *
plain_text(struct slice text)
{
    return json_stringn(text.p, text.n);
}

enum asker { BY_ANY, BY_COUNT, BY_REPORT };

static const struct parameter {
    const char *name;
    enum err_code (*read)(struct request *r, json_t *value, struct err *err);
    json_t *(*from_text)(struct slice text); /* of what is no JSON; NULL: JSON it must be */
    bool may_be_json;                        /* as text, where it starts with { or [ */
    bool is_list;
    enum asker asker;
} parameters[] = {
    {"from", read_from, plain_text, false, false, BY_ANY},
    {"to", read_to, plain_text, false, false, BY_ANY},
    {"timezone", read_timezone, plain_text, false, false, BY_ANY},
    {"as_of", read_as_of, plain_text, false, false, BY_ANY},
    {"filters", read_filters, NULL, true, true, BY_ANY},
    {"breakdown", read_breakdowns, request__breakdown_from_text, true, true, BY_ANY},
    {"limit", read_limit, number_from_text, false, false, BY_ANY},
    {"bots", read_bots, plain_text, false, false, BY_ANY},
    {"trend", read_trend, plain_text, false, false, BY_ANY},
    {"figures", read_figures, plain_text, false, false, BY_REPORT},
    {"compare", read_compare, request__compare_from_text, true, false, BY_ANY},
    {"count", read_count, plain_text, false, false, BY_COUNT},
    {"window", read_window, plain_text, false, false, BY_COUNT},
    {"value_of", read_value_of, plain_text, false, false, BY_COUNT},
};

static enum err_code
find_parameter(const struct request *r, const char *name, const struct parameter **out,
               struct err *err)
{
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
        enum asker asker = parameters[i].asker;

        if (strcmp(name, parameters[i].name) == 0 && (asker != BY_COUNT || r->is_count) &&
            (asker != BY_REPORT || r->is_report)) {
            *out = &parameters[i];
            return ERR_OK;
        }
    }
    return err_set(err, ERR_INVALID, slice_from(name).n <= NAME_BYTES_MAX ? name : NULL,
                   "is not known");
}

static bool
is_nothing(const json_t *value)
{
    return json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0) ||
           (json_is_array(value) && json_array_size(value) == 0);
}

static enum err_code
set_json(struct request *r, const char *name, json_t *value, struct err *err)
{
    const struct parameter *p = NULL;
    enum err_code rc = find_parameter(r, name, &p, err);

    if (rc != ERR_OK || is_nothing(value))
        return rc;
    return json__in(p->read(r, value, err), err, name);
}

static enum err_code
value_from_text(const struct parameter *p, struct slice text, json_t **out, struct err *err)
{
    bool is_json = p->may_be_json && text.n > 0 && (text.p[0] == '{' || text.p[0] == '[');
    json_error_t broken = {.line = 0};

    if (is_json || p->from_text == NULL)
        *out = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &broken);
    else
        *out = p->from_text(text);
    if (*out == NULL)
        return err_set(err, ERR_INVALID, p->name, "is no JSON: line %d, column %d", broken.line,
                       broken.column);
    if (p->is_list && json_is_object(*out))
        *out = json_pack("[o]", *out);
    return ERR_OK;
}

enum err_code
request_set(struct request *r, const char *name, struct slice text, struct err *err)
{
    const struct parameter *p = NULL;
    enum err_code rc = find_parameter(r, name, &p, err);
    json_t *value = NULL;

    if (rc != ERR_OK || text.n == 0)
        return rc;
    if (!slice_is_utf8(text) || memchr(text.p, '\0', text.n) != NULL)
        return err_set(err, ERR_INVALID, name, "is no text");
    rc = value_from_text(p, slice_trim(text), &value, err);
    if (rc == ERR_OK)
        rc = set_json(r, name, value, err);
    json_decref(value);
    return rc;
}

/* ---- All of them ---- */

static bool
is_own(const char *const *own, const char *key)
{
    for (; own != NULL && *own != NULL; own++)
        if (strcmp(*own, key) == 0)
            return true;
    return false;
}

enum err_code
request_read_json(struct request *r, struct json_t *object, const char *const *own, struct err *err)
{
    const char *key;
    json_t *value;
    enum err_code rc = ERR_OK;

    if (!json_is_object(object))
        return err_set(err, ERR_INVALID, NULL, "must be an object");
    json_object_foreach(object, key, value)
    {
        if (rc == ERR_OK && !is_own(own, key))
            rc = set_json(r, key, value, err);
    }
    return rc;
}

int64_t
request__resolve(const struct request_moment *m, const struct zone *zone, int64_t otherwise)
{
    if (!m->is_given)
        return otherwise;
    return m->is_day ? zone_day_start(zone, m->day) : m->ms;
}

enum err_code
request_finish(struct request *r, struct slice site_zone, int64_t now_ms, struct err *err)
{
    struct slice zone = r->timezone[0] != '\0' ? slice_from(r->timezone) : site_zone;

    zone_close(&r->zone);
    if (zone_open(zone, &r->zone, err) != ERR_OK)
        return err_set(err, ERR_INVALID, "timezone", "is no time zone");
    slice_to_cstr(slice_from(zone_name(r->zone)), r->timezone, sizeof r->timezone);
    r->range.from_ms = request__resolve(&r->from, r->zone, INT64_MIN);
    r->range.to_ms = request__resolve(&r->to, r->zone, INT64_MAX);
    r->as_of_ms = request__resolve(&r->as_of, r->zone, now_ms);
    if (r->range.from_ms >= r->range.to_ms)
        return err_set(err, ERR_INVALID, "to", "must be after \"from\"");
    return request__resolve_compare(r, err);
}

static void
add_bound(struct buffer *out, const char *name, const struct request *r, int64_t ms)
{
    char text[TIMESTAMP_TEXT_MAX];

    if (ms == INT64_MIN || ms == INT64_MAX)
        buffer_printf(out, ",\"%s\":null", name);
    else
        buffer_printf(out, ",\"%s\":\"%s\"", name, zone_format(r->zone, ms, text));
}

void
request_add_range(struct buffer *out, const struct request *r, const struct path_range *range)
{
    add_bound(out, "from", r, range->from_ms);
    add_bound(out, "to", r, range->to_ms);
    buffer_add_text(out, ",\"timezone\":");
    buffer_add_json(out, slice_from(zone_name(r->zone)));
}

/* ---- With its funnel ---- */

static bool
shares_rule(const struct funnel *f, int stage)
{
    for (int i = 0; i < f->n_stages; i++)
        if (i != stage && f->stages[i].group == f->stages[stage].group)
            return true;
    return false;
}

static enum err_code
check_stage(int stage, const struct funnel *f, struct err *err)
{
    if (stage > f->n_stages)
        return err_set(err, ERR_INVALID, "at", "must be the number of a stage, 1 to %d",
                       f->n_stages);
    return ERR_OK;
}

enum err_code
request_check_funnel(const struct request *r, const struct funnel *f, struct err *err)
{
    for (size_t i = 0; i < r->n_filters; i++) {
        const struct request_filter *filter = &r->filters[i];
        enum err_code rc = check_stage(filter->stage, f, err);

        if (rc == ERR_OK && filter->at == AT_STAGE && shares_rule(f, filter->stage - 1))
            rc = err_set(err, ERR_INVALID, "at",
                         "must not be %d: another stage has the same rule as that one",
                         filter->stage);
        if (rc != ERR_OK)
            return json__at(rc, err, "filters", i);
    }
    for (size_t i = 0; i < r->n_breakdowns; i++) {
        enum err_code rc = check_stage(r->breakdowns[i].stage, f, err);

        if (rc != ERR_OK)
            return json__at(rc, err, "breakdown", i);
    }
    return ERR_OK;
}
