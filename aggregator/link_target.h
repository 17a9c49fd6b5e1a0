/* Campaign redirects: GET /r/<slug> at the collector leads to the link's target. A target is fixed
 * when its link is made; nothing of a request ever decides where it leads.
 *
 * (Links between ids of one person are something else: they live in the catalog.)
 */
#ifndef AGGREGATOR_LINK_TARGET_H
#define AGGREGATOR_LINK_TARGET_H

#include "aggregator/settings_db.h"

#define LINK_SLUG_MAX    64
#define LINK_TARGET_MAX  2000 /* bytes */
#define LINK_TARGETS_MAX 2000 /* of all sites: every collector reads them once a second */

struct link_target {
    uint32_t site;
    struct slice slug;
    struct slice target; /* an http or https URL, in ASCII */
    int64_t created_ms;
};

/* Make a link. A slug (1 to 64 letters, digits, - and _) is one site's: ERR_EXISTS names it where
 * it is taken, whoever has it. ERR_INVALID (slug, target), ERR_LIMIT, ERR_NOT_FOUND without such a
 * site. */
enum err_code link_target_add(struct settings_db *db, uint32_t site, struct slice slug,
                              struct slice target, struct err *err);

/* All of a site, or of all sites for 0, by slug. In the arena. */
enum err_code link_target_list(struct settings_db *db, uint32_t site, struct arena *a,
                               struct link_target **out, size_t *out_n, struct err *err);

enum err_code link_target_remove(struct settings_db *db, uint32_t site, struct slice slug,
                                 struct err *err);

#endif
