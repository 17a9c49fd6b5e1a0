/* One walk over the expression, from left to right. Every part of it is either `exact`, a small set
 * of texts of which it matches one and nothing else, or not; parts that follow one another are
 * multiplied into longer texts for as long as they are exact and few. Where that ends, what has
 * been gathered is a candidate, and the best candidate is kept:
 *
 *     (Namoroka|Shiretoko)/(\d+)    exact {namoroka, shiretoko} x {/}, then anything
 *     Win(?:95|98)? NT              {win}, then what may be missing, then { nt}
 *
 * A choice needs what each of its branches needs, so that it has a candidate only if each has. */
#include "collector/data/needs.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Texts that stand in most agents say little. */
static const char *const common[] = {
    "mozilla/5.0 (windows nt 10.0; win64; x64) applewebkit/537.36 (khtml, like gecko) ",
    "mozilla/5.0 (linux; u; android 10; k) applewebkit/537.36 (khtml, like gecko) version/4.0 "
    "chrome/133.0.0.0 mobile safari/537.36",
    "mozilla/5.0 (iphone; cpu iphone os 18_2 like mac os x) applewebkit/605.1.15 (khtml, like "
    "gecko) version/18.2 mobile/15e148 safari/604.1",
    "mozilla/5.0 (macintosh; intel mac os x 10_15_7) gecko/20100101 firefox/133.0 build/",
};

struct part {
    bool is_exact;
    struct needs exact; /* where is_exact */
    struct needs best;  /* n = 0: none */
};

static const struct needs nothing = {1, {""}};

/* ---- Sets ---- */

static int
score(const struct needs *set)
{
    size_t shortest = NEEDS_BYTES_MAX;
    bool is_common = false;

    for (size_t i = 0; i < set->n; i++) {
        size_t n = strlen(set->text[i]);

        shortest = n < shortest ? n : shortest;
        for (size_t c = 0; c < sizeof common / sizeof *common; c++)
            is_common = is_common || strstr(common[c], set->text[i]);
    }
    if (set->n == 0 || shortest < NEEDS_BYTES_MIN)
        return -1;
    return (is_common ? 0 : 1000) + (int)(8 * shortest) - (int)set->n;
}

static void
offer(struct needs *best, const struct needs *candidate)
{
    if (score(candidate) > score(best))
        *best = *candidate;
}

static bool
add(struct needs *set, const char *text)
{
    for (size_t i = 0; i < set->n; i++)
        if (strcmp(set->text[i], text) == 0)
            return true;
    if (set->n == NEEDS_MAX)
        return false;
    strcpy(set->text[set->n++], text); /* both are of NEEDS_BYTES_MAX */
    return true;
}

static bool
unite(struct needs *set, const struct needs *more)
{
    bool fits = true;

    for (size_t i = 0; i < more->n && fits; i++)
        fits = add(set, more->text[i]);
    return fits;
}

/* Every text of a followed by every text of b; false, and *a as it was, where that is too much. */
static bool
multiply(struct needs *a, const struct needs *b)
{
    struct needs product = {0};
    char text[2 * NEEDS_BYTES_MAX];

    for (size_t i = 0; i < a->n; i++)
        for (size_t k = 0; k < b->n; k++) {
            strcpy(text, a->text[i]);
            strcat(text, b->text[k]);
            if (strlen(text) >= NEEDS_BYTES_MAX || !add(&product, text))
                return false;
        }
    *a = product;
    return true;
}

/* ---- Atoms ---- */

static struct part
exactly(const struct needs *set)
{
    struct part p = {.is_exact = true, .exact = *set};

    offer(&p.best, set);
    return p;
}

static struct part
one_character(char c)
{
    struct needs set = {1, {{(char)tolower((unsigned char)c)}}};

    return exactly(&set);
}

static const struct part anything;

static struct part read_choice(const char **s);

static struct part
read_escape(const char **s)
{
    char c = *(*s)++;

    if (c == 'b' || c == 'B' || c == 'A' || c == 'z' || c == 'Z')
        return exactly(&nothing);
    return isalnum((unsigned char)c) ? anything : one_character(c);
}

