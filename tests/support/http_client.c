#include "tests/support/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/support/patience.h"

int
http_client_connect(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval limit = {.tv_sec = PATIENCE_MS / 1000};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        perror("http_client: connect");
        abort();
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return fd;
}

void
http_client_send(int fd, struct slice bytes)
{
    while (bytes.n != 0) {
        ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* the server may have had enough: what it says is the test's matter */
        bytes = slice_sub(bytes, (size_t)n, bytes.n);
    }
}

struct slice
http_answer_header(const struct http_answer *a, const char *name)
{
    struct slice rest = a->head, line, key, value;
    bool more = true;

    while (more) {
        more = slice_cut(rest, '\n', &line, &rest);
        if (slice_cut(line, ':', &key, &value) && slice_equal_nocase(key, slice_from(name)))
            return slice_trim(value);
    }
    return SLICE_EMPTY;
}

/* Split what has come. Returns how many bytes the body still lacks; -1 for an unfinished head. */
static int64_t
split(struct http_answer *a)
{
    const char *end = a->bytes.n ? memmem(a->bytes.p, a->bytes.n, "\r\n\r\n", 4) : NULL;
    struct slice length;
    int64_t n = 0, status;

    if (!end)
        return -1;
    a->head = slice_of(a->bytes.p, (size_t)(end - a->bytes.p));
    a->body = slice_of(end + 4, a->bytes.n - a->head.n - 4);
    slice_to_int64(slice_sub(a->head, 9, 3), &status);
    a->status = (int)status;
    length = http_answer_header(a, "Content-Length");
    slice_to_int64(length, &n);
    return n - (int64_t)a->body.n;
}

void
http_client_read(int fd, struct http_answer *out)
{
    char chunk[4096];
    ssize_t n;

    *out = (struct http_answer){.status = 0};
    while (split(out) != 0) {
        n = recv(fd, chunk, sizeof chunk, 0);
        if (n <= 0)
            break;
        buffer_add(&out->bytes, chunk, (size_t)n);
    }
}

void
http_client_exchange(int port, const char *request, struct http_answer *out)
{
    int fd = http_client_connect(port);

    http_client_send(fd, slice_from(request));
    http_client_read(fd, out);
    close(fd);
}

void
http_client_request(int port, const char *method, const char *target, const char *headers,
                    struct slice body, struct http_answer *out)
{
    struct buffer b = BUFFER_EMPTY;
    int fd = http_client_connect(port);

    buffer_printf(&b, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s", method, target, headers);
    if (body.n != 0)
        buffer_printf(&b, "Content-Length: %zu\r\n", body.n);
    buffer_add_text(&b, "\r\n");
    buffer_add_slice(&b, body);
    http_client_send(fd, buffer_slice(&b));
    http_client_read(fd, out);
    buffer_fini(&b);
    close(fd);
}

void
http_answer_fini(struct http_answer *a)
{
    buffer_fini(&a->bytes);
    *a = (struct http_answer){.status = 0};
}
