/* SPDX-License-Identifier: BSD-3-Clause */
/* Any datagrams to sallyport-sip's control socket: each is answered with rows or with an error, as
 * JSON that fits into a datagram, and the agent goes on as it was. The input: requests, each up to
 * its NUL. */
#include "agent_stage.h"
#include "control/control_socket.h"
#include "fuzz.h"

#include <errno.h>
#include <jansson.h>
#include <sys/socket.h>
#include <sys/un.h>

#define REQUESTS_MAX 8
#define ANSWER_MAX (256 * 1024) /* control_client.c */

static struct agent *agent;
static struct control_socket *control;
static union {
	struct sockaddr any;
	struct sockaddr_un unix_;
} address = {.unix_ = {.sun_family = AF_UNIX}};

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *path = fuzz_path("sip.sock");

	agent = agent_stage(path);
	strcpy(address.unix_.sun_path, path);
	demand(control_socket_open(agent, &control) == 0 && control != NULL, "no control socket");
	return 0;
}

static void
turn(void)
{
	for (unsigned i = 0; i < 4; i++)
		su_root_step(agent->root, 0);
}

static void
check_answer(int fd)
{
	static char text[ANSWER_MAX];
	ssize_t length = recv(fd, text, sizeof(text), MSG_DONTWAIT | MSG_TRUNC);

	demand(length > 0, "no answer");
	demand(length <= ANSWER_MAX, "an answer that its client can't take");
	json_t *answer = json_loadb(text, (size_t)length, 0, NULL);
	const json_t *rows = json_object_get(answer, "rows");
	const json_t *error = json_object_get(answer, "error");
	demand(json_is_object(answer), "an answer that is no JSON object");
	demand(rows == NULL || json_is_array(rows), "rows that are none");
	demand(error == NULL || json_string_length(error) > 0, "an error without a word");
	json_decref(answer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size), *rest = text;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	demand(fd >= 0 && connect(fd, &address.any, sizeof(address.unix_)) == 0, "nobody listens");
	turn();
	for (unsigned i = 0; i < REQUESTS_MAX && rest < text + size; i++) {
		const char *one = take_text(&rest, text + size);
		/* one that is longer than all requests is not answered */
		if (one[0] == '\0' || strlen(one) > 1024)
			break;
		demand(send(fd, one, strlen(one), MSG_NOSIGNAL) == (ssize_t)strlen(one),
			"it has hung up");
		turn();
		check_answer(fd);
	}
	close(fd);
	turn();
	free(text);
	agent->draining = false;
	return 0;
}
