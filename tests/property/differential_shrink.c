#include "tests/property/differential.h"

int
differential_case(const struct failing *c, struct verdict *v)
{
    struct event *events = calloc(c->site.n + 1, sizeof *events);
    struct reference_site site;
    struct segment_owner owner;
    struct fixture *f;
    struct arena a;
    void *state;
    int n;

    fixture_setup(&state);
    f = state;
    arena_init(&a, 1 << 20);
    differential_write(f, &c->site, 1, c->merge_after);
    if (c->is_merged)
        differential_merge(f);
    for (size_t i = 0; i < c->site.n; i++)
        events[i] = c->site.events[i].event;
    owner = store_owner(&f->store);
    reference_site(&owner, events, c->site.n, &f->arena, &site);
    n = differential_try(f, c->site.n > 0 ? events[0].site : 1, &site, &c->q, &a, v);
    arena_fini(&a);
    free(events);
    fixture_teardown(&state);
    return n;
}

static bool
differs(const struct failing *c, struct verdict *v)
{
    differential_case(c, v);
    return v->outcome == DIFFERENT;
}

/* Leave out those events that `is_out` says, if the case still differs without them. */
static bool
leave_out(struct failing *c, bool (*is_out)(const struct site_event *e, const struct site_event *x),
          size_t x)
{
    struct failing less = *c;
    struct verdict v;

    less.site.n = 0;
    less.site.events = calloc(c->site.n + 1, sizeof *less.site.events);
    for (size_t i = 0; i < c->site.n; i++)
        if (!is_out(&c->site.events[i], &c->site.events[x]))
            less.site.events[less.site.n++] = c->site.events[i];
    if (less.site.n > 0 && differs(&less, &v)) {
        memcpy(c->site.events, less.site.events, less.site.n * sizeof *less.site.events);
        c->site.n = less.site.n;
        free(less.site.events);
        return true;
    }
    free(less.site.events);
    return false;
}

static bool
is_of_visitor(const struct site_event *e, const struct site_event *x)
{
    return slice_equal(e->event.visitor, x->event.visitor);
}

static bool
is_it(const struct site_event *e, const struct site_event *x)
{
    return e == x;
}

static void
try_simpler(struct failing *c, const struct question *simpler)
{
    struct failing other = *c;
    struct verdict v;

    other.q = *simpler;
    if (differs(&other, &v))
        c->q = *simpler;
}

static void
shrink_question(struct failing *c)
{
    struct question q;

#define TRY(change)                                                                                \
    q = c->q;                                                                                      \
    change;                                                                                        \
    try_simpler(c, &q)
    TRY(q.compare = NO_COMPARE);
    TRY(q.trend = NO_TREND);
    TRY(q.n_breakdowns = 0);
    TRY(q.n_filters = 0);
    TRY(q.n_exclusions = 0);
    TRY(q.bots = WITH_BOTS);
    TRY(q.as_of.is_given = false);
    TRY(q.from.is_given = q.trend != NO_TREND || q.compare != NO_COMPARE);
    TRY(q.to.is_given = q.trend != NO_TREND || q.compare != NO_COMPARE);
    TRY(q.timezone = "UTC");
    TRY(q.of_sessions = false);
    TRY(q.n_breakdowns = q.n_breakdowns > 1 ? 1 : q.n_breakdowns);
    for (int i = c->q.n_filters - 1; i >= 0 && c->q.n_filters > 1; i--) {
        TRY(memmove(&q.filters[i], &q.filters[i + 1],
                    (size_t)(--q.n_filters - i) * sizeof *q.filters));
    }
    while (c->q.n_stages > 2) {
        int n = c->q.n_stages;

        TRY(q.n_stages--);
        if (c->q.n_stages == n)
            break;
    }
#undef TRY
}

static void
print_event(const struct site_event *e)
{
    const struct event *x = &e->event;

    print_error("  flush %d %.*s %lld id %.*s%s%s", e->flush, SLICE_ARG(x->visitor),
                (long long)x->time_ms, SLICE_ARG(x->id), x->flags & EVENT_BOT ? " BOT" : "",
                x->flags & EVENT_DRIVER ? " DRIVER" : "");
    for (int i = 0; i < TEXT_COUNT; i++)
        if (x->text[i].n > 0)
            print_error(" %s=%.*s", event_text_name((enum event_text)i), SLICE_ARG(x->text[i]));
    for (int i = 0; i < NUMBER_COUNT; i++)
        if (event_has_number(x, (enum event_number)i))
            print_error(" %s=%lld", event_number_name((enum event_number)i),
                        (long long)x->number[i]);
    for (uint32_t i = 0; i < x->n_properties; i++)
        print_error(" %.*s=%.*s", SLICE_ARG(x->properties[i].key),
                    SLICE_ARG(x->properties[i].value));
    print_error("\n");
}

static void
print_failing(const struct failing *c, const struct verdict *v)
{
    struct buffer text = BUFFER_EMPTY;

    question_add_definition(&text, &c->q);
    buffer_add_char(&text, '\n');
    question_add_request(&text, &c->q);
    print_error("%.*s\nlist %s:%d, preset %s%s\n", SLICE_ARG(buffer_slice(&text)), c->q.figure,
                c->q.figure_stage, (const char *[]){"open", "closed", "sequential"}[v->preset],
                c->is_merged ? ", merged" : "");
    for (size_t i = 0; i < c->site.n; i++)
        print_event(&c->site.events[i]);
    print_error("%s\n", v->words);
    buffer_fini(&text);
}

void
differential_fail(const struct failing *found, const struct verdict *v)
{
    struct failing c = *found;
    struct verdict again;

    c.site.events = calloc(c.site.n, sizeof *c.site.events);
    memcpy(c.site.events, found->site.events, c.site.n * sizeof *c.site.events);
    if (!differs(&c, &again)) {
        print_failing(&c, v);
        fail_msg("differs beside other sites only");
    }
    for (size_t i = 0; i < c.site.n;)
        i = leave_out(&c, is_of_visitor, i) ? 0 : i + 1;
    shrink_question(&c);
    for (size_t i = c.site.n; i-- > 0;)
        leave_out(&c, is_it, i);
    shrink_question(&c);
    for (size_t i = c.site.n; i-- > 0;)
        leave_out(&c, is_it, i);
    assert_true(differs(&c, &again));
    print_failing(&c, &again);
    free(c.site.events);
    fail_msg("the engine differs from the reference");
}
