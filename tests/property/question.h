/* A funnel and a report's parameters as a tree that tests build, print as JSON for the engine, and
 * answer by the reference. It shares no code with the engine's own definition and request.
 *
 * Rules are immutable and live in the arena they were made in; a question may be copied.
 */
#ifndef TESTS_PROPERTY_QUESTION_H
#define TESTS_PROPERTY_QUESTION_H

#include "core/arena.h"
#include "core/buffer.h"
#include "core/event.h"
#include "core/timestamp.h"

#define QUESTION_STAGES_MAX     7
#define QUESTION_EXCLUSIONS_MAX 2
#define QUESTION_FILTERS_MAX    5
#define QUESTION_BREAKDOWNS_MAX 2
#define QUESTION_MEMBERS_MAX    4
#define QUESTION_VALUES_MAX     4
#define QUESTION_BINS_MAX       3

enum question_kind { QUESTION_ALL, QUESTION_ANY, QUESTION_NOT, QUESTION_TEST };

struct question_rule {
    enum question_kind kind;
    int n_members;
    const struct question_rule *members[QUESTION_MEMBERS_MAX];
    /* of a test */
    struct attribute attribute;
    const char *op; /* as written: also is_not, not_contains, not_set, ne */
    bool ignore_case;
    int n_values;
    const char *values[QUESTION_VALUES_MAX];
};

enum question_preset { PRESET_IS_OPEN, PRESET_IS_CLOSED, PRESET_IS_SEQUENTIAL, PRESETS };

struct question_stage {
    const struct question_rule *rule;
    int required; /* 0, 1; -1: as the preset says */
};

struct question_exclusion {
    const struct question_rule *rule;
    int from; /* stages from 1 */
    int to;
};

enum question_at { BY_DEFAULT, ENTRY, FIRST, LAST, ANY, NONE, EVERY, OF_STAGE, OF_VISIT };

struct question_filter {
    const struct question_rule *rule;
    enum question_at at;
    int stage; /* of OF_STAGE and OF_VISIT, from 1 */
};

struct question_breakdown {
    struct attribute attribute;
    enum question_at at; /* ENTRY, FIRST, LAST, OF_STAGE */
    int stage;
    int n_bins;
    int bins[QUESTION_BINS_MAX]; /* ascending */
};

struct question_moment {
    bool is_given;
    bool is_day;
    struct date day;
    int64_t ms;
};

enum question_bots { WITHOUT_BOTS, WITH_BOTS, ONLY_BOTS };
enum question_trend { NO_TREND, BY_DAY, BY_WEEK, BY_MONTH };
enum question_compare { NO_COMPARE, WITH_PREVIOUS, WITH_RANGE };

struct question {
    int n_stages;
    struct question_stage stages[QUESTION_STAGES_MAX];
    int n_exclusions;
    struct question_exclusion exclusions[QUESTION_EXCLUSIONS_MAX];
    int64_t window_ms;
    bool of_sessions;
    struct question_moment from;
    struct question_moment to;
    struct question_moment as_of;
    const char *timezone;
    enum question_bots bots;
    int n_filters;
    struct question_filter filters[QUESTION_FILTERS_MAX];
    int n_breakdowns;
    struct question_breakdown breakdowns[QUESTION_BREAKDOWNS_MAX];
    int limit; /* 0: not given, which means 20 */
    enum question_trend trend;
    enum question_compare compare;
    struct question_moment compare_from; /* of WITH_RANGE */
    struct question_moment compare_to;
    bool is_full_age;
    /* and the list of units behind a figure ("reached"; stage from 1, 0: the report's own) */
    const char *figure;
    int figure_stage;
    /* one preset asked for alone, without paths and list: what may be answered in a shorter way */
    bool is_alone;
    enum question_preset alone;
};

/* The JSON of a rule, of the funnel (without a preset), of the request; appended. */
void question_add_rule(struct buffer *out, const struct question_rule *rule);
void question_add_definition(struct buffer *out, const struct question *q);
void question_add_request(struct buffer *out, const struct question *q);

/* A text that two rules have in common where they are the same (funnel.md section 1). */
struct slice question_canonical(const struct question_rule *rule, struct arena *a);

/* The place of a filter: what it says, or the default of section 4; BY_DEFAULT where there is none
 * and the filter is an error. */
enum question_at question_filter_at(const struct question_filter *filter, struct arena *a);

/* The one attribute of a rule; NULL where it has several. */
const struct attribute *question_attribute(const struct question_rule *rule);

#endif
