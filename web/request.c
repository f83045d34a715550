/* SPDX-License-Identifier: BSD-3-Clause */
/* A request, from its headers to its answer: who may ask, for what. */
#include "web.h"

#include "exposition.h"
#include "pages.h"
#include "relay/log.h"
#include "view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define JSON_TYPE "application/json"
#define TEXT_TYPE "text/plain; charset=utf-8"

/* Nothing is fetched from elsewhere, framed, guessed at, told to others or kept. */
static const struct {
	const char *name;
	const char *value;
} security[] = {
	{"Content-Security-Policy",
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
		"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	{"X-Frame-Options", "DENY"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Permissions-Policy", "camera=(), microphone=(), geolocation=()"},
	{"Cache-Control", "no-store"},
};

enum MHD_Result
request_answer(struct peer *peer, struct MHD_Connection *connection, unsigned status,
	struct MHD_Response *response, const char *type)
{
	const struct config_web *config = &peer->listener->web->config->web;

	if (response == NULL)
		return MHD_NO;
	for (unsigned i = 0; i < sizeof(security) / sizeof(security[0]); i++)
		MHD_add_response_header(response, security[i].name, security[i].value);
	if (config->certificate != NULL)
		MHD_add_response_header(response, "Strict-Transport-Security", "max-age=31536000");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	enum MHD_Result result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	peer->listener->web->counters.requests[status / 100 % 6]++;
	return result;
}

static enum MHD_Result
answer_text(struct peer *peer, struct MHD_Connection *connection, unsigned status,
	const char *bytes, size_t length, const char *type)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		length, (void *)(uintptr_t)bytes, MHD_RESPMEM_MUST_COPY);

	return request_answer(peer, connection, status, response, type);
}

enum MHD_Result
request_refuse(
	struct peer *peer, struct MHD_Connection *connection, unsigned status, const char *sentence)
{
	struct MHD_Response *response;
	char text[256];
	int length = snprintf(text, sizeof(text), "%s\n", sentence);

	response = MHD_create_response_from_buffer((size_t)length, text, MHD_RESPMEM_MUST_COPY);
	if (response != NULL && status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
			"Basic realm=\"sallyport\", charset=\"UTF-8\"");
	if (response != NULL && status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	if (response != NULL &&
		(status == MHD_HTTP_TOO_MANY_REQUESTS || status == MHD_HTTP_SERVICE_UNAVAILABLE))
		MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER,
			status == MHD_HTTP_TOO_MANY_REQUESTS ? "60" : "1");
	return request_answer(peer, connection, status, response, TEXT_TYPE);
}

enum MHD_Result
request_wait(struct peer *peer, struct MHD_Connection *connection)
{
	if (peer->waiting_ms == 0)
		peer->waiting_ms = snapshot_now_ms();
	if (snapshot_now_ms() - peer->waiting_ms > WEB_WAIT_MS)
		return request_refuse(peer, connection, MHD_HTTP_SERVICE_UNAVAILABLE,
			"Nothing is known of the daemons yet: try again.");
	peer->waiting = connection;
	MHD_suspend_connection(connection);
	return MHD_YES;
}

/* A name that somebody else's page may have been given to get at us from inside a browser (DNS
 * rebinding) is refused where no login keeps that page out. */
static bool
is_our_host(const char *host)
{
	struct relay_ip ip;
	size_t length = host != NULL ? strcspn(host, ":") : 0;

	if (host == NULL)
		return true; /* HTTP/1.0: no browser */
	if (host[0] == '[') {
		host++;
		length = strcspn(host, "]");
	}
	if (length == strlen("localhost") && strncasecmp(host, "localhost", length) == 0)
		return true;
	return relay_ip_parse(host, length, &ip) == 0;
}

/* What is said to a request that is not to be answered; 0: it is. */
static unsigned
check_login(struct peer *peer, struct MHD_Connection *connection, const char **sentence)
{
	struct web *web = peer->listener->web;
	char *password = NULL, *user;
	enum login_result result = LOGIN_WRONG;

	if (web->login == NULL)
		return 0;
	user = MHD_basic_auth_get_username_password(connection, &password);
	*sentence = "Who are you? See web.login.";
	if (user != NULL && password != NULL)
		result = login_check(web->login, &peer->ip, user, password, snapshot_now_ms());
	if (user != NULL && result == LOGIN_WRONG) {
		char text[RELAY_ADDR_TEXT];
		web->counters.logins_failed++;
		relay_ip_format(&peer->ip, text);
		log_audit(LOG_LEVEL_WARNING, LOG_ABOUT({LOG_PEER, text}),
			"web.login: wrong user or password from %s", text);
		*sentence = "That is not the user, or not the password, of web.login.";
	}
	if (password != NULL)
		explicit_bzero(password, strlen(password));
	MHD_free(user);
	MHD_free(password);
	if (result == LOGIN_RIGHT)
		return 0;
	if (result == LOGIN_WRONG)
		return MHD_HTTP_UNAUTHORIZED;
	web->counters.logins_locked++;
	*sentence = "Too many wrong logins: wait a little.";
	return result == LOGIN_LOCKED ? MHD_HTTP_TOO_MANY_REQUESTS : MHD_HTTP_SERVICE_UNAVAILABLE;
}

