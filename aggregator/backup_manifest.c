/* The manifest: its lines, and the checksums of files. */
#include "aggregator/backup_manifest.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/hash.h"

#define NAME         "manifest"
#define VERSION      1
#define MODE         0600
#define MANIFEST_MAX (256u << 20)

/* ---- Files ---- */

void
backup_manifest_keep(struct backup_manifest *m, const struct backup_file *file, struct arena *a)
{
    if (m->n == m->n_max) {
        struct backup_file *more;

        m->n_max = 2 * m->n_max + 64;
        more = ARENA_ARRAY(a, struct backup_file, m->n_max);
        if (m->n != 0)
            memcpy(more, m->files, m->n * sizeof *more);
        m->files = more;
    }
    m->files[m->n] = *file;
    m->files[m->n++].path = arena_copy(a, file->path);
}

static enum err_code
measure(const char *dir, struct slice path, struct backup_file *out, struct err *err)
{
    struct backup_file file = {.path = path};
    struct file_map map = {NULL, 0};
    char name[FILE_PATH_MAX], full[FILE_PATH_MAX];
    enum err_code rc;
    struct stat st;

    if (!slice_to_cstr(path, name, sizeof name - strlen(dir) - 2))
        return err_set(err, ERR_CORRUPT, NULL, "the manifest has a name that is too long");
    file_path(full, dir, name);
    if (stat(full, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0) {
        file.check = checksum64("", 0); /* nothing to map */
        *out = file;
        return ERR_OK;
    }
    rc = file_map_open(full, &map, err);
    if (rc != ERR_OK)
        return rc;
    file.n_bytes = map.n;
    file.check = checksum64(map.p, map.n);
    file_map_close(&map);
    *out = file;
    return ERR_OK;
}

enum err_code
backup_manifest_add(struct backup_manifest *m, const char *dir, struct slice path, struct arena *a,
                    struct err *err)
{
    struct backup_file file;
    enum err_code rc = measure(dir, path, &file, err);

    if (rc == ERR_OK)
        backup_manifest_keep(m, &file, a);
    return rc;
}

enum err_code
backup_file_verify(const char *dir, const struct backup_file *file, struct err *err)
{
    struct backup_file found;
    enum err_code rc = measure(dir, file->path, &found, err);

    if (rc == ERR_NOT_FOUND)
        return err_set(err, rc, NULL, "%.*s is missing", SLICE_ARG(file->path));
    if (rc == ERR_OK && found.n_bytes != file->n_bytes)
        return err_set(err, ERR_CORRUPT, NULL, "%.*s has %" PRIu64 " bytes instead of %" PRIu64,
                       SLICE_ARG(file->path), found.n_bytes, file->n_bytes);
    if (rc == ERR_OK && found.check != file->check)
        return err_set(err, ERR_CORRUPT, NULL, "%.*s is damaged: its checksum is wrong",
                       SLICE_ARG(file->path));
    return rc;
}

static int
compare_paths(const void *x, const void *y)
{
    return slice_compare(((const struct backup_file *)x)->path,
                         ((const struct backup_file *)y)->path);
}

const struct backup_file *
backup_manifest_find(const struct backup_manifest *m, struct slice path)
{
    struct backup_file key = {.path = path};

    return m->n == 0 ? NULL : bsearch(&key, m->files, m->n, sizeof key, compare_paths);
}

/* ---- Writing ---- */

enum err_code
backup_manifest_write(const char *dir, const struct backup_manifest *m, struct err *err)
{
    struct buffer text = BUFFER_EMPTY;
    char path[FILE_PATH_MAX];
    enum err_code rc;

    buffer_printf(&text, "corong-backup %d\ninstall %s\nbegun %" PRId64 "\nstate %s\n", VERSION,
                  m->install_id, m->begun_ms, m->state);
    for (size_t i = 0; i < m->n; i++)
        buffer_printf(&text, "file %016" PRIx64 " %" PRIu64 " %.*s\n", m->files[i].check,
                      m->files[i].n_bytes, SLICE_ARG(m->files[i].path));
    buffer_printf(&text, "end %016" PRIx64 "\n", checksum64(text.p, text.n));
    file_path(path, dir, NAME);
    rc = file_replace(path, buffer_slice(&text), MODE, err);
    buffer_fini(&text);
    return rc;
}

/* ---- Reading ---- */

static bool
take(struct slice *text, const char *word, struct slice *value)
{
    struct slice line, name;

    return slice_cut(*text, '\n', &line, text) && slice_cut(line, ' ', &name, value) &&
           slice_is(name, word);
}

static bool
hex64(struct slice s, uint64_t *out)
{
    char text[17];
    char *end;

    if (s.n != 16 || !slice_to_cstr(s, text, sizeof text))
        return false;
    *out = strtoull(text, &end, 16);
    return *end == '\0';
}

/* What a path may be, so that a manifest names nothing outside its folder. */
static bool
is_plain(struct slice path)
{
    return path.n != 0 && path.p[0] != '/' && path.p[0] != '.' &&
           !slice_contains(path, SLICE("/.")) && !slice_contains(path, SLICE("//"));
}

static bool
parse_file(struct slice value, struct backup_file *out)
{
    struct slice check, rest, bytes;

    return slice_cut(value, ' ', &check, &rest) && hex64(check, &out->check) &&
           slice_cut(rest, ' ', &bytes, &out->path) && slice_to_uint64(bytes, &out->n_bytes) &&
           is_plain(out->path);
}

/* The lines behind the first. */
static bool
parse(struct slice text, struct arena *a, struct backup_manifest *m)
{
    struct slice value;

    if (!take(&text, "install", &value) ||
        !slice_to_cstr(value, m->install_id, sizeof m->install_id))
        return false;
    if (!take(&text, "begun", &value) || !slice_to_int64(value, &m->begun_ms))
        return false;
    if (!take(&text, "state", &value) || !is_plain(value) ||
        !slice_to_cstr(value, m->state, sizeof m->state))
        return false;
    while (text.n != 0) {
        struct backup_file file = {.n_bytes = 0};

        if (!take(&text, "file", &value) || !parse_file(value, &file))
            return false;
        backup_manifest_keep(m, &file, a);
    }
    if (m->n != 0)
        qsort(m->files, m->n, sizeof *m->files, compare_paths);
    return true;
}

/* Take off the last line; does it say the checksum of the rest? */
static bool
is_whole(struct slice *text)
{
    const size_t n_end = sizeof "end 0123456789abcdef\n" - 1;
    uint64_t check;
    struct slice end;

    if (text->n < n_end)
        return false;
    end = slice_sub(*text, text->n - n_end, n_end);
    *text = slice_sub(*text, 0, text->n - n_end);
    return slice_starts_with(end, SLICE("end ")) && slice_ends_with(end, SLICE("\n")) &&
           hex64(slice_sub(end, 4, 16), &check) && check == checksum64(text->p, text->n);
}

enum err_code
backup_manifest_read(const char *dir, struct arena *a, struct backup_manifest *out, struct err *err)
{
    struct backup_manifest m = {.n = 0};
    struct buffer bytes = BUFFER_EMPTY;
    struct slice text, rest, version;
    char path[FILE_PATH_MAX];
    int64_t number = 0;
    enum err_code rc;

    file_path(path, dir, NAME);
    rc = file_read(path, MANIFEST_MAX, &bytes, err);
    if (rc != ERR_OK)
        return rc;
    text = arena_copy(a, buffer_slice(&bytes));
    buffer_fini(&bytes);
    rest = text;
    if (take(&rest, "corong-backup", &version) && slice_to_int64(version, &number) &&
        number > VERSION)
        return err_set(err, ERR_VERSION, NULL, "%s was made by a newer Corong", dir);
    if (!is_whole(&text) || !take(&text, "corong-backup", &version) || number != VERSION ||
        !parse(text, a, &m))
        return err_set(err, ERR_CORRUPT, NULL, "%s is damaged", path);
    *out = m;
    return ERR_OK;
}
