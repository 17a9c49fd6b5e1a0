#include "core/setting.h"

#include <errno.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/buffer.h"
#include "core/file.h"

#define EVERY_PROCESS (USER_COLLECTOR | USER_AGGREGATOR | USER_WEB | USER_UP)
#define FILE_BYTES    (64 * 1024)

static const struct setting table[] = {
    {"data", SETTING_TEXT, EVERY_PROCESS | USER_DATA, 1, 900, "corong-data", "folder",
     "Where everything is kept. Made at the first start."},
    {"config", SETTING_TEXT, EVERY_PROCESS | USER_DATA, 0, 900, "", "file",
     "A file of settings, one `name = value` a line, # for comments."},
    {"log-level", SETTING_INTEGER, EVERY_PROCESS, 0, 3, "1", "",
     "The least that is logged: 0 debug, 1 info, 2 warnings, 3 errors."},
    {"redis", SETTING_TEXT, USER_COLLECTOR | USER_AGGREGATOR | USER_WEB | USER_DATA, 0, 255, "",
     "address",
     "Redis as host:port or unix:/path. Empty: redis.sock in the data folder, where `up` has one."},
    {"redis-password", SETTING_TEXT, USER_COLLECTOR | USER_AGGREGATOR | USER_WEB | USER_DATA, 0,
     255, "", "", "Redis's password. Better given by environment or file than by flag."},
    {"redis-timeout", SETTING_INTEGER, USER_COLLECTOR | USER_AGGREGATOR | USER_WEB | USER_DATA, 50,
     60000, "2000", "ms", "How long to wait for Redis to connect, and to answer one command."},
    {"redis-memory", SETTING_INTEGER, USER_UP, 0, 1048576, "0", "MB",
     "maxmemory of the private Redis. 0: a tenth of the machine's memory, at most 256 MB."},
    {"collector-address", SETTING_TEXT, USER_COLLECTOR | USER_UP, 2, 45, "0.0.0.0", "IPv4",
     "The address that the collector listens on."},
    {"collector-port", SETTING_INTEGER, USER_COLLECTOR | USER_UP, 0, 65535, "8001", "port",
     "The collector's port. 0: any free one."},
    {"collector-threads", SETTING_INTEGER, USER_COLLECTOR | USER_UP, 1, 1024, "64", "threads",
     "How many connections the collector serves at once."},
    {"collector-queue", SETTING_INTEGER, USER_COLLECTOR | USER_UP, 16, 16384, "1024", "connections",
     "How many connections may wait for a thread (net.core.somaxconn at most)."},
    {"collector-keep-alive", SETTING_INTEGER, USER_COLLECTOR | USER_UP, 0, 60000, "0", "ms",
     "How long an idle connection is kept; it holds a thread. 0: one request each. Behind nginx: "
     "1000."},
    {"collector-url", SETTING_TEXT, USER_WEB | USER_UP | USER_DATA, 0, 255, "", "URL",
     "What the snippet loads from, as browsers see it. Empty: http://localhost:<collector-port>."},
    {"snippet-path", SETTING_TEXT, USER_COLLECTOR | USER_WEB | USER_UP | USER_DATA, 2, 200,
     "/corong.js", "path", "The snippet's further address, in the tag that sites paste."},
    {"beacon-path", SETTING_TEXT, USER_COLLECTOR | USER_WEB | USER_UP | USER_DATA, 2, 200, "/e",
     "path", "Where that tag has the snippet send to; /e takes events all the same."},
    {"trusted-proxies", SETTING_TEXT, USER_COLLECTOR | USER_WEB | USER_UP, 0, 1000, "", "addresses",
     "Whose X-Forwarded-For and -Proto are believed: addresses or networks, with commas."},
    {"place-db", SETTING_TEXT, USER_COLLECTOR | USER_UP | USER_DATA, 0, 900, "", "file",
     "A MaxMind database (.mmdb) of countries or cities, taken anew when it is replaced. Not "
     "given: "
     "`up` takes places.mmdb beside the program, others none."},
    {"max-beacon", SETTING_INTEGER, USER_COLLECTOR | USER_UP, 1024, 1048576, "65536", "bytes",
     "The largest body that the collector takes."},
    {"publish-wait", SETTING_INTEGER, USER_COLLECTOR | USER_UP, 100, 60000, "1000", "ms",
     "How long a beacon waits for Redis to have it on disk before the spool takes it."},
    {"spool", SETTING_TEXT, USER_COLLECTOR | USER_UP | USER_DATA, 0, 850, "", "folder",
     "Where events wait while Redis is away, full or slow. Empty: spool in the data folder."},
    {"spool-size", SETTING_INTEGER, USER_COLLECTOR | USER_UP, 0, 1048576, "1024", "MB",
     "How much the spool may hold; then beacons are answered 503. 0: no spool."},
    {"address-rate", SETTING_INTEGER, USER_COLLECTOR | USER_UP, 0, 1000000, "100", "requests/s",
     "What one address (IPv6: one /64) may send before it is answered 429; this machine's own may "
     "always. 0: no limit."},
    {"address-burst", SETTING_INTEGER, USER_COLLECTOR | USER_UP, 1, 10000000, "1000", "requests",
     "How much of that may come at once, after a rest."},
    {"site-rate", SETTING_INTEGER, USER_COLLECTOR | USER_UP, 0, 10000000, "0", "events/s",
     "What one site may send before it is answered 429. 0: no limit."},
    {"site-burst", SETTING_INTEGER, USER_COLLECTOR | USER_UP, 1, 100000000, "100000", "events",
     "How much of that may come at once, after a rest."},
    {"web-address", SETTING_TEXT, USER_WEB | USER_UP, 2, 45, "127.0.0.1", "IPv4",
     "The address that the dashboard listens on."},
    {"web-port", SETTING_INTEGER, USER_WEB | USER_UP, 0, 65535, "8000", "port",
     "The dashboard's port. 0: any free one."},
    {"web-threads", SETTING_INTEGER, USER_WEB | USER_UP, 1, 256, "16", "threads",
     "How many connections the dashboard serves at once."},
    {"public-url", SETTING_TEXT, USER_WEB | USER_UP, 0, 255, "", "URL",
     "The dashboard's own address, as browsers see it. Empty: http://localhost:<web-port>."},
    {"insecure-http", SETTING_FLAG, USER_WEB | USER_UP, 0, 1, "no", "",
     "Allow signing in over plain http away from localhost. Passwords then travel in the clear."},
    {"query-time", SETTING_INTEGER, USER_WEB | USER_UP | USER_DATA, 0, 3600000, "10000", "ms",
     "How long one query of the dashboard may take; then it is an error. 0: no limit. Commands "
     "have "
     "none unless it is given."},
    {"query-memory", SETTING_INTEGER, USER_WEB | USER_UP | USER_DATA, 0, 1048576, "256", "MB",
     "How much memory it may hold beside the mapped files. 0: no limit. Commands have none unless "
     "it is given."},
    {"flush-age", SETTING_INTEGER, USER_AGGREGATOR | USER_UP, 100, 60000, "500", "ms",
     "How old the oldest event may get before the aggregator writes a segment."},
    {"demo", SETTING_FLAG, USER_COLLECTOR | USER_WEB | USER_UP, 0, 1, "no", "",
     "Add a demonstration site with three months of generated traffic, and serve its shop."},
};