/* The same for everything that can be said by its headers alone. */
static unsigned
check(struct peer *peer, struct MHD_Connection *connection, const char *method,
	const char **sentence)
{
	const char *length = MHD_lookup_connection_value(
		connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	const char *coding = MHD_lookup_connection_value(
		connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING);

	*sentence = "Only GET and HEAD: nothing can be changed here.";
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return MHD_HTTP_METHOD_NOT_ALLOWED;
	*sentence = "A request has no body here.";
	if (coding != NULL || (length != NULL && strcmp(length, "0") != 0))
		return MHD_HTTP_CONTENT_TOO_LARGE;
	*sentence = "Ask for this by its address (http://127.0.0.1:PORT/), or by localhost.";
	if (peer->listener->web->login == NULL &&
		!is_our_host(MHD_lookup_connection_value(
			connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST))) {
		peer->listener->web->counters.hosts_refused++;
		return MHD_HTTP_FORBIDDEN;
	}
	return check_login(peer, connection, sentence);
}

static enum MHD_Result
answer_metrics(struct peer *peer, struct MHD_Connection *connection)
{
	struct web *web = peer->listener->web;
	struct snapshot *snapshot = snapshots_get_fresh(web->snapshots);
	struct text text = {.bytes = NULL};
	enum MHD_Result result;

	if (snapshot == NULL)
		return request_wait(peer, connection);
	metrics_write(&text, snapshot, &web->counters);
	snapshots_put(web->snapshots, snapshot);
	if (text_failed(&text))
		result = request_refuse(
			peer, connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "Out of memory.");
	else
		result = answer_text(
			peer, connection, MHD_HTTP_OK, text.bytes, text.length, EXPOSITION_TYPE);
	text_free(&text);
	return result;
}

/* /api/: the whole view; /api/NAME: a part of it; /api/calls/ID: all of one call. */
static enum MHD_Result
answer_api(struct peer *peer, struct MHD_Connection *connection, const char *what)
{
	struct web *web = peer->listener->web;
	struct snapshot *snapshot = snapshots_get_fresh(web->snapshots);

	if (snapshot == NULL)
		return request_wait(peer, connection);
	json_t *json = strncmp(what, "calls/", 6) == 0 ? view_call(snapshot, what + 6)
	                                               : view_part(snapshot, what);
	snapshots_put(web->snapshots, snapshot);
	if (json == NULL)
		return request_refuse(peer, connection, MHD_HTTP_NOT_FOUND,
			"There is nothing of this name, or no such call any more.");
	char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
	json_decref(json);
	if (text == NULL)
		return request_refuse(
			peer, connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "Out of memory.");
	enum MHD_Result result =
		answer_text(peer, connection, MHD_HTTP_OK, text, strlen(text), JSON_TYPE);
	free(text);
	return result;
}

static enum MHD_Result
answer(struct peer *peer, struct MHD_Connection *connection, const char *url)
{
	enum listener_kind kind = peer->listener->kind;
	const struct page *page = pages_find(url);

	if (strcmp(url, "/metrics") == 0 && kind != LISTENER_PAGE)
		return answer_metrics(peer, connection);
	if (kind == LISTENER_METRICS)
		return request_refuse(peer, connection, MHD_HTTP_NOT_FOUND,
			"Here is /metrics, and nothing else.");
	if (strncmp(url, "/api/", 5) == 0)
		return answer_api(peer, connection, url + 5);
	if (strcmp(url, "/events") == 0)
		return events_answer(peer, connection,
			MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "call"));
	if (page != NULL)
		return answer_text(
			peer, connection, MHD_HTTP_OK, page->bytes, page->length, page->type);
	return request_refuse(peer, connection, MHD_HTTP_NOT_FOUND, "There is no such page.");
}

enum MHD_Result
request_on(void *listener, struct MHD_Connection *connection, const char *url, const char *method,
	const char *version, const char *body, size_t *body_size, void **mine)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct peer *peer = info != NULL ? info->socket_context : NULL;
	const char *sentence = NULL;

	if (peer == NULL)
		return MHD_NO;
	if (*mine == NULL) {
		/* the headers are there: a refusal now spares us the rest */
		*mine = peer;
		peer->busy = true;
		peer->since_ms = snapshot_now_ms();
		peer->waiting_ms = 0;
		unsigned status = check(peer, connection, method, &sentence);
		return status == 0 ? MHD_YES : request_refuse(peer, connection, status, sentence);
	}
	if (*body_size != 0) {
		*body_size = 0;
		return MHD_YES;
	}
	return answer(peer, connection, url);
}
