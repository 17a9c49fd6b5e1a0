#include "cmd/import_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/bytes.h"

#define READ_BYTES (256 * 1024)

struct source {
    int fd;
    const char *name; /* borrowed */
    enum source_format format;
    struct buffer window; /* bytes read and not yet given */
    int64_t line;         /* of the next byte that is not in a record */
    int64_t n_used;
    int64_t n_total;
    bool is_at_end; /* nothing more to read */
    bool is_short;  /* the last read gave less than was asked for: more may have to be waited for */
    bool is_skipping; /* the rest of a line that was refused */
    struct err failure;
};

/* Read some more behind what is there. */
static void
fill(struct source *s, struct buffer *w)
{
    ssize_t got;

    buffer_reserve(w, READ_BYTES);
    got = read(s->fd, w->p + w->n, READ_BYTES);
    if (got < 0 && errno == EINTR) /* Ctrl-C, while a pipe or a terminal says nothing */
        err_set(&s->failure, ERR_CONFLICT, NULL, "interrupted");
    else if (got < 0)
        err_errno(&s->failure, "cannot read %s", s->name);
    s->is_short = got < READ_BYTES;
    if (got <= 0)
        s->is_at_end = true;
    else
        w->n += (size_t)got;
}

/* Use n bytes at p up, counting their lines. */
static void
take(struct source *s, const char *p, size_t n)
{
    const char *end = p + n;

    s->n_used += (int64_t)n;
    if (n > 0 && s->format == SOURCE_NDJSON) { /* a record is a line, or the file's last one */
        s->line += end[-1] == '\n';
        return;
    }
    for (p = memchr(p, '\n', n); p != NULL; p = memchr(p, '\n', (size_t)(end - p))) {
        s->line++;
        p++;
    }
}

static enum source_format
guess(const char *name, struct slice start)
{
    struct slice n = slice_from(name);

    if (slice_ends_with(n, SLICE(".csv")))
        return SOURCE_CSV;
    if (slice_ends_with(n, SLICE(".ndjson")) || slice_ends_with(n, SLICE(".jsonl")) ||
        slice_ends_with(n, SLICE(".json")))
        return SOURCE_NDJSON;
    start = slice_trim(start);
    return start.n > 0 && start.p[0] == '{' ? SOURCE_NDJSON : SOURCE_CSV;
}

/* Forget the first n bytes of w. */
static void
drop(struct source *s, struct buffer *w, size_t n)
{
    take(s, w->p, n);
    memmove(w->p, w->p + n, w->n - n);
    w->n -= n;
}

enum err_code
source_open(const char *name, enum source_format format, struct source **out, struct err *err)
{
    bool is_input = strcmp(name, "-") == 0;
    int fd = is_input ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
    struct source *s;
    struct stat st;

    if (fd < 0 && errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, NULL, "no such file: %s", name);
    if (fd < 0)
        return err_errno(err, "cannot open %s", name);
    s = mem_zalloc(sizeof *s);
    s->fd = fd;
    s->name = is_input ? "standard input" : name;
    s->line = 1;
    s->failure = ERR_NONE;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        s->n_total = st.st_size;
    fill(s, &s->window);
    if (source_failed(s, err)) {
        source_close(&s);
        return err->code;
    }
    if (slice_starts_with(buffer_slice(&s->window), SLICE("\xEF\xBB\xBF"))) /* byte order mark */
        drop(s, &s->window, 3);
    s->format = format == SOURCE_GUESS ? guess(name, buffer_slice(&s->window)) : format;
    *out = s;
    return ERR_OK;
}

void
source_close(struct source **s)
{
    if (*s == NULL)
        return;
    if ((*s)->fd != STDIN_FILENO)
        close((*s)->fd);
    buffer_fini(&(*s)->window);
    free(*s);
    *s = NULL;
}

void
source_block_fini(struct source_block *b)
{
    buffer_fini(&b->bytes);
    free(b->records);
    *b = (struct source_block){.n_records = 0};
}

enum source_format
source_format(const struct source *s)
{
    return s->format;
}

bool
source_failed(const struct source *s, struct err *err)
{
    if (s->failure.code == ERR_OK)
        return false;
    *err = s->failure;
    return true;
}

