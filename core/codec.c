/* Events as msgpack. Packing is msgpack-c's; reading is a walk over the headers of our own, because
 * msgpack-c allocates by the counts it reads, and here a count is believed only as far as the bytes
 * behind it go. */
#include "core/codec.h"

#include <msgpack/pack.h>

#include "core/bytes.h"
#include "core/hash.h"

#define BATCH_MAGIC        'C'
#define BATCH_HEADER_BYTES 2
#define PAYLOAD_FIELDS     9

/* ---- Packing ---- */

static int
write_to_buffer(void *context, const char *bytes, size_t n)
{
    buffer_add(context, bytes, n);
    return 0;
}

static void
pack_text(msgpack_packer *p, struct slice s)
{
    msgpack_pack_str(p, s.n);
    msgpack_pack_str_body(p, s.p, s.n);
}

/* Ids made of a hash are no UTF-8, so every id is bin. */
static void
pack_bytes(msgpack_packer *p, struct slice s)
{
    msgpack_pack_bin(p, s.n);
    msgpack_pack_bin_body(p, s.p, s.n);
}

static void
pack_texts(msgpack_packer *p, const struct event *e)
{
    size_t n = 0;

    for (int k = 0; k < TEXT_COUNT; k++)
        n += e->text[k].n > 0;
    msgpack_pack_map(p, n);
    for (int k = 0; k < TEXT_COUNT; k++) {
        if (e->text[k].n == 0)
            continue;
        msgpack_pack_int(p, k);
        pack_text(p, e->text[k]);
    }
}

static void
pack_numbers(msgpack_packer *p, const struct event *e)
{
    size_t n = 0;

    for (int k = 0; k < NUMBER_COUNT; k++)
        n += event_has_number(e, (enum event_number)k);
    msgpack_pack_map(p, n);
    for (int k = 0; k < NUMBER_COUNT; k++) {
        if (!event_has_number(e, (enum event_number)k))
            continue;
        msgpack_pack_int(p, k);
        msgpack_pack_int64(p, e->number[k]);
    }
}

static void
pack_properties(msgpack_packer *p, const struct event *e)
{
    msgpack_pack_map(p, e->n_properties);
    for (uint32_t i = 0; i < e->n_properties; i++) {
        pack_text(p, e->properties[i].key);
        pack_text(p, e->properties[i].value);
    }
}

enum err_code
codec_encode(struct buffer *out, const struct event *e, struct err *err)
{
    size_t before = out->n;
    msgpack_packer p;

    msgpack_packer_init(&p, out, write_to_buffer);
    msgpack_pack_array(&p, PAYLOAD_FIELDS);
    msgpack_pack_uint32(&p, e->site);
    msgpack_pack_int64(&p, e->time_ms);
    pack_text(&p, e->visitor);
    pack_bytes(&p, e->id);
    msgpack_pack_uint32(&p, e->flags);
    msgpack_pack_uint32(&p, e->origin);
    pack_texts(&p, e);
    pack_numbers(&p, e);
    pack_properties(&p, e);
    if (out->n - before <= EVENT_ENCODED_MAX)
        return ERR_OK;
    out->n = before;
    return err_set(err, ERR_LIMIT, NULL, "an event is larger than %d bytes", EVENT_ENCODED_MAX);
}

void
codec_batch_begin(struct buffer *out)
{
    buffer_clear(out);
    buffer_add_char(out, BATCH_MAGIC);
    buffer_add_char(out, CODEC_VERSION);
}

enum err_code
codec_batch_add(struct buffer *out, const struct event *e, struct err *err)
{
    static const char no_header[CODEC_RECORD_HEADER];
    size_t at = out->n, payload = at + CODEC_RECORD_HEADER;
    enum err_code rc;

    buffer_add(out, no_header, sizeof no_header);
    rc = codec_encode(out, e, err);
    if (rc != ERR_OK) {
        out->n = at;
        return rc;
    }
    store_u32(out->p + at, (uint32_t)(out->n - payload));
    store_u64(out->p + at + 4, checksum64(out->p + payload, out->n - payload));
    return ERR_OK;
}

/* ---- Walking a batch ---- */

