/* SPDX-License-Identifier: BSD-3-Clause */
/* sallyport-media: the data plane. Start, the control thread's loop, and the end. */
#include "api_server.h"
#include "capture.h"
#include "device_watch.h"
#include "engine.h"
#include "iface.h"
#include "memory.h"
#include "nexthop.h"
#include "privilege.h"
#include "relay/config.h"
#include "relay/core_file.h"
#include "relay/log.h"
#include "relay/service.h"
#include "reload.h"
#include "session.h"
#include "stats.h"
#include "telemetry.h"
#include "tick.h"
#include "watchdog.h"
#include "worker.h"

#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <rte_lcore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sysexits.h>
#include <unistd.h>

#define DEFAULT_CONFIG "/etc/sallyport/sallyport.yaml"
#define ERROR_SIZE 512
#define POLL_MS 5       /* latches and freed memory: how long they may wait */
#define EXPIRE_TICKS 20 /* of POLL_MS: ten times a second */
#define SECOND_TICKS 200

static const char usage[] =
	"Usage: sallyport-media [--config FILE] [--check]\n"
	"\n"
	"Relays SRTP between the legs of sessions that a controller (sallyport-sip, or any other\n"
	"client of the relay API) installs, re-encrypting each packet from one leg's keys to the\n"
	"other's, on DPDK poll-mode workers.\n"
	"\n"
	"  -c, --config FILE  the configuration (default " DEFAULT_CONFIG ")\n"
	"      --check        read the configuration, say whether it is good, and end\n"
	"      --ordinary     ordinary pages, where media.memory is auto\n"
	"  -h, --help         this text\n"
	"  -V, --version      the release\n"
	"\n"
	"It starts as root, opens its devices, and then drops every privilege it no longer needs.\n"
	"SIGHUP, or \"sallyctl reload\", has it read the configuration anew: whole, or not at "
	"all.\n"
	"SIGTERM or SIGINT ends it. Look inside with: sallyctl status\n"
	"\n"
	"Exit status: 0 ended as asked; 1 could not start (one sentence says why); 2 wrong "
	"usage;\n"
	"75 a network interface has come back: to be started again.\n";

struct options {
	const char *config;
	bool check;
	bool ordinary;
};

/* What start() made, so that stop() undoes just that, in reverse order. */
struct process {
	struct config *config;
	struct memory *memory;
	const struct crypto_engine *engine;
	const char *engine_why;
	int epoll;
	int signals;
	int timer;
	unsigned ticks;
	bool nexthops;
	bool workers;
	bool sessions;
	bool running;
	bool api;
	bool again; /* a device has come back: end, to be started anew */
};

static int
parse_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, 'C'},
		{"ordinary", no_argument, NULL, 'O'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	int option;

	*options = (struct options){.config = DEFAULT_CONFIG};
	while ((option = getopt_long(argc, argv, "c:hV", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			options->config = optarg;
			break;
		case 'C':
			options->check = true;
			break;
		case 'O':
			options->ordinary = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		case 'V':
			puts("sallyport-media " SALLYPORT_VERSION);
			exit(0);
		default:
			fputs(usage, stderr);
			return -EINVAL;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "sallyport-media: what is \"%s\"?\n%s", argv[optind], usage);
		return -EINVAL;
	}
	return 0;
}

/* Signals come by descriptor, and no thread of DPDK's ever sees one. Before EAL makes threads. */
static int
open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static int
open_timer(void)
{
	struct itimerspec every = {
		.it_interval = {.tv_nsec = POLL_MS * 1000000L},
		.it_value = {.tv_nsec = POLL_MS * 1000000L},
	};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

	if (fd >= 0)
		timerfd_settime(fd, 0, &every, NULL);
	return fd;
}

static void
watch(const struct process *process, int fd, void *ptr)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = ptr};

	epoll_ctl(process->epoll, EPOLL_CTL_ADD, fd, &event);
}

