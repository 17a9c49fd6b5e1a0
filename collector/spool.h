/* The spool: batches on the collector's own disk while Redis cannot take them.
 *
 *     spool_append()                        publisher, Redis away: on disk before the 2xx
 *          |
 *     [..drained..|......][..........][......      files of the folder, oldest first
 *                  ^ spool_peek(), spool_drop()    publisher, Redis back: sent, then forgotten
 *
 * A file is written by one process once and is never appended to by another: what a killed
 * collector left is adopted (by whoever gets its lock) and only read, and a fully drained file is
 * removed. A kill between Redis's answer and spool_drop sends entries again; repeats are dropped
 * downstream, and the order of replay does not matter. Damage never refuses a start: torn tails are
 * cut, damaged records are left out and their file is kept a week as NAME.bad, each with a line in
 * the log. spool_file.h has the format.
 *
 * For one thread.
 */
#ifndef COLLECTOR_SPOOL_H
#define COLLECTOR_SPOOL_H

#include "core/err.h"
#include "core/slice.h"

#define SPOOL_PEEK_MAX 64 /* batches of one spool_peek */
#define SPOOL_ROOM_MIN                                                                             \
    (64 * 1024) /* with less room than for a large beacon it is as good as full */

struct spool_config {
    const char *dir;         /* made where it is not there; copied */
    uint64_t bytes_max;      /* of all files together */
    uint64_t free_bytes_min; /* that the disk must have left; 0: max(512 MB, 2% of it) */
};

struct spool;

/* Adopt what earlier processes left. ERR_IO, ERR_FULL: the folder cannot be made or read. */
enum err_code spool_open(const struct spool_config *config, struct spool **out, struct err *err);
void spool_close(struct spool **s); /* what is not drained stays; takes NULL */

/* Adopt what others have left since, as far as descriptors are to spare: a collector that ended
 * beside this one. Now and then, while the spool is empty. */
void spool_adopt(struct spool *s);

/* Have these batches (each 1 to SPOOL_BATCH_MAX bytes) on disk, with one fdatasync for all.
 * ERR_FULL: over bytes_max, or too little of the disk is free. After an error none is promised,
 * though some may be found by a later start. */
enum err_code spool_append(struct spool *s, const struct slice *batches, int n, struct err *err);

/* Could `more` bytes be appended, where the files hold `held`? ERR_FULL, ERR_IO. Alone among these
 * it may be called by any thread. */
enum err_code spool_check_room(const struct spool *s, uint64_t held, uint64_t more,
                               struct err *err);

bool spool_is_empty(const struct spool *s);

/* The next batches, at most max (and SPOOL_PEEK_MAX), borrowed until the next
 * spool_peek. Returns how many; 0: all is drained. The same ones until they are dropped:
 *
 *     n = spool_peek(s, batches, SPOOL_PEEK_MAX);
 *     ... the first k of them are in Redis ...
 *     spool_drop(s, k);
 */
int spool_peek(struct spool *s, struct slice *batches, int max);
void spool_drop(struct spool *s, int k);

struct spool_figures {
    uint64_t n_spooled; /* batches, by this process */
    uint64_t n_drained;
    uint64_t n_damaged;     /* records or stretches between them that failed their sums */
    uint64_t damaged_bytes; /* theirs */
    uint64_t bytes;         /* of all files, now */
};
void spool_figures(const struct spool *s, struct spool_figures *out);

#endif
