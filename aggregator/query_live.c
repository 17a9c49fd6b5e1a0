/* Three steps: what each file has that is new (scan_part, remembered), the newest of all files
 * (choose), and what they became (query_live_told.c). */
#include "aggregator/query_live_int.h"

#include <stdlib.h>

#include "aggregator/query_int.h"
#include "core/hash.h"

#define SHOWN_MAX (LIVE_LIMIT_MAX + 50) /* repeats among them are dropped later */
#define SECONDS   700                   /* of LIVE_HERE_MS, and of events that are ahead */

struct live_row {
    int64_t time_ms;
    uint32_t row;
    uint32_t segment; /* of the snapshot */
};

struct live_visitor {
    uint64_t hash;
    int64_t last_ms;
};

/* What one file has of the site that was new when it was looked at. */
struct live_part {
    int64_t from_ms; /* visitors and counts are of events from then on */
    uint64_t n_newest;
    uint64_t n_visitors;
    uint32_t seconds[SECONDS]; /* events by second since from_ms; of later ones in the last */
    struct live_row newest[SHOWN_MAX];
    /* then the visitors */
};

/* ---- One file ---- */

struct scanning {
    struct live_part *part;
    struct live_visitor *visitors;
    size_t visitors_max;
    uint32_t run; /* of the last visitor */
};

/* Min-heap by time: the root is the next to go. */
static void
keep_newest(struct live_part *p, struct live_row row)
{
    struct live_row *heap = p->newest;
    size_t at;

    if (p->n_newest < SHOWN_MAX) {
        at = p->n_newest++;
        for (; at > 0 && heap[(at - 1) / 2].time_ms > row.time_ms; at = (at - 1) / 2)
            heap[at] = heap[(at - 1) / 2];
        heap[at] = row;
        return;
    }
    if (row.time_ms <= heap[0].time_ms)
        return;
    at = 0;
    for (size_t child; (child = 2 * at + 1) < SHOWN_MAX; at = child) {
        if (child + 1 < SHOWN_MAX && heap[child + 1].time_ms < heap[child].time_ms)
            child++;
        if (heap[child].time_ms >= row.time_ms)
            break;
        heap[at] = heap[child];
    }
    heap[at] = row;
}

static void
count_recent(struct scanning *s, const struct query_part *part, uint32_t row, int64_t time_ms)
{
    int64_t second = (time_ms - s->part->from_ms) / 1000;
    uint32_t run = segment_run_of_row(part->segment, row);

    s->part->seconds[second < SECONDS ? second : SECONDS - 1]++;
    if (s->part->n_visitors > 0 && s->run == run) {
        struct live_visitor *last = &s->visitors[s->part->n_visitors - 1];

        last->last_ms = time_ms > last->last_ms ? time_ms : last->last_ms;
        return;
    }
    if (s->part->n_visitors == s->visitors_max) {
        s->visitors_max = 2 * s->visitors_max + 256;
        s->visitors = mem_realloc(s->visitors, s->visitors_max * sizeof *s->visitors);
    }
    s->run = run;
    s->visitors[s->part->n_visitors++] =
        (struct live_visitor){segment_run_hashes(part->segment)[run], time_ms};
}

static void
take_rows(struct scanning *s, const struct query_part *part, const struct segment_column *time,
          const struct segment_column *flags)
{
    int64_t times[QUERY_CHUNK], bits[QUERY_CHUNK];
    bool counts[QUERY_CHUNK];

    for (uint32_t row = part->begin, n; row < part->end; row += n) {
        bool has_bits = false;

        n = query__rows(part, row, counts);
        segment_values(time, row, n, times, NULL);
        for (uint32_t i = 0; i < n; i++) {
            if (!counts[i])
                continue;
            keep_newest(s->part, (struct live_row){times[i], row + i, 0});
            if (times[i] < s->part->from_ms)
                continue;
            if (!has_bits)
                segment_values(flags, row, n, bits, NULL);
            has_bits = true;
            if ((bits[i] & EVENT_BOT) == 0)
                count_recent(s, part, row + i, times[i]);
        }
    }
}

static enum err_code
scan_part(const struct snapshot *snapshot, const struct query_part *part, struct scanning *s,
          struct err *err)
{
    struct query_part *pieces = NULL;
    struct segment_column time, flags;
    struct arena a;
    size_t n = 0;
    enum err_code rc;

    arena_init(&a, 1 << 10);
    rc = query__pieces(snapshot, part, &a, &pieces, &n, err);
    if (rc == ERR_OK)
        rc = segment_time_open(part->segment, &time, err);
    if (rc == ERR_OK)
        rc = segment_flags_open(part->segment, &flags, err);
    for (size_t i = 0; rc == ERR_OK && i < n; i++)
        take_rows(s, &pieces[i], &time, &flags);
    arena_fini(&a);
    return rc;
}

