/* A funnel's definition: JSON text -> a checked struct funnel (funnel.md 1, 4 and 5), and back.
 *
 * A struct funnel is immutable once parsed, owns all its memory and may be read by many threads.
 */
#ifndef AGGREGATOR_FUNNEL_DEFINITION_H
#define AGGREGATOR_FUNNEL_DEFINITION_H

#include "aggregator/funnel/rule.h"
#include "core/buffer.h"

#define FUNNEL_STAGES_MIN     2
#define FUNNEL_STAGES_MAX     16
#define FUNNEL_EXCLUSIONS_MAX 32
#define FUNNEL_NAME_BYTES_MAX 200
#define FUNNEL_BYTES_MAX      (1024 * 1024) /* of a definition's text */
#define FUNNEL_WINDOW_MAX_MS  (400LL * 86400000LL)

enum funnel_preset { PRESET_OPEN, PRESET_CLOSED, PRESET_SEQUENTIAL, PRESET_COUNT };

enum funnel_kind { KIND_CUSTOM, KIND_TRACE, KIND_RESPONSE, KIND_ENGAGEMENT, KIND_SALE, KIND_COUNT };

enum funnel_required { REQUIRED_BY_PRESET, REQUIRED_NO, REQUIRED_YES };

enum funnel_count { COUNT_VISITORS, COUNT_SESSIONS, COUNT_COUNT }; /* the unit */

struct funnel_stage {
    struct slice name;
    enum funnel_kind kind;
    enum funnel_required required; /* as the stage says it; see funnel_required_stages */
    struct rule *rule;             /* as written */
    struct rule *canonical;
    int group; /* stages of the same rule have the same number: the first such stage's index */
};

struct funnel_exclusion {
    struct rule *rule;
    struct rule *canonical;
    int from; /* stages from 1, from < to */
    int to;
};

struct funnel {
    struct slice name; /* "" where none was given */
    enum funnel_preset preset;
    enum funnel_count count;
    int64_t window_ms;
    struct slice window; /* "30d" */
    int n_stages;
    int n_exclusions;
    struct funnel_stage stages[FUNNEL_STAGES_MAX];
    struct funnel_exclusion exclusions[FUNNEL_EXCLUSIONS_MAX];
    struct arena arena;
};

/* Parse and check. *out is owned by the caller (funnel_destroy). Errors name the field with its
 * path ("stages[2].rule.all[0].op"); JSON that is broken has field "" and says line and column.
 * ERR_INVALID, ERR_LIMIT.
 */
enum err_code funnel_parse(struct slice text, struct funnel **out, struct err *err);

/* The same from jansson's tree (borrowed), for a definition inside a request. */
enum err_code funnel_parse_json(struct json_t *json, struct funnel **out, struct err *err);

void funnel_destroy(struct funnel **f);

/* Bit k-1 says that stage k is required under this preset: what the stage says itself wins over the
 * preset; a stage where an exclusion begins, and one whose rule is used again further down, is
 * required whatever it says. */
uint32_t funnel_required_stages(const struct funnel *f, enum funnel_preset preset);

/* The definition with defaults written out. A new reference, owned by the caller. */
struct json_t *funnel_to_json(const struct funnel *f);

/* The same as text, compact, appended. */
void funnel_add_json(struct buffer *out, const struct funnel *f);

/* "30d" in ms; ERR_INVALID without a field. */
enum err_code funnel_window_parse(struct slice text, int64_t *out_ms, struct err *err);

const char *funnel_preset_name(enum funnel_preset preset); /* "open" */
bool funnel_preset_find(struct slice name, enum funnel_preset *out);
const char *funnel_count_name(enum funnel_count count); /* "visitors" */
const char *funnel_kind_name(enum funnel_kind kind);    /* "custom" */

#endif
