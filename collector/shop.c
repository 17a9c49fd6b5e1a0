#include "collector/shop.h"

#include <stdlib.h>

#include "core/embed.h"

#define TOKEN "{{SITE_KEY}}"

extern const struct embed_file shop_files[];

struct shop_page {
    const struct embed_file *file;
    struct buffer text; /* where the key stands in it; else empty */
};

struct shop {
    size_t n;
    struct shop_page pages[];
};

/* The file with the key in the token's places; empty where there are none. */
static void
render(struct buffer *out, struct slice text, struct slice key)
{
    const char *at;

    while ((at = memmem(text.p, text.n, TOKEN, sizeof TOKEN - 1)) != NULL) {
        size_t before = (size_t)(at - text.p);
        buffer_add_slice(out, slice_sub(text, 0, before));
        buffer_add_slice(out, key);
        text = slice_sub(text, before + sizeof TOKEN - 1, text.n);
    }
    if (out->n != 0)
        buffer_add_slice(out, text);
}

struct shop *
shop_create(struct slice site_key)
{
    struct shop *s;
    size_t n = 0;

    while (shop_files[n].path)
        n++;
    s = mem_zalloc(sizeof *s + n * sizeof s->pages[0]);
    s->n = n;
    for (size_t i = 0; i < n; i++) {
        s->pages[i].file = &shop_files[i];
        render(&s->pages[i].text, embed_bytes(&shop_files[i]), site_key);
    }
    return s;
}

void
shop_destroy(struct shop **s)
{
    if (!*s)
        return;
    for (size_t i = 0; i < (*s)->n; i++)
        buffer_fini(&(*s)->pages[i].text);
    free(*s);
    *s = NULL;
}

void
shop_reply(const struct shop *s, struct slice path, struct http_reply *reply)
{
    if (path.n == 0)
        path = SLICE("index.html");
    http_reply_header(reply, "Content-Security-Policy",
                      SLICE("default-src 'none'; script-src 'self'; connect-src 'self'; "
                            "img-src 'self' data:; style-src 'self'; base-uri 'none'; "
                            "form-action 'self'; frame-ancestors 'none'"));
    for (size_t i = 0; i < s->n; i++) {
        const struct shop_page *page = &s->pages[i];
        if (!slice_is(path, page->file->path))
            continue;
        reply->content_type = page->file->type;
        reply->fixed = page->text.n != 0 ? buffer_slice(&page->text) : embed_bytes(page->file);
        return;
    }
    http_reply_error(reply, 404, "not_found", "the shop has no such page", NULL);
}
