/* A rule can match only if one of its needs stands in the agent (collector/data/needs.h). All needs
 * of all rules are looked for in one pass: of each, three bytes of it (its gram, the ones that
 * fewest others have) are in a small hash table, and the pass asks for the gram at every place:
 *
 *     agent   ... ; c o m p a t i b l e ; G o o g l e b o t / 2 . 1
 *                                             ^ "gle"? -> compare "googlebot/" from 3 bytes before
 *
 * which leaves a handful of rules of 2,800 to be tried. */
#include "collector/agent_rules.h"

#include <assert.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "core/arena.h"

#define GRAM_BYTES 3
#define BUCKETS    8192
#define SEEN_BITS  65536 /* as many hashes as gram_hash gives */
#define GROUPS_MAX 10    /* $1 to $9 are all that names use */

/* No agent can cost more than this, whatever a rule does with it. */
#define MATCH_STEPS_MAX 20000
#define DEPTH_MAX       250

struct gram {
    const char *need;
    uint16_t rule;
    uint8_t n;  /* bytes of need */
    uint8_t at; /* where in need the gram begins */
};

struct agent_rules {
    pcre2_code *code[AGENT_RULES_MAX]; /* NULL: plain text */
    pcre2_match_context *limits;
    uint64_t always[AGENT_RULES_MAX / 64]; /* rules without needs */
    uint64_t seen[SEEN_BITS / 64];         /* hashes of grams: most places end here, in 8 KB */
    uint32_t bucket[BUCKETS + 1];          /* where each begins in grams */
    struct gram *grams;
};

static void
set_bit(uint64_t *bits, uint32_t i)
{
    bits[i / 64] |= UINT64_C(1) << i % 64;
}

static bool
has_bit(const uint64_t *bits, uint32_t i)
{
    return bits[i / 64] >> i % 64 & 1;
}

static uint32_t
gram_hash(const char *p)
{
    uint32_t v =
        (uint32_t)(uint8_t)p[0] | (uint32_t)(uint8_t)p[1] << 8 | (uint32_t)(uint8_t)p[2] << 16;

    return v * UINT32_C(2654435761) >> 16;
}

static uint32_t
gram_bucket(const char *p)
{
    return gram_hash(p) / (SEEN_BITS / BUCKETS);
}

/* ---- Making the table of grams ---- */

/* Grams of nearly every agent would be found in vain nearly every time. */
static const char ordinary[] =
    "mozilla/5.0 (windows nt 10.0; win64; x64) applewebkit/537.36 (khtml, like gecko) chrome/133.0 "
    "mobile safari/604.1 version/18.2 (linux; u; android 10; k) build/ (iphone; cpu iphone os 18_2 "
    "like mac os x) (macintosh; intel mac os x 10_15_7) gecko/20100101 firefox/133.0 compatible; ";

static void
weigh_grams(uint32_t weight[BUCKETS])
{
    uint32_t n_needs = 0;

    for (uint32_t i = 0; i < agent_table_sets[AGENT_SET_COUNT]; i++)
        n_needs += agent_table_rules[i].n_needs;
    for (uint32_t k = 0; k < n_needs; k++)
        for (const char *p = agent_table_needs[k]; p[GRAM_BYTES - 1]; p++)
            weight[gram_bucket(p)]++;
    for (const char *p = ordinary; p[GRAM_BYTES - 1]; p++)
        weight[gram_bucket(p)] += 1000;
}

static struct gram
choose_gram(const char *need, uint32_t rule, const uint32_t weight[BUCKETS])
{
    size_t n = strlen(need), best = 0;

    assert(n >= GRAM_BYTES && n <= UINT8_MAX);
    for (size_t at = 1; at + GRAM_BYTES <= n; at++)
        if (weight[gram_bucket(need + at)] < weight[gram_bucket(need + best)])
            best = at;
    return (struct gram){need, (uint16_t)rule, (uint8_t)n, (uint8_t)best};
}

