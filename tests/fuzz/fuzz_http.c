/* A request's head as a door of ours reads it: whatever is accepted must be names and values that
 * stand in the bytes, ended, and without a control character. */
#include <assert.h>
#include <stdlib.h>

#include "core/http_int.h"
#include "tests/fuzz/fuzz.h"

static void
check_text(const char *text)
{
    for (; *text; text++)
        assert((unsigned char)*text >= ' ' || *text == '\t');
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct http_incoming in;
    size_t n = http__head_length((const char *)bytes, size, 0);
    char *copy;

    for (size_t seen = 0; seen < n; seen++) /* in however many parts it comes */
        assert(http__head_length((const char *)bytes, size, seen) == n);
    if (n == 0)
        return 0;
    copy = malloc(n); /* to its last byte, so that none behind it is read */
    memcpy(copy, bytes, n);
    if (http__parse_head(copy, n, &in) == 0) {
        assert(in.method[0] && (!in.target || in.target[0] == '/'));
        if (in.query)
            check_text(in.query);
        for (int i = 0; i < in.n_fields; i++) {
            assert(in.fields[i].name[0]);
            check_text(in.fields[i].name);
            check_text(in.fields[i].value);
        }
    }
    free(copy);
    return 0;
}
