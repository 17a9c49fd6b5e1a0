/* Tokens that let somebody in: 256 random bits as url-safe text; stored is only their SHA-256. */
#ifndef WEB_API_TOKEN_H
#define WEB_API_TOKEN_H

#include "core/slice.h"

#define TOKEN_TEXT_MAX 48 /* with its NUL */
#define TOKEN_HASH_MAX 65 /* 64 hex digits and a NUL */

void token_make(char out[TOKEN_TEXT_MAX]);
void token_hash(struct slice token, char out[TOKEN_HASH_MAX]);

#endif