#define N_SETTINGS (sizeof table / sizeof table[0])

struct settings {
    char *values[N_SETTINGS]; /* owned; NULL = the default */
};

const struct setting *
setting_table(size_t *n)
{
    *n = N_SETTINGS;
    return table;
}

static const struct setting *
find(struct slice name)
{
    for (size_t i = 0; i < N_SETTINGS; i++)
        if (slice_is(name, table[i].name))
            return &table[i];
    return NULL;
}

struct settings *
settings_create(void)
{
    return mem_zalloc(sizeof(struct settings));
}

void
settings_destroy(struct settings **s)
{
    if (*s == NULL)
        return;
    for (size_t i = 0; i < N_SETTINGS; i++)
        free((*s)->values[i]);
    free(*s);
    *s = NULL;
}

static bool
is_yes(const char *value)
{
    return strcmp(value, "yes") == 0 || strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
}

static bool
is_no(const char *value)
{
    return strcmp(value, "no") == 0 || strcmp(value, "false") == 0 || strcmp(value, "0") == 0;
}

static enum err_code
check_value(const struct setting *k, const char *value, struct err *err)
{
    int64_t v = (int64_t)strlen(value);

    if (k->type == SETTING_FLAG)
        return is_yes(value) || is_no(value)
                   ? ERR_OK
                   : err_set(err, ERR_USAGE, k->name, "%s: give yes or no", k->name);
    if (k->type == SETTING_INTEGER && !slice_to_int64(slice_from(value), &v))
        return err_set(err, ERR_USAGE, k->name, "%s: not a whole number: \"%.60s\"", k->name,
                       value);
    if (v < k->minimum || v > k->maximum)
        return err_set(err, ERR_USAGE, k->name,
                       k->type == SETTING_INTEGER ? "%s: must be %lld to %lld"
                                                  : "%s: must be %lld to %lld characters long",
                       k->name, (long long)k->minimum, (long long)k->maximum);
    return ERR_OK;
}

static enum err_code
assign(struct settings *s, const struct setting *k, const char *value, struct err *err)
{
    enum err_code rc = check_value(k, value, err);

    if (rc != ERR_OK)
        return rc;
    free(s->values[k - table]);
    s->values[k - table] = mem_cstr(slice_from(value));
    return ERR_OK;
}

