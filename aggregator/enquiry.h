/* One walk over the people of a site for a question that is no report: counts, searches, what
 * followed, what sets people apart. The same snapshot, people, repeats, bots, drivers, sessions,
 * filters and counted paths as a report (pass.h); what is made of each person is the asker's.
 *
 *     enquiry_open(pool, &setup, arena, &e, err)
 *     enquiry_walk(e, &walk, err)         as often as the question needs: the same files each time
 *     e->about, enquiry_text(e, k, number) ...
 *     enquiry_close(&e)
 *
 * In walk.person the person's events are e->person.all, settled: those of its sessions and drivers
 * are e->person.settle. For one thread, which lets others help with the walk where its asker can
 * fork: each of these has an enquiry and a context of its own, and gives walk.person those.
 */
#ifndef AGGREGATOR_ENQUIRY_H
#define AGGREGATOR_ENQUIRY_H

#include "aggregator/attribute_values.h"
#include "aggregator/funnel/report.h"
#include "aggregator/person_events.h"
#include "aggregator/snapshot.h"

#define ENQUIRY_ATTRIBUTES_MAX 24

struct enquiry_setup {
    uint32_t site;
    const struct funnel *funnel;   /* under its own preset */
    const struct request *request; /* finished; a range of its own may be asked of each unit */
    size_t n_attributes;           /* whose values are asked for */
    const struct request_breakdown *attributes;
    struct slice snapshot; /* answer from this kept one; "": the latest, which is then kept */
    bool is_passing;       /* its snapshot is not kept: nobody asks again from the same files */
    const struct enquiry *beside; /* answer from its snapshot, of what its request compares with:
                                     it is closed later */
    struct query_guard *guard;    /* NULL: no limits */
    int n_threads;                /* of walks that fork; 0: as many as are of use */
};

struct enquiry;

struct enquiry_walk {
    /* A walk begins: inputs are open, nothing counts that was counted before. Where a segment
     * proves damaged it begins anew, without that one. On ERR_CORRUPT e->bad_input is set. In each
     * thread, with its own. */
    enum err_code (*start)(struct enquiry *e, void *context, struct err *err);
    enum err_code (*person)(struct enquiry *e, const struct journey *j, void *context,
                            struct err *err);
    size_t (*held_bytes)(void *context); /* what the asker holds; NULL: nothing */
    void *context;
    /* The context of another thread, whose enquiry is `member`; what it has counted is added to
     * `context` at the end; drop follows always. Numbers of values are those of all threads, those
     * of currencies and drivers are not. NULL: one thread, in the order of hashes. */
    void *(*fork)(struct enquiry *member, const void *context);
    void (*join)(void *context, const struct enquiry *member, void *of_member);
    void (*drop)(void *of_member); /* what it holds; its own memory is freed behind this */
    /* Takes visitors where they lie (journey.h), with the thread's context; NULL: nobody does */
    const struct journey_lying *lying;
    bool wants_left_out;      /* also people of whom only events are left that do not count: bots */
    size_t n_only;            /* not 0: only the people that these ids are of (and, where hashes
                                 are equal, others), */
    const struct slice *only; /* all ids of each, as enquiry_ids gives them */
};

struct enquiry {
    struct enquiry_setup setup;
    struct report_about about; /* what all answers say beside their figures; in the arena */
    const struct snapshot *snapshot;
    const struct persons *persons;
    struct tally *currencies; /* its numbers are those of all values */
    struct attribute_values *values[ENQUIRY_ATTRIBUTES_MAX];
    struct attribute_windows windows[ENQUIRY_ATTRIBUTES_MAX];
    /* of the walk */
    struct person_events person;
    struct chooser chooser;
    struct plan plan;
    const struct journey_input *inputs; /* those without a scan give no values */
    size_t n_inputs;
    size_t bad_input;
    /* for enquiry.c */
    struct snapshot_pool *pool;
    struct arena *arena;
    struct matcher *matcher;
    struct leaf_scratch *scratch;
    struct leaf_sets *sets;
    struct driver_table *drivers;
    const struct enquiry_walk *walk;
    bool is_member; /* of a thread that helps */
    bool *is_left_out;
    struct report_warning *warnings;
};

/* What is set up is borrowed until the close, as is the arena, where warnings live. ERR_NOT_FOUND
 * (the snapshot has gone), ERR_INVALID (the request does not fit the funnel), ERR_LIMIT, and what
 * snapshot_take returns. */
enum err_code enquiry_open(struct snapshot_pool *p, const struct enquiry_setup *setup,
                           struct arena *a, struct enquiry **out, struct err *err);
void enquiry_close(struct enquiry **e);

/* What the callbacks return ends the walk. */
enum err_code enquiry_walk(struct enquiry *e, const struct enquiry_walk *walk, struct err *err);

/* The earliest and the latest time of what the snapshot has of the site; first after last where
 * there is nothing. */
void enquiry_times(const struct enquiry *e, int64_t *out_first_ms, int64_t *out_last_ms);

/* ---- Of the person at hand ---- */

struct enquiry_unit {
    struct unit unit;
    uint32_t first;       /* event i of the unit is event first + i of the person, */
    const uint32_t *from; /* or from[i] */
    uint32_t session;     /* which it is, of a session */
};

/* The visitor, for first visits in the range; false where it has nothing to do with that. */
bool enquiry_visitor(struct enquiry *e, const struct path_range *range, struct enquiry_unit *out);

/* Session s of e->person.settle.n_sessions; false where it does not begin in the range. */
bool enquiry_session(struct enquiry *e, uint32_t s, const struct path_range *range,
                     struct enquiry_unit *out);

/* Call take for each unit of the request's range that the funnel counts. */
typedef enum err_code (*enquiry_take)(struct enquiry *e, const struct journey *j,
                                      const struct enquiry_unit *u, void *context, struct err *err);
enum err_code enquiry_each_unit(struct enquiry *e, const struct journey *j, enquiry_take take,
                                void *context, struct err *err);

static inline uint32_t
enquiry_event(const struct enquiry_unit *u, uint32_t i)
{
    return u->from ? u->from[i] : u->first + i;
}

/* The number of attribute k's value, of an event of the person that is not before the range. */
uint32_t enquiry_value(struct enquiry *e, const struct journey *j, size_t k, uint32_t event);

/* At the attribute's place: of the unit's counted path. */
uint32_t enquiry_value_at(struct enquiry *e, const struct journey *j, size_t k,
                          const struct enquiry_unit *u, const struct path *path);

/* The text of a number; "" for null. Lives until the close. */
struct slice enquiry_text(const struct enquiry *e, size_t k, uint32_t number);

/* As JSON: a value, null where it is ""; and "figure":..,"stage":..,"n":.. of a figure. */
void enquiry_add_text(struct buffer *out, struct slice value);
void enquiry_add_figure(struct buffer *out, const struct figure_place *place, int64_t n);

/* All ids of the person that an id is of, the name that reports give first; only its own where it
 * is joined to no other. In the arena. */
size_t enquiry_ids(const struct enquiry *e, struct slice visitor, struct arena *a,
                   struct slice **out);

#endif
