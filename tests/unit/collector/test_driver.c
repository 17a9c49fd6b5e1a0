/* What brought a visitor: tags, click ids, referrers, and what goes before what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "collector/driver.h"
#include "core/buffer.h"

static struct arena arena;

static int
fresh(void **state)
{
    (void)state;
    arena_reset(&arena);
    return 0;
}

/* "channel|source|medium|campaign|content|keyword", "-" without a driver. */
static void
describe(const struct event *e, struct buffer *out)
{
    buffer_clear(out);
    if (!(e->flags & EVENT_DRIVER)) {
        buffer_add_char(out, '-');
        return;
    }
    buffer_printf(out, "%.*s|%.*s|%.*s|%.*s|%.*s|%.*s", SLICE_ARG(e->text[TEXT_CHANNEL]),
                  SLICE_ARG(e->text[TEXT_SOURCE]), SLICE_ARG(e->text[TEXT_MEDIUM]),
                  SLICE_ARG(e->text[TEXT_CAMPAIGN]), SLICE_ARG(e->text[TEXT_CONTENT]),
                  SLICE_ARG(e->text[TEXT_KEYWORD]));
}

static const struct slice ignored[] = {SLICE("pay.example"), SLICE("accounts.google.com"),
                                       SLICE("Written.Example")};

static void
derive(struct given *g, const char *query, const char *referrer)
{
    struct driver_home home = {SLICE("shop.co.uk"), SLICE("www.shop.co.uk"), ignored, 3};
    struct driver_referrer from = driver_read_referrer(slice_from(referrer), &arena);
    struct driver_tags tags;

    driver_read_query(slice_from(query), &arena, &tags);
    driver_derive(g, &tags, &from, &home, &arena);
}

#define LABELS_50  "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a."
#define LABELS_250 LABELS_50 LABELS_50 LABELS_50 LABELS_50 LABELS_50

