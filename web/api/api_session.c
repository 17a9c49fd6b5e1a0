/* Who is there: GET, POST and DELETE /api/v1/session, POST /api/v1/setup, and one's own sessions.
 *
 * Signing in, in steps: the email in lower case; one try charged to the account and one to the
 * network it comes from; the password hashed and compared, for an unknown account too; a new token
 * in a cookie that scripts cannot read; the tries given back, since they were no failures.
 */
#include <stdio.h>

#include "core/clock.h"
#include "core/log.h"
#include "web/api/guard.h"
#include "web/api/web_int.h"

#define COOKIE_PLAIN "corong_session"
#define COOKIE_HTTPS "__Host-corong_session" /* browsers take it with Secure and Path=/ only */
#define COOKIE_MAX   256

static const char *
cookie_name(const struct call *c)
{
    return c->request->is_https ? COOKIE_HTTPS : COOKIE_PLAIN;
}

static void
set_cookie(struct call *c, const char *token, int64_t max_age_s)
{
    char text[COOKIE_MAX];
    int n;

    n = snprintf(text, sizeof text, "%s=%s; Path=/; HttpOnly; SameSite=Lax; Max-Age=%lld%s",
                 cookie_name(c), token, (long long)max_age_s,
                 c->request->is_https ? "; Secure" : "");
    http_reply_header(c->reply, "Set-Cookie", slice_of(text, (size_t)n));
}

/* Whoever sends a key is asked for nothing else: a wrong one is nobody. */
static enum err_code
read_key(struct call *c, struct slice header, struct err *err)
{
    struct api_key key;
    enum err_code rc;

    if (!slice_starts_with(header, SLICE("Bearer ")) || header.n > 7 + API_KEY_TEXT_MAX)
        return ERR_OK;
    rc = api_key_find(c->web->settings, slice_sub(header, 7, header.n), &key, err);
    if (rc == ERR_OK) {
        c->is_signed_in = true;
        c->key_id = key.id;
        c->who = (struct access_who){
            .is_signed_in = true, .is_key = true, .scopes = key.scopes, .key_site = key.site};
    }
    return rc == ERR_NOT_FOUND ? ERR_OK : rc;
}

enum err_code
web__session_read(struct call *c, struct err *err)
{
    const struct http_request *r = c->request;
    struct slice token;
    enum err_code rc;

    c->is_secure =
        r->is_https || c->web->insecure_http || guard_is_local(r->remote, http_header(r, "Host"));
    if (!c->is_secure)
        return ERR_OK;
    if (http_header(r, "Authorization").n != 0)
        return read_key(c, http_header(r, "Authorization"), err);
    token = http_cookie(r, cookie_name(c));
    if (token.n == 0 || token.n >= ACCOUNT_TOKEN_MAX)
        return ERR_OK;
    rc = account_session_find(c->web->settings, token, &c->account, err);
    c->is_signed_in = rc == ERR_OK;
    c->who = (struct access_who){.is_signed_in = c->is_signed_in,
                                 .has_role = c->is_signed_in && c->account.is_everywhere,
                                 .role = c->account.role};
    return rc == ERR_NOT_FOUND ? ERR_OK : rc;
}

struct slice
web__who(const struct call *c)
{
    if (c->who.is_key)
        return arena_printf(c->request->arena, "key %lld", (long long)c->key_id);
    return slice_from(c->account.email);
}

static json_t *
account_json(const struct call *c)
{
    if (!c->is_signed_in || c->who.is_key)
        return json_null();
    return json_pack("{s:s, s:s, s:b}", "email", c->account.email, "role",
                     account_role_name(c->account.role), "is_everywhere", c->account.is_everywhere);
}

static json_t *
demo_json(const struct web *w)
{
    return w->demo ? json_pack("{s:o}", "shop", json_sprintf("%s/shop/", w->collector_url))
                   : json_null();
}

static json_t *
places_json(const struct web *w)
{
    const struct told_places *places = told_places(w->told);

    return places ? json_pack("{s:s, s:s}", "name", places->name, "url", places->url) : json_null();
}

static void
reply_session(struct call *c, int status)
{
    struct err err = ERR_NONE;
    int64_t n_accounts;

    if (account_count(c->web->settings, &n_accounts, &err) != ERR_OK) {
        web__reply_err(c, &err);
        return;
    }
    web__reply_json(c, status,
                    json_pack("{s:o, s:b, s:b, s:o, s:o, s:s}", "account", account_json(c), "setup",
                              n_accounts == 0, "insecure", !c->is_secure, "demo", demo_json(c->web),
                              "places", places_json(c->web), "version", CORONG_VERSION));
}

void
web__get_session(struct call *c)
{
    reply_session(c, 200);
}

void
web__sign_in(struct call *c, int status)
{
    char token[ACCOUNT_TOKEN_MAX];
    struct slice old = http_cookie(c->request, cookie_name(c));
    struct err err = ERR_NONE;

    if (account_session_create(c->web->settings, &c->account, old, token, &err) != ERR_OK ||
        account_session_describe(c->web->settings, slice_from(token),
                                 http_header(c->request, "User-Agent"), &err) != ERR_OK) {
        web__reply_err(c, &err);
        return;
    }
    c->is_signed_in = true;
    atomic_fetch_add(&c->web->metrics.sign_ins, 1);
    reply_session(c, status);
    set_cookie(c, token, ACCOUNT_SESSION_MS / 1000);
}

