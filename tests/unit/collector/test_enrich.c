/* Whole events: what is derived, what given wins, what is forgotten; and real addresses, referrers
 * and user agents of a shop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/enrich.h"
#include "core/buffer.h"
#include "tests/unit/collector/test_data.h"

#define CHROME                                                                                     \
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "            \
    "Chrome/133.0.0.0 Safari/537.36"

static struct arena arena;
static struct enrich *no_places;
static const struct enrich_site site = {7, SLICE("shop.example"), SLICE("EUR"), NULL, 0};

static int
fresh(void **state)
{
    (void)state;
    arena_reset(&arena);
    return 0;
}

static struct given
event_of(enum event_origin origin)
{
    struct given g;

    given_init(&g, origin);
    g.event.visitor = SLICE("v");
    g.event.text[TEXT_EVENT] = SLICE("pageview");
    g.event.time_ms = 1780315200000;
    return g;
}

static void
set(struct given *g, const char *name, const char *value)
{
    assert_int_equal(given_set(g, slice_from(name), slice_from(value), &arena, NULL), ERR_OK);
}

#define ASSERT_TEXT(g, k, expected) assert_true(slice_is((g).event.text[k], expected))

static void
makes_a_whole_event(void **state)
{
    struct given g = event_of(ORIGIN_SNIPPET);

    (void)state;
    set(&g, "url",
        "https://WWW.Shop.Example:443/p/1?a=1&utm_source=google&utm_medium=cpc&gclid=G#top");
    set(&g, "referrer", "https://www.google.com/");
    set(&g, "value", "12.50");
    g.user_agent = SLICE(CHROME);
    g.ip = SLICE("81.2.69.142");
    assert_int_equal(enrich_event(no_places, &site, &g, &arena, NULL), ERR_OK);
    assert_int_equal(g.event.site, 7);
    ASSERT_TEXT(g, TEXT_HOST, "www.shop.example");
    ASSERT_TEXT(g, TEXT_PATH, "/p/1");
    ASSERT_TEXT(g, TEXT_QUERY, "a=1&utm_source=google&utm_medium=cpc");
    ASSERT_TEXT(g, TEXT_CLICK_ID, "gclid=G");
    ASSERT_TEXT(g, TEXT_CHANNEL, "paid search");
    ASSERT_TEXT(g, TEXT_BROWSER, "Chrome");
    ASSERT_TEXT(g, TEXT_OS, "Windows");
    ASSERT_TEXT(g, TEXT_DEVICE, "desktop");
    ASSERT_TEXT(g, TEXT_COUNTRY, "");
    ASSERT_TEXT(g, TEXT_CURRENCY, "EUR");
    assert_int_equal(g.event.number[NUMBER_VALUE], 1250);
    assert_int_equal(g.event.flags, EVENT_DRIVER | EVENT_SITE_CURRENCY);
    assert_int_equal(g.event.id.n, EVENT_CONTENT_ID_BYTES);
    assert_int_equal(g.ip.n, 0);
}

static void
the_same_input_gives_the_same_event(void **state)
{
    struct slice id[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct given g = event_of(ORIGIN_SNIPPET);

        set(&g, "url", "https://shop.example/?x=1&fbclid=2");
        g.user_agent = i ? SLICE(CHROME) : SLICE("other"); /* derived only: no part of the id */
        assert_int_equal(enrich_event(no_places, &site, &g, &arena, NULL), ERR_OK);
        id[i] = g.event.id;
    }
    assert_true(slice_equal(id[0], id[1]));
}

static void
given_attributes_win(void **state)
{
    struct given g = event_of(ORIGIN_IMPORT);

    (void)state;
    set(&g, "url", "https://shop.example/p?q=1&gclid=x&utm_source=s");
    set(&g, "host", "h");
    set(&g, "path", "/given");
    set(&g, "query", "given=1&gclid=kept");
    set(&g, "click_id", "c");
    set(&g, "source", "mine");
    set(&g, "browser", "Netscape");
    g.user_agent = SLICE(CHROME);
    assert_int_equal(enrich_event(no_places, &site, &g, &arena, NULL), ERR_OK);
    ASSERT_TEXT(g, TEXT_HOST, "h");
    ASSERT_TEXT(g, TEXT_PATH, "/given");
    ASSERT_TEXT(g, TEXT_QUERY, "given=1&gclid=kept");
    ASSERT_TEXT(g, TEXT_CLICK_ID, "c");
    ASSERT_TEXT(g, TEXT_SOURCE, "mine");
    ASSERT_TEXT(g, TEXT_BROWSER, "Netscape");
    ASSERT_TEXT(g, TEXT_OS, "Windows");
}

