/* From JSON to a checked funnel, and back. Checks stop at the first thing that is wrong. */
#include "aggregator/funnel/definition.h"

#include <assert.h>
#include <stdlib.h>

#include "aggregator/funnel/json_int.h"

#define ARENA_BLOCK_BYTES (16 * 1024)

static const char *const preset_names[PRESET_COUNT] = {"open", "closed", "sequential"};
static const char *const count_names[COUNT_COUNT] = {"visitors", "sessions"};
static const char *const kind_names[KIND_COUNT] = {"custom", "trace", "response", "engagement",
                                                   "sale"};

static const struct {
    const char *name;
    int64_t ms;
} window_units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};

/* ---- The window ---- */

/* "30d": digits and a unit. False for anything else. */
static bool
read_window(struct slice text, int64_t *out_count, int64_t *out_unit_ms)
{
    size_t digits = 0;

    while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
        digits++;
    if (!slice_to_int64(slice_sub(text, 0, digits), out_count))
        return false;
    for (size_t i = 0; i < sizeof window_units / sizeof *window_units; i++) {
        if (slice_is(slice_sub(text, digits, text.n), window_units[i].name)) {
            *out_unit_ms = window_units[i].ms;
            return true;
        }
    }
    return false;
}

enum err_code
funnel_window_parse(struct slice text, int64_t *out_ms, struct err *err)
{
    int64_t count;
    int64_t unit_ms;

    if (!read_window(text, &count, &unit_ms))
        return err_set(err, ERR_INVALID, NULL,
                       "must be a whole number and ms, s, m, h or d, as in \"30d\"");
    if (count < 1 || count > FUNNEL_WINDOW_MAX_MS / unit_ms)
        return err_set(err, ERR_INVALID, NULL, "must be from 1ms to 400d");
    *out_ms = count * unit_ms;
    return ERR_OK;
}

static enum err_code
parse_window(const json_t *json, struct funnel *f, struct err *err)
{
    const json_t *value = json_object_get(json, "window");
    enum err_code rc;

    if (value == NULL)
        return err_set(err, ERR_INVALID, "window", "is missing");
    rc = funnel_window_parse(json__text(value), &f->window_ms, err);
    f->window = arena_copy(&f->arena, json__text(value));
    return json__in(rc, err, "window");
}

/* ---- Stages ---- */

static enum err_code
parse_required(const json_t *json, struct funnel_stage *stage, struct err *err)
{
    const json_t *value = json_object_get(json, "required");

    if (value == NULL)
        return ERR_OK;
    if (!json_is_boolean(value))
        return err_set(err, ERR_INVALID, "required", "must be true or false");
    stage->required = json_is_true(value) ? REQUIRED_YES : REQUIRED_NO;
    return ERR_OK;
}

static enum err_code
parse_rule(json_t *json, struct arena *a, struct rule **out, struct rule **out_canonical,
           struct err *err)
{
    json_t *rule = json_object_get(json, "rule");
    enum err_code rc;

    if (rule == NULL)
        return err_set(err, ERR_INVALID, "rule", "is missing");
    rc = json__in(rule_parse(rule, a, out, err), err, "rule");
    if (rc == ERR_OK)
        *out_canonical = rule_canonical(*out, a);
    return rc;
}

static enum err_code
parse_stage(json_t *json, struct arena *a, struct funnel_stage *out, struct err *err)
{
    static const char *const known[] = {"name", "kind", "required", "rule", NULL};
    int kind = KIND_CUSTOM;
    enum err_code rc;

    rc = json__check_keys(json, known, err);
    if (rc == ERR_OK)
        rc = json__name(json, "name", FUNNEL_NAME_BYTES_MAX, a, &out->name, err);
    if (rc == ERR_OK && out->name.n == 0)
        rc = err_set(err, ERR_INVALID, "name", "is missing");
    if (rc == ERR_OK)
        rc = json__word(json, "kind", kind_names, KIND_COUNT, &kind, err);
    if (rc == ERR_OK)
        rc = parse_required(json, out, err);
    if (rc == ERR_OK)
        rc = parse_rule(json, a, &out->rule, &out->canonical, err);
    out->kind = (enum funnel_kind)kind;
    return rc;
}

static void
group_stages(struct funnel *f)
{
    for (int i = 0; i < f->n_stages; i++) {
        int first = 0;

        while (
            !slice_equal(f->stages[first].canonical->canonical, f->stages[i].canonical->canonical))
            first++;
        f->stages[i].group = first;
    }
}

