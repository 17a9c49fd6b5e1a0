/* Rules: conditions on one event, as JSON, as a tree, and in canonical form (funnel.md 1 and 4).
 *
 * A rule is checked whole when it is parsed: every attribute exists, every operator fits it, every
 * regular expression compiles. Rules live in the arena that they were parsed into and never change.
 */
#ifndef AGGREGATOR_FUNNEL_RULE_H
#define AGGREGATOR_FUNNEL_RULE_H

#include "core/arena.h"
#include "core/err.h"
#include "core/event.h"

struct json_t; /* jansson's */

#define RULE_VALUES_MAX      1000
#define RULE_VALUE_BYTES_MAX 8192
#define RULE_DEPTH_MAX       16
#define RULE_MEMBERS_MAX     1000

enum rule_op { /* the positive ones; a negated operator is its positive and `negated` */
               OP_IS,
               OP_CONTAINS,
               OP_STARTS_WITH,
               OP_ENDS_WITH,
               OP_GLOB,
               OP_REGEX,
               OP_SET,
               OP_EQ,
               OP_LT,
               OP_LE,
               OP_GT,
               OP_GE,
               OP_BETWEEN,
               OP_COUNT
};

enum rule_kind { RULE_ALL, RULE_ANY, RULE_NOT, RULE_TEST };

struct rule_test {
    struct attribute attribute;
    enum rule_op op;
    bool negated; /* never in a canonical rule */
    bool ignore_case;
    uint32_t n_values;
    struct slice *values; /* of number operators: the numbers' texts, canonical (core/decimal.h) */
};

struct rule {
    enum rule_kind kind;
    uint32_t n_members; /* of ALL and ANY, at least 1; 1 of NOT */
    struct rule **members;
    struct rule_test test; /* of TEST */
    struct slice
        canonical; /* of canonical rules: the text that equals where the rules are the same */
};

/* JSON -> rule. ERR_INVALID or ERR_LIMIT with err->field relative to the rule ("all[0].op"; "" for
 * the rule itself). */
enum err_code rule_parse(struct json_t *json, struct arena *a, struct rule **out, struct err *err);

/* The same rule in canonical form; every node of it has its text in `canonical`. */
struct rule *rule_canonical(const struct rule *rule, struct arena *a);

/* Rule -> JSON as it was written, defaults written out. A new reference, owned by the caller. */
struct json_t *rule_to_json(const struct rule *rule);

/* Call visit for every test of the rule, until it says false; returns whether it never did. */
bool rule_each_test(const struct rule *rule,
                    bool (*visit)(const struct rule_test *t, void *context), void *context);

bool rule_op_is_number(enum rule_op op); /* eq lt le gt ge between */
const char *rule_op_name(enum rule_op op, bool negated);

#endif
