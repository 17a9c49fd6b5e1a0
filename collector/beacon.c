/* The three shapes in which events come in. Each is read once, front to back; a field that is
 * refused ends its own event only. */
#include "collector/beacon.h"

#include "collector/visitor.h"
#include "core/json.h"
#include "core/timestamp.h"
#include "core/url.h"

static enum err_code
fail_json(const struct json *j, struct err *err)
{
    return err_set(err, ERR_INVALID, NULL, "no JSON at byte %zu: %s", j->at, j->error);
}

/* ---- One event ---- */

/* Names that a public sender may not give: they are the request's, or the beacon's own. */
static bool
is_of_the_request(struct slice name)
{
    return slice_is(name, "ip") || slice_is(name, "user_agent") || slice_is(name, "cookieless");
}

/* The value that begins with token t, where it is no object or array; false where it is one (or an
 * error). */
static inline bool
take_plain_value(const struct json *j, enum json_token t, struct given_value *out)
{
    switch (t) {
    case JSON_STRING:
        *out = (struct given_value){GIVEN_TEXT, j->text};
        return true;
    case JSON_NUMBER:
        *out = (struct given_value){GIVEN_NUMBER, j->text};
        return true;
    case JSON_TRUE:
        *out = (struct given_value){GIVEN_TRUTH, SLICE("true")};
        return true;
    case JSON_FALSE:
        *out = (struct given_value){GIVEN_TRUTH, SLICE("false")};
        return true;
    case JSON_NULL:
        *out = (struct given_value){GIVEN_NULL, SLICE_EMPTY};
        return true;
    default:
        return false;
    }
}

/* The next member of an object; false where there is none. */
static inline bool
next_member(struct json *j, struct slice *key, enum json_token *t)
{
    *t = json_next_member(j, key);
    return *t != JSON_OBJECT_END && *t != JSON_ERROR;
}

/* The value of "properties", which begins with token t: null, or an object of plain values. */
static enum err_code
read_properties(struct json *j, enum json_token t, struct given *g, struct err *err)
{
    enum err_code rc = ERR_OK;
    struct slice key;

    if (t == JSON_NULL)
        return ERR_OK;
    if (t != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "properties", "must be an object");
    while (rc == ERR_OK && next_member(j, &key, &t)) {
        struct given_value value;

        if (take_plain_value(j, t, &value))
            rc = given_set_property(g, key, &value, j->arena, err);
        else
            rc = given_fail(arena_printf(j->arena, "properties.%.*s", SLICE_ARG(key)), err,
                            "must be text, a number, true or false");
    }
    return rc;
}

static enum err_code
take_text(const struct json *j, enum json_token t, const char *name, struct slice *out,
          struct err *err)
{
    if (t != JSON_STRING)
        return err_set(err, ERR_INVALID, name, "must be text");
    *out = j->text;
    return ERR_OK;
}

static enum err_code
read_text(struct json *j, const char *name, struct slice *out, struct err *err)
{
    enum json_token t = json_next(j);

    return take_text(j, t, name, out, err);
}

/* The member of this name, whose value begins with token t. */
static enum err_code
read_field(struct json *j, const struct given_name *named, enum json_token t, struct given *g,
           struct err *err)
{
    struct slice name = named->name;
    struct given_value value;

    if (g->event.origin == ORIGIN_SNIPPET && slice_is(name, "ticket"))
        return take_text(j, t, "ticket", &g->ticket, err);
    if (g->event.origin == ORIGIN_SNIPPET && slice_is(name, "visitor"))
        return given_fail(name, err, "belongs to the beacon, not to its events");
    if (g->event.origin == ORIGIN_SNIPPET && is_of_the_request(name))
        return given_fail(name, err, "is the request's own and cannot be given here");
    if (!take_plain_value(j, t, &value))
        return given_fail(name, err, "must be text or a number");
    return given_set_named(g, named, &value, j->arena, err);
}

/* Who writes many events writes their members in about one order: what followed a name the last
 * time is looked for first, in each thread. The last place is what events begin with. */
static _Thread_local struct given_name followers[GIVEN_NAMES + 1];

/* The next member as next_member gives it, and its name looked up: one of the followers, or *other;
 * NULL where there is no member. `before` is the number of the name before it. */
static inline const struct given_name *
next_field(struct json *j, unsigned before, struct given_name *other, enum json_token *t)
{
    struct given_name *follower = &followers[before < GIVEN_NAMES ? before : GIVEN_NAMES];
    struct slice key;

    if (json_try_member(j, follower->name, t))
        return follower;
    if (!next_member(j, &key, t))
        return NULL;
    *other = given_find_name(key);
    if (other->number >= GIVEN_NAMES)
        return other;
    *follower = *other;
    return follower;
}

