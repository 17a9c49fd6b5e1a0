/* An event as a line of CSV: a shop's table, as one exports it from a warehouse. */
#ifndef BENCH_GENERATE_CSV_H
#define BENCH_GENERATE_CSV_H

#include "core/event.h"

#define CSV_LINE_MAX 4096

/* The header, which names the columns as `corong import` knows them. with_ids: also the event's id
 * and, of identify, the known one. Writes at most CSV_LINE_MAX bytes; returns the end. */
char *csv_put_header(char *p, bool with_ids);
char *csv_put_event(char *p, const struct event *e, bool with_ids);

#endif
