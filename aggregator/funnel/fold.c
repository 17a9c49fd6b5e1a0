/* utf8proc knows full folding ("ß" -> "ss") and lower case, not simple folding by name. Simple
 * folding is the full one where that is one character; the characters whose full folding is longer
 * have a simple one only where they have a lower case (U+1E9E, the Greek capitals with iota
 * beneath), except U+0130, whose lower case is a Turkish matter and no folding. */
#include "aggregator/funnel/fold.h"

#include <utf8proc.h>

#define CAPITAL_I_WITH_DOT 0x130

static utf8proc_int32_t
fold_one(utf8proc_int32_t c)
{
    utf8proc_int32_t folded[8];
    utf8proc_ssize_t n;
    int last_class = 0;

    n = utf8proc_decompose_char(c, folded, 8, UTF8PROC_CASEFOLD, &last_class);
    if (n == 1)
        return folded[0];
    return c == CAPITAL_I_WITH_DOT ? c : utf8proc_tolower(c);
}

static void
add_character(struct buffer *out, struct slice *rest)
{
    utf8proc_int32_t c;
    utf8proc_uint8_t bytes[4];
    utf8proc_ssize_t n;

    n = utf8proc_iterate((const utf8proc_uint8_t *)rest->p, (utf8proc_ssize_t)rest->n, &c);
    if (n <= 0) {
        buffer_add_char(out, rest->p[0]);
        *rest = slice_sub(*rest, 1, rest->n);
        return;
    }
    buffer_add(out, bytes, (size_t)utf8proc_encode_char(fold_one(c), bytes));
    *rest = slice_sub(*rest, (size_t)n, rest->n);
}

void
fold_add(struct buffer *out, struct slice text)
{
    buffer_reserve(out, text.n);
    while (text.n > 0) {
        char c = text.p[0];

        if ((unsigned char)c >= 0x80) {
            add_character(out, &text);
            continue;
        }
        buffer_add_char(out, c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c);
        text = slice_of(text.p + 1, text.n - 1);
    }
}
