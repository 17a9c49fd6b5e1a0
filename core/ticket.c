#include "core/ticket.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>

#define MAC_BYTES  16
#define MAC_TEXT   sodium_base64_ENCODED_LEN(MAC_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING)
#define FUTURE_MS  60000
#define TIME_CHARS 20

bool
ticket_is_word(struct slice word)
{
    for (size_t i = 0; i < word.n; i++) {
        char c = word.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              c == '-' || c == '_'))
            return false;
    }
    return word.n > 0 && word.n <= TICKET_WORD_MAX;
}

/* The mac of "<word>.<time>" as text. */
static void
make_mac(enum ticket_use use, const unsigned char key[TICKET_KEY_BYTES], struct slice signed_part,
         char out[MAC_TEXT])
{
    crypto_generichash_state state;
    unsigned char mac[MAC_BYTES], use_byte = (unsigned char)use;

    crypto_generichash_init(&state, key, TICKET_KEY_BYTES, sizeof mac);
    crypto_generichash_update(&state, &use_byte, 1);
    crypto_generichash_update(&state, (const unsigned char *)signed_part.p, signed_part.n);
    crypto_generichash_final(&state, mac, sizeof mac);
    sodium_bin2base64(out, MAC_TEXT, mac, sizeof mac, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

struct slice
ticket_make(struct arena *a, enum ticket_use use, const unsigned char key[TICKET_KEY_BYTES],
            struct slice word, int64_t now_ms)
{
    char text[TICKET_WORD_MAX + 1 + TIME_CHARS + 1], mac[MAC_TEXT];
    int n;

    assert(ticket_is_word(word));
    n = snprintf(text, sizeof text, "%.*s.%lld", SLICE_ARG(word), (long long)now_ms);
    make_mac(use, key, slice_of(text, (size_t)n), mac);
    return arena_printf(a, "%s.%s", text, mac);
}

bool
ticket_check(enum ticket_use use, const unsigned char key[TICKET_KEY_BYTES], struct slice ticket,
             int64_t now_ms, struct slice *word)
{
    int64_t life_ms = use == TICKET_VISITOR ? TICKET_VISITOR_MS : TICKET_DEBUG_MS;
    struct slice head, rest, time, mac;
    char expected[MAC_TEXT];
    int64_t made_ms;

    if (!slice_cut(ticket, '.', &head, &rest) || !slice_cut(rest, '.', &time, &mac) ||
        !ticket_is_word(head) || time.n > TIME_CHARS || mac.n != MAC_TEXT - 1 ||
        !slice_to_int64(time, &made_ms))
        return false;
    make_mac(use, key, slice_sub(ticket, 0, head.n + 1 + time.n), expected);
    if (sodium_memcmp(expected, mac.p, mac.n) != 0)
        return false; /* from here on made_ms is a time that we wrote ourselves */
    if (made_ms > now_ms + FUTURE_MS || now_ms - made_ms > life_ms)
        return false;
    *word = head;
    return true;
}