/* Behind the '['. */
static struct part
read_class(const char **s)
{
    struct needs set = {0};
    bool is_wide = **s == '^', is_first = true;

    *s += is_wide;
    for (; **s && (**s != ']' || is_first); is_first = false) {
        char text[2] = {0};

        if (**s == '\\') {
            ++*s;
            is_wide = is_wide || isalnum((unsigned char)**s);
        } else if (**s == '-' && !is_first && (*s)[1] != ']') {
            is_wide = true; /* a range */
        }
        text[0] = (char)tolower((unsigned char)*(*s)++);
        if (!add(&set, text))
            is_wide = true;
    }
    *s += **s == ']';
    return is_wide || set.n > 4 ? anything : exactly(&set);
}

/* Behind the '('. What only looks takes no room; what it asks for is not asked for here. */
static struct part
read_group(const char **s)
{
    bool only_looks = false;
    struct part p;

    if (**s == '?') {
        size_t n = strcspn(*s, ":=!)");

        only_looks = (*s)[n] != ':';
        *s += n;
        if (**s && **s != ')')
            ++*s;
    }
    p = read_choice(s);
    *s += **s == ')';
    return only_looks ? exactly(&nothing) : p;
}

static struct part
read_atom(const char **s)
{
    char c = *(*s)++;

    switch (c) {
    case '(':
        return read_group(s);
    case '[':
        return read_class(s);
    case '\\':
        return read_escape(s);
    case '^':
    case '$':
        return exactly(&nothing);
    case '.':
        return anything;
    default:
        return one_character(c);
    }
}

/* ---- Repetition, sequence, choice ---- */

/* How often the atom before stands at least; *is_once where nothing is said. */
static long
read_quantifier(const char **s, bool *is_once)
{
    long least = 1;

    *is_once = false;
    if (**s == '*' || **s == '?') {
        least = 0;
        ++*s;
    } else if (**s == '+') {
        ++*s;
    } else if (**s == '{' && isdigit((unsigned char)(*s)[1])) {
        least = strtol(*s + 1, NULL, 10);
        *s += strcspn(*s, "}");
        *s += **s == '}';
    } else {
        *is_once = true;
        return 1;
    }
    if (**s == '?' || **s == '+')
        ++*s;
    return least;
}

static struct part
read_sequence(const char **s)
{
    struct part whole = exactly(&nothing);
    struct needs run = nothing; /* the exact parts since the last one that was not */

    while (**s && **s != '|' && **s != ')') {
        struct part atom = read_atom(s);
        bool is_once;
        long least = read_quantifier(s, &is_once);

        if (least > 0)
            offer(&whole.best, &atom.best);
        if (least > 0 && atom.is_exact && multiply(&run, &atom.exact) && is_once)
            continue;
        offer(&whole.best, &run);
        run = is_once && atom.is_exact ? atom.exact : nothing;
        whole.is_exact = false;
    }
    offer(&whole.best, &run);
    whole.exact = run;
    return whole;
}

static struct part
read_choice(const char **s)
{
    struct part whole = read_sequence(s);

    while (**s == '|') {
        struct part branch;

        ++*s;
        branch = read_sequence(s);
        whole.is_exact = whole.is_exact && branch.is_exact && unite(&whole.exact, &branch.exact);
        if (whole.best.n == 0 || branch.best.n == 0 || !unite(&whole.best, &branch.best))
            whole.best.n = 0;
    }
    return whole;
}

/* ---- The face ---- */

static bool
is_known(const char *s)
{
    static const char *const groups[] = {":", "=", "!", "<=", "<!", "i)"};

    for (; *s; s++) {
        bool knows = true;

        if (*s == '\\') {
            s++;
            knows = *s && (!isalnum((unsigned char)*s) || strchr("dDwWsSbBAzZ", *s));
        } else if (s[0] == '(' && s[1] == '?') {
            knows = false;
            for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
                knows = knows || strncmp(s + 2, groups[i], strlen(groups[i])) == 0;
        }
        if (!knows)
            return false;
    }
    return true;
}

bool
needs_find(const char *pattern, struct needs *out)
{
    if (!is_known(pattern))
        return false;
    *out = read_choice(&pattern).best;
    return true;
}

bool
needs_is_text(const char *pattern, char *out)
{
    for (; *pattern; pattern++) {
        if (*pattern == '\\' && !isalnum((unsigned char)pattern[1]) && pattern[1])
            pattern++;
        else if (strchr("\\^$.|?*+()[]{}", *pattern))
            return false;
        *out++ = *pattern;
    }
    *out = '\0';
    return true;
}
