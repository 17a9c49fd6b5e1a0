#include "core/privacy.h"

static const struct {
    const char *name;
    const char *words[2]; /* off, on */
} settings[PRIVACY_COUNT] = {
    [PRIVACY_COOKIELESS] = {"identity", {"first_party", "cookieless"}},
    [PRIVACY_CONSENT] = {"consent", {"none", "required"}},
    [PRIVACY_GPC] = {"gpc", {"ignore", "respect"}},
    [PRIVACY_DNT] = {"dnt", {"ignore", "respect"}},
};

const char *
privacy_name(enum privacy_setting s)
{
    return settings[s].name;
}

const char *
privacy_word(const struct privacy *p, enum privacy_setting s)
{
    return settings[s].words[p->on[s]];
}

enum err_code
privacy_set(struct privacy *p, enum privacy_setting s, struct slice word, struct err *err)
{
    bool is_on = slice_is(word, settings[s].words[1]);

    if (!is_on && !slice_is(word, settings[s].words[0]))
        return err_set(err, ERR_INVALID, settings[s].name, "is %s or %s", settings[s].words[0],
                       settings[s].words[1]);
    p->on[s] = is_on;
    return ERR_OK;
}