static enum err_code
read_fields(struct json *j, struct given *g, struct err *err)
{
    const struct given_name *name;
    unsigned before = GIVEN_NAMES;
    bool has_properties = false;
    enum err_code rc = ERR_OK;
    struct given_name other;
    enum json_token t;

    for (; rc == ERR_OK && (name = next_field(j, before, &other, &t)) != NULL;
         before = name->number) {
        bool is_properties = name->number >= GIVEN_NAMES && slice_is(name->name, "properties");

        if (!is_properties)
            rc = read_field(j, name, t, g, err);
        else if (has_properties)
            rc = given_fail(name->name, err, "given twice");
        else
            rc = read_properties(j, t, g, err);
        has_properties |= is_properties;
    }
    return rc;
}

/* Read an event whose JSON_OBJECT was read, into what given_init left. However it ends, the reader
 * stands behind the object, or j->error is set. */
static enum err_code
read_event(struct json *j, struct given *g, struct err *err)
{
    int outside = j->depth - 1;
    enum err_code rc;

    if (j->is_plain)
        g->plain = j->in;
    rc = read_fields(j, g, err);
    if (j->error == NULL && j->depth > outside)
        json_skip_open(j, outside);
    return j->error ? fail_json(j, err) : rc;
}

enum err_code
beacon_parse_line(struct slice line, struct arena *a, struct given *out, struct err *err)
{
    enum json_token first;
    enum err_code rc;
    struct json j;

    json_init(&j, line, a);
    first = json_next(&j);
    if (first == JSON_ERROR)
        return fail_json(&j, err);
    if (first != JSON_OBJECT)
        return err_set(err, ERR_INVALID, NULL, "an event must be a JSON object");
    given_init(out, ORIGIN_IMPORT);
    rc = read_event(&j, out, err);
    if (rc == ERR_OK && json_next(&j) != JSON_END)
        rc = fail_json(&j, err);
    return rc == ERR_OK ? given_check_required(out, err) : rc;
}

/* ---- Lists of events ---- */

static struct beacon_item *
add_item(struct beacon *b, enum event_origin origin, struct arena *a)
{
    struct beacon_item *item = ARENA_NEW(a, struct beacon_item);

    given_init(&item->given, origin);
    b->items[b->n_items++] = item;
    return item;
}

/* One event of a list, whose first token was `first`, as an item. ERR_INVALID only where the whole
 * body is no JSON. */
static enum err_code
read_item(struct json *j, enum json_token first, enum event_origin origin, struct beacon *b,
          struct err *err)
{
    struct beacon_item *item = add_item(b, origin, j->arena);

    if (first == JSON_OBJECT) {
        item->rc = read_event(j, &item->given, &item->err);
    } else {
        if (first == JSON_ARRAY)
            json_skip_open(j, j->depth - 1);
        item->rc = err_set(&item->err, ERR_INVALID, NULL, "an event must be an object");
    }
    if (j->error)
        return fail_json(j, err);
    if (item->rc == ERR_OK && origin == ORIGIN_SERVER)
        item->rc = given_check_required(&item->given, &item->err);
    return ERR_OK;
}

/* The rest of an array of events, whose JSON_ARRAY was read. */
static enum err_code
read_list(struct json *j, enum event_origin origin, struct beacon *b, struct err *err)
{
    enum err_code rc = ERR_OK;

    while (rc == ERR_OK) {
        enum json_token t = json_next(j);

        if (t == JSON_ERROR)
            return fail_json(j, err);
        if (t == JSON_ARRAY_END)
            break;
        if (b->n_items == BEACON_EVENTS_MAX)
            return err_set(err, ERR_LIMIT, "events", "more than %d events", BEACON_EVENTS_MAX);
        rc = read_item(j, t, origin, b, err);
    }
    return rc;
}

static enum err_code
finish_body(struct json *j, const struct beacon *b, struct err *err)
{
    if (json_next(j) != JSON_END)
        return fail_json(j, err);
    return b->n_items > 0 ? ERR_OK : err_set(err, ERR_INVALID, "events", "no events");
}

static void
init_beacon(struct beacon *b)
{
    memset(b, 0, sizeof *b);
    b->site = b->visitor = SLICE_EMPTY;
}

enum err_code
beacon_parse_server(struct slice body, struct arena *a, struct beacon *out, struct err *err)
{
    enum json_token first;
    enum err_code rc;
    struct json j;

    init_beacon(out);
    json_init(&j, body, a);
    first = json_next(&j);
    if (first == JSON_OBJECT)
        rc = read_item(&j, first, ORIGIN_SERVER, out, err);
    else if (first == JSON_ARRAY)
        rc = read_list(&j, ORIGIN_SERVER, out, err);
    else if (first == JSON_ERROR)
        rc = fail_json(&j, err);
    else
        rc = err_set(err, ERR_INVALID, NULL, "must be an event or an array of events");
    return rc == ERR_OK ? finish_body(&j, out, err) : rc;
}

/* ---- The snippet's body ---- */

enum { HEAD_SITE, HEAD_VISITOR, HEAD_SENT, HEAD_EVENTS, HEAD_COUNT };

static const char *const head_names[HEAD_COUNT] = {"site", "visitor", "sent", "events"};

static enum err_code
read_sent(struct json *j, struct beacon *b, struct err *err)
{
    enum json_token t = json_next(j);

    if ((t != JSON_NUMBER && t != JSON_STRING) ||
        timestamp_parse(j->text, &b->sent_ms, NULL) != ERR_OK)
        return err_set(err, ERR_INVALID, "sent", "must be ms since the epoch");
    b->has_sent = true;
    return ERR_OK;
}

