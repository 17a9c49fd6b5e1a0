/* One lock guards all but the readers, which remember what was found under it. Texts are kept once
 * in a table (open addressing, at most half full); each input's column remembers the numbers of its
 * codes. */
#include "aggregator/attribute_values.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/decimal.h"
#include "core/hash.h"

#define FIRST_ROOM 256        /* a power of two */
#define UNKNOWN    UINT32_MAX /* a code whose number was not asked for yet */

struct reader {
    struct segment_column column;
    struct segment_column currency; /* of `value` */
    _Atomic uint32_t *numbers;      /* owned; by code */
};

struct attribute_values {
    pthread_mutex_t lock;
    const struct request_breakdown *asked;
    const struct page_groups *groups;
    struct reader *readers;
    size_t n_readers;
    struct slice *texts; /* by number; [0] is null's */
    uint32_t n;
    uint32_t *slots; /* number; 0: free */
    uint32_t n_slots;
    uint32_t bins[REQUEST_BINS_MAX + 1]; /* the number of each; 0: not met yet */
    struct buffer decimal;               /* a number as it is stored */
    struct buffer canonical;             /* the same, however many digits its currency has */
    struct arena arena;
};

struct attribute_values *
attribute_values_create(const struct request_breakdown *asked, const struct page_groups *groups)
{
    struct attribute_values *v = mem_zalloc(sizeof *v);

    pthread_mutex_init(&v->lock, NULL);
    v->asked = asked;
    v->groups = groups;
    v->n_slots = FIRST_ROOM;
    v->slots = mem_zalloc(v->n_slots * sizeof *v->slots);
    v->texts = mem_alloc(v->n_slots * sizeof *v->texts);
    v->texts[v->n++] = SLICE_EMPTY;
    arena_init(&v->arena, 16 << 10);
    return v;
}

static void
close_readers(struct attribute_values *v)
{
    for (size_t i = 0; i < v->n_readers; i++)
        free((void *)(uintptr_t)v->readers[i].numbers);
    free(v->readers);
}

void
attribute_values_destroy(struct attribute_values **v)
{
    if (*v == NULL)
        return;
    close_readers(*v);
    free((*v)->texts);
    free((*v)->slots);
    buffer_fini(&(*v)->decimal);
    buffer_fini(&(*v)->canonical);
    arena_fini(&(*v)->arena);
    pthread_mutex_destroy(&(*v)->lock);
    free(*v);
    *v = NULL;
}

/* ---- Texts and numbers ---- */

static uint32_t *
slot_of(const struct attribute_values *v, struct slice text)
{
    uint32_t i = (uint32_t)hash64(text, 0) & (v->n_slots - 1);

    while (v->slots[i] != 0 && !slice_equal(v->texts[v->slots[i]], text))
        i = (i + 1) & (v->n_slots - 1);
    return &v->slots[i];
}

static void
grow(struct attribute_values *v)
{
    free(v->slots);
    v->n_slots *= 2;
    v->slots = mem_zalloc(v->n_slots * sizeof *v->slots);
    v->texts = mem_realloc(v->texts, v->n_slots * sizeof *v->texts);
    for (uint32_t i = 1; i < v->n; i++)
        *slot_of(v, v->texts[i]) = i;
}

static uint32_t
find_locked(struct attribute_values *v, struct slice text)
{
    uint32_t *slot;

    if (text.n == 0)
        return ATTRIBUTE_VALUE_NULL;
    slot = slot_of(v, text);
    if (*slot != 0)
        return *slot;
    if (v->n == v->n_slots / 2) {
        grow(v);
        slot = slot_of(v, text);
    }
    v->texts[v->n] = arena_copy(&v->arena, text);
    *slot = v->n;
    return v->n++;
}

uint32_t
attribute_values_find(struct attribute_values *v, struct slice text)
{
    uint32_t number;

    pthread_mutex_lock(&v->lock);
    number = find_locked(v, text);
    pthread_mutex_unlock(&v->lock);
    return number;
}

