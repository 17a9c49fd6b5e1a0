#include "web/api/token.h"

#include <sodium.h>
#include <stdlib.h>

#define TOKEN_BYTES 32

void
token_make(char out[TOKEN_TEXT_MAX])
{
    unsigned char bytes[TOKEN_BYTES];

    if (sodium_init() < 0)
        abort(); /* no random bytes: better no dashboard than a token that can be guessed */
    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2base64(out, TOKEN_TEXT_MAX, bytes, sizeof bytes,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(bytes, sizeof bytes);
}

void
token_hash(struct slice token, char out[TOKEN_HASH_MAX])
{
    unsigned char hash[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(hash, (const unsigned char *)token.p, token.n);
    sodium_bin2hex(out, TOKEN_HASH_MAX, hash, sizeof hash);
}
