#include "core/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void
fill(struct err *e, enum err_code code, const char *field)
{
    e->code = code;
    snprintf(e->field, sizeof e->field, "%s", field ? field : "");
}

enum err_code
err_set(struct err *e, enum err_code code, const char *field, const char *format, ...)
{
    va_list args;

    if (e == NULL)
        return code;
    va_start(args, format);
    vsnprintf(e->message, sizeof e->message, format, args);
    va_end(args);
    fill(e, code, field);
    return code;
}

enum err_code
err_errno(struct err *e, const char *format, ...)
{
    int number = errno;
    enum err_code code = number == ENOSPC || number == EDQUOT ? ERR_FULL : ERR_IO;
    char words[128];
    va_list args;
    int n;

    if (e == NULL)
        return code;
    va_start(args, format);
    n = vsnprintf(e->message, sizeof e->message, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof e->message)
        snprintf(e->message + n, sizeof e->message - (size_t)n, ": %s",
                 strerror_r(number, words, sizeof words));
    fill(e, code, NULL);
    errno = number;
    return code;
}

void
err_prefix(struct err *e, const char *prefix)
{
    char joined[sizeof e->field];
    const char *dot;

    if (e == NULL)
        return;
    dot = e->field[0] == '\0' || e->field[0] == '[' ? "" : ".";
    snprintf(joined, sizeof joined, "%s%s%.*s", prefix, dot,
             (int)(sizeof joined - strlen(dot) - 1 - strnlen(prefix, sizeof joined - 2)), e->field);
    memcpy(e->field, joined, sizeof joined);
}

const char *
err_code_name(enum err_code code)
{
    static const char *const names[] = {
        [ERR_OK] = "ok",
        [ERR_USAGE] = "usage",
        [ERR_INVALID] = "invalid",
        [ERR_IO] = "io",
        [ERR_FULL] = "full",
        [ERR_CORRUPT] = "corrupt",
        [ERR_NOT_FOUND] = "not_found",
        [ERR_EXISTS] = "exists",
        [ERR_CONFLICT] = "conflict",
        [ERR_LIMIT] = "limit",
        [ERR_TIMEOUT] = "timeout",
        [ERR_UNAVAILABLE] = "unavailable",
        [ERR_DENIED] = "denied",
        [ERR_VERSION] = "version",
    };
    size_t i = (size_t)code;

    return i < sizeof names / sizeof names[0] && names[i] ? names[i] : "unknown";
}
