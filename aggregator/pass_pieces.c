/* Visitors that are counted where they lie, by their rows: as words, and, where these match more
 * than one stage, as the events of a unit. See pass_plain.c. */
#include "aggregator/pass_plain_int.h"

#define FEW 64

/* Rows, ascending. */
struct few {
    uint32_t n;
    uint32_t rows[FEW];
};

/* Their words are in k->words, one run's behind the other's. */
struct visitor {
    const struct journey_piece *pieces;
    size_t n_pieces;
    uint32_t n_rows;
    uint64_t all;    /* the words of all rows */
    bool has_times;  /* not read for who has no path: nobody asks them */
    bool are_few;    /* the following: */
    struct few rows; /* those of values, and the first of each stage */
};

/* What they are all together, and which rows say anything new. */
static void
look_at_words(const uint64_t *words, struct visitor *v)
{
    uint64_t all = 0;
    uint32_t n = 0;

    for (uint32_t i = 0; i < v->n_rows; i++) {
        uint64_t is_new = words[i] & ~(all & ~PACKED_VALUE);

        all |= words[i];
        if ((is_new & (PACKED_STAGES | PACKED_VALUE)) == 0)
            continue;
        v->rows.rows[n % FEW] = i;
        n++;
    }
    v->all = all;
    v->rows.n = n;
    v->are_few = n <= FEW;
}

/* False where there are too many rows. */
static bool
read_words(struct pass_plain *k, struct visitor *v)
{
    v->n_rows = 0;
    for (size_t i = 0; i < v->n_pieces; i++) {
        const struct plain_place *place = &k->places[v->pieces[i].input];
        uint32_t row = place->rows[v->pieces[i].run];
        uint32_t n = place->rows[v->pieces[i].run + 1] - row;

        if (n > SCAN_CHUNK - v->n_rows)
            return false;
        scan_packed(place->scan, &k->packing, row, n, k->words + v->n_rows);
        v->n_rows += n;
    }
    look_at_words(k->words, v);
    return true;
}

static void
read_times(struct pass_plain *k, struct visitor *v)
{
    uint32_t at = 0;

    for (size_t i = 0; i < v->n_pieces && !v->has_times; i++) {
        const struct plain_place *place = &k->places[v->pieces[i].input];
        uint32_t run = v->pieces[i].run;

        scan_run_times(place->scan, run, k->times + at);
        at += place->rows[run + 1] - place->rows[run];
    }
    v->has_times = true;
}

/* The piece that has row i of the visitor, and which of its rows that is. */
static const struct journey_piece *
piece_of(const struct pass_plain *k, const struct journey_piece *piece, uint32_t i, uint32_t *out)
{
    for (;; piece++) {
        const uint32_t *rows = k->places[piece->input].rows + piece->run;

        *out = i;
        if (i < rows[1] - rows[0])
            return piece;
        i -= rows[1] - rows[0];
    }
}

/* Where row i of the visitor lies. */
static struct journey_place
place_of(const struct pass_plain *k, const struct visitor *v, uint32_t i)
{
    const struct journey_piece *piece = piece_of(k, v->pieces, i, &i);

    return (struct journey_place){piece->input, k->places[piece->input].rows[piece->run] + i};
}

bool
pass__code_of_run(const struct pass_plain *k, const struct journey *j, uint32_t i,
                  size_t *out_input, uint32_t *out_code)
{
    const struct journey_piece *piece;
    const struct plain_place *place;

    if (j->kind != JOURNEY_PIECES)
        return false;
    piece = piece_of(k, j->pieces, i, &i);
    place = &k->places[piece->input];
    if (!place->values || k->part != PART_EVENT || piece->run < place->begin ||
        piece->run - place->begin >= place->n)
        return false;
    *out_input = piece->input;
    *out_code = place->codes[piece->run - place->begin];
    return *out_code != CODES_DIFFER;
}

static bool
is_inside(struct pass_plain *k, struct visitor *v)
{
    bool are_places = true;

    for (size_t i = 0; i < v->n_pieces; i++)
        are_places = are_places && k->places[v->pieces[i].input].is_inside;
    if (are_places)
        return true;
    read_times(k, v);
    return k->times[0] >= k->from_ms && k->times[v->n_rows - 1] <= k->until_ms;
}

/* Does the visitor match one stage, and nothing of his be looked at closer? */
static bool
is_single(const struct pass_plain *k, const struct visitor *v)
{
    uint64_t stages = v->all & PACKED_STAGES;

    if ((stages & (stages - 1)) != 0 || (v->all & PACKED_VALUE) != 0)
        return false;
    for (size_t i = 0; k->has_breakdown && i < v->n_pieces; i++)
        if (!k->places[v->pieces[i].input].values)
            return false;
    return true;
}

