/* Times as steps: a run's first time, then how much later each further row was. Writing and
 * reading.
 */
#include <stdlib.h>

#include "aggregator/segment/encode_int.h"

#define FRAME FORMAT_STEP_FRAME

/* A frame's place, width and exceptions in one word. */
#define FRAME_OFFSET(word) ((word) & ((UINT64_C(1) << 40) - 1))
#define FRAME_WIDTH(word)  ((unsigned)((word) >> 40 & 0xff))
#define FRAME_ODD(word)    ((uint32_t)((word) >> 48))

static uint64_t
align8(uint64_t n)
{
    return (n + 7) & ~UINT64_C(7);
}

static uint32_t
frame_count(uint32_t n_steps)
{
    return n_steps / FRAME + (n_steps % FRAME != 0);
}

static uint32_t
steps_of_frame(uint32_t n_steps, uint32_t frame)
{
    uint32_t left = n_steps - frame * FRAME;

    return left < FRAME ? left : FRAME;
}

static uint64_t
frame_bytes(uint32_t n, unsigned width, uint32_t n_odd)
{
    return align8(segment__packed_bytes(n, width)) +
           align8(((uint64_t)n_odd * 2 + 3) / 4 * 4 + (uint64_t)n_odd * 4);
}

/* ---- writing ---- */

struct frame {
    uint32_t n;
    uint32_t step[FRAME];
};

struct stepper {
    struct segment__out *out;
    struct buffer frames; /* bytes */
    struct buffer words;
    struct buffer before; /* time before the first step of each frame */
    struct frame frame;
};

/* The width that takes least, exceptions included. */
static unsigned
choose_width(const struct frame *f, uint32_t *out_odd)
{
    uint32_t n_wider[34] = {0}; /* steps that need more than i bits */
    unsigned best = 32;

    for (uint32_t i = 0; i < f->n; i++)
        n_wider[f->step[i] == 0 ? 0 : 32 - __builtin_clz(f->step[i])]++;
    for (unsigned w = 32; w > 0; w--) /* of exactly w bits -> of more than w - 1 bits */
        n_wider[w - 1] += n_wider[w];
    for (unsigned w = 0; w < 32; w++)
        if (frame_bytes(f->n, w, n_wider[w + 1]) <
            frame_bytes(f->n, best, best == 32 ? 0 : n_wider[best + 1]))
            best = w;
    *out_odd = best == 32 ? 0 : n_wider[best + 1];
    return best;
}

static void
pad8(struct buffer *b)
{
    static const char zeros[8];

    buffer_add(b, zeros, (size_t)(align8(b->n) - b->n));
}

static void
add_bits(struct buffer *b, const struct frame *f, unsigned width)
{
    size_t n = (size_t)segment__packed_bytes(f->n, width);
    unsigned char *p;

    buffer_reserve(b, n + 8);
    p = (unsigned char *)b->p + b->n;
    memset(p, 0, n + 8);
    for (uint32_t i = 0; width > 0 && i < f->n; i++) {
        uint64_t bit = (uint64_t)i * width;
        uint64_t low = f->step[i] & ((UINT64_C(1) << width) - 1);

        store_u64(p + bit / 8, load_u64(p + bit / 8) | low << bit % 8);
    }
    b->n += n;
    pad8(b);
}

static void
end_frame(struct stepper *s)
{
    const struct frame *f = &s->frame;
    uint32_t n_odd;
    unsigned width = choose_width(f, &n_odd);
    unsigned char place[2];

    buffer_add_u64(&s->words, s->frames.n | (uint64_t)width << 40 | (uint64_t)n_odd << 48);
    add_bits(&s->frames, f, width);
    for (uint32_t i = 0; i < f->n; i++)
        if ((uint64_t)f->step[i] >> width != 0) {
            store_u16(place, (uint16_t)i);
            buffer_add(&s->frames, place, sizeof place);
        }
    if (n_odd % 2 != 0)
        buffer_add(&s->frames, "\0", 2);
    for (uint32_t i = 0; i < f->n; i++)
        if ((uint64_t)f->step[i] >> width != 0)
            buffer_add_u32(&s->frames, (uint32_t)((uint64_t)f->step[i] >> width));
    pad8(&s->frames);
    s->frame.n = 0;
}

