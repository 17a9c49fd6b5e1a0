/* corong funnel run|put|list|show|versions|restore|remove */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aggregator/query.h"
#include "aggregator/saved_funnel.h"
#include "aggregator/site.h"
#include "cmd/cmd.h"
#include "cmd/query_flags.h"
#include "cmd/table.h"
#include "core/file.h"

struct session {
    struct cmd *c;
    struct store store;
    struct settings_db *db;
    struct site site;
};

/* ---- where a definition comes from ---- */

static enum err_code
read_input(struct buffer *out, struct err *err)
{
    char chunk[65536];
    size_t n;

    while ((n = fread(chunk, 1, sizeof chunk, stdin)) > 0) {
        if (out->n + n > SAVED_FUNNEL_DEFINITION_MAX)
            return err_set(err, ERR_LIMIT, NULL, "a definition is at most 1 MiB");
        buffer_add(out, chunk, n);
    }
    return ferror(stdin) ? err_errno(err, "cannot read standard input") : ERR_OK;
}

static enum err_code
read_definition(struct session *s, struct slice file, struct slice *out, struct err *err)
{
    struct buffer bytes = BUFFER_EMPTY;
    enum err_code rc = slice_is(file, "-")
                           ? read_input(&bytes, err)
                           : file_read(file.p, SAVED_FUNNEL_DEFINITION_MAX, &bytes, err);

    if (rc == ERR_OK)
        *out = arena_copy(&s->c->arena, buffer_slice(&bytes));
    buffer_fini(&bytes);
    return rc;
}

/* FUNNEL.json|NAME: what looks like a file is one; else a saved funnel, else a file after all. The
 * JSON itself may stand there too. */
static enum err_code
find_definition(struct session *s, struct slice word, struct slice *out, struct err *err)
{
    bool is_json = slice_starts_with(word, SLICE("{"));
    bool looks_like_file = slice_ends_with(word, SLICE(".json")) || slice_is(word, "-") ||
                           slice_find(word, '/', 0) < word.n;
    struct saved_funnel saved;
    enum err_code rc;

    if (is_json) {
        *out = word;
        return ERR_OK;
    }
    if (looks_like_file)
        return read_definition(s, word, out, err);
    rc = saved_funnel_get(s->db, s->site.id, word, &s->c->arena, &saved, err);
    if (rc == ERR_NOT_FOUND && file_exists(word.p))
        return read_definition(s, word, out, err);
    if (rc == ERR_OK)
        *out = saved.definition;
    return rc;
}

/* ---- run ---- */

static void
add_answer(struct buffer *out, const struct cmd *c, const struct report *r,
           const struct report_list *list)
{
    if (cmd_flag(c, "--json")) {
        buffer_add_char(out, '{');
        report_add_members(out, r);
        if (list != NULL) {
            buffer_add_char(out, ',');
            report_add_list(out, list, r->funnel);
        }
        buffer_add_text(out, "}\n");
    } else if (list != NULL) {
        table_add_list(out, list, r->funnel);
    } else {
        table_add_report(out, r);
    }
}

static int
print_answer(struct session *s, const struct query_answer *answer)
{
    struct buffer out = BUFFER_EMPTY;
    const struct report *r = &answer->reports[0];
    int status;

    add_answer(&out, s->c, r, cmd_value(s->c, "--visitors") != NULL ? &answer->list : NULL);
    for (size_t i = 0; i < r->about.n_warnings; i++)
        fprintf(stderr, "corong: warning: %.*s\n", SLICE_ARG(r->about.warnings[i].message));
    status = cmd_print(buffer_slice(&out));
    buffer_fini(&out);
    return status;
}

/* A command has the limits that it was given, and no others: it stands in nobody's way. */
static struct query_limits
limits_of(const struct settings *s)
{
    struct query_limits limits = {0, 0};

    if (settings_is_given(s, "query-time"))
        limits.time_ms = settings_integer(s, "query-time");
    if (settings_is_given(s, "query-memory"))
        limits.bytes = (size_t)settings_integer(s, "query-memory") << 20;
    return limits;
}