/* ---- All files ---- */

struct live_search {
    const struct query_live *q;
    const struct snapshot *snapshot;
    uint64_t erased; /* a hash of who does not count */
    struct buffer key;
    struct buffer bytes; /* of the part at hand */
    struct live_row *rows;
    size_t n_rows;
    struct live_visitor *visitors;
    size_t n_visitors;
    int64_t n_events;
};

static uint64_t
hash_erased(const struct segment_erased_list *l)
{
    uint64_t hash = hash64(slice_of((const char *)&l->kept_from_ms, sizeof l->kept_from_ms), 1);

    for (size_t i = 0; i < l->n; i++)
        hash = hash64(slice_of((const char *)&l->list[i], sizeof l->list[i]), hash);
    return hash;
}

/* What segment i has: remembered, or looked for now. */
static enum err_code
find_part(struct live_search *s, size_t i, const struct query_part *part, struct err *err)
{
    struct scanning scan = {.part = mem_zalloc(sizeof *scan.part)};
    enum err_code rc;

    buffer_clear(&s->key);
    buffer_clear(&s->bytes);
    buffer_printf(&s->key, "%s %u %llx", s->snapshot->segments[i].row->name, (unsigned)s->q->site,
                  (unsigned long long)s->erased);
    if (result_cache_get(s->q->cache, buffer_slice(&s->key), &s->bytes)) {
        free(scan.part);
        return ERR_OK;
    }
    scan.part->from_ms = s->q->now_ms - LIVE_HERE_MS;
    rc = scan_part(s->snapshot, part, &scan, err);
    if (rc == ERR_OK) {
        buffer_add(&s->bytes, scan.part, sizeof *scan.part);
        buffer_add(&s->bytes, scan.visitors, scan.part->n_visitors * sizeof *scan.visitors);
        result_cache_put(s->q->cache, buffer_slice(&s->key), buffer_slice(&s->bytes));
    }
    free(scan.visitors);
    free(scan.part);
    return rc;
}