/* Reads all times; the starts go to starts[]. False where a step has no room. */
static bool
collect(struct stepper *s, const struct segment__source *source, int64_t *starts)
{
    struct segment__batch *batch = mem_alloc(sizeof *batch);
    int64_t last = 0;
    uint32_t run = 0;
    bool fits = true;

    for (source->next(source->context, batch); batch->n > 0; source->next(source->context, batch))
        for (uint32_t i = 0; i < batch->n; i++) {
            int64_t time = batch->value[i];

            if (batch->row[i] == s->out->run_rows[run]) {
                starts[run++] = time;
            } else {
                if (s->frame.n == 0)
                    buffer_add_u64(&s->before, (uint64_t)last);
                fits &= time >= last && time - last <= UINT32_MAX;
                s->frame.step[s->frame.n++] = (uint32_t)(time - last);
                if (s->frame.n == FRAME)
                    end_frame(s);
            }
            last = time;
        }
    if (s->frame.n > 0)
        end_frame(s);
    free(batch);
    return fits;
}

struct starts {
    const int64_t *values;
    uint32_t n;
    uint32_t at;
};

static void
starts_next(void *context, struct segment__batch *batch)
{
    struct starts *s = context;

    for (batch->n = 0; batch->n < SEGMENT__BATCH && s->at < s->n; batch->n++, s->at++) {
        batch->row[batch->n] = s->at;
        batch->value[batch->n] = s->values[s->at];
    }
    if (batch->n == 0)
        s->at = 0;
}

static void
write_steps(struct stepper *s, struct segment__entry *e, const int64_t *starts)
{
    struct starts list = {starts, s->out->n_runs, 0};
    struct segment__source source = {starts_next, &list};
    uint64_t head;

    segment__out_begin(s->out);
    segment__add_values(s->out, &source, e, 0);
    segment__out_pad(s->out, 8);
    head = segment__out_length(s->out) + s->words.n + s->before.n;
    for (size_t at = 0; at < s->words.n; at += 8)
        store_u64(s->words.p + at, load_u64(s->words.p + at) + head);
    segment__out_add(s->out, s->words.p, s->words.n);
    segment__out_add(s->out, s->before.p, s->before.n);
    segment__out_add(s->out, s->frames.p, s->frames.n);
    segment__out_end(s->out, e);
}

bool
segment__encode_steps(struct segment__out *o, struct segment__entry *e,
                      const struct segment__source *source, const struct segment__survey *v,
                      uint64_t bytes)
{
    struct stepper *s = mem_zalloc(sizeof *s);
    int64_t *starts = mem_alloc((o->n_runs + (size_t)1) * sizeof *starts);
    bool is_worth_it;

    s->out = o;
    is_worth_it = collect(s, source, starts) &&
                  segment__packed_bytes(o->n_runs, segment__width((uint64_t)(v->max - v->min))) +
                          s->words.n + s->before.n + s->frames.n <
                      bytes;
    if (is_worth_it) {
        e->encoding = ENCODING_STEPS;
        e->count = v->n_rows;
        e->base = v->min;
        e->width = (unsigned char)segment__width((uint64_t)(v->max - v->min));
        write_steps(s, e, starts);
    }
    buffer_fini(&s->frames);
    buffer_fini(&s->words);
    buffer_fini(&s->before);
    free(starts);
    free(s);
    return is_worth_it;
}

/* ---- reading ---- */

bool
segment__lay_out_steps(const struct segment__block *b, struct segment_column *c)
{
    uint32_t n_steps = c->n_rows - c->n_runs;
    uint32_t n_frames = frame_count(n_steps);
    uint64_t starts = align8(segment__packed_bytes(c->n_runs, c->width));
    uint64_t at = starts + (uint64_t)n_frames * 16;

    if (c->n_runs > c->n_rows || b->entry->length < at)
        return false;
    c->packed = b->p;
    c->frames = (const uint64_t *)(const void *)(b->p + starts);
    c->block = b->p;
    for (uint32_t i = 0; i < n_frames; i++) {
        uint64_t word = c->frames[i];
        uint32_t n = steps_of_frame(n_steps, i);

        if (FRAME_OFFSET(word) != at || FRAME_WIDTH(word) > 32 || FRAME_ODD(word) > n)
            return false;
        at += frame_bytes(n, FRAME_WIDTH(word), FRAME_ODD(word));
    }
    return at == b->entry->length;
}

