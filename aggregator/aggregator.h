/* The aggregator process: ingest on the calling thread, merging on another. It listens nowhere. */
#ifndef AGGREGATOR_AGGREGATOR_H
#define AGGREGATOR_AGGREGATOR_H

#include <stdatomic.h>
#include <stdbool.h>

#include "core/err.h"
#include "core/stream.h"

#define AGGREGATOR_FLUSH_MS    500 /* with a dashboard that asks once a second: 2 s to a figure */
#define AGGREGATOR_FLUSH_ROWS  65536
#define AGGREGATOR_FLUSH_BYTES (16 << 20)

struct aggregator_config {
    const char *data_dir; /* made where it is missing */
    struct stream_address redis;
    int flush_ms;    /* 0: AGGREGATOR_FLUSH_MS */
    int flush_rows;  /* 0: AGGREGATOR_FLUSH_ROWS */
    int flush_bytes; /* 0: AGGREGATOR_FLUSH_BYTES */
    bool no_merge;   /* tests: leave segments as they are */
};

/* Run until *stop is true (a signal handler may set it), then flush and return ERR_OK. ERR_CONFLICT
 * (another aggregator, another owner), ERR_IO, ERR_FULL, ERR_VERSION, ERR_CORRUPT: the process must
 * end; a restart goes on where the last commit stands. */
enum err_code aggregator_run(const struct aggregator_config *config, const atomic_bool *stop,
                             struct err *err);

#endif
