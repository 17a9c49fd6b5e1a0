/* Any bytes as a payload and as a batch: what decodes encodes again, and decodes to the same bytes.
 */
#include <assert.h>

#include "core/codec.h"
#include "tests/fuzz/fuzz.h"

static void
check_payload(struct slice in, struct arena *a)
{
    struct buffer once = BUFFER_EMPTY, twice = BUFFER_EMPTY;
    struct event e;

    arena_reset(a);
    if (codec_decode(in, a, &e, NULL) == ERR_OK && codec_encode(&once, &e, NULL) == ERR_OK) {
        assert(codec_decode(buffer_slice(&once), a, &e, NULL) == ERR_OK);
        assert(codec_encode(&twice, &e, NULL) == ERR_OK);
        assert(slice_equal(buffer_slice(&once), buffer_slice(&twice)));
    }
    assert(a->used_bytes <= 64 * 1024); /* never by a count that the bytes do not bear out */
    buffer_fini(&once);
    buffer_fini(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct slice in = slice_of((const char *)bytes, n), payload;
    struct codec_reader r;
    struct arena a;

    arena_init(&a, 4096);
    check_payload(in, &a);
    if (codec_reader_init(&r, in, NULL) == ERR_OK)
        while (codec_reader_next(&r, &payload))
            check_payload(payload, &a);
    arena_fini(&a);
    return 0;
}
