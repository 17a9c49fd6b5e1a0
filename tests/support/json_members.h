/* json_next_member and json_try_member against json_next: all read one input, token by token, and
 * must agree. */
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

/* A member whose key is expected to be this one: read as the other ways do, or not at all. */
static inline void
json_members__try(const struct json *before, const struct json *after, struct slice key,
                  struct slice expected)
{
    struct json j = *before;
    enum json_token t;

    if (!json_try_member(&j, expected, &t)) {
        assert(j.at == before->at && j.state[j.depth] == before->state[j.depth]);
        return;
    }
    assert(key.n > 0 && slice_equal(key, expected) && after->error == NULL);
    assert(t == JSON_STRING || t == JSON_NUMBER);
    assert(j.at == after->at && j.depth == after->depth && j.start == after->start);
    assert(j.state[j.depth] == after->state[j.depth] && slice_equal(j.text, after->text));
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
        struct json before = y;

        t = is_member ? json_members__two_steps(&x, &key_x) : json_next(&x);
        assert(t == (is_member ? json_next_member(&y, &key_y) : json_next(&y)));
        assert(x.at == y.at && x.depth == y.depth && x.error == y.error);
        if (t != JSON_ERROR)
            assert(x.start == y.start && slice_equal(key_x, key_y));
        if (t == JSON_STRING || t == JSON_NUMBER)
            assert(slice_equal(x.text, y.text));
        if (t == JSON_OBJECT || t == JSON_ARRAY)
            is_object[x.depth] = t == JSON_OBJECT;
        if (is_member) {
            json_members__try(&before, &y, key_y, key_y);
            json_members__try(&before, &y, key_y, SLICE("event"));
            json_members__try(&before, &y, key_y, slice_sub(key_y, 0, key_y.n / 2));
        }
    } while (t != JSON_END && t != JSON_ERROR);
}

#endif
