/* A whole MaxMind database, checked before libmaxminddb sees it: that one trusts more of a file
 * than it should (its fixes after Debian's 1.7.1: sizes that overflow, recursion without an end,
 * memory out of all proportion).
 *
 *   search tree   node_count nodes of two records, each record_size bits, big-endian. A record
 * below node_count is a node, node_count is "not there", above it is node_count + 16 + offset of a
 * map in the data 16 zero bytes data          fields: control byte (type, size), contents; maps and
 * arrays hold fields; a pointer stands for a field elsewhere, never for another pointer marker
 * "\xab\xcd\xefMaxMind.com", its last occurrence in the last 128 KiB metadata      one map in the
 * same encoding
 *
 * A tree is no deeper than an address has bits, because that is how far a look-up walks, whatever
 * its nodes say; so each record is checked once, in the order of the file.
 */
#include "collector/place_int.h"

#include <stdlib.h>

#include "core/arena.h"

#define MARKER        "\xab\xcd\xefMaxMind.com"
#define MARKER_BYTES  (sizeof MARKER - 1)
#define METADATA_MAX  (128u << 10)
#define SEPARATOR     16
#define DEPTH_MAX     16
#define ENTRIES_MAX   4096        /* of one map or array */
#define VALUE_MAX     (64u << 10) /* bytes of one record, without what it points to */
#define WORK_PER_BYTE 16          /* fields looked at for each byte of the file */

enum type {
    TYPE_EXTENDED = 0,
    TYPE_POINTER = 1,
    TYPE_TEXT = 2,
    TYPE_DOUBLE = 3,
    TYPE_BYTES = 4,
    TYPE_UINT16 = 5,
    TYPE_UINT32 = 6,
    TYPE_MAP = 7,
    TYPE_INT32 = 8,
    TYPE_UINT64 = 9,
    TYPE_UINT128 = 10,
    TYPE_ARRAY = 11,
    TYPE_BOOLEAN = 14,
    TYPE_FLOAT = 15
};

/* Fields, in which pointers count from the first byte. */
struct section {
    const unsigned char *p;
    size_t n;
    unsigned char *checked; /* a bit for each byte: a good value starts here */
    unsigned pointed;       /* the only type that pointers may stand for; 0: any */
    uint64_t work_left;
};

struct field {
    unsigned type;
    size_t size; /* bytes, entries, or what a pointer points to */
};

/* ---- Fields ---- */

static uint64_t
load_big_endian(const unsigned char *p, size_t n)
{
    uint64_t v = 0;

    while (n-- > 0)
        v = v << 8 | *p++;
    return v;
}

/* The 0 to 4 bytes at *at, which moves behind them. */
static bool
take_number(struct section *s, size_t *at, size_t n, uint64_t *out)
{
    if (n > s->n - *at)
        return false;
    *out = load_big_endian(s->p + *at, n);
    *at += n;
    return true;
}

static bool
read_pointer(struct section *s, size_t *at, unsigned control, struct field *out)
{
    static const uint64_t base[] = {0, 2048, 526336, 0};
    unsigned class = control >> 3 & 3;
    uint64_t high = class < 3 ? control & 7 : 0, low;

    if (!take_number(s, at, class + 1, &low))
        return false;
    out->size = (size_t)((high << 8 * (class + 1)) + low + base[class]);
    return true;
}

/* The control of the field at *at, which moves to its contents. */
static bool
read_field(struct section *s, size_t *at, struct field *out)
{
    static const uint64_t base[] = {29, 285, 65821};
    uint64_t control, more = 0;

    if (s->work_left == 0 || !take_number(s, at, 1, &control))
        return false;
    s->work_left--;
    out->type = (unsigned)control >> 5;
    if (out->type == TYPE_POINTER)
        return read_pointer(s, at, (unsigned)control, out);
    if (out->type == TYPE_EXTENDED) {
        if (!take_number(s, at, 1, &more) || more == 0 || more > 8)
            return false;
        out->type = (unsigned)more + 7;
    }
    out->size = control & 31;
    if (out->size >= 29) {
        size_t class = out->size - 29;

        if (!take_number(s, at, class + 1, &more))
            return false;
        out->size = (size_t)(base[class] + more);
    }
    return true;
}

