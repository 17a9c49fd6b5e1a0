#include "tests/support/redis_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "tests/support/patience.h"

static void
fail(const char *what)
{
    fprintf(stderr, "redis_fixture: %s: %s\n", what, strerror(errno));
    abort();
}

/* In the child: become redis-server, and end with the test however it ends. */
static void
become_redis(const struct redis_fixture *r)
{
    const char *arguments[40] = {"redis-server",
                                 "--port",
                                 "0",
                                 "--unixsocket",
                                 r->socket,
                                 "--dir",
                                 r->folder,
                                 "--save",
                                 "",
                                 "--appendonly",
                                 r->kind == REDIS_DURABLE ? "yes" : "no",
                                 "--appendfsync",
                                 "always",
                                 "--maxmemory",
                                 "64mb",
                                 "--maxmemory-policy",
                                 "noeviction",
                                 "--logfile",
                                 "redis.log"};
    char delay[16];
    int n = 0, nowhere;

    while (arguments[n])
        n++;
    if (r->password[0]) {
        arguments[n++] = "--requirepass";
        arguments[n++] = r->password;
    }
    if (r->load_delay_us != 0) {
        snprintf(delay, sizeof delay, "%d", r->load_delay_us);
        arguments[n++] = "--key-load-delay";
        arguments[n++] = delay;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    nowhere = open("/dev/null", O_RDWR);
    dup2(nowhere, 0);
    dup2(nowhere, 1);
    execvp(arguments[0], (char **)(void *)arguments);
    fprintf(stderr, "redis_fixture: no redis-server in PATH\n");
    _exit(127);
}

/* -1: nobody listens. */
static int
connect_to(const struct redis_fixture *r)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strncpy(to.sun_path, r->socket, sizeof to.sun_path - 1);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Does it answer PING (or ask for a password)? While it loads its files it says -LOADING. */
static int
answers(const struct redis_fixture *r)
{
    char reply[64] = "";
    int fd = connect_to(r);
    int is_up = 0;

    if (fd >= 0 && write(fd, "PING\r\n", 6) == 6 && read(fd, reply, sizeof reply - 1) > 0)
        is_up = reply[0] == '+' || strncmp(reply, "-NOAUTH", 7) == 0;
    close(fd);
    return is_up;
}

void
redis_fixture_begin(struct redis_fixture *r)
{
    r->pid = fork();
    if (r->pid < 0)
        fail("fork");
    if (r->pid == 0)
        become_redis(r);
}

void
redis_fixture_restart(struct redis_fixture *r)
{
    int64_t deadline = clock_steady_ms() + PATIENCE_MS;

    redis_fixture_begin(r);
    while (!answers(r)) {
        if (clock_steady_ms() > deadline || waitpid(r->pid, NULL, WNOHANG) != 0)
            fail("redis-server does not come up");
        clock_sleep_ms(5);
    }
}

void
redis_fixture_start(struct redis_fixture *r, enum redis_fixture_kind kind)
{
    r->kind = kind;
    snprintf(r->folder, sizeof r->folder, "/tmp/corong-redis-XXXXXX");
    if (!mkdtemp(r->folder))
        fail("mkdtemp");
    snprintf(r->socket, sizeof r->socket, "%s/s", r->folder);
    redis_fixture_restart(r);
}

void
redis_fixture_kill(struct redis_fixture *r)
{
    if (r->pid <= 0)
        return;
    kill(r->pid, SIGKILL);
    waitpid(r->pid, NULL, 0);
    r->pid = 0;
}

static int
count_lines(const char *text, size_t n)
{
    int lines = 0;

    for (size_t i = 0; i < n; i++)
        lines += text[i] == '\n';
    return lines;
}

void
redis_fixture_tell(const struct redis_fixture *r, const char *commands)
{
    size_t n = strlen(commands);
    int fd = connect_to(r), missing = count_lines(commands, n);
    char answer[4096];
    ssize_t got;

    if (fd < 0 || write(fd, commands, n) != (ssize_t)n)
        fail("redis-server does not listen");
    while (missing > 0 && (got = read(fd, answer, sizeof answer)) > 0) {
        if (answer[0] == '-') {
            fprintf(stderr, "redis_fixture: %.*s", (int)got, answer);
            abort();
        }
        missing -= count_lines(answer, (size_t)got);
    }
    close(fd);
}

void
redis_fixture_pause(struct redis_fixture *r)
{
    kill(r->pid, SIGSTOP);
}

void
redis_fixture_resume(struct redis_fixture *r)
{
    kill(r->pid, SIGCONT);
}

static int
remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

void
redis_fixture_stop(struct redis_fixture *r)
{
    redis_fixture_kill(r);
    if (r->folder[0])
        nftw(r->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    r->folder[0] = '\0';
}
