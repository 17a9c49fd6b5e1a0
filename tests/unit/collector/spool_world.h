/* A spool in a folder of its own, and batches whose events are numbers. */
#ifndef TESTS_UNIT_COLLECTOR_SPOOL_WORLD_H
#define TESTS_UNIT_COLLECTOR_SPOOL_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "collector/spool.h"
#include "core/bytes.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/log.h"

#define MB          (1024 * 1024)
#define NUMBERS_MAX 4096

struct fixture {
    char dir[64];
    struct spool_config config;
    struct spool *spool;
};

static inline void
open_spool(struct fixture *f)
{
    struct err err;

    assert_int_equal(spool_open(&f->config, &f->spool, &err), ERR_OK);
}

static inline int
set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    snprintf(f->dir, sizeof f->dir, "/tmp/corong-spool-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->config = (struct spool_config){.dir = f->dir, .bytes_max = 64 * MB, .free_bytes_min = 1};
    open_spool(f);
    *state = f;
    return 0;
}

/* Names of the folder's files, sorted; returns how many. */
static inline int
list(const struct fixture *f, char names[][256], int max)
{
    struct dirent **entries;
    int n = scandir(f->dir, &entries, NULL, alphasort), n_kept = 0;

    for (int i = 0; i < n; i++) {
        if (entries[i]->d_name[0] != '.' && n_kept < max)
            snprintf(names[n_kept++], 256, "%s", entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return n_kept;
}

static inline void
remove_files(const struct fixture *f)
{
    char names[200][256], path[FILE_PATH_MAX];

    for (int n = list(f, names, 200); n > 0; n--) {
        file_path(path, f->dir, names[n - 1]);
        unlink(path);
    }
}

static inline int
tear_down(void **state)
{
    struct fixture *f = *state;

    spool_close(&f->spool);
    remove_files(f);
    rmdir(f->dir);
    free(f);
    return 0;
}

/* ---- Batches whose events are numbers ---- */

static inline void
add_event(struct buffer *b, uint32_t number, size_t filling)
{
    size_t at = b->n;

    buffer_add_u32(b, (uint32_t)(4 + filling));
    buffer_add_u64(b, 0);
    buffer_add_u32(b, number);
    for (size_t i = 0; i < filling; i++)
        buffer_add_char(b, (char)(number + i));
    store_u64(b->p + at + 4, checksum64(b->p + at + CODEC_RECORD_HEADER, 4 + filling));
}

/* Batch of `n` events: first, first + 1, .. */
static inline void
make_batch(struct buffer *b, uint32_t first, uint32_t n, size_t filling)
{
    codec_batch_begin(b);
    for (uint32_t i = 0; i < n; i++)
        add_event(b, first + i, filling);
}

static inline enum err_code
append(struct fixture *f, uint32_t first, uint32_t n, size_t filling, struct err *err)
{
    struct buffer b = BUFFER_EMPTY;
    struct slice batch;
    enum err_code rc;

    make_batch(&b, first, n, filling);
    batch = buffer_slice(&b);
    rc = spool_append(f->spool, &batch, 1, err);
    buffer_fini(&b);
    return rc;
}

/* Count the events of what the spool gives, dropping `step` batches at a time. */
static inline int
drain(struct spool *spool, unsigned char *counts, int step)
{
    struct slice batches[SPOOL_PEEK_MAX];
    struct codec_reader reader;
    struct slice payload;
    int n_batches = 0, n;

    memset(counts, 0, NUMBERS_MAX);
    while ((n = spool_peek(spool, batches, step)) > 0) {
        for (int i = 0; i < n; i++) {
            assert_int_equal(codec_reader_init(&reader, batches[i], NULL), ERR_OK);
            while (codec_reader_next(&reader, &payload)) {
                assert_true(load_u32(payload.p) < NUMBERS_MAX);
                counts[load_u32(payload.p)]++;
            }
            assert_int_equal(reader.n_bad, 0);
        }
        spool_drop(spool, n);
        n_batches += n;
    }
    return n_batches;
}

static inline void
expect_once(const unsigned char *counts, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (counts[i] != 1)
            fail_msg("event %u is there %d times", i, counts[i]);
}

static inline void
put_file(const char *path, const char *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(file_write(fd, bytes, n, NULL), ERR_OK);
    close(fd);
}

#define WITH_FOLDER(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

#endif
