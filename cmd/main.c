/* corong: finds the command, reads its settings and flags, runs it. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "core/file.h"
#include "core/log.h"

#define ARENA_BLOCK (64 * 1024)

atomic_bool cmd_stop;

static int run_help(struct cmd *c);
static int run_version(struct cmd *c);

static const char *const no_flags[] = {NULL};
static const char *const json_only[] = {"--json", NULL};
static const char *const check_flags[] = {"--repair", "--json", NULL};
static const char *const backup_flags[] = {"--without-stream", NULL};
static const char *const restore_flags[] = {"--erased=", NULL};
static const char *const site_flags[] = {"--json",
                                         "--domain=",
                                         "--timezone=",
                                         "--currency=",
                                         "--max-age=",
                                         "--max-events=",
                                         "--ignore-referrer=",
                                         "--identity=",
                                         "--consent=",
                                         "--gpc=",
                                         "--dnt=",
                                         "--retention=",
                                         "--hosts=",
                                         "--page-groups=",
                                         "--first-day-of-week=",
                                         "--viewer-journeys=",
                                         NULL};
static const char *const user_flags[] = {"--role=", "--site=", NULL};
static const char *const import_flags[] = {"--format=", "--map=", "--json", NULL};
static const char *const visitor_flags[] = {"--json", "--now", NULL};
static const char *const export_flags[] = {"--from=", "--to=", NULL};
static const char *const funnel_flags[] = {
    "--from=",      "--to=",    "--timezone=", "--as-of=",   "--bots=",    "--where=",
    "--breakdown=", "--limit=", "--trend=",    "--figures=", "--compare=", "--visitors=",
    "--paths",      "--json",   "--note=",     "--version=", NULL};

static const char *const count_flags[] = {
    "--from=",  "--to=",    "--timezone=", "--as-of=",    "--bots=",
    "--where=", "--count=", "--window=",   "--value-of=", "--breakdown=",
    "--limit=", "--trend=", "--compare=",  "--json",      NULL};

static const struct command commands[] = {
    {"up", "corong up [--demo] [--data DIR] [SETTING..]",
     "Run everything on this machine: Redis, collector, aggregator and dashboard.", NULL, USER_UP,
     no_flags, cmd_up},
    {"collector", "corong collector [SETTING..]",
     "Run the collector alone (with a Redis of yours).", NULL, USER_COLLECTOR, no_flags,
     cmd_collector},
    {"aggregator", "corong aggregator [SETTING..]", "Run the aggregator alone.", NULL,
     USER_AGGREGATOR, no_flags, cmd_aggregator},
    {"web", "corong web [SETTING..]", "Run the dashboard alone.", NULL, USER_WEB, no_flags,
     cmd_web},
    {"site",
     "corong site add NAME --domain shop.example [--timezone Z] [--currency C]\n"
     "corong site set NAME [--domain D] [--timezone Z] [--currency C] [--max-age 24h] ..\n"
     "corong site show NAME [--json]\n"
     "corong site list [--json]\n"
     "corong site debug NAME\n"
     "corong site refused NAME [--json]\n"
     "corong site secret NAME\n"
     "corong site remove NAME",
     "Add, change, show and remove sites; prints keys and the snippet to paste.",
     "  --domain D           whose pages these are; its sub-domains too\n"
     "  --timezone Z         whose days reports count by, like Asia/Jakarta; default UTC\n"
     "  --currency C         of values that name none, like IDR\n"
     "  --max-age 24h        how late a beacon's event may come (ms, s, m, h, d)\n"
     "  --max-events 5000    of one visitor and day\n"
     "  --ignore-referrer H  hosts with commas that bring nobody, like a payment provider\n"
     "  --identity I         first_party (default) or cookieless: nothing is stored in browsers,\n"
     "                       and a visitor is known again for a day\n"
     "  --consent C          none (default) or required: nothing before corong.consent(true)\n"
     "  --gpc G              respect (default) or ignore Global Privacy Control\n"
     "  --dnt D              ignore (default) or respect Do Not Track\n"
     "  --hosts H            further hosts of the site's own, with commas\n"
     "  --page-groups FILE   names for groups of paths (the attribute page_group), as JSON:\n"
     "                       [{\"name\":\"Products\",\"globs\":[\"/p/**\"]}]; the first that fits\n"
     "  --first-day-of-week  monday (default), saturday or sunday, in calendars\n"
     "  --viewer-journeys    no (default) or yes: viewers see single visitors and known ids\n"
     "  --retention R        never (default: kept for ever), or how long events count, like 13mo\n"
     "                       or 400d; older ones leave every answer at once and are then deleted\n"
     "debug prints a ticket: for half an hour a beacon that shows it (?debug=, or the header\n"
     "X-Corong-Debug) is answered with what became of its events. refused lists what collectors\n"
     "refused of the site in the last hour, and why. secret makes another secret key; the former\n"
     "one is refused from then on.\n",
     USER_DATA, site_flags, cmd_site},
    {"user", "corong user add EMAIL [--role owner|editor|viewer] [--site NAME]",
     "Add a person to the dashboard; the password is read from standard input.",
     "  --role R             viewer (default), editor or owner\n"
     "  --site NAME          the role is for this site alone, not for all; who has an account\n"
     "                       already only gets the role, and no password is read\n",
     USER_DATA, user_flags, cmd_user},
    {"link",
     "corong link add SITE SLUG TARGET-URL\n"
     "corong link list SITE [--json]\n"
     "corong link remove SITE SLUG",
     "Campaign redirects: the collector's /r/SLUG leads to the target, and is counted.",
     "The target is fixed here, and is http or https; its campaign parameters (utm_..) say what\n"
     "brought whoever clicks. Collectors know a new link after a second or two.\n",
     USER_DATA, json_only, cmd_link},
    {"import", "corong import SITE FILE|- [--format ndjson|csv] [--map MAP.json] [--json]",
     "Read events of another system, or of an export; the same file twice changes nothing.",
     "  --format F   ndjson or csv; default: by the file's name, else by its first byte\n"
     "  --map FILE   which column is which field, as JSON:\n"
     "               {\"visitor\":[\"client_id\",\"clientId\"], \"time\":\"timestamp\",\n"
     "                \"event\":{\"from\":\"name\",\"values\":{\"purchase\":\"sale\"}},\n"
     "                \"url\":\"page_url\", \"order\":\"data.transaction_id\",\n"
     "                \"currency\":{\"const\":\"USD\"}, \"properties.size\":\"size\"}\n"
     "               A list is several spellings of one header; `data.x` is the member x of the\n"
     "               JSON in column data; columns that the map does not name are left out.\n"
     "               Times that are not RFC 3339 with an offset, nor ms since the epoch:\n"
     "               {\"from\":\"at\",\"timezone\":\"Asia/Jakarta\"}, "
     "{\"from\":\"ts\",\"unit\":\"s\"}\n"
     "  --json       print the counts as JSON\n"
     "Rejected lines are listed on stderr with their reason; the rest goes in, and the exit code\n"
     "is 1. All cores read; memory stays below about 500 MB, whatever the file's size. What was\n"
     "written is merged month by month and committed at once at the end, so that an import that\n"
     "is interrupted has stored nothing. It needs three times the space of its segments "
     "meanwhile.\n",
     USER_DATA, import_flags, cmd_import},
    {"export", "corong export SITE [--from D] [--to D] > FILE",
     "Write a site's events as NDJSON, which imports to the same figures.",
     "  --from D --to D   days of the site's time zone (2026-06-01, the last one left out), or "
     "times;\n"
     "                    default: the whole history\n"
     "Works while everything runs, and while nothing does. Visitor after visitor, each in order,\n"
     "without repeats.\n",
     USER_DATA, export_flags, cmd_export},
    {"funnel",
     "corong funnel run SITE FUNNEL.json|NAME [--from D] [--to D] [--timezone Z] [--as-of T]\n"
     "                  [--bots exclude|include|only] [--where FILTERS.json] [--breakdown "
     "ATTR[@AT]]\n"
     "                  [--limit N] [--trend day|week|month] [--compare previous|FROM..TO]\n"
     "                  [--figures all|counts]\n"
     "                  [--visitors FIGURE[:STAGE]] [--paths] [--json]\n"
     "corong funnel put SITE NAME FUNNEL.json|- [--note TEXT]\n"
     "corong funnel list SITE [--json]\n"
     "corong funnel show SITE NAME [--version N]\n"
     "corong funnel versions SITE NAME [--json]\n"
     "corong funnel restore SITE NAME --version N [--note TEXT]\n"
     "corong funnel remove SITE NAME",
     "Run a funnel over what is stored; keep, list, show and remove definitions.",
     "  FUNNEL.json       a file, or the JSON itself: '{\"window\":..}'\n"
     "  --from D --to D   days of the time zone (2026-06-01, the last one left out), or times;\n"
     "                    default: the whole history\n"
     "  --timezone Z      default: the site's\n"
     "  --as-of T         as if it were then: later events are left out\n"
     "  --bots B          exclude (default), include or only\n"
     "  --where FILE      a filter, or a list of them, as JSON (docs/funnel.md, section 4): a "
     "file\n"
     "                    or the JSON itself; may be repeated: all must hold\n"
     "  --breakdown ATTR  rows by the attribute at the path's first visit; @first, @last or the\n"
     "                    number of a stage (@3) behind it take another event; may be repeated\n"
     "  --limit N         rows of the breakdown (20), the largest first\n"
     "  --trend T         the same for each day, week or month\n"
     "  --compare C       the same for the range before (previous), or for another one\n"
     "  --figures counts  counts alone, without times and values: sooner answered\n"
     "  --visitors F[:N]  the list behind a figure, as entered, reached:2 or dropoff:3: a line "
     "each\n"
     "  --paths           every visitor's counted path (with --json)\n"
     "  --json            the report of docs/funnel.md, section 5\n"
     "  --note TEXT       what was changed and why; each save is a version of its own, the last\n"
     "                    500 of which are kept\n"
     "  --version N       one of `funnel versions`; restore saves it again, as the newest\n",
     USER_DATA, funnel_flags, cmd_funnel},
    {"count",
     "corong count SITE [--from D] [--to D] [--timezone Z] [--as-of T] [--bots B]\n"
     "             [--where FILTERS.json] [--breakdown ATTR[@AT]] [--limit N]\n"
     "             [--trend hour|day|week|month] [--compare previous|FROM..TO]\n"
     "             [--count visitors|sessions] [--window W] [--value-of EVENT] [--json]",
     "Count visitors, sessions, events, orders, value and engaged time, by attributes and time.",
     "Flags are those of `corong help funnel`, and (docs/questions.md):\n"
     "  --breakdown ATTR  rows by the attribute of each event; @entry, @first or @last behind it\n"
     "                    give each visitor one row; may be repeated\n"
     "  --count sessions  filters choose sessions, which are taken whole, by their first event\n"
     "  --window W        how far after --to filters at `any` and `none` look (not at all)\n"
     "  --value-of EVENT  whose value is summed up (sale)\n"
     "  --json            the answer of the API's POST /api/v1/sites/{site}/count\n",
     USER_DATA, count_flags, cmd_count},
    {"visitor",
     "corong visitor show SITE VISITOR [--json]\n"
     "corong visitor export SITE VISITOR > FILE\n"
     "corong visitor erase SITE VISITOR [--now]",
     "All events of one visitor: shown, written as NDJSON, or erased.",
     "VISITOR is any id of a person; all ids that are the same person are taken together.\n"
     "  --now   erase from every file before the command ends (docs/privacy.md)\n",
     USER_DATA, visitor_flags, cmd_visitor},
    {"check", "corong check [--repair] [--json]",
     "Verify every checksum and reference of the data folder; exit 1 if anything is wrong.",
     "  --repair   while nothing runs: make a damaged or lost catalog anew from the segments, and\n"
     "             bring back files that no commit names. Nothing is deleted "
     "(docs/operations.md)\n",
     USER_DATA, check_flags, cmd_check},
    {"bad",
     "corong bad list [--json]\n"
     "corong bad replay [--json]",
     "Entries of the stream that could not be read: list them, read them again.",
     "They were kept as they came. A newer Corong may be able to read them: replay stores what "
     "can\n"
     "be read by now, nothing twice, and keeps the rest.\n",
     USER_DATA, json_only, cmd_bad},
    {"backup", "corong backup DIR [--without-stream]",
     "Copy everything into a folder while it runs; again into the same one: only what is new.",
     "  --without-stream   where no Redis runs: what waits there is not in the backup\n"
     "Until it is complete the former backup in DIR stays as it was. docs/operations.md.\n",
     USER_DATA, backup_flags, cmd_backup},
    {"restore", "corong restore DIR [--erased FILE] [--data NEW]",
     "Make a data folder of a backup, after every checksum of it was verified.",
     "The data folder must be empty or not there. Give it a Redis of its own.\n"
     "  --erased FILE   whoever this file of tombstones names stays away: `erased` of the former\n"
     "                  data folder, where an erase could not reach the backup\n",
     USER_DATA, restore_flags, cmd_restore},
    {"status", "corong status [--json]", "What runs, what is stored, what needs a look.", NULL,
     USER_DATA, json_only, cmd_status},
    {"help", "corong help [COMMAND|settings]", "This, or more about a command.", NULL, 0, no_flags,
     run_help},
    {"version", "corong version", "The version.", NULL, 0, no_flags, run_version},
};

#define N_COMMANDS (sizeof commands / sizeof commands[0])

const struct command *
cmd_table(size_t *n)
{
    *n = N_COMMANDS;
    return commands;
}

static const struct command *
find_command(const char *name)
{
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    if (strcmp(name, "--version") == 0)
        name = "version";
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* ---- help ---- */

