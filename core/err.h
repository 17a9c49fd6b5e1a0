/* Errors: a code to branch on, and for people the field and a sentence.
 *
 * Every function that can fail returns an enum err_code and takes a struct err last; err may be
 * NULL where the caller does not want the words. Whoever handles an error logs it, once.
 */
#ifndef CORE_ERR_H
#define CORE_ERR_H

enum err_code {
    ERR_OK = 0,
    ERR_USAGE,   /* the command line is wrong: exit 2 */
    ERR_INVALID, /* input breaks a rule; err.field names where */
    ERR_IO,      /* the system refused a read, write, fsync, rename */
    ERR_FULL,    /* no space, or a set limit of space */
    ERR_CORRUPT, /* bytes that fail their checksum or their own format */
    ERR_NOT_FOUND,
    ERR_EXISTS,
    ERR_CONFLICT, /* somebody else changed it first */
    ERR_LIMIT,    /* larger than allowed */
    ERR_TIMEOUT,
    ERR_UNAVAILABLE, /* a service is away; trying again may help */
    ERR_DENIED,
    ERR_VERSION /* written by a newer Corong: left untouched */
};

struct err {
    enum err_code code;
    char field[96];    /* e.g. "stages[2].rule.op"; "" where there is none */
    char message[400]; /* one sentence, no full stop, no newline */
};

#define ERR_NONE ((struct err){ERR_OK, "", ""})

/* Fill e (may be NULL) and return code, so that a failing line reads `return err_set(...)`.
 * field may be NULL. */
enum err_code err_set(struct err *e, enum err_code code, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* As err_set with ERR_IO (ERR_FULL for ENOSPC and EDQUOT) and errno's words appended. */
enum err_code err_errno(struct err *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Put prefix before e->field: "rule" + "op" = "rule.op"; an index "[2]" joins without a dot. */
void err_prefix(struct err *e, const char *prefix);

/* "invalid", "io", ...: the code as the JSON errors spell it; a static string. */
const char *err_code_name(enum err_code code);

#endif
