/* SPDX-License-Identifier: BSD-3-Clause */
/* sallyctl-sip: a look into a running sallyport-sip. Run by "sallyctl sip". */
#include "relay/config.h"
#include "relay/control_client.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_CONFIG "/etc/sallyport/sallyport.yaml"
#define DEFAULT_SOCKET "/run/sallyport-sip/sip.sock"
#define ANSWER_MS 5000

enum exit_code { DONE = 0, REFUSED = 1, USAGE = 2, UNREACHABLE = 3 };

static const char help[] =
	"Usage: sallyctl sip COMMAND [OPTIONS]\n"
	"\n"
	"Commands:\n"
	"  stats           what sallyport-sip counts: connections, refusals, logins, calls\n"
	"  calls           one line for each call\n"
	"  failures        the last calls that failed, the newest first\n"
	"  registrations   where each user can be reached\n"
	"  trunks          one line for each trunk: is it in, and how many calls it has;\n"
	"                  with --json each of its addresses, too\n"
	"  certificates    ours, and how long they are good\n"
	"  trace [on|off]  whether and where SIP messages are traced; begins or stops it\n"
	"\n"
	"Options:\n"
	"  -j, --json         JSON instead of a table\n"
	"  -a, --all          counters that are zero, too\n"
	"  -s, --socket PATH  the socket (default: sip.control_socket of the configuration)\n"
	"  -c, --config FILE  the configuration (default " DEFAULT_CONFIG ")\n"
	"  -h, --help         this text\n"
	"\n"
	"Examples:\n"
	"  sallyctl sip stats                     what was refused, and why\n"
	"  sallyctl sip calls --json | jq length  how many calls there are\n"
	"\n"
	"Exit status: 0 done; 1 refused (one sentence says why); 2 wrong usage, or a wrong\n"
	"configuration; 3 no sallyport-sip answers.\n";

struct options {
	const char *command;
	const char *set; /* of trace: "on", "off"; NULL: show it */
	const char *socket;
	const char *config;
	bool json;
	bool all;
};

/* A column of a table: the key of its field, and how wide it is (negative: to the left). */
struct column {
	const char *key;
	const char *title;
	int width;
};

static const struct column calls[] = {{"id", "ID", -32}, {"caller", "CALLER", -20},
	{"callee", "CALLEE", -20}, {"state", "STATE", -9}, {"age_s", "AGE s", 8},
	{"talk_s", "TALK s", 8}, {NULL, NULL, 0}};
static const struct column failures[] = {{"at", "AT (UNIX)", -11}, {"caller", "CALLER", -20},
	{"callee", "CALLEE", -20}, {"result", "RESULT", -10}, {"status", "STATUS", 6},
	{"cause", " CAUSE", -1}, {NULL, NULL, 0}};
static const struct column registrations[] = {{"user", "USER", -20}, {"from", "FROM", -24},
	{"reachable", "REACHABLE", -9}, {"expires_s", "EXPIRES s", 9}, {"contact", "  CONTACT", -1},
	{NULL, NULL, 0}};
static const struct column trunks[] = {{"trunk", "TRUNK", -24}, {"state", "STATE", -5},
	{"living", "LIVING", 6}, {"targets_count", "OF", 4}, {"calls", "CALLS", 7},
	{"address", " ADDRESS", -1}, {NULL, NULL, 0}};
static const struct column certificates[] = {{"section", "SECTION", -12}, {"days", "DAYS", 6},
	{"expires", " EXPIRES", -21}, {"file", "FILE", -36}, {"subject", "SUBJECT", -1},
	{NULL, NULL, 0}};

static const struct column trace[] = {{"on", "ON", -3}, {"lost", "LOST", 8}, {"hep", " HEP", -24},
	{"pcap", "PCAP", -1}, {NULL, NULL, 0}};

static const struct command {
	const char *name;
	const struct column *columns; /* NULL: not a list */
} commands[] = {
	{"stats", NULL},
	{"calls", calls},
	{"failures", failures},
	{"registrations", registrations},
	{"trunks", trunks},
	{"certificates", certificates},
	{"trace", trace},
};

static int
complain(int code, const char *what, const char *word)
{
	fprintf(stderr, "sallyctl sip: %s%s%s%s\n", what, word != NULL ? " \"" : "",
		word != NULL ? word : "", word != NULL ? "\"" : "");
	if (code == USAGE)
		fprintf(stderr, "Try: sallyctl sip --help\n");
	return code;
}

static int
parse(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{"json", no_argument, NULL, 'j'},
		{"all", no_argument, NULL, 'a'},
		{"socket", required_argument, NULL, 's'},
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "jas:c:h", known, NULL)) != -1) {
		switch (option) {
		case 'j':
			options->json = true;
			break;
		case 'a':
			options->all = true;
			break;
		case 's':
			options->socket = optarg;
			break;
		case 'c':
			options->config = optarg;
			break;
		case 'h':
			fputs(help, stdout);
			exit(DONE);
		default:
			return complain(USAGE, "that is no command line", NULL);
		}
	}
	if (optind == argc)
		return complain(USAGE, "what is to be shown?", NULL);
	options->command = argv[optind++];
	if (optind < argc && strcmp(options->command, "trace") == 0) {
		options->set = argv[optind++];
		if (strcmp(options->set, "on") != 0 && strcmp(options->set, "off") != 0)
			return complain(USAGE, "on or off, not", options->set);
	}
	if (optind < argc)
		return complain(USAGE, "too many words:", argv[optind]);
	return DONE;
}