/* Skip the contents of a field that holds no others. */
static bool
skip_scalar(struct section *s, size_t *at, const struct field *f)
{
    size_t n = f->size;
    bool is_good;

    switch (f->type) {
    case TYPE_TEXT:
    case TYPE_BYTES:
        is_good = true;
        break;
    case TYPE_DOUBLE:
        is_good = n == 8;
        break;
    case TYPE_FLOAT:
    case TYPE_INT32:
    case TYPE_UINT32:
        is_good = n <= 4 && (f->type != TYPE_FLOAT || n == 4);
        break;
    case TYPE_UINT16:
        is_good = n <= 2;
        break;
    case TYPE_UINT64:
        is_good = n <= 8;
        break;
    case TYPE_UINT128:
        is_good = n <= 16;
        break;
    case TYPE_BOOLEAN:
        is_good = n <= 1;
        n = 0;
        break;
    default:
        return false;
    }
    if (!is_good || n > s->n - *at)
        return false;
    *at += n;
    return true;
}

static bool check_value(struct section *s, size_t *at, unsigned depth);

/* What a pointer stands for; `only` is the type that it must be, 0 for any. */
static bool
check_target(struct section *s, size_t target, unsigned only, unsigned depth)
{
    struct field f;
    size_t at = target;

    if (target >= s->n || !read_field(s, &at, &f) || f.type == TYPE_POINTER ||
        (only && f.type != only))
        return false;
    if (s->checked[target / 8] >> target % 8 & 1)
        return true;
    at = target;
    if (!check_value(s, &at, depth) || at - target > VALUE_MAX)
        return false;
    s->checked[target / 8] |= (unsigned char)(1u << target % 8);
    return true;
}

static bool
check_key(struct section *s, size_t *at, unsigned depth)
{
    struct field f;

    if (!read_field(s, at, &f))
        return false;
    if (f.type == TYPE_POINTER)
        return check_target(s, f.size, TYPE_TEXT, depth + 1);
    return f.type == TYPE_TEXT && skip_scalar(s, at, &f);
}

/* The field at *at with all that it holds and points to; *at moves behind it. */
static bool
check_value(struct section *s, size_t *at, unsigned depth)
{
    struct field f;

    if (depth > DEPTH_MAX || !read_field(s, at, &f))
        return false;
    if (f.type == TYPE_POINTER)
        return check_target(s, f.size, s->pointed, depth + 1);
    if (f.type != TYPE_MAP && f.type != TYPE_ARRAY)
        return skip_scalar(s, at, &f);
    if (f.size > ENTRIES_MAX)
        return false;
    for (size_t i = 0; i < f.size; i++)
        if ((f.type == TYPE_MAP && !check_key(s, at, depth)) || !check_value(s, at, depth + 1))
            return false;
    return true;
}

/* ---- Metadata ---- */

struct metadata {
    uint64_t node_count;
    uint64_t record_size;
    uint64_t ip_version;
    uint64_t major;
};

static uint64_t *
number_of(struct metadata *m, struct slice key)
{
    if (slice_is(key, "node_count"))
        return &m->node_count;
    if (slice_is(key, "record_size"))
        return &m->record_size;
    if (slice_is(key, "ip_version"))
        return &m->ip_version;
    return slice_is(key, "binary_format_major_version") ? &m->major : NULL;
}

/* Does a map or array hold nothing but texts? What libmaxminddb makes a list of has to, or it
 * forgets to free it. */
static bool
holds_texts(struct section *s, size_t at, unsigned type)
{
    struct field whole, part;

    if (!read_field(s, &at, &whole) || whole.type != type)
        return false;
    for (size_t i = 0; i < whole.size; i++) {
        if (type == TYPE_MAP && !check_key(s, &at, 0))
            return false;
        if (!read_field(s, &at, &part) || (part.type != TYPE_TEXT && part.type != TYPE_POINTER))
            return false;
        if (part.type == TYPE_TEXT)
            at += part.size;
    }
    return true;
}