static enum err_code
parse_stages(json_t *json, struct funnel *f, struct err *err)
{
    const json_t *stages = json_object_get(json, "stages");
    size_t n = json_array_size(stages);
    enum err_code rc = ERR_OK;

    if (stages == NULL)
        return err_set(err, ERR_INVALID, "stages", "is missing");
    if (!json_is_array(stages))
        return err_set(err, ERR_INVALID, "stages", "must be a list");
    if (n < FUNNEL_STAGES_MIN || n > FUNNEL_STAGES_MAX)
        return err_set(err, ERR_INVALID, "stages", "must be %d to %d stages, not %zu",
                       FUNNEL_STAGES_MIN, FUNNEL_STAGES_MAX, n);
    f->n_stages = (int)n;
    for (size_t i = 0; i < n && rc == ERR_OK; i++)
        rc = json__at(parse_stage(json_array_get(stages, i), &f->arena, &f->stages[i], err), err,
                      "stages", i);
    if (rc == ERR_OK)
        group_stages(f);
    return rc;
}

/* ---- Exclusions ---- */

static enum err_code
parse_stage_number(const json_t *json, const char *key, int n_stages, int *out, struct err *err)
{
    const json_t *value = json_object_get(json, key);

    if (value == NULL)
        return ERR_OK;
    if (!json_is_integer(value) || json_integer_value(value) < 1 ||
        json_integer_value(value) > n_stages)
        return err_set(err, ERR_INVALID, key, "must be the number of a stage, 1 to %d", n_stages);
    *out = (int)json_integer_value(value);
    return ERR_OK;
}

static enum err_code
parse_exclusion(json_t *json, struct funnel *f, struct funnel_exclusion *out, struct err *err)
{
    static const char *const known[] = {"rule", "from", "to", NULL};
    enum err_code rc;

    out->from = 1;
    out->to = f->n_stages;
    rc = json__check_keys(json, known, err);
    if (rc == ERR_OK)
        rc = parse_rule(json, &f->arena, &out->rule, &out->canonical, err);
    if (rc == ERR_OK)
        rc = parse_stage_number(json, "from", f->n_stages, &out->from, err);
    if (rc == ERR_OK)
        rc = parse_stage_number(json, "to", f->n_stages, &out->to, err);
    if (rc == ERR_OK && out->from >= out->to)
        rc = err_set(err, ERR_INVALID, "from", "must be a stage before \"to\" (%d)", out->to);
    return rc;
}

static enum err_code
parse_exclusions(json_t *json, struct funnel *f, struct err *err)
{
    const json_t *exclusions = json_object_get(json, "exclusions");
    size_t n = json_array_size(exclusions);
    enum err_code rc = ERR_OK;

    if (exclusions == NULL)
        return ERR_OK;
    if (!json_is_array(exclusions))
        return err_set(err, ERR_INVALID, "exclusions", "must be a list");
    if (n > FUNNEL_EXCLUSIONS_MAX)
        return err_set(err, ERR_LIMIT, "exclusions", "has more than %d exclusions",
                       FUNNEL_EXCLUSIONS_MAX);
    f->n_exclusions = (int)n;
    for (size_t i = 0; i < n && rc == ERR_OK; i++)
        rc = json__at(parse_exclusion(json_array_get(exclusions, i), f, &f->exclusions[i], err),
                      err, "exclusions", i);
    return rc;
}

/* ---- The whole ---- */

static enum err_code
parse_funnel(json_t *json, struct funnel *f, struct err *err)
{
    static const char *const known[] = {"name",   "preset",     "window", "count",
                                        "stages", "exclusions", NULL};
    int preset = PRESET_OPEN;
    int count = COUNT_VISITORS;
    enum err_code rc;

    rc = json__check_keys(json, known, err);
    if (rc == ERR_OK)
        rc = json__name(json, "name", FUNNEL_NAME_BYTES_MAX, &f->arena, &f->name, err);
    if (rc == ERR_OK)
        rc = json__word(json, "preset", preset_names, PRESET_COUNT, &preset, err);
    if (rc == ERR_OK)
        rc = parse_window(json, f, err);
    if (rc == ERR_OK)
        rc = json__word(json, "count", count_names, COUNT_COUNT, &count, err);
    if (rc == ERR_OK)
        rc = parse_stages(json, f, err);
    if (rc == ERR_OK)
        rc = parse_exclusions(json, f, err);
    f->preset = (enum funnel_preset)preset;
    f->count = (enum funnel_count)count;
    return rc;
}

