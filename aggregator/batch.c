/* From a stream entry's bytes to events. What is not here: what becomes of those it cannot read. */
#include "aggregator/batch.h"

#include "core/codec.h"

enum err_code
batch_read(struct slice batch, struct segment_builder *b, struct arena *a, struct batch_count *out,
           struct err *why)
{
    struct batch_count count = {0};
    struct codec_reader reader;
    struct slice payload;
    struct event event;
    enum err_code rc = codec_reader_init(&reader, batch, why);

    if (rc == ERR_VERSION)
        return rc;
    if (rc != ERR_OK) {
        *out = (struct batch_count){.n_bad = 1};
        return ERR_OK;
    }
    while (codec_reader_next(&reader, &payload)) {
        arena_reset(a);
        rc = codec_decode(payload, a, &event, why);
        if (rc == ERR_OK)
            rc = segment_builder_add(b, &event, why);
        if (rc == ERR_OK)
            count.n_events++;
        else
            count.n_bad++;
    }
    if (reader.n_bad != 0)
        err_set(why, ERR_CORRUPT, NULL, "checksum or length is wrong");
    count.n_bad += reader.n_bad;
    *out = count;
    return ERR_OK;
}
