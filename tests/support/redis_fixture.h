/* A redis-server of a test's own: unix socket, temporary folder, ended by its process id.
 *
 *     struct redis_fixture redis;
 *     redis_fixture_start(&redis, REDIS_DURABLE);
 *     ... stream_address_parse(slice_from(redis.socket), &address, &err) ...
 *     redis_fixture_stop(&redis);
 */
#ifndef TESTS_SUPPORT_REDIS_FIXTURE_H
#define TESTS_SUPPORT_REDIS_FIXTURE_H

#include <sys/types.h>

enum redis_fixture_kind {
    REDIS_DURABLE,   /* appendonly yes, appendfsync always, noeviction */
    REDIS_FORGETFUL, /* no AOF */
};

struct redis_fixture {
    enum redis_fixture_kind kind;
    char folder[64];
    char socket[80];
    char password[64]; /* set before start: requirepass */
    int load_delay_us; /* how long it takes over each command of its AOF when it starts */
    pid_t pid;
};

/* Aborts with a line where redis-server cannot be started. Waits until it answers. */
void redis_fixture_start(struct redis_fixture *r, enum redis_fixture_kind kind);

/* SIGKILL and wait; its files stay. */
void redis_fixture_kill(struct redis_fixture *r);

/* Start again over the same folder; wait until it answers, or do not: it may be -LOADING. */
void redis_fixture_restart(struct redis_fixture *r);
void redis_fixture_begin(struct redis_fixture *r);

/* Send commands, one a line ("SET a b\r\n"), over a connection of its own, and wait for as many
 * answers. Aborts on an error reply. */
void redis_fixture_tell(const struct redis_fixture *r, const char *commands);

/* SIGSTOP, SIGCONT: a server that is there and does not answer. */
void redis_fixture_pause(struct redis_fixture *r);
void redis_fixture_resume(struct redis_fixture *r);

/* Kill it where it runs and remove the folder. */
void redis_fixture_stop(struct redis_fixture *r);

#endif
