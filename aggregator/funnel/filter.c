/* Filters: a rule with a place, whose default depends on what the rule asks for (funnel.md 4). */
#include "aggregator/funnel/request_int.h"

/* ---- What a rule asks for ---- */

static bool
note_class(const struct rule_test *t, void *context)
{
    unsigned *classes = context;

    *classes |= 1u << t->attribute.class;
    return true;
}

static unsigned
classes_of(const struct rule *rule)
{
    unsigned classes = 0;

    rule_each_test(rule, note_class, &classes);
    return classes;
}

static bool
is_same_attribute(const struct rule_test *t, void *context)
{
    struct attribute *first = context;

    if (first->name.n == 0)
        *first = t->attribute;
    return slice_equal(first->name, t->attribute.name);
}

static bool
has_not(const struct rule *canonical)
{
    if (canonical->kind == RULE_NOT)
        return true;
    for (uint32_t i = 0; i < canonical->n_members; i++)
        if (has_not(canonical->members[i]))
            return true;
    return false;
}

/* ---- Its place ---- */

static enum err_code
default_at(struct request_filter *f, struct err *err)
{
    unsigned classes = classes_of(f->rule);

    if ((classes & (1u << CLASS_EVENT)) == 0) {
        f->at = AT_ENTRY;
        return ERR_OK;
    }
    if (classes != 1u << CLASS_EVENT)
        return err_set(err, ERR_INVALID, "at",
                       "must be given: the rule is about events and about where they came from");
    if (has_not(f->canonical))
        return err_set(err, ERR_INVALID, "at",
                       "must be given for a rule with a \"not\": \"any\" is some event that is not "
                       "so, \"none\" of the opposite is no event that is so");
    f->at = AT_ANY;
    return ERR_OK;
}

static enum err_code
find_attribute(struct request_filter *f, struct err *err)
{
    if (!rule_each_test(f->rule, is_same_attribute, &f->attribute))
        return err_set(err, ERR_INVALID, "at",
                       "\"first\" and \"last\" need a rule on one attribute only");
    return ERR_OK;
}

/* "visit:3" */
static bool
read_visit(const json_t *at, struct request_filter *out)
{
    struct slice word, number;
    int64_t stage = 0;

    if (!json_is_string(at) || !slice_cut(json__text(at), ':', &word, &number) ||
        !slice_is(word, "visit") || !slice_to_int64(number, &stage) || stage < 1 ||
        stage > FUNNEL_STAGES_MAX)
        return false;
    out->at = AT_VISIT;
    out->stage = (int)stage;
    return true;
}

enum err_code
request__read_filter(struct arena *a, json_t *value, struct request_filter *out, struct err *err)
{
    static const char *const known[] = {"rule", "at", NULL};
    json_t *at;
    enum err_code rc;

    *out = (struct request_filter){.at = AT_ENTRY};
    rc = json__check_keys(value, known, err);
    if (rc != ERR_OK)
        return rc;
    if (json_object_get(value, "rule") == NULL)
        return err_set(err, ERR_INVALID, "rule", "is missing");
    rc = json__in(rule_parse(json_object_get(value, "rule"), a, &out->rule, err), err, "rule");
    if (rc != ERR_OK)
        return rc;
    out->canonical = rule_canonical(out->rule, a);
    at = json_object_get(value, "at");
    if (at == NULL || json_is_null(at))
        return default_at(out, err);
    if (read_visit(at, out))
        return ERR_OK;
    rc = request__read_at(value, AT_STAGE, &out->at, &out->stage, err);
    if (rc == ERR_OK && (out->at == AT_FIRST || out->at == AT_LAST))
        rc = find_attribute(out, err);
    return rc;
}
