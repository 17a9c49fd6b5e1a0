/* json_next_member against json_next: both read one input, token by token, and must agree. */
#ifndef TESTS_SUPPORT_JSON_MEMBERS_H
#define TESTS_SUPPORT_JSON_MEMBERS_H

#include <assert.h>

#include "core/json.h"

/* A member by json_next. */
static inline enum json_token
json_members__two_steps(struct json *j, struct slice *key)
{
    enum json_token t = json_next(j);

    if (t != JSON_KEY)
        return t;
    *key = j->text;
    return json_next(j);
}

static inline void
json_members_agree(struct slice in, struct arena *a)
{
    bool is_object[JSON_DEPTH_MAX + 1] = {false};
    enum json_token t;
    struct json x;
    struct json y;

    json_init(&x, in, a);
    json_init(&y, in, a);
    do {
        struct slice key_x = SLICE_EMPTY;
        struct slice key_y = SLICE_EMPTY;
        bool is_member = is_object[x.depth];

        t = is_member ? json_members__two_steps(&x, &key_x) : json_next(&x);
        assert(t == (is_member ? json_next_member(&y, &key_y) : json_next(&y)));
        assert(x.at == y.at && x.depth == y.depth && x.error == y.error);
        if (t != JSON_ERROR)
            assert(x.start == y.start && slice_equal(key_x, key_y));
        if (t == JSON_STRING || t == JSON_NUMBER)
            assert(slice_equal(x.text, y.text));
        if (t == JSON_OBJECT || t == JSON_ARRAY)
            is_object[x.depth] = t == JSON_OBJECT;
    } while (t != JSON_END && t != JSON_ERROR);
}

#endif
