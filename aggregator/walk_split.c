/* See walk_split.h. */
#include "aggregator/walk_split.h"

#include "aggregator/crew.h"

#define RANGE_RUNS      8192   /* of a range, about: marks of that many fit a processor's cache */
#define RANGE_BITS_MAX  16     /* 65,536 ranges at most */
#define THREAD_ROWS_MIN 100000 /* less are walked sooner than a thread is made */
#define LINKED_SHARES   4      /* a thread: persons of about the same number of ids */

void
walk_split_init(struct walk_split *s, const struct walk_split_asked *asked)
{
    uint64_t n_rows = 0;
    uint64_t n_runs = 0;
    size_t n = asked->n_threads > 0 ? (size_t)asked->n_threads : crew_size();

    *s = (struct walk_split){.persons = asked->persons};
    for (size_t i = 0; i < asked->n_inputs; i++) {
        n_rows += asked->inputs[i].site->n_rows;
        n_runs += asked->inputs[i].site->run_end - asked->inputs[i].site->run_begin;
    }
    if (asked->n_threads == 0 && n_rows / THREAD_ROWS_MIN < n)
        n = (size_t)(n_rows / THREAD_ROWS_MIN) + 1;
    s->n_workers = asked->is_in_order ? 1 : n > CREW_MAX ? CREW_MAX : n;
    while (s->range_bits < RANGE_BITS_MAX && n_runs >> s->range_bits > RANGE_RUNS)
        s->range_bits++;
    while (s->n_workers > 1 && s->range_bits < 4)
        s->range_bits++;
    if (asked->persons->n_persons > 0)
        s->n_linked = s->n_workers == 1 ? 1 : LINKED_SHARES * s->n_workers;
}

/* Range i of hashes. */
static struct journey_range
range_of(const struct walk_split *s, uint64_t i)
{
    uint64_t last = s->range_bits == 0 ? UINT64_MAX : UINT64_MAX >> s->range_bits;
    uint64_t first = s->range_bits == 0 ? 0 : i << (64 - s->range_bits);

    return (struct journey_range){first, first + last, s->range_bits};
}

static struct journey_linked
share_of(const struct walk_split *s, uint64_t i)
{
    uint64_t n = s->persons->n_persons;

    return (struct journey_linked){(uint32_t)(n * i / s->n_linked),
                                   (uint32_t)(n * (i + 1) / s->n_linked)};
}

bool
walk_split_next(struct walk_split *s, size_t *out)
{
    *out = atomic_fetch_add(&s->next, 1);
    return *out < s->n_linked + ((size_t)1 << s->range_bits);
}

/* Linked persons first, as a share of them takes long; but where there is an order they are last.
 */
enum err_code
walk_split_job(const struct walk_split *s, size_t job, struct journey_walk *w, size_t *bad,
               struct err *err)
{
    size_t n_ranges = (size_t)1 << s->range_bits;
    size_t first_range = s->n_workers == 1 ? 0 : s->n_linked;
    struct journey_linked share;
    struct journey_range range;

    if (job >= first_range && job - first_range < n_ranges) {
        range = range_of(s, job - first_range);
        return journey_range(w, &range, bad, err);
    }
    share = share_of(s, job < first_range ? job : job - n_ranges);
    return journey_linked(w, &share, bad, err);
}
