#include "web/api/access.h"

bool
access_role_may(enum account_role role, enum access_right right)
{
    switch (right) {
    case ACCESS_PUBLIC:
    case ACCESS_READ:
        return true;
    case ACCESS_WRITE:
        return role >= ROLE_EDITOR;
    }
    return false;
}

bool
access_site_may(const struct account *account, const struct site *site, enum access_right right)
{
    return site->id != 0 && access_role_may(account->role, right);
}
