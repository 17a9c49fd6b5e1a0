/* A small HTTP client for the tests: one request, one connection, the reply whole. */
#ifndef TESTS_UNIT_WEB_CLIENT_H
#define TESTS_UNIT_WEB_CLIENT_H

#include <arpa/inet.h>
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENT_TEXT_MAX (1 << 20)

struct client {
    int port;
    char cookie[256];  /* "name=value", sent where it is not "" */
    const char *host;  /* NULL: localhost:<port> */
    const char *extra; /* further "Name: value\r\n" lines, or NULL */
    bool no_corong;    /* leave X-Corong out */
    int status;        /* of the last reply */
    char *head;        /* of the last reply, NUL-ended; lives until the next */
    char *body;
    size_t body_bytes;
    char *text;
};

static inline void
client_fini(struct client *c)
{
    free(c->text);
    c->text = NULL;
}

/* The value of a reply's header, copied to dst; false where there is none. */
static inline bool
client_header(const struct client *c, const char *name, char *dst, size_t size)
{
    size_t n = strlen(name);

    for (const char *line = strstr(c->head, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, n) == 0 && line[n] == ':') {
            const char *value = line + n + 1 + strspn(line + n + 1, " ");

            snprintf(dst, size, "%.*s", (int)strcspn(value, "\r"), value);
            return true;
        }
    }
    return false;
}

static inline void
client__exchange(struct client *c, const char *request, size_t n)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)c->port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t have = 0;
    ssize_t got;
    char *end;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert(connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
    for (size_t sent = 0; sent < n;) {
        ssize_t k = send(fd, request + sent, n - sent, MSG_NOSIGNAL);
        if (k <= 0)
            break; /* refused before the body was read: the reply is there */
        sent += (size_t)k;
    }
    if (!c->text)
        c->text = malloc(CLIENT_TEXT_MAX);
    while ((got = recv(fd, c->text + have, CLIENT_TEXT_MAX - 1 - have, 0)) > 0)
        have += (size_t)got;
    close(fd);
    c->text[have] = '\0';
    end = strstr(c->text, "\r\n\r\n");
    assert(end && sscanf(c->text, "HTTP/1.1 %d", &c->status) == 1);
    end[2] = '\0'; /* the last header keeps its line end */
    c->head = c->text;
    c->body = end + 4;
    c->body_bytes = have - (size_t)(c->body - c->text);
}

/* Send a request; body may be NULL. Keeps the cookie that the reply sets. Returns the status. */
static inline int
client_send(struct client *c, const char *method, const char *path, const char *body)
{
    size_t n_body = body ? strlen(body) : 0;
    char *request = malloc(n_body + 4096);
    char host[64], cookie[512];
    int n;

    snprintf(host, sizeof host, "localhost:%d", c->port);
    n = snprintf(request, 4096, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s%s%s%s%s",
                 method, path, c->host ? c->host : host, c->no_corong ? "" : "X-Corong: 1\r\n",
                 c->cookie[0] ? "Cookie: " : "", c->cookie, c->cookie[0] ? "\r\n" : "",
                 c->extra ? c->extra : "");
    if (body)
        n += snprintf(request + n, 128, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                      n_body);
    n += snprintf(request + n, 8, "\r\n");
    if (body)
        memcpy(request + n, body, n_body);
    client__exchange(c, request, (size_t)n + n_body);
    free(request);
    if (client_header(c, "Set-Cookie", cookie, sizeof cookie))
        snprintf(c->cookie, sizeof c->cookie, "%.*s", (int)strcspn(cookie, ";"), cookie);
    return c->status;
}

/* Ask for what the last reply was, if it has changed since. Returns the status. */
static inline int
client_again(struct client *c, const char *path)
{
    char tag[64], extra[128];

    assert(client_header(c, "ETag", tag, sizeof tag));
    snprintf(extra, sizeof extra, "If-None-Match: %s\r\n", tag);
    c->extra = extra;
    client_send(c, "GET", path, NULL);
    c->extra = NULL;
    return c->status;
}

#endif
