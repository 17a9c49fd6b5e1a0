/* Any file: opening and reading a segment ends with an error or with values within their bounds.
 * Each input is read as it is, and once more with its checksums made right, so that what lies
 * behind them is reached too. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "aggregator/segment/segment.h"
#include "core/file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/aggregator/segment/format_repair.h"

#define ROWS_READ 300 /* of each file: bounded work */

static size_t n_bytes_seen; /* reading every byte is the point; the sum keeps the compiler honest */

static void
touch(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        n_bytes_seen += (unsigned char)s.p[i];
}

static void
read_texts(const struct segment_column *c)
{
    uint32_t codes[100];

    for (uint32_t code = 0; code < c->n_codes && code < ROWS_READ; code++)
        touch(segment_text_value(c, code));
    for (uint32_t row = 0; row < c->n_rows && row < ROWS_READ;) {
        uint32_t n = c->n_rows - row < 100 ? c->n_rows - row : 100;

        segment_codes(c, row, n, codes);
        for (uint32_t i = 0; i < n; i++)
            assert(codes[i] < c->n_codes);
        row += n;
    }
    assert(segment_text_find(c, SLICE("e1")) < c->n_codes);
}

#define RUNS_READ 100

static void
read_runs_of_text(const struct segment *s, const struct segment_column *c)
{
    uint64_t *bits = mem_zalloc(c->n_codes * sizeof *bits);
    uint32_t n = segment_info(s)->n_runs < RUNS_READ ? segment_info(s)->n_runs : RUNS_READ;
    uint32_t codes[RUNS_READ];
    struct segment_run_bits known[RUNS_READ] = {{0, 0}};

    segment_run_codes(c, 0, n, codes);
    segment_run_bits(c, bits, 0, n, known);
    for (uint32_t i = 0; i < n; i++) {
        assert(codes[i] < c->n_codes || codes[i] == CODES_DIFFER);
        n_bytes_seen += known[i].any;
    }
    free(bits);
}

static void
read_runs(const struct segment *s)
{
    const uint32_t *rows = segment_run_rows(s);
    struct segment_cursor *cursor = segment_cursor_create(s);
    struct segment_presence presence;
    struct segment_column time;
    int64_t times[ROWS_READ];
    bool has_times = segment_time_open(s, &time, NULL) == ERR_OK;
    bool has_presence = segment_presence_open(s, &presence, NULL) == ERR_OK && presence.n_words > 0;
    bool is_same;

    for (uint32_t run = 0; run < segment_info(s)->n_runs && run < RUNS_READ; run++) {
        uint32_t which = 0;

        if (has_presence)
            segment_presence_read(&presence, run, 1, &which);
        if (has_presence)
            n_bytes_seen += presence.words[which] + presence.orders[which];
        if (has_times && rows[run + 1] - rows[run] <= ROWS_READ)
            segment_run_times(&time, run, times);
        (void)segment_cursor_is_same(cursor, run, cursor, 0, &is_same, NULL);
    }
    segment_cursor_destroy(&cursor);
}

static void
read_columns(const struct segment *s)
{
    struct segment_column c;
    int64_t value;
    bool is_set;

    for (int i = 0; i < TEXT_COUNT; i++)
        if (segment_text_open(s, (enum event_text)i, &c, NULL) == ERR_OK) {
            read_texts(&c);
            read_runs_of_text(s, &c);
        }
    for (uint32_t i = 0; i < segment_property_count(s) && i < ROWS_READ; i++)
        if (segment_property_open(s, segment_property_key(s, i), &c, NULL) == ERR_OK)
            read_texts(&c);
    for (int i = 0; i < NUMBER_COUNT; i++)
        if (segment_number_open(s, (enum event_number)i, &c, NULL) == ERR_OK)
            for (uint32_t row = 0; row < c.n_rows && row < ROWS_READ; row++)
                segment_values(&c, row, 1, &value, &is_set);
}

static void
read_events(const struct segment *s)
{
    struct segment_cursor *c = segment_cursor_create(s);
    const struct segment_site *site = segment_sites(s);
    struct slice text = SLICE_EMPTY;
    struct event e;
    struct arena a;
    uint32_t run;

    arena_init(&a, 4096);
    for (uint32_t row = 0; row < segment_info(s)->n_rows && row < ROWS_READ; row++) {
        if (segment_cursor_event(c, row, &a, &e, NULL) == ERR_OK) {
            touch(e.visitor);
            touch(e.id);
        }
        arena_reset(&a);
    }
    for (run = site->run_begin; run < site->run_end && run < ROWS_READ; run++)
        if (segment_cursor_visitor(c, run, &text, NULL) == ERR_OK)
            touch(text);
    (void)segment_find_visitor(c, site->site, SLICE("v1"), &run, NULL);
    arena_fini(&a);
    segment_cursor_destroy(&c);
}

static void
read_file_at(const char *path, const uint8_t *bytes, size_t n)
{
    struct segment_owner owner = {.hash_seed = 0};
    struct segment *s = NULL;

    if (n >= FORMAT_HEADER) {
        memcpy(owner.install_id, bytes + HEADER_INSTALL, sizeof owner.install_id);
        owner.hash_seed = load_u64(bytes + HEADER_SEED);
    }
    if (segment_open(path, &owner, &s, NULL) != ERR_OK)
        return;
    read_columns(s);
    read_events(s);
    read_runs(s);
    (void)segment_check(s, NULL);
    segment_close(&s);
}

static void
read_bytes(const uint8_t *bytes, size_t n)
{
    int fd = memfd_create("segment", MFD_CLOEXEC);
    char path[64];

    assert(fd >= 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (file_write(fd, bytes, n, NULL) == ERR_OK)
        read_file_at(path, bytes, n);
    close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    uint8_t *repaired = mem_alloc(n + 1);

    read_bytes(bytes, n);
    if (n > 0)
        memcpy(repaired, bytes, n);
    format_repair(repaired, n);
    read_bytes(repaired, n);
    free(repaired);
    return 0;
}
