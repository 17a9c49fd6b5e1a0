/* Any text as a funnel's definition. What is accepted comes back from its own JSON unchanged, and
 * can be matched and run; what is refused says why. */
#include <assert.h>
#include <stdlib.h>

#include "aggregator/funnel/matcher.h"
#include "aggregator/funnel/path.h"
#include "tests/fuzz/fuzz.h"

#define EVENTS 12

/* A few events with everything that a rule can read. */
static void
make_event(int i, struct event_property *property, struct event *out)
{
    static const char *const names[] = {"pageview", "a", "sale", "/p/1"};

    *property = (struct event_property){SLICE("k"), slice_from(i % 2 ? "10.5" : "Ten")};
    *out = (struct event){.time_ms = i / 2 * 1000,
                          .flags = i % 3 ? EVENT_DRIVER : EVENT_BOT,
                          .n_properties = 1,
                          .properties = property};
    for (int t = 0; t < TEXT_COUNT; t++)
        out->text[t] = slice_from(names[(t + i) % 4]);
    for (int k = 0; k < NUMBER_COUNT; k++)
        if ((i + k) % 2)
            event_set_number(out, (enum event_number)k, i * 1234 - 5000);
}

static void
run(const struct funnel *f)
{
    struct leaf_scratch *scratch = leaf_scratch_create();
    struct matcher *m = NULL;
    struct path_event events[EVENTS];
    const struct path_range range = PATH_RANGE_ALL;
    struct err err = ERR_NONE;
    enum err_code rc = matcher_create(f, NULL, 0, &m, &err);

    assert(rc == ERR_OK || rc == ERR_LIMIT);
    for (int i = 0; i < EVENTS && rc == ERR_OK; i++) {
        struct event_property property;
        struct event e;
        struct masks masks = {0, 0, 0};

        make_event(i, &property, &e);
        rc = matcher_event(m, scratch, &e, &masks, &err);
        assert(rc == ERR_OK || rc == ERR_LIMIT);
        events[i] = (struct path_event){e.time_ms, masks.stages, masks.exclusions};
    }
    for (int p = 0; p < PRESET_COUNT && rc == ERR_OK; p++) {
        struct plan plan;
        struct path path;

        plan_init(&plan, f, (enum funnel_preset)p);
        if (path_count(&plan, &range, events, EVENTS, &path))
            assert(path.n >= 1 && (int)path.n <= f->n_stages);
    }
    matcher_destroy(&m);
    leaf_scratch_destroy(&scratch);
}

static void
assert_comes_back(const struct funnel *f)
{
    struct buffer first = BUFFER_EMPTY;
    struct buffer second = BUFFER_EMPTY;
    struct funnel *again = NULL;
    enum err_code rc;

    funnel_add_json(&first, f);
    rc = funnel_parse(buffer_slice(&first), &again, NULL);
    assert(rc == ERR_OK);
    funnel_add_json(&second, again);
    assert(slice_equal(buffer_slice(&first), buffer_slice(&second)));
    for (int i = 0; i < f->n_stages; i++)
        assert(
            slice_equal(f->stages[i].canonical->canonical, again->stages[i].canonical->canonical));
    funnel_destroy(&again);
    buffer_fini(&first);
    buffer_fini(&second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct funnel *f = NULL;
    struct err err = ERR_NONE;

    if (funnel_parse(slice_of((const char *)bytes, n), &f, &err) != ERR_OK) {
        assert(f == NULL && err.message[0] != '\0');
        return 0;
    }
    assert_comes_back(f);
    run(f);
    funnel_destroy(&f);
    return 0;
}
