/* Queries: what is known of visitors by the order in which their events come up is what reading
 * their rows says. Random sites of few names, whose questions ask for names and a device. */
#include "aggregator/merge.h"
#include "aggregator/pass.h"
#include "core/buffer.h"
#include "tests/unit/aggregator/fixture.h"
#include "tests/unit/aggregator/segment/support.h"

#define N_SITES     6
#define N_VISITORS  150
#define N_QUESTIONS 150
#define HOUR_MS     (DAY_MS / 24)

static const int64_t months[] = {JUNE_2026_MS, JUNE_2026_MS + 30 * DAY_MS,
                                 JUNE_2026_MS + 61 * DAY_MS};
#define N_MONTHS (sizeof months / sizeof *months)

/* ---- Sites ---- */

static void
add_event(struct fixture *f, struct random *r, const char *visitor, const char *device,
          int64_t time_ms)
{
    static const char *const names[] = {"a", "a", "b", "c", "d", "x"};
    char id[40];
    struct event e;

    snprintf(id, sizeof id, "%s-%u", visitor, random_below(r, 1u << 30));
    e = event_of(1, visitor, id, names[random_below(r, 6)], time_ms);
    e.text[TEXT_DEVICE] = slice_from(device);
    if (random_below(r, 12) == 0)
        event_set_number(&e, NUMBER_VALUE, 100);
    if (random_below(r, 200) == 0)
        e.flags |= EVENT_BOT;
    fixture_add(f, &e);
}

/* Most have one device in a month, and some events at one moment. */
static void
add_month(struct fixture *f, struct random *r, const char *visitor, int64_t month_ms)
{
    static const char *const devices[] = {"", "phone", "desktop"};
    static const int64_t steps_ms[] = {0, 1000, 40 * 60000, 20 * HOUR_MS, 6 * DAY_MS};
    int64_t time_ms = month_ms + (int64_t)random_below(r, 8 * 24) * HOUR_MS;
    const char *device = devices[random_below(r, 3)];
    bool is_several = random_below(r, 6) == 0;

    for (uint32_t n = random_below(r, 6) + 1; n > 0 && time_ms < month_ms + 30 * DAY_MS; n--) {
        add_event(f, r, visitor, is_several ? devices[random_below(r, 3)] : device, time_ms);
        time_ms += steps_ms[random_below(r, 5)];
    }
}

static void
add_site(struct fixture *f, struct random *r)
{
    struct merge_options options = {
        .store = &f->store, .settings = f->settings, .everything = true};
    struct err err = ERR_NONE;
    char visitor[16];

    for (int v = 0; v < N_VISITORS; v++) {
        snprintf(visitor, sizeof visitor, "v%d", v);
        for (size_t m = 0; m < N_MONTHS; m++)
            if (random_below(r, 2) == 0)
                add_month(f, r, visitor, months[m]);
    }
    fixture_commit(f);
    segment_builder_reset(f->builder);
    for (size_t m = 0; m < N_MONTHS; m++) /* months of one file stay as they are */
        add_event(f, r, "another", "", months[m]);
    fixture_commit(f);
    segment_builder_reset(f->builder);
    for (size_t n = 1; n != 0;)
        assert_ok(merge_step(f->catalog, &options, &n, &err));
}

/* ---- Questions ---- */

static void
add_names(struct buffer *out, struct random *r)
{
    static const char *const names[] = {"a", "b", "c", "d"};

    buffer_printf(out, "{\"attribute\":\"event\",\"op\":\"is\",\"values\":[\"%s\"",
                  names[random_below(r, 4)]);
    if (random_below(r, 4) == 0)
        buffer_printf(out, ",\"%s\"", names[random_below(r, 4)]);
    buffer_add_text(out, "]}");
}

#define RULE_PHONE "{\"attribute\":\"device\",\"op\":\"is\",\"values\":[\"phone\"]}"

static struct funnel *
random_funnel(struct random *r)
{
    static const char *const windows[] = {"1h", "1d", "7d", "20d", "30d", "45d", "90d"};
    uint32_t n_stages = 2 + random_below(r, 3);
    struct buffer json = BUFFER_EMPTY;
    struct funnel *funnel = NULL;
    struct err err = ERR_NONE;

    buffer_printf(&json, "{\"window\":\"%s\",\"stages\":[", windows[random_below(r, 7)]);
    for (uint32_t k = 0; k < n_stages; k++) {
        bool is_narrow = random_below(r, 8) == 0;

        buffer_printf(&json, "%s{\"name\":\"%u\",\"rule\":%s", k == 0 ? "" : ",", k,
                      is_narrow ? "{\"all\":[" RULE_PHONE "," : "");
        add_names(&json, r);
        buffer_printf(&json, "%s}", is_narrow ? "]}" : "");
    }
    buffer_add_char(&json, ']');
    if (random_below(r, 4) == 0) {
        buffer_add_text(&json, ",\"exclusions\":[{\"rule\":");
        add_names(&json, r);
        buffer_add_text(&json, "}]");
    }
    buffer_add_char(&json, '}');
    assert_ok(funnel_parse(buffer_slice(&json), &funnel, &err));
    buffer_fini(&json);
    return funnel;
}

