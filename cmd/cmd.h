/* The commands: one file each, one table in main.c. Only here are main, wiring and signals.
 *
 * A command gets its words and flags already taken apart; it prints results on stdout, words about
 * what went wrong on stderr, and returns 0 done, 1 failed, 2 wrong usage.
 */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include <stdatomic.h>
#include <stdio.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/setting.h"
#include "core/stream.h"

#define CMD_DONE   0
#define CMD_FAILED 1
#define CMD_USAGE  2

struct cmd {
    const struct command *command;
    struct settings *settings;
    int n_words; /* behind the command's name */
    char **words;
    int n_flags; /* the command's own flags, as given: "--json", "--from=2026-06-01" */
    char **flags;
    struct arena arena; /* until the command returns */
};

struct command {
    const char *name;
    const char *usage; /* lines of "corong ..." */
    const char *text;  /* one sentence for `corong help` */
    const char *more;  /* what --help says further; may be NULL */
    unsigned users;    /* which settings it takes */
    const char *const *own;
    int (*run)(struct cmd *c);
};

const struct command *cmd_table(size_t *n);

bool cmd_flag(const struct cmd *c, const char *name);         /* "--json" */
const char *cmd_value(const struct cmd *c, const char *name); /* of "--from"; NULL */
/* Of a flag that may be given again: each value in turn, from *at = 0; then NULL. */
const char *cmd_next_value(const struct cmd *c, const char *name, int *at);
struct slice cmd_word(const struct cmd *c, int i); /* "" where it is not there */
bool cmd_is(const struct cmd *c, int i, const char *word, int n_words); /* word i, and n in all */

/* Say what went wrong, and the exit code for it (CMD_USAGE for ERR_USAGE, else CMD_FAILED). */
int cmd_fail(const struct err *err);
/* Wrong words: the command's usage on stderr; CMD_USAGE. */
int cmd_usage(const struct cmd *c);

/* The data folder of the setting, for a command that may be the first on a machine: where there is
 * none it is made, and stderr says so, as it may have been meant to be another. */
struct store;
enum err_code cmd_make_store(const struct cmd *c, struct store *out, struct err *err);

/* Where Redis is: the setting, or else redis.sock in the data folder. */
enum err_code cmd_redis(const struct cmd *c, struct stream_address *out, struct err *err);

/* Set by SIGINT and SIGTERM after cmd_catch_signals. */
extern atomic_bool cmd_stop;
void cmd_catch_signals(void);

/* For a process whose work is done by other threads: cmd_hold_signals before any of them starts,
 * then wait here, without a moment in which a signal could be missed. */
void cmd_hold_signals(void);
void cmd_wait_for_stop(void);

/* Print a buffer's bytes on stdout; CMD_FAILED where that fails (a closed pipe, a full disk). */
int cmd_print(struct slice bytes);

int cmd_up(struct cmd *c);
int cmd_collector(struct cmd *c);
int cmd_aggregator(struct cmd *c);
int cmd_web(struct cmd *c);
int cmd_site(struct cmd *c);
int cmd_link(struct cmd *c);
int cmd_user(struct cmd *c);
int cmd_import(struct cmd *c);
int cmd_export(struct cmd *c);
int cmd_funnel(struct cmd *c);
int cmd_count(struct cmd *c);
int cmd_visitor(struct cmd *c);
int cmd_check(struct cmd *c);
int cmd_status(struct cmd *c);
int cmd_bad(struct cmd *c);
int cmd_backup(struct cmd *c);
int cmd_restore(struct cmd *c);

#endif