enum err_code
codec_reader_init(struct codec_reader *r, struct slice bytes, struct err *err)
{
    *r = (struct codec_reader){bytes, BATCH_HEADER_BYTES, 0};
    if (bytes.n < BATCH_HEADER_BYTES || bytes.p[0] != BATCH_MAGIC)
        return err_set(err, ERR_CORRUPT, NULL, "not a batch of events");
    if ((unsigned char)bytes.p[1] > CODEC_VERSION)
        return err_set(err, ERR_VERSION, NULL,
                       "a batch of version %u, newer than the %d known here",
                       (unsigned char)bytes.p[1], CODEC_VERSION);
    if (bytes.p[1] < 1)
        return err_set(err, ERR_CORRUPT, NULL, "a batch without a version");
    return ERR_OK;
}

bool
codec_reader_next(struct codec_reader *r, struct slice *payload)
{
    while (r->at < r->bytes.n) {
        const char *header = r->bytes.p + r->at;
        size_t left = r->bytes.n - r->at, n;

        n = left >= CODEC_RECORD_HEADER ? load_u32(header) : 0;
        if (left < CODEC_RECORD_HEADER || n > EVENT_ENCODED_MAX || n > left - CODEC_RECORD_HEADER) {
            r->n_bad++;
            r->at = r->bytes.n;
            return false;
        }
        r->at += CODEC_RECORD_HEADER + n;
        if (checksum64(header + CODEC_RECORD_HEADER, n) == load_u64(header + 4)) {
            *payload = slice_of(header + CODEC_RECORD_HEADER, n);
            return true;
        }
        r->n_bad++;
    }
    return false;
}

/* ---- Unpacking: each read_ returns false where the bytes are not that, or are not there ---- */

static bool
read_byte(struct slice *in, unsigned char *out)
{
    if (in->n == 0)
        return false;
    *out = (unsigned char)in->p[0];
    *in = slice_of(in->p + 1, in->n - 1);
    return true;
}

/* A big-endian integer of 1, 2, 4 or 8 bytes. */
static bool
read_big_endian(struct slice *in, size_t bytes, uint64_t *out)
{
    uint64_t v = 0;

    if (in->n < bytes)
        return false;
    for (size_t i = 0; i < bytes; i++)
        v = v << 8 | (unsigned char)in->p[i];
    *in = slice_of(in->p + bytes, in->n - bytes);
    *out = v;
    return true;
}

static bool
read_integer(struct slice *in, int64_t *out)
{
    unsigned char tag;
    uint64_t v;

    if (!read_byte(in, &tag))
        return false;
    if (tag <= 0x7F || tag >= 0xE0) { /* positive and negative fixint */
        *out = (int8_t)tag;
        return true;
    }
    if (tag >= 0xCC && tag <= 0xCF) { /* uint 8, 16, 32, 64 */
        if (!read_big_endian(in, (size_t)1 << (tag - 0xCC), &v) || v > INT64_MAX)
            return false;
        *out = (int64_t)v;
        return true;
    }
    if (tag >= 0xD0 && tag <= 0xD3) { /* int 8, 16, 32, 64 */
        size_t bytes = (size_t)1 << (tag - 0xD0);
        unsigned shift = (unsigned)(64 - 8 * bytes);

        if (!read_big_endian(in, bytes, &v))
            return false;
        *out = (int64_t)(v << shift) >> shift; /* carries the sign down */
        return true;
    }
    return false;
}

static bool
read_u32(struct slice *in, uint32_t *out)
{
    int64_t v;

    if (!read_integer(in, &v) || v < 0 || v > UINT32_MAX)
        return false;
    *out = (uint32_t)v;
    return true;
}

