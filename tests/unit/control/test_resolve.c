/* SPDX-License-Identifier: BSD-3-Clause */
/* RFC 3263 for TLS, asked of a real DNS server (dnsmasq) on loopback. */
#include "control/dns_mend.h"
#include "control/resolve.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <sofia-resolv/sres.h>
#include <sofia-sip/sresolv.h>
#include <sofia-sip/su_tag.h>
#include <sofia-sip/su_wait.h>

#define BOTH (RESOLVE_IPV4 | RESOLVE_IPV6)

static pid_t server;
static char folder[] = "/tmp/sallyport-resolve-XXXXXX", resolv_conf[64];
static su_root_t *root;
static sres_resolver_t *resolver;

/* What the look-up found, as text: "192.0.2.1:5061/10/20 ..." in the order of addresses. */
static char found[1024];
static const char *found_fault;
static uint32_t found_ttl_s;
static unsigned answers;

static int
compare(const void *a, const void *b)
{
	const struct resolved *left = a, *right = b;

	return memcmp(&left->address, &right->address, sizeof(left->address));
}

static void
on_resolved(
	void *arg, const struct resolved *list, unsigned count, uint32_t ttl_s, const char *fault)
{
	struct resolved sorted[RESOLVE_MAX];
	char text[RELAY_ADDR_TEXT];
	size_t used = 0;

	assert_ptr_equal(&answers, arg);
	assert_int_equal(count == 0, fault != NULL);
	memcpy(sorted, list, count * sizeof(*list));
	qsort(sorted, count, sizeof(*sorted), compare);
	found[0] = '\0';
	for (unsigned i = 0; i < count; i++)
		used += (size_t)snprintf(found + used, sizeof(found) - used, "%s%s/%u/%u",
			i > 0 ? " " : "", relay_addr_format(&sorted[i].address, text),
			sorted[i].priority, sorted[i].weight);
	found_fault = fault;
	found_ttl_s = ttl_s;
	answers++;
	su_root_break(root);
}

static const char *
look_up(const char *host, uint16_t port, unsigned families)
{
	struct resolve *resolve;

	answers = 0;
	assert_int_equal(
		0, resolve_start(resolver, host, port, families, on_resolved, &answers, &resolve));
	if (answers == 0)
		su_root_run(root);
	assert_int_equal(1, answers);
	return found;
}

static void
test_numeric(void **state)
{
	assert_string_equal("192.0.2.9:5061/0/0", look_up("192.0.2.9", 0, RESOLVE_IPV4));
	assert_string_equal("192.0.2.9:5071/0/0", look_up("192.0.2.9", 5071, BOTH));
	assert_string_equal("[2001:db8::9]:5061/0/0", look_up("2001:db8::9", 0, BOTH));
	assert_string_equal("", look_up("2001:db8::9", 0, RESOLVE_IPV4));
	assert_non_null(found_fault);
}

/* NAPTR leads to SRV records of another domain, those to addresses with their ports. */
static void
test_naptr(void **state)
{
	assert_string_equal("192.0.2.1:5071/10/60 192.0.2.2:5072/10/40 192.0.2.3:5073/20/0",
		look_up("naptr.test", 0, RESOLVE_IPV4));
	assert_int_equal(77, found_ttl_s);
}

static void
test_srv_alone(void **state)
{
	assert_string_equal("192.0.2.4:5074/1/2", look_up("srv.test", 0, RESOLVE_IPV4));
	/* with a port, no SRV: RFC 3263 4.2 */
	assert_string_equal("192.0.2.5:5099/0/0", look_up("srv.test", 5099, RESOLVE_IPV4));
}

static void
test_address_alone(void **state)
{
	assert_string_equal("192.0.2.6:5061/0/0", look_up("plain.test", 0, RESOLVE_IPV4));
	assert_string_equal("[2001:db8::6]:5061/0/0", look_up("plain.test", 0, RESOLVE_IPV6));
	assert_string_equal(
		"192.0.2.6:5061/0/0 [2001:db8::6]:5061/0/0", look_up("plain.test", 0, BOTH));
}

