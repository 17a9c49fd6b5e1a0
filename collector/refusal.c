#include "collector/refusal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/log.h"
#include "core/stream_list.h"
#include "core/ticker.h"

#define RING_MAX    256
#define ARENA_BYTES (64 * 1024)
#define MESSAGE_MAX 160
#define FIELD_MAX   80
#define EVENT_MAX   80

struct note {
    uint32_t site; /* 0: written */
    enum reason why;
    int64_t time_ms;
    char message[MESSAGE_MAX];
    char field[FIELD_MAX];
    char event[EVENT_MAX];
};

struct refusals {
    struct stream *stream; /* of the thread */
    int64_t write_ms;
    struct ticker *ticker;
    pthread_mutex_t mutex; /* guards notes and n; held for copies only */
    int n;
    struct note notes[RING_MAX];
    struct note taken[RING_MAX]; /* the thread's own */
};

static void
copy_text(struct slice text, char *out, size_t size)
{
    slice_to_cstr(slice_sub(text, 0, slice_utf8_cut(text, size - 1)), out, size);
}

void
refusals_note(struct refusals *r, const struct refusal *refusal)
{
    struct note note = {.site = refusal->site, .why = refusal->why, .time_ms = refusal->time_ms};

    copy_text(slice_from(refusal->message), note.message, sizeof note.message);
    copy_text(slice_from(refusal->field), note.field, sizeof note.field);
    copy_text(refusal->event, note.event, sizeof note.event);
    pthread_mutex_lock(&r->mutex);
    if (r->n < RING_MAX)
        r->notes[r->n++] = note;
    pthread_mutex_unlock(&r->mutex);
}

/* ---- The thread ---- */

static void
add_member(struct buffer *out, const char *name, const char *value)
{
    if (value[0] == '\0')
        return;
    buffer_printf(out, ",\"%s\":", name);
    buffer_add_json(out, slice_from(value));
}

static struct slice
note_json(const struct note *note, struct arena *a)
{
    struct buffer json = BUFFER_EMPTY;
    struct slice out;

    buffer_printf(&json, "{\"time\":%lld,\"reason\":\"%s\"", (long long)note->time_ms,
                  reason_name(note->why));
    add_member(&json, "field", note->field);
    add_member(&json, "message", note->message);
    add_member(&json, "event", note->event);
    buffer_add_char(&json, '}');
    out = arena_copy(a, buffer_slice(&json));
    buffer_fini(&json);
    return out;
}

/* The notes of the first site that is not written yet, as far as one push goes. */
static enum err_code
write_site(struct refusals *r, int from, int n, struct arena *a)
{
    struct slice values[STREAM_LIST_PUSH_MAX];
    uint32_t site = r->taken[from].site;
    char key[sizeof STREAM_REFUSED + 16];
    int n_values = 0;

    for (int i = from; i < n && n_values < STREAM_LIST_PUSH_MAX; i++) {
        if (r->taken[i].site != site)
            continue;
        values[n_values++] = note_json(&r->taken[i], a);
        r->taken[i].site = 0;
    }
    snprintf(key, sizeof key, STREAM_REFUSED "%u", (unsigned)site);
    return stream_list_push(r->stream, key, values, n_values, STREAM_REFUSED_MAX,
                            STREAM_REFUSED_LIFE, NULL);
}

static void
write_all(struct refusals *r)
{
    struct arena a;
    int n;

    pthread_mutex_lock(&r->mutex);
    n = r->n;
    memcpy(r->taken, r->notes, (size_t)n * sizeof *r->taken);
    r->n = 0;
    pthread_mutex_unlock(&r->mutex);
    if (n == 0)
        return;
    arena_init(&a, ARENA_BYTES);
    for (int i = 0; i < n; i++) {
        if (r->taken[i].site != 0 && write_site(r, i, n, &a) != ERR_OK) {
            log_debug("refusals are not listed: Redis is away or full");
            break;
        }
    }
    arena_fini(&a);
}

static int64_t
tick(void *context)
{
    struct refusals *r = context;

    write_all(r);
    return r->write_ms;
}

static void
destroy(struct refusals *r)
{
    stream_destroy(&r->stream);
    pthread_mutex_destroy(&r->mutex);
    free(r);
}

enum err_code
refusals_start(const struct stream_address *redis, int64_t write_ms, struct refusals **out,
               struct err *err)
{
    struct refusals *r = mem_zalloc(sizeof *r);
    enum err_code rc;

    r->stream = stream_create(redis);
    r->write_ms = write_ms;
    pthread_mutex_init(&r->mutex, NULL);
    rc = ticker_start(tick, r, write_ms, &r->ticker, err);
    if (rc != ERR_OK)
        destroy(r);
    else
        *out = r;
    return rc;
}

void
refusals_stop(struct refusals **r)
{
    if (!*r)
        return;
    ticker_stop(&(*r)->ticker);
    write_all(*r);
    destroy(*r);
    *r = NULL;
}
