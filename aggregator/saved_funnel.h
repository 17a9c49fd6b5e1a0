/* Funnels kept by name, a list per site, each with its versions. A definition is checked before it
 * is kept; whoever saves one adds a version, with who, when and why. */
#ifndef AGGREGATOR_SAVED_FUNNEL_H
#define AGGREGATOR_SAVED_FUNNEL_H

#include "aggregator/settings_db.h"

#define SAVED_FUNNEL_NAME_MAX       100       /* bytes of UTF-8 */
#define SAVED_FUNNELS_MAX           1000      /* of a site */
#define SAVED_FUNNEL_DEFINITION_MAX (1 << 20) /* bytes of JSON */
#define SAVED_FUNNEL_NOTE_MAX       500       /* bytes of UTF-8 */
#define SAVED_FUNNEL_VERSIONS_MAX   500       /* of a funnel: the oldest go first */

#define SAVED_FUNNEL_ANY  (-1) /* instead of the version that a new one is based on */
#define SAVED_FUNNEL_NONE 0

struct saved_funnel {
    struct slice name;
    int64_t updated_ms;
    struct slice definition; /* JSON as it was given */
    int64_t version;         /* from 1 */
    struct slice author;     /* an email address, "key 3"; "" where a command saved it */
    struct slice note;
};

struct saved_funnel_wish {
    uint32_t site;
    struct slice name;
    struct slice new_name; /* what it is called from now on; the same, or "": `name` */
    struct slice definition;
    struct slice author;
    struct slice note;
    int64_t based_on; /* the version that was changed, SAVED_FUNNEL_ANY, or _NONE: it is new */
};

/* What a funnel, or anything else that people keep by name, may be called. ERR_INVALID. */
enum err_code saved_name_check(struct slice name, const char *field, struct err *err);

/* Keep as its newest version. The definition is parsed as `corong funnel run` would: ERR_INVALID
 * names the field. ERR_NOT_FOUND: no such site, or no funnel of the version that it is based on or
 * to rename. ERR_EXISTS: the new name is taken. ERR_CONFLICT: somebody saved another version since;
 * the message says who and when. Nothing has changed after an error. */
enum err_code saved_funnel_save(struct settings_db *db, const struct saved_funnel_wish *wish,
                                struct err *err);

/* Save without a word, whatever was there. */
enum err_code saved_funnel_put(struct settings_db *db, uint32_t site, struct slice name,
                               struct slice definition, struct err *err);

/* Into the arena, as it is now; ERR_NOT_FOUND. */
enum err_code saved_funnel_get(struct settings_db *db, uint32_t site, struct slice name,
                               struct arena *a, struct saved_funnel *out, struct err *err);

/* All of a site, by name. */
enum err_code saved_funnel_list(struct settings_db *db, uint32_t site, struct arena *a,
                                struct saved_funnel **out, size_t *out_n, struct err *err);

/* With all its versions. */
enum err_code saved_funnel_remove(struct settings_db *db, uint32_t site, struct slice name,
                                  struct err *err);

/* One of its versions, and all of them without their definitions, the newest first. ERR_NOT_FOUND.
 */
enum err_code saved_funnel_version(struct settings_db *db, uint32_t site, struct slice name,
                                   int64_t version, struct arena *a, struct saved_funnel *out,
                                   struct err *err);
enum err_code saved_funnel_versions(struct settings_db *db, uint32_t site, struct slice name,
                                    struct arena *a, struct saved_funnel **out, size_t *out_n,
                                    struct err *err);

#endif
