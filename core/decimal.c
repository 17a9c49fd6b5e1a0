/* A JSON number is taken apart once into sign, digits and the place of the point; everything else
 * works on that, so no value ever passes through a float. */
#include "core/decimal.h"

#include <stdlib.h>

#define UNITS_MAX    INT64_C(9000000000000000) /* 9e15: sums of a thousand of them still fit */
#define EXPONENT_MAX 400

/* |value| = 0.d1 d2 d3 ... * 10^point, with d1 and the last digit not 0; no digits: zero. */
struct parts {
    bool is_negative;
    struct slice whole;    /* digits before the point, as written */
    struct slice fraction; /* digits behind it */
    size_t skip;           /* leading zeros of whole+fraction */
    size_t n;              /* significant digits */
    int64_t point;
};

int
currency_digits(struct slice currency)
{
    /* ISO 4217, all currencies whose minor unit is not 2 digits */
    static const char none[] =
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
    static const char three[] = "BHD IQD JOD KWD LYD OMR TND";
    static const char four[] = "CLF UYW";

    if (currency.n != 3)
        return 2;
    if (slice_contains(SLICE(none), currency))
        return 0;
    if (slice_contains(SLICE(three), currency))
        return 3;
    return slice_contains(SLICE(four), currency) ? 4 : 2;
}

bool
currency_normalize(struct slice currency, char out[3])
{
    if (currency.n != 3)
        return false;
    for (size_t i = 0; i < 3; i++) {
        char c = currency.p[i];

        if (c >= 'a' && c <= 'z')
            c = (char)(c - 32);
        if (c < 'A' || c > 'Z')
            return false;
        out[i] = c;
    }
    return true;
}

static size_t
count_digits(struct slice s, size_t at)
{
    size_t n = 0;

    while (at + n < s.n && s.p[at + n] >= '0' && s.p[at + n] <= '9')
        n++;
    return n;
}

static char
digit_at(const struct parts *p, size_t i)
{
    i += p->skip;
    return i < p->whole.n ? p->whole.p[i] : p->fraction.p[i - p->whole.n];
}

/* RFC 8259 section 6. */
static bool
take_apart(struct slice s, struct parts *p)
{
    size_t at = 0;
    int64_t exponent = 0;
    size_t n;

    *p = (struct parts){.is_negative = s.n > 0 && s.p[0] == '-'};
    at += p->is_negative;
    n = count_digits(s, at);
    if (n == 0 || (n > 1 && s.p[at] == '0'))
        return false;
    p->whole = slice_sub(s, at, n);
    at += n;
    if (at < s.n && s.p[at] == '.') {
        n = count_digits(s, ++at);
        if (n == 0)
            return false;
        p->fraction = slice_sub(s, at, n);
        at += n;
    }
    if (at < s.n && (s.p[at] == 'e' || s.p[at] == 'E')) {
        bool is_minus = ++at < s.n && s.p[at] == '-';

        at += at < s.n && (s.p[at] == '-' || s.p[at] == '+');
        n = count_digits(s, at);
        if (n == 0)
            return false;
        for (size_t i = at; i < at + n; i++)
            if (exponent < 1000000)
                exponent = exponent * 10 + (s.p[i] - '0');
        exponent = is_minus ? -exponent : exponent;
        at += n;
    }
    p->n = p->whole.n + p->fraction.n;
    while (p->n > 0 && digit_at(p, 0) == '0') {
        p->skip++;
        p->n--;
    }
    p->point = (int64_t)p->whole.n - (int64_t)p->skip + exponent;
    while (p->n > 0 && digit_at(p, p->n - 1) == '0')
        p->n--;
    if (p->n == 0) { /* -0 is 0 */
        p->is_negative = false;
        p->point = 0;
    }
    return at == s.n;
}

bool
decimal_is_number(struct slice s)
{
    struct parts p;

    return take_apart(s, &p);
}