static void
make_grams(struct agent_rules *r)
{
    uint32_t *weight = mem_zalloc(BUCKETS * sizeof *weight);
    uint32_t n_rules = agent_table_sets[AGENT_SET_COUNT], n = 0, next[BUCKETS];
    struct gram *chosen;

    for (uint32_t i = 0; i < n_rules; i++)
        n += agent_table_rules[i].n_needs;
    chosen = mem_alloc(n * sizeof *chosen);
    r->grams = mem_alloc(n * sizeof *r->grams);
    weigh_grams(weight);
    n = 0;
    for (uint32_t i = 0; i < n_rules; i++)
        for (uint32_t k = 0; k < agent_table_rules[i].n_needs; k++, n++) {
            const struct agent_rule *rule = &agent_table_rules[i];

            chosen[n] = choose_gram(agent_table_needs[rule->first_need + k], i, weight);
            set_bit(r->seen, gram_hash(chosen[n].need + chosen[n].at));
            r->bucket[gram_bucket(chosen[n].need + chosen[n].at) + 1]++;
        }
    for (uint32_t b = 0; b < BUCKETS; b++) {
        r->bucket[b + 1] += r->bucket[b];
        next[b] = r->bucket[b];
    }
    for (uint32_t k = 0; k < n; k++)
        r->grams[next[gram_bucket(chosen[k].need + chosen[k].at)]++] = chosen[k];
    free(chosen);
    free(weight);
}

/* ---- Making the rules ---- */

/* Without JIT (a hardened system may refuse it) the same comes out, slower. */
static pcre2_code *
compile(const struct agent_rule *rule)
{
    PCRE2_SIZE at;
    int error;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)rule->pattern, PCRE2_ZERO_TERMINATED,
                                     rule->ignores_case ? PCRE2_CASELESS : 0, &error, &at, NULL);

    assert(code != NULL);
    (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    return code;
}

struct agent_rules *
agent_rules_create(void)
{
    struct agent_rules *r = mem_zalloc(sizeof *r);
    uint32_t n = agent_table_sets[AGENT_SET_COUNT];

    assert(n <= AGENT_RULES_MAX);
    r->limits = pcre2_match_context_create(NULL);
    assert(r->limits != NULL);
    pcre2_set_match_limit(r->limits, MATCH_STEPS_MAX);
    pcre2_set_depth_limit(r->limits, DEPTH_MAX);
    for (uint32_t i = 0; i < n; i++) {
        if (!agent_table_rules[i].is_text)
            r->code[i] = compile(&agent_table_rules[i]);
        if (agent_table_rules[i].n_needs == 0)
            set_bit(r->always, i);
    }
    make_grams(r);
    return r;
}

void
agent_rules_destroy(struct agent_rules **rules)
{
    if (!*rules)
        return;
    for (uint32_t i = 0; i < AGENT_RULES_MAX; i++)
        pcre2_code_free((*rules)->code[i]);
    pcre2_match_context_free((*rules)->limits);
    free((*rules)->grams);
    free(*rules);
    *rules = NULL;
}

/* ---- Hints ---- */

static struct slice
to_lower(struct slice s, char out[AGENT_BYTES_MAX])
{
    for (size_t i = 0; i < s.n; i++)
        out[i] = (char)(s.p[i] + (s.p[i] >= 'A' && s.p[i] <= 'Z' ? 'a' - 'A' : 0));
    return slice_of(out, s.n);
}

static void
hint_at(const struct agent_rules *r, struct slice lower, size_t i, uint64_t *may)
{
    uint32_t b = gram_bucket(lower.p + i);

    for (uint32_t k = r->bucket[b]; k < r->bucket[b + 1]; k++) {
        const struct gram *g = &r->grams[k];

        if (i >= g->at && i - g->at + g->n <= lower.n &&
            memcmp(lower.p + i - g->at, g->need, g->n) == 0)
            set_bit(may, g->rule);
    }
}

