/* The globs of rules: `*` is any run without '/', `**` any run; everything else stands for itself.
 */
#ifndef AGGREGATOR_FUNNEL_GLOB_H
#define AGGREGATOR_FUNNEL_GLOB_H

#include "core/slice.h"

/* Does pattern cover the whole of text? No recursion, no allocation, O(pattern * text). */
bool glob_match(struct slice pattern, struct slice text);

#endif