static void
reply_later(struct call *c, int64_t wait_ms, const char *message)
{
    char seconds[24];
    int n = snprintf(seconds, sizeof seconds, "%lld", (long long)((wait_ms + 999) / 1000));

    http_reply_error(c->reply, 429, "too_many_tries", message, "");
    http_reply_header(c->reply, "Retry-After", slice_of(seconds, (size_t)n));
}

/* Charge a try to both; the ms to wait where one of them has had too many. */
static int64_t
charge(struct web *w, struct slice email, struct slice network)
{
    int64_t now_ms = clock_steady_ms();
    int64_t wait_ms = limiter_take(w->tries_by_network, network, now_ms);

    if (wait_ms != 0)
        return wait_ms;
    wait_ms = limiter_take(w->tries_by_account, email, now_ms);
    if (wait_ms != 0)
        limiter_refund(w->tries_by_network, network, now_ms);
    return wait_ms;
}

static void
refund(struct web *w, struct slice email, struct slice network)
{
    int64_t now_ms = clock_steady_ms();

    limiter_refund(w->tries_by_network, network, now_ms);
    limiter_refund(w->tries_by_account, email, now_ms);
}

bool
web__charge(struct call *c)
{
    char bytes[GUARD_NETWORK_MAX];
    int64_t wait_ms = limiter_take(c->web->tries_by_network,
                                   guard_network(c->request->remote, bytes), clock_steady_ms());

    if (wait_ms != 0)
        reply_later(c, wait_ms, "too many failed tries; wait before the next");
    return wait_ms == 0;
}

void
web__give_back(struct call *c)
{
    char bytes[GUARD_NETWORK_MAX];

    limiter_refund(c->web->tries_by_network, guard_network(c->request->remote, bytes),
                   clock_steady_ms());
}

static void
try_sign_in(struct call *c, const char *email, struct slice password)
{
    char bytes[GUARD_NETWORK_MAX];
    struct slice network = guard_network(c->request->remote, bytes);
    struct slice name = slice_from(email);
    struct web *w = c->web;
    struct err err = ERR_NONE;
    int64_t wait_ms = charge(w, name, network);

    if (wait_ms != 0) {
        atomic_fetch_add(&w->metrics.sign_ins_limited, 1);
        reply_later(c, wait_ms, "too many failed tries; wait before the next");
        return;
    }
    switch (account_check(w->settings, name, password, &c->account, &err)) {
    case ERR_OK:
        refund(w, name, network);
        web__sign_in(c, 200);
        return;
    case ERR_DENIED:
        atomic_fetch_add(&w->metrics.sign_ins_failed, 1);
        http_reply_error(c->reply, 401, "wrong_password", err.message, "");
        return;
    case ERR_UNAVAILABLE:
        refund(w, name, network);
        atomic_fetch_add(&w->metrics.sign_ins_limited, 1);
        reply_later(c, 1000, err.message);
        return;
    default:
        refund(w, name, network);
        web__reply_err(c, &err);
    }
}

void
web__post_session(struct call *c)
{
    static const char *const keys[] = {"email", "password", NULL};
    char normal[ACCOUNT_EMAIL_MAX + 1];
    struct slice email, password;
    struct err err = ERR_NONE;
    json_t *body = NULL;
    enum err_code rc = web__body_members(c, keys, &body, &err);

    if (rc == ERR_OK)
        rc = web__body_text(body, "email", true, &email, &err);
    if (rc == ERR_OK)
        rc = web__body_text(body, "password", true, &password, &err);
    if (rc == ERR_OK)
        rc = account_email_normalize(email, normal, &err);
    if (rc == ERR_OK)
        try_sign_in(c, normal, password);
    else
        web__reply_err(c, &err);
    json_decref(body);
}

void
web__delete_session(struct call *c)
{
    struct err err = ERR_NONE;
    struct slice token = http_cookie(c->request, cookie_name(c));

    if (account_session_end(c->web->settings, token, &err) != ERR_OK) {
        web__reply_err(c, &err);
        return;
    }
    c->reply->status = 204;
    set_cookie(c, "", 0);
}

void
web__get_sessions(struct call *c)
{
    struct slice token = http_cookie(c->request, cookie_name(c));
    struct err err = ERR_NONE;
    json_t *list;

    if (account_session_list(c->web->settings, &c->account, token, &list, &err) == ERR_OK)
        web__reply_json(c, 200, json_pack("{s:o}", "sessions", list));
    else
        web__reply_err(c, &err);
}

void
web__delete_one_session(struct call *c)
{
    struct err err = ERR_NONE;

    if (account_session_remove(c->web->settings, &c->account, c->parameters[0], &err) == ERR_OK)
        c->reply->status = 204;
    else
        web__reply_err(c, &err);
}

void
web__post_setup(struct call *c)
{
    static const char *const keys[] = {"token", "email", "password", NULL};
    struct slice token, email, password;
    struct err err = ERR_NONE;
    json_t *body = NULL;
    enum err_code rc = web__body_members(c, keys, &body, &err);

    if (rc == ERR_OK)
        rc = web__body_text(body, "token", true, &token, &err);
    if (rc == ERR_OK)
        rc = web__body_text(body, "email", true, &email, &err);
    if (rc == ERR_OK)
        rc = web__body_text(body, "password", true, &password, &err);
    if (rc == ERR_OK)
        rc = account_setup(c->web->settings, token, email, password, &c->account, &err);
    if (rc == ERR_OK) {
        log_info("the first account was made");
        web__sign_in(c, 201);
    } else {
        web__reply_err(c, &err);
    }
    json_decref(body);
}
