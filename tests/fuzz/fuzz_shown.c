/* SPDX-License-Identifier: BSD-3-Clause */
/* Any answers to what "sallyctl sip" asks: it comes to an end with one of its exit codes, and what
 * it shows as a table neither paints nor forges lines. The input: a byte for the command, then
 * answers, each up to its NUL. */
#include "fuzz.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#define COMMANDS 7
#define ANSWERS_MAX 32

int sallyctl_sip_main(int argc, char **argv);

static const char *path;
static int listener, shown;
/* for the thread that answers */
static char *answers;
static const char *answers_end;

/* Answers as long as it has something to say, then hangs up. */
static void *
serve(void *arg)
{
	char request[512], *rest = answers;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	for (unsigned i = 0; fd >= 0 && i < ANSWERS_MAX && rest < answers_end; i++) {
		if (recv(fd, request, sizeof(request), 0) <= 0)
			break;
		const char *one = take_text(&rest, answers_end);
		if (one[0] == '\0' || send(fd, one, strlen(one), MSG_NOSIGNAL) < 0)
			break;
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	union {
		struct sockaddr any;
		struct sockaddr_un unix_;
	} address = {.unix_ = {.sun_family = AF_UNIX}};

	path = fuzz_path("sip.sock");
	strcpy(address.unix_.sun_path, path);
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	demand(listener >= 0 && bind(listener, &address.any, sizeof(address.unix_)) == 0 &&
			listen(listener, 4) == 0,
		"no socket");
	shown = memfd_create("shown", MFD_CLOEXEC);
	demand(shown >= 0 && dup2(shown, STDOUT_FILENO) >= 0, "no file to show in");
	stderr = fopen("/dev/null", "we");
	demand(stderr != NULL, "no /dev/null");
	return 0;
}

static void
check_shown(size_t rows_max)
{
	static char text[1 << 18];
	ssize_t length = pread(shown, text, sizeof(text) - 1, 0);
	size_t rows = 0;

	demand(length >= 0, "it can't be read");
	text[length] = '\0';
	for (ssize_t i = 0; i < length; i++) {
		unsigned char at = (unsigned char)text[i];
		rows += at == '\n';
		demand((at >= 0x20 || at == '\n') && at != 0x7f, "a control character");
		demand(at != 0xc2 || (unsigned char)text[i + 1] < 0x80 ||
				(unsigned char)text[i + 1] >= 0xa0,
			"a control character of eight bits, as UTF-8");
	}
	demand(rows <= rows_max, "more lines than rows");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char *const commands[COMMANDS] = {
		"calls", "failures", "registrations", "trunks", "certificates", "trace", "stats"};
	char program[] = "sallyctl-sip", option[] = "--socket";
	pthread_t thread;

	if (size < 1)
		return 0;
	char *command = commands[data[0] % COMMANDS];
	char *argv[] = {program, command, option, (char *)(uintptr_t)path, NULL};
	answers = text_of(data + 1, size - 1);
	answers_end = answers + size - 1;
	demand(pthread_create(&thread, NULL, serve, NULL) == 0, "no thread");
	extern int optind;
	optind = 0;
	int code = sallyctl_sip_main(4, argv);
	pthread_join(thread, NULL);
	demand(code >= 0 && code <= 3 && code != 2, "an exit code that means nothing");
	if (strcmp(command, "stats") != 0)
		/* no row is shorter than "{}," */
		check_shown(size + 2);
	demand(ftruncate(shown, 0) == 0 && lseek(shown, 0, SEEK_SET) == 0, "the file is gone");
	free(answers);
	return 0;
}
