/* SPDX-License-Identifier: BSD-3-Clause */
/* sallyctl-user: adds, removes and lists users. Run by "sallyctl user". */
#include "sallyctl_user.h"

#include "relay/config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_CONFIG "/etc/sallyport/sallyport.yaml"

static const char help[] =
	"Usage: sallyctl user COMMAND [OPTIONS]\n"
	"\n"
	"Commands:\n"
	"  add NAME    add a user; the password is asked for at the terminal, or is the first\n"
	"              line of standard input, or of --password-file. It is never given on the\n"
	"              command line, where everybody could see it.\n"
	"  del NAME    remove a user\n"
	"  import FILE add many: a JSON object a line, of \"name\", \"password\" and maybe "
	"\"realm\";\n"
	"              or, for users of another system, \"ha1\" in place of the password: an "
	"object\n"
	"              of the hashes by their algorithm (MD5, SHA-256, SHA-512-256), of\n"
	"              name:realm:password; - for standard input\n"
	"  init        make the store: the file, or the table in a PostgreSQL database\n"
	"  list        all users, and since when they are there\n"
	"\n"
	"Options:\n"
	"  -r, --realm DOMAIN         the user's realm (default: sip.domain of the configuration)\n"
	"  -p, --password-file FILE   read the password from the first line of FILE\n"
	"  -j, --json                 list: JSON instead of a table\n"
	"  -u, --users FILE|URL       the store: a file, or postgresql://USER@HOST/DATABASE...\n"
	"                             (default: sip.users of the configuration)\n"
	"  -c, --config FILE          the configuration (default " DEFAULT_CONFIG ")\n"
	"  -h, --help                 this text\n"
	"\n"
	"The store holds no password, only the hashes that digest authentication needs; they are\n"
	"bound to name and realm, so a change of sip.domain needs every user to be added again.\n"
	"To change a password, remove the user and add it again. A running sallyport-sip sees "
	"each\n"
	"change at once. The first \"add\" or \"import\" makes the store, too.\n"
	"\n"
	"Examples:\n"
	"  sallyctl user add alice\n"
	"  pwgen -s 24 1 | tee alice.txt | sallyctl user add alice\n"
	"  sallyctl user add alice --realm sip.example.com --password-file alice.txt\n"
	"  sallyctl user list --json | jq -r '.[].name'\n"
	"  echo '{\"name\": \"bob\", \"ha1\": {\"MD5\": \"...\"}}' | sallyctl user import -\n"
	"\n"
	"Exit status: 0 done; 1 refused (one sentence says why); 2 wrong usage; 3 the store or "
	"the\n"
	"configuration can't be used.\n";

struct options {
	const char *command;
	const char *name;
	const char *file; /* to import */
	const char *realm;
	const char *password_file;
	const char *users;
	const char *config;
	bool json;
};

int
complain(int code, const char *what)
{
	fprintf(stderr, "sallyctl user: %s\n", what);
	if (code == USAGE)
		fprintf(stderr, "Try: sallyctl user --help\n");
	return code;
}

/* The words that are no options: a command, and a name where it takes one. */
static int
take_words(char **words, int count, struct options *options)
{
	bool wants_name, imports;

	if (count == 0)
		return complain(USAGE, "say what to do: add, del, import, init or list");
	options->command = words[0];
	imports = strcmp(words[0], "import") == 0;
	wants_name = strcmp(words[0], "add") == 0 || strcmp(words[0], "del") == 0;
	if (!wants_name && !imports && strcmp(words[0], "list") != 0 &&
		strcmp(words[0], "init") != 0)
		return complain(
			USAGE, "no such command: there are add, del, import, init and list");
	if (wants_name && count < 2)
		return complain(USAGE, "say which user: sallyctl user add NAME");
	if (imports && count < 2)
		return complain(USAGE, "say which file: sallyctl user import FILE");
	if (wants_name && count > 2 && strcmp(words[0], "add") == 0) {
		OPENSSL_cleanse(words[2], strlen(words[2]));
		return complain(USAGE, "only a name is taken. A password is never given on the "
				       "command line, where everybody can see it: leave it out");
	}
	if (count > (wants_name || imports ? 2 : 1))
		return complain(USAGE, "too many words");
	options->name = wants_name ? words[1] : NULL;
	options->file = imports ? words[1] : NULL;
	return DONE;
}

