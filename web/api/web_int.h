/* What the files of web/api share. One request of the API is one struct call; each route of the
 * table in route.c has a handler that turns it into a reply. */
#ifndef WEB_API_WEB_INT_H
#define WEB_API_WEB_INT_H

#include <jansson.h>
#include <stdatomic.h>

#include "aggregator/funnel/figure.h"
#include "aggregator/funnel/request.h"
#include "aggregator/query_guard.h"
#include "aggregator/result_cache.h"
#include "aggregator/settings_db.h"
#include "aggregator/site.h"
#include "aggregator/snapshot.h"
#include "aggregator/store.h"
#include "core/http.h"
#include "web/api/access.h"
#include "web/api/account.h"
#include "web/api/limiter.h"
#include "web/api/told.h"
#include "web/api/turn.h"

#define WEB__BODY_MAX       (256 * 1024)
#define WEB__URL_MAX        512
#define WEB__PARAMETERS_MAX 2

struct web__metrics {
    atomic_uint_fast64_t replies[6]; /* by the first digit of the status */
    atomic_uint_fast64_t sign_ins;
    atomic_uint_fast64_t sign_ins_failed;
    atomic_uint_fast64_t sign_ins_limited;
    atomic_uint_fast64_t reports;
    atomic_uint_fast64_t reports_kept; /* of these, without a look at the events */
    atomic_uint_fast64_t report_us;    /* their sum */
};

struct web {
    struct slice snippet_path; /* of the caller's config */
    struct slice beacon_path;
    char collector_url[WEB__URL_MAX]; /* without a slash at the end */
    char public_host[WEB__URL_MAX];   /* "" = none */
    bool insecure_http;
    bool demo;
    struct store store;
    struct settings_db *settings;
    struct snapshot_pool *pool;
    struct limiter *tries_by_account;
    struct limiter *tries_by_network;
    struct turns *turns;
    struct told *told;               /* what collectors say of themselves */
    struct result_cache *kept;       /* reports (kept.h) */
    struct result_cache *live;       /* what files have that is new (query_live.h) */
    struct result_cache *attributes; /* how much files have of each (query_attributes) */
    struct buffer timezones;         /* the reply of GET /api/v1/timezones, made at the start */
    struct buffer currencies;        /* of GET /api/v1/currencies */
    struct web__metrics metrics;
    struct http_server *http;
};

struct call {
    struct web *web;
    const struct http_request *request;
    struct http_reply *reply;
    bool is_secure; /* https, or on this machine, or allowed by insecure_http */
    bool is_signed_in;
    struct account account; /* where signed in by a session */
    struct access_who who;  /* its role is that for `site`, or for all */
    int64_t key_id;         /* of an API key */
    struct site site;       /* of a route with {site}; in the request's arena */
    struct slice query_id;  /* web__read_query_id; in the request's arena */
    struct slice parameters[WEB__PARAMETERS_MAX]; /* the path's, in order; {site} is the first */
};

typedef void (*web__handler)(struct call *c);

/* ---- Replies ---- */

/* Takes value. */
void web__reply_json(struct call *c, int status, json_t *value);
void web__reply_err(struct call *c, const struct err *err);
json_t *web__json_text(struct slice s);
json_t *web__json_time(int64_t ms); /* RFC 3339, UTC */

/* ---- Bodies ---- */

/* The body as a JSON object without any key twice; json_decref it. ERR_INVALID. */
enum err_code web__body_object(const struct call *c, json_t **out, struct err *err);

/* ERR_INVALID, naming the first key that is not among names (ended by NULL). */
enum err_code web__body_check_keys(const json_t *object, const char *const *names, struct err *err);

/* The body as an object of no other members than these. */
enum err_code web__body_members(const struct call *c, const char *const *names, json_t **out,
                                struct err *err);

/* A text by name, borrowed from object. Where it is missing: ERR_INVALID if it is required, else
 * "". */
enum err_code web__body_text(const json_t *object, const char *name, bool is_required,
                             struct slice *out, struct err *err);

/* Set the tag of what is answered, the moment apart. Has the asker this already? Then it is told so
 * (304). */
bool web__is_known(struct call *c, struct slice members);

/* ---- Questions (answer.c) ---- */

/* A saved funnel by its name; and one from a body, where it may also be a definition. Owned by the
 * caller. */
enum err_code web__load_funnel(struct call *c, struct slice name, struct funnel **out,
                               struct err *err);
enum err_code web__read_funnel(struct call *c, json_t *funnel, struct funnel **out,
                               struct err *err);

/* The members "figure" and "stage". */
enum err_code web__read_figure(const json_t *object, const struct funnel *f,
                               struct figure_place *out, struct err *err);

/* The member "snapshot"; "" where there is none. ERR_INVALID, also without an as_of beside it. */
enum err_code web__read_snapshot(const json_t *body, const struct request *r,
                                 char out[SNAPSHOT_NAME_MAX], struct err *err);

