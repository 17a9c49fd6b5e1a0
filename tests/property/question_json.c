/* Questions as the JSON of funnel.md section 5. */
#include <stdlib.h>

#include "tests/property/question.h"

static bool
takes_numbers(const struct question_rule *rule)
{
    static const char *const ops[] = {"eq", "ne", "lt", "le", "gt", "ge", "between"};

    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (strcmp(rule->op, ops[i]) == 0)
            return true;
    return false;
}

static void
add_test(struct buffer *out, const struct question_rule *rule)
{
    bool is_number = takes_numbers(rule);

    buffer_printf(out, "{\"attribute\":\"%.*s\",\"op\":\"%s\"", SLICE_ARG(rule->attribute.name),
                  rule->op);
    if (rule->ignore_case)
        buffer_add_text(out, ",\"ignore_case\":true");
    for (int i = 0; i < rule->n_values; i++) {
        buffer_add_text(out, i == 0 ? ",\"values\":[" : ",");
        if (is_number)
            buffer_add_text(out, rule->values[i]);
        else
            buffer_add_json(out, slice_from(rule->values[i]));
    }
    buffer_add_text(out, rule->n_values > 0 ? "]}" : "}");
}

void
question_add_rule(struct buffer *out, const struct question_rule *rule)
{
    if (rule->kind == QUESTION_TEST) {
        add_test(out, rule);
        return;
    }
    if (rule->kind == QUESTION_NOT) {
        buffer_add_text(out, "{\"not\":");
        question_add_rule(out, rule->members[0]);
        buffer_add_char(out, '}');
        return;
    }
    buffer_add_text(out, rule->kind == QUESTION_ALL ? "{\"all\":[" : "{\"any\":[");
    for (int i = 0; i < rule->n_members; i++) {
        if (i > 0)
            buffer_add_char(out, ',');
        question_add_rule(out, rule->members[i]);
    }
    buffer_add_text(out, "]}");
}

void
question_add_definition(struct buffer *out, const struct question *q)
{
    buffer_printf(out, "{\"window\":\"%lldms\"", (long long)q->window_ms);
    if (q->of_sessions)
        buffer_add_text(out, ",\"count\":\"sessions\"");
    for (int i = 0; i < q->n_stages; i++) {
        const struct question_stage *s = &q->stages[i];

        buffer_printf(out, "%s{\"name\":\"s%d\",", i == 0 ? ",\"stages\":[" : ",", i + 1);
        if (s->required >= 0)
            buffer_printf(out, "\"required\":%s,", s->required ? "true" : "false");
        buffer_add_text(out, "\"rule\":");
        question_add_rule(out, s->rule);
        buffer_add_char(out, '}');
    }
    buffer_add_char(out, ']');
    for (int i = 0; i < q->n_exclusions; i++) {
        const struct question_exclusion *x = &q->exclusions[i];

        buffer_add_text(out, i == 0 ? ",\"exclusions\":[{" : ",{");
        if (x->from != 1 || x->to != q->n_stages) /* else it is the default */
            buffer_printf(out, "\"from\":%d,\"to\":%d,", x->from, x->to);
        buffer_add_text(out, "\"rule\":");
        question_add_rule(out, x->rule);
        buffer_add_char(out, '}');
    }
    buffer_add_text(out, q->n_exclusions > 0 ? "]}" : "}");
}

/* ---- The request ---- */

static void
add_moment(struct buffer *out, const char *key, const struct question_moment *m)
{
    if (!m->is_given)
        return;
    if (m->is_day)
        buffer_printf(out, "\"%s\":\"%04d-%02d-%02d\",", key, m->day.year, m->day.month,
                      m->day.day);
    else
        buffer_printf(out, "\"%s\":%lld,", key, (long long)m->ms);
}

static void
add_at(struct buffer *out, enum question_at at, int stage)
{
    static const char *const names[] = {"", "entry", "first", "last", "any", "none", "every"};

    if (at == OF_STAGE)
        buffer_printf(out, ",\"at\":%d", stage);
    else if (at == OF_VISIT)
        buffer_printf(out, ",\"at\":\"visit:%d\"", stage);
    else if (at != BY_DEFAULT)
        buffer_printf(out, ",\"at\":\"%s\"", names[at]);
}

static void
add_filters(struct buffer *out, const struct question *q)
{
    if (q->n_filters == 0)
        return;
    for (int i = 0; i < q->n_filters; i++) {
        buffer_add_text(out, i == 0 ? "\"filters\":[{\"rule\":" : ",{\"rule\":");
        question_add_rule(out, q->filters[i].rule);
        add_at(out, q->filters[i].at, q->filters[i].stage);
        buffer_add_char(out, '}');
    }
    buffer_add_text(out, "],");
}

static void
add_breakdowns(struct buffer *out, const struct question *q)
{
    if (q->n_breakdowns == 0)
        return;
    for (int i = 0; i < q->n_breakdowns; i++) {
        const struct question_breakdown *b = &q->breakdowns[i];

        buffer_printf(out, "%s{\"attribute\":\"%.*s\"", i == 0 ? "\"breakdown\":[" : ",",
                      SLICE_ARG(b->attribute.name));
        add_at(out, b->at, b->stage);
        for (int k = 0; k < b->n_bins; k++)
            buffer_printf(out, "%s%d", k == 0 ? ",\"bins\":[" : ",", b->bins[k]);
        buffer_add_text(out, b->n_bins > 0 ? "]}" : "}");
    }
    buffer_add_text(out, "],");
    if (q->limit != 0)
        buffer_printf(out, "\"limit\":%d,", q->limit);
}

static void
add_compare(struct buffer *out, const struct question *q)
{
    if (q->compare == WITH_PREVIOUS && !q->is_full_age) {
        buffer_add_text(out, "\"compare\":\"previous\",");
    } else if (q->compare != NO_COMPARE) {
        buffer_add_text(out, "\"compare\":{");
        if (q->compare == WITH_RANGE) {
            add_moment(out, "from", &q->compare_from);
            add_moment(out, "to", &q->compare_to);
        }
        buffer_printf(out, "\"age\":\"%s\"},", q->is_full_age ? "full" : "equal");
    }
}

void
question_add_request(struct buffer *out, const struct question *q)
{
    static const char *const bots[] = {"exclude", "include", "only"};
    static const char *const trends[] = {"", "day", "week", "month"};

    buffer_add_char(out, '{');
    add_moment(out, "from", &q->from);
    add_moment(out, "to", &q->to);
    add_moment(out, "as_of", &q->as_of);
    add_filters(out, q);
    add_breakdowns(out, q);
    if (q->trend != NO_TREND)
        buffer_printf(out, "\"trend\":\"%s\",", trends[q->trend]);
    add_compare(out, q);
    buffer_printf(out, "\"timezone\":\"%s\",\"bots\":\"%s\"}", q->timezone, bots[q->bots]);
}