enum err_code
settings_set(struct settings *s, const char *name, const char *value, struct err *err)
{
    const struct setting *k = find(slice_from(name));

    if (k == NULL)
        return err_set(err, ERR_USAGE, name, "no setting named %s", name);
    return assign(s, k, value, err);
}

static enum err_code
read_environment(struct settings *s, struct err *err)
{
    for (size_t i = 0; i < N_SETTINGS; i++) {
        char name[64] = "CORONG_";
        const char *value;
        size_t n = strlen(name);

        for (const char *p = table[i].name; *p != '\0'; p++)
            name[n++] = *p == '-' ? '_' : (char)(*p - 32);
        name[n] = '\0';
        value = getenv(name);
        if (value != NULL && assign(s, &table[i], value, err) != ERR_OK)
            return ERR_USAGE;
    }
    return ERR_OK;
}

static enum err_code
read_line(struct settings *s, struct slice line, const char *path, int number, struct err *err)
{
    const struct setting *k;
    struct slice name;
    struct slice value;
    char text[1024];

    line = slice_trim(line);
    if (line.n == 0 || line.p[0] == '#')
        return ERR_OK;
    if (!slice_cut(line, '=', &name, &value))
        return err_set(err, ERR_USAGE, NULL, "%s line %d: not `name = value`", path, number);
    k = find(slice_trim(name));
    if (k == NULL)
        return err_set(err, ERR_USAGE, NULL, "%s line %d: no setting named %.*s", path, number,
                       SLICE_ARG(slice_trim(name)));
    if (!slice_to_cstr(slice_trim(value), text, sizeof text))
        return err_set(err, ERR_USAGE, k->name, "%s line %d: too long", path, number);
    return assign(s, k, text, err);
}

static enum err_code
read_file(struct settings *s, const char *path, struct err *err)
{
    struct buffer bytes;
    struct slice rest;
    struct slice line;
    enum err_code rc = file_read(path, FILE_BYTES, &bytes, err);
    int number = 0;

    if (rc != ERR_OK)
        return err ? (err->code = ERR_USAGE) : ERR_USAGE;
    rest = buffer_slice(&bytes);
    while (rc == ERR_OK && rest.n > 0) {
        slice_cut(rest, '\n', &line, &rest);
        rc = read_line(s, line, path, ++number, err);
    }
    buffer_fini(&bytes);
    return rc;
}

/* One flag of the command line: "--name=value", "--name value", "--name". */
struct flag {
    struct slice name; /* without the dashes */
    bool has_value;
    const char *value;
};

static struct flag
take_flag(char *word)
{
    char *equals = strchr(word, '=');
    struct flag f = {.name = slice_from(word + 2)};

    if (equals != NULL) {
        f.name = slice_of(word + 2, (size_t)(equals - word - 2));
        f.has_value = true;
        f.value = equals + 1;
    }
    return f;
}

/* Is it a flag of the command's own; does it want a value? */
static bool
is_own(const char *const *own, struct slice name, bool *wants_value)
{
    for (; own != NULL && *own != NULL; own++) {
        struct slice o = slice_sub(slice_from(*own), 2, SIZE_MAX);

        *wants_value = slice_ends_with(o, SLICE("="));
        if (slice_equal(*wants_value ? slice_sub(o, 0, o.n - 1) : o, name))
            return true;
    }
    *wants_value = false;
    return slice_is(name, "help");
}

/* "--from X" becomes "--from=X", kept for the life of the process. */
static char *
join_flag(const char *word, const char *value)
{
    struct buffer b = BUFFER_EMPTY;

    buffer_printf(&b, "%s=%s", word, value);
    buffer_add_char(&b, '\0');
    return b.p;
}

struct command_line {
    unsigned users;
    int argc;
    char **argv;
    const char *const *own;
    int at;   /* next word to look at */
    int kept; /* words kept so far */
};

static enum err_code
read_flag(struct settings *s, struct command_line *line, struct err *err)
{
    char *word = line->argv[line->at];
    struct flag f = take_flag(word);
    const struct setting *k = find(f.name);
    bool wants_value;
    bool own = is_own(line->own, f.name, &wants_value);

    if (!own && (k == NULL || (k->users & line->users) == 0))
        return err_set(err, ERR_USAGE, NULL, "unknown flag --%.*s", SLICE_ARG(f.name));
    if (!own)
        wants_value = k->type != SETTING_FLAG;
    if (wants_value && !f.has_value) {
        if (line->at + 1 >= line->argc)
            return err_set(err, ERR_USAGE, NULL, "--%.*s wants a value", SLICE_ARG(f.name));
        f.value = line->argv[++line->at];
        if (own)
            word = join_flag(word, f.value);
    }
    if (own && !wants_value && f.has_value)
        return err_set(err, ERR_USAGE, NULL, "--%.*s takes no value", SLICE_ARG(f.name));
    line->at++;
    if (own) {
        line->argv[line->kept++] = word;
        return ERR_OK;
    }
    return assign(s, k, f.value ? f.value : "yes", err);
}

