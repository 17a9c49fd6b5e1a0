#include "web/api/stack.h"

#include <pthread.h>
#include <stddef.h>

struct job {
    void (*run)(void *context);
    void *context;
};

static void *
start(void *pointer)
{
    struct job *job = pointer;

    job->run(job->context);
    return NULL;
}

bool
stack_run(void (*run)(void *context), void *context)
{
    struct job job = {run, context};
    pthread_attr_t attributes;
    pthread_t thread;
    int failed;

    pthread_attr_init(&attributes);
    failed = pthread_attr_setstacksize(&attributes, STACK_BYTES);
    if (failed == 0)
        failed = pthread_create(&thread, &attributes, start, &job);
    pthread_attr_destroy(&attributes);
    if (failed != 0)
        return false;
    pthread_join(thread, NULL);
    return true;
}