static void
derives_drivers(void **state)
{
    static const struct {
        const char *query;
        const char *referrer;
        const char *driver;
    } rows[] = {
        /* nothing brought it */
        {"", "", "-"},
        {"a=1", "", "-"},
        {"utm_source=", "", "-"},
        {"gclid=", "", "-"},
        {"", "https://shop.co.uk/x", "-"},
        {"", "https://pay.shop.co.uk/x", "-"},
        {"", "https://pay.example/x", "-"},
        {"", "https://www.pay.example/x", "-"},
        {"", "https://accounts.google.com/signin", "-"},
        {"", "https://pay.written.example/x", "-"},
        {"", "about:blank", "-"},
        {"", "not a url", "-"},
        /* another registrable domain, also under the same public suffix */
        {"", "https://other.co.uk/x", "referral|other.co.uk|referral|||"},
        {"", "https://www.other.example/x", "referral|other.example|referral|||"},
        {"", "https://notpay.example/", "referral|notpay.example|referral|||"},
        {"", "http://10.0.0.7/", "referral|10.0.0.7|referral|||"},
        {"", "http://localhost:8001/", "referral|localhost|referral|||"},
        /* however deep, and not without an end */
        {"", "https://a.b.c.d.e.f.g.h.i.j.pinterest.co.uk/", "social|pinterest|social|||"},
        {"", "https://a.b.c.d.e.f.g.h.i.j.other.co.uk/",
         "referral|a.b.c.d.e.f.g.h.i.j.other.co.uk|referral|||"},
        {"", "https://a.b.c.d.e.f.g.h.i.j.shop.co.uk/", "-"},
        {"", "https://" LABELS_250 "abc/", "referral|" LABELS_250 "abc|referral|||"},
        {"", "https://" LABELS_250 "abcd/", "-"},
        /* what is known by its host */
        {"", "https://www.google.co.id/search?q=kasur+busa",
         "organic search|google|organic|||kasur busa"},
        {"", "https://www.google.com/", "organic search|google|organic|||"},
        {"", "https://google.evil.example/", "referral|google.evil.example|referral|||"},
        {"", "https://www.bing.com/search?q=a%20b", "organic search|bing|organic|||a b"},
        {"", "https://search.yahoo.com/search?p=x", "organic search|yahoo|organic|||x"},
        {"", "https://yandex.ru/search?text=%D1%8F", "organic search|yandex|organic|||\xD1\x8F"},
        {"", "https://l.facebook.com/l.php?u=x", "social|facebook|social|||"},
        {"", "https://t.co/abc", "social|twitter|social|||"},
        {"", "https://at.co/abc", "referral|at.co|referral|||"},
        {"", "https://www.pinterest.co.uk/", "social|pinterest|social|||"},
        {"", "https://chatgpt.com/", "ai assistant|chatgpt|ai|||"},
        {"", "https://gemini.google.com/app", "ai assistant|gemini|ai|||"},
        {"", "https://mail.google.com/", "email|gmail|email|||"},
        {"", "android-app://com.google.android.gm/", "email|gmail|email|||"},
        {"", "android-app://com.google.android.googlequicksearchbox/",
         "organic search|google|organic|||"},
        {"", "android-app://com.some.app/", "referral|com.some.app|referral|||"},
        {"", "https://docs.google.com/", "referral|docs.google.com|referral|||"},
        {"", "https://google.github.io/", "referral|google.github.io|referral|||"},
        {"", "https://www.google.de/imgres?q=bed", "organic search|google images|organic|||bed"},
        {"", "https://www.google.de/imgresque?q=bed", "organic search|google|organic|||bed"},
        {"", "https://x.com/i/grok?c=1", "ai assistant|grok|ai|||"},
        {"", "https://x.com/i/grokking", "social|twitter|social|||"},
        {"", "https://it.search.yahoo.com/search?p=x", "organic search|yahoo|organic|||x"},
        {"", "https://web.de/", "referral|web.de|referral|||"},
        {"", "https://suche.web.de/?q=x", "organic search|web.de|organic|||x"},
        {"", "https://3c.web.de/", "email|web.de|email|||"},
        /* portals search only where they say for what */
        {"", "https://www.cnn.com/2026/a", "referral|cnn.com|referral|||"},
        {"", "https://www.cnn.com/?query=bed", "organic search|google|organic|||bed"},
        /* keywords in paths, in old charsets, in a cache's address */
        {"", "https://1.cz/s/postel/", "organic search|1.cz|organic|||postel"},
        {"", "https://1.cz/s/", "organic search|1.cz|organic|||"},
        {"", "https://www.lookany.com/a/images/bed%20frame/2",
         "organic search|lookany|organic|||bed frame"},
        {"", "https://scour.com/search/web/bed", "organic search|scour.com|organic|||bed"},
        {"", "https://search.seesaa.jp/bed/index.html", "organic search|seesaa|organic|||bed"},
        {"", "https://m.baidu.com/s?word=%b4%b2", "organic search|baidu|organic|||\xE5\xBA\x8A"},
        {"", "https://m.baidu.com/s?word=%E5%BA%8A", "organic search|baidu|organic|||\xE5\xBA\x8A"},
        {"", "https://go.mail.ru/search?q=%EA%F0",
         "organic search|mail.ru|organic|||\xD0\xBA\xD1\x80"},
        {"", "https://search.nate.com/?q=%C4%A7%B4%EB%FF", /* not that charset either */
         "organic search|nate|organic|||\xC4\xA7\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"", "https://webcache.googleusercontent.com/search?q=cache:aB1:shop.example/+bed+frame",
         "organic search|google|organic|||bed frame"},
        {"", "https://www.bing.com/search?q=&Q=b", "organic search|bing|organic|||b"},
        /* payment and sign-in bring nobody; a click on an advertisement was paid for */
        {"", "https://www.paypal.com/checkoutnow", "-"},
        {"", "https://app.midtrans.com/snap", "-"},
        {"", "https://accounts.google.co.id/", "-"},
        {"", "https://shop.app/pay/1", "-"},
        {"", "https://shop.app/", "referral|shop.app|referral|||"},
        {"", "https://www.facebook.com/login/device", "-"},
        {"utm_source=paypal", "https://www.paypal.com/", "other|paypal||||"},
        {"", "https://googleads.g.doubleclick.net/", "display|google|display|||"},
        {"", "https://syndicatedsearch.goog/?q=bed", "paid search|google|cpc|||bed"},
        /* other families of tags; the first that has something counts */
        {"mtm_source=a&mtm_medium=email&mtm_campaign=c&mtm_kwd=k&mtm_content=x", "",
         "email|a|email|c|x|k"},
        {"pk_campaign=c&pk_keyword=k+l", "", "other|||c||k l"},
        {"matomo_campaign=c&piwik_kwd=k", "", "other|||c||k"},
        {"pk_cpn=a&utm_campaign=b", "", "other|||a||"},
        {"utm_campaign=&mtm_campaign=b", "", "other|||b||"},
        {"mtm_x=1&xutm_source=a&utm_=b&utm=c&pk_id=4", "", "-"},
        {"utm_source=a&utm_medium=cpc_brand", "", "paid other|a|cpc_brand|||"},
        {"utm_source=gmx&utm_medium=organic", "", "organic search|gmx|organic|||"},
        {"utm_source=cnn.com", "", "other|cnn.com||||"},
        /* tagged links, whose referrer does not overrule them */
        {"utm_source=n&utm_medium=email&utm_campaign=may+sale&utm_content=top&utm_term=bed", "",
         "email|n|email|may sale|top|bed"},
        {"utm_source=news&utm_medium=email", "https://mail.google.com/", "email|news|email|||"},
        {"utm_source=n", "https://www.google.com/search?q=x", "other|n||||"},
        {"utm_campaign=c", "https://www.google.com/search?q=x",
         "organic search|google|organic|c||x"},
        {"utm_campaign=c", "", "other|||c||"},
        {"utm_source=google&utm_medium=cpc", "", "paid search|google|cpc|||"},
        {"utm_source=Facebook&utm_medium=CPC", "", "paid social|Facebook|CPC|||"},
        {"utm_source=ig&utm_medium=paid_social", "", "paid social|ig|paid_social|||"},
        {"utm_source=fb", "", "social|fb||||"},
        {"utm_source=chatgpt.com", "", "ai assistant|chatgpt.com||||"},
        {"utm_source=x&utm_medium=banner", "", "display|x|banner|||"},
        {"utm_source=x&utm_medium=affiliate", "", "affiliate|x|affiliate|||"},
        {"utm_source=shop&utm_medium=cpc", "", "paid other|shop|cpc|||"},
        {"utm_source=google&utm_medium=organic", "", "organic search|google|organic|||"},
        {"utm_source=newsletter", "", "email|newsletter||||"},
        {"utm_source=+a+&utm_source=b", "", "other|a||||"},
        /* click ids */
        {"gclid=1", "https://www.google.com/", "paid search|google|cpc|||"},
        {"x=1&msclkid=2", "", "paid search|bing|cpc|||"},
        {"fbclid=1", "https://l.facebook.com/", "social|facebook|social|||"},
        {"ttclid=1", "", "paid social|tiktok|paid social|||"},
        {"utm_source=0291C7&utm_medium=7B4C8A&gclid=1", "", "paid search|0291C7|7B4C8A|||"},
        {"utm_source=n&utm_medium=email&gclid=1", "", "email|n|email|||"},
    };
    struct buffer got = BUFFER_EMPTY;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct given g;

        given_init(&g, ORIGIN_SNIPPET);
        derive(&g, rows[i].query, rows[i].referrer);
        describe(&g.event, &got);
        if (!slice_is(buffer_slice(&got), rows[i].driver))
            fail_msg("%s from \"%s\" gave %.*s", rows[i].query, rows[i].referrer,
                     SLICE_ARG(buffer_slice(&got)));
    }
    buffer_fini(&got);
}