static void
test_alias(void **state)
{
	assert_string_equal("192.0.2.6:5061/0/0", look_up("alias.test", 0, RESOLVE_IPV4));
}

static void
test_nothing(void **state)
{
	assert_string_equal("", look_up("nothing.test", 0, BOTH));
	assert_non_null(found_fault);
	/* its SRV record's target has no address of a family of ours */
	assert_string_equal("", look_up("srv.test", 0, RESOLVE_IPV6));
}

static void
test_cancelled(void **state)
{
	struct resolve *resolve;

	answers = 0;
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(0, resolve_start(resolver, "naptr.test", 0, BOTH, on_resolved,
					    &answers, &resolve));
		assert_non_null(resolve);
		resolve_cancel(resolve);
	}
	resolve_cancel(NULL);
	/* by the time another's answer is there, theirs would be, too */
	look_up("plain.test", 0, RESOLVE_IPV4);
}

/* An answer to "trunk.test IN A": header, question, and a record whose name is at ANSWER_NAME. */
static const uint8_t address_answer[] = "\0\0\x81\x80\0\1\0\1\0\0\0\0\5trunk\4test\0\0\1\0\1"
					"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\x08";
#define ANSWER_SIZE (sizeof(address_answer) - 1)
#define ANSWER_NAME 28

static void
test_unsound(void **state)
{
	uint8_t message[ANSWER_SIZE];

	memcpy(message, address_answer, sizeof(message));
	assert_true(dns_is_sound(message, sizeof(message)));
	for (size_t cut = 0; cut < sizeof(message); cut++)
		assert_false(dns_is_sound(message, cut));
	message[ANSWER_NAME + 1] = ANSWER_NAME; /* it points at itself */
	assert_false(dns_is_sound(message, sizeof(message)));
	message[ANSWER_NAME + 1] = 0xff; /* or behind the end */
	assert_false(dns_is_sound(message, sizeof(message)));
	memcpy(message, address_answer, sizeof(message));
	/* in a record's data: a CNAME of two bytes that are such a name, and two more */
	message[ANSWER_NAME + 3] = 5;
	message[sizeof(message) - 3] = sizeof(message) - 4;
	assert_false(dns_is_sound(message, sizeof(message)));
	message[sizeof(message) - 3] = 12;
	assert_true(dns_is_sound(message, sizeof(message)));
}

/* Answers the query that has come, with the name of its record pointing there. */
static void
answer_query(int fd, uint8_t name)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
	} from;
	socklen_t from_size = sizeof(from);
	uint8_t query[512], reply[ANSWER_SIZE];

	assert_true(recvfrom(fd, query, sizeof(query), MSG_PEEK, &from.any, &from_size) > 12);
	memcpy(reply, address_answer, sizeof(reply));
	memcpy(reply, query, 2);
	reply[ANSWER_NAME + 1] = name;
	assert_int_equal(sizeof(reply), sendto(fd, reply, sizeof(reply), 0, &from.any, from_size));
}

static int open_server(char *conf, size_t size);

/* A name without end neither halts the process nor answers the question; what is right does. */
static void
test_name_without_end(void **state)
{
	char conf[sizeof(folder) + 16];
	int fd = open_server(conf, sizeof(conf));
	sres_resolver_t *own = sres_resolver_create(root, conf, TAG_END());
	struct resolve *resolve;

	answers = 0;
	alarm(20);
	assert_int_equal(0, resolve_start(own, "trunk.test", 5061, RESOLVE_IPV4, on_resolved,
				    &answers, &resolve));
	answer_query(fd, ANSWER_NAME);
	for (unsigned i = 0; i < 5; i++)
		su_root_step(root, 10);
	assert_int_equal(0, answers);
	answer_query(fd, 12);
	su_root_run(root);
	alarm(0);
	assert_string_equal("192.0.2.8:5061/0/0", found);
	sres_resolver_destroy(own);
	close(fd);
	unlink(conf);
}

