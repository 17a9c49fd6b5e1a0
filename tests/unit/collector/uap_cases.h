/* uap-core's own test cases, as the Debian package of that name ships them: lists of
 *
 *   - user_agent_string: 'Luminary/1.0'
 *     family: 'Luminary'
 *
 * of which this reads these two lines; texts stand between quotes, ' or ". */
#ifndef TESTS_UNIT_COLLECTOR_UAP_CASES_H
#define TESTS_UNIT_COLLECTOR_UAP_CASES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/slice.h"

#define UAP_TEXT_BYTES 2048

struct uap_cases {
    FILE *in;
    char agent[UAP_TEXT_BYTES];
    char family[UAP_TEXT_BYTES];
};

/* name: "test_ua", "test_os", "test_device". False, and a line that says so, where it is absent. */
static inline bool
uap_cases_open(struct uap_cases *c, const char *name)
{
    const char *dir = getenv("CORONG_UAP_CORE");
    char path[1024];

    snprintf(path, sizeof path, "%s/tests/%s.yaml", dir ? dir : "/usr/share/uap-core", name);
    c->in = fopen(path, "r");
    if (!c->in)
        fprintf(stderr, "skipped: no %s (Debian package uap-core; or set CORONG_UAP_CORE)\n", path);
    return c->in != NULL;
}

/* What stands behind `key` on the line, without quotes. */
static inline bool
uap_cases__value(const char *line, const char *key, char out[UAP_TEXT_BYTES])
{
    const char *p = strstr(line, key);
    char quote;

    if (!p || strspn(line, " -") != (size_t)(p - line))
        return false;
    p += strlen(key);
    p += strspn(p, " ");
    quote = *p == '\'' || *p == '"' ? *p++ : '\n';
    for (; *p && (*p != quote || (quote == '\'' && p[1] == '\'')); p++) {
        if ((quote == '\'' && *p == '\'') || (quote == '"' && *p == '\\'))
            p++;
        *out++ = *p;
    }
    *out = '\0';
    return true;
}

static inline bool
uap_cases_next(struct uap_cases *c)
{
    char line[UAP_TEXT_BYTES];
    bool has_agent = false;

    while (fgets(line, sizeof line, c->in)) {
        if (uap_cases__value(line, "user_agent_string:", c->agent))
            has_agent = true;
        else if (has_agent && uap_cases__value(line, "family:", c->family))
            return true;
    }
    fclose(c->in);
    return false;
}

#endif
