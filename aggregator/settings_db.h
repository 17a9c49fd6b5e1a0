/* settings.db: sites, funnels, people. Written by the dashboard and by commands, read by the
 * aggregator, which publishes the sites to the collectors. Mode 0600: it holds password hashes.
 *
 *   sites          id (never given twice), name, domain, timezone, currency, public key, ...
 *   removed_sites  id, removed: their segments go, their ids never come back
 *   funnels        (site, name), updated, definition
 *   link_targets   slug, site, target, created: campaign redirects
 *   accounts       email, password_hash, role, created
 *   sessions       token_hash, email, created, expires, last_seen       (all times: ms, UTC)
 *   setup_tokens   token_hash, created, expires
 *   site_roles     (email, site), role: of accounts that are not for all sites
 *   invitations    id, token_hash, email, site (NULL: all), role, created(_by), expires
 *   api_keys       id, site, name, key_sha256, start, scopes, created(_by), last_used
 *   share_links    id, site, name, token_hash, question, days, created(_by), expires, last_used
 *   audit          id, time, site (0: none), who, action, detail
 *   funnel_versions (site, name, version), saved, author, note, definition
 *   saved_filters  (site, name), updated, author, filters
 *   properties     name, value: a small table for whoever needs one word kept
 *
 * One struct settings_db serves all threads of a process: every use of the handle stands between
 * settings_db_lock and settings_db_unlock (site_ and saved_funnel_ calls do so themselves).
 */
#ifndef AGGREGATOR_SETTINGS_DB_H
#define AGGREGATOR_SETTINGS_DB_H

#include <sqlite3.h>

#include "aggregator/store.h"
#include "core/arena.h"
#include "core/slice.h"

struct settings_db;

/* Open it, made where it is missing. ERR_VERSION, ERR_CORRUPT, ERR_IO. */
enum err_code settings_db_open(const struct store *s, struct settings_db **out, struct err *err);
void settings_db_close(struct settings_db **db);

/* The handle, for this thread alone until the unlock. A transaction (sql_begin .. sql_commit) is
 * begun and ended within one lock. */
sqlite3 *settings_db_lock(struct settings_db *db);
void settings_db_unlock(struct settings_db *db);

/* A number that changes when another connection (another process) has committed. */
enum err_code settings_db_version(struct settings_db *db, int64_t *out, struct err *err);

/* Copy it, as it is at one moment, into a new file of mode 0600. */
enum err_code settings_db_copy(struct settings_db *db, const char *path, struct err *err);

/* Write the file anew without what was deleted. ERR_UNAVAILABLE: it is in use. */
enum err_code settings_db_vacuum(struct settings_db *db, struct err *err);

/* PRAGMA integrity_check: *out is "ok" or the first problems. */
enum err_code settings_db_check(struct settings_db *db, struct arena *a, struct slice *out,
                                struct err *err);

/* One word kept by name. ERR_NOT_FOUND. */
enum err_code settings_db_property_get(struct settings_db *db, const char *name, struct arena *a,
                                       struct slice *out, struct err *err);
enum err_code settings_db_property_put(struct settings_db *db, const char *name, struct slice value,
                                       struct err *err);

#endif