static void
what_was_given_wins(void **state)
{
    static const struct {
        const char *name;
        const char *value;
        const char *driver;
    } rows[] = {
        {"source", "mine", "other|mine||c||"},
        {"medium", "cpm", "display||cpm|c||"},
        {"campaign", "mine", "organic search|google|organic|mine||q"},
        {"keyword", "mine", "organic search|google|organic|c||mine"},
        {"content", "mine", "organic search|google|organic|c|mine|q"},
        {"channel", "mine", "mine|google|organic|c||q"},
    };
    struct buffer got = BUFFER_EMPTY;
    struct given g;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        given_init(&g, ORIGIN_IMPORT);
        given_set(&g, slice_from(rows[i].name), slice_from(rows[i].value), &arena, NULL);
        derive(&g, "utm_campaign=c", "https://www.google.com/search?q=q");
        describe(&g.event, &got);
        if (!slice_is(buffer_slice(&got), rows[i].driver))
            fail_msg("%s gave %.*s", rows[i].name, SLICE_ARG(buffer_slice(&got)));
        given_init(&g, ORIGIN_IMPORT); /* each alone is a driver */
        given_set(&g, slice_from(rows[i].name), SLICE("x"), &arena, NULL);
        derive(&g, "", "");
        assert_true(g.event.flags & EVENT_DRIVER);
    }
    given_init(&g, ORIGIN_IMPORT);
    given_set(&g, SLICE("click_id"), SLICE("x"), &arena, NULL);
    derive(&g, "", "");
    assert_false(g.event.flags & EVENT_DRIVER);
    buffer_fini(&got);
}

