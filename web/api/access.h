/* Who may do what. Roles are of the whole installation; access_site_may is the one place that will
 * know of roles for a single site, and every route with a site asks it. */
#ifndef WEB_API_ACCESS_H
#define WEB_API_ACCESS_H

#include "aggregator/site.h"
#include "web/api/account.h"

enum access_right {
    ACCESS_PUBLIC, /* anybody, signed in or not */
    ACCESS_READ,   /* viewers and above */
    ACCESS_WRITE   /* editors and above */
};

bool access_role_may(enum account_role role, enum access_right right);
bool access_site_may(const struct account *account, const struct site *site,
                     enum access_right right);

#endif
