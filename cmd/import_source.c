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
    do
        got = read(s->fd, w->p + w->n, READ_BYTES);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        err_errno(&s->failure, "cannot read");
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
    s->line = 1;
    s->failure = ERR_NONE;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        s->n_total = st.st_size;
    fill(s);
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

/* Length of the record that rest starts with, its line end included; 0 where its end is not there
 * yet. A quote matters only where a field begins. */
static size_t
record_length(struct slice rest, bool is_csv)
{
    bool is_quoted = false;
    bool is_field_start = true;

    if (!is_csv) {
        size_t end = slice_find(rest, '\n', 0);

        return end < rest.n ? end + 1 : 0;
    }
    for (size_t i = 0; i < rest.n; i++) {
        char c = rest.p[i];

        if (is_quoted) {
            if (c == '"' && i + 1 < rest.n && rest.p[i + 1] == '"')
                i++;
            else if (c == '"')
                is_quoted = false;
            continue;
        }
        if (c == '\n')
            return i + 1;
        is_quoted = c == '"' && is_field_start;
        is_field_start = c == ',';
    }
    return 0;
}

/* Whether a record that ends with the input ends well: not inside quotes. */
static bool
ends_outside_quotes(struct slice rest)
{
    /* a line end put behind it would end it, unless a quote is open */
    bool is_quoted = false;
    bool is_field_start = true;

    for (size_t i = 0; i < rest.n; i++) {
        char c = rest.p[i];

        if (is_quoted) {
            is_quoted = c != '"';
        } else {
            is_quoted = c == '"' && (is_field_start || (i > 0 && rest.p[i - 1] == '"'));
            is_field_start = c == ',';
        }
    }
    return !is_quoted;
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

/* The window starts with a record that never ends well: give up its first line only. */
static enum source_got
give_up_line(struct source *s, struct source_row *row)
{
    struct slice rest = rest_of(s);
    size_t end = slice_find(rest, '\n', 0);

    row->why = "longer than 1 MiB, or a quote that is not closed";
    take(s, end < rest.n ? end + 1 : rest.n);
    return SOURCE_BAD;
}

enum source_got
source_next(struct source *s, struct source_row *row)
{
    bool is_csv = s->format == SOURCE_CSV;

    row->fields = s->fields;
    for (;;) {
        struct slice rest = rest_of(s);
        size_t n = record_length(rest, is_csv);
        struct slice record;

        row->line = s->line;
        if (n == 0 && !s->is_at_end && rest.n <= SOURCE_ROW_MAX) {
            fill(s);
            continue;
        }
        if (n == 0 && rest.n == 0)
            return SOURCE_END;
        if (n == 0 && s->is_at_end && rest.n <= SOURCE_ROW_MAX &&
            (!is_csv || ends_outside_quotes(rest)))
            n = rest.n;
        if (n == 0 || n > SOURCE_ROW_MAX)
            return give_up_line(s, row);
        record = slice_sub(rest, 0, n);
        take(s, n);
        if (record.p[record.n - 1] == '\n')
            record.n--;
        if (record.n > 0 && record.p[record.n - 1] == '\r')
            record.n--;
        if (slice_trim(record).n == 0)
            continue;
        if (is_csv)
            return split(s, record, row);
        s->fields[0] = record;
        row->n_fields = 1;
        return SOURCE_ROW;
    }
}
