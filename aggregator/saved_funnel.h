/* Funnels kept by name, a list per site. A definition is checked before it is kept. */
#ifndef AGGREGATOR_SAVED_FUNNEL_H
#define AGGREGATOR_SAVED_FUNNEL_H

#include "aggregator/settings_db.h"

#define SAVED_FUNNEL_NAME_MAX       100       /* bytes of UTF-8 */
#define SAVED_FUNNELS_MAX           1000      /* of a site */
#define SAVED_FUNNEL_DEFINITION_MAX (1 << 20) /* bytes of JSON */

struct saved_funnel {
    struct slice name;
    int64_t updated_ms;
    struct slice definition; /* JSON as it was given */
};

/* Keep or replace. The definition is parsed as `corong funnel run` would: ERR_INVALID names the
 * field. ERR_NOT_FOUND without such a site. */
enum err_code saved_funnel_put(struct settings_db *db, uint32_t site, struct slice name,
                               struct slice definition, struct err *err);

/* Into the arena; ERR_NOT_FOUND. */
enum err_code saved_funnel_get(struct settings_db *db, uint32_t site, struct slice name,
                               struct arena *a, struct saved_funnel *out, struct err *err);

/* All of a site, by name. */
enum err_code saved_funnel_list(struct settings_db *db, uint32_t site, struct arena *a,
                                struct saved_funnel **out, size_t *out_n, struct err *err);

enum err_code saved_funnel_remove(struct settings_db *db, uint32_t site, struct slice name,
                                  struct err *err);

/* ERR_NOT_FOUND; ERR_EXISTS where the new name is taken. */
enum err_code saved_funnel_rename(struct settings_db *db, uint32_t site, struct slice name,
                                  struct slice new_name, struct err *err);

#endif