/* --socket, else sip.control_socket of the configuration that was named or is installed. */
static int
find_socket(const struct options *options, char *path, size_t size)
{
	const char *file = options->config;
	struct config *config;
	char error[512];

	if (file == NULL && access(DEFAULT_CONFIG, R_OK) == 0)
		file = DEFAULT_CONFIG;
	if (options->socket != NULL || file == NULL) {
		snprintf(path, size, "%s",
			options->socket != NULL ? options->socket : DEFAULT_SOCKET);
		return DONE;
	}
	if (config_load(file, &config, error, sizeof(error)) != 0)
		return complain(USAGE, error, NULL);
	snprintf(path, size, "%s", config->sip.control_socket);
	config_free(config);
	return DONE;
}

/* All rows, from as many answers as it takes. */
static int
fetch(int fd, const char *what, const char *set, json_t *rows)
{
	json_int_t from = 0, next = 0;

	do {
		from = next;
		json_t *reply = control_client_ask(fd, what, set, from);
		const char *error = json_string_value(json_object_get(reply, "error"));
		if (reply == NULL)
			return complain(UNREACHABLE, "sallyport-sip did not answer", NULL);
		if (error != NULL) {
			complain(REFUSED, error, NULL);
			json_decref(reply);
			return REFUSED;
		}
		json_array_extend(rows, json_object_get(reply, "rows"));
		next = json_integer_value(json_object_get(reply, "next"));
		json_decref(reply);
	} while (next > from); /* else it would never end */
	return DONE;
}

/* What others called themselves must not paint on the terminal, or break the line: U+0080 to U+009F
 * are control characters, too. */
static void
print_text(const char *said, int width)
{
	char *text = strdup(said != NULL ? said : "-");

	for (char *at = text; at != NULL && *at != '\0'; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = '?';
		else if (*at == '\xc2' && (at[1] & 0xe0) == 0x80)
			at[0] = at[1] = '?';
	printf("%*s ", width, text != NULL ? text : "");
	free(text);
}

static void
print_value(const json_t *value, int width)
{
	char number[32];

	if (json_is_string(value)) {
		print_text(json_string_value(value), width);
	} else if (json_is_boolean(value)) {
		printf("%*s ", width, json_is_true(value) ? "yes" : "no");
	} else {
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
		printf("%*s ", width, number);
	}
}

static void
print_table(const struct column *columns, const json_t *rows)
{
	size_t i;
	const json_t *row;

	for (const struct column *at = columns; at->key != NULL; at++)
		printf("%*s ", at->width, at->title);
	putchar('\n');
	json_array_foreach (rows, i, row) {
		for (const struct column *at = columns; at->key != NULL; at++)
			print_value(json_object_get(row, at->key), at->width);
		putchar('\n');
	}
}

static void
print_stats(json_t *stats, bool all)
{
	static const char *const gauges[] = {
		"connections", "sources", "registrations", "calls", NULL};
	const char *name;
	json_t *counter;

	printf("sallyport-sip %s\n", json_string_value(json_object_get(stats, "release")));
	for (const char *const *at = gauges; *at != NULL; at++)
		printf("%-28s %12lld\n", *at,
			(long long)json_integer_value(json_object_get(stats, *at)));
	printf("%-28s %12.1f ms\n", "late", json_real_value(json_object_get(stats, "late_ms")));
	printf("%-28s %12.2f\n\n", "refused_share",
		json_real_value(json_object_get(stats, "refused_share")));
	json_object_foreach (json_object_get(stats, "counters"), name, counter) {
		json_int_t value = json_integer_value(json_object_get(counter, "value"));
		if (value != 0 || all)
			printf("%-28s %12lld  %s\n", name, (long long)value,
				json_string_value(json_object_get(counter, "help")));
	}
}

/* Programs want one number a name. */
static void
flatten(json_t *stats)
{
	json_t *counters = json_object_get(stats, "counters"), *counter;
	const char *name;

	json_object_foreach (counters, name, counter)
		json_object_set(stats, name, json_object_get(counter, "value"));
	json_object_del(stats, "counters");
}

static int
print(const struct command *command, json_t *rows, const struct options *options)
{
	json_t *out = rows;

	if (command->columns == NULL) {
		out = json_array_get(rows, 0);
		if (options->json)
			flatten(out);
	}
	if (options->json) {
		json_dumpf(out, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (command->columns == NULL) {
		print_stats(out, options->all);
	} else {
		print_table(command->columns, rows);
	}
	if (fflush(stdout) != 0 || ferror(stdout))
		return complain(REFUSED, "the output can't be written", NULL);
	return DONE;
}

int
main(int argc, char **argv)
{
	struct options options = {.command = NULL};
	const struct command *command = NULL;
	char path[4096];
	int result = parse(argc, argv, &options);

	for (size_t i = 0; result == DONE && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, options.command) == 0)
			command = &commands[i];
	if (result == DONE && command == NULL)
		result = complain(USAGE, "there is no command", options.command);
	if (result == DONE)
		result = find_socket(&options, path, sizeof(path));
	if (result != DONE)
		return result;
	int fd = control_client_connect(path, ANSWER_MS);
	if (fd < 0) {
		fprintf(stderr,
			"sallyctl sip: no sallyport-sip answers at %s: %s. Is it running, and is "
			"this its socket?\n",
			path, strerror(-fd));
		return UNREACHABLE;
	}
	json_t *rows = json_array();
	result = fetch(fd, command->name, options.set, rows);
	if (result == DONE)
		result = print(command, rows, &options);
	json_decref(rows);
	close(fd);
	return result;
}
