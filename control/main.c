/* SPDX-License-Identifier: BSD-3-Clause */
/* sallyport-sip: the control plane. Start, event loop, end. */
#include "admission.h"
#include "agent.h"
#include "certificates.h"
#include "control_socket.h"
#include "generation.h"
#include "heartbeat.h"
#include "records.h"
#include "relay/config.h"
#include "relay/core_file.h"
#include "relay/log.h"
#include "relay/privilege.h"
#include "relay/service.h"
#include "reload.h"
#include "steady_time.h"
#include "tls_connection.h"
#include "tls_context.h"
#include "tls_files.h"
#include "tls_guard.h"
#include "tls_policy.h"
#include "tls_release.h"
#include "tls_stack.h"
#include "trace.h"
#include "users.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <sofia-sip/su_debug.h>
#include <sofia-sip/su_log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_CONFIG "/etc/sallyport/sallyport.yaml"
#define ERROR_SIZE 512
#define FAREWELL_MS 3000 /* for BYE and its answers, at the end */

static const char usage[] =
	"Usage: sallyport-sip [--config FILE] [--check]\n"
	"\n"
	"Speaks SIP over TLS: registers users, takes their calls, negotiates SRTP keys with each\n"
	"side (SDES), and has sallyport-media relay between them.\n"
	"\n"
	"  -c, --config FILE  the configuration (default " DEFAULT_CONFIG ")\n"
	"      --check        read the configuration and the certificate, say whether they are "
	"good,\n"
	"                     and end\n"
	"  -h, --help         this text\n"
	"  -V, --version      the release\n"
	"\n"
	"Users are added by: sallyctl user add NAME. SIGTERM ends it, and calls go on with the\n"
	"next start (sip.dialogs); SIGINT ends it and them: they get a BYE.\n"
	"SIGHUP, or \"sallyctl reload\", has it read the configuration and all certificates anew:\n"
	"whole, or not at all. Calls and connections go on. docs/config.md lists the few settings\n"
	"that take a restart.\n"
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
			puts("sallyport-sip " SALLYPORT_VERSION);
			exit(0);
		default:
			fputs(usage, stderr);
			return -EINVAL;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "sallyport-sip: what is \"%s\"?\n%s", argv[optind], usage);
		return -EINVAL;
	}
	return 0;
}

static void
silence(void *stream, char const *format, va_list args)
{
}

/* Sofia's own words would go to stderr, and could hold a message's body, and so a key. */
static void
silence_sofia(void)
{
	su_log_redirect(NULL, silence, NULL);
	su_log_set_level(NULL, 0);
}

struct process {
	su_root_t *root;
	struct agent *agent;
	struct control_socket *control;
	int signals;
	bool hand_over; /* the calls go on with the next process */
};

/* What there is to say of it is in the log. */
static void
read_anew(struct agent *agent)
{
	struct config_changes changes;
	char error[RELOAD_ERROR_SIZE];

	if (agent != NULL && reload(agent, true, &changes, error) == 0)
		config_changes_free(&changes);
}