static int
open_interfaces(struct process *process, char *error)
{
	const struct config_media *media = &process->config->media;
	int result = nexthop_init();

	if (result != 0) {
		snprintf(error, ERROR_SIZE, "the kernel's neighbour table can't be read: %s",
			strerror(-result));
		return result;
	}
	process->nexthops = true;
	for (unsigned i = 0; i < media->interfaces_count; i++) {
		struct iface *iface;
		result = iface_open(&media->interfaces[i], media->workers,
			memory_pool(process->memory), &iface, error, ERROR_SIZE);
		if (result != 0)
			return result;
	}
	return 0;
}

/* sallyport-sip may have a user of its own. Where there is none of that name it is not on this
 * machine, and nobody's. */
static void
trust_controller(const char *name)
{
	char error[ERROR_SIZE];
	uid_t user = 0;
	gid_t group;

	if (name != NULL && privilege_user(name, &user, &group, error, ERROR_SIZE) == 0)
		api_server_trust(user);
}

static int
open_api(struct process *process, char *error)
{
	const struct config_media *media = &process->config->media;
	uid_t owner = geteuid();
	gid_t group = getegid();
	int result = privilege_user(media->user, &owner, &group, error, ERROR_SIZE);

	if (result == 0)
		result = api_server_open(
			media->socket, owner, group, process->epoll, error, ERROR_SIZE);
	if (result == 0) {
		api_server_trust(owner); /* whom we become */
		trust_controller(process->config->sip.user);
	}
	if (result == 0 && media->telemetry)
		telemetry_give(owner, group);
	process->api = result == 0;
	return result;
}

static int
start(struct process *process, char *error)
{
	const struct config_media *media = &process->config->media;
	const char *reason;
	int result;

	process->engine = engine_select(media->engine, &reason);
	if (process->engine == NULL) {
		snprintf(error, ERROR_SIZE, "media.engine: %s", reason);
		return -EINVAL;
	}
	process->engine_why = reason;
	if ((result = srtp_key_init()) != 0) {
		snprintf(error, ERROR_SIZE, "the crypto library can't be started: %s",
			strerror(-result));
		return result;
	}
	if (media->telemetry)
		telemetry_place(media);
	if ((result = memory_start(media, &process->memory, error, ERROR_SIZE)) != 0)
		return result;
	tick_init();
	if ((result = open_interfaces(process, error)) != 0 ||
		(result = workers_create(media, process->engine, error, ERROR_SIZE)) != 0)
		return result;
	process->workers = true;
	if ((result = sessions_init(media, error, ERROR_SIZE)) != 0)
		return result;
	process->sessions = true;
	if ((result = capture_init()) != 0) {
		snprintf(error, ERROR_SIZE,
			"no memory for the buffers of captures: raise media.memory_mb");
		return result;
	}
	stats_init(memory_pool(process->memory), memory_describe(process->memory),
		process->engine_why);
	if (media->telemetry && telemetry_init() == 0)
		log_info("DPDK's telemetry: %s", telemetry_path());
	sessions_on_event(api_server_emit);
	capture_on_end(api_server_emit);
	if ((result = open_api(process, error)) != 0)
		return result;
	/* the workers drop their privileges with all other threads, so they are started after */
	if ((result = privilege_drop(media->user, error, ERROR_SIZE)) != 0 ||
		(result = workers_launch(error, ERROR_SIZE)) != 0)
		return result;
	process->running = true;
	return 0;
}

static void
stop(struct process *process)
{
	if (process->api)
		api_server_close();
	if (process->running)
		workers_stop();
	if (process->sessions) {
		capture_fini();
		sessions_fini();
	}
	if (process->workers)
		workers_destroy();
	while (ifaces_count > 0)
		iface_close(ifaces[ifaces_count - 1]);
	if (process->nexthops)
		nexthop_fini();
	if (process->memory != NULL)
		memory_stop(process->memory);
	telemetry_remove();
}

/* Does the process go on? Not when it is drained and that was to be the end, and not when a device
 * has come back. */