static int
run_query(struct session *s, const struct funnel *f, const struct request *r, struct err *err)
{
    struct query_funnel q = {.site = s->site.id,
                             .funnel = f,
                             .request = r,
                             .presets = {f->preset},
                             .n_presets = 1,
                             .want_paths = cmd_flag(s->c, "--paths")};
    const char *visitors = cmd_value(s->c, "--visitors");
    struct query_limits limits = limits_of(s->c->settings);
    struct query_guard guard;
    struct figure_place figure;
    struct snapshot_pool *pool = NULL;
    struct query_answer answer;
    int status = CMD_FAILED;

    if (visitors != NULL) {
        if (figure_parse(slice_from(visitors), f->n_stages, &figure, err) != ERR_OK)
            return cmd_fail(err);
        q.figure = &figure;
    }
    query_guard_init(&guard, &limits);
    q.guard = &guard;
    if (snapshot_pool_open(&s->store, &pool, err) == ERR_OK &&
        query_funnel(pool, &q, &answer, err) == ERR_OK) {
        status = print_answer(s, &answer);
        query_answer_fini(&answer);
    } else {
        cmd_fail(err);
    }
    snapshot_pool_close(&pool);
    return status;
}

static int
run(struct session *s, struct err *err)
{
    struct request request;
    struct funnel *funnel = NULL;
    struct slice definition;
    int status;

    request_init(&request);
    request.is_report = true;
    if (query_flags_read(s->c, &request, s->site.timezone, err) == ERR_OK &&
        find_definition(s, cmd_word(s->c, 2), &definition, err) == ERR_OK &&
        funnel_parse(definition, &funnel, err) == ERR_OK)
        status = run_query(s, funnel, &request, err);
    else
        status = cmd_fail(err);
    funnel_destroy(&funnel);
    request_fini(&request);
    return status;
}

/* ---- keeping definitions ---- */

static enum err_code
save(struct session *s, struct slice name, struct slice definition, struct slice note,
     struct err *err)
{
    struct saved_funnel_wish wish = {.site = s->site.id,
                                     .name = name,
                                     .definition = definition,
                                     .note = note,
                                     .based_on = SAVED_FUNNEL_ANY};

    return saved_funnel_save(s->db, &wish, err);
}

static struct slice
given_note(const struct session *s)
{
    const char *note = cmd_value(s->c, "--note");

    return note != NULL ? slice_from(note) : SLICE_EMPTY;
}

static int
put(struct session *s, struct err *err)
{
    struct slice definition;

    if (read_definition(s, cmd_word(s->c, 3), &definition, err) == ERR_OK &&
        save(s, cmd_word(s->c, 2), definition, given_note(s), err) == ERR_OK)
        return CMD_DONE;
    return cmd_fail(err);
}

/* *out is 0 where no --version is given. */
static enum err_code
read_version(const struct session *s, int64_t *out, struct err *err)
{
    const char *text = cmd_value(s->c, "--version");
    uint64_t number = 0;

    if (text != NULL &&
        (!slice_to_uint64(slice_from(text), &number) || number == 0 || number > INT32_MAX))
        return err_set(err, ERR_USAGE, "--version", "must be the number of a version");
    *out = (int64_t)number;
    return ERR_OK;
}

/* The funnel of the third word, as it is or as its --version was. */
static enum err_code
find_saved(struct session *s, struct saved_funnel *out, struct err *err)
{
    struct slice name = cmd_word(s->c, 2);
    int64_t version = 0;
    enum err_code rc = read_version(s, &version, err);

    if (rc != ERR_OK)
        return rc;
    if (version == 0)
        return saved_funnel_get(s->db, s->site.id, name, &s->c->arena, out, err);
    return saved_funnel_version(s->db, s->site.id, name, version, &s->c->arena, out, err);
}

static int
list(struct session *s, struct err *err)
{
    struct saved_funnel *funnels;
    struct buffer out = BUFFER_EMPTY;
    bool is_json = cmd_flag(s->c, "--json");
    char when[TIMESTAMP_TEXT_MAX];
    size_t n;
    int status;

    if (saved_funnel_list(s->db, s->site.id, &s->c->arena, &funnels, &n, err) != ERR_OK)
        return cmd_fail(err);
    buffer_add_text(&out, is_json ? "[" : "");
    for (size_t i = 0; i < n; i++) {
        timestamp_format(funnels[i].updated_ms, true, when);
        if (!is_json) {
            buffer_printf(&out, "%-40.*s edited %s\n", SLICE_ARG(funnels[i].name), when);
            continue;
        }
        buffer_add_text(&out, i > 0 ? ",{\"name\":" : "{\"name\":");
        buffer_add_json(&out, funnels[i].name);
        buffer_printf(&out, ",\"updated\":\"%s\",\"definition\":%.*s}", when,
                      SLICE_ARG(funnels[i].definition));
    }
    buffer_add_text(&out, is_json ? "]\n" : "");
    status = cmd_print(buffer_slice(&out));
    buffer_fini(&out);
    return status;
}

