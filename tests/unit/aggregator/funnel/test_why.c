/* Why an event counts at a stage or not: a reason a row, on paths that are counted for real. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aggregator/funnel/why.h"

#define RULE(name)        "{\"attribute\":\"event\",\"op\":\"is\",\"values\":[\"" name "\"]}"
#define STAGE(name, more) "{\"name\":\"" name "\",\"rule\":" RULE(name) more "}"
#define WINDOW            100 /* ms */
#define FROM              1000
#define TO                2000

struct row {
    const char *funnel; /* its stages and what else it has, under a window of WINDOW */
    int n;
    struct path_event events[6];
    uint32_t event; /* asked about */
    int stage;      /* from 0 */
    const char *reason;
    int64_t by_ms;
    int64_t at_ms;
    int other;
};

#define A 1
#define B 2
#define C 4

static const char open3[] = "\"stages\":[" STAGE("a", "") "," STAGE("b", "") "," STAGE("c", "") "]";
static const char b_required[] =
    "\"stages\":[" STAGE("a", "") "," STAGE("b", ",\"required\":true") "," STAGE("c", "") "]";
static const char excluded[] =
    "\"stages\":[" STAGE("a", "") "," STAGE("b", "") "],\"exclusions\":[{\"rule\":" RULE("x") "}]";
static const char twice[] = "\"stages\":[" STAGE("a", "") "," STAGE("a", "") "]";

static const struct row rows[] = {
    {open3, 2, {{1100, A, 0}, {1150, B, 0}}, 0, 0, "counted", 0, 0, 0},
    {open3, 2, {{1100, A, 0}, {1150, B, 0}}, 1, 1, "counted", 0, 0, 0},
    /* three hours after the window, as it were */
    {open3, 2, {{1100, A, 0}, {1203, B, 0}}, 0, 0, "before_window", 3, 0, 0},
    {b_required, 2, {{1100, A, 0}, {1300, B, 0}}, 1, 1, "counted", 0, 0, 0},
    {"\"preset\":\"closed\",\"stages\":[" STAGE("a", "") "," STAGE("b", "") "]",
     2,
     {{1100, A, 0}, {1203, B, 0}},
     1,
     1,
     "after_window",
     3,
     0,
     0},
    {open3, 2, {{990, A, 0}, {1010, B, 0}}, 0, 0, "before_range", 10, 0, 0},
    {open3, 1, {{990, A, 0}}, 0, 0, "before_range", 10, 0, 0},
    {open3, 1, {{2005, A, 0}}, 0, 0, "after_range", 5, 0, 0},
    {open3, 3, {{1100, A, 0}, {1110, A, 0}, {1150, B, 0}}, 1, 0, "stage_served", 0, 1100, 0},
    /* the basket after the sale */
    {open3, 3, {{1100, A, 0}, {1150, C, 0}, {1160, B, 0}}, 2, 1, "out_of_order", 0, 0, 3},
    {open3, 2, {{1100, B, 0}, {1150, A, 0}}, 1, 0, "out_of_order", 0, 0, 2},
    {b_required, 2, {{1100, A, 0}, {1150, C, 0}}, 1, 2, "stage_missing", 0, 0, 2},
    {b_required, 1, {{1100, C, 0}}, 0, 2, "stage_missing", 0, 0, 2},
    {excluded, 3, {{1100, A, 0}, {1110, 0, 1}, {1120, B, 0}}, 2, 1, "excluded", 0, 1110, 0},
    {twice, 1, {{1100, A | B, 0}}, 0, 0, "counted", 0, 0, 0},
    {twice, 1, {{1100, A | B, 0}}, 0, 1, "already_used", 0, 0, 1},
};

static void
ask(const struct row *row, int n)
{
    struct unit u = {.n = (uint32_t)row->n,
                     .events = row->events,
                     .range = {FROM, TO},
                     .end_ms = TO + WINDOW,
                     .as_of_ms = INT64_MAX};
    struct buffer text = BUFFER_EMPTY;
    struct funnel *f = NULL;
    struct err err = ERR_NONE;
    struct outcome o = {.is_chosen = true};
    struct plan plan;
    struct why why;

    buffer_printf(&text, "{\"window\":\"%dms\",%s}", WINDOW, row->funnel);
    if (funnel_parse(buffer_slice(&text), &f, &err) != ERR_OK)
        fail_msg("%s: %s", err.field, err.message);
    plan_init(&plan, f, f->preset);
    o.has_path = path_count(&plan, &u.range, u.events, u.n, &o.path);
    why = why_of(&u, &plan, &o, row->event, row->stage);
    if (why.stage != row->stage + 1 || strcmp(why_name(why.reason), row->reason) != 0 ||
        why.by_ms != row->by_ms || why.at_ms != row->at_ms || why.other != row->other)
        fail_msg("row %d: %s by %lld at %lld, stage %d", n, why_name(why.reason),
                 (long long)why.by_ms, (long long)why.at_ms, why.other);
    o.is_chosen = false;
    assert_string_equal(why_name(why_of(&u, &plan, &o, row->event, row->stage).reason), "no_path");
    funnel_destroy(&f);
    buffer_fini(&text);
}

static void
test_reasons(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ask(&rows[i], (int)i);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reasons)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
