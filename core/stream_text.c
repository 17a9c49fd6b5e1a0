/* Addresses of Redis and ids of entries as text: the half of stream.h that needs no connection. */
#include "core/stream.h"

#include <stdio.h>

enum err_code
stream_address_parse(struct slice text, struct stream_address *out, struct err *err)
{
    struct stream_address a = {.timeout_ms = 2000};
    bool is_path = slice_starts_with(text, SLICE("unix:")); /* from the current folder, then, too */
    struct slice host, port;
    int64_t number;

    if (is_path)
        text = slice_sub(text, 5, text.n);
    if (text.n != 0 && (is_path || text.p[0] == '/')) {
        if (!slice_to_cstr(text, a.unix_path, sizeof a.unix_path))
            return err_set(err, ERR_INVALID, "redis", "the socket's path is longer than %zu bytes",
                           sizeof a.unix_path - 1);
        *out = a;
        return ERR_OK;
    }
    if (!slice_cut(text, ':', &host, &port))
        port = SLICE("6379");
    if (host.n == 0 || !slice_to_cstr(host, a.host, sizeof a.host) ||
        !slice_to_int64(port, &number) || number < 1 || number > 65535)
        return err_set(err, ERR_INVALID, "redis",
                       "expected unix:/path, /path or host:port, not \"%.*s\"", SLICE_ARG(text));
    a.port = (int)number;
    *out = a;
    return ERR_OK;
}

void
stream_id_format(struct stream_id id, char dst[STREAM_ID_TEXT_MAX])
{
    snprintf(dst, STREAM_ID_TEXT_MAX, "%llu-%llu", (unsigned long long)id.ms,
             (unsigned long long)id.seq);
}

bool
stream_id_parse(struct slice text, struct stream_id *out)
{
    struct slice ms, seq;
    struct stream_id id;

    if (!slice_cut(text, '-', &ms, &seq) || !slice_to_uint64(ms, &id.ms) ||
        !slice_to_uint64(seq, &id.seq))
        return false;
    *out = id;
    return true;
}

int
stream_id_compare(struct stream_id a, struct stream_id b)
{
    if (a.ms != b.ms)
        return a.ms < b.ms ? -1 : 1;
    if (a.seq != b.seq)
        return a.seq < b.seq ? -1 : 1;
    return 0;
}
