/* Settings of a site that are one of a few words, and are the dashboard's own: no collector asks
 * about them. */
#ifndef AGGREGATOR_SITE_CHOICE_H
#define AGGREGATOR_SITE_CHOICE_H

#include "core/err.h"
#include "core/slice.h"

enum site_choice {
    CHOICE_FIRST_DAY,       /* of the week, where people see calendars: monday */
    CHOICE_BOTS,            /* what the dashboard asks reports for: exclude */
    CHOICE_VIEWER_JOURNEYS, /* may viewers see single visitors and known ids: no */
    CHOICE_COUNT
};

const char *site_choice_name(enum site_choice c); /* "first_day_of_week" */

/* The words there are, the first of which is that of a new site; NULL after the last. */
const char *site_choice_word(enum site_choice c, int i);

/* Which word it is; "" is the first. ERR_INVALID with the setting's name as field. */
enum err_code site_choice_parse(enum site_choice c, struct slice word, int *out, struct err *err);

#endif