static int
on_signal(su_root_magic_t *magic, su_wait_t *wait, su_wakeup_arg_t *arg)
{
	struct process *process = (struct process *)arg;
	struct signalfd_siginfo caught;

	if (read(process->signals, &caught, sizeof(caught)) <= 0)
		return 0;
	if (caught.ssi_signo == SIGHUP) {
		service_reloading();
		read_anew(process->agent);
		service_ready();
	} else {
		process->hand_over = caught.ssi_signo == SIGTERM;
		su_root_break(process->root);
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

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* A phone is a connection, so a descriptor: as many as the system lets us have. */
static void
raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* Goes on for a little while, so that those who are told of the end can answer. */
static void
say_farewell(struct process *process)
{
	uint64_t until = now_ms() + FAREWELL_MS;

	agent_shutdown(process->agent, process->hand_over);
	while (!agent_is_idle(process->agent) && now_ms() < until)
		su_root_step(process->root, 50);
}

/* The configuration is the first generation's from now on. */
static int
take_over(struct config **config, char *error)
{
	struct generation *first = generation_create(*config);

	if (first == NULL) {
		snprintf(error, ERROR_SIZE, "out of memory");
		return -ENOMEM;
	}
	*config = NULL;
	generation_switch(first);
	return 0;
}

/* Leaves in *users the store that is open at the end. */
static int
serve(const struct config *config, struct users **users, char *error)
{
	struct process process = {.signals = open_signals()};
	su_wait_t wait[1];
	int result;

	process.root = su_root_create(NULL);
	if (process.root == NULL) {
		snprintf(error, ERROR_SIZE, "out of memory");
		return -ENOMEM;
	}
	su_wait_create(wait, process.signals, SU_WAIT_IN);
	su_root_register(process.root, wait, on_signal, (su_wakeup_arg_t *)&process, 0);
	result = admission_start(process.root, &config->sip.limits);
	if (result == 0)
		result = tls_guard_start(process.root, &config->sip.limits);
	if (result == 0)
		result = tls_context_start(&config->sip, error, ERROR_SIZE);
	if (result == 0)
		result = agent_create(
			process.root, config, *users, &process.agent, error, ERROR_SIZE);
	if (result == 0)
		result = certificates_start(process.root);
	if (result == 0)
		result = control_socket_open(process.agent, &process.control);
	if (result == 0)
		result = privilege_leave(config->sip.user, false, "sip.user", error, ERROR_SIZE);
	if (result == 0 && users_start(*users, &config->sip.users_store) != 0) {
		snprintf(error, ERROR_SIZE, "sip.users: no thread can be started for the server");
		result = -EAGAIN;
	}
	if (result == 0) /* as the user who has to write to them later */
		result = records_open(process.root, &config->sip.records, &process.agent->records,
			error, ERROR_SIZE);
	if (result == 0)
		result = trace_open(process.agent->nta, &config->sip.trace, &process.agent->trace,
			error, ERROR_SIZE);
	if (result == 0)
		result = heartbeat_start(process.root);
	if (result == 0)
		result = agent_start(process.agent, error, ERROR_SIZE);
	if (result == 0) {
		process.agent->started_ms = now_ms();
		if (config->sip.peering.address != NULL)
			log_info("trunks connect to %s port %u (mutual TLS)",
				config->sip.peering.address, config->sip.peering.port);
		log_info("listening on %s port %u (TLS) for %s", config->sip.address,
			config->sip.port, config->sip.domain);
		service_ready();
		service_status("serving %s", config->sip.domain);
		su_root_run(process.root);
		log_info("ending");
		service_stopping();
		say_farewell(&process);
	}
	control_socket_close(process.control);
	heartbeat_stop();
	certificates_stop();
	if (process.agent != NULL)
		*users = process.agent->users;
	agent_destroy(process.agent);
	tls_release_flush();
	tls_context_stop();
	tls_guard_stop();
	admission_stop();
	su_root_destroy(process.root);
	close(process.signals);
	return result;
}

int
main(int argc, char **argv)
{
	const char *path = DEFAULT_CONFIG;
	struct config *config = NULL;
	struct users *users = NULL;
	char error[ERROR_SIZE] = "";
	bool check = false;

	/* before Sofia: a peer that closes early must not end us */
	signal(SIGPIPE, SIG_IGN);
	if (parse_options(argc, argv, &path, &check) != 0)
		return 2;
	log_init("sallyport-sip", LOG_LEVEL_INFO);
	int hidden = core_file_omit_memory();
	if (hidden != 0)
		log_warning("a core file would hold memory: /proc/self/coredump_filter: %s",
			strerror(-hidden));
	if (config_load(path, &config, error, sizeof(error)) != 0) {
		log_error("%s", error);
		return 1;
	}
	log_set_level(config->log_level);
	int result = 0;
	if (config->sip.address == NULL) {
		snprintf(error, sizeof(error), "%s: there is no section \"sip\"", path);
		result = -EINVAL;
	} else if (check) {
		result = tls_files_check(&config->sip, error, sizeof(error));
		if (result == 0)
			result = config_read_secrets(config, error, sizeof(error));
		if (result == 0)
			printf("%s: good\n", path);
	} else {
		raise_descriptors();
		steady_time_start();
		su_init();
		silence_sofia();
		result = tls_stack_install(&config->sip.limits, error, sizeof(error));
		if (result == 0)
			result = tls_release_install();
		if (result == 0)
			result = tls_connection_start();
		if (result == 0)
			result = tls_policy_install(error, sizeof(error));
		if (result == 0)
			result = config_read_secrets(config, error, sizeof(error));
		if (result == 0)
			result = users_open(
				config->sip.users, USERS_READ, &users, error, sizeof(error));
		if (result == 0)
			result = take_over(&config, error);
		if (result == 0)
			result = serve(generation_config(), &users, error);
		users_close(users);
		generation_stop();
		su_deinit();
	}
	if (result != 0)
		log_error("%s", error);
	config_free(config);
	return result == 0 ? 0 : 1;
}