static void
print_overview(FILE *out)
{
    fputs("Corong: where visitors get through, drop off and skip, on your own machine.\n\n"
          "usage: corong COMMAND [..]\n\n",
          out);
    for (size_t i = 0; i < N_COMMANDS; i++)
        fprintf(out, "  %-12s%s\n", commands[i].name, commands[i].text);
    fputs("\nStart with `corong up --demo`. `corong help COMMAND` says more about one.\n"
          "Exit codes: 0 done, 1 failed, 2 wrong usage.\n",
          out);
}

static void
print_usage(FILE *out, const struct command *k)
{
    const char *line = k->usage;
    const char *label = "usage: ";

    while (*line != '\0') {
        size_t n = strcspn(line, "\n");

        fprintf(out, "%s%.*s\n", label, (int)n, line);
        label = "       ";
        line += n + (line[n] == '\n');
    }
}

static int
print_command_help(const struct command *k)
{
    print_usage(stdout, k);
    printf("\n%s\n", k->text);
    if (k->more != NULL)
        printf("\n%s", k->more);
    if (k->users != 0) {
        puts("\nSettings (also as CORONG_... in the environment, or in the file of --config):");
        setting_print_help(stdout, k->users);
    }
    return CMD_DONE;
}

static int
run_help(struct cmd *c)
{
    const struct command *k;

    if (c->n_words == 0) {
        print_overview(stdout);
        return CMD_DONE;
    }
    if (strcmp(c->words[0], "settings") == 0) {
        setting_print_markdown(stdout);
        return CMD_DONE;
    }
    k = find_command(c->words[0]);
    if (k != NULL)
        return print_command_help(k);
    fprintf(stderr, "corong: no command named %s\n", c->words[0]);
    return cmd_usage(c);
}

