/* The threads of an import. The caller reads blocks of records and gives them away; each of the
 * workers takes whole blocks, makes events of their rows in a builder of its own, and writes what
 * is in it whenever that is full and at the end. Blocks come back in the order in which they were
 * given, with what was refused in them. As an event's place does not depend on when it came, it
 * does not matter which worker met it.
 *
 *     w = import_work_start(&config);
 *     while (there is more)
 *         if (import_work_has_room(w)) fill import_work_room(w)->text, import_work_give(w)
 *         else b = import_work_collect(w) ...
 *     while ((b = import_work_collect(w)) != NULL) ...
 *     rc = import_work_finish(w, err);     // all that was given is in the writer
 *     import_work_stop(&w);
 */
#ifndef CMD_IMPORT_WORK_H
#define CMD_IMPORT_WORK_H

#include <stdatomic.h>

#include "aggregator/segment/writer.h"
#include "aggregator/writer.h"
#include "cmd/import_row.h"

struct import_block {
    struct source_block text;
    int64_t n_stored;       /* rows handed to the writer, repeats included */
    int64_t n_rejected;     /* rows refused */
    struct buffer refusals; /* a line each: "line 7: time: missing or empty\n" */
    enum err_code rc;       /* an error of ours: the import has failed */
    struct err err;
    bool is_done; /* private */
};

struct import_work_config { /* all borrowed until import_work_stop */
    const struct import_shape *shape;
    struct writer *writer;
    struct segment_owner owner;
    int n_threads;
};

struct import_work;
struct import_work *import_work_start(const struct import_work_config *config);

/* Is there a block to be filled, without waiting? */
bool import_work_has_room(const struct import_work *w);
struct import_block *import_work_room(struct import_work *w);
void import_work_give(struct import_work *w);

/* Wait for the oldest block that was given: it is the caller's until the next call of any of
 * these. NULL where none is left. */
struct import_block *import_work_collect(struct import_work *w);

/* Let the workers write what they hold, and end them. The first error of any. */
enum err_code import_work_finish(struct import_work *w, struct err *err);

/* End the workers at their next block, forget what they hold. NULL is fine. */
void import_work_stop(struct import_work **w);

#endif
