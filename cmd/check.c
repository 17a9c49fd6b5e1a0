/* corong check: is everything that is stored what was written? */
#include "aggregator/check.h"
#include "aggregator/repair.h"

#include "cmd/cmd.h"
#include "core/buffer.h"

struct findings {
    struct buffer json;
    bool wants_json;
    bool is_first;
    bool is_catalog_bad;
};

static void
on_finding(const struct check_finding *f, void *context)
{
    struct findings *all = context;

    all->is_catalog_bad |= f->is_problem && slice_is(f->where, "catalog.db");
    if (!all->wants_json) {
        fprintf(f->is_problem ? stderr : stdout, "%s  %.*s: %.*s\n",
                f->is_problem ? "problem" : "note   ", SLICE_ARG(f->where), SLICE_ARG(f->what));
        return;
    }
    buffer_printf(&all->json, "%s{\"problem\":%s,\"where\":", all->is_first ? "" : ",",
                  f->is_problem ? "true" : "false");
    buffer_add_json(&all->json, f->where);
    buffer_add_text(&all->json, ",\"what\":");
    buffer_add_json(&all->json, f->what);
    buffer_add_char(&all->json, '}');
    all->is_first = false;
}

/* Before everything is checked: what can be repaired is. */
static enum err_code
repair(const struct store *s, struct findings *all, struct err *err)
{
    struct repair_result r;
    enum err_code rc = repair_run(s, on_finding, all, &r, err);

    if (rc == ERR_OK && !all->wants_json)
        printf("repaired: %llu segments are named again, %llu files could not be\n",
               (unsigned long long)r.n_segments, (unsigned long long)r.n_lost);
    return rc;
}

int
cmd_check(struct cmd *c)
{
    struct findings all = {.wants_json = cmd_flag(c, "--json"), .is_first = true};
    struct check_result r;
    struct store store;
    struct err err = ERR_NONE;
    enum err_code rc;

    if (c->n_words != 0)
        return cmd_usage(c);
    rc = store_open(settings_text(c->settings, "data"), false, &store, &err);
    if (rc == ERR_OK && cmd_flag(c, "--repair"))
        rc = repair(&store, &all, &err);
    if (rc == ERR_OK)
        rc = check_run(&store, on_finding, &all, &r, &err);
    if (rc == ERR_OK && all.wants_json)
        printf("{\"segments\":%llu,\"events\":%llu,\"bytes\":%llu,\"problems\":%llu,\"findings\":["
               "%.*s]}\n",
               (unsigned long long)r.n_segments, (unsigned long long)r.n_rows,
               (unsigned long long)r.n_bytes, (unsigned long long)r.n_problems,
               SLICE_ARG(buffer_slice(&all.json)));
    else if (rc == ERR_OK)
        printf("%llu segments, %llu events, %llu bytes: %llu problems\n",
               (unsigned long long)r.n_segments, (unsigned long long)r.n_rows,
               (unsigned long long)r.n_bytes, (unsigned long long)r.n_problems);
    buffer_fini(&all.json);
    if (rc == ERR_OK && all.is_catalog_bad)
        fputs("corong: the catalog can be made anew from the segments: stop Corong, then run "
              "`corong check --repair`\n",
              stderr);
    if (rc != ERR_OK)
        return cmd_fail(&err);
    return r.n_problems == 0 ? CMD_DONE : CMD_FAILED;
}
