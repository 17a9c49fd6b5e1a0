/* A bounded pull parser for JSON: events from browsers, servers and imports. It allocates nothing
 * but decoded strings (in the caller's arena), knows no recursion and keeps to depth and size.
 * Strict RFC 8259: UTF-8, no trailing commas, no comments, no NaN. Definitions and settings, which
 * need a tree, use jansson.
 *
 *     struct json j;
 *     json_init(&j, bytes, arena);
 *     for (t = json_next(&j); t != JSON_END && t != JSON_ERROR; t = json_next(&j)) ...
 */
#ifndef CORE_JSON_H
#define CORE_JSON_H

#include "core/arena.h"
#include "core/slice.h"

#define JSON_DEPTH_MAX 16

enum json_token {
    JSON_ERROR, /* j->error says what, j->at where; every further call returns it too */
    JSON_END,   /* the whole input was one value */
    JSON_OBJECT,
    JSON_OBJECT_END,
    JSON_ARRAY,
    JSON_ARRAY_END,
    JSON_KEY,    /* j->text, decoded; its colon has been read */
    JSON_STRING, /* j->text, decoded */
    JSON_NUMBER, /* j->text, as written */
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL
};

struct json {
    struct slice in;
    struct arena *arena;
    size_t at;         /* byte offset of the reader */
    size_t start;      /* where the last key or value began */
    struct slice text; /* borrows from the input where it has no escapes, else from the arena */
    const char *error; /* a static sentence */
    bool is_plain;     /* the whole input is printable ASCII without a backslash */
    int depth;
    unsigned char state[JSON_DEPTH_MAX + 1];
};

void json_init(struct json *j, struct slice in, struct arena *a);
enum json_token json_next(struct json *j);

/* Of an open object: the next key, and its value's first token, as two calls of json_next would
 * give them; members without white space are read in one go. JSON_OBJECT_END or JSON_ERROR: there
 * is none. */
enum json_token json_next_member(struct json *j, struct slice *key);

/* As json_next_member, where the next key is this one and can be read in one go with its value;
 * false, and nothing is read, where not. An empty key is never found. */
bool json_try_member(struct json *j, struct slice key, enum json_token *value);

/* After JSON_KEY or inside an array: pass over the next value whole. Returns JSON_ERROR or the
 * value's first token. */
enum json_token json_skip(struct json *j);

/* As json_skip, and *raw is the value's own bytes in the input. */
enum json_token json_skip_raw(struct json *j, struct slice *raw);

/* Leave objects and arrays until j->depth is `depth` again: after JSON_OBJECT, what it was before
 * is j->depth - 1. JSON_ERROR, or any other token. */
enum json_token json_skip_open(struct json *j, int depth);

#endif
