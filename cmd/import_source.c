#include "cmd/import_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buffer.h"

#define READ_BYTES (256 * 1024)

struct source {
    int fd;
    const char *name; /* borrowed */
    enum source_format format;
    struct buffer window; /* bytes read; those before `at` are used */
    size_t at;
    int64_t line; /* of the byte at `at` */
    int64_t n_used;
    int64_t n_total;
    bool is_at_end; /* nothing more to read */
    struct err failure;
    struct slice fields[SOURCE_FIELDS_MAX];
};

static struct slice
rest_of(const struct source *s)
{
    return slice_sub(buffer_slice(&s->window), s->at, SIZE_MAX);
}

/* Read some more behind what is there. */
static void
fill(struct source *s)
{
    struct buffer *w = &s->window;
    ssize_t got;

    if (s->at > 0) {
        memmove(w->p, w->p + s->at, w->n - s->at);
        w->n -= s->at;
        s->at = 0;
    }
    buffer_reserve(w, READ_BYTES);
    got = read(s->fd, w->p + w->n, READ_BYTES);
    if (got < 0 && errno == EINTR) /* Ctrl-C, while a pipe or a terminal says nothing */
        err_set(&s->failure, ERR_CONFLICT, NULL, "interrupted");
    else if (got < 0)
        err_errno(&s->failure, "cannot read %s", s->name);
    if (got <= 0)
        s->is_at_end = true;
    else
        w->n += (size_t)got;
}

/* Use n bytes up, counting their lines. */
static void
take(struct source *s, size_t n)
{
    const char *p = s->window.p + s->at;

    for (size_t i = 0; i < n; i++)
        s->line += p[i] == '\n';
    s->at += n;
    s->n_used += (int64_t)n;
}

static enum source_format
guess(const char *name, struct source *s)
{
    struct slice n = slice_from(name);
    struct slice start;

    if (slice_ends_with(n, SLICE(".csv")))
        return SOURCE_CSV;
    if (slice_ends_with(n, SLICE(".ndjson")) || slice_ends_with(n, SLICE(".jsonl")) ||
        slice_ends_with(n, SLICE(".json")))
        return SOURCE_NDJSON;
    start = slice_trim(rest_of(s));
    return start.n > 0 && start.p[0] == '{' ? SOURCE_NDJSON : SOURCE_CSV;
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
    fill(s);
    if (source_failed(s, err)) {
        source_close(&s);
        return err->code;
    }
    if (slice_starts_with(rest_of(s), SLICE("\xEF\xBB\xBF"))) /* a byte order mark */
        take(s, 3);
    s->format = format == SOURCE_GUESS ? guess(name, s) : format;
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

/* The record that rest starts with. A quote matters only where a field begins. */
static enum shape
measure_csv(struct slice rest, size_t *out_n)
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
    size_t end;

    if (is_csv)
        return measure_csv(rest, out_n);
    end = slice_find(rest, '\n', 0);
    *out_n = end + 1;
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

static enum source_got
split(struct source *s, struct slice record, struct source_row *row)
{
    bool is_last = false;

    row->n_fields = 0;
    while (!is_last) {
        size_t n = field_length(record);
        struct slice *field = &s->fields[row->n_fields];

        if (row->n_fields == SOURCE_FIELDS_MAX) {
            row->why = "more than 1,000 fields";
            return SOURCE_BAD;
        }
        *field = slice_sub(record, 0, n);
        is_last = n == record.n;
        record = slice_sub(record, n + 1, SIZE_MAX);
        if (!unquote(field)) {
            row->why = "text behind a closing quote";
            return SOURCE_BAD;
        }
        row->n_fields++;
    }
    return SOURCE_ROW;
}

/* The window starts with a record that is refused: leave out its first line, however long, and no
 * more, as a stray quote makes one record of many good ones. */
static enum source_got
give_up_line(struct source *s, const char *why, struct source_row *row)
{
    struct slice rest = rest_of(s);
    size_t end = slice_find(rest, '\n', 0);

    row->why = end > SOURCE_ROW_MAX ? "longer than 1 MiB" : why;
    while (end == rest.n && !s->is_at_end) {
        take(s, rest.n);
        fill(s);
        rest = rest_of(s);
        end = slice_find(rest, '\n', 0);
    }
    take(s, end < rest.n ? end + 1 : rest.n);
    return SOURCE_BAD;
}

/* Take the n bytes of a record, without its line end. */
static struct slice
take_record(struct source *s, size_t n)
{
    struct slice record = slice_sub(rest_of(s), 0, n);

    take(s, n);
    if (slice_ends_with(record, SLICE("\n")))
        record.n--;
    if (slice_ends_with(record, SLICE("\r")))
        record.n--;
    return record;
}

enum source_got
source_next(struct source *s, struct source_row *row)
{
    bool is_csv = s->format == SOURCE_CSV;

    row->fields = s->fields;
    for (;;) {
        struct slice rest = rest_of(s);
        struct slice record;
        size_t n = 0;
        enum shape shape = measure(rest, is_csv, &n);
        bool is_open = shape == SHAPE_OPEN || shape == SHAPE_QUOTED;

        row->line = s->line;
        if (is_open && !s->is_at_end && rest.n <= SOURCE_ROW_MAX) {
            fill(s);
            continue;
        }
        if (rest.n == 0)
            return SOURCE_END;
        if (shape == SHAPE_OPEN)
            n = rest.n;
        if (shape == SHAPE_BROKEN)
            return give_up_line(s, "text behind a closing quote, or a quote never closed", row);
        if (shape == SHAPE_QUOTED || n > SOURCE_ROW_MAX)
            return give_up_line(s, "longer than 1 MiB, or a quote never closed", row);
        record = take_record(s, n);
        if (slice_trim(record).n == 0)
            continue;
        if (is_csv)
            return split(s, record, row);
        s->fields[0] = record;
        row->n_fields = 1;
        return SOURCE_ROW;
    }
}
