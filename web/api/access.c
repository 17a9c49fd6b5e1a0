#include "web/api/access.h"

static bool
key_may(const struct access_who *who, const struct site *site, enum access_right right)
{
    switch (right) {
    case ACCESS_READ:
        return (who->scopes & API_KEY_READ) != 0 && (!site || site->id == who->key_site);
    case ACCESS_VISITORS:
        return (who->scopes & API_KEY_READ) != 0 && site && site->id == who->key_site;
    case ACCESS_WRITE:
        return (who->scopes & API_KEY_MANAGE) != 0 && site && site->id == who->key_site;
    case ACCESS_PUBLIC:
    case ACCESS_SELF:
    case ACCESS_MANAGE:
        break;
    }
    return false;
}

bool
access_may(const struct access_who *who, const struct site *site, enum access_right right)
{
    if (right == ACCESS_PUBLIC)
        return true;
    if (!who->is_signed_in)
        return false;
    if (who->is_key)
        return key_may(who, site, right);
    if (right == ACCESS_SELF || (right == ACCESS_READ && !site))
        return true;
    if (!who->has_role)
        return false;
    switch (right) {
    case ACCESS_VISITORS:
        return who->role >= ROLE_EDITOR || (site && site->choices[CHOICE_VIEWER_JOURNEYS] != 0);
    case ACCESS_WRITE:
        return who->role >= ROLE_EDITOR;
    case ACCESS_MANAGE:
        return who->role >= ROLE_OWNER;
    case ACCESS_PUBLIC:
    case ACCESS_SELF:
    case ACCESS_READ:
        break;
    }
    return true;
}
