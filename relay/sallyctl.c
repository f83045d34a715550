/* SPDX-License-Identifier: BSD-3-Clause */
/* sallyctl: a look into a running relay, and a hand on it. Reads its command line; what each
 * command shows is in sallyctl_show.c and sallyctl_sessions.c. */
#include "sallyctl.h"

#include "config.h"
#include "sallyctl_tune.h"

#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_CONFIG "/etc/sallyport/sallyport.yaml"
#define DEFAULT_SOCKET "/run/sallyport/relay.sock"
#define DEFAULT_SIP_SOCKET "/run/sallyport-sip/sip.sock"
#define ANSWER_MS 5000 /* a relay answers in well under a millisecond */

static const char usage[] =
	"Usage: sallyctl [OPTIONS] COMMAND\n"
	"\n"
	"Commands:\n"
	"  status            the relay: release, engine, memory, workers, interfaces, sessions\n"
	"  sessions          one line for each session\n"
	"  sessions ID       one session: both legs, their packets, drops by reason\n"
	"  stats             counters of the whole relay; drops with what they mean\n"
	"  end ID            end a session: its media stops, its keys are wiped\n"
	"  capture FILE      packets as on the wire, without keys, into a pcapng file: of "
	"--session\n"
	"                    ID or --interface NAME; ends after --seconds (default 10), "
	"--packets,\n"
	"                    or Ctrl-C\n"
	"  reload            both daemons read the configuration anew: all of it, or nothing; "
	"prints\n"
	"                    what changed. docs/config.md lists what takes a restart\n"
	"  config show       what is in force in both daemons, defaults marked, without passwords\n"
	"  config check FILE is this file good? (--check of each daemon reads certificates, too)\n"
	"  config reference  every setting: what it means, its default, limits and unit, and "
	"whether\n"
	"                    it changes by reload or takes a restart\n"
	"  drain             no new calls; both daemons end after the last one, with status 0.\n"
	"                    --wait: until they have, at most --deadline SECONDS (then status 1);\n"
	"                    --only media or sip: one of them; --cancel: no longer; --json: the\n"
	"                    state at the end (draining, cancelled, drained, late), calls, "
	"sessions\n"
	"  user add NAME     add a user (asks for the password, or reads it from standard input)\n"
	"  user del NAME     remove a user\n"
	"  user list         the users\n"
	"  sip stats         what sallyport-sip counts: connections, refusals, logins, calls\n"
	"  sip calls         one line for each call\n"
	"  sip failures      the last calls that failed\n"
	"  sip registrations where each user can be reached\n"
	"  sip trunks        one line for each trunk: is it in, and how many calls it has\n"
	"  sip certificates  ours, and how long they are good\n"
	"  web-password      the hash of a password for sallyport-web (web.login)\n"
	"  tune              what this box offers a relay, what it lacks, and what to do\n"
	"\n"
	"Options:\n"
	"  -j, --json         JSON instead of a table\n"
	"  -a, --all          counters and drops that are zero, too\n"
	"  -s, --socket PATH  the relay API's socket (default: media.socket of the configuration)\n"
	"  -c, --config FILE  the configuration (default " DEFAULT_CONFIG ")\n"
	"      --session ID, --interface NAME, --seconds N, --packets N, --snap BYTES, --force\n"
	"                     of a capture; --force overwrites FILE\n"
	"  -h, --help         this text; sallyctl user --help and sip --help tell more\n"
	"  -V, --version      the release\n"
	"\n"
	"Examples:\n"
	"  sallyctl stats                      what was dropped, and why\n"
	"  sallyctl --json sessions | jq .     every call, for a program\n"
	"  sallyctl capture --session ID --seconds 5 call.pcapng\n"
	"  echo secret | sallyctl user add alice\n"
	"\n"
	"Exit status: 0 done; 1 refused or failed (one sentence says why); 2 wrong usage, or a\n"
	"wrong configuration; 3 no relay answers.\n";

struct options {
	const char *config;
	const char *socket;
	/* of a drain, as they were given */
	const char *only;     /* NULL: both */
	const char *deadline; /* NULL: none */
	struct sallyctl_drain drain;
	struct sallyctl ctl;
};

