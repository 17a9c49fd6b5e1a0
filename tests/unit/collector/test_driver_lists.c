/* The tables of drivers against the lists that they were made of, against cases that others wrote,
 * and against what docs/drivers.md says of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <jansson.h>

#include "collector/driver_int.h"
#include "core/buffer.h"
#include "core/file.h"
#include "tests/unit/collector/test_data.h"

static struct arena arena;

static int
fresh(void **state)
{
    (void)state;
    arena_reset(&arena);
    return 0;
}

static void
tables_are_sorted(void **state)
{
    (void)state;
    for (size_t i = 1; i < driver__n_hosts; i++) {
        const struct driver_host *a = &driver__hosts[i - 1], *b = &driver__hosts[i];
        int order = slice_compare(slice_from(a->host), slice_from(b->host));

        if (order > 0 || (order == 0 && strlen(a->path) < strlen(b->path)))
            fail_msg("%s%s stands before %s%s", a->host, a->path, b->host, b->path);
    }
    for (size_t i = 1; i < driver__n_names; i++)
        if (slice_compare(slice_from(driver__names[i - 1].source),
                          slice_from(driver__names[i].source)) >= 0)
            fail_msg("%s", driver__names[i].source);
}

/* ---- The lists ---- */

/* What a list's text says a host is called: "{}" is a place for a country. */
static struct slice
example_of(struct slice text)
{
    struct buffer b = BUFFER_EMPTY;
    struct slice out;

    for (size_t i = 0; i < text.n; i++) {
        bool is_place = slice_starts_with(slice_sub(text, i, 2), SLICE("{}"));

        if (is_place)
            buffer_add_text(&b, i == 0 || i + 2 < text.n ? "fr" : "co.uk");
        else if (text.p[i] != '\'')
            buffer_add_char(&b, text.p[i]);
        i += is_place;
    }
    out = arena_copy(&arena, buffer_slice(&b));
    buffer_fini(&b);
    return out;
}

/* Every "- host" of a list is known as `kind`, or as what goes before it. Returns how many. */
static int
check_list(const char *name, enum driver_kind kind)
{
    struct buffer b = BUFFER_EMPTY;
    struct slice rest, line;
    char path[1024];
    bool is_hosts = kind != DRIVER_SEARCH;
    int n = 0;

    if (!test_data_path(name, path, sizeof path))
        return 0;
    assert_int_equal(file_read(path, 1 << 20, &b, NULL), ERR_OK);
    for (rest = buffer_slice(&b); rest.n > 0;) {
        const struct driver_host *row;
        struct slice host, tail;

        slice_cut(rest, '\n', &line, &rest);
        line = slice_trim(line);
        if (kind == DRIVER_SEARCH && slice_ends_with(line, SLICE(":")))
            is_hosts = slice_ends_with(line, SLICE("urls:"));
        if (!is_hosts || !slice_starts_with(line, SLICE("- ")) ||
            slice_ends_with(line, SLICE(":")) || slice_contains(line, SLICE("android-app//")))
            continue;
        slice_cut(example_of(slice_sub(line, 2, line.n)), '/', &host, &tail);
        row = driver_find_host(host, arena_printf(&arena, "/%.*s", SLICE_ARG(tail)), &arena);
        n++;
        if (!row || (row->kind != kind && row->kind != DRIVER_SOCIAL && row->kind != DRIVER_AI &&
                     row->kind != DRIVER_PROVIDER))
            fail_msg("%.*s: %s", SLICE_ARG(line), row ? row->source : "not known");
        if (row->kind == DRIVER_SEARCH && row->keywords[0] == '\0' &&
            !slice_is(host, "r.search.yahoo.com") && !slice_is(host, "search.disconnect.me") &&
            !slice_is(host, "yellowmap.de"))
            fail_msg("%.*s: no keyword", SLICE_ARG(line));
    }
    buffer_fini(&b);
    return n;
}

