/* A client that says exactly what a test wants to say, ill-formed requests included. */
#ifndef TESTS_SUPPORT_HTTP_CLIENT_H
#define TESTS_SUPPORT_HTTP_CLIENT_H

#include "core/buffer.h"

struct http_answer {
    int status; /* 0: the connection ended without an answer */
    struct slice head;
    struct slice body;
    struct buffer bytes; /* what the slices borrow from */
};

int http_client_connect(int port); /* to 127.0.0.1; aborts where it fails */
void http_client_send(int fd, struct slice bytes);

/* Read one answer (by its Content-Length, or to the end). */
void http_client_read(int fd, struct http_answer *out);

/* Connect, send, read one answer, close. The answer is the caller's (http_answer_fini). */
void http_client_exchange(int port, const char *request, struct http_answer *out);

/* A whole request from its parts; headers is "Name: value\r\n.." or "". */
void http_client_request(int port, const char *method, const char *target, const char *headers,
                         struct slice body, struct http_answer *out);

struct slice http_answer_header(const struct http_answer *a, const char *name); /* "" = absent */
void http_answer_fini(struct http_answer *a);

#endif
