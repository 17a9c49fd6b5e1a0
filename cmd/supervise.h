/* Child processes that are kept running: started, restarted with back-off, ended in order.
 *
 * A child gets a process group of its own, so that Ctrl-C reaches only the supervisor, which then
 * ends them one by one; and it ends by itself when the supervisor is gone (PR_SET_PDEATHSIG).
 */
#ifndef CMD_SUPERVISE_H
#define CMD_SUPERVISE_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/err.h"

#define SUPERVISE_MAX        8
#define SUPERVISE_BACKOFF_MS 100 /* before the first restart, doubled for each further one */
#define SUPERVISE_SLOWEST_MS                                                                       \
    3000                          /* and no longer than this: a disk has room again, all goes on   \
                                   */
#define SUPERVISE_STEADY_MS 30000 /* who ran this long starts from the first back-off again */

struct child {
    const char *name;
    char *const *argv; /* argv[0] is the program's path; borrowed */
    pid_t pid;         /* 0: not running */
    int64_t started_ms;
    int64_t start_at_ms; /* when to start it again (steady clock) */
    int backoff_ms;
    int n_restarts;
    bool is_missing; /* there is no such program to run */
};

struct supervisor {
    struct child children[SUPERVISE_MAX];
    int n;
};

void supervise_add(struct supervisor *s, const char *name, char *const *argv);

/* Start child i now. ERR_IO where there can be no new process. */
enum err_code supervise_start(struct supervisor *s, int i, struct err *err);

/* Take in who has ended, start again whose time has come. Call it a few times a second. Returns
 * whether a process id changed. */
bool supervise_tick(struct supervisor *s);

/* End child i: SIGTERM, and SIGKILL after wait_ms. */
void supervise_end(struct supervisor *s, int i, int64_t wait_ms);

#endif