static void
every_listed_host_is_known(void **state)
{
    int n_engines = check_list("lists/matomo-SearchEngines.yml", DRIVER_SEARCH);

    (void)state;
    if (n_engines == 0)
        skip();
    assert_int_equal(n_engines, 663); /* and one android-app of the 664 */
    assert_int_equal(check_list("lists/matomo-Socials.yml", DRIVER_SOCIAL), 218);
    assert_in_range(check_list("lists/matomo-AIAssistants.yml", DRIVER_AI), 24, 30);
}

/* ---- What others say ---- */

/* Where we say otherwise than the case, and why: docs/drivers.md, "Compared with Snowplow's". */
static const struct {
    const char *spec;
    const char *ours;
} differing[] = {
    {"PriceRunner search", "referral, pricerunner.co.uk, \"\""},
    {"Outlook.com mail", "email, outlook, \"\""},
    {"pull/235: mail.proton.me", "email, proton mail, \"\""},
    {"pull/245: claude.ai", "ai assistant, claude, \"\""},
    {"pull/245: gemini.google.com", "ai assistant, gemini, \"\""},
    {"pull/245: copilot.microsoft.com", "ai assistant, copilot, \"\""},
    {"pull/245: chat.mistral.ai", "ai assistant, le chat, \"\""},
    {"pull/245: perplexity.ai", "ai assistant, perplexity, \"\""},
};

/* The same word but for case, spaces and what companies put into their names. */
static bool
is_same_word(struct slice a, struct slice b)
{
    size_t i = 0, k = 0;

    for (;;) {
        while (i < a.n && strchr(" !.", a.p[i]))
            i++;
        while (k < b.n && strchr(" !.", b.p[k]))
            k++;
        if (i == a.n || k == b.n)
            return i == a.n && k == b.n;
        if (!slice_equal_nocase(slice_of(a.p + i, 1), slice_of(b.p + k, 1)))
            return false;
        i++;
        k++;
    }
}

static bool
is_same_medium(const char *theirs, struct slice channel)
{
    static const struct {
        const char *theirs;
        const char *ours;
    } media[] = {
        {"search", "organic search"}, {"social", "social"},    {"email", "email"},
        {"chatbot", "ai assistant"},  {"paid", "paid search"}, {"paid", "display"},
    };

    for (size_t i = 0; i < sizeof media / sizeof *media; i++)
        if (strcmp(theirs, media[i].theirs) == 0 && slice_is(channel, media[i].ours))
            return true;
    return false;
}

static struct slice
text_of(json_t *object, const char *key)
{
    return slice_from(json_string_value(json_object_get(object, key)));
}

/* Returns whether we agree with one case; what we say goes to out. */
static bool
agrees(json_t *row, struct buffer *out)
{
    static const struct driver_home home = {SLICE("psychicbazaar.com"), SLICE(""), NULL, 0};
    struct driver_referrer referrer = driver_read_referrer(text_of(row, "uri"), &arena);
    struct driver_tags tags;
    struct given g;

    given_init(&g, ORIGIN_SNIPPET);
    driver_read_query(SLICE_EMPTY, &arena, &tags);
    driver_derive(&g, &tags, &referrer, &home, &arena);
    buffer_clear(out);
    buffer_printf(out, "%.*s, %.*s, \"%.*s\"", SLICE_ARG(g.event.text[TEXT_CHANNEL]),
                  SLICE_ARG(g.event.text[TEXT_SOURCE]), SLICE_ARG(g.event.text[TEXT_KEYWORD]));
    return is_same_medium(text_of(row, "medium").p, g.event.text[TEXT_CHANNEL]) &&
           is_same_word(text_of(row, "source"), g.event.text[TEXT_SOURCE]) &&
           slice_equal(slice_trim(text_of(row, "term")), g.event.text[TEXT_KEYWORD]);
}

static const char *
difference_of(const char *spec)
{
    for (size_t i = 0; i < sizeof differing / sizeof *differing; i++)
        if (strcmp(spec, differing[i].spec) == 0)
            return differing[i].ours;
    return NULL;
}

