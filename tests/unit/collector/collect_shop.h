/* The collector with one site, "shop", whose secret key is "secret". */
#ifndef TESTS_UNIT_COLLECTOR_COLLECT_SHOP_H
#define TESTS_UNIT_COLLECTOR_COLLECT_SHOP_H

#include "core/stream_list.h"
#include "tests/unit/collector/collect_world.h"

#define SHOP_SITE                                                                                  \
    "{\"id\":7,\"name\":\"shop\",\"domain\":\"shop.example\",\"timezone\":\"UTC\",\"currency\":"   \
    "\"USD\",\"max_age_ms\":86400000,\"max_events_per_visitor_day\":5,\"secret_sha256\":"          \
    "\"2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\"}"

static inline int
set_up_as(void **state, const char *demo_site_key)
{
    static const struct stream_pair sites[] = {{SLICE("site_shop"), SLICE(SHOP_SITE)}};
    struct fixture *f = world_open(sites, 1);

    f->config.demo_site_key = demo_site_key;
    world_start(f);
    *state = f;
    return 0;
}

static inline int
set_up(void **state)
{
    return set_up_as(state, "");
}

/* received = accepted + rejected + failed */
static inline void
check_invariant(struct fixture *f)
{
    static const char *const reasons[] = {"invalid",      "too_old",    "in_future",    "too_many",
                                          "rate_address", "rate_site",  "unknown_site", "bad_key",
                                          "too_large",    "unavailable"};
    int64_t sum =
        metric(f, "corong_events_accepted_total") + metric(f, "corong_events_failed_total");
    char name[100];

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        snprintf(name, sizeof name, "corong_events_rejected_total{reason=\"%s\"}", reasons[i]);
        assert_true(metric(f, name) >= 0);
        sum += metric(f, name);
    }
    assert_int_equal(metric(f, "corong_events_received_total"), sum);
}

static inline void
post(struct fixture *f, const char *target, const char *headers, const char *body,
     struct http_answer *a)
{
    http_client_request(f->port, "POST", target, headers, slice_from(body), a);
}

#define EVENT(more) "{\"event\":\"pageview\",\"url\":\"https://shop.example/p?a=1\"" more "}"
#define BEACON(events)                                                                             \
    "{\"site\":\"site_shop\",\"visitor\":\"v1\",\"sent\":1780315200000,\"events\":[" events "]}"

#define SERVED(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

#endif