/* What brought the visitor is known of who enters by his first event. Then no other event has its
 * moment: of those of one moment a driver's comes first. */
static bool
is_first_alone(struct pass_plain *k, struct visitor *v)
{
    if (v->n_rows == 1)
        return true;
    read_times(k, v);
    return k->times[0] != k->times[1];
}

static bool
has_driver(const struct pass_plain *k, struct journey_place first)
{
    return scan_has_driver(k->places[first.input].scan, first.row);
}

/* False: the breakdown needs more than words. */
static bool
count_read(struct pass *p, struct visitor *v)
{
    struct pass_plain *k = p->plain;
    struct journey_place place;
    uint32_t code = 0;
    uint32_t at = 0;

    while ((k->words[at] & PACKED_STAGES) == 0)
        at++;
    if (!pass__is_chosen(&p->chooser, v->all, k->words[at]))
        return true;
    if (k->part != PART_EVENT && (at > 0 || !is_first_alone(k, v)))
        return false;
    place = place_of(k, v, at);
    if (k->part == PART_DRIVER && !has_driver(k, place))
        code = k->places[place.input].values->n_codes;
    else if ((k->broken_down & v->all & PACKED_STAGES) != 0)
        segment_codes(k->places[place.input].values, place.row, 1, &code);
    pass__count_single(p, place.input, v->all, code);
    return true;
}

static void
put_event(struct pass *p, const struct visitor *v, uint32_t i)
{
    struct event_list *l = &p->person.all;
    struct pass_plain *k = p->plain;
    uint64_t word = k->words[i];

    l->events[l->n] = (struct path_event){v->has_times ? k->times[i] : k->from_ms,
                                          (uint32_t)(word & PACKED_STAGES),
                                          (uint32_t)((word & PACKED_MATCHES) >> PACKED_EXCLUSIONS)};
    l->conditions[l->n] = (uint32_t)(word >> PACKED_CONDITIONS & UINT16_MAX);
    l->values[l->n] = (struct tally_value){0, -1};
    if ((word & PACKED_VALUE) != 0) {
        struct journey_place place = place_of(k, v, i);

        l->values[l->n] = scan_value(k->places[place.input].scan, place.row);
    }
    l->from[l->n++] = i;
}

static struct journey
journey_of(struct journey_walk *w, const struct visitor *v)
{
    return (struct journey){.n = v->n_rows,
                            .walk = w,
                            .kind = JOURNEY_PIECES,
                            .pieces = v->pieces,
                            .input = v->pieces[0].input,
                            .run = v->pieces[0].run};
}

static void
begin_events(struct pass *p, const struct visitor *v)
{
    person_events_reserve(&p->person, v->n_rows);
    p->person.all.n = 0;
    p->person.flags = (v->all & PACKED_COOKIELESS) != 0 ? EVENT_COOKIELESS : 0;
}

static enum err_code
count_events(struct pass *p, struct journey_walk *w, struct visitor *v, struct err *err)
{
    struct journey j = journey_of(w, v);
    struct pass_plain *k = p->plain;

    read_times(k, v);
    begin_events(p, v);
    for (uint32_t i = 0; i < v->n_rows && k->times[i] <= p->setup.as_of_ms; i++)
        if ((k->words[i] & PACKED_MATCHES) != 0)
            put_event(p, v, i);
    return p->person.all.n != 0 ? pass__count_visitor(p, &j, err) : ERR_OK;
}

/* ---- Paths that are found in the words ---- */

static bool
few_add(struct few *f, uint32_t row)
{
    uint32_t at = f->n;

    while (at > 0 && f->rows[at - 1] >= row)
        at--;
    if (at < f->n && f->rows[at] == row)
        return true;
    if (f->n == FEW)
        return false;
    memmove(f->rows + at + 1, f->rows + at, (f->n - at) * sizeof *f->rows);
    f->rows[at] = row;
    f->n++;
    return true;
}

static uint32_t
few_find(const struct few *f, uint32_t row)
{
    uint32_t at = 0;

    while (f->rows[at] != row)
        at++;
    return at;
}

/* As path_count finds most: each possible stage at the first row that may serve it after the one
 * before. Where that does not get to the last of them within the window, false. */
static bool
find_path(struct pass_plain *k, struct visitor *v, const struct plan *plan, uint32_t possible,
          struct path *out)
{
    uint32_t i = 0;

