#include "bench/generate/csv.h"

#include <assert.h>

/* In the order of the columns. Attributes of the page's address (url, host, query, title) are not
 * among them: they say nothing that `path` and the driver do not. */
static const enum event_text texts[] = {
    TEXT_EVENT,    TEXT_PATH,   TEXT_PRODUCT, TEXT_CATEGORY, TEXT_ORDER,   TEXT_CURRENCY,
    TEXT_COUNTRY,  TEXT_REGION, TEXT_CITY,    TEXT_DEVICE,   TEXT_BROWSER, TEXT_OS,
    TEXT_LANGUAGE, TEXT_SOURCE, TEXT_MEDIUM,  TEXT_CAMPAIGN, TEXT_KEYWORD,
};
static const enum event_number numbers[] = {NUMBER_VALUE, NUMBER_QUANTITY, NUMBER_ENGAGED_MS};
#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/* The generator's words have no comma, quote or line break: nothing is quoted. */
static char *
put(char *p, struct slice s)
{
    memcpy(p, s.p, s.n);
    return p + s.n;
}

static char *
put_number(char *p, uint64_t v)
{
    char digits[20];
    size_t n = 0;

    do {
        digits[sizeof digits - ++n] = (char)('0' + v % 10);
        v /= 10;
    } while (v != 0);
    return put(p, slice_of(digits + sizeof digits - n, n));
}

/* units of 10^-digits, without the zeros at the end of a fraction. */
static char *
put_decimal(char *p, int64_t units, int digits)
{
    uint64_t scale = 1;
    uint64_t v = (uint64_t)units;

    assert(units >= 0);
    for (int i = 0; i < digits; i++)
        scale *= 10;
    p = put_number(p, v / scale);
    v %= scale;
    if (v != 0)
        *p++ = '.';
    while (v != 0) {
        scale /= 10;
        *p++ = (char)('0' + v / scale);
        v %= scale;
    }
    return p;
}

char *
csv_put_header(char *p, bool with_ids)
{
    p = put(p, SLICE("visitor,time"));
    if (with_ids)
        p = put(p, SLICE(",id,known"));
    for (size_t i = 0; i < COUNT(texts); i++) {
        *p++ = ',';
        p = put(p, slice_from(event_text_name(texts[i])));
    }
    for (size_t i = 0; i < COUNT(numbers); i++) {
        *p++ = ',';
        p = put(p, slice_from(event_number_name(numbers[i])));
    }
    *p++ = '\n';
    return p;
}

char *
csv_put_event(char *p, const struct event *e, bool with_ids)
{
    p = put(p, e->visitor);
    *p++ = ',';
    p = put_number(p, (uint64_t)e->time_ms);
    if (with_ids) {
        *p++ = ',';
        p = put(p, e->id);
        *p++ = ',';
        p = put(p, e->text[TEXT_KNOWN]);
    }
    for (size_t i = 0; i < COUNT(texts); i++) {
        *p++ = ',';
        p = put(p, e->text[texts[i]]);
    }
    for (size_t i = 0; i < COUNT(numbers); i++) {
        enum event_number k = numbers[i];

        *p++ = ',';
        if (event_has_number(e, k))
            p = put_decimal(p, e->number[k], event_number_digits(k, e->text[TEXT_CURRENCY]));
    }
    *p++ = '\n';
    return p;
}