struct slice
attribute_values_text(const struct attribute_values *v, uint32_t number)
{
    assert(number < v->n);
    return v->texts[number];
}

/* ---- Opening ---- */

static enum err_code
open_reader(struct attribute_values *v, struct reader *r, const struct segment *segment,
            struct err *err)
{
    const struct attribute *a = &v->asked->attribute;
    enum err_code rc;

    if (a->source == SOURCE_NUMBER) {
        rc = segment_number_open(segment, (enum event_number)a->code, &r->column, err);
        if (rc == ERR_OK)
            rc = segment_text_open(segment, TEXT_CURRENCY, &r->currency, err);
    } else if (a->source == SOURCE_PROPERTY) {
        rc = segment_property_open(segment, a->key, &r->column, err);
    } else if (a->source == SOURCE_DERIVED && a->code == DERIVED_BOT) {
        rc = segment_flags_open(segment, &r->column, err);
    } else {
        rc = segment_text_open(segment,
                               a->source == SOURCE_TEXT ? (enum event_text)a->code : TEXT_PATH,
                               &r->column, err);
    }
    if (rc != ERR_OK)
        return rc;
    r->numbers = mem_alloc((r->column.n_codes + (size_t)1) * sizeof *r->numbers);
    for (uint32_t i = 0; i < r->column.n_codes; i++)
        atomic_init(&r->numbers[i], UNKNOWN);
    return ERR_OK;
}

void
attribute_values_begin(struct attribute_values *v, size_t n_inputs)
{
    close_readers(v);
    v->n_readers = n_inputs;
    v->readers = mem_zalloc((n_inputs + 1) * sizeof *v->readers);
}

enum err_code
attribute_values_open_input(struct attribute_values *v, size_t input, const struct segment *segment,
                            struct err *err)
{
    if (matcher_part_of(&v->asked->attribute) == PART_ENTRANCE)
        return ERR_OK;
    return open_reader(v, &v->readers[input], segment, err);
}

enum err_code
attribute_values_open(struct attribute_values *v, const struct journey_input *inputs, size_t n,
                      size_t *bad, struct err *err)
{
    enum err_code rc = ERR_OK;

    attribute_values_begin(v, n);
    for (size_t i = 0; i < n && rc == ERR_OK; i++) {
        if (inputs[i].scan)
            rc = attribute_values_open_input(v, i, inputs[i].segment, err);
        *bad = i;
    }
    return rc;
}

/* ---- Reading ---- */

const struct segment_column *
attribute_values_column(const struct attribute_values *v, size_t input)
{
    const struct reader *r = &v->readers[input];

    return r->numbers && r->column.n_codes > 0 ? &r->column : NULL;
}

uint32_t
attribute_values_of_code(struct attribute_values *v, size_t input, uint32_t code)
{
    struct reader *r = &v->readers[input];
    uint32_t number = atomic_load_explicit(&r->numbers[code], memory_order_relaxed);

    if (number == UNKNOWN) {
        struct slice text = segment_text_value(&r->column, code);

        if (attribute_is_page_group(&v->asked->attribute))
            text = page_groups_of(v->groups, text);
        number = attribute_values_find(v, text);
        atomic_store_explicit(&r->numbers[code], number, memory_order_relaxed);
    }
    return number;
}

void
attribute_windows_fini(struct attribute_windows *w)
{
    for (size_t i = 0; i < w->n; i++)
        free(w->of[i]);
    free(w->of);
    *w = (struct attribute_windows){.n = 0};
}

static struct segment_window *
window_of(struct attribute_windows *w, const struct attribute_values *v, size_t input)
{
    if (w->n == 0) {
        w->n = v->n_readers;
        w->of = mem_zalloc(w->n * sizeof *w->of);
    }
    if (w->of[input] == NULL) {
        w->of[input] =
            mem_alloc(sizeof **w->of); /* its rows are not touched before they are read */
        memset(w->of[input], 0, offsetof(struct segment_window, codes));
        w->of[input]->column = &v->readers[input].column;
    }
    return w->of[input];
}