static int
wrong(const char *what, const char *word)
{
	fprintf(stderr, "sallyctl: %s%s%s%s\nTry: sallyctl --help\n", what,
		word != NULL ? " \"" : "", word != NULL ? word : "", word != NULL ? "\"" : "");
	return SALLYCTL_USAGE;
}

static bool
read_number(const char *text, unsigned *out)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	*out = (unsigned)value;
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && value <= UINT32_MAX;
}

/* The options of a capture. False: none of them, or no number. */
static bool
parse_capture(int option, struct sallyctl *ctl)
{
	switch (option) {
	case 'S':
		ctl->session = optarg;
		return true;
	case 'I':
		ctl->interface = optarg;
		return true;
	case 'T':
		return read_number(optarg, &ctl->seconds) && ctl->seconds > 0;
	case 'P':
		return read_number(optarg, &ctl->packets);
	case 'L':
		return read_number(optarg, &ctl->snap);
	case 'F':
		ctl->force = true;
		return true;
	default:
		return false;
	}
}

/* The options of a drain; drain() says what is wrong with them. False: none of them. */
static bool
parse_drain(int option, struct options *options)
{
	switch (option) {
	case 'W':
		options->drain.wait = true;
		return true;
	case 'X':
		options->drain.cancel = true;
		return true;
	case 'D':
		options->deadline = optarg;
		return true;
	case 'O':
		options->only = optarg;
		return true;
	default:
		return false;
	}
}

/* Is this one of the commands that are programs of their own, named sallyctl-COMMAND? */
static bool
is_program(const char *word)
{
	return strcmp(word, "user") == 0 || strcmp(word, "sip") == 0 ||
	       strcmp(word, "web-password") == 0;
}

/* It asks no relay, and has options of its own. */
static bool
is_tune(const char *word)
{
	return strcmp(word, "tune") == 0;
}

/* Options may stand before and after the command's words; "user" and "sip" take all that follows
 * them. */
static int
parse(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{"json", no_argument, NULL, 'j'},
		{"all", no_argument, NULL, 'a'},
		{"socket", required_argument, NULL, 's'},
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{"session", required_argument, NULL, 'S'},
		{"interface", required_argument, NULL, 'I'},
		{"seconds", required_argument, NULL, 'T'},
		{"packets", required_argument, NULL, 'P'},
		{"snap", required_argument, NULL, 'L'},
		{"force", no_argument, NULL, 'F'},
		{"wait", no_argument, NULL, 'W'},
		{"cancel", no_argument, NULL, 'X'},
		{"deadline", required_argument, NULL, 'D'},
		{"only", required_argument, NULL, 'O'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while (optind < argc) {
		if (is_program(argv[optind]) || is_tune(argv[optind]))
			return 0;
		option = getopt_long(argc, argv, "+jas:c:hV", known, NULL);
		switch (option) {
		case -1:
			return 0;
		case 'j':
			options->ctl.json = true;
			break;
		case 'a':
			options->ctl.all = true;
			break;
		case 's':
			options->socket = optarg;
			break;
		case 'c':
			options->config = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(SALLYCTL_OK);
		case 'V':
			puts("sallyctl " SALLYPORT_VERSION);
			exit(SALLYCTL_OK);
		default:
			if (!parse_capture(option, &options->ctl) && !parse_drain(option, options))
				return SALLYCTL_USAGE;
		}
	}
	return 0;
}

/* Users and calls are the control plane's: its own programs, beside this one, know them. */
static int
run_program(char **words, const struct options *options)
{
	static const char *const places[] = {"", "../control/", "../web/", "../libexec/sallyport/"};
	char self[PATH_MAX], program[PATH_MAX + 64], name[32];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *args[64];
	unsigned count = 0;

	if (length < 0) {
		fprintf(stderr, "sallyctl: /proc/self/exe can't be read: is /proc mounted?\n");
		return SALLYCTL_REFUSED;
	}
	self[length] = '\0';
	const char *folder = dirname(self), *command = words[0];
	snprintf(name, sizeof(name), "sallyctl %s", command);
	args[count++] = name;
	if (options->config != NULL) {
		args[count++] = (char *)(uintptr_t) "--config";
		args[count++] = (char *)(uintptr_t)options->config;
	}
	if (options->ctl.json)
		args[count++] = (char *)(uintptr_t) "--json";
	for (words++; *words != NULL; words++) {
		if (count >= sizeof(args) / sizeof(args[0]) - 1)
			return wrong("too many words", NULL);
		args[count++] = *words;
	}
	args[count] = NULL;
	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(program, sizeof(program), "%s/%ssallyctl-%s", folder, places[i], command);
		execv(program, args);
	}
	fprintf(stderr, "sallyctl: the program sallyctl-%s is not beside %s: install sallyport\n",
		command, folder);
	return SALLYCTL_REFUSED;
}

