#include "collector/spool_file.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "core/bytes.h"
#include "core/hash.h"

#define HEAD_COPY    32
#define HEAD_SUM     24
#define MARK_AT      64
#define MARK_BYTES   16
#define WINDOW_BYTES (SPOOL_BATCH_MAX + SPOOL_RECORD_HEADER + 64 * 1024)

static const char magic[8] = {'C', 'O', 'R', 'S', 'P', 'O', 'O', 'L'};

static uint64_t
sum(const void *p, size_t n, uint64_t salt)
{
    return hash64(slice_of(p, n), salt);
}

static uint32_t
header_sum(uint64_t salt, uint64_t at, uint32_t n)
{
    unsigned char bytes[12];

    store_u64(bytes, at);
    store_u32(bytes + 8, n);
    return (uint32_t)sum(bytes, sizeof bytes, salt);
}

/* ---- Writing ---- */

void
spool_file_begin(struct buffer *out, uint64_t salt)
{
    static const char no_mark[MARK_BYTES];

    for (int copy = 0; copy < 2; copy++) {
        size_t at = out->n;
        buffer_add(out, magic, sizeof magic);
        buffer_add_u32(out, SPOOL_FILE_VERSION);
        buffer_add_u32(out, 0);
        buffer_add_u64(out, salt);
        buffer_add_u64(out, checksum64(out->p + at, HEAD_SUM));
    }
    buffer_add(out, no_mark, sizeof no_mark);
}

void
spool_file_add(struct buffer *out, uint64_t salt, uint64_t at, struct slice batch)
{
    assert(batch.n > 0 && batch.n <= SPOOL_BATCH_MAX);
    buffer_add_u32(out, (uint32_t)batch.n);
    buffer_add_u32(out, header_sum(salt, at, (uint32_t)batch.n));
    buffer_add_u64(out, sum(batch.p, batch.n, salt));
    buffer_add_slice(out, batch);
}

void
spool_file_mark(int fd, uint64_t salt, uint64_t at)
{
    unsigned char mark[MARK_BYTES];

    store_u64(mark, at);
    store_u64(mark + 8, sum(mark, 8, salt));
    if (pwrite(fd, mark, sizeof mark, MARK_AT) != (ssize_t)sizeof mark)
        return; /* half a mark fits no sum */
}

/* ---- Reading ---- */

