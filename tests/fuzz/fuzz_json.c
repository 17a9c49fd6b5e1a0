/* Any bytes: the parser ends, keeps to its depth, says why it fails; skipping a value agrees with
 * reading it, and so does reading members in one go. */
#include <assert.h>

#include "core/json.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/json_members.h"

static enum json_token
read_all(struct slice in, struct arena *a)
{
    enum json_token t;
    struct json j;
    size_t n = 0;

    json_init(&j, in, a);
    do {
        t = json_next(&j);
        assert(j.depth >= 0 && j.depth <= JSON_DEPTH_MAX && j.at <= in.n);
        assert(++n <= in.n + 1);
        if (t == JSON_STRING || t == JSON_KEY)
            assert(slice_is_utf8(j.text));
    } while (t != JSON_END && t != JSON_ERROR);
    assert((t == JSON_ERROR) == (j.error != NULL));
    return t;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct slice in = slice_of((const char *)bytes, n), raw;
    enum json_token whole, skipped;
    struct arena a;
    struct json j;

    arena_init(&a, 4096);
    whole = read_all(in, &a);
    json_init(&j, in, &a);
    skipped = json_skip_raw(&j, &raw);
    if (skipped != JSON_ERROR) {
        assert(raw.n > 0 && raw.p >= in.p && raw.p + raw.n <= in.p + in.n);
        skipped = json_next(&j);
    }
    assert((whole == JSON_END) == (skipped == JSON_END));
    json_members_agree(in, &a);
    arena_fini(&a);
    return 0;
}
