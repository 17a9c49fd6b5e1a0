/* Unicode's simple case folding: one character becomes one character ("Straße" stays six long).
 * The only includer of utf8proc. */
#ifndef AGGREGATOR_FUNNEL_FOLD_H
#define AGGREGATOR_FUNNEL_FOLD_H

#include "core/buffer.h"
#include "core/slice.h"

/* Append text, folded (CaseFolding.txt, status C and S). Bytes that are no UTF-8 are kept. */
void fold_add(struct buffer *out, struct slice text);

#endif
