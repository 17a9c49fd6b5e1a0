/* Publishing the sites' settings and their links to Redis, where collectors read them. */
#ifndef AGGREGATOR_SITE_PUBLISH_H
#define AGGREGATOR_SITE_PUBLISH_H

#include "aggregator/settings_db.h"
#include "core/stream.h"

/* Write all sites and links to STREAM_SITES where they differ from *published (a hash of what was
 * written last, kept by the caller, 0 at first) or where `always` is true. Sign-ins change
 * settings.db too; they are no reason to write. */
enum err_code site_publish(struct settings_db *settings, struct stream *stream, bool always,
                           uint64_t *published, struct err *err);

#endif
