/* See crew.h. */
#include "aggregator/crew.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/log.h"

struct member {
    pthread_t thread;
    bool is_started;
    crew_work work;
    void *context;
    size_t number;
};

/* Linux's nice value is a thread's. */
static void
lower_priority(void)
{
    id_t thread = (id_t)gettid();

    if (getpriority(PRIO_PROCESS, thread) < CREW_NICE &&
        setpriority(PRIO_PROCESS, thread, CREW_NICE) != 0)
        log_debug("a query at normal priority");
}

static void *
run_member(void *context)
{
    struct member *m = context;

    lower_priority();
    m->work(m->context, m->number);
    return NULL;
}

size_t
crew_size(void)
{
    cpu_set_t set;
    int n;

    CPU_ZERO(&set);
    n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return n < 1 ? 1 : n > CREW_MAX ? CREW_MAX : (size_t)n;
}

void
crew_run(size_t n, crew_work work, void *context)
{
    struct member members[CREW_MAX];
    sigset_t all, before;

    assert(n > 0 && n <= CREW_MAX);
    if (n == 1) {
        work(context, 0);
        return;
    }
    sigfillset(&all); /* signals are for the threads that expect them */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (size_t i = 0; i < n; i++) {
        members[i] = (struct member){.work = work, .context = context, .number = i};
        members[i].is_started =
            pthread_create(&members[i].thread, NULL, run_member, &members[i]) == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    for (size_t i = 0; i < n; i++)
        if (!members[i].is_started)
            work(context, i);
    for (size_t i = 0; i < n; i++)
        if (members[i].is_started)
            pthread_join(members[i].thread, NULL);
}
