/* Any bytes as the parameters of a report, and of a count: as the query of an address, and as JSON.
 * What is accepted is whole: ranges that are none are refused, points lie side by side in the
 * range, every number has its bin. */
#include <assert.h>
#include <jansson.h>
#include <string.h>

#include "aggregator/funnel/request.h"
#include "core/url.h"
#include "tests/fuzz/fuzz.h"

#define NOW_MS   INT64_C(1790000000000)
#define FIRST_MS INT64_C(1780000000000)
#define RULE(x)  "{\"attribute\":\"path\",\"op\":\"is\",\"values\":[\"" x "\"]}"

static struct funnel *
some_funnel(void)
{
    static struct funnel *f; /* one for all: it is only read */

    if (f == NULL)
        funnel_parse(
            SLICE("{\"window\":\"7d\",\"stages\":[{\"name\":\"a\",\"rule\":" RULE(
                "/a") "},{\"name\":\"b\",\"rule\":" RULE("/b") "},"
                                                               "{\"name\":\"c\",\"rule\":" RULE(
                                                                   "/a") "}]}"),
            &f, NULL);
    assert(f != NULL);
    return f;
}

static void
check_points(struct request *r)
{
    struct path_range *points;
    size_t n;
    struct err err = ERR_NONE;
    enum err_code rc = request_points(r, FIRST_MS, NOW_MS, &r->arena, &points, &n, &err);

    assert(rc == ERR_OK || (rc == ERR_LIMIT && strcmp(err.field, "trend") == 0));
    assert(n <= REQUEST_POINTS_MAX);
    for (size_t i = 0; i < n; i++) {
        assert(points[i].from_ms < points[i].to_ms);
        assert(i == 0 || points[i].from_ms == points[i - 1].to_ms);
        assert(points[i].from_ms >= r->range.from_ms && points[i].to_ms <= r->range.to_ms);
    }
}

static void
check_bins(struct request *r)
{
    for (size_t i = 0; i < r->n_breakdowns; i++) {
        const struct request_breakdown *b = &r->breakdowns[i];

        for (size_t k = 0; k < b->n_bins; k++)
            assert(request_bin(b, b->bins[k]) == k + 1);
        for (size_t k = 0; b->n_bins > 0 && k <= b->n_bins; k++)
            assert(request_bin_name(b, k, &r->arena).n > 0);
    }
}

static void
finish(struct request *r, enum err_code rc, struct err *err)
{
    if (rc == ERR_OK)
        rc = request_finish(r, SLICE("Europe/Berlin"), NOW_MS, err);
    if (rc == ERR_OK)
        rc = request_check_funnel(r, some_funnel(), err);
    if (rc != ERR_OK) {
        assert(err->message[0] != '\0');
        return;
    }
    assert(r->range.from_ms < r->range.to_ms);
    if (r->compare.is_given) {
        assert(r->compare.range.from_ms < r->compare.range.to_ms);
        assert(r->compare.as_of_ms <= r->as_of_ms);
    }
    check_points(r);
    check_bins(r);
}

static void
read_address(struct slice query, bool is_count)
{
    struct request r;
    struct slice key, value;
    struct err err = ERR_NONE;
    enum err_code rc = ERR_OK;

    request_init(&r);
    r.is_count = is_count;
    while (rc == ERR_OK && url_next_parameter(&query, &key, &value))
        rc = request_set(&r, arena_cstr(&r.arena, url_decode(&r.arena, key)),
                         url_decode(&r.arena, value), &err);
    finish(&r, rc, &err);
    request_fini(&r);
}

static void
read_json(struct slice text, bool is_count)
{
    static const char *const own[] = {"funnel", NULL};
    json_t *json = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    struct request r;
    struct err err = ERR_NONE;

    if (json == NULL)
        return;
    request_init(&r);
    r.is_count = is_count;
    finish(&r, request_read_json(&r, json, own, &err), &err);
    request_fini(&r);
    json_decref(json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct slice text = slice_of((const char *)bytes, n);

    for (int is_count = 0; is_count < 2; is_count++) {
        if (n > 0 && bytes[0] == '{')
            read_json(text, is_count);
        else
            read_address(text, is_count);
    }
    return 0;
}
