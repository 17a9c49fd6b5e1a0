/* What the files of a pass share: pass.c (units into figures), pass_run.c (segments, threads),
 * pass_plain.c (visitors that are counted where they lie). */
#ifndef AGGREGATOR_PASS_INT_H
#define AGGREGATOR_PASS_INT_H

#include "aggregator/pass.h"

/* ---- pass.c ---- */

/* A journey_callback; the context is the pass. */
enum err_code pass__take_person(const struct journey *j, void *context, struct err *err);

/* The visitor whose events are in p->person.all. */
enum err_code pass__count_visitor(struct pass *p, const struct journey *j, struct err *err);

/* The same where p->outcomes says already what they count for: `all` has the events of their paths,
 * those with values, and one of each stage that was seen. */
enum err_code pass__add_visitor(struct pass *p, const struct journey *j, struct err *err);

/* What a breakdown by a driver's attribute says of who had none. */
uint32_t pass__value_without_driver(const struct pass *p, size_t b);

/* Add what another thread's pass has summed up. */
void pass__add(struct pass *p, const struct pass *from);

/* What grows with the visitors. */
size_t pass__held_bytes(void *context);

/* What only the walk needs. */
void pass__free_working(struct pass *p);

/* ---- pass_plain.c ---- */

/* Sets p->plain where the question is simple enough. */
void pass__plain_init(struct pass *p);
void pass__plain_fini(struct pass *p);

/* Before the walk; inputs are borrowed. */
void pass__plain_begin(struct pass *p, const struct journey_input *inputs, size_t n);

/* The context is the pass. */
extern const struct journey_lying pass__lying;

/* Where p->plain: what is known of an input's runs; between scan_open and scan_open_like. */
enum err_code pass__plain_open(struct pass *p, struct scan *scan, const struct segment *segment,
                               struct err *err);

/* ---- pass_known.c ---- */

/* After the walk: what was counted together is added to the tallies. */
void pass__add_outcomes(struct pass *p);

#endif
