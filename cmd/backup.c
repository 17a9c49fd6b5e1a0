/* corong backup, corong restore: a copy of everything, and a data folder made of it. */
#include "aggregator/backup.h"

#include "cmd/cmd.h"

typedef unsigned long long ull;

static int
tell_backup(const char *dir, const struct backup_result *r, bool has_stream)
{
    printf("%s: %llu segments, %llu of them new (%llu bytes)", dir, (ull)r->n_segments,
           (ull)r->n_new, (ull)r->n_bytes);
    if (has_stream)
        printf(", %llu entries of the stream\n", (ull)r->n_entries);
    else
        printf(", without the stream\n");
    return CMD_DONE;
}

int
cmd_backup(struct cmd *c)
{
    bool has_stream = !cmd_flag(c, "--without-stream");
    struct backup_source source = {.store = NULL};
    struct stream_address redis;
    struct backup_result result;
    char spool[FILE_PATH_MAX];
    struct store store;
    struct err err = ERR_NONE;
    enum err_code rc;

    if (c->n_words != 1)
        return cmd_usage(c);
    rc = store_open(settings_text(c->settings, "data"), false, &store, &err);
    if (rc == ERR_OK && has_stream)
        rc = cmd_redis(c, &redis, &err);
    if (rc != ERR_OK)
        return cmd_fail(&err);
    store_path(&store, "spool", spool);
    if (settings_text(c->settings, "spool")[0] != '\0')
        slice_to_cstr(slice_from(settings_text(c->settings, "spool")), spool, sizeof spool);
    source = (struct backup_source){&store, has_stream ? &redis : NULL, spool};
    rc = backup_run(&source, c->words[0], &result, &err);
    if (rc == ERR_UNAVAILABLE && has_stream)
        fputs("corong: nothing was backed up: what waits in Redis would be missing. Start it "
              "(corong up), or use --without-stream.\n",
              stderr);
    return rc == ERR_OK ? tell_backup(c->words[0], &result, has_stream) : cmd_fail(&err);
}

static void
on_problem(const char *problem, void *context)
{
    (void)context;
    fprintf(stderr, "problem  %s\n", problem);
}

int
cmd_restore(struct cmd *c)
{
    const char *data = settings_text(c->settings, "data");
    struct restore_result r;
    struct err err = ERR_NONE;

    if (c->n_words != 1)
        return cmd_usage(c);
    if (restore_run(&(struct restore_from){c->words[0], cmd_value(c, "--erased")}, data, on_problem,
                    NULL, &r, &err) != ERR_OK)
        return cmd_fail(&err);
    printf("%s: %llu segments, %llu events from the stream\n", data, (ull)r.n_segments,
           (ull)r.n_events);
    if (r.n_bad != 0)
        printf("%llu entries cannot be read by this Corong: see `corong bad list`\n", (ull)r.n_bad);
    return CMD_DONE;
}
