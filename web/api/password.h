/* Passwords: Argon2id (m = 19456 KiB, t = 2, p = 1, as OWASP's cheat sheet has it), two at a time.
 *
 * Each hash takes 19 MB and tens of ms: without a bound, a thousand sign-ins a second would be a
 * way to take the machine's memory. At most PASSWORD_AT_ONCE run, PASSWORD_WAITING more wait for
 * them, and whoever comes then is told to come back. The bound is for the whole process.
 * Thread-safe.
 */
#ifndef WEB_API_PASSWORD_H
#define WEB_API_PASSWORD_H

#include "core/err.h"
#include "core/slice.h"

#define PASSWORD_CHARACTERS_MIN 10
#define PASSWORD_CHARACTERS_MAX 256
#define PASSWORD_HASH_MAX       128 /* the encoded hash with its NUL */
#define PASSWORD_AT_ONCE        2
#define PASSWORD_WAITING        6

/* 10 to 256 characters of well-formed UTF-8. ERR_INVALID, field "password". */
enum err_code password_check(struct slice password, struct err *err);

/* A hash with a salt of its own, as text, of a password that password_check allows.
 * ERR_UNAVAILABLE where too many wait. */
enum err_code password_hash(struct slice password, char out[PASSWORD_HASH_MAX], struct err *err);

/* Is it the password of that hash? hash may be NULL (no such account): the same work is done and
 * the answer is no, so that the time taken does not say which accounts exist. ERR_UNAVAILABLE. */
enum err_code password_verify(const char *hash, struct slice password, bool *out, struct err *err);

#endif
