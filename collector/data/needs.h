/* What must stand in a text for a regular expression to match it: the trick that lets a thousand
 * expressions be tried on an agent by trying five. Used while building only. */
#ifndef COLLECTOR_DATA_NEEDS_H
#define COLLECTOR_DATA_NEEDS_H

#include <stdbool.h>
#include <stddef.h>

#define NEEDS_MAX       512 /* texts of a set */
#define NEEDS_BYTES_MAX 48  /* of a text, with its NUL */
#define NEEDS_BYTES_MIN 3   /* shorter ones are in every agent */

struct needs {
    size_t n;
    char text[NEEDS_MAX][NEEDS_BYTES_MAX];
};

/* The texts, in lower case, of which at least one stands in everything that `pattern` matches,
 * whatever its case. n = 0 where there are none worth looking for. False for what lists of user
 * agents do not use of PCRE's syntax, and this does not know. */
bool needs_find(const char *pattern, struct needs *out);

/* Is the pattern nothing but text? Then *out (room for strlen(pattern) + 1) is that text. */
bool needs_is_text(const char *pattern, char *out);

#endif