/* A str or bin, borrowed. */
static bool
read_text(struct slice *in, struct slice *out)
{
    unsigned char tag;
    uint64_t n;
    bool ok;

    if (!read_byte(in, &tag))
        return false;
    if (tag >= 0xA0 && tag <= 0xBF) { /* fixstr */
        n = tag & 0x1F;
        ok = true;
    } else if (tag >= 0xC4 && tag <= 0xC6) { /* bin 8, 16, 32 */
        ok = read_big_endian(in, (size_t)1 << (tag - 0xC4), &n);
    } else if (tag >= 0xD9 && tag <= 0xDB) { /* str 8, 16, 32 */
        ok = read_big_endian(in, (size_t)1 << (tag - 0xD9), &n);
    } else {
        return false;
    }
    if (!ok || n > in->n)
        return false;
    *out = slice_of(in->p, (size_t)n);
    *in = slice_of(in->p + n, in->n - (size_t)n);
    return true;
}

/* An array's or map's count: every member is at least one byte, so more than are left is a lie. */
static bool
read_count(struct slice *in, unsigned char fix, unsigned char tag16, uint64_t *out)
{
    unsigned char tag;

    if (!read_byte(in, &tag))
        return false;
    if ((tag & 0xF0) == fix)
        *out = tag & 0x0F;
    else if (tag != tag16 && tag != tag16 + 1)
        return false;
    else if (!read_big_endian(in, tag == tag16 ? 2 : 4, out))
        return false;
    return *out <= in->n;
}

static bool
read_array(struct slice *in, uint64_t *n)
{
    return read_count(in, 0x90, 0xDC, n);
}

static bool
read_map(struct slice *in, uint64_t *n)
{
    return read_count(in, 0x80, 0xDE, n);
}

/* Codes rise, as packed; those not known here are passed over. */
static bool
decode_texts(struct slice *in, struct event *e)
{
    int64_t code, last = -1;
    struct slice text;
    uint64_t n;

    if (!read_map(in, &n))
        return false;
    for (; n > 0; n--, last = code) {
        if (!read_integer(in, &code) || code <= last || !read_text(in, &text))
            return false;
        if (code < TEXT_COUNT)
            e->text[code] = text;
    }
    return true;
}

static bool
decode_numbers(struct slice *in, struct event *e)
{
    int64_t code, last = -1, units;
    uint64_t n;

    if (!read_map(in, &n))
        return false;
    for (; n > 0; n--, last = code) {
        if (!read_integer(in, &code) || code <= last || !read_integer(in, &units))
            return false;
        if (code < NUMBER_COUNT)
            event_set_number(e, (enum event_number)code, units);
    }
    return true;
}

static bool
decode_properties(struct slice *in, struct arena *a, struct event *e)
{
    uint64_t n;

    if (!read_map(in, &n) || n > EVENT_PROPERTIES_MAX)
        return false;
    if (n == 0)
        return true;
    e->n_properties = (uint32_t)n;
    e->properties = ARENA_ARRAY(a, struct event_property, n);
    for (uint32_t i = 0; i < n; i++) {
        struct event_property *p = &e->properties[i];

        if (!read_text(in, &p->key) || !read_text(in, &p->value) || p->key.n == 0)
            return false;
        if (i > 0 && slice_compare(p[-1].key, p->key) >= 0)
            return false;
    }
    return true;
}

static bool
decode_event(struct slice in, struct arena *a, struct event *e)
{
    uint64_t n;

    return read_array(&in, &n) && n == PAYLOAD_FIELDS && read_u32(&in, &e->site) &&
           read_integer(&in, &e->time_ms) && read_text(&in, &e->visitor) && e->visitor.n > 0 &&
           e->visitor.n <= EVENT_VISITOR_MAX && read_text(&in, &e->id) && e->id.n > 0 &&
           e->id.n <= EVENT_ID_MAX && read_u32(&in, &e->flags) && read_u32(&in, &e->origin) &&
           decode_texts(&in, e) && decode_numbers(&in, e) && decode_properties(&in, a, e) &&
           in.n == 0;
}

enum err_code
codec_decode(struct slice payload, struct arena *a, struct event *out, struct err *err)
{
    struct event e = {.visitor = SLICE_EMPTY, .id = SLICE_EMPTY};

    for (int k = 0; k < TEXT_COUNT; k++)
        e.text[k] = SLICE_EMPTY;
    if (!decode_event(payload, a, &e))
        return err_set(err, ERR_CORRUPT, NULL, "an event's bytes are not what Corong writes");
    *out = e;
    return ERR_OK;
}