static int
show(struct session *s, struct err *err)
{
    struct saved_funnel f;

    if (find_saved(s, &f, err) != ERR_OK)
        return cmd_fail(err);
    printf("%.*s\n", SLICE_ARG(f.definition));
    return CMD_DONE;
}

static void
add_version(struct buffer *out, const struct saved_funnel *v, bool is_json)
{
    char when[TIMESTAMP_TEXT_MAX];

    timestamp_format(v->updated_ms, true, when);
    if (!is_json) {
        struct slice author = v->author.n != 0 ? v->author : SLICE("(a command)");

        buffer_printf(out, "%4lld  %s  %-30.*s  %.*s\n", (long long)v->version, when,
                      SLICE_ARG(author), SLICE_ARG(v->note));
        return;
    }
    buffer_printf(out, "{\"version\":%lld,\"saved\":\"%s\",\"author\":", (long long)v->version,
                  when);
    buffer_add_json(out, v->author);
    buffer_add_text(out, ",\"note\":");
    buffer_add_json(out, v->note);
    buffer_add_char(out, '}');
}

static int
versions(struct session *s, struct err *err)
{
    struct buffer out = BUFFER_EMPTY;
    bool is_json = cmd_flag(s->c, "--json");
    struct saved_funnel *found;
    size_t n = 0;
    int status;

    if (saved_funnel_versions(s->db, s->site.id, cmd_word(s->c, 2), &s->c->arena, &found, &n,
                              err) != ERR_OK)
        return cmd_fail(err);
    buffer_add_text(&out, is_json ? "[" : "");
    for (size_t i = 0; i < n; i++) {
        buffer_add_text(&out, is_json && i > 0 ? "," : "");
        add_version(&out, &found[i], is_json);
    }
    buffer_add_text(&out, is_json ? "]\n" : "");
    status = cmd_print(buffer_slice(&out));
    buffer_fini(&out);
    return status;
}

static int
restore(struct session *s, struct err *err)
{
    struct slice note = given_note(s);
    struct saved_funnel f;

    if (cmd_value(s->c, "--version") == NULL)
        return cmd_usage(s->c);
    if (find_saved(s, &f, err) != ERR_OK)
        return cmd_fail(err);
    if (note.n == 0)
        note = arena_printf(&s->c->arena, "Version %lld again", (long long)f.version);
    return save(s, f.name, f.definition, note, err) == ERR_OK ? CMD_DONE : cmd_fail(err);
}

static int
remove_saved(struct session *s, struct err *err)
{
    return saved_funnel_remove(s->db, s->site.id, cmd_word(s->c, 2), err) == ERR_OK ? CMD_DONE
                                                                                    : cmd_fail(err);
}

int
cmd_funnel(struct cmd *c)
{
    static const struct {
        const char *word;
        int n_words;
        int (*run)(struct session *s, struct err *err);
    } verbs[] = {{"run", 3, run},
                 {"put", 4, put},
                 {"list", 2, list},
                 {"show", 3, show},
                 {"versions", 3, versions},
                 {"restore", 3, restore},
                 {"remove", 3, remove_saved}};
    struct session s = {.c = c};
    struct err err = ERR_NONE;
    size_t v = 0;
    int status;

    while (v < sizeof verbs / sizeof verbs[0] && !cmd_is(c, 0, verbs[v].word, verbs[v].n_words))
        v++;
    if (v == sizeof verbs / sizeof verbs[0])
        return cmd_usage(c);
    if (store_open(settings_text(c->settings, "data"), false, &s.store, &err) == ERR_OK &&
        settings_db_open(&s.store, &s.db, &err) == ERR_OK &&
        site_find(s.db, cmd_word(c, 1), &c->arena, &s.site, &err) == ERR_OK)
        status = verbs[v].run(&s, &err);
    else
        status = cmd_fail(&err);
    settings_db_close(&s.db);
    return status;
}
