#include "cmd/duration.h"

#define MS_MAX INT64_C(8640000000000)

enum err_code
duration_parse(const char *flag, struct slice text, int64_t *out_ms, struct err *err)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    size_t n = 0;
    int64_t v;

    while (n < text.n && text.p[n] >= '0' && text.p[n] <= '9')
        n++;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (!slice_is(slice_sub(text, n, text.n), units[i].unit))
            continue;
        if (!slice_to_int64(slice_sub(text, 0, n), &v) || v < 1 || v > MS_MAX / units[i].ms)
            break;
        *out_ms = v * units[i].ms;
        return ERR_OK;
    }
    return err_set(err, ERR_USAGE, flag, "%s: give a time like 24h or 30d (ms, s, m, h, d)", flag);
}