static int
run_version(struct cmd *c)
{
    (void)c;
    puts("corong " CORONG_VERSION);
    return CMD_DONE;
}

/* ---- what the commands share ---- */

bool
cmd_flag(const struct cmd *c, const char *name)
{
    for (int i = 0; i < c->n_flags; i++)
        if (strcmp(c->flags[i], name) == 0)
            return true;
    return false;
}

const char *
cmd_next_value(const struct cmd *c, const char *name, int *at)
{
    size_t n = strlen(name);

    while (*at < c->n_flags) {
        const char *flag = c->flags[(*at)++];

        if (strncmp(flag, name, n) == 0 && flag[n] == '=')
            return flag + n + 1;
    }
    return NULL;
}

const char *
cmd_value(const struct cmd *c, const char *name)
{
    const char *value = NULL;
    const char *next;
    int at = 0;

    while ((next = cmd_next_value(c, name, &at)) != NULL)
        value = next;
    return value;
}

struct slice
cmd_word(const struct cmd *c, int i)
{
    return slice_from(i < c->n_words ? c->words[i] : "");
}

bool
cmd_is(const struct cmd *c, int i, const char *word, int n_words)
{
    return c->n_words == n_words && slice_is(cmd_word(c, i), word);
}

int
cmd_fail(const struct err *err)
{
    bool names_itself = err->field[0] == '\0' || strstr(err->message, err->field) != NULL;

    if (names_itself)
        fprintf(stderr, "corong: %s\n", err->message);
    else
        fprintf(stderr, "corong: %s: %s\n", err->field, err->message);
    return err->code == ERR_USAGE ? CMD_USAGE : CMD_FAILED;
}