    read_times(k, v);
    out->stages = possible;
    out->n = 0;
    for (uint32_t left = possible; left != 0; left &= left - 1) {
        uint32_t bit = left & (~left + 1);

        while (i > 0 && k->times[i - 1] == k->times[i])
            i--; /* what is of one moment has no order */
        while (i < v->n_rows && (k->words[i] & bit) == 0)
            i++;
        if (i == v->n_rows)
            return false;
        out->visits[out->n++] = (struct path_visit){(uint32_t)__builtin_ctz(bit), i};
    }
    return k->times[i] - k->times[out->visits[0].event] <= plan->window_ms;
}

static bool
find_outcome(const struct pass *p, struct visitor *v, const struct plan *plan, struct outcome *out)
{
    struct pass_plain *k = p->plain;
    uint32_t possible = plan_possible(plan, (uint32_t)(v->all & PACKED_STAGES));
    uint64_t entry = 0;

    out->has_path = possible != 0;
    out->is_open = false;
    out->began_before = false;
    if (out->has_path) {
        if (!find_path(k, v, plan, possible, &out->path))
            return false;
        entry = k->words[out->path.visits[0].event];
    }
    out->is_chosen =
        (out->has_path || !p->chooser.needs_path) && pass__is_chosen(&p->chooser, v->all, entry);
    out->has_path = out->has_path && out->is_chosen;
    return true;
}

/* Of a visitor who is inside all events but a few need not be made. False: they must. */
static bool
find_outcomes(struct pass *p, struct visitor *v)
{
    if (!v->are_few)
        return false;
    for (int i = 0; i < p->setup.q->n_presets; i++) {
        struct outcome *o = &p->outcomes[i];

        if (p->plans[i].n_groups != 0 || !find_outcome(p, v, &p->plans[i], o))
            return false;
        for (uint32_t visit = 0; o->has_path && visit < o->path.n; visit++)
            if (!few_add(&v->rows, o->path.visits[visit].event))
                return false;
    }
    return true;
}

/* Does every path enter by the visitor's first event, and is that settled by itself? */
static bool
settle_entry(struct pass *p, struct visitor *v)
{
    struct pass_plain *k = p->plain;

    for (int i = 0; i < p->setup.q->n_presets; i++)
        if (p->outcomes[i].has_path && p->outcomes[i].path.visits[0].event != 0)
            return false;
    if (!is_first_alone(k, v))
        return false;
    settle_first(&p->person.settle, has_driver(k, place_of(k, v, 0)));
    return true;
}

static enum err_code
count_few(struct pass *p, struct journey_walk *w, const struct visitor *v, struct err *err)
{
    const struct few *rows = &v->rows;
    struct journey j = journey_of(w, v);

    begin_events(p, v);
    for (uint32_t i = 0; i < rows->n; i++)
        put_event(p, v, rows->rows[i]);
    for (int i = 0; i < p->setup.q->n_presets; i++) {
        struct outcome *o = &p->outcomes[i];

        for (uint32_t visit = 0; o->has_path && visit < o->path.n; visit++)
            o->path.visits[visit].event = few_find(rows, o->path.visits[visit].event);
    }
    return pass__add_visitor(p, &j, err);
}

/* ---- All of it ---- */

static enum err_code
count_visitor(struct pass *p, struct journey_walk *w, struct visitor *v, bool *out_taken,
              struct err *err)
{
    bool needs_entry = p->plain->part != PART_EVENT;
    bool is_known;

    if (is_inside(p->plain, v)) {
        if (is_single(p->plain, v)) {
            *out_taken = count_read(p, v);
            return ERR_OK;
        }
        is_known = (v->all & PACKED_MATCHES) >> PACKED_EXCLUSIONS == 0 && find_outcomes(p, v);
        if (is_known && (!needs_entry || settle_entry(p, v)))
            return count_few(p, w, v, err);
    }
    if (!needs_entry)
        return count_events(p, w, v, err);
    *out_taken = false;
    return ERR_OK;
}

enum err_code
pass__count_pieces(struct pass *p, struct journey_walk *w, const struct journey_piece *pieces,
                   size_t n, bool *out_taken, struct err *err)
{
    struct visitor v;
    struct pass_plain *k = p->plain;
    enum err_code rc = ERR_OK;

    v.pieces = pieces; /* its rows are not touched before they are known */
    v.n_pieces = n;
    v.has_times = false;
    *out_taken = read_words(k, &v) && (v.all & k->give) == 0;
    if (*out_taken && (v.all & PACKED_STAGES) != 0) {
        rc = journey_is_one(w, pieces, n, out_taken, err);
        if (rc == ERR_OK && *out_taken)
            rc = count_visitor(p, w, &v, out_taken, err);
    }
    p->n_plain += *out_taken;
    p->n_several += *out_taken && n > 1;
    return rc;
}