/* A port that nobody has at the moment. */
static unsigned
free_port(void)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
	} address = {.v4 = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(0, bind(fd, &address.any, sizeof(address.v4)));
	assert_int_equal(0, getsockname(fd, &address.any, &length));
	close(fd);
	return ntohs(address.v4.sin_port);
}

static void
write_conf(const char *path, unsigned port)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fprintf(out, "nameserver 127.0.0.1\nport %u\n", port);
	fclose(out);
}

/* One that the test itself speaks for. */
static int
open_server(char *conf, size_t size)
{
	unsigned port = free_port();
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
	} address = {.v4 = {.sin_family = AF_INET,
			     .sin_port = htons((uint16_t)port),
			     .sin_addr = {htonl(INADDR_LOOPBACK)}}};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(0, bind(fd, &address.any, sizeof(address.v4)));
	snprintf(conf, size, "%s/own.conf", folder);
	write_conf(conf, port);
	return fd;
}

static void
start_server(unsigned port)
{
	char port_option[32], line[512];
	int said[2];

	snprintf(port_option, sizeof(port_option), "--port=%u", port);
	assert_int_equal(0, pipe(said));
	server = fork();
	assert_true(server >= 0);
	if (server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(said[1], STDERR_FILENO);
		execlp("dnsmasq", "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null",
			"--no-resolv", "--no-hosts", "--pid-file=", "--user=root",
			"--listen-address=127.0.0.1", "--bind-interfaces", "--log-facility=-",
			"--local=/test/", "--local-ttl=77", port_option,
			"--naptr-record=naptr.test,20,5,s,SIPS+D2T,,_sips._tcp.worse.test",
			"--naptr-record=naptr.test,5,5,s,SIP+D2U,,_sip._udp.other.test",
			"--naptr-record=naptr.test,10,5,s,SIPS+D2T,,_sips._tcp.other.test",
			"--srv-host=_sips._tcp.other.test,one.test,5071,10,60",
			"--srv-host=_sips._tcp.other.test,two.test,5072,10,40",
			"--srv-host=_sips._tcp.other.test,three.test,5073,20,0",
			"--srv-host=_sips._tcp.worse.test,four.test,5074,1,1",
			"--srv-host=_sips._tcp.srv.test,four.test,5074,1,2",
			"--host-record=one.test,192.0.2.1", "--host-record=two.test,192.0.2.2",
			"--host-record=three.test,192.0.2.3", "--host-record=four.test,192.0.2.4",
			"--host-record=srv.test,192.0.2.5",
			"--host-record=plain.test,192.0.2.6,2001:db8::6",
			"--cname=alias.test,plain.test", (char *)NULL);
		_exit(127);
	}
	close(said[1]);
	FILE *lines = fdopen(said[0], "r");
	assert_non_null(lines);
	do {
		if (fgets(line, sizeof(line), lines) == NULL)
			fail_msg("dnsmasq did not start: is dnsmasq-base installed?");
	} while (strstr(line, "started") == NULL);
	fclose(lines);
}

static int
start(void **state)
{
	unsigned port = free_port();

	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(resolv_conf, sizeof(resolv_conf), "%s/resolv.conf", folder);
	write_conf(resolv_conf, port);
	start_server(port);
	su_init();
	root = su_root_create(NULL);
	su_root_threading(root, 0);
	resolver = sres_resolver_create(root, resolv_conf, TAG_END());
	return root != NULL && resolver != NULL ? 0 : -1;
}

static int
stop(void **state)
{
	sres_resolver_destroy(resolver);
	su_root_destroy(root);
	su_deinit();
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
	unlink(resolv_conf);
	rmdir(folder);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numeric),
		cmocka_unit_test(test_naptr),
		cmocka_unit_test(test_srv_alone),
		cmocka_unit_test(test_address_alone),
		cmocka_unit_test(test_alias),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_unsound),
		cmocka_unit_test(test_name_without_end),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