static int
compare_rows(const void *x, const void *y)
{
    const struct live_row *a = x;
    const struct live_row *b = y;

    if (a->time_ms != b->time_ms)
        return a->time_ms > b->time_ms ? -1 : 1;
    if (a->segment != b->segment)
        return a->segment < b->segment ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

/* Take the part in s->bytes: of two lists of the newest the newest. */
static void
add_part(struct live_search *s, size_t i)
{
    struct live_part part;
    struct slice rest = slice_sub(buffer_slice(&s->bytes), sizeof part, SIZE_MAX);
    int64_t from_ms = s->q->now_ms - LIVE_HERE_MS;

    memcpy(&part, buffer_slice(&s->bytes).p, sizeof part);
    for (size_t k = 0; k < part.n_newest; k++) {
        s->rows[s->n_rows] = part.newest[k];
        s->rows[s->n_rows++].segment = (uint32_t)i;
    }
    qsort(s->rows, s->n_rows, sizeof *s->rows, compare_rows);
    if (s->n_rows > SHOWN_MAX)
        s->n_rows = SHOWN_MAX;
    for (int64_t second = 0; second < SECONDS; second++)
        if (part.from_ms + second * 1000 >= from_ms || second == SECONDS - 1)
            s->n_events += part.seconds[second];
    s->visitors =
        mem_realloc(s->visitors, (s->n_visitors + part.n_visitors + 1) * sizeof *s->visitors);
    for (size_t k = 0; k < part.n_visitors; k++) {
        struct live_visitor v;

        memcpy(&v, rest.p + k * sizeof v, sizeof v);
        if (v.last_ms >= from_ms)
            s->visitors[s->n_visitors++] = v;
    }
}

/* Segments of the site by their latest event, the latest first. */
struct live_order {
    int64_t time_max_ms;
    size_t segment;
};

static int
compare_order(const void *x, const void *y)
{
    const struct live_order *a = x;
    const struct live_order *b = y;

    if (a->time_max_ms != b->time_max_ms)
        return a->time_max_ms > b->time_max_ms ? -1 : 1;
    return a->segment < b->segment ? -1 : a->segment > b->segment;
}

/* Has nothing that is shown or counted? */
static bool
is_old(const struct live_search *s, int64_t time_max_ms)
{
    return time_max_ms < s->q->now_ms - LIVE_HERE_MS && s->n_rows == SHOWN_MAX &&
           s->rows[SHOWN_MAX - 1].time_ms > time_max_ms;
}

static enum err_code
search_parts(struct live_search *s, struct arena *a, struct live_answer *out, struct err *err)
{
    const struct snapshot *snapshot = s->snapshot;
    struct live_order *order = ARENA_ARRAY(a, struct live_order, snapshot->n + 1);
    enum err_code rc = ERR_OK;
    size_t n = 0;

    s->rows = ARENA_ARRAY(a, struct live_row, 2 * SHOWN_MAX);
    for (size_t i = 0; i < snapshot->n; i++) {
        const struct catalog_segment *row = snapshot->segments[i].row;
        struct query_part part;

        if (!query__part(snapshot, i, s->q->site, &part) ||
            segment_erased_cuts(&snapshot->erased, part.site->time_max_ms))
            continue;
        order[n++] = (struct live_order){part.site->time_max_ms, i};
        if (row->kind != CATALOG_MERGE && row->created_ms > out->stored_ms)
            out->stored_ms = row->created_ms;
    }
    qsort(order, n, sizeof *order, compare_order);
    for (size_t k = 0; k < n && rc == ERR_OK && !is_old(s, order[k].time_max_ms); k++) {
        struct err why = ERR_NONE;
        struct query_part part;

        (void)query__part(snapshot, order[k].segment, s->q->site, &part);
        rc = find_part(s, order[k].segment, &part, &why);
        if (rc == ERR_OK)
            add_part(s, order[k].segment);
        rc = query__leave_out(rc, &why, err);
        if (rc == ERR_OK && s->q->guard)
            rc = query_guard_status(s->q->guard, err);
    }
    return rc;
}

static int
compare_visitors(const void *x, const void *y)
{
    const struct live_visitor *a = x;
    const struct live_visitor *b = y;

    return a->hash < b->hash ? -1 : a->hash > b->hash;
}

static int64_t
count_visitors(struct live_search *s)
{
    int64_t n = 0;

    if (s->n_visitors > 1)
        qsort(s->visitors, s->n_visitors, sizeof *s->visitors, compare_visitors);
    for (size_t i = 0; i < s->n_visitors; i++)
        n += i == 0 || s->visitors[i].hash != s->visitors[i - 1].hash;
    return n;
}

/* ---- The newest events ---- */

uint64_t
live__key(const struct event *e)
{
    return hash64(e->id, hash64(e->visitor, 0));
}

static enum err_code
read_row(const struct live_search *s, const struct live_row *row, struct arena *a,
         struct live_event *out, struct err *err)
{
    struct segment_cursor *cursor =
        segment_cursor_create(s->snapshot->segments[row->segment].segment);
    enum err_code rc = segment_cursor_event(cursor, row->row, a, &out->event, err);

    if (rc == ERR_OK) {
        out->key = live__key(&out->event);
        event_keep(&out->event, a);
    }
    segment_cursor_destroy(&cursor);
    return rc;
}

static bool
is_repeat(const struct live_answer *answer, const struct live_event *e)
{
    for (size_t i = 0; i < answer->n; i++)
        if (answer->list[i].key == e->key)
            return true;
    return false;
}

/* What is damaged is left out, as everywhere. */
static void
read_rows(const struct live_search *s, struct arena *a, struct live_answer *out)
{
    int64_t after_ms =
        s->q->after_ms > INT64_MIN + LIVE_OVERLAP_MS ? s->q->after_ms - LIVE_OVERLAP_MS : INT64_MIN;

    out->has_events = s->n_rows > 0;
    out->newest_ms = s->n_rows > 0 ? s->rows[0].time_ms : 0;
    out->list = ARENA_ARRAY(a, struct live_event, s->q->limit + 1);
    for (size_t i = 0; i < s->n_rows && out->n < s->q->limit; i++) {
        struct live_event e = {.key = 0};

        if (s->rows[i].time_ms > after_ms && read_row(s, &s->rows[i], a, &e, NULL) == ERR_OK &&
            !is_repeat(out, &e))
            out->list[out->n++] = e;
    }
}

enum err_code
query_live(struct snapshot_pool *p, const struct query_live *q, struct arena *a,
           struct live_answer *out, struct err *err)
{
    struct live_answer answer = {.has_events = false};
    struct live_search s = {.q = q};
    enum err_code rc = snapshot_take(p, SNAPSHOT_WHOLE(q->site), &s.snapshot, err);

    if (rc != ERR_OK)
        return rc;
    s.erased = hash_erased(&s.snapshot->erased);
    rc = search_parts(&s, a, &answer, err);
    if (rc == ERR_OK) {
        answer.visitors = count_visitors(&s);
        answer.events = s.n_events;
        read_rows(&s, a, &answer);
    }
    snapshot_release(p, &s.snapshot);
    buffer_fini(&s.key);
    buffer_fini(&s.bytes);
    free(s.visitors);
    if (rc == ERR_OK)
        rc = live__tell(p, q, a, &answer, err);
    if (rc == ERR_OK)
        *out = answer;
    return rc;
}
