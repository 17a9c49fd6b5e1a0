/* Matching with two places to come back to: the last `*` and, further up, the last `**`. That is
 * enough: what stands before a run that has matched once never needs to match further right, for
 * `**` takes anything, and `*` takes everything up to the next '/', which no `*` can cross. */
#include "aggregator/funnel/glob.h"

struct comeback {
    bool is_set;
    size_t pattern; /* behind the stars */
    size_t text;    /* where the run ends so far */
};

/* Is there a star at *i? Takes it, or several, and says whether it is the run that crosses '/'. */
static bool
take_star(struct slice pattern, size_t *i, bool *out_is_deep)
{
    size_t begin = *i;

    while (*i < pattern.n && pattern.p[*i] == '*')
        (*i)++;
    *out_is_deep = *i - begin > 1;
    return *i > begin;
}

/* Let the last run that can take one more byte do so. */
static bool
come_back(struct slice text, struct comeback *shallow, struct comeback *deep, size_t *i, size_t *j)
{
    struct comeback *to = deep;

    if (shallow->is_set && shallow->text < text.n && text.p[shallow->text] != '/')
        to = shallow;
    else
        shallow->is_set = false;
    if (!to->is_set || to->text >= text.n)
        return false;
    to->text++;
    *i = to->pattern;
    *j = to->text;
    return true;
}

bool
glob_match(struct slice pattern, struct slice text)
{
    struct comeback shallow = {.is_set = false};
    struct comeback deep = {.is_set = false};
    size_t i = 0;
    size_t j = 0;

    for (;;) {
        bool is_deep;

        if (take_star(pattern, &i, &is_deep)) {
            if (is_deep) {
                deep = (struct comeback){true, i, j};
                shallow.is_set = false;
            } else {
                shallow = (struct comeback){true, i, j};
            }
        } else if (i == pattern.n && j == text.n) {
            return true;
        } else if (i < pattern.n && j < text.n && pattern.p[i] == text.p[j]) {
            i++;
            j++;
        } else if (!come_back(text, &shallow, &deep, &i, &j)) {
            return false;
        }
    }
}
