/* PCRE2 behind one face: compiled with JIT where the machine allows it, matched within limits. */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "aggregator/funnel/regex.h"

#include <pcre2.h>
#include <stdlib.h>

#include "core/arena.h"

/* A match of a sane expression on a URL takes a few hundred steps. */
#define MATCH_STEPS_MAX   1000000
#define MATCH_HEAP_KIB    8192
#define GROUPS_NESTED_MAX 50
#define QUOTED_BYTES_MAX  120

struct regex {
    pcre2_code *code;
    char *pattern; /* owned; cut to QUOTED_BYTES_MAX, for words */
};

struct regex_scratch {
    pcre2_match_data *data;
    pcre2_match_context *context;
};

/* What opens look-around or a verb. Looked for as bytes anywhere, also where PCRE2 would read a
 * literal: telling the two apart needs its whole grammar, and every literal bracket can be written
 * "[(]" instead. */
static const char *const refused_openings[] = {"(?=", "(?!", "(?<=", "(?<!", "(*", "(?*", "(?<*"};

static enum err_code
check_openings(struct slice pattern, struct err *err)
{
    for (size_t i = 0; i < sizeof refused_openings / sizeof *refused_openings; i++)
        if (slice_contains(pattern, slice_from(refused_openings[i])))
            return err_set(
                err, ERR_INVALID, NULL,
                "look-around and (*verbs) are not allowed: \"%s\" (a literal bracket can "
                "be written [(])",
                refused_openings[i]);
    return ERR_OK;
}

static enum err_code
compile(struct slice pattern, bool ignore_case, pcre2_code **out, struct err *err)
{
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C |
                       PCRE2_DOLLAR_ENDONLY | (ignore_case ? PCRE2_CASELESS : 0);
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    pcre2_code *code;
    uint32_t n_references = 0;
    PCRE2_SIZE at;
    int error;

    pcre2_set_parens_nest_limit(context, GROUPS_NESTED_MAX);
    code = pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n, options, &error, &at, context);
    pcre2_compile_context_free(context);
    if (code == NULL) {
        PCRE2_UCHAR words[160];

        pcre2_get_error_message(error, words, sizeof words);
        return err_set(err, ERR_INVALID, NULL, "no regular expression: %s at byte %zu",
                       (const char *)words, (size_t)at);
    }
    pcre2_pattern_info(code, PCRE2_INFO_BACKREFMAX, &n_references);
    if (n_references > 0) {
        pcre2_code_free(code);
        return err_set(err, ERR_INVALID, NULL, "back-references are not allowed");
    }
    *out = code;
    return ERR_OK;
}

enum err_code
regex_check(struct slice pattern, bool ignore_case, struct err *err)
{
    pcre2_code *code;
    enum err_code rc = check_openings(pattern, err);

    if (rc == ERR_OK)
        rc = compile(pattern, ignore_case, &code, err);
    if (rc == ERR_OK)
        pcre2_code_free(code);
    return rc;
}

enum err_code
regex_create(struct slice pattern, bool ignore_case, struct regex **out, struct err *err)
{
    pcre2_code *code;
    struct regex *r;
    enum err_code rc = check_openings(pattern, err);

    if (rc == ERR_OK)
        rc = compile(pattern, ignore_case, &code, err);
    if (rc != ERR_OK)
        return rc;
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); /* where it cannot, matching is slower: no error */
    r = mem_zalloc(sizeof *r);
    r->code = code;
    r->pattern = mem_cstr(slice_sub(pattern, 0, slice_utf8_cut(pattern, QUOTED_BYTES_MAX)));
    *out = r;
    return ERR_OK;
}

void
regex_destroy(struct regex **r)
{
    if (*r == NULL)
        return;
    pcre2_code_free((*r)->code);
    free((*r)->pattern);
    free(*r);
    *r = NULL;
}

struct regex_scratch *
regex_scratch_create(void)
{
    struct regex_scratch *s = mem_zalloc(sizeof *s);

    s->data = pcre2_match_data_create(1, NULL);
    s->context = pcre2_match_context_create(NULL);
    if (s->data == NULL || s->context == NULL)
        abort(); /* out of memory, as mem_alloc */
    pcre2_set_match_limit(s->context, MATCH_STEPS_MAX);
    pcre2_set_heap_limit(s->context, MATCH_HEAP_KIB);
    return s;
}

void
regex_scratch_destroy(struct regex_scratch **scratch)
{
    if (*scratch == NULL)
        return;
    pcre2_match_data_free((*scratch)->data);
    pcre2_match_context_free((*scratch)->context);
    free(*scratch);
    *scratch = NULL;
}

enum err_code
regex_match(const struct regex *r, struct regex_scratch *scratch, struct slice text, bool *out,
            struct err *err)
{
    PCRE2_SPTR subject = (PCRE2_SPTR)text.p;
    int n;

    n = pcre2_match(r->code, subject, text.n, 0, 0, scratch->data, scratch->context);
    if (n == PCRE2_ERROR_JIT_STACKLIMIT) /* the interpreter has its stack on the heap */
        n = pcre2_match(r->code, subject, text.n, 0, PCRE2_NO_JIT, scratch->data, scratch->context);
    if (n < 0 && n != PCRE2_ERROR_NOMATCH)
        return err_set(err, ERR_LIMIT, NULL,
                       "the regular expression \"%s\" needs too many steps on some text: make it "
                       "simpler",
                       r->pattern);
    *out = n >= 0;
    return ERR_OK;
}
