#include "aggregator/site_choice.h"

#define WORDS_MAX 4

static const struct {
    const char *name;
    const char *words[WORDS_MAX];
} choices[CHOICE_COUNT] = {
    [CHOICE_FIRST_DAY] = {"first_day_of_week", {"monday", "saturday", "sunday"}},
    [CHOICE_BOTS] = {"bots", {"exclude", "include", "only"}},
    [CHOICE_VIEWER_JOURNEYS] = {"viewer_journeys", {"no", "yes"}},
};

const char *
site_choice_name(enum site_choice c)
{
    return choices[c].name;
}

const char *
site_choice_word(enum site_choice c, int i)
{
    return i < WORDS_MAX ? choices[c].words[i] : NULL;
}

enum err_code
site_choice_parse(enum site_choice c, struct slice word, int *out, struct err *err)
{
    const char *const *words = choices[c].words;

    for (int i = 0; i < WORDS_MAX && words[i] != NULL; i++) {
        if (slice_is(word, words[i]) || (word.n == 0 && i == 0)) {
            *out = i;
            return ERR_OK;
        }
    }
    return err_set(err, ERR_INVALID, choices[c].name, "must be %s or %s%s%s", words[0], words[1],
                   words[2] ? " or " : "", words[2] ? words[2] : "");
}
