/* The thread that merges, cleans up and forgets the erased, one after the other. */
#include "aggregator/merge.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "aggregator/erase.h"
#include "core/clock.h"
#include "core/log.h"

#define PAUSE_MS       1000  /* between looks at the catalog */
#define CLEAN_MS       20000 /* between clean-ups */
#define POSTPONE_MS    60000 /* after "no space" */
#define ERASE_AGAIN_MS 10000 /* where what waits in Redis, or a reader, was in the way */
#define NICE           10

static bool
is_stopped(const struct merge_options *options)
{
    return options->stop && atomic_load(options->stop);
}

static void
pause_ms(const struct merge_options *options, int64_t ms)
{
    int64_t until = clock_steady_ms() + ms;

    while (!is_stopped(options) && clock_steady_ms() < until)
        clock_sleep_ms(100);
}

static void
raise_alarm(struct catalog *c, const char *code, const struct err *why)
{
    struct err err = ERR_NONE;

    log_error("%s", why->message);
    if (catalog_alarm_raise(c, code, 1, why->message, &err) != ERR_OK)
        log_error("alarm not kept: %s", err.message);
}

static void
merge_once(struct catalog *c, const struct merge_options *options)
{
    struct err err = ERR_NONE;
    enum err_code rc;
    size_t n = 0;

    rc = merge_step(c, options, &n, &err);
    if (rc == ERR_OK && n != 0) {
        log_debug("%zu segments merged", n);
        return; /* the next may be due at once */
    }
    if (rc == ERR_FULL)
        raise_alarm(c, "merge_postponed", &err);
    else if (rc == ERR_CORRUPT)
        raise_alarm(c, "segment_corrupt", &err);
    else if (rc != ERR_OK && rc != ERR_CONFLICT && rc != ERR_UNAVAILABLE)
        log_error("merge: %s", err.message);
    pause_ms(options, rc == ERR_FULL || rc == ERR_CORRUPT ? POSTPONE_MS : PAUSE_MS);
}

/* Every file that holds somebody who was erased, then his traces elsewhere; what fails is tried
 * again at the next time. False: soon. */
static bool
erase_all(struct catalog *c, const struct merge_options *options)
{
    struct merge_options erases = *options;
    struct erase_traces traces = {c, options->settings, options->redis, options->stop};
    bool is_done = true;
    struct err err = ERR_NONE;
    enum err_code rc = ERR_OK;
    size_t n = 1;

    erases.only_erases = true;
    while (rc == ERR_OK && n > 0 && !is_stopped(options))
        rc = merge_step(c, &erases, &n, &err);
    if (rc == ERR_OK && !is_stopped(options))
        rc = erase_traces_if_due(&traces, &is_done, &err);
    if (rc == ERR_FULL)
        raise_alarm(c, "merge_postponed", &err);
    else if (rc != ERR_OK && rc != ERR_CONFLICT && rc != ERR_UNAVAILABLE)
        log_error("erasing: %s", err.message);
    return is_done;
}

void
merge_run(const struct merge_options *given)
{
    struct merge_memory memory = {.n_bad = 0};
    struct merge_options with_memory = *given;
    const struct merge_options *options = &with_memory;
    struct err err = ERR_NONE;
    struct catalog *c = NULL;
    int64_t clean_ms = clock_steady_ms() + CLEAN_MS;
    int64_t erase_ms = clock_steady_ms();

    if (!with_memory.memory)
        with_memory.memory = &memory;
    if (catalog_open(options->store, true, &c, &err) != ERR_OK) {
        log_error("no merging: %s", err.message);
        return;
    }
    /* of this thread alone: Linux's nice value is a thread's */
    if (setpriority(PRIO_PROCESS, (id_t)gettid(), NICE))
        log_debug("merging at normal priority: %s", strerror(errno));
    while (!is_stopped(options)) {
        if (clock_steady_ms() >= erase_ms) {
            bool is_done = erase_all(c, options);

            erase_ms = clock_steady_ms() + (is_done ? MERGE_ERASE_MS : ERASE_AGAIN_MS);
        }
        merge_once(c, options);
        if (clock_steady_ms() < clean_ms)
            continue;
        clean_ms = clock_steady_ms() + CLEAN_MS;
        if (catalog_clean(c, options->store, NULL, &err) != ERR_OK)
            log_warn("clean-up: %s", err.message);
    }
    catalog_close(&c);
}