int64_t
source_bytes(const struct source *s)
{
    return s->n_used;
}

int64_t
source_bytes_total(const struct source *s)
{
    return s->n_total;
}

enum shape {
    SHAPE_WHOLE,  /* *out_n bytes, the line end included */
    SHAPE_OPEN,   /* its line end is not there; at the end of the input it needs none */
    SHAPE_QUOTED, /* as that, but inside quotes */
    SHAPE_BROKEN  /* text behind a closing quote: there, or the quote of an earlier line is stray */
};

/* The record that rest starts with, byte by byte. A quote matters only where a field begins. */
static enum shape
measure_quoted(struct slice rest, size_t *out_n)
{
    bool is_quoted = false;
    bool is_closed = false; /* just behind a quote that ended, or is doubled */
    bool is_field_start = true;

    for (size_t i = 0; i < rest.n; i++) {
        char c = rest.p[i];

        if (is_quoted) {
            is_closed = c == '"';
            is_quoted = !is_closed;
            continue;
        }
        if (c == '\n') {
            *out_n = i + 1;
            return SHAPE_WHOLE;
        }
        if (is_closed && c != '"' && c != ',' && c != '\r')
            return SHAPE_BROKEN;
        is_quoted = c == '"' && (is_field_start || is_closed);
        is_field_start = c == ',';
        is_closed = false;
    }
    return is_quoted ? SHAPE_QUOTED : SHAPE_OPEN;
}

static enum shape
measure(struct slice rest, bool is_csv, size_t *out_n)
{
    size_t end = slice_find(rest, '\n', 0);

    *out_n = end + 1;
    if (is_csv && memchr(rest.p, '"', end) != NULL)
        return measure_quoted(rest, out_n);
    return end < rest.n ? SHAPE_WHOLE : SHAPE_OPEN;
}

/* Undo quotes in place: "a ""b""" becomes a "b". False where text follows the closing quote. */
static bool
unquote(struct slice *field)
{
    char *out = (char *)(uintptr_t)field->p;
    size_t n = 0;
    size_t i = 1;

    if (field->n == 0 || field->p[0] != '"')
        return true;
    for (; i < field->n; i++) {
        if (field->p[i] == '"') {
            if (i + 1 >= field->n || field->p[i + 1] != '"')
                break;
            i++;
        }
        out[n++] = field->p[i];
    }
    if (i + 1 != field->n)
        return false;
    field->n = n;
    return true;
}

static size_t
field_length(struct slice rest)
{
    bool is_quoted = rest.n > 0 && rest.p[0] == '"';
    size_t i = is_quoted ? 1 : 0;

    while (is_quoted && i < rest.n) {
        if (rest.p[i] == '"' && i + 1 < rest.n && rest.p[i + 1] == '"')
            i++;
        else if (rest.p[i] == '"')
            is_quoted = false;
        i++;
    }
    return slice_find(rest, ',', i);
}

/* A record without quotes: commas by eights. */
static const char *
split_plain(struct slice record, struct slice *fields, size_t *out_n)
{
    size_t n_fields = 0;
    size_t begin = 0;
    size_t at = 0;

    while (at < record.n) {
        uint64_t marks;
        size_t n = record.n - at < 8 ? record.n - at : 8;
        uint64_t eight = 0;

        memcpy(&eight, record.p + at, n);
        for (marks = bytes_each_equal(eight, ','); marks != 0; marks &= marks - 1) {
            size_t comma = at + bytes_first(marks);

            if (n_fields == SOURCE_FIELDS_MAX)
                return "more than 1,000 fields";
            fields[n_fields++] = slice_of(record.p + begin, comma - begin);
            begin = comma + 1;
        }
        at += n;
    }
    if (n_fields == SOURCE_FIELDS_MAX)
        return "more than 1,000 fields";
    fields[n_fields++] = slice_of(record.p + begin, record.n - begin);
    *out_n = n_fields;
    return NULL;
}

const char *
source_split(struct slice record, struct slice *fields, size_t *out_n)
{
    bool is_last = false;
    size_t n_fields = 0;

    if (slice_find(record, '"', 0) == record.n)
        return split_plain(record, fields, out_n);

    while (!is_last) {
        size_t n = field_length(record);

        if (n_fields == SOURCE_FIELDS_MAX)
            return "more than 1,000 fields";
        fields[n_fields] = slice_of(record.p, n);
        is_last = n == record.n;
        record = slice_sub(record, n + 1, SIZE_MAX);
        if (!unquote(&fields[n_fields]))
            return "text behind a closing quote";
        n_fields++;
    }
    *out_n = n_fields;
    return NULL;
}