static void
random_request(struct random *r, int n_stages, struct request *out)
{
    static const char *const at[] = {"entry", "any", "none"};
    struct buffer filter = BUFFER_EMPTY;
    struct err err = ERR_NONE;
    char breakdown[32];

    request_init(out);
    out->is_report = true;
    if (random_below(r, 3) == 0) {
        buffer_add_text(&filter, "{\"rule\":");
        if (random_below(r, 3) == 0)
            add_names(&filter, r);
        else
            buffer_add_text(&filter, RULE_PHONE);
        buffer_printf(&filter, ",\"at\":\"%s\"}", at[random_below(r, 3)]);
        assert_ok(request_set(out, "filters", buffer_slice(&filter), &err));
    }
    snprintf(breakdown, sizeof breakdown, "device@%u", random_below(r, (uint32_t)n_stages) + 1);
    if (random_below(r, 3) == 0)
        assert_ok(request_set(out, "breakdown",
                              random_below(r, 2) == 0 ? SLICE("device") : slice_from(breakdown),
                              &err));
    assert_ok(request_set(out, "figures", SLICE("counts"), &err));
    assert_ok(request_finish(out, SLICE("UTC"), INT64_C(4102444800000), &err));
    if (random_below(r, 3) == 0)
        out->range.from_ms = months[random_below(r, N_MONTHS)];
    if (random_below(r, 3) == 0)
        out->range.to_ms = months[N_MONTHS - 1] + (int64_t)random_below(r, 40) * DAY_MS;
    buffer_fini(&filter);
}

/* ---- Asking ---- */

struct said {
    struct slice text; /* of all presets */
    int64_t n_plain;
};

static struct said
ask(struct fixture *f, const struct funnel *funnel, const struct request *request, bool is_general)
{
    struct query_funnel q = {.site = 1,
                             .n_presets = PRESET_COUNT,
                             .presets = {PRESET_OPEN, PRESET_CLOSED, PRESET_SEQUENTIAL},
                             .funnel = funnel,
                             .request = request,
                             .is_general = is_general};
    struct buffer json = BUFFER_EMPTY;
    struct query_answer answer;
    struct err err = ERR_NONE;
    struct said out;

    assert_ok(query_funnel(f->pool, &q, &answer, &err));
    for (int i = 0; i < answer.n_reports; i++) {
        answer.reports[i].about.elapsed_us = 0;
        report_add_json(&json, &answer.reports[i]);
        buffer_add_char(&json, '\n');
    }
    out = (struct said){arena_copy(&f->arena, buffer_slice(&json)), answer.main->n_plain};
    query_answer_fini(&answer);
    buffer_fini(&json);
    return out;
}

static void
test_counts_are_what_reading_says(void **state)
{
    static uint64_t seed;
    struct fixture *f = *state;
    struct random r = {++seed};
    int64_t n_plain = 0;

    add_site(f, &r);
    for (int i = 0; i < N_QUESTIONS; i++) {
        struct funnel *funnel = random_funnel(&r);
        struct request request;
        struct said known;
        struct said read;

        random_request(&r, funnel->n_stages, &request);
        known = ask(f, funnel, &request, false);
        read = ask(f, funnel, &request, true);
        if (!slice_equal(known.text, read.text))
            fail_msg("site %d, question %d, where they lie:\n%.*s\nby reading:\n%.*s", (int)seed, i,
                     SLICE_ARG(known.text), SLICE_ARG(read.text));
        n_plain += known.n_plain;
        request_fini(&request);
        funnel_destroy(&funnel);
    }
    assert_true(n_plain > N_QUESTIONS * N_VISITORS / 4);
}

int
main(void)
{
    const struct CMUnitTest test = cmocka_unit_test_setup_teardown(
        test_counts_are_what_reading_says, fixture_setup, fixture_teardown);
    struct CMUnitTest tests[N_SITES];

    for (int i = 0; i < N_SITES; i++)
        tests[i] = test;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
