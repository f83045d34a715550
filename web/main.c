/* SPDX-License-Identifier: BSD-3-Clause */
/* sallyport-web: metrics and the page. Start, and end. */
#include "server.h"

#include "relay/config.h"
#include "relay/config_reload.h"
#include "relay/core_file.h"
#include "relay/log.h"
#include "relay/privilege.h"
#include "relay/service.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define DEFAULT_CONFIG "/etc/sallyport/sallyport.yaml"
#define ERROR_SIZE 512

static const char usage[] =
	"Usage: sallyport-web [--config FILE] [--check]\n"
	"\n"
	"Shows what sallyport-media and sallyport-sip do: as metrics for Prometheus (/metrics), as "
	"a\n"
	"page for people (/), and as JSON (/api/). It reads, and changes nothing. Where one of the "
	"two\n"
	"is away it says so, and goes on.\n"
	"\n"
	"  -c, --config FILE  the configuration (default " DEFAULT_CONFIG ")\n"
	"      --check        read the configuration, the certificate and the login, say whether\n"
	"                     they are good, and end\n"
	"  -h, --help         this text\n"
	"  -V, --version      the release\n"
	"\n"
	"It listens at http://127.0.0.1:9478/ unless the section \"web\" says otherwise. Elsewhere "
	"than\n"
	"on loopback it wants a certificate and a login (sallyctl web-password). SIGTERM or "
	"SIGINT\n"
	"ends it; SIGHUP has it read the configuration and the certificate anew.\n"
	"\n"
	"Exit status: 0 ended as asked; 1 could not start (one sentence says why); 2 wrong "
	"usage.\n";

static int
parse_options(int argc, char **argv, const char **config, bool *check)
{
	static const struct option known[] = {
		{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, 'C'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:hV", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			*config = optarg;
			break;
		case 'C':
			*check = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		case 'V':
			puts("sallyport-web " SALLYPORT_VERSION);
			exit(0);
		default:
			fputs(usage, stderr);
			return -EINVAL;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "sallyport-web: what is \"%s\"?\n%s", argv[optind], usage);
		return -EINVAL;
	}
	return 0;
}

/* Signals come by descriptor. */
static int
open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* Reads the file again; one that is bad, or wants what takes a restart, changes nothing. */
static struct config *
read_anew(const struct config *old)
{
	struct config_changes changes = {.at = NULL};
	struct config *config = NULL;
	char error[ERROR_SIZE];
	int result = config_load(old->path, &config, error, sizeof(error));

	if (result == 0)
		result = server_check(&config->web, error, sizeof(error));
	if (result == 0 && config_diff(old, config, CONFIG_READER_WEB, &changes) != 0) {
		snprintf(error, sizeof(error), "out of memory");
		result = -ENOMEM;
	}
	if (result == 0 && changes.restarts > 0) {
		config_changes_refusal(&changes, old->path, "sallyport-web", error, sizeof(error));
		result = -EPERM;
	}
	if (result == 0)
		config_changes_log(&changes, old->path, ", certificate");
	config_changes_free(&changes);
	if (result == 0)
		return config;
	log_error("nothing is changed: %s", error);
	config_free(config);
	return NULL;
}

/* Serves by one configuration. 0: ended as asked; -EAGAIN: *config is a new one, and connections
 * have been ended: pages that are open connect again; else -errno after a sentence. */
static int
serve(struct config **config, struct server_kept *kept, int signals, uint32_t beat_ms, char *error)
{
	struct signalfd_siginfo caught;
	struct config *next = NULL;
	struct web *web = NULL;
	int result = server_open(*config, kept, &web, error, ERROR_SIZE);

	if (result == 0)
		result = privilege_leave((*config)->web.user, true, "web.user", error, ERROR_SIZE);
	if (result == 0 && (result = server_start(web)) != 0)
		snprintf(error, ERROR_SIZE, "no thread can be started: %s", strerror(-result));
	if (result == 0)
		service_ready();
	while (result == 0) {
		server_run(web, signals, beat_ms);
		if (read(signals, &caught, sizeof(caught)) != sizeof(caught))
			continue;
		if (caught.ssi_signo != SIGHUP) {
			service_stopping();
			break;
		}
		service_reloading();
		next = read_anew(*config);
		if (next == NULL)
			service_ready();
		if (next != NULL)
			result = -EAGAIN;
	}
	server_close(web, next != NULL ? kept : NULL);
	if (next != NULL) {
		log_set_level(next->log_level);
		config_free(*config);
		*config = next;
	}
	return result;
}

int
main(int argc, char **argv)
{
	const char *path = DEFAULT_CONFIG;
	struct server_kept kept = {.fd = {-1, -1}};
	struct config *config = NULL;
	char error[ERROR_SIZE] = "";
	bool check = false;
	int result;

	signal(SIGPIPE, SIG_IGN);
	if (parse_options(argc, argv, &path, &check) != 0)
		return 2;
	log_init("sallyport-web", LOG_LEVEL_INFO);
	int hidden = core_file_omit_memory();
	if (hidden != 0)
		log_warning("a core file would hold memory: /proc/self/coredump_filter: %s",
			strerror(-hidden));
	if (config_load(path, &config, error, sizeof(error)) != 0) {
		log_error("%s", error);
		return 1;
	}
	log_set_level(config->log_level);
	if (check) {
		result = server_check(&config->web, error, sizeof(error));
		if (result == 0)
			printf("%s: good\n", path);
	} else {
		uint32_t beat_ms = service_watchdog_ms();
		int signals = open_signals();
		do
			result = serve(&config, &kept, signals, beat_ms, error);
		while (result == -EAGAIN);
		close(signals);
	}
	if (result != 0)
		log_error("%s", error);
	config_free(config);
	return result == 0 ? 0 : 1;
}