bool
segment__are_steps_right(const struct segment_column *c)
{
    uint32_t n_steps = c->n_rows - c->n_runs;

    for (uint32_t i = 0; i < frame_count(n_steps); i++) {
        uint64_t word = c->frames[i];
        uint32_t n = steps_of_frame(n_steps, i);
        const unsigned char *places =
            c->block + FRAME_OFFSET(word) + align8(segment__packed_bytes(n, FRAME_WIDTH(word)));

        for (uint32_t k = 0; k < FRAME_ODD(word); k++)
            if (load_u16(places + k * 2) >= n ||
                (k > 0 && load_u16(places + k * 2) <= load_u16(places + k * 2 - 2)))
                return false;
    }
    return true;
}

/* Steps [0, end) of a frame. */
static void
read_frame(const struct segment_column *c, uint32_t frame, uint32_t end, uint32_t *steps)
{
    uint64_t word = c->frames[frame];
    unsigned width = FRAME_WIDTH(word);
    uint32_t n = steps_of_frame(c->n_rows - c->n_runs, frame);
    const unsigned char *p = c->block + FRAME_OFFSET(word);
    const unsigned char *places = p + align8(segment__packed_bytes(n, width));
    const unsigned char *high = places + ((uint64_t)FRAME_ODD(word) * 2 + 3) / 4 * 4;

    segment__unpack32(p, width, 0, end, 0, steps);
    for (uint32_t k = 0; k < FRAME_ODD(word); k++) {
        uint32_t place = load_u16(places + k * 2);

        if (place >= end)
            break;
        steps[place] |= (uint32_t)((uint64_t)load_u32(high + (size_t)k * 4) << width);
    }
}

/* A frame at hand. */
struct walk {
    const struct segment_column *c;
    uint32_t frame; /* that steps has, up to n */
    uint32_t n;
    uint32_t steps[FRAME];
};

/* Where the steps from `step` on are, as many as *out_n of the frame; at least those up to last are
 * wanted. */
static const uint32_t *
steps_from(struct walk *w, uint32_t step, uint32_t last, uint32_t *out_n)
{
    uint32_t frame = step / FRAME;
    uint32_t at = step % FRAME;

    if (frame != w->frame || at >= w->n) {
        uint32_t n = steps_of_frame(w->c->n_rows - w->c->n_runs, frame);

        w->frame = frame;
        w->n = last / FRAME == frame && last % FRAME + 1 < n ? last % FRAME + 1 : n;
        read_frame(w->c, frame, w->n, w->steps);
    }
    *out_n = w->n - at;
    return w->steps + at;
}

static uint64_t
start_of(const struct segment_column *c, uint32_t run)
{
    return (uint64_t)c->base + segment__packed_get(c->packed, c->width, run);
}

/* The row to begin at so that `row` is reached with what is known there: the first of its run, or
 * one with the first step of a frame. *time is the time before it. */
static uint32_t
begin_at(const struct segment_column *c, uint32_t run, uint32_t row, uint64_t *time)
{
    uint32_t first = c->run_rows[run];
    uint32_t frame_step;

    if (row == first)
        return first;
    frame_step = (row - run - 1) / FRAME * FRAME;
    if (frame_step <= first - run) /* the run's first step is in the frame, or begins it */
        return first;
    *time = load_u64((const unsigned char *)(c->frames + frame_count(c->n_rows - c->n_runs)) +
                     (size_t)(frame_step / FRAME) * 8);
    return frame_step + run + 1;
}

/* Times of rows [at, end) of one run, none its first; the time before them is *time. NULL: only
 * that is wanted. last: the last step that the caller will come to. */
