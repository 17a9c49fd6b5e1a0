/* Values of one attribute as small numbers, the same for the same text in whatever segment it is.
 *
 *     struct attribute_values *v = attribute_values_create(&breakdown);
 *     attribute_values_begin(v, n_inputs)                before each walk
 *     attribute_values_open_input(v, i, segment, err)    for each input, from any thread
 *     attribute_values_read(v, windows, place)           from any thread, with windows of its own
 *     attribute_values_text(v, number)                   after the walk
 *
 * Rows are read one by one, where a path is counted. What the row of another event gives (a
 * driver's) is asked of that row. Which number a text gets depends on who comes first.
 */
#ifndef AGGREGATOR_ATTRIBUTE_VALUES_H
#define AGGREGATOR_ATTRIBUTE_VALUES_H

#include "aggregator/funnel/page_groups.h"
#include "aggregator/journey.h"

#define ATTRIBUTE_VALUE_NULL 0

struct attribute_values;

/* asked is borrowed, as are the groups (what page_group gives; NULL: there are none) until nothing
 * is read any more. */
struct attribute_values *attribute_values_create(const struct request_breakdown *asked,
                                                 const struct page_groups *groups);
void attribute_values_destroy(struct attribute_values **v);

void attribute_values_begin(struct attribute_values *v, size_t n_inputs);

/* ERR_CORRUPT: the segment is damaged. Nothing is read of inputs that are not opened. */
enum err_code attribute_values_open_input(struct attribute_values *v, size_t input,
                                          const struct segment *segment, struct err *err);

/* Both at once, of all inputs that have a scan. ERR_CORRUPT: input *bad is damaged. */
enum err_code attribute_values_open(struct attribute_values *v, const struct journey_input *inputs,
                                    size_t n, size_t *bad, struct err *err);

/* The column where an opened input has the attribute as texts; NULL where it is no text. Its codes
 * as numbers of values. */
const struct segment_column *attribute_values_column(const struct attribute_values *v,
                                                     size_t input);
uint32_t attribute_values_of_code(struct attribute_values *v, size_t input, uint32_t code);

/* Where a thread that wants most rows reads in each input, of one walk. Begins with zeros. */
struct attribute_windows {
    size_t n;
    struct segment_window **of; /* owned; NULL: nothing was read there yet */
};
void attribute_windows_fini(struct attribute_windows *w);

/* The value in a row's own columns, of an opened input: of landing its path. w NULL: few rows are
 * wanted, each is read by itself. */
uint32_t attribute_values_read(struct attribute_values *v, struct attribute_windows *w,
                               struct journey_place place);

/* The number of a text that stands in no column: "direct", "true". "" is null. */
uint32_t attribute_values_find(struct attribute_values *v, struct slice text);

/* The text of a number; "" for null. Lives as long as v. */
struct slice attribute_values_text(const struct attribute_values *v, uint32_t number);

/* By text, null last. */
int attribute_values_compare(const struct attribute_values *v, uint32_t a, uint32_t b);

/* Of memory: grows with the values that were met. */
size_t attribute_values_held_bytes(struct attribute_values *v);

#endif
