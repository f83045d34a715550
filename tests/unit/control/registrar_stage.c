/* SPDX-License-Identifier: BSD-3-Clause */
#include "registrar_stage.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/tport_tag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S 10

static void
silence(void *stream, char const *format, va_list args)
{
}

static int
on_request(nta_leg_magic_t *magic, nta_leg_t *leg, nta_incoming_t *request, const sip_t *sip)
{
	struct stage *stage = (struct stage *)magic;
	msg_t *message = nta_incoming_getrequest(request);
	tport_t *connection = nta_incoming_transport(stage->nta, request, message);
	struct relay_ip peer;

	relay_ip_parse("127.0.0.1", 9, &peer);
	if (sip->sip_request->rq_method == sip_method_register) {
		registrar_handle(stage->registrar, request, sip, sip->sip_to->a_url->url_user,
			connection, &peer);
	} else {
		registrar_meet(
			stage->registrar, sip, sip->sip_to->a_url->url_user, connection, &peer);
		nta_incoming_treply(request, SIP_200_OK, TAG_END());
	}
	msg_destroy(message);
	tport_unref(connection);
	nta_incoming_destroy(request);
	return 0;
}

int
stage_setup(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	signal(SIGPIPE, SIG_IGN);
	su_init();
	su_log_redirect(NULL, silence, NULL);
	strcpy(stage->folder, "/tmp/sallyport-registrar-XXXXXX");
	if (mkdtemp(stage->folder) == NULL)
		return -1;
	snprintf(stage->file, sizeof(stage->file), "%s/bindings.db", stage->folder);
	stage->config = (struct config_sip){
		.expires_min_s = 60,
		.expires_default_s = 3600,
		.expires_max_s = 7200,
		.contacts_max = 4,
		.bindings_max = 6,
		.flow_timer_s = 120,
		.bindings = stage->file,
	};
	stage->root = su_root_create(NULL);
	stage->nta = nta_agent_create(stage->root, URL_STRING_MAKE("sip:127.0.0.1:0;transport=tcp"),
		NULL, NULL, TAG_END());
	stage->leg = nta_leg_tcreate(
		stage->nta, on_request, (nta_leg_magic_t *)stage, NTATAG_NO_DIALOG(1), TAG_END());
	stage->registrar = registrar_create(stage->root, &stage->config);
	if (stage->leg == NULL || stage->registrar == NULL)
		return -1;
	for (tport_t *at = tport_primaries(nta_agent_tports(stage->nta)); at != NULL;
		at = tport_next(at))
		stage->port = (uint16_t)atoi(tport_name(at)->tpn_port);
	*state = stage;
	return 0;
}

int
stage_teardown(void **state)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	struct stage *stage = *state;
	char path[128];

	registrar_destroy(stage->registrar);
	nta_leg_destroy(stage->leg);
	nta_agent_destroy(stage->nta);
	su_root_destroy(stage->root);
	for (unsigned i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", stage->file, ends[i]);
		unlink(path);
	}
	rmdir(stage->folder);
	free(stage);
	return 0;
}

void
stage_restart(struct stage *stage)
{
	registrar_destroy(stage->registrar);
	stage->registrar = registrar_create(stage->root, &stage->config);
	assert_non_null(stage->registrar);
	assert_int_equal(0, registrar_open_store(stage->registrar));
}

struct line
line_open(struct stage *stage)
{
	static unsigned count;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(stage->port)};
	struct line line = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};

	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	assert_int_equal(0, connect(line.fd, (const void *)&to, sizeof(to)));
	snprintf(line.call_id, sizeof(line.call_id), "call-%u", ++count);
	return line;
}

static int
count_open(void *arg, const struct binding *binding)
{
	*(unsigned *)arg += binding->connection != NULL;
	return 0;
}

static unsigned
open_bindings(struct stage *stage)
{
	unsigned count = 0;

	registrar_each(stage->registrar, count_open, &count);
	return count;
}

void
line_close(struct stage *stage, struct line *line)
{
	unsigned before = open_bindings(stage);
	time_t until = time(NULL) + PATIENCE_S;

	close(line->fd);
	while (open_bindings(stage) == before && time(NULL) < until)
		su_root_step(stage->root, 20);
	assert_true(open_bindings(stage) < before);
}

static void
exchange(struct stage *stage, struct line *line, const char *method, const char *user,
	const char *headers)
{
	time_t until = time(NULL) + PATIENCE_S;
	struct pollfd ready = {.fd = line->fd, .events = POLLIN};
	char text[8192];
	size_t used = 0;
	static unsigned branch;

	line->cseq++;
	int length = snprintf(text, sizeof(text),
		"%s sip:r.test SIP/2.0\r\nVia: SIP/2.0/TCP "
		"127.0.0.1:9;branch=z9hG4bK%u;rport\r\n"
		"Max-Forwards: 70\r\nFrom: <sip:%s@r.test>;tag=1\r\nTo: <sip:%s@r.test>\r\n"
		"Call-ID: %s\r\nCSeq: %u %s\r\n%sContent-Length: 0\r\n\r\n",
		method, ++branch, user, user, line->call_id, line->cseq, method, headers);
	assert_true(length > 0 && (size_t)length < sizeof(text));
	assert_int_equal(length, write(line->fd, text, (size_t)length));
	line->answer[0] = '\0';
	while (strstr(line->answer, "\r\n\r\n") == NULL) {
		assert_true(time(NULL) < until);
		su_root_step(stage->root, 5);
		if (poll(&ready, 1, 0) <= 0)
			continue;
		ssize_t more = read(line->fd, line->answer + used, sizeof(line->answer) - 1 - used);
		assert_true(more > 0);
		used += (size_t)more;
		line->answer[used] = '\0';
	}
}

int
line_register(struct stage *stage, struct line *line, const char *user, const char *headers)
{
	exchange(stage, line, "REGISTER", user, headers);
	return atoi(line->answer + sizeof("SIP/2.0 ") - 1);
}

void
line_meet(struct stage *stage, struct line *line, const char *user, const char *headers)
{
	exchange(stage, line, "OPTIONS", user, headers);
}

static int
add_name(void *arg, const struct binding *binding)
{
	char *names = arg;
	const char *name = strchr(binding->contact, ':') + 1;
	size_t used = strlen(names);

	snprintf(names + used, 256 - used, "%s%.*s", used > 0 ? " " : "", (int)strcspn(name, "@"),
		name);
	return 0;
}

const char *
stage_order(struct stage *stage, const char *user)
{
	static char names[256];

	names[0] = '\0';
	registrar_find_all(stage->registrar, user, add_name, names);
	return names;
}