int
cmd_usage(const struct cmd *c)
{
    print_usage(stderr, c->command);
    return CMD_USAGE;
}

enum err_code
cmd_redis(const struct cmd *c, struct stream_address *out, struct err *err)
{
    const char *where = settings_text(c->settings, "redis");
    char private_socket[FILE_PATH_MAX];
    enum err_code rc;

    snprintf(private_socket, sizeof private_socket, "unix:%s/redis.sock",
             settings_text(c->settings, "data"));
    rc = stream_address_parse(slice_from(where[0] != '\0' ? where : private_socket), out, err);
    if (rc != ERR_OK) {
        err_prefix(err, "redis");
        return rc;
    }
    out->timeout_ms = (int)settings_integer(c->settings, "redis-timeout");
    slice_to_cstr(slice_from(settings_text(c->settings, "redis-password")), out->password,
                  sizeof out->password);
    return ERR_OK;
}

static void
on_signal(int number)
{
    (void)number;
    atomic_store(&cmd_stop, true);
}

void
cmd_catch_signals(void)
{
    struct sigaction stop = {.sa_handler = on_signal};

    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
}

void
cmd_hold_signals(void)
{
    sigset_t held;

    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    sigprocmask(SIG_BLOCK, &held, NULL); /* threads to come inherit it */
    cmd_catch_signals();
}

