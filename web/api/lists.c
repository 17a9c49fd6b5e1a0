#include "web/api/lists.h"

#include <stdlib.h>

#include "core/arena.h"
#include "core/file.h"
#include "core/log.h"

#define ZONE_TAB       "/usr/share/zoneinfo/zone.tab"
#define ZONE_TAB_BYTES (256 * 1024)
#define ZONES_MAX      1024

/* Without funds codes, metals and test codes. */
static const char currencies[][4] = {
    "AED", "AFN", "ALL", "AMD", "ANG", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT",
    "BGN", "BHD", "BIF", "BMD", "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD",
    "CDF", "CHF", "CLP", "CNY", "COP", "CRC", "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD",
    "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GNF", "GTQ",
    "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IQD", "IRR", "ISK", "JMD", "JOD",
    "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT", "LAK", "LBP", "LKR",
    "LRD", "LSL", "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR",
    "MWK", "MXN", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN",
    "PGK", "PHP", "PKR", "PLN", "PYG", "QAR", "RON", "RSD", "RUB", "RWF", "SAR", "SBD", "SCR",
    "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL", "THB",
    "TJS", "TMT", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UZS",
    "VED", "VES", "VND", "VUV", "WST", "XAF", "XCD", "XOF", "XPF", "YER", "ZAR", "ZMW", "ZWL"};

void
lists_add_currencies(struct buffer *out)
{
    buffer_add_text(out, "{\"currencies\":[");
    for (size_t i = 0; i < sizeof currencies / sizeof *currencies; i++)
        buffer_printf(out, "%s\"%s\"", i ? "," : "", currencies[i]);
    buffer_add_text(out, "]}");
}

static int
compare_slices(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

/* The third column of zone.tab's lines, borrowed from text. */
static size_t
read_zones(struct slice text, struct slice *zones)
{
    struct slice line;
    size_t n = 0;

    while (text.n != 0 && n < ZONES_MAX) {
        struct slice country, rest, place, name, comment;

        slice_cut(text, '\n', &line, &text);
        if (line.n == 0 || line.p[0] == '#')
            continue;
        slice_cut(line, '\t', &country, &rest);
        slice_cut(rest, '\t', &place, &rest);
        slice_cut(rest, '\t', &name, &comment);
        if (name.n != 0)
            zones[n++] = name;
    }
    qsort(zones, n, sizeof *zones, compare_slices);
    return n;
}

void
lists_add_timezones(struct buffer *out)
{
    struct buffer file = BUFFER_EMPTY;
    struct slice *zones = mem_zalloc(ZONES_MAX * sizeof *zones);
    struct err err = ERR_NONE;
    size_t n = 0;

    if (file_read(ZONE_TAB, ZONE_TAB_BYTES, &file, &err) == ERR_OK)
        n = read_zones(buffer_slice(&file), zones);
    else
        log_warn("no list of time zones to pick from: %s", err.message);
    buffer_add_text(out, "{\"timezones\":[\"UTC\"");
    for (size_t i = 0; i < n; i++) {
        buffer_add_char(out, ',');
        buffer_add_json(out, zones[i]);
    }
    buffer_add_text(out, "]}");
    buffer_fini(&file);
    free(zones);
}