/* One entry of the metadata's map. */
static bool
read_entry(struct section *s, size_t *at, struct metadata *out)
{
    uint64_t *number;
    struct field f;
    struct slice key;
    size_t start = *at;

    if (!check_key(s, &start, 0))
        return false;
    read_field(s, at, &f);
    key = f.type == TYPE_TEXT ? slice_of((const char *)s->p + *at, f.size) : SLICE_EMPTY;
    *at = start;
    if (!check_value(s, at, 1))
        return false;
    if ((slice_is(key, "languages") && !holds_texts(s, start, TYPE_ARRAY)) ||
        (slice_is(key, "description") && !holds_texts(s, start, TYPE_MAP)))
        return false;
    number = number_of(out, key);
    if (number) {
        read_field(s, &start, &f);
        if (f.type != TYPE_UINT16 && f.type != TYPE_UINT32)
            return false;
        *number = load_big_endian(s->p + start, f.size);
    }
    return true;
}

/* Where the last marker starts; n where there is none. */
static size_t
find_marker(const unsigned char *p, size_t n)
{
    for (size_t i = n; i-- > 0 && n - i <= METADATA_MAX;)
        if (n - i >= MARKER_BYTES && memcmp(p + i, MARKER, MARKER_BYTES) == 0)
            return i;
    return n;
}

static bool
read_entries(struct section *s, struct metadata *out)
{
    struct field f;
    size_t at = 0;

    if (!read_field(s, &at, &f) || f.type != TYPE_MAP || f.size > ENTRIES_MAX)
        return false;
    for (size_t i = 0; i < f.size; i++)
        if (!read_entry(s, &at, out))
            return false;
    return true;
}

/* Pointers stand for texts alone here, as libmaxminddb makes a list of all that they stand for. */
static bool
read_metadata(const unsigned char *p, size_t n, struct metadata *out)
{
    struct section s = {p, n, mem_zalloc(n / 8 + 1), TYPE_TEXT, WORK_PER_BYTE * (uint64_t)n};
    bool is_good;

    memset(out, 0, sizeof *out);
    is_good = read_entries(&s, out);
    free(s.checked);
    return is_good && out->major == 2 && (out->ip_version == 4 || out->ip_version == 6) &&
           (out->record_size == 24 || out->record_size == 28 || out->record_size == 32) &&
           out->node_count > 0 && out->node_count <= UINT32_MAX;
}

/* ---- The tree ---- */

/* One of the two records of a node. */
static uint64_t
read_record(const unsigned char *node, uint64_t bits, int side)
{
    if (bits == 28)
        return side == 0 ? (uint64_t)(node[3] & 0xF0) << 20 | load_big_endian(node, 3)
                         : (uint64_t)(node[3] & 0x0F) << 24 | load_big_endian(node + 4, 3);
    return load_big_endian(node + (side ? bits / 8 : 0), bits / 8);
}

static bool
check_tree(const unsigned char *tree, const struct metadata *m, struct section *data)
{
    size_t node_bytes = m->record_size / 4;

    for (uint64_t i = 0; i < m->node_count; i++)
        for (int side = 0; side < 2; side++) {
            uint64_t record = read_record(tree + i * node_bytes, m->record_size, side);

            if (record > m->node_count &&
                (record < m->node_count + SEPARATOR ||
                 !check_target(data, (size_t)(record - m->node_count - SEPARATOR), TYPE_MAP, 0)))
                return false;
        }
    return true;
}

enum err_code
place__check(const unsigned char *bytes, size_t n, struct err *err)
{
    size_t end = find_marker(bytes, n), tree_bytes;
    struct section data = {.checked = NULL};
    struct metadata m;
    bool is_good;

    if (end == n)
        return err_set(err, ERR_CORRUPT, NULL, "it is no MaxMind database, or its end is missing");
    if (!read_metadata(bytes + end + MARKER_BYTES, n - end - MARKER_BYTES, &m))
        return err_set(err, ERR_CORRUPT, NULL, "its metadata are damaged");
    if (m.node_count > (end < SEPARATOR ? 0 : end - SEPARATOR) / (m.record_size / 4))
        return err_set(err, ERR_CORRUPT, NULL, "its search tree is cut off");
    tree_bytes = m.node_count * (m.record_size / 4);
    data.p = bytes + tree_bytes + SEPARATOR;
    data.n = end - tree_bytes - SEPARATOR;
    data.checked = mem_zalloc(data.n / 8 + 1);
    data.work_left = WORK_PER_BYTE * (uint64_t)n;
    is_good = check_tree(bytes, &m, &data);
    free(data.checked);
    return is_good ? ERR_OK : err_set(err, ERR_CORRUPT, NULL, "its tree or its data are damaged");
}
