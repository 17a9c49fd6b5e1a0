/* corong aggregator: reads the stream, writes and merges segments. Listens nowhere. */
#include "aggregator/aggregator.h"

#include <sys/resource.h>

#include "cmd/cmd.h"
#include "core/log.h"

/* Behind collector and Redis where they share a machine that is busy: a visitor waits for those,
 * and what they have taken does not run away. */
#define NICE 5

int
cmd_aggregator(struct cmd *c)
{
    struct aggregator_config config = {
        .data_dir = settings_text(c->settings, "data"),
        .flush_ms = (int)settings_integer(c->settings, "flush-age"),
    };
    struct err err = ERR_NONE;

    if (c->n_words != 0)
        return cmd_usage(c);
    if (cmd_redis(c, &config.redis, &err) != ERR_OK)
        return cmd_fail(&err);
    log_set_part("aggregator");
    cmd_catch_signals();
    setpriority(PRIO_PROCESS, 0, NICE); /* merges go further down by themselves */
    if (aggregator_run(&config, &cmd_stop, &err) != ERR_OK)
        return cmd_fail(&err);
    return CMD_DONE;
}