/* ---- blocks ---- */

static void
add_record(struct source_block *b, struct source_record record)
{
    if (b->n_records == b->n_records_max) {
        b->n_records_max = b->n_records_max == 0 ? 1024 : 2 * b->n_records_max;
        b->records = mem_realloc(b->records, b->n_records_max * sizeof *b->records);
    }
    b->records[b->n_records++] = record;
}

/* Pass over the rest of a line that was refused: as much of it as is there. */
static size_t
skip(struct source *s, struct slice rest)
{
    size_t end = slice_find(rest, '\n', 0);

    s->is_skipping = end == rest.n && !s->is_at_end;
    return end < rest.n ? end + 1 : rest.n;
}

/* The record of n bytes that the block has at `at`, without its line end. */
static void
keep(struct source *s, struct source_block *b, size_t at, size_t n)
{
    struct slice record = slice_of(b->bytes.p + at, n);

    if (slice_ends_with(record, SLICE("\n")))
        record.n--;
    if (slice_ends_with(record, SLICE("\r")))
        record.n--;
    if (slice_trim(record).n > 0)
        add_record(b, (struct source_record){.line = s->line, .at = at, .n = record.n});
}

/* Refuse what begins at `at`: its first line, however long, and no more, as a stray quote makes one
 * record of many good ones. */
static void
refuse(struct source *s, struct source_block *b, size_t at, struct slice rest, const char *why)
{
    if (slice_find(rest, '\n', 0) > SOURCE_ROW_MAX)
        why = "longer than 1 MiB";
    add_record(b, (struct source_record){.line = s->line, .at = at, .why = why});
    s->is_skipping = true;
}

/* Cut what the block has from `at` on into records, as far as their ends are there. Returns where
 * it stopped. */
static size_t
cut(struct source *s, struct source_block *b, size_t at)
{
    for (;;) {
        struct slice rest = slice_sub(buffer_slice(&b->bytes), at, SIZE_MAX);
        enum shape shape;
        size_t n = 0;

        if (rest.n == 0)
            return at;
        if (s->is_skipping) {
            n = skip(s, rest);
        } else {
            shape = measure(rest, s->format == SOURCE_CSV, &n);
            if ((shape == SHAPE_OPEN || shape == SHAPE_QUOTED) && !s->is_at_end &&
                rest.n <= SOURCE_ROW_MAX)
                return at;
            if (shape == SHAPE_OPEN)
                n = rest.n;
            if (shape == SHAPE_BROKEN) {
                refuse(s, b, at, rest, "text behind a closing quote, or a quote never closed");
                n = 0;
            } else if (shape == SHAPE_QUOTED || n > SOURCE_ROW_MAX) {
                refuse(s, b, at, rest, "longer than 1 MiB, or a quote never closed");
                n = 0;
            } else {
                keep(s, b, at, n);
            }
        }
        take(s, rest.p, n);
        at += n;
    }
}

static bool
is_enough(const struct source *s, const struct source_block *b)
{
    if (s->is_at_end)
        return true;
    return b->n_records > 0 && (s->is_short || s->is_skipping || b->bytes.n >= SOURCE_BLOCK_BYTES);
}

bool
source_read(struct source *s, struct source_block *b)
{
    struct buffer given = b->bytes;
    size_t at;

    b->bytes = s->window;
    b->n_records = 0;
    for (at = cut(s, b, 0); !is_enough(s, b); at = cut(s, b, at)) {
        if (b->n_records == 0 && at > 0) { /* what was skipped need not be kept */
            memmove(b->bytes.p, b->bytes.p + at, b->bytes.n - at);
            b->bytes.n -= at;
            at = 0;
        }
        fill(s, &b->bytes);
    }
    buffer_clear(&given);
    if (b->bytes.n > at)
        buffer_add(&given, b->bytes.p + at, b->bytes.n - at);
    s->window = given;
    return b->n_records > 0;
}
