/* Any file of the spool: every byte of it is read once, in bounded time, and what comes out is
 * batches. The input is read as it is, and once more behind a good head with its record headers'
 * and bodies' checksums made right, so that what lies behind them is reached too. */
#include <assert.h>
#include <sys/mman.h>
#include <unistd.h>

#include "collector/spool_file.h"
#include "core/arena.h"
#include "core/bytes.h"
#include "core/file.h"
#include "tests/fuzz/fuzz.h"

static size_t
read_batch(struct slice batch)
{
    struct codec_reader reader;
    struct slice payload;
    size_t n = 0;

    if (codec_reader_init(&reader, batch, NULL) != ERR_OK)
        return 0;
    while (codec_reader_next(&reader, &payload))
        n += payload.n;
    return n;
}

static void
read_bytes(const void *bytes, size_t n)
{
    int fd = memfd_create("spool", MFD_CLOEXEC);
    struct spool_reader r;
    struct slice batch;
    uint64_t last = 0;

    assert(fd >= 0);
    assert(file_write(fd, bytes, n, NULL) == ERR_OK);
    if (spool_reader_open(&r, fd, n, NULL) == ERR_OK) {
        while (spool_reader_next(&r, &batch, NULL) == ERR_OK) {
            assert(batch.n > 0 && batch.n <= SPOOL_BATCH_MAX);
            assert(r.at > last && r.at <= n);
            assert(read_batch(batch) <= batch.n);
            last = r.at;
        }
        assert(r.at == n && r.damaged_bytes + r.torn_bytes <= n);
        spool_reader_close(&r);
    }
    close(fd);
}

/* Pieces of the input, each led by its length, as the batches of a good file; a byte between says
 * whether the piece is a record or noise. */
static void
read_repaired(const uint8_t *bytes, size_t n)
{
    struct slice rest = slice_of((const char *)bytes, n);
    struct buffer file = BUFFER_EMPTY;

    spool_file_begin(&file, 7);
    while (rest.n > 3) {
        struct slice piece = slice_sub(rest, 3, (size_t)load_u16(rest.p) % 2000 + 1);
        if (rest.p[2] & 1)
            spool_file_add(&file, 7, file.n, piece);
        else
            buffer_add_slice(&file, piece);
        rest = slice_sub(rest, 3 + piece.n, rest.n);
    }
    read_bytes(file.p, file.n);
    buffer_fini(&file);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    read_bytes(bytes, n);
    read_repaired(bytes, n);
    return 0;
}
