/* The built user interface, compiled in. A path that is no file is a page of the interface itself
 * (it routes by address in the browser), so it gets index.html. */
#include <inttypes.h>
#include <stdio.h>

#include "core/embed.h"
#include "core/hash.h"
#include "web/api/web_int.h"

#define ETAG_MAX 24

extern const struct embed_file ui_files[];

static const char not_built[] =
    "This corong was built without its user interface: web/ui/dist was not there. The API answers"
    " at /api/v1/.\n";

/* The build puts a hash of their content in the names below assets/: they never change. */
static bool
is_immutable(const struct embed_file *file)
{
    return slice_starts_with(slice_from(file->path), SLICE("assets/"));
}

static bool
accepts_gzip(const struct http_request *request)
{
    struct slice rest = http_header(request, "Accept-Encoding"), one;
    bool more = rest.n != 0;

    while (more) {
        more = slice_cut(rest, ',', &one, &rest);
        if (slice_is(slice_trim(one), "gzip"))
            return true;
    }
    return false;
}

static void
reply_file(const struct embed_file *file, const struct http_request *request,
           struct http_reply *reply)
{
    struct slice bytes = embed_bytes(file);
    char etag[ETAG_MAX];
    int n = snprintf(etag, sizeof etag, "\"%016" PRIx64 "\"", checksum64(bytes.p, bytes.n));

    http_reply_header(reply, "Cache-Control",
                      is_immutable(file) ? SLICE("public, max-age=31536000, immutable")
                                         : SLICE("no-cache"));
    http_reply_header(reply, "ETag", slice_of(etag, (size_t)n));
    if (file->gzip != NULL)
        http_reply_header(reply, "Vary", SLICE("Accept-Encoding"));
    if (slice_is(http_header(request, "If-None-Match"), etag)) {
        reply->status = 304;
        return;
    }
    if (file->gzip != NULL && accepts_gzip(request)) {
        http_reply_header(reply, "Content-Encoding", SLICE("gzip"));
        bytes = embed_gzip(file);
    }
    reply->content_type = file->type;
    reply->fixed = bytes;
}

void
web__asset(const struct http_request *request, struct http_reply *reply, void *context)
{
    struct slice path = slice_sub(request->path, 1, request->path.n);
    const struct embed_file *file = embed_find(ui_files, path);

    (void)context;
    /* a missing asset is missing, not a page: a browser must not run HTML as a script */
    if (file == NULL && slice_starts_with(path, SLICE("assets/"))) {
        http_reply_error(reply, 404, "not_found", "there is no such file", "");
        return;
    }
    if (file == NULL)
        file = embed_find(ui_files, SLICE("index.html"));
    if (file != NULL) {
        reply_file(file, request, reply);
        return;
    }
    reply->status = 503;
    reply->content_type = "text/plain; charset=utf-8";
    reply->fixed = slice_from(not_built);
}
