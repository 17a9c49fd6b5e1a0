/* Between the files of place. */
#ifndef COLLECTOR_PLACE_INT_H
#define COLLECTOR_PLACE_INT_H

#include "core/err.h"
#include "core/slice.h"

/* Is every byte that a look-up can reach what the format says? ERR_CORRUPT. */
enum err_code place__check(const unsigned char *bytes, size_t n, struct err *err);

#endif
