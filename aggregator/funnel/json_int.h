/* Reading jansson's trees with checks that name the member. Shared inside this folder only. */
#ifndef AGGREGATOR_FUNNEL_JSON_INT_H
#define AGGREGATOR_FUNNEL_JSON_INT_H

#include <jansson.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/event.h"

#define JSON__REAL_DIGITS 15 /* decimals of so many digits survive a double and back */

/* ERR_INVALID with the member's name as field where object has a member not named in `known` (ended
 * by NULL), or is no object (field ""). */
enum err_code json__check_keys(json_t *object, const char *const *known, struct err *err);

/* A member's text, copied into the arena; "" where the member is absent. ERR_INVALID where it is no
 * text, is empty, longer than max_bytes, or has control characters. */
enum err_code json__name(const json_t *object, const char *key, size_t max_bytes, struct arena *a,
                         struct slice *out, struct err *err);

/* A text member against a list of words (n of them): *out is the word's place. ERR_INVALID where it
 * is another; *out stays where the member is absent. */
enum err_code json__word(const json_t *object, const char *key, const char *const *words, int n,
                         int *out, struct err *err);

/* A number, or a text that is one, in its canonical spelling (core/decimal.h). ERR_INVALID without
 * a field. */
enum err_code json__number(const json_t *value, struct arena *a, struct slice *out,
                           struct err *err);

/* A member that names an attribute; *out borrows from the arena. ERR_INVALID. */
enum err_code json__attribute(const json_t *object, const char *key, struct arena *a,
                              struct attribute *out, struct err *err);

/* err->field = "key[i]" before what is there; passes rc through. */
enum err_code json__at(enum err_code rc, struct err *err, const char *key, size_t i);

/* err->field = "key" before what is there; passes rc through. */
enum err_code json__in(enum err_code rc, struct err *err, const char *key);

struct slice json__text(const json_t *string);

#endif
