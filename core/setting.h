/* Settings: one table as data, from which flags, environment, file, --help and the README come.
 *
 * A setting `web-port` is the flag --web-port, the variable CORONG_WEB_PORT and the line
 * `web-port = 8000` of the file that --config names. A flag wins over the environment, that over
 * the file, that over the default. Every value is checked against its range; an unknown name or a
 * bad value is ERR_USAGE with the name in err->field.
 */
#ifndef CORE_SETTING_H
#define CORE_SETTING_H

#include <stdio.h>

#include "core/err.h"
#include "core/slice.h"

enum setting_type { SETTING_TEXT, SETTING_INTEGER, SETTING_FLAG };

struct setting {
    const char *name;
    enum setting_type type;
    unsigned users; /* enum setting_user, or-ed: which commands take it */
    int64_t minimum;
    int64_t maximum;
    const char *initial; /* the default, as text */
    const char *unit;    /* "ms", "bytes", "port", "" */
    const char *text;    /* one sentence */
};

enum setting_user {
    USER_COLLECTOR = 1,
    USER_AGGREGATOR = 2,
    USER_WEB = 4,
    USER_UP = 8,
    USER_DATA = 16 /* every command that touches the data folder */
};

const struct setting *setting_table(size_t *n);

struct settings; /* values of one process */

struct settings *settings_create(void); /* all defaults */
void settings_destroy(struct settings **s);

/* Read, where given, the file of --config, over it the environment, and over both the flags in
 * argv[1..argc) that `users` take. Words that are no flags are moved to the front of argv, their
 * number in *out_n; "--" stays among them: all words behind it are none.
 * `own` (ended by NULL) names further flags of the command itself ("--json", "--from="): they are
 * left in place among the words; one ending in '=' takes a value ("--from X" becomes "--from=X").
 * `-h` and `--help` count as own. */
enum err_code settings_read(struct settings *s, unsigned users, int argc, char **argv,
                            const char *const *own, int *out_n, struct err *err);

/* For code that starts others: set as if by flag. */
enum err_code settings_set(struct settings *s, const char *name, const char *value,
                           struct err *err);

const char *settings_text(const struct settings *s, const char *name);
int64_t settings_integer(const struct settings *s, const char *name);
bool settings_flag(const struct settings *s, const char *name);
bool settings_is_given(const struct settings *s, const char *name); /* not the default */

void setting_print_help(FILE *out, unsigned users);
void setting_print_markdown(FILE *out); /* the README's table */

#endif