static enum err_code
read_head_field(struct json *j, int field, struct beacon *b, struct err *err)
{
    switch (field) {
    case HEAD_SITE:
        return read_text(j, "site", &b->site, err);
    case HEAD_VISITOR:
        return read_text(j, "visitor", &b->visitor, err);
    case HEAD_SENT:
        return read_sent(j, b, err);
    default:
        if (json_next(j) != JSON_ARRAY)
            return err_set(err, ERR_INVALID, "events", "must be an array");
        return read_list(j, ORIGIN_SNIPPET, b, err);
    }
}

static enum err_code
read_head(struct json *j, struct beacon *b, struct err *err)
{
    unsigned seen = 0;
    enum err_code rc = ERR_OK;

    while (rc == ERR_OK && json_next(j) == JSON_KEY) {
        int field = 0;

        while (field < HEAD_COUNT && !slice_is(j->text, head_names[field]))
            field++;
        if (field == HEAD_COUNT)
            return given_fail(j->text, err, "unknown name");
        if (seen >> field & 1)
            return given_fail(j->text, err, "given twice");
        seen |= 1u << field;
        rc = read_head_field(j, field, b, err);
    }
    return j->error ? fail_json(j, err) : rc;
}

enum err_code
beacon_parse(struct slice body, struct arena *a, struct beacon *out, struct err *err)
{
    enum json_token first;
    enum err_code rc;
    struct json j;

    init_beacon(out);
    json_init(&j, body, a);
    first = json_next(&j);
    if (first == JSON_ERROR)
        return fail_json(&j, err);
    if (first != JSON_OBJECT)
        return err_set(err, ERR_INVALID, NULL, "a beacon must be a JSON object");
    rc = read_head(&j, out, err);
    if (rc == ERR_OK)
        rc = finish_body(&j, out, err);
    if (rc == ERR_OK && out->site.n == 0)
        rc = err_set(err, ERR_INVALID, "site", "missing or empty");
    return rc;
}

enum err_code
beacon_give_visitor(struct beacon *b, struct slice visitor, struct err *err)
{
    enum err_code rc = visitor_check(visitor, err);

    for (uint32_t i = 0; rc == ERR_OK && i < b->n_items; i++)
        b->items[i]->given.event.visitor = visitor;
    return rc;
}

/* ---- The pixel ---- */

enum err_code
beacon_parse_pixel(struct slice query, struct arena *a, struct beacon *out, struct err *err)
{
    struct slice rest = query, name, value;
    struct beacon_item *item;

    init_beacon(out);
    item = add_item(out, ORIGIN_PIXEL, a);
    while (url_next_parameter(&rest, &name, &value)) {
        name = url_decode(a, name);
        value = url_decode(a, value);
        if (slice_is(name, "_") || slice_is(name, "debug"))
            continue;
        if (slice_is(name, "site")) {
            if (out->site.n > 0)
                return err_set(err, ERR_INVALID, "site", "given twice");
            out->site = value;
        } else if (item->rc == ERR_OK && is_of_the_request(name)) {
            item->rc =
                given_fail(name, &item->err, "is the request's own and cannot be given here");
        } else if (item->rc == ERR_OK) {
            item->rc = given_set(&item->given, name, value, a, &item->err);
        }
    }
    if (out->site.n == 0)
        return err_set(err, ERR_INVALID, "site", "missing or empty");
    return ERR_OK;
}

/* ---- Time ---- */

int64_t
beacon_time(int64_t happened_ms, int64_t sent_ms, int64_t received_ms)
{
    int64_t step = BEACON_SKEW_STEP_MS;
    int64_t shifted = received_ms - sent_ms + step / 2;
    int64_t steps = shifted / step - (shifted % step < 0); /* rounded down, also below 0 */

    return happened_ms + steps * step;
}

const char *
beacon_timing_name(enum beacon_timing t)
{
    static const char *const names[] = {
        [BEACON_IN_TIME] = "in_time",
        [BEACON_TOO_OLD] = "too_old",
        [BEACON_IN_FUTURE] = "in_future",
    };

    return names[t];
}

enum beacon_timing
beacon_judge_time(int64_t time_ms, int64_t received_ms, int64_t max_age_ms)
{
    if (received_ms - time_ms > max_age_ms)
        return BEACON_TOO_OLD;
    return time_ms - received_ms > BEACON_FUTURE_MAX_MS ? BEACON_IN_FUTURE : BEACON_IN_TIME;
}

enum beacon_timing
beacon_settle_time(struct given *g, const struct beacon *b, int64_t received_ms, int64_t max_age_ms)
{
    int64_t sent = b->has_sent ? b->sent_ms : received_ms;
    int64_t happened = g->has_time ? g->event.time_ms : sent;

    g->event.time_ms = beacon_time(happened, sent, received_ms);
    g->has_time = true;
    return beacon_judge_time(g->event.time_ms, received_ms, max_age_ms);
}
