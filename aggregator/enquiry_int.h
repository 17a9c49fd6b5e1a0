/* What enquiry.c (life, units, values) and enquiry_walk.c (the walk) share. */
#ifndef AGGREGATOR_ENQUIRY_INT_H
#define AGGREGATOR_ENQUIRY_INT_H

#include "aggregator/enquiry.h"

/* Forget what was made for a walk. */
void enquiry__drop_walk(struct enquiry *e);

#endif