/* Fill query_id from the body's or (NULL) the address's query_id. ERR_INVALID. */
enum err_code web__read_query_id(struct call *c, const json_t *body, struct err *err);

/* What questions of visitors have in common: range, filters, bots, limit, snapshot, query_id. own:
 * members that are the question's, ended by NULL; "snapshot" and "query_id" are among them. */
enum err_code web__read_question(struct call *c, json_t *body, const char *const *own,
                                 struct request *r, char snapshot[SNAPSHOT_NAME_MAX],
                                 struct err *err);

/* Who asks, for turn_take. */
struct turn_asker web__asker(const struct call *c);

/* As web__reply_err, of an error that an answer ended with: ERR_LIMIT is 422, ERR_CONFLICT 409
 * "stopped", ERR_UNAVAILABLE 503 "busy" with Retry-After. */
void web__reply_costly(struct call *c, const struct err *err);

struct web__from {
    struct slice snapshot; /* "": the latest */
    struct query_guard *guard;
    bool is_anew; /* the one asked for has gone: pages begin anew */
};

/* Adds the answer's members, without braces. */
typedef enum err_code (*web__question)(struct call *c, const void *what, struct web__from from,
                                       struct buffer *out, struct err *err);

/* Wait for the turn, ask and reply: from the snapshot, or where that has gone from the latest,
 * saying so. */
void web__answer(struct call *c, web__question question, const void *what, struct slice snapshot);

/* ---- Sessions ---- */

/* Fill is_secure, is_signed_in, account and who. ERR_IO and the like where settings.db fails. */
enum err_code web__session_read(struct call *c, struct err *err);

/* Start a session for who has just shown to be c->account, and reply with it. */
void web__sign_in(struct call *c, int status);

/* Charge a try to guess to the network that it comes from; false, and the reply made (429), where
 * there were too many. web__give_back where it was no failure. */
bool web__charge(struct call *c);
void web__give_back(struct call *c);

/* Who did it, for people: an email address, or "key 3". In the request's arena. */
struct slice web__who(const struct call *c);

/* 204, or the error. */
void web__reply_done(struct call *c, enum err_code rc, const struct err *err);

/* Remove what the path's second parameter numbers, and reply; 404 where there is none. */
typedef enum err_code (*web__remove)(struct settings_db *db, uint32_t site, int64_t id,
                                     struct err *err);
void web__delete_numbered(struct call *c, web__remove remove);

/* ---- Handlers, one for each route of the API ---- */

void web__get_openapi(struct call *c);
void web__get_session(struct call *c);
void web__post_session(struct call *c);
void web__delete_session(struct call *c);
void web__get_sessions(struct call *c);
void web__delete_one_session(struct call *c);
void web__post_setup(struct call *c);
void web__post_invitation(struct call *c);
void web__post_invitation_accept(struct call *c);
void web__get_people(struct call *c);
void web__patch_person(struct call *c);
void web__delete_person(struct call *c);
void web__post_invitations(struct call *c);
void web__delete_invitation(struct call *c);
void web__get_keys(struct call *c);
void web__post_key(struct call *c);
void web__delete_key(struct call *c);
void web__get_audit(struct call *c);
void web__get_shares(struct call *c);
void web__post_share(struct call *c);
void web__delete_share(struct call *c);
void web__get_share(struct call *c);
void web__get_links(struct call *c);
void web__post_link(struct call *c);
void web__delete_link(struct call *c);
void web__post_secret(struct call *c);
void web__post_erase(struct call *c);
void web__get_sites(struct call *c);
void web__post_site(struct call *c);
void web__get_site(struct call *c);
void web__patch_site(struct call *c);
void web__delete_query(struct call *c);
void web__get_timezones(struct call *c);
void web__get_currencies(struct call *c);
void web__get_attributes(struct call *c);
void web__get_values(struct call *c);
void web__get_funnels(struct call *c);
void web__get_funnel(struct call *c);
void web__put_funnel(struct call *c);
void web__delete_funnel(struct call *c);
void web__get_funnel_versions(struct call *c);
void web__get_filters(struct call *c);
void web__put_filter(struct call *c);
void web__delete_filter(struct call *c);
void web__get_report(struct call *c);
void web__post_report(struct call *c);
void web__post_visitors(struct call *c);
void web__post_export(struct call *c);
void web__get_count(struct call *c);
void web__post_count(struct call *c);
void web__post_values(struct call *c);
void web__post_next(struct call *c);
void web__post_contrast(struct call *c);
void web__post_dropoff(struct call *c);
void web__post_search(struct call *c);
void web__post_journey(struct call *c);
void web__get_live(struct call *c);
void web__get_health(struct call *c);
void web__post_reconcile(struct call *c);
void web__post_catalogue(struct call *c);

/* ---- Handlers beside the API (of struct http_route) ---- */

void web__healthz(const struct http_request *request, struct http_reply *reply, void *context);
void web__metrics(const struct http_request *request, struct http_reply *reply, void *context);
void web__asset(const struct http_request *request, struct http_reply *reply, void *context);

#endif