/* Up to n bytes at `at`, fewer only where the file ends. */
static enum err_code
read_at(int fd, uint64_t at, char *dst, size_t n, size_t *out_n, struct err *err)
{
    size_t have = 0;

    while (have < n) {
        ssize_t got = pread(fd, dst + have, n - have, (off_t)(at + have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_errno(err, "cannot read the spool");
        if (got == 0)
            break;
        have += (size_t)got;
    }
    *out_n = have;
    return ERR_OK;
}

/* *out is what stands at r->at: n bytes, fewer only at the end. */
static enum err_code
look(struct spool_reader *r, uint64_t at, size_t n, struct slice *out, struct err *err)
{
    uint64_t rest = r->end > at ? r->end - at : 0;
    size_t wanted = rest < n ? (size_t)rest : n;
    size_t got;
    enum err_code rc;

    if (at < r->window_at || at + wanted > r->window_at + r->window.n) {
        buffer_clear(&r->window);
        buffer_reserve(&r->window, WINDOW_BYTES);
        r->window_at = at;
        rc = read_at(r->fd, at, r->window.p, rest < WINDOW_BYTES ? (size_t)rest : WINDOW_BYTES,
                     &got, err);
        if (rc != ERR_OK)
            return rc;
        r->window.n = got;
    }
    *out = slice_sub(buffer_slice(&r->window), (size_t)(at - r->window_at), wanted);
    return ERR_OK;
}

static bool
take_head(struct spool_reader *r, const char *copy, uint32_t *out_version)
{
    if (memcmp(copy, magic, sizeof magic) != 0 ||
        load_u64(copy + HEAD_SUM) != checksum64(copy, HEAD_SUM))
        return false;
    *out_version = load_u32(copy + 8);
    r->salt = load_u64(copy + 16);
    return true;
}

enum err_code
spool_reader_open(struct spool_reader *r, int fd, uint64_t end, struct err *err)
{
    struct spool_reader own = {.fd = fd, .at = SPOOL_FILE_HEAD, .end = end};
    char head[SPOOL_FILE_HEAD];
    uint32_t version;
    uint64_t mark;
    size_t n;
    enum err_code rc = read_at(fd, 0, head, sizeof head, &n, err);

    if (rc != ERR_OK)
        return rc;
    if (n < sizeof head ||
        (!take_head(&own, head, &version) && !take_head(&own, head + HEAD_COPY, &version)))
        return err_set(err, ERR_CORRUPT, "", "it does not begin like a file of the spool");
    if (version > SPOOL_FILE_VERSION)
        return err_set(err, ERR_VERSION, "", "it was written by a newer Corong");
    mark = load_u64(head + MARK_AT);
    if (load_u64(head + MARK_AT + 8) == sum(head + MARK_AT, 8, own.salt) &&
        mark >= SPOOL_FILE_HEAD && mark <= end)
        own.at = mark;
    *r = own;
    return ERR_OK;
}

void
spool_reader_close(struct spool_reader *r)
{
    buffer_fini(&r->window);
    buffer_fini(&r->repaired);
}

/* Does a record's header stand here, and its body before the end? */
static bool
is_header(const struct spool_reader *r, uint64_t at, const char *p, uint32_t *out_n)
{
    uint32_t n = load_u32(p);

    if (n == 0 || n > SPOOL_BATCH_MAX || n > r->end - at - SPOOL_RECORD_HEADER ||
        load_u32(p + 4) != header_sum(r->salt, at, n))
        return false;
    *out_n = n;
    return true;
}

static void
note_damage(struct spool_reader *r, uint64_t at, uint64_t n)
{
    if (r->n_damaged++ == 0)
        r->damaged_at = at;
    r->damaged_bytes += n;
}

/* The first header at or behind r->at; what lies before it is damage, or the torn tail. */
static enum err_code
find_header(struct spool_reader *r, uint32_t *out_n, struct err *err)
{
    uint64_t at = r->at;
    struct slice seen;
    enum err_code rc;

    for (;;) {
        rc = look(r, at, SPOOL_RECORD_HEADER, &seen, err);
        if (rc != ERR_OK)
            return rc;
        if (seen.n < SPOOL_RECORD_HEADER) {
            r->torn_bytes += r->end - r->at;
            r->at = r->end;
            return err_set(err, ERR_NOT_FOUND, "", "no more");
        }
        if (is_header(r, at, seen.p, out_n))
            break;
        at++;
    }
    if (at != r->at)
        note_damage(r, r->at, at - r->at);
    r->at = at;
    return ERR_OK;
}

/* The events of a damaged batch that are whole themselves. */
static bool
repair(struct spool_reader *r, struct slice body)
{
    struct codec_reader reader;
    struct slice payload;

    codec_batch_begin(&r->repaired);
    if (codec_reader_init(&reader, body, NULL) != ERR_OK)
        return false;
    while (codec_reader_next(&reader, &payload))
        buffer_add(&r->repaired, payload.p - CODEC_RECORD_HEADER, payload.n + CODEC_RECORD_HEADER);
    return r->repaired.n > 2; /* more than its own head */
}

enum err_code
spool_reader_next(struct spool_reader *r, struct slice *batch, struct err *err)
{
    struct slice seen;
    uint32_t n = 0;
    enum err_code rc;

    for (;;) {
        if (r->at >= r->end)
            return err_set(err, ERR_NOT_FOUND, "", "no more");
        rc = find_header(r, &n, err);
        if (rc == ERR_OK)
            rc = look(r, r->at, SPOOL_RECORD_HEADER + (size_t)n, &seen, err);
        if (rc != ERR_OK)
            return rc;
        if (seen.n < SPOOL_RECORD_HEADER + (size_t)n)
            return err_set(err, ERR_IO, "", "the spool's file became shorter while it was read");
        r->at += seen.n;
        *batch = slice_sub(seen, SPOOL_RECORD_HEADER, n);
        if (load_u64(seen.p + 8) == sum(batch->p, n, r->salt))
            return ERR_OK;
        note_damage(r, r->at - seen.n, seen.n);
        if (repair(r, *batch)) {
            *batch = buffer_slice(&r->repaired);
            return ERR_OK;
        }
    }
}