static void
agrees_with_the_cases_of_others_but_for_those_named(void **state)
{
    struct buffer got = BUFFER_EMPTY;
    size_t n_same = 0, i;
    json_t *cases, *row;
    char path[1024];
    bool is_good = true;

    (void)state;
    if (!test_data_path("lists/snowplow-referer-tests.json", path, sizeof path))
        skip();
    cases = json_load_file(path, 0, NULL);
    assert_int_equal(json_array_size(cases), 118);
    json_array_foreach(cases, i, row)
    {
        const char *spec = text_of(row, "spec").p, *named = difference_of(spec);
        bool is_same = agrees(row, &got);

        n_same += is_same;
        if (is_same ? named != NULL : !named || !slice_is(buffer_slice(&got), named)) {
            fprintf(stderr, "%s: %s, %s, \"%s\"; we: %.*s\n", spec, text_of(row, "medium").p,
                    text_of(row, "source").p, text_of(row, "term").p,
                    SLICE_ARG(buffer_slice(&got)));
            is_good = false;
        }
    }
    fprintf(stderr, "%zu of 118 cases are as ours\n", n_same);
    assert_true(is_good);
    json_decref(cases);
    buffer_fini(&got);
}

/* ---- docs/drivers.md ---- */

#define CHOICES_MAX 16

/* The `words` of a cell of a table; "" for `-`; "..." gives one that nobody knows. */
static size_t
read_cell(struct slice cell, struct slice *out)
{
    struct slice word;
    size_t n = 0;

    if (slice_is(slice_trim(cell), "...")) {
        out[0] = SLICE_EMPTY;
        out[1] = SLICE("whatever");
        return 2;
    }
    while (slice_cut(cell, '`', &word, &cell)) {
        assert_true(n < CHOICES_MAX && slice_cut(cell, '`', &word, &cell));
        out[n++] = slice_is(word, "-") ? SLICE_EMPTY : word;
    }
    return n;
}

/* Every combination that a line names. Returns how many. */
static int
check_channels(struct slice line)
{
    struct slice choices[4][CHOICES_MAX], cell;
    size_t n[4] = {0, 0, 0, 0};
    int n_checked = 0;

    slice_cut(line, '|', &cell, &line);
    for (int i = 0; i < 4; i++) {
        slice_cut(line, '|', &cell, &line);
        n[i] = read_cell(cell, choices[i]);
    }
    for (size_t i = 0; i < n[0] * n[1] * n[2] && n[3] == 1; i++) {
        struct slice medium = choices[0][i % n[0]], source = choices[1][i / n[0] % n[1]];
        struct slice click = choices[2][i / n[0] / n[1]];
        struct slice got = driver_channel(source, medium, driver_find_click(click), &arena);

        n_checked++;
        if (!slice_equal(got, choices[3][0]))
            fail_msg("medium %.*s, source %.*s, click id %.*s: %.*s", SLICE_ARG(medium),
                     SLICE_ARG(source), SLICE_ARG(click), SLICE_ARG(got));
    }
    return n_checked;
}

static void
documents_channels_and_differences(void **state)
{
    struct buffer b = BUFFER_EMPTY;
    struct slice rest, line;
    int n = 0;

    (void)state;
    assert_int_equal(file_read(CORONG_SOURCE_DIR "/docs/drivers.md", 1 << 20, &b, NULL), ERR_OK);
    for (size_t i = 0; i < sizeof differing / sizeof *differing; i++) {
        struct slice ours = slice_from(differing[i].ours);

        if (!slice_contains(buffer_slice(&b), slice_sub(ours, 0, ours.n - strlen(", \"\""))))
            fail_msg("not documented: %s", differing[i].ours);
    }
    for (rest = buffer_slice(&b); rest.n > 0;) {
        slice_cut(rest, '\n', &line, &rest);
        if (slice_starts_with(line, SLICE("| `")))
            n += check_channels(line);
    }
    assert_true(n > 100);
    buffer_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(tables_are_sorted, fresh),
        cmocka_unit_test_setup(every_listed_host_is_known, fresh),
        cmocka_unit_test_setup(agrees_with_the_cases_of_others_but_for_those_named, fresh),
        cmocka_unit_test_setup(documents_channels_and_differences, fresh),
    };
    int rc;

    arena_init(&arena, 64 * 1024);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    arena_fini(&arena);
    return rc;
}
