#include "web/api/password.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

#define OPERATIONS   2
#define MEMORY_BYTES (19456UL * 1024)

_Static_assert(crypto_pwhash_STRBYTES <= PASSWORD_HASH_MAX, "an encoded hash fits");

static struct {
    pthread_mutex_t lock;
    pthread_cond_t freed;
    int n_running;
    int n_waiting;
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .freed = PTHREAD_COND_INITIALIZER};

static enum err_code
enter(struct err *err)
{
    enum err_code rc = ERR_OK;

    if (sodium_init() < 0)
        abort();
    pthread_mutex_lock(&gate.lock);
    if (gate.n_running == PASSWORD_AT_ONCE && gate.n_waiting == PASSWORD_WAITING) {
        rc = err_set(err, ERR_UNAVAILABLE, NULL, "too many people are signing in at this moment");
        goto done;
    }
    gate.n_waiting++;
    while (gate.n_running == PASSWORD_AT_ONCE)
        pthread_cond_wait(&gate.freed, &gate.lock);
    gate.n_waiting--;
    gate.n_running++;
done:
    pthread_mutex_unlock(&gate.lock);
    return rc;
}

static void
leave(void)
{
    pthread_mutex_lock(&gate.lock);
    gate.n_running--;
    pthread_cond_signal(&gate.freed);
    pthread_mutex_unlock(&gate.lock);
}

enum err_code
password_check(struct slice password, struct err *err)
{
    size_t n_characters = 0;

    if (!slice_is_utf8(password))
        return err_set(err, ERR_INVALID, "password", "the password is not well-formed text");
    for (size_t i = 0; i < password.n; i++) {
        if (((unsigned char)password.p[i] & 0xC0) != 0x80)
            n_characters++;
    }
    if (n_characters < PASSWORD_CHARACTERS_MIN || n_characters > PASSWORD_CHARACTERS_MAX)
        return err_set(err, ERR_INVALID, "password", "a password has %d to %d characters",
                       PASSWORD_CHARACTERS_MIN, PASSWORD_CHARACTERS_MAX);
    return ERR_OK;
}

static enum err_code
hash_any(struct slice password, char out[PASSWORD_HASH_MAX], struct err *err)
{
    enum err_code rc;
    int failed;

    rc = enter(err);
    if (rc != ERR_OK)
        return rc;
    failed = crypto_pwhash_str(out, password.p, password.n, OPERATIONS, MEMORY_BYTES);
    leave();
    if (failed != 0)
        return err_set(err, ERR_UNAVAILABLE, NULL, "no memory to hash a password");
    return ERR_OK;
}

enum err_code
password_hash(struct slice password, char out[PASSWORD_HASH_MAX], struct err *err)
{
    enum err_code rc = password_check(password, err);

    return rc == ERR_OK ? hash_any(password, out, err) : rc;
}

enum err_code
password_verify(const char *hash, struct slice password, bool *out, struct err *err)
{
    char unused[PASSWORD_HASH_MAX];
    enum err_code rc;

    if (hash == NULL) {
        rc = hash_any(password, unused, err);
        if (rc == ERR_OK)
            *out = false;
        return rc;
    }
    rc = enter(err);
    if (rc != ERR_OK)
        return rc;
    *out = crypto_pwhash_str_verify(hash, password.p, password.n) == 0;
    leave();
    return ERR_OK;
}