enum err_code
funnel_parse_json(struct json_t *json, struct funnel **out, struct err *err)
{
    struct err ignored;
    struct funnel *f = mem_zalloc(sizeof *f);
    enum err_code rc;

    arena_init(&f->arena, ARENA_BLOCK_BYTES);
    rc = parse_funnel(json, f, err ? err : &ignored);
    if (rc == ERR_OK)
        *out = f;
    else
        funnel_destroy(&f);
    return rc;
}

enum err_code
funnel_parse(struct slice text, struct funnel **out, struct err *err)
{
    json_error_t broken;
    json_t *json;
    enum err_code rc;

    if (text.n > FUNNEL_BYTES_MAX)
        return err_set(err, ERR_LIMIT, NULL, "the definition is larger than %d bytes",
                       FUNNEL_BYTES_MAX);
    json = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &broken);
    if (json == NULL) {
        text_make_printable(broken.text); /* it quotes the definition, which may be anything */
        return err_set(err, ERR_INVALID, NULL, "no JSON: line %d, column %d: %s", broken.line,
                       broken.column, broken.text);
    }
    rc = funnel_parse_json(json, out, err);
    json_decref(json);
    return rc;
}

void
funnel_destroy(struct funnel **f)
{
    if (*f == NULL)
        return;
    arena_fini(&(*f)->arena);
    free(*f);
    *f = NULL;
}

uint32_t
funnel_required_stages(const struct funnel *f, enum funnel_preset preset)
{
    uint32_t required = 0;

    for (int i = 0; i < f->n_stages; i++) {
        const struct funnel_stage *stage = &f->stages[i];
        bool by_preset = preset == PRESET_SEQUENTIAL || (preset == PRESET_CLOSED && i == 0);
        bool is_required =
            stage->required == REQUIRED_YES || (stage->required == REQUIRED_BY_PRESET && by_preset);

        for (int j = i + 1; j < f->n_stages; j++)
            is_required |= f->stages[j].group == stage->group;
        required |= (uint32_t)is_required << i;
    }
    for (int i = 0; i < f->n_exclusions; i++)
        required |= 1u << (f->exclusions[i].from - 1);
    return required;
}

/* ---- And back ---- */

static json_t *
stage_to_json(const struct funnel_stage *stage)
{
    json_t *json = json_object();

    json_object_set_new(json, "name", json_stringn(stage->name.p, stage->name.n));
    json_object_set_new(json, "kind", json_string(kind_names[stage->kind]));
    if (stage->required != REQUIRED_BY_PRESET)
        json_object_set_new(json, "required", json_boolean(stage->required == REQUIRED_YES));
    json_object_set_new(json, "rule", rule_to_json(stage->rule));
    return json;
}

static json_t *
exclusion_to_json(const struct funnel_exclusion *exclusion)
{
    json_t *json = json_object();

    json_object_set_new(json, "rule", rule_to_json(exclusion->rule));
    json_object_set_new(json, "from", json_integer(exclusion->from));
    json_object_set_new(json, "to", json_integer(exclusion->to));
    return json;
}

struct json_t *
funnel_to_json(const struct funnel *f)
{
    json_t *json = json_object();
    json_t *stages = json_array();
    json_t *exclusions = json_array();

    for (int i = 0; i < f->n_stages; i++)
        json_array_append_new(stages, stage_to_json(&f->stages[i]));
    for (int i = 0; i < f->n_exclusions; i++)
        json_array_append_new(exclusions, exclusion_to_json(&f->exclusions[i]));
    if (f->name.n > 0)
        json_object_set_new(json, "name", json_stringn(f->name.p, f->name.n));
    json_object_set_new(json, "preset", json_string(preset_names[f->preset]));
    json_object_set_new(json, "window", json_stringn(f->window.p, f->window.n));
    json_object_set_new(json, "count", json_string(count_names[f->count]));
    json_object_set_new(json, "stages", stages);
    json_object_set_new(json, "exclusions", exclusions);
    return json;
}

void
funnel_add_json(struct buffer *out, const struct funnel *f)
{
    json_t *json = funnel_to_json(f);
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));

    assert(text != NULL); /* every text in it came out of valid JSON */
    buffer_add_text(out, text);
    free(text);
    json_decref(json);
}

const char *
funnel_preset_name(enum funnel_preset preset)
{
    return preset_names[preset];
}

bool
funnel_preset_find(struct slice name, enum funnel_preset *out)
{
    for (int i = 0; i < PRESET_COUNT; i++) {
        if (slice_is(name, preset_names[i])) {
            *out = (enum funnel_preset)i;
            return true;
        }
    }
    return false;
}

const char *
funnel_kind_name(enum funnel_kind kind)
{
    return kind_names[kind];
}

const char *
funnel_count_name(enum funnel_count count)
{
    return count_names[count];
}
