/* Any text as a URL: parts lie within it and in order; whatever is decoded is UTF-8. */
#include <assert.h>

#include "core/url.h"
#include "tests/fuzz/fuzz.h"

static void
assert_within(struct slice part, struct slice whole)
{
    assert(part.n == 0 || part.n == 1 ||
           (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct slice in = slice_of((const char *)bytes, n), rest = in, name, value;
    struct arena a;
    struct url u;

    arena_init(&a, 4096);
    if (url_split(in, &u)) {
        assert_within(u.scheme, in);
        assert_within(u.host, in);
        assert_within(u.port, in);
        assert_within(u.path, in);
        assert_within(u.query, in);
        assert_within(u.fragment, in);
        assert(u.path.n > 0);
        assert(url_host(&a, u.host).n <= u.host.n);
    }
    while (url_next_parameter(&rest, &name, &value)) {
        assert(slice_is_utf8(url_decode(&a, name)));
        assert(slice_is_utf8(url_decode(&a, value)));
    }
    assert(slice_is_utf8(url_decode(&a, in)));
    arena_fini(&a);
    return 0;
}