/* DONE, or what to exit with; *finished: nothing is left to do. */
static int
parse(int argc, char **argv, struct options *options, bool *finished)
{
	static const struct option known[] = {
		{"realm", required_argument, NULL, 'r'},
		{"password-file", required_argument, NULL, 'p'},
		{"json", no_argument, NULL, 'j'},
		{"users", required_argument, NULL, 'u'},
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;

	*finished = false;
	while ((option = getopt_long(argc, argv, "r:p:ju:c:h", known, NULL)) != -1) {
		switch (option) {
		case 'r':
			options->realm = optarg;
			break;
		case 'p':
			options->password_file = optarg;
			break;
		case 'j':
			options->json = true;
			break;
		case 'u':
			options->users = optarg;
			break;
		case 'c':
			options->config = optarg;
			break;
		case 'h':
			*finished = true;
			return fputs(help, stdout) < 0 ? UNREACHABLE : DONE;
		default:
			fprintf(stderr, "Try: sallyctl user --help\n");
			return USAGE;
		}
	}
	return take_words(argv + optind, argc - optind, options);
}

/* What the options leave open, the configuration says. It stays loaded: the options point into
 * it. */
static int
fill_from_config(struct options *options, struct config **config)
{
	char error[USERS_ERROR_SIZE];
	bool needs_realm =
		(options->name != NULL || options->file != NULL) && options->realm == NULL;

	*config = NULL;
	if (options->users != NULL && !needs_realm)
		return DONE;
	if (config_load(options->config != NULL ? options->config : DEFAULT_CONFIG, config, error,
		    sizeof(error)) != 0) {
		complain(UNREACHABLE, error);
		fprintf(stderr, "Without a configuration: name the store%s with --users%s\n",
			needs_realm ? " and the realm" : "", needs_realm ? " and --realm" : "");
		return UNREACHABLE;
	}
	if (options->users == NULL)
		options->users = (*config)->sip.users;
	if (options->realm == NULL)
		options->realm = (*config)->sip.domain;
	if (options->users == NULL)
		return complain(UNREACHABLE,
			"the configuration names no store: set sip.users, or give --users");
	if (needs_realm && options->realm == NULL)
		return complain(UNREACHABLE,
			"the configuration names no domain: set sip.domain, or give --realm");
	return DONE;
}

/* The first line, without its end. Read byte by byte into `password` alone, so that no buffer of
 * stdio keeps a copy, and the rest of the input is left for others. */
static const char *
read_line(int fd, char *password, size_t size)
{
	size_t length = 0;

	for (;;) {
		char c;
		ssize_t got = read(fd, &c, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return strerror(errno);
		if (got == 0 || c == '\n')
			break;
		if (c == '\0')
			return "a password has no control characters";
		if (length + 1 >= size)
			return "a password has at most 256 bytes";
		password[length++] = c;
	}
	if (length > 0 && password[length - 1] == '\r')
		length--;
	password[length] = '\0';
	return length > 0 ? NULL : "the password is empty";
}

static int
read_password(const struct options *options, char *password, size_t size)
{
	const char *fault;
	char prompt[USER_NAME_SIZE + USER_REALM_SIZE + 32];
	int fd = STDIN_FILENO;

	if (options->password_file != NULL) {
		fd = open(options->password_file, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			fprintf(stderr, "sallyctl user: %s: %s\n", options->password_file,
				strerror(errno));
			return REFUSED;
		}
	} else if (isatty(STDIN_FILENO)) {
		snprintf(prompt, sizeof(prompt), "Password of %s in %s: ", options->name,
			options->realm);
		if (EVP_read_pw_string(password, (int)size, prompt, 1) != 0)
			return complain(REFUSED, "no password was read: nothing was changed");
		return DONE;
	}
	fault = read_line(fd, password, size);
	if (fd != STDIN_FILENO)
		close(fd);
	return fault == NULL ? DONE : complain(REFUSED, fault);
}

/* Refused by us, or a store that can't be used? */
static int
report(const struct users *users, int result)
{
	bool refused = result == -EEXIST || result == -ENOENT || result == -EINVAL;

	return complain(refused ? REFUSED : UNREACHABLE, users_error(users));
}

static int
add(const struct options *options)
{
	char password[USER_PASSWORD_SIZE + 1] = "", error[USERS_ERROR_SIZE];
	const char *fault = user_name_fault(options->name);
	struct users *users = NULL;
	int code;

	if (fault == NULL)
		fault = user_realm_fault(options->realm);
	if (fault != NULL)
		return complain(REFUSED, fault);
	code = read_password(options, password, sizeof(password));
	if (code == DONE &&
		users_open(options->users, USERS_CREATE, &users, error, sizeof(error)) != 0)
		code = complain(UNREACHABLE, error);
	if (code == DONE) {
		int result = users_add(users, options->name, options->realm, password);
		if (result != 0)
			code = report(users, result);
		else
			printf("added %s in %s\n", options->name, options->realm);
	}
	OPENSSL_cleanse(password, sizeof(password));
	users_close(users);
	return code;
}

static int
del(const struct options *options)
{
	char error[USERS_ERROR_SIZE];
	struct users *users;
	int result, code = DONE;

	if (users_open(options->users, USERS_WRITE, &users, error, sizeof(error)) != 0)
		return complain(UNREACHABLE, error);
	result = users_del(users, options->name, options->realm);
	if (result != 0)
		code = report(users, result);
	else
		printf("removed %s from %s\n", options->name, options->realm);
	users_close(users);
	return code;
}

/* Makes the store, for `file` to be imported into it, or for nothing more. */
static int
import_or_init(const struct options *options)
{
	char error[USERS_ERROR_SIZE];
	struct users *users;
	int code = DONE;

	if (users_open(options->users, USERS_CREATE, &users, error, sizeof(error)) != 0)
		return complain(UNREACHABLE, error);
	if (options->file != NULL)
		code = import_users(options->file, options->realm, users);
	else
		printf("the store is ready\n");
	users_close(users);
	return code;
}

static void
format_time(int64_t seconds, char *text, size_t size)
{
	time_t when = (time_t)seconds;
	struct tm parts;

	if (gmtime_r(&when, &parts) == NULL || strftime(text, size, "%FT%TZ", &parts) == 0)
		snprintf(text, size, "-");
}

static int
print_user(void *arg, const struct user *user)
{
	unsigned *count = arg;
	char created[32];

	if ((*count)++ == 0)
		printf("%-24s %-32s %s\n", "NAME", "REALM", "SINCE");
	format_time(user->created, created, sizeof(created));
	printf("%-24s %-32s %s\n", user->name, user->realm, created);
	return 0;
}

static int
append_user(void *arg, const struct user *user)
{
	char created[32];

	format_time(user->created, created, sizeof(created));
	return json_array_append_new(arg, json_pack("{s:s, s:s, s:s}", "name", user->name, "realm",
						  user->realm, "created", created)) == 0
	               ? 0
	               : -ENOMEM;
}

/* Opened for writing where that is allowed, for then a change that was cut off is undone. */
static int
list(const struct options *options)
{
	char error[USERS_ERROR_SIZE];
	struct users *users;
	unsigned count = 0;
	json_t *array = options->json ? json_array() : NULL;
	int result = users_open(options->users, USERS_WRITE, &users, error, sizeof(error));

	if (result == -EACCES || result == -EROFS)
		result = users_open(options->users, USERS_READ, &users, error, sizeof(error));
	if (result != 0) {
		json_decref(array);
		return complain(UNREACHABLE, error);
	}
	if (options->json)
		result = users_list(users, append_user, array);
	else
		result = users_list(users, print_user, &count);
	if (result != 0) {
		complain(UNREACHABLE, result == -ENOMEM ? "out of memory" : users_error(users));
	} else if (options->json) {
		json_dumpf(array, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (count == 0) {
		printf("no users yet: sallyctl user add NAME\n");
	}
	json_decref(array);
	users_close(users);
	return result == 0 ? DONE : UNREACHABLE;
}

/* A password is in memory for a moment: no core file, no debugger of the same user. */
static void
hide_memory(void)
{
	const struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
}

int
main(int argc, char **argv)
{
	struct options options = {.config = NULL};
	struct config *config = NULL;
	bool finished;
	int code;

	hide_memory();
	code = parse(argc, argv, &options, &finished);
	if (code == DONE && !finished) {
		code = fill_from_config(&options, &config);
		if (code != DONE)
			;
		else if (strcmp(options.command, "add") == 0)
			code = add(&options);
		else if (strcmp(options.command, "del") == 0)
			code = del(&options);
		else if (strcmp(options.command, "list") != 0)
			code = import_or_init(&options);
		else
			code = list(&options);
	}
	config_free(config);
	if (fflush(stdout) != 0 && code == DONE)
		code = complain(UNREACHABLE, "standard output can't be written");
	return code;
}
