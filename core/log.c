#include "core/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/timestamp.h"

static _Atomic int lowest_level = LOG_INFO;
static const char *_Atomic part_name = "corong";

void
log_set_level(enum log_level lowest)
{
    atomic_store(&lowest_level, (int)lowest);
}

void
log_set_part(const char *part)
{
    atomic_store(&part_name, part);
}

void
log_line(enum log_level level, const char *format, ...)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    char when[TIMESTAMP_TEXT_MAX];
    char line[1024];
    va_list args;
    int n;
    int m;

    if ((int)level < atomic_load(&lowest_level))
        return;
    n = snprintf(line, sizeof line, "%s %s %s: ", timestamp_format(clock_wall_ms(), false, when),
                 names[level], atomic_load(&part_name));
    va_start(args, format);
    m = vsnprintf(line + n, sizeof line - (size_t)n - 1, format, args);
    va_end(args);
    n = m < 0 ? n : n + m;
    if ((size_t)n > sizeof line - 2)
        n = (int)sizeof line - 2;
    for (int i = 0; i < n; i++) /* one occurrence is one line, whatever the words hold */
        if ((unsigned char)line[i] < 0x20)
            line[i] = ' ';
    line[n++] = '\n';
    /* one write, so that lines of several threads and processes do not mix */
    if (write(STDERR_FILENO, line, (size_t)n) < 0)
        return;
}
