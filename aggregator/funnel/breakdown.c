/* Breakdowns: an attribute, of which of a path's events, and the bins of a number. */
#include "aggregator/funnel/request_int.h"
#include "core/decimal.h"

#define STAGE_WORD_MAX 2 /* digits of a stage's number */

static const char *const at_names[] = {"entry", "first", "last", "any", "none", "every"};

/* ---- From JSON ---- */

enum err_code
request__read_at(const json_t *object, int n_words, enum request_at *at, int *stage,
                 struct err *err)
{
    const json_t *value = json_object_get(object, "at");

    if (value == NULL || json_is_null(value))
        return ERR_OK;
    for (int i = 0; json_is_string(value) && i < n_words; i++) {
        if (slice_is(json__text(value), at_names[i])) {
            *at = (enum request_at)i;
            return ERR_OK;
        }
    }
    if (!json_is_integer(value) || json_integer_value(value) < 1 ||
        json_integer_value(value) > FUNNEL_STAGES_MAX)
        return err_set(err, ERR_INVALID, "at",
                       "must be \"entry\", \"first\", \"last\"%s%s or the "
                       "number of a stage",
                       n_words > AT_ANY ? ", \"any\"" : "",
                       n_words > AT_NONE ? ", \"none\", \"every\", \"visit:\" and a stage" : "");
    *at = AT_STAGE;
    *stage = (int)json_integer_value(value);
    return ERR_OK;
}

static enum err_code
read_bins(const json_t *bins, struct arena *a, struct request_breakdown *out, struct err *err)
{
    size_t n = json_array_size(bins);

    if (!json_is_array(bins) || n == 0)
        return err_set(err, ERR_INVALID, NULL, "must be a list of numbers");
    if (n > REQUEST_BINS_MAX)
        return err_set(err, ERR_LIMIT, NULL, "has more than %d numbers", REQUEST_BINS_MAX);
    if (out->attribute.type != ATTRIBUTE_NUMBER)
        return err_set(err, ERR_INVALID, NULL, "must not be given: \"%.*s\" is no number",
                       SLICE_ARG(out->attribute.name));
    out->bins = ARENA_ARRAY(a, struct slice, n);
    out->n_bins = n;
    for (size_t i = 0; i < n; i++) {
        enum err_code rc = json__number(json_array_get(bins, i), a, &out->bins[i], err);

        if (rc == ERR_OK && i > 0 && decimal_compare(out->bins[i - 1], out->bins[i]) >= 0)
            rc = err_set(err, ERR_INVALID, NULL, "must be larger than the number before");
        if (rc != ERR_OK)
            return json__at(rc, err, "", i);
    }
    return ERR_OK;
}

static enum err_code
read_place(const json_t *value, bool of_count, struct request_breakdown *out, struct err *err)
{
    const json_t *at = json_object_get(value, "at");

    if (of_count && json_is_string(at) && slice_is(json__text(at), at_names[AT_EVERY]))
        return ERR_OK;
    return request__read_at(value, AT_ANY, &out->at, &out->stage, err);
}

enum err_code
request__read_breakdown(struct arena *a, json_t *value, bool of_count,
                        struct request_breakdown *out, struct err *err)
{
    static const char *const known[] = {"attribute", "at", "bins", NULL};
    json_t *bins;
    enum err_code rc;

    *out = (struct request_breakdown){.at = of_count ? AT_EVERY : AT_ENTRY};
    rc = json__check_keys(value, known, err);
    if (rc == ERR_OK)
        rc = json__attribute(value, "attribute", a, &out->attribute, err);
    if (rc == ERR_OK)
        rc = read_place(value, of_count, out, err);
    bins = json_object_get(value, "bins");
    if (rc == ERR_OK && bins != NULL && !json_is_null(bins))
        rc = json__in(read_bins(bins, a, out, err), err, "bins");
    return rc;
}

enum err_code
request_read_place(struct json_t *value, struct arena *a, struct request_breakdown *out,
                   struct err *err)
{
    static const char *const known[] = {"attribute", "at", NULL};
    enum err_code rc;

    *out = (struct request_breakdown){.at = AT_ENTRY};
    rc = json__check_keys(value, known, err);
    if (rc == ERR_OK)
        rc = json__attribute(value, "attribute", a, &out->attribute, err);
    if (rc == ERR_OK && out->attribute.class == CLASS_EVENT)
        out->at = AT_ANY;
    return rc == ERR_OK ? request__read_at(value, AT_NONE, &out->at, &out->stage, err) : rc;
}

const char *
request_at_name(enum request_at at)
{
    return at_names[at];
}

/* ---- From text ---- */

static bool
is_at(struct slice word)
{
    int64_t number;

    for (int i = 0; i <= AT_EVERY; i++)
        if (slice_is(word, at_names[i]))
            return true;
    return word.n <= STAGE_WORD_MAX && slice_to_int64(word, &number);
}

/* The last @ of the text, where a place stands behind it (a property's key may have one too). */
static size_t
find_at(struct slice text)
{
    for (size_t i = text.n; i > 0; i--)
        if (text.p[i - 1] == '@')
            return is_at(slice_sub(text, i, text.n)) ? i - 1 : text.n;
    return text.n;
}

json_t *
request__breakdown_from_text(struct slice text)
{
    size_t cut = find_at(text);
    struct slice at = slice_sub(text, cut + 1, text.n);
    json_t *json = json_object();
    int64_t stage;

    json_object_set_new(json, "attribute", json_stringn(text.p, cut));
    if (slice_to_int64(at, &stage))
        json_object_set_new(json, "at", json_integer(stage));
    else if (cut < text.n)
        json_object_set_new(json, "at", json_stringn(at.p, at.n));
    return json;
}

/* ---- Bins ---- */

size_t
request_bin(const struct request_breakdown *b, struct slice number)
{
    size_t bin = 0;

    while (bin < b->n_bins && decimal_compare(b->bins[bin], number) <= 0)
        bin++;
    return bin;
}

struct slice
request_bin_name(const struct request_breakdown *b, size_t bin, struct arena *a)
{
    if (bin == 0)
        return arena_printf(a, "<%.*s", SLICE_ARG(b->bins[0]));
    if (bin == b->n_bins)
        return arena_printf(a, ">=%.*s", SLICE_ARG(b->bins[bin - 1]));
    return arena_printf(a, "%.*s..%.*s", SLICE_ARG(b->bins[bin - 1]), SLICE_ARG(b->bins[bin]));
}
