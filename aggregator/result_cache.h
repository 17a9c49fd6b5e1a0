/* Results that are kept while nothing they hang on has changed: whoever puts one makes a key of all
 * of that, so that a result never has to be thrown away for being wrong, only for room.
 *
 * Bounded in entries and bytes; what was not asked for longest goes first. Thread-safe; the lock is
 * a leaf.
 */
#ifndef AGGREGATOR_RESULT_CACHE_H
#define AGGREGATOR_RESULT_CACHE_H

#include "core/buffer.h"
#include "core/slice.h"

struct result_cache;

struct result_cache *result_cache_create(size_t entries_max, size_t bytes_max);
void result_cache_destroy(struct result_cache **c);

/* Append what is kept under the key; false where nothing is. */
bool result_cache_get(struct result_cache *c, struct slice key, struct buffer *out);

/* Copies. What is larger than an eighth of all there is room for is not kept. */
void result_cache_put(struct result_cache *c, struct slice key, struct slice value);

#endif