static bool
on_timer(struct process *process)
{
	uint64_t expirations;

	if (read(process->timer, &expirations, sizeof(expirations)) < 0)
		return true;
	sessions_poll();
	capture_poll();
	process->ticks++;
	if (process->ticks % EXPIRE_TICKS == 0)
		sessions_expire();
	if (process->ticks % SECOND_TICKS == 0) {
		nexthop_tick();
		log_tick(0);
		if (device_watch_tick())
			process->again = true;
	}
	watchdog_tick(tick_ms());
	return !process->again &&
	       ((sessions_draining() & RELAY_DRAIN_END) == 0 || sessions_count() > 0);
}

/* False: it asks for the end. */
static bool
on_signal(uint32_t number)
{
	char error[ERROR_SIZE];

	if (number != SIGHUP)
		return false;
	reload(true, NULL, 0, error, sizeof(error)); /* what there is to say is in the log */
	return true;
}

/* Until a signal, or a client that drains it, asks for the end. */
static void
run(struct process *process)
{
	struct signalfd_siginfo caught;
	bool ending = false;

	watch(process, process->signals, &process->signals);
	watch(process, process->timer, &process->timer);
	watch(process, nexthop_fd(), &process->nexthops);
	while (!ending) {
		struct epoll_event events[16];
		int count = epoll_wait(process->epoll, events, 16, -1);
		for (int i = 0; i < count; i++) {
			void *ptr = events[i].data.ptr;
			if (ptr == &process->timer)
				ending |= !on_timer(process);
			else if (ptr == &process->nexthops)
				nexthop_process();
			else if (ptr != &process->signals)
				api_server_event(ptr, events[i].events);
			else if (read(process->signals, &caught, sizeof(caught)) > 0)
				ending |= !on_signal(caught.ssi_signo);
		}
	}
}

/* DPDK can be started once in a process: without hugepages it takes another one. */
static void
begin_anew(const struct options *options)
{
	log_warning("no hugepages after all: beginning anew with ordinary pages, which cost speed "
		    "with many sessions");
	execl("/proc/self/exe", "sallyport-media", "--config", options->config, "--ordinary",
		(char *)NULL);
	log_error("/proc/self/exe can't be started: %s", strerror(errno));
}

int
main(int argc, char **argv)
{
	struct process process = {.epoll = -1};
	struct options options;
	char error[ERROR_SIZE] = "";

	if (parse_options(argc, argv, &options) != 0)
		return 2;
	log_init("sallyport-media", LOG_LEVEL_INFO);
	int hidden = core_file_omit_memory();
	if (hidden != 0)
		log_warning("a core file would hold memory: /proc/self/coredump_filter: %s",
			strerror(-hidden));
	if (config_load(options.config, &process.config, error, sizeof(error)) != 0) {
		log_error("%s", error);
		return 1;
	}
	if (process.config->media.interfaces_count == 0) {
		log_error(
			"%s: media.interfaces: name at least one media interface", options.config);
		config_free(process.config);
		return 1;
	}
	log_set_level(process.config->log_level);
	if (options.check) {
		printf("%s: good\n", options.config);
		config_free(process.config);
		return 0;
	}
	if (options.ordinary && process.config->media.memory == CONFIG_MEMORY_AUTO)
		process.config->media.memory = CONFIG_MEMORY_ORDINARY;
	reload_init(&process.config, options.ordinary);
	process.signals = open_signals();
	process.epoll = epoll_create1(EPOLL_CLOEXEC);
	process.timer = open_timer();

	int result = start(&process, error);
	if (result == 0) {
		log_info("relaying: %u worker(s), engine %s (%s; %s), %s, relay API at %s",
			workers_count(), process.engine->name, workers_engine_variant(),
			process.engine_why, memory_describe(process.memory),
			process.config->media.socket);
		watchdog_start(tick_ms());
		device_watch_start();
		service_ready();
		run(&process);
		service_stopping();
		log_info("ending: %lu session(s) are cut off", (unsigned long)sessions_count());
	} else {
		log_error("%s", error);
	}
	stop(&process);
	config_free(process.config);
	close(process.timer);
	close(process.epoll);
	close(process.signals);
	if (result == -EAGAIN)
		begin_anew(&options);
	if (process.again)
		return EX_TEMPFAIL;
	return result == 0 ? 0 : 1;
}