void
cmd_wait_for_stop(void)
{
    sigset_t none;

    sigemptyset(&none);
    while (!atomic_load(&cmd_stop))
        sigsuspend(&none);
}

int
cmd_print(struct slice bytes)
{
    fwrite(bytes.p, 1, bytes.n, stdout);
    fflush(stdout);
    return ferror(stdout) ? CMD_FAILED : CMD_DONE; /* said at the end, once */
}

/* ---- main ---- */

/* Flags of the command's own go to c->flags, the rest are its words; behind "--" all are words. */
static void
sort_words(struct cmd *c, int n, char **argv)
{
    bool only_words = false;

    c->words = ARENA_ARRAY(&c->arena, char *, (size_t)n + 1);
    c->flags = ARENA_ARRAY(&c->arena, char *, (size_t)n + 1);
    for (int i = 1; i < n; i++) {
        bool is_flag = strncmp(argv[i], "--", 2) == 0 || strcmp(argv[i], "-h") == 0;

        if (!only_words && strcmp(argv[i], "--") == 0)
            only_words = true;
        else if (is_flag && !only_words)
            c->flags[c->n_flags++] = argv[i];
        else
            c->words[c->n_words++] = argv[i];
    }
}

static int
run(const struct command *k, int argc, char **argv)
{
    struct cmd c = {.command = k, .settings = settings_create()};
    struct err err = ERR_NONE;
    int n = 0;
    int status;

    arena_init(&c.arena, ARENA_BLOCK);
    if (settings_read(c.settings, k->users, argc, argv, k->own, &n, &err) != ERR_OK) {
        cmd_fail(&err);
        status = cmd_usage(&c);
    } else {
        sort_words(&c, n, argv);
        log_set_level((enum log_level)settings_integer(c.settings, "log-level"));
        if (cmd_flag(&c, "--help") || cmd_flag(&c, "-h"))
            status = print_command_help(k);
        else
            status = k->run(&c);
    }
    arena_fini(&c.arena);
    settings_destroy(&c.settings);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("corong: not all of the output could be written\n", stderr);
        status = status == CMD_DONE ? CMD_FAILED : status;
    }
    return status;
}

/* Were one of these closed, the next file opened would take its place, and be printed into. */
static void
open_standard_files(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int
main(int argc, char **argv)
{
    const struct command *k;

    open_standard_files();
    signal(SIGPIPE, SIG_IGN); /* a peer that went away is an error of that write */
    if (argc < 2) {
        print_overview(stderr);
        return CMD_USAGE;
    }
    k = find_command(argv[1]);
    if (k == NULL) {
        fprintf(stderr, "corong: no command named %s\n", argv[1]);
        print_overview(stderr);
        return CMD_USAGE;
    }
    return run(k, argc - 1, argv + 1);
}