/* Host and path need no address; its tags do. */
static void
a_given_host_and_path_hide_no_tags(void **state)
{
    static const struct {
        const char *url;
        const char *query; /* given; "": not */
        const char *source;
        const char *click_id;
    } rows[] = {
        {"https://shop.example/p", "", "", ""},
        {"https://shop.example/p#utm_source=s", "", "", ""},
        {"https://shop.example/p?utm_source=s&gclid=x", "", "s", "gclid=x"},
        {"https://shop.example/p?utm_source=s", "utm_source=q", "s", ""},
        {"https://shop.example/p", "utm_source=q", "", ""}, /* the address is known: it has none */
        {"app:p", "utm_source=q", "q", ""},
        {"", "utm_source=q", "q", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct given g = event_of(ORIGIN_IMPORT);

        set(&g, "url", rows[i].url);
        set(&g, "host", "h");
        set(&g, "path", "/given");
        set(&g, "query", rows[i].query);
        assert_int_equal(enrich_event(no_places, &site, &g, &arena, NULL), ERR_OK);
        ASSERT_TEXT(g, TEXT_HOST, "h");
        ASSERT_TEXT(g, TEXT_PATH, "/given");
        ASSERT_TEXT(g, TEXT_SOURCE, rows[i].source);
        ASSERT_TEXT(g, TEXT_CLICK_ID, rows[i].click_id);
    }
}

static void
bots_are_flagged_but_not_of_servers(void **state)
{
    static const struct {
        enum event_origin origin;
        const char *given; /* of "bot"; NULL: not given */
        bool is_bot;
    } rows[] = {
        {ORIGIN_SNIPPET, NULL, true},    {ORIGIN_IMPORT, NULL, true},
        {ORIGIN_SERVER, NULL, false},    {ORIGIN_SERVER, "true", true},
        {ORIGIN_IMPORT, "false", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct given g = event_of(rows[i].origin);

        if (rows[i].given)
            set(&g, "bot", rows[i].given);
        g.user_agent = SLICE("Googlebot/2.1");
        assert_int_equal(enrich_event(no_places, &site, &g, &arena, NULL), ERR_OK);
        assert_int_equal((g.event.flags & EVENT_BOT) != 0, rows[i].is_bot);
        assert_int_equal(g.event.text[TEXT_BOT_REASON].n > 0, rows[i].is_bot && !rows[i].given);
    }
}

static void
referrer_spam_is_flagged(void **state)
{
    static const struct {
        enum event_origin origin;
        const char *referrer;
        bool is_bot;
    } rows[] = {
        {ORIGIN_SNIPPET, "https://www.Semalt.com/x?y", true},
        {ORIGIN_IMPORT, "http://semalt.com", true},
        {ORIGIN_SERVER, "http://semalt.com/", false},
        {ORIGIN_SNIPPET, "https://example.com/semalt.com", false},
        {ORIGIN_SNIPPET, "", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct given g = event_of(rows[i].origin);

        set(&g, "url", "https://shop.example/");
        set(&g, "referrer", rows[i].referrer);
        g.user_agent = SLICE(CHROME);
        assert_int_equal(enrich_event(no_places, &site, &g, &arena, NULL), ERR_OK);
        assert_int_equal((g.event.flags & EVENT_BOT) != 0, rows[i].is_bot);
        ASSERT_TEXT(g, TEXT_BOT_REASON, rows[i].is_bot ? "referrer spam" : "");
    }
}

static void
knows_places(void **state)
{
    struct enrich *e = NULL;
    char path[1024];
    struct given g;

    (void)state;
    if (!test_data_path("places/GeoIP2-City-Test.mmdb", path, sizeof path))
        skip();
    assert_int_equal(enrich_open(path, &e, NULL), ERR_OK);
    g = event_of(ORIGIN_SNIPPET);
    g.ip = SLICE("::ffff:81.2.69.142");
    assert_int_equal(enrich_event(e, &site, &g, &arena, NULL), ERR_OK);
    ASSERT_TEXT(g, TEXT_CONTINENT, "EU");
    ASSERT_TEXT(g, TEXT_COUNTRY, "GB");
    ASSERT_TEXT(g, TEXT_REGION, "GB-ENG");
    ASSERT_TEXT(g, TEXT_CITY, "London");
    g = event_of(ORIGIN_IMPORT); /* a country that was given gets no other one's city */
    set(&g, "country", "ID");
    g.ip = SLICE("81.2.69.142");
    assert_int_equal(enrich_event(e, &site, &g, &arena, NULL), ERR_OK);
    ASSERT_TEXT(g, TEXT_COUNTRY, "ID");
    ASSERT_TEXT(g, TEXT_CITY, "");
    enrich_close(&e);
    assert_int_equal(enrich_open("/nonexistent.mmdb", &e, NULL), ERR_NOT_FOUND);
}

static void
errors_name_the_field_and_forget_the_address(void **state)
{
    static const struct {
        const char *name;
        const char *value;
    } rows[] = {
        {"value", "0.001"},   {"currency", "EURO"}, {"scroll_pct", "101"},
        {"engaged_ms", "-1"}, {"known", "u1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct given g = event_of(ORIGIN_SERVER);
        struct err err = ERR_NONE;

        set(&g, rows[i].name, rows[i].value);
        g.ip = SLICE("81.2.69.142");
        assert_int_equal(enrich_event(no_places, &site, &g, &arena, &err), ERR_INVALID);
        assert_string_equal(err.field, rows[i].name);
        assert_int_equal(g.ip.n, 0);
    }
}

/* ---- Real input ---- */

/* Read one field of a CSV up to its comma or the end of its row. Returns what ended it: ',', '\n',
 * or EOF with nothing read. */
static int
read_csv_field(FILE *in, struct buffer *out)
{
    bool is_quoted = false;
    int c;

    buffer_clear(out);
    while ((c = getc(in)) != EOF) {
        if (c == '"')
            is_quoted = !is_quoted; /* a doubled quote shuts and opens again */
        else if (!is_quoted && (c == ',' || c == '\n'))
            return c;
        else
            buffer_add_char(out, (char)c);
    }
    return out->n > 0 ? '\n' : EOF;
}

#define COLUMNS_MAX 16

struct shop_log {
    FILE *in;
    struct buffer header[COLUMNS_MAX];
    struct buffer cell[COLUMNS_MAX];
    int n_columns;
};

static int
read_row(struct shop_log *log, struct buffer *cells)
{
    int n = 0, end;

    do {
        assert_in_range(n, 0, COLUMNS_MAX - 1);
        end = read_csv_field(log->in, &cells[n++]);
    } while (end == ',');
    return end == EOF ? 0 : n;
}

static struct slice
cell(const struct shop_log *log, const char *column)
{
    for (int i = 0; i < log->n_columns; i++)
        if (slice_is(buffer_slice(&log->header[i]), column))
            return buffer_slice(&log->cell[i]);
    return SLICE_EMPTY;
}

/* The payment provider of that shop, under the name that the data has for it. */
static const struct slice provider[] = {SLICE("source-ee658ef2.com")};

/* How many rows come from it, bring a driver, and bring one once the site names it. */
struct provider_rows {
    int n;
    int n_drivers;
    int n_ignored_drivers;
};

static void
enrich_provider_row(const struct shop_log *log, struct provider_rows *rows)
{
    static const struct enrich_site shops[] = {
        {1, SLICE("puffy.com"), SLICE("USD"), NULL, 0},
        {1, SLICE("puffy.com"), SLICE("USD"), provider, 1},
    };

    if (!slice_contains(cell(log, "referrer"), provider[0]))
        return;
    rows->n++;
    for (int i = 0; i < 2; i++) {
        struct given g = event_of(ORIGIN_IMPORT);

        given_set(&g, SLICE("url"), cell(log, "page_url"), &arena, NULL);
        given_set(&g, SLICE("referrer"), cell(log, "referrer"), &arena, NULL);
        assert_int_equal(enrich_event(no_places, &shops[i], &g, &arena, NULL), ERR_OK);
        *(i ? &rows->n_ignored_drivers : &rows->n_drivers) += (g.event.flags & EVENT_DRIVER) != 0;
    }
}

static struct provider_rows provider_rows;

struct tally {
    int n;
    int n_drivers;
    int n_crawlers;   /* that the crawler list names */
    int n_other_bots; /* flagged for any other reason; each is printed */
};

static void
count_bot(struct tally *t, const struct event *e, const struct shop_log *log)
{
    if ((e->flags & EVENT_BOT) == 0)
        return;
    if (slice_starts_with(e->text[TEXT_BOT_REASON], SLICE("crawler "))) {
        t->n_crawlers++;
        return;
    }
    t->n_other_bots++;
    printf("%.*s: %.*s, from %.*s\n", SLICE_ARG(e->text[TEXT_BOT_REASON]),
           SLICE_ARG(cell(log, "user_agent")), SLICE_ARG(cell(log, "referrer")));
}

static void
enrich_row(const struct shop_log *log, struct tally *t)
{
    static const struct enrich_site shop = {1, SLICE("puffy.com"), SLICE("USD"), NULL, 0};
    struct given g = event_of(ORIGIN_IMPORT);
    struct err err = ERR_NONE;

    arena_reset(&arena);
    given_set(&g, SLICE("url"), cell(log, "page_url"), &arena, NULL);
    given_set(&g, SLICE("referrer"), cell(log, "referrer"), &arena, NULL);
    g.user_agent = cell(log, "user_agent");
    if (enrich_event(no_places, &shop, &g, &arena, &err) != ERR_OK)
        fail_msg("%.*s: %s: %s", SLICE_ARG(cell(log, "page_url")), err.field, err.message);
    assert_int_not_equal(g.event.text[TEXT_PATH].n, 0);
    assert_true((g.event.flags & EVENT_DRIVER) == 0 || g.event.text[TEXT_CHANNEL].n > 0);
    t->n++;
    t->n_drivers += (g.event.flags & EVENT_DRIVER) != 0;
    count_bot(t, &g.event, log);
}

static void
enrich_file(const char *path, struct tally *t)
{
    struct shop_log log = {.in = NULL};
    char command[1100];

    snprintf(command, sizeof command, "gzip -dc '%s'", path);
    log.in = popen(command, "r");
    assert_non_null(log.in);
    log.n_columns = read_row(&log, log.header);
    while (read_row(&log, log.cell) == log.n_columns) {
        enrich_row(&log, t);
        enrich_provider_row(&log, &provider_rows);
    }
    assert_int_equal(pclose(log.in), 0);
    for (int i = 0; i < COLUMNS_MAX; i++) {
        buffer_fini(&log.header[i]);
        buffer_fini(&log.cell[i]);
    }
}

/* 49,963 rows, of which the crawler list names 6,437; what else is flagged is listed. */
static void
never_fails_on_a_real_shop(void **state)
{
    struct tally t = {0};
    char name[64], path[1024];

    (void)state;
    for (int day = 0; day < 14; day++) {
        snprintf(name, sizeof name, "puffy/events_2025%s%02d.csv.gz", day < 6 ? "02" : "03",
                 day < 6 ? 23 + day : day - 5);
        if (!test_data_path(name, path, sizeof path))
            skip();
        enrich_file(path, &t);
    }
    printf("%d rows: %d by the crawler list, %d for other reasons\n", t.n, t.n_crawlers,
           t.n_other_bots);
    assert_int_equal(t.n, 49963);
    assert_int_equal(t.n_crawlers, 6437);
    assert_int_equal(t.n_other_bots, 0);
    assert_int_equal(t.n_drivers, 21636); /* as counted from the same rows by other means */
    assert_int_equal(provider_rows.n, 75);
    assert_int_equal(provider_rows.n_drivers, 75);
    assert_int_equal(provider_rows.n_ignored_drivers, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(makes_a_whole_event, fresh),
        cmocka_unit_test_setup(the_same_input_gives_the_same_event, fresh),
        cmocka_unit_test_setup(given_attributes_win, fresh),
        cmocka_unit_test_setup(a_given_host_and_path_hide_no_tags, fresh),
        cmocka_unit_test_setup(bots_are_flagged_but_not_of_servers, fresh),
        cmocka_unit_test_setup(referrer_spam_is_flagged, fresh),
        cmocka_unit_test_setup(knows_places, fresh),
        cmocka_unit_test_setup(errors_name_the_field_and_forget_the_address, fresh),
        cmocka_unit_test_setup(never_fails_on_a_real_shop, fresh),
    };
    int rc;

    arena_init(&arena, 64 * 1024);
    assert_int_equal(enrich_open(NULL, &no_places, NULL), ERR_OK);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    enrich_close(&no_places);
    arena_fini(&arena);
    return rc;
}
