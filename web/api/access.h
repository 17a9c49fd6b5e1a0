/* Who may do what. An account has a role for all sites, or one for each of some sites; an API key
 * has scopes for one site. Every route names one right, and this is the only place that decides. */
#ifndef WEB_API_ACCESS_H
#define WEB_API_ACCESS_H

#include "aggregator/site.h"
#include "web/api/account.h"
#include "web/api/api_key.h"

enum access_right {
    ACCESS_PUBLIC,   /* anybody, signed in or not */
    ACCESS_SELF,     /* whoever is signed in, about himself; no key */
    ACCESS_READ,     /* figures: viewers and above */
    ACCESS_VISITORS, /* single visitors: viewers where the site allows it, and above */
    ACCESS_WRITE,    /* editors and above */
    ACCESS_MANAGE    /* owners: people, keys, what was done; no key */
};

/* Who asks. */
struct access_who {
    bool is_signed_in;
    bool is_key;       /* else by a session */
    unsigned scopes;   /* of a key: enum api_key_scope, or-ed */
    uint32_t key_site; /* of a key */
    bool has_role;     /* of an account, for what is asked about */
    enum account_role role;
};

/* site NULL: of a route that is about no site. */
bool access_may(const struct access_who *who, const struct site *site, enum access_right right);

#endif