/* Digits of p beyond `kept`: the fraction of the last unit they make, in millionths, 0..1000000
 * (rounded up, so that 0 means exactly nothing). */
static int
rest_in_millionths(const struct parts *p, int64_t kept)
{
    int v = 0;

    if (kept >= (int64_t)p->n)
        return 0;
    for (int64_t i = kept; i < kept + 6; i++)
        v = v * 10 + (i >= 0 && i < (int64_t)p->n ? digit_at(p, (size_t)i) - '0' : 0);
    return kept + 6 < (int64_t)p->n ? v + 1 : v;
}

enum err_code
decimal_parse(struct slice number, int digits, int64_t *out, struct err *err)
{
    struct parts p;
    int64_t units = 0;
    int64_t kept;
    int rest;

    if (!take_apart(number, &p))
        return err_set(err, ERR_INVALID, NULL, "not a number: \"%.*s\"",
                       (int)(number.n < 40 ? number.n : 40), number.p);
    kept = p.point + digits;
    if (kept > 17)
        return err_set(err, ERR_INVALID, NULL, "a number beyond +-9e15");
    for (int64_t i = 0; i < kept; i++)
        units = units * 10 + (i < (int64_t)p.n ? digit_at(&p, (size_t)i) - '0' : 0);
    rest = rest_in_millionths(&p, kept);
    if (rest > 1 && rest < 999999)
        return err_set(err, ERR_INVALID, NULL, "more than %d digits after the point", digits);
    units += rest >= 999999;
    if (units > UNITS_MAX)
        return err_set(err, ERR_INVALID, NULL, "a number beyond +-9e15");
    *out = p.is_negative ? -units : units;
    return ERR_OK;
}

void
decimal_add(struct buffer *out, int64_t units, int digits)
{
    uint64_t v = units < 0 ? 0 - (uint64_t)units : (uint64_t)units;
    uint64_t scale = 1;

    for (int i = 0; i < digits; i++)
        scale *= 10;
    buffer_printf(out, "%s%llu", units < 0 ? "-" : "", (unsigned long long)(v / scale));
    if (digits > 0)
        buffer_printf(out, ".%0*llu", digits, (unsigned long long)(v % scale));
}

int
decimal_compare(struct slice a, struct slice b)
{
    struct parts x;
    struct parts y;
    int order = 0;

    take_apart(a, &x);
    take_apart(b, &y);
    if (x.is_negative != y.is_negative)
        return x.is_negative ? -1 : 1;
    if (x.n == 0 || y.n == 0) {
        order = (x.n != 0) - (y.n != 0);
    } else if (x.point != y.point) {
        order = x.point < y.point ? -1 : 1;
    } else {
        for (size_t i = 0; order == 0 && (i < x.n || i < y.n); i++) {
            char c = i < x.n ? digit_at(&x, i) : '0';
            char d = i < y.n ? digit_at(&y, i) : '0';

            order = c < d ? -1 : c > d;
        }
    }
    return x.is_negative ? -order : order;
}

bool
decimal_canonical(struct slice number, struct buffer *out)
{
    struct parts p;
    int64_t n;

    if (!take_apart(number, &p))
        return false;
    n = (int64_t)p.n;
    if (llabs(p.point) > EXPONENT_MAX || n > EXPONENT_MAX)
        return false;
    if (p.is_negative)
        buffer_add_char(out, '-');
    if (p.point <= 0)
        buffer_add_char(out, '0');
    for (int64_t i = 0; i < p.point; i++)
        buffer_add_char(out, i < n ? digit_at(&p, (size_t)i) : '0');
    if (n > p.point)
        buffer_add_char(out, '.');
    for (int64_t i = p.point; i < 0 && n > 0; i++)
        buffer_add_char(out, '0');
    for (int64_t i = p.point > 0 ? p.point : 0; i < n; i++)
        buffer_add_char(out, digit_at(&p, (size_t)i));
    return true;
}
