/* What a site asks of the collector and of browsers for its visitors' privacy: settings of two
 * words each. settings.db keeps the words, the aggregator publishes them, the collector obeys.
 *
 *     name      off          on
 *     identity  first_party  cookieless  nothing is stored in browsers; ids last a day
 *     consent   none         required    nothing before corong.consent(true)
 *     gpc       ignore       respect     whoever sends Sec-GPC: 1 leaves no trace
 *     dnt       ignore       respect     whoever sends DNT: 1 leaves no trace
 */
#ifndef CORE_PRIVACY_H
#define CORE_PRIVACY_H

#include "core/err.h"
#include "core/slice.h"

enum privacy_setting {
    PRIVACY_COOKIELESS, /* identity */
    PRIVACY_CONSENT,
    PRIVACY_GPC,
    PRIVACY_DNT,
    PRIVACY_COUNT
};

struct privacy {
    bool on[PRIVACY_COUNT];
};

const char *privacy_name(enum privacy_setting s);                          /* "identity" */
const char *privacy_word(const struct privacy *p, enum privacy_setting s); /* "cookieless" */

/* Take a setting's word. ERR_INVALID with the setting's name as field, and the words there are. */
enum err_code privacy_set(struct privacy *p, enum privacy_setting s, struct slice word,
                          struct err *err);

#endif