static const char *
find_config(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--config=", 9) == 0)
            return argv[i] + 9;
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            return argv[i + 1];
    }
    return getenv("CORONG_CONFIG");
}

enum err_code
settings_read(struct settings *s, unsigned users, int argc, char **argv, const char *const *own,
              int *out_n, struct err *err)
{
    struct command_line line = {
        .users = users, .argc = argc, .argv = argv, .own = own, .at = 1, .kept = 1};
    const char *config = find_config(argc, argv);
    bool only_words = false;
    enum err_code rc = ERR_OK;

    if (config != NULL && config[0] != '\0')
        rc = read_file(s, config, err);
    if (rc == ERR_OK)
        rc = read_environment(s, err);
    while (rc == ERR_OK && line.at < argc) {
        char *word = argv[line.at];

        if (only_words || strcmp(word, "-h") == 0 || strncmp(word, "-", 1) != 0 ||
            strcmp(word, "-") == 0) {
            argv[line.kept++] = word;
            line.at++;
        } else if (strcmp(word, "--") == 0) {
            only_words = true; /* kept, as it tells the caller the same */
            argv[line.kept++] = word;
            line.at++;
        } else if (strncmp(word, "--", 2) == 0) {
            rc = read_flag(s, &line, err);
        } else {
            rc = err_set(err, ERR_USAGE, NULL, "unknown flag %s", word);
        }
    }
    *out_n = line.kept;
    return rc;
}

static size_t
index_of(const char *name)
{
    const struct setting *k = find(slice_from(name));

    if (k == NULL) /* a misspelt name in our own code */
        abort();
    return (size_t)(k - table);
}

const char *
settings_text(const struct settings *s, const char *name)
{
    size_t i = index_of(name);

    return s->values[i] ? s->values[i] : table[i].initial;
}

int64_t
settings_integer(const struct settings *s, const char *name)
{
    int64_t v = 0;

    slice_to_int64(slice_from(settings_text(s, name)), &v);
    return v;
}

bool
settings_flag(const struct settings *s, const char *name)
{
    return is_yes(settings_text(s, name));
}

bool
settings_is_given(const struct settings *s, const char *name)
{
    return s->values[index_of(name)] != NULL;
}

void
setting_print_help(FILE *out, unsigned users)
{
    for (size_t i = 0; i < N_SETTINGS; i++) {
        const struct setting *k = &table[i];
        int n;

        if ((k->users & users) == 0)
            continue;
        n = fprintf(out, "  --%s%s%s", k->name, k->type == SETTING_FLAG ? "" : " ",
                    k->type == SETTING_FLAG ? ""
                    : k->unit[0]            ? k->unit
                                            : (k->type == SETTING_INTEGER ? "N" : "TEXT"));
        fprintf(out, "%*s%s", n < 32 ? 32 - n : 1, "", k->text);
        if (k->type == SETTING_INTEGER)
            fprintf(out, " %lld to %lld, default %s.", (long long)k->minimum, (long long)k->maximum,
                    k->initial);
        else if (k->type == SETTING_TEXT && k->initial[0] != '\0')
            fprintf(out, " Default: %s.", k->initial);
        fputc('\n', out);
    }
}

void
setting_print_markdown(FILE *out)
{
    static const struct {
        unsigned user;
        const char *name;
    } users[] = {{USER_UP, "up"},
                 {USER_COLLECTOR, "collector"},
                 {USER_AGGREGATOR, "aggregator"},
                 {USER_WEB, "web"},
                 {USER_DATA, "commands"}};

    fputs("| setting | default | range | unit | read by | what it does |\n", out);
    fputs("|---|---|---|---|---|---|\n", out);
    for (size_t i = 0; i < N_SETTINGS; i++) {
        const struct setting *k = &table[i];
        const char *comma = "";

        fprintf(out, "| `%s` | %s | ", k->name, k->initial);
        if (k->type == SETTING_INTEGER)
            fprintf(out, "%lld to %lld", (long long)k->minimum, (long long)k->maximum);
        else if (k->type == SETTING_FLAG)
            fputs("yes, no", out);
        fprintf(out, " | %s | ", k->unit);
        for (size_t u = 0; u < sizeof users / sizeof users[0]; u++) {
            if (k->users & users[u].user) {
                fprintf(out, "%s%s", comma, users[u].name);
                comma = ", ";
            }
        }
        fprintf(out, " | %s |\n", k->text);
    }
}
