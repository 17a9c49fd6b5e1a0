#include "cmd/supervise.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"

#define EXIT_NO_PROGRAM 127 /* as shells say it */

void
supervise_add(struct supervisor *s, const char *name, char *const *argv)
{
    assert(s->n < SUPERVISE_MAX);
    s->children[s->n++] =
        (struct child){.name = name, .argv = argv, .backoff_ms = SUPERVISE_BACKOFF_MS};
}

/* In the new process: only calls that are safe between fork and exec. Signals are still blocked, so
 * that one meant for the program that this becomes does not end in the handler of the old one. */
static void
become(const struct child *c, pid_t parent, const sigset_t *mask)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) /* it ended before the line above */
        _exit(1);
    sigaction(SIGINT, &plain, NULL);
    sigaction(SIGTERM, &plain, NULL);
    sigprocmask(SIG_SETMASK, mask, NULL);
    execvp(c->argv[0], c->argv);
    _exit(EXIT_NO_PROGRAM);
}

enum err_code
supervise_start(struct supervisor *s, int i, struct err *err)
{
    struct child *c = &s->children[i];
    pid_t parent = getpid();
    sigset_t all, mask;
    pid_t pid;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &mask);
    pid = fork();
    if (pid == 0)
        become(c, parent, &mask);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    if (pid < 0)
        return err_errno(err, "cannot start %s", c->name);
    c->pid = pid;
    c->started_ms = clock_steady_ms();
    return ERR_OK;
}

static void
say_end(const struct child *c, int status)
{
    if (WIFSIGNALED(status))
        log_warn("%s (%d) was ended by signal %d; starting it again in %d ms", c->name, (int)c->pid,
                 WTERMSIG(status), c->backoff_ms);
    else
        log_warn("%s (%d) ended with exit code %d; starting it again in %d ms", c->name,
                 (int)c->pid, WEXITSTATUS(status), c->backoff_ms);
}

static void
take_in(struct child *c, int status)
{
    int64_t now = clock_steady_ms();

    if (now - c->started_ms >= SUPERVISE_STEADY_MS)
        c->backoff_ms = SUPERVISE_BACKOFF_MS;
    say_end(c, status);
    c->is_missing = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NO_PROGRAM;
    c->pid = 0;
    c->n_restarts++;
    c->start_at_ms = now + c->backoff_ms;
    c->backoff_ms *= 2;
    if (c->backoff_ms > SUPERVISE_SLOWEST_MS)
        c->backoff_ms = SUPERVISE_SLOWEST_MS;
}

bool
supervise_tick(struct supervisor *s)
{
    bool has_changed = false;

    for (int i = 0; i < s->n; i++) {
        struct child *c = &s->children[i];
        struct err err = ERR_NONE;
        int status;

        if (c->pid != 0 && waitpid(c->pid, &status, WNOHANG) == c->pid)
            take_in(c, status);
        if (c->pid != 0 || c->start_at_ms == 0 || clock_steady_ms() < c->start_at_ms)
            continue;
        if (supervise_start(s, i, &err) == ERR_OK)
            has_changed = true;
        else
            log_error("%s", err.message);
    }
    return has_changed;
}

void
supervise_end(struct supervisor *s, int i, int64_t wait_ms)
{
    struct child *c = &s->children[i];
    int64_t until = clock_steady_ms() + wait_ms;
    int status;

    c->start_at_ms = 0;
    if (c->pid == 0)
        return;
    kill(c->pid, SIGTERM);
    while (waitpid(c->pid, &status, WNOHANG) == 0) {
        if (clock_steady_ms() > until) {
            log_warn("%s does not end by itself within %lld ms", c->name, (long long)wait_ms);
            kill(c->pid, SIGKILL);
            waitpid(c->pid, &status, 0);
            break;
        }
        clock_sleep_ms(20);
    }
    c->pid = 0;
}