static void
add_steps(struct walk *w, uint32_t run, uint32_t at, uint32_t end, uint32_t last, uint64_t *time,
          int64_t *times)
{
    while (at < end) {
        uint32_t n;
        const uint32_t *steps = steps_from(w, at - run - 1, last, &n);

        n = n < end - at ? n : end - at;
        for (uint32_t i = 0; i < n; i++) {
            *time += steps[i];
            if (times != NULL)
                *times++ = (int64_t)*time;
        }
        at += n;
    }
}

void
segment__read_steps(const struct segment_column *c, uint32_t row, uint32_t n, int64_t *times)
{
    struct walk w;
    uint32_t end = row + n;
    uint64_t time = 0;
    uint32_t last;
    uint32_t run;
    uint32_t at;

    if (n == 0)
        return;
    w.c = c;
    w.frame = UINT32_MAX;
    w.n = 0;
    run = segment__seek_row(c->run_rows, c->n_runs, row);
    last = end - 1 - run; /* or less, where more runs begin */
    at = begin_at(c, run, row, &time);
    if (at < row) { /* what leads up to it */
        if (at == c->run_rows[run]) {
            time = start_of(c, run);
            at++;
        }
        add_steps(&w, run, at, row, last, &time, NULL);
    }
    for (at = row; at < end; run++) {
        uint32_t run_end = c->run_rows[run + 1] < end ? c->run_rows[run + 1] : end;

        if (at == c->run_rows[run]) {
            time = start_of(c, run);
            times[at++ - row] = (int64_t)time;
        }
        add_steps(&w, run, at, run_end, last, &time, times + (at - row));
        at = run_end;
    }
}

/* The first exception of a frame that is at `step` or behind it. Without a branch: any is as
 * likely.
 */
static uint32_t
seek_exception(const unsigned char *places, uint32_t n, uint32_t step)
{
    uint32_t first = 0;

    while (n > 1) {
        uint32_t half = n / 2;

        first += load_u16(places + (size_t)(first + half - 1) * 2) < step ? half : 0;
        n -= half;
    }
    return first + (n == 1 && load_u16(places + (size_t)first * 2) < step);
}

/* Steps [at, at + n) of a frame. */
static void
read_some(const struct segment_column *c, uint32_t frame, uint32_t at, uint32_t n, uint32_t *steps)
{
    uint64_t word = c->frames[frame];
    unsigned width = FRAME_WIDTH(word);
    const unsigned char *p = c->block + FRAME_OFFSET(word);
    const unsigned char *places =
        p + align8(segment__packed_bytes(steps_of_frame(c->n_rows - c->n_runs, frame), width));
    const unsigned char *high = places + ((uint64_t)FRAME_ODD(word) * 2 + 3) / 4 * 4;

    segment__unpack32(p, width, at, n, 0, steps);
    for (uint32_t k = seek_exception(places, FRAME_ODD(word), at); k < FRAME_ODD(word); k++) {
        uint32_t place = load_u16(places + (size_t)k * 2);

        if (place >= at + n)
            break;
        steps[place - at] |= (uint32_t)((uint64_t)load_u32(high + (size_t)k * 4) << width);
    }
}

void
segment_run_times(const struct segment_column *c, uint32_t run, int64_t *times)
{
    uint32_t row = c->run_rows[run];
    uint32_t left = c->run_rows[run + 1] - row - 1; /* that are steps */
    uint32_t step = row - run;
    uint32_t steps[FRAME];
    uint64_t time;

    if (c->encoding != ENCODING_STEPS) {
        segment_values(c, row, left + 1, times, NULL);
        return;
    }
    time = start_of(c, run);
    *times++ = (int64_t)time;
    for (uint32_t n; left > 0; left -= n, step += n) {
        n = left < FRAME - step % FRAME ? left : FRAME - step % FRAME;
        read_some(c, step / FRAME, step % FRAME, n, steps);
        for (uint32_t i = 0; i < n; i++) {
            time += steps[i];
            *times++ = (int64_t)time;
        }
    }
}

int64_t
segment_run_start(const struct segment_column *c, uint32_t run)
{
    int64_t time;

    if (c->encoding == ENCODING_STEPS)
        return (int64_t)start_of(c, run);
    segment_values(c, c->run_rows[run], 1, &time, NULL);
    return time;
}