void
agent_rules_hint(const struct agent_rules *rules, struct slice user_agent, struct agent_hints *out)
{
    char bytes[AGENT_BYTES_MAX];
    struct slice lower;

    out->agent = slice_of(user_agent.p, slice_utf8_cut(user_agent, AGENT_BYTES_MAX));
    lower = to_lower(out->agent, bytes);
    memcpy(out->may, rules->always, sizeof out->may);
    for (size_t i = 0; i + GRAM_BYTES <= lower.n; i++)
        if (has_bit(rules->seen, gram_hash(lower.p + i)))
            hint_at(rules, lower, i, out->may);
}

void
agent_rules_hint_all(const struct agent_rules *rules, struct slice user_agent,
                     struct agent_hints *out)
{
    (void)rules;
    out->agent = slice_of(user_agent.p, slice_utf8_cut(user_agent, AGENT_BYTES_MAX));
    memset(out->may, 0xff, sizeof out->may);
}

/* ---- Matching ---- */

static bool
is_within_character(struct slice agent, size_t i)
{
    return i < agent.n && ((uint8_t)agent.p[i] & 0xc0) == 0x80;
}

/* Rules match bytes; what is taken of an agent is whole characters. */
static struct slice
group(struct slice agent, pcre2_match_data *data, int n_groups, int i)
{
    PCRE2_SIZE *ends = pcre2_get_ovector_pointer(data), from, to;

    if (i >= n_groups || ends[2 * i] == PCRE2_UNSET)
        return SLICE_EMPTY;
    from = ends[2 * i];
    to = ends[2 * i + 1];
    while (from < to && is_within_character(agent, from))
        from++;
    while (to > from && is_within_character(agent, to))
        to--;
    return slice_of(agent.p + from, to - from);
}

/* Fill in the groups of "Firefox ($1)", trim, and cut to whole characters. */
static void
make_name(const char *form, struct slice agent, pcre2_match_data *data, int n_groups, char *name)
{
    char text[4 * AGENT_NAME_BYTES];
    struct slice s;
    size_t n = 0;

    for (const char *p = form ? form : "$1"; *p && n < sizeof text; p++) {
        struct slice piece = slice_of(p, 1);

        if (p[0] == '$' && p[1] >= '1' && p[1] <= '9')
            piece = group(agent, data, n_groups, *++p - '0');
        piece = slice_sub(piece, 0, sizeof text - n);
        memcpy(text + n, piece.p, piece.n);
        n += piece.n;
    }
    s = slice_trim(slice_of(text, n));
    s.n = slice_utf8_cut(s, AGENT_NAME_BYTES - 1);
    memcpy(name, s.p, s.n);
    name[s.n] = '\0';
}

static bool
try_rule(const struct agent_rules *r, uint32_t i, struct slice agent, pcre2_match_data *data,
         char *name)
{
    const struct agent_rule *rule = &agent_table_rules[i];
    int n;

    if (rule->is_text) {
        if (!slice_contains(agent, slice_from(rule->pattern)))
            return false;
        make_name(rule->name, agent, data, 0, name);
        return true;
    }
    n = pcre2_match(r->code[i], (PCRE2_SPTR)agent.p, agent.n, 0, 0, data, r->limits);
    if (n < 0)
        return false;
    make_name(rule->name, agent, data, n > 0 ? n : GROUPS_MAX, name);
    return true;
}

int
agent_rules_first(const struct agent_rules *rules, enum agent_set set,
                  const struct agent_hints *hints, char name[AGENT_NAME_BYTES])
{
    uint32_t end = agent_table_sets[set + 1];
    pcre2_match_data *data = pcre2_match_data_create(GROUPS_MAX, NULL);
    int found = -1;

    assert(data != NULL);
    name[0] = '\0';
    for (uint32_t i = agent_table_sets[set]; i < end && found < 0; i++) {
        uint64_t rest = hints->may[i / 64] >> i % 64;

        if (rest == 0)
            i |= 63; /* to the next word */
        else if ((rest & 1) && try_rule(rules, i, hints->agent, data, name))
            found = (int)i;
    }
    pcre2_match_data_free(data);
    return found;
}
