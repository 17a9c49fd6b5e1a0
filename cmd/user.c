/* corong user add */
#include <errno.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "aggregator/site.h"
#include "cmd/cmd.h"
#include "web/api/people.h"

#define PASSWORD_MAX 1024

/* One line of standard input; on a terminal it is asked for and not shown. */
static enum err_code
read_password(char out[PASSWORD_MAX], struct err *err)
{
    struct termios shown;
    bool is_terminal = tcgetattr(STDIN_FILENO, &shown) == 0;
    char *line;

    if (is_terminal) {
        struct termios hidden = shown;

        hidden.c_lflag &= ~(tcflag_t)ECHO;
        fputs("password: ", stderr);
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    }
    line = fgets(out, PASSWORD_MAX, stdin);
    if (is_terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
        fputc('\n', stderr);
    }
    if (line == NULL)
        return err_set(err, ERR_INVALID, "password", "nothing on standard input");
    if (strlen(out) == PASSWORD_MAX - 1)
        return err_set(err, ERR_LIMIT, "password", "longer than %d bytes", PASSWORD_MAX - 2);
    out[strcspn(out, "\r\n")] = '\0';
    return ERR_OK;
}

/* For all sites, or for one. An account that is there already only gets the role for that one. */
static enum err_code
add_account(struct cmd *c, struct settings_db *db, enum account_role role, struct err *err)
{
    const char *name = cmd_value(c, "--site");
    char password[PASSWORD_MAX], email[ACCOUNT_EMAIL_MAX + 1];
    struct site site = {.id = 0};
    enum err_code rc = account_email_normalize(cmd_word(c, 1), email, err);

    if (rc == ERR_OK && name != NULL)
        rc = site_find(db, slice_from(name), &c->arena, &site, err);
    if (rc == ERR_OK && name != NULL) {
        rc = people_set_role(db, slice_from(email), site.id, role, err);
        if (rc != ERR_NOT_FOUND)
            return rc;
        rc = ERR_OK;
    }
    if (rc == ERR_OK)
        rc = read_password(password, err);
    if (rc == ERR_OK && name != NULL)
        rc = people_add(db, slice_from(email), slice_from(password), site.id, role, err);
    else if (rc == ERR_OK)
        rc = account_add(db, slice_from(email), slice_from(password), role, err);
    explicit_bzero(password, sizeof password);
    return rc;
}

int
cmd_user(struct cmd *c)
{
    const char *role_text = cmd_value(c, "--role");
    enum account_role role = ROLE_VIEWER;
    struct settings_db *db = NULL;
    struct store store;
    struct err err = ERR_NONE;
    enum err_code rc;

    if (!cmd_is(c, 0, "add", 2))
        return cmd_usage(c);
    if (role_text != NULL && !account_role_parse(slice_from(role_text), &role)) {
        err_set(&err, ERR_USAGE, "--role", "--role: give owner, editor or viewer");
        return cmd_fail(&err);
    }
    cmd_catch_signals(); /* Ctrl-C ends the question, and the terminal shows what is typed again */
    rc = cmd_make_store(c, &store, &err);
    if (rc == ERR_OK)
        rc = settings_db_open(&store, &db, &err);
    if (rc == ERR_OK)
        rc = add_account(c, db, role, &err);
    settings_db_close(&db);
    return rc == ERR_OK ? CMD_DONE : cmd_fail(&err);
}