static uint32_t
read_code(struct attribute_values *v, struct attribute_windows *w, struct journey_place place)
{
    uint32_t code;

    if (w != NULL)
        return segment_window_code(window_of(w, v, place.input), place.row);
    segment_codes(&v->readers[place.input].column, place.row, 1, &code);
    return code;
}

static int64_t
read_units(struct attribute_values *v, struct attribute_windows *w, struct journey_place place,
           bool *is_set)
{
    int64_t units;

    if (w != NULL)
        return segment_window_value(window_of(w, v, place.input), place.row, is_set);
    segment_values(&v->readers[place.input].column, place.row, 1, &units, is_set);
    return units;
}

static uint32_t
read_bot(struct attribute_values *v, struct attribute_windows *w, struct journey_place place)
{
    bool is_set;
    int64_t flags = read_units(v, w, place, &is_set);

    return attribute_values_find(v, (flags & EVENT_BOT) != 0 ? SLICE("true") : SLICE("false"));
}

static uint32_t
bin_of_locked(struct attribute_values *v, struct slice number)
{
    size_t bin = request_bin(v->asked, number);

    if (v->bins[bin] == 0)
        v->bins[bin] = find_locked(v, request_bin_name(v->asked, bin, &v->arena));
    return v->bins[bin];
}

static uint32_t
number_of_locked(struct attribute_values *v, int64_t units, int digits)
{
    buffer_clear(&v->decimal);
    buffer_clear(&v->canonical);
    decimal_add(&v->decimal, units, digits);
    if (v->asked->n_bins != 0)
        return bin_of_locked(v, buffer_slice(&v->decimal));
    (void)decimal_canonical(buffer_slice(&v->decimal), &v->canonical);
    return find_locked(v, buffer_slice(&v->canonical));
}

static uint32_t
read_number(struct attribute_values *v, struct attribute_windows *w, struct journey_place place)
{
    enum event_number attribute = (enum event_number)v->asked->attribute.code;
    const struct reader *r = &v->readers[place.input];
    uint32_t currency;
    uint32_t number;
    bool is_set;
    int64_t units = read_units(v, w, place, &is_set);

    if (!is_set)
        return ATTRIBUTE_VALUE_NULL;
    segment_codes(&r->currency, place.row, 1, &currency);
    pthread_mutex_lock(&v->lock);
    number = number_of_locked(
        v, units, event_number_digits(attribute, segment_text_value(&r->currency, currency)));
    pthread_mutex_unlock(&v->lock);
    return number;
}

uint32_t
attribute_values_read(struct attribute_values *v, struct attribute_windows *w,
                      struct journey_place place)
{
    const struct attribute *a = &v->asked->attribute;

    assert(place.input < v->n_readers && v->readers[place.input].numbers);
    if (a->source == SOURCE_NUMBER)
        return read_number(v, w, place);
    if (a->source == SOURCE_DERIVED && a->code == DERIVED_BOT)
        return read_bot(v, w, place);
    return attribute_values_of_code(v, place.input, read_code(v, w, place));
}

int
attribute_values_compare(const struct attribute_values *v, uint32_t a, uint32_t b)
{
    if (a == b)
        return 0;
    if (a == ATTRIBUTE_VALUE_NULL || b == ATTRIBUTE_VALUE_NULL)
        return a == ATTRIBUTE_VALUE_NULL ? 1 : -1;
    return slice_compare(attribute_values_text(v, a), attribute_values_text(v, b));
}

size_t
attribute_values_held_bytes(struct attribute_values *v)
{
    size_t bytes;

    pthread_mutex_lock(&v->lock);
    bytes = v->arena.used_bytes + v->n_slots * (sizeof *v->slots + sizeof *v->texts);
    pthread_mutex_unlock(&v->lock);
    return bytes;
}