static void
takes_click_ids_out_of_the_query(void **state)
{
    static const struct {
        const char *query;
        const char *rest;
        const char *click_id;
    } rows[] = {
        {"", "", ""},
        {"a=1&b", "a=1&b", ""},
        {"gclid=x%2By", "", "gclid=x+y"},
        {"a=%20&gclid=x&b=2", "a=%20&b=2", "gclid=x"},
        {"fbclid=f&gclid=g", "", "fbclid=f"},
        {"gclid=&msclkid=m&a", "a", "msclkid=m"},
        {"utm_source=s&wbraid=w&&c==", "utm_source=s&c==", "wbraid=w"},
        {"gbraid=1&a", "a", "gbraid=1"},
        {"ttclid=1&a", "a", "ttclid=1"},
        {"twclid=1&a", "a", "twclid=1"},
        {"li_fat_id=1&a", "a", "li_fat_id=1"},
        {"GCLID=x", "GCLID=x", ""},
    };
    struct driver_tags tags;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice rest = driver_read_query(slice_from(rows[i].query), &arena, &tags);

        if (!slice_is(rest, rows[i].rest) || !slice_is(tags.click_id, rows[i].click_id))
            fail_msg("%s gave %.*s and %.*s", rows[i].query, SLICE_ARG(rest),
                     SLICE_ARG(tags.click_id));
    }
}

static void
knows_registrable_domains(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        bool same;
    } rows[] = {
        {"shop.example", "www.shop.example", true},
        {"a.shop.co.uk", "b.shop.co.uk", true},
        {"a.co.uk", "b.co.uk", false},
        {"co.uk", "co.uk", true},
        {"a.github.io", "b.github.io", false},
        {"10.0.0.1", "11.0.0.1", false},
        {"[::1]", "[::1]", true},
        {"[::1]", "[::2]", false},
        {"localhost", "localhost", true},
        {"localhost", "a.localhost", false},
        {"", "shop.example", false},
        {"...", "..", false},
        {"github.io", "a.github.io", false},
        {"amazonaws.com", "b.s3.amazonaws.com", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (driver_same_domain(slice_from(rows[i].a), slice_from(rows[i].b), &arena) !=
            rows[i].same)
            fail_msg("%s and %s", rows[i].a, rows[i].b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(derives_drivers, fresh),
        cmocka_unit_test_setup(what_was_given_wins, fresh),
        cmocka_unit_test_setup(takes_click_ids_out_of_the_query, fresh),
        cmocka_unit_test_setup(knows_registrable_domains, fresh),
    };
    int rc;

    arena_init(&arena, 64 * 1024);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    arena_fini(&arena);
    return rc;
}
