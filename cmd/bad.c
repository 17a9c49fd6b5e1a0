/* corong bad: stream entries that could not be read, and reading them again. */
#include "aggregator/bad_entry.h"

#include "cmd/cmd.h"
#include "core/timestamp.h"

typedef unsigned long long ull;

static void
add_entry(struct buffer *b, const struct bad_entry *e, bool is_json, bool is_first)
{
    char id[STREAM_ID_TEXT_MAX];
    char when[TIMESTAMP_TEXT_MAX];

    stream_id_format(e->id, id);
    timestamp_format((int64_t)e->id.ms, false, when);
    if (!is_json) {
        buffer_printf(b, "%s  %s  %llu bytes, %u records unreadable, %u readable  %.*s\n", when, id,
                      (ull)e->n_bytes, e->n_bad, e->n_events,
                      SLICE_ARG(e->n_bad != 0 ? e->reason : SLICE("replay it")));
        return;
    }
    buffer_printf(b,
                  "%s{\"id\":\"%s\",\"time\":\"%s\",\"bytes\":%llu,\"events\":%u,\"bad\":%u,"
                  "\"reason\":",
                  is_first ? "" : ",\n", id, when, (ull)e->n_bytes, e->n_events, e->n_bad);
    buffer_add_json(b, e->reason);
    buffer_add_char(b, '}');
}

static int
list(struct cmd *c, const struct store *s, struct err *err)
{
    bool is_json = cmd_flag(c, "--json");
    struct buffer out = BUFFER_EMPTY;
    struct bad_entry *entries = NULL;
    size_t n = 0;
    int status;

    if (bad_entry_list(s, &c->arena, &entries, &n, err) != ERR_OK)
        return cmd_fail(err);
    buffer_add_text(&out, is_json ? "[" : "");
    for (size_t i = 0; i < n; i++)
        add_entry(&out, &entries[i], is_json, i == 0);
    buffer_add_text(&out, is_json ? "]\n" : "");
    status = cmd_print(buffer_slice(&out));
    buffer_fini(&out);
    return status;
}

static int
replay(struct cmd *c, const struct store *s, struct err *err)
{
    struct bad_entry_replay r;

    if (bad_entry_replay(s, &r, err) != ERR_OK)
        return cmd_fail(err);
    if (cmd_flag(c, "--json"))
        printf("{\"entries\":%llu,\"events\":%llu,\"left\":%llu}\n", (ull)r.n_entries,
               (ull)r.n_events, (ull)r.n_left);
    else
        printf(
            "%llu entries read whole, %llu events (repeats are dropped); %llu entries are left\n",
            (ull)r.n_entries, (ull)r.n_events, (ull)r.n_left);
    return CMD_DONE;
}

int
cmd_bad(struct cmd *c)
{
    bool is_list = cmd_is(c, 0, "list", 1);
    struct err err = ERR_NONE;
    struct store store;

    if (!is_list && !cmd_is(c, 0, "replay", 1))
        return cmd_usage(c);
    if (store_open(settings_text(c->settings, "data"), false, &store, &err) != ERR_OK)
        return cmd_fail(&err);
    return is_list ? list(c, &store, &err) : replay(c, &store, &err);
}