/* --socket, else media.socket of the configuration that was named or is installed. */
static int
find_socket(const struct options *options, char *path, size_t size)
{
	const char *file = options->config;
	struct config *config;
	char error[512];

	if (options->socket != NULL) {
		snprintf(path, size, "%s", options->socket);
		return 0;
	}
	snprintf(path, size, "%s", DEFAULT_SOCKET);
	if (file == NULL && access(DEFAULT_CONFIG, R_OK) == 0)
		file = DEFAULT_CONFIG;
	if (file == NULL)
		return 0;
	if (config_load(file, &config, error, sizeof(error)) != 0) {
		fprintf(stderr, "sallyctl: %s\n", error);
		return SALLYCTL_USAGE;
	}
	snprintf(path, size, "%s", config->media.socket);
	config_free(config);
	return 0;
}

int
sallyctl_ask(const struct sallyctl *ctl, void *request, size_t length, void *reply, size_t room)
{
	int result = relay_client_call(ctl->client, request, length, reply, room, ANSWER_MS);

	if (result != 0) {
		fprintf(stderr, "sallyctl: the relay at %s did not answer: %s\n", ctl->socket,
			strerror(-result));
		return SALLYCTL_UNREACHABLE;
	}
	if (((const struct relay_header *)reply)->code != RELAY_OK) {
		fprintf(stderr, "sallyctl: %s\n", relay_reply_reason(reply));
		return SALLYCTL_REFUSED;
	}
	return SALLYCTL_OK;
}

/* The commands, each with the words that it takes after its name. */
static const struct command {
	const char *name;
	int least;
	int most;
} commands[] = {{"status", 0, 0}, {"stats", 0, 0}, {"sessions", 0, 1}, {"end", 1, 1},
	{"capture", 1, 1}, {"reload", 0, 0}, {"config", 1, 2}, {"drain", 0, 0}};

/* Wrong words are told before any relay is asked. */
static int
check_words(char **words, int count)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(words[0], commands[i].name) != 0)
			continue;
		if (count - 1 < commands[i].least)
			return wrong(strcmp(words[0], "end") == 0 ? "a session's name is missing "
								    "after"
				     : strcmp(words[0], "config") == 0
					     ? "show, reference or check FILE is missing after"
					     : "a file's name is missing after",
				words[0]);
		if (count - 1 > commands[i].most)
			return wrong("too many words:", words[commands[i].most + 1]);
		return SALLYCTL_OK;
	}
	return wrong("there is no command", words[0]);
}

static int
run(const struct sallyctl *ctl, char **words, int count)
{
	if (strcmp(words[0], "status") == 0)
		return sallyctl_status(ctl);
	if (strcmp(words[0], "stats") == 0)
		return sallyctl_stats(ctl);
	if (strcmp(words[0], "end") == 0)
		return sallyctl_end(ctl, words[1]);
	if (strcmp(words[0], "capture") == 0)
		return sallyctl_capture(ctl, words[1]);
	return count == 1 ? sallyctl_sessions(ctl) : sallyctl_session(ctl, words[1]);
}

/* Connects, and carries the command out. */
static int
ask_relay(struct sallyctl *ctl, char **words, int count)
{
	int result = relay_client_connect(ctl->socket, &ctl->client);

	if (result != 0) {
		fprintf(stderr, "sallyctl: no relay answers at %s: %s. %s\n", ctl->socket,
			strerror(-result),
			result == -EACCES ? "Run it as root, or as the relay's user"
					  : "Is sallyport-media running, and is this its socket?");
		return SALLYCTL_UNREACHABLE;
	}
	result = run(ctl, words, count);
	relay_client_close(ctl->client);
	return result;
}

