/*
 * Pure: what authorization by OAuth 2.1 is made of, as MCP has it: where the metadata
 * of a server and of its authorization server may lie, what they say, and the texts
 * that are sent and come back (RFC 9728, 8414, 7591, 7636, 8707).
 */
#ifndef MCP_OAUTH_CORE_H
#define MCP_OAUTH_CORE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "json/json.h"

#define OAUTH_PLACES   3    /* where metadata may lie, at most */
#define OAUTH_TEXT_MAX 2000 /* bytes of any name, address or list of scopes */

/* ---- what a refusal says: WWW-Authenticate ---- */

struct oauth_challenge {
	char *metadata, *scope, *error; /* or NULL */
};

/* Reads what belongs to Bearer; the texts are the caller's (oauth_challenge_fini). */
void oauth_challenge_read(struct oauth_challenge *challenge, const char *header);
void oauth_challenge_fini(struct oauth_challenge *challenge);

/* ---- places ---- */

struct oauth_places {
	char *list[OAUTH_PLACES];
	size_t count;
};

/* "https://host:1" of an address; the caller's, NULL when it is none. */
char *oauth_origin(const char *url);
void oauth_resource_places(struct oauth_places *places, const char *url);
void oauth_issuer_places(struct oauth_places *places, const char *issuer);
void oauth_places_fini(struct oauth_places *places);

/* ---- what metadata say ---- */

struct oauth_server {
	char *authorization, *token,
	    *registration;       /* addresses; the last may be NULL */
	bool takes_documents;    /* an address may be a client's id */
	bool basic, post, plain; /* how clients may show who they are */
	bool by_client, by_code; /* grants */
};

/* *issuer, *scope (or NULL) and *resource are the caller's. -1 with ERR_INPUT: it is
 * none, or not of this address. */
int oauth_resource_read(const struct json *json, const char *url, char **issuer,
			char **scope, char **resource, struct err *err);
/* -1 with ERR_INPUT: it is none, or cannot do S256. oauth_server_fini in any case. */
int oauth_server_read(struct oauth_server *server, const struct json *json,
		      struct err *err);
/* Of a server without metadata: the usual places below its origin. */
void oauth_server_usual(struct oauth_server *server, const char *origin);
void oauth_server_fini(struct oauth_server *server);

/* ---- a client ---- */

struct oauth_client {
	char *id, *secret; /* secret: or NULL */
	enum { OAUTH_PLAIN, OAUTH_BASIC, OAUTH_POST } shows;
};

struct json *oauth_registration(const struct oauth_server *server,
				const char *redirect);
/* -1 with ERR_INPUT: no client came back. */
int oauth_client_read(struct oauth_client *client, const struct oauth_server *server,
		      const struct json *json, struct err *err);
void oauth_client_shows(struct oauth_client *client, const struct oauth_server *server);
void oauth_client_fini(struct oauth_client *client);

/* ---- asking ---- */

struct oauth_request {
	const struct oauth_server *server;
	const struct oauth_client *client;
	const char *redirect, *resource;
	const char *scope;                /* or NULL */
	const char *state;                /* of this request */
	const char *verifier, *challenge; /* PKCE, S256 */
};

/* The address of the authorization request; appended. */
void oauth_authorize_url(const struct oauth_request *request, struct buf *out);
/* The code that the redirect brings; the caller's. NULL with err: it is not to us, not
 * for this request, or an error. */
char *oauth_code(const struct oauth_request *request, const char *location,
		 struct err *err);
/* Bodies of token requests, appended. */
void oauth_token_by_code(const struct oauth_request *request, const char *code,
			 struct buf *out);
void oauth_token_by_refresh(const struct oauth_request *request, const char *refresh,
			    struct buf *out);
void oauth_token_by_client(const struct oauth_request *request, struct buf *out);
/* "Basic ..." of a client that shows itself so; the caller's, else NULL. */
char *oauth_basic(const struct oauth_client *client);
/* *token and *refresh (or NULL) are the caller's. -1 with ERR_INPUT. */
int oauth_token_read(const struct json *json, char **token, char **refresh,
		     struct err *err);
/* All scopes of both, each once; the caller's, NULL when there is none. */
char *oauth_scopes(const char *a, const char *b);

#endif
