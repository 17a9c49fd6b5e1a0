/* Files compiled into the program: what cmake/embed.cmake makes.
 *
 *     corong_embed(corong_web ui BASE ${CMAKE_CURRENT_SOURCE_DIR}/ui/dist FILES ${files})
 *
 *     extern const struct embed_file ui_files[];      // in the .c file that serves them
 *     const struct embed_file *f = embed_find(ui_files, path);
 */
#ifndef CORE_EMBED_H
#define CORE_EMBED_H

#include "core/slice.h"

struct embed_file {
    const char *path; /* below the embedded folder: "index.html", "assets/app.js" */
    const char *type; /* Content-Type */
    const char *bytes;
    const char *end;
    const char *gzip; /* the same, gzipped; NULL where it was not given */
    const char *gzip_end;
};

static inline struct slice
embed_bytes(const struct embed_file *f)
{
    return slice_of(f->bytes, (size_t)(f->end - f->bytes));
}

static inline struct slice
embed_gzip(const struct embed_file *f) /* "" where there is none */
{
    return f->gzip ? slice_of(f->gzip, (size_t)(f->gzip_end - f->gzip)) : SLICE_EMPTY;
}

/* NULL where there is no such path. */
static inline const struct embed_file *
embed_find(const struct embed_file *files, struct slice path)
{
    for (; files->path; files++)
        if (slice_is(path, files->path))
            return files;
    return NULL;
}

#endif