/* Which daemons this box has, by the configuration; without one, both may be there. */
static int
find_daemons(const char *file, struct sallyctl_config *where)
{
	struct config *config;
	char error[512];

	*where = (struct sallyctl_config){.has_media = true, .has_sip = true};
	snprintf(where->sip_socket, sizeof(where->sip_socket), "%s", DEFAULT_SIP_SOCKET);
	if (file == NULL && access(DEFAULT_CONFIG, R_OK) == 0)
		file = DEFAULT_CONFIG;
	if (file == NULL)
		return SALLYCTL_OK;
	if (config_load(file, &config, error, sizeof(error)) != 0) {
		fprintf(stderr, "sallyctl: %s\n", error);
		return SALLYCTL_USAGE;
	}
	where->has_media = config->media.interfaces_count > 0;
	where->has_sip = config->sip.address != NULL;
	snprintf(where->sip_socket, sizeof(where->sip_socket), "%s", config->sip.control_socket);
	config_free(config);
	return SALLYCTL_OK;
}

static int
ask_daemons(const struct options *options, char **words, int count)
{
	struct sallyctl_config where;
	bool show = strcmp(words[0], "config") == 0;

	if (show && (count != 2 || strcmp(words[1], "show") != 0))
		return wrong("config show, reference or check FILE, not", words[1]);
	int result = find_daemons(options->config, &where);
	if (result != SALLYCTL_OK)
		return result;
	return show ? sallyctl_config_show(&options->ctl, &where)
	            : sallyctl_reload(&options->ctl, &where);
}

static int
drain(struct options *options, const char *relay)
{
	const char *only = options->only;
	struct sallyctl_config where;
	unsigned *deadline_s = &options->drain.deadline_s;

	if (only != NULL && strcmp(only, "media") != 0 && strcmp(only, "sip") != 0)
		return wrong("--only takes media or sip, not", only);
	if (options->deadline != NULL &&
		(!read_number(options->deadline, deadline_s) || *deadline_s == 0))
		return wrong("--deadline takes seconds, 1 or more, not", options->deadline);
	int result = find_daemons(options->config, &where);
	if (result != SALLYCTL_OK)
		return result;
	if (where.has_media && (only == NULL || strcmp(only, "media") == 0))
		options->drain.relay = relay;
	if (where.has_sip && (only == NULL || strcmp(only, "sip") == 0))
		options->drain.sip = where.sip_socket;
	if (options->drain.relay == NULL && options->drain.sip == NULL)
		return wrong("nothing to drain: by the configuration this box has no daemon", only);
	options->drain.wait |= options->deadline != NULL;
	options->drain.json = options->ctl.json;
	return sallyctl_drain(&options->drain);
}

static int
carry_out(struct options *options, char **words, int count)
{
	char socket_path[PATH_MAX];
	bool config = strcmp(words[0], "config") == 0;

	if (config && count == 3 && strcmp(words[1], "check") == 0)
		return sallyctl_config_check(words[2], options->ctl.json);
	if (config && count == 2 && strcmp(words[1], "reference") == 0)
		return sallyctl_config_reference(options->ctl.json);
	int result = find_socket(options, socket_path, sizeof(socket_path));
	if (result != SALLYCTL_OK)
		return result;
	options->ctl.socket = socket_path;
	if (strcmp(words[0], "drain") == 0)
		return drain(options, socket_path);
	if (config || strcmp(words[0], "reload") == 0)
		return ask_daemons(options, words, count);
	return ask_relay(&options->ctl, words, count);
}

int
main(int argc, char **argv)
{
	struct options options = {.ctl.seconds = 10};
	char *words[4];
	int count = 0;

	if (parse(argc, argv, &options) != 0)
		return wrong("that is no command line", NULL);
	while (optind < argc) {
		if (count == 0 && is_program(argv[optind]))
			return run_program(argv + optind, &options);
		if (count == 0 && is_tune(argv[optind]))
			return sallyctl_tune(
				argc - optind, argv + optind, options.config, options.ctl.json);
		if (count == 3)
			return wrong("too many words:", argv[optind]);
		words[count++] = argv[optind++];
		if (parse(argc, argv, &options) != 0)
			return wrong("that is no command line", NULL);
	}
	if (count == 0) {
		fputs(usage, stderr);
		return SALLYCTL_USAGE;
	}
	int result = check_words(words, count);
	if (result == SALLYCTL_OK)
		result = carry_out(&options, words, count);
	/* what was printed in vain was not done */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "sallyctl: the output can't be written: %s\n", strerror(errno));
		return SALLYCTL_REFUSED;
	}
	return result;
}
