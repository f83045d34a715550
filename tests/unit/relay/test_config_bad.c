/* SPDX-License-Identifier: BSD-3-Clause */
/* Each kind of wrong configuration is refused with its line and a sentence; nothing crashes. */
#include "config_file.h"

#include <sys/stat.h>

/* The error must be FILE:line:text, to the letter. */
static void
check_bad(const char *text, size_t length, unsigned line, const char *sentence)
{
	struct config_file file;
	char expected[512];

	config_file_load(&file, text, length);
	snprintf(expected, sizeof(expected), "%s:%u: %s", file.path, line, sentence);
	if (file.result == 0) {
		config_free(file.config);
		fail_msg("taken, instead of: %s", expected);
	}
	assert_int_equal(-EINVAL, file.result);
	assert_string_equal(expected, file.error);
}

struct bad {
	const char *text;
	unsigned line;
	const char *sentence;
};

static void
check_all(const struct bad *bad, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_bad(bad[i].text, strlen(bad[i].text), bad[i].line, bad[i].sentence);
}

#define CHECK_ALL(cases) check_all(cases, sizeof(cases) / sizeof((cases)[0]))

#define IF "media:\n  interfaces:\n    - name: a\n      device: d\n"
#define ADDRESS "      address: 192.0.2.1/24\n"
#define SIP                                                 \
	"sip:\n  address: 192.0.2.2\n  domain: a.example\n" \
	"  certificate: /c\n  private_key: /k\n"

static void
test_yaml(void **state)
{
	static const struct bad cases[] = {
		{"", 1, "the file holds no settings: it needs a section \"media:\""},
		{"# a\n# b\n", 1, "the file holds no settings: it needs a section \"media:\""},
		{"---\n", 2, "the file holds no settings: it needs a section \"media:\""},
		{"\n\nhello\n", 3, "the file holds no settings: it needs a section \"media:\""},
		{"- media\n", 1, "the file holds no settings: it needs a section \"media:\""},
		{"media:\n\tworkers: 1\n", 2, "found character that cannot start any token"},
		{"media:\n  workers: [1\nsip: 3\n", 3, "did not find expected ',' or ']'"},
		{"media:\n  socket: 'x\n\n", 4, "found unexpected end of stream"},
		{"media:\n  socket: \"\xff\"\n", 2, "invalid leading UTF-8 octet"},
		{"media:\n  socket: \x01\n", 2, "control characters are not allowed"},
		{"media:\n  socket: \"/a\\0b\"\n", 2, "a text holds a NUL character"},
		{"log: {}\n\"sip\\0\":\n  port: 1\n", 2, "a text holds a NUL character"},
		{"media:\n  ? [a]\n  : 1\n", 2, "a key is not a word"},
		{"log: {}\n---\nsip: {}\n", 2,
			"a second document begins: keep all settings in the first"},
		{"log: &l {level: info}\nmedia: *l\n", 2,
			"media: is an alias (*name): write the value out"},
		{"log: &l [*l]\n", 1, "log: must hold keys of its own"},
		{"media: *nobody\n", 1, "found undefined alias"},
	};

	CHECK_ALL(cases);
	check_bad("media:\n  workers: 1\0\n", 22, 2, "control characters are not allowed");
}

static void
test_shape(void **state)
{
	static const struct bad cases[] = {
		{"media: {}\nmedai: {}\n", 2, "medai: there is no such key"},
		{"media:\n  workers: 1\n  wrkers: 1\n", 3, "media.wrkers: there is no such key"},
		{"media: {\"a[\": 1}\n", 1, "media.a[: there is no such key"},
		{"media:\n  \"two words: x\": 1\n", 2, "media.two words: x: there is no such key"},
		{"media: {\"\\e[31mred\": 1}\n", 1, "media.?[31mred: there is no such key"},
		{"media:\n  <<: {workers: 1}\n", 2, "media.<<: there is no such key"},
		{IF ADDRESS "      prots: 1\n", 6,
			"media.interfaces[0].prots: there is no such key"},
		{"media:\n  workers: 1\n  workers: 2\n", 2,
			"media.workers: is set twice, first here"},
		{"log: {}\nmedia: {}\nmedia: {}\n", 2, "media: is set twice, first here"},
		{"log: {}\nmedia:\n", 2, "media: must hold keys of its own"},
		{"media:\n  cpus: 3\n", 2, "media.cpus: must be a list"},
		{"media:\n  cpus: [1, x]\n", 2,
			"media.cpus[1]: must be a whole number from 0 to 4294967295"},
		{"media:\n  interfaces:\n    - x\n", 3,
			"media.interfaces[0]: must hold keys of its own"},
		{"media:\n  socket: [a]\n", 2, "media.socket: must be a text"},
		{"media:\n  socket: \"\"\n", 2, "media.socket: must not be empty"},
		{"media:\n  workers: many\n", 2,
			"media.workers: must be a whole number from 0 to 4294967295"},
		{"media:\n  workers: -1\n", 2,
			"media.workers: must be a whole number from 0 to 4294967295"},
		{"media:\n  workers: 4294967297\n", 2,
			"media.workers: must be a whole number from 0 to 4294967295"},
		{"sip:\n\n  port: 70000\n", 3, "sip.port: must be a whole number from 0 to 65535"},
		{"media:\n  poll: slow\n", 2, "media.poll: must be adaptive or busy"},
		{"media:\n  memory: huge\n", 2,
			"media.memory: must be auto, hugepages or ordinary"},
		{"sip:\n  srtp: optional\n", 2, "sip.srtp: must be required, preferred or off"},
		{"sip:\n  suites:\n    - AES_CM_128_HMAC_SHA1_80\n    - NULL_HMAC_SHA1_80\n", 4,
			"sip.suites[1]: must be AES_CM_128_HMAC_SHA1_80, AES_CM_128_HMAC_SHA1_32, "
			"AES_192_CM_HMAC_SHA1_80, AES_192_CM_HMAC_SHA1_32, "
			"AES_256_CM_HMAC_SHA1_80, AES_256_CM_HMAC_SHA1_32, AEAD_AES_128_GCM or "
			"AEAD_AES_256_GCM"},
		{"sip:\n  suites: []\n", 2, "sip.suites: has too few entries"},
		{"sip:\n  digests: [MD5, SHA-1]\n", 2,
			"sip.digests[1]: must be MD5, SHA-256 or "
			"SHA-512-256"},
		{"log:\n  level: loud\n", 2, "log.level: must be error, warning, info or debug"},
		{"media:\n  interfaces:\n    - {}\n", 3, "media.interfaces[0].name: is missing"},
		{IF, 3, "media.interfaces[0].address: is missing"},
		{IF ADDRESS "    - name: b\n", 6, "media.interfaces[1].device: is missing"},
		{IF ADDRESS "      ports: {first: 20000}\n", 6,
			"media.interfaces[0].ports.last: is missing"},
	};

	CHECK_ALL(cases);
}

static void
test_media_values(void **state)
{
	static const struct bad cases[] = {
		{"media:\n  workers: 0\n", 2, "media.workers: 0 is not between 1 and 64"},
		{"media:\n  workers: 65\n", 2, "media.workers: 65 is not between 1 and 64"},
		{"media:\n  sessions: 0\n", 2, "media.sessions: 0 is not between 1 and 1000000"},
		{"media:\n  timeout_s: 0\n", 2, "media.timeout_s: 0 is not between 1 and 86400"},
		{"media:\n  hold_timeout_s: 0\n", 2,
			"media.hold_timeout_s: 0 is not between 1 and 86400"},
		{"media:\n  one_way_s: 86401\n", 2,
			"media.one_way_s: 86401 is not between 0 and 86400"},
		{"media:\n  memory_mb: 1\n", 2, "media.memory_mb: 1 is not between 64 and 1048576"},
		{"media:\n  workers: 2\n  cpus: [1]\n", 3,
			"media.cpus: 1 CPUs for 2 workers: name one for each"},
		{"media:\n  workers: 2\n  cpus: [1, 1]\n", 3,
			"media.cpus: CPU 1 is named twice: a worker needs one of its own"},
		{"media:\n  shared_memory: a/b\n", 2,
			"media.shared_memory: \"a/b\": use up to 31 letters, digits, - and _"},
		{"media:\n  memory: ordinary\n  shared_memory: lab\n", 3,
			"media.shared_memory: ordinary pages can't be shared: leave media.memory "
			"out"},
		{"media:\n  interfaces:\n    - name: a\n      device: rings:x\n"
		 "      address: 192.0.2.1/24\n",
			4,
			"media.interfaces[0].device: \"rings:x\" leads to another process: name "
			"media.shared_memory"},
		{"media:\n  shared_memory: lab\n  interfaces:\n    - name: a\n"
		 "      device: \"rings:\"\n      address: 192.0.2.1/24\n",
			5,
			"media.interfaces[0].device: \"rings:\": after \"rings:\" use up to 15 "
			"letters, digits, - and _"},
		{"media:\n  socket: /"
		 "0123456789012345678901234567890123456789012345678901234567890123456789"
		 "0123456789012345678901234567890123456789\n",
			2, "media.socket: the path has more than 107 characters"},
		{"media:\n  interfaces:\n    - {name: sixteen-letters0, device: d, address: "
		 "192.0.2.1/24}\n",
			3,
			"media.interfaces[0].name: \"sixteen-letters0\" has more than 15 "
			"characters"},
		{"media:\n  interfaces:\n    - {name: a b, device: d, address: 192.0.2.1/24}\n", 3,
			"media.interfaces[0].name: \"a b\": use letters, digits, - and _"},
		{IF ADDRESS "    - name: a\n      device: e\n      address: 192.0.2.2/24\n", 6,
			"media.interfaces[1].name: \"a\" is also the name of interface 0"},
		{IF ADDRESS "    - name: b\n      device: e\n      address: 192.0.2.1/25\n", 8,
			"media.interfaces[1].address: 192.0.2.1/25 is also an address of "
			"interface 0"},
		{IF ADDRESS "      ports: {first: 20001, last: 30001}\n", 6,
			"media.interfaces[0].ports: 20001 to 30001: first must be even and at "
			"least 1024, last odd and not below it"},
		{IF ADDRESS "      ports: {first: 20000, last: 30000}\n", 6,
			"media.interfaces[0].ports: 20000 to 30000: first must be even and at "
			"least 1024, last odd and not below it"},
		{IF ADDRESS "      ports:\n        first: 30000\n        last: 29999\n", 6,
			"media.interfaces[0].ports: 30000 to 29999: first must be even and at "
			"least 1024, last odd and not below it"},
		{IF ADDRESS "      ports: {first: 1022, last: 2001}\n", 6,
			"media.interfaces[0].ports.first: 1022 is not between 1024 and 65535"},
		{IF ADDRESS "      ports: {first: 0, last: 0}\n", 6,
			"media.interfaces[0].ports.first: 0 is not between 1024 and 65535"},
	};

	CHECK_ALL(cases);
}

static void
test_media_addresses(void **state)
{
	static const struct {
		const char *address;
		const char *sentence;
	} cases[] = {
		{"192.0.2.1",
			"\"192.0.2.1\" is no address with its prefix length, like 192.0.2.1/24"},
		{"host/24", "\"host/24\" is no address with its prefix length, like 192.0.2.1/24"},
		{"/24", "\"/24\" is no address with its prefix length, like 192.0.2.1/24"},
		{"192.0.2/24",
			"\"192.0.2/24\" is no address with its prefix length, like 192.0.2.1/24"},
		{"192.0.2.1/", "\"\" is no prefix length for this address"},
		{"192.0.2.1/0", "\"0\" is no prefix length for this address"},
		{"192.0.2.1/33", "\"33\" is no prefix length for this address"},
		{"192.0.2.1/-8", "\"-8\" is no prefix length for this address"},
		{"192.0.2.1/24x", "\"24x\" is no prefix length for this address"},
		{"192.0.2.1/18446744073709551640",
			"\"18446744073709551640\" is no prefix length for this address"},
		{"2001:db8::1/129", "\"129\" is no prefix length for this address"},
		{"127.0.0.1/8", "127.0.0.1/8 can't be a media address"},
		{"224.0.0.1/24", "224.0.0.1/24 can't be a media address"},
		{"0.0.0.0/24", "0.0.0.0/24 can't be a media address"},
		{"fe80::1/64", "fe80::1/64 can't be a media address"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[512], sentence[256];
		snprintf(text, sizeof(text), IF "\n      address: \"%s\"\n", cases[i].address);
		snprintf(sentence, sizeof(sentence), "media.interfaces[0].address: %s",
			cases[i].sentence);
		check_bad(text, strlen(text), 6, sentence);
	}
}

static void
test_media_gateways(void **state)
{
	static const struct bad cases[] = {
		{IF ADDRESS "      gateway: x\n", 6,
			"media.interfaces[0].gateway: \"x\" is no address of the same family"},
		{IF ADDRESS "      gateway: fe80::1\n", 6,
			"media.interfaces[0].gateway: \"fe80::1\" is no address of the same "
			"family"},
		{IF ADDRESS "      gateway: 192.0.2.1\n", 6,
			"media.interfaces[0].gateway: 192.0.2.1 is the media address itself"},
		{IF ADDRESS "      gateway: 192.0.3.1\n", 6,
			"media.interfaces[0].gateway: 192.0.3.1 is not in the network of "
			"192.0.2.1/24"},
		{IF "      gateway: 2001:db9::1\n      address: 2001:db8::1/64\n", 5,
			"media.interfaces[0].gateway: 2001:db9::1 is not in the network of "
			"2001:db8::1/64"},
	};

	CHECK_ALL(cases);
}

#define LIST "      addresses:\n"
#define A(text) "        - {address: " text "}\n"

static void
test_address_lists(void **state)
{
	static const struct bad cases[] = {
		{IF ADDRESS LIST A("192.0.2.2/24"), 5,
			"media.interfaces[0].address: stands beside \"addresses\": move it into an "
			"entry of that list"},
		{IF LIST A("192.0.2.2/24") "      gateway: 192.0.2.3\n", 7,
			"media.interfaces[0].gateway: stands beside \"addresses\": move it into an "
			"entry of that list"},
		{IF LIST A("192.0.2.2/24") "      ports: {first: 20000, last: 30001}\n", 7,
			"media.interfaces[0].ports: stands beside \"addresses\": move it into an "
			"entry of that list"},
		{IF "      addresses: []\n", 5,
			"media.interfaces[0].addresses: has too few entries"},
		{IF "      addresses: 192.0.2.1/24\n", 5,
			"media.interfaces[0].addresses: must be a list"},
		{IF LIST "        - 192.0.2.1/24\n", 6,
			"media.interfaces[0].addresses[0]: must hold keys of its own"},
		{IF LIST A("192.0.2.1/24") "        - gateway: 192.0.2.2\n", 7,
			"media.interfaces[0].addresses[1].address: is missing"},
		{IF LIST A("192.0.2.1/24") A("192.0.2.999/24"), 7,
			"media.interfaces[0].addresses[1].address: \"192.0.2.999/24\" is no "
			"address "
			"with its prefix length, like 192.0.2.1/24"},
		{IF LIST A("192.0.2.1/24") A("2001:db8::1/64") A("2001:db8:0::1/48"), 8,
			"media.interfaces[0].addresses[2].address: 2001:db8:0::1/48 is also an "
			"address of interface 0"},
		{IF ADDRESS "    - name: b\n      device: e\n" LIST A("192.0.2.2/24")
				A("192.0.2.1/24"),
			10,
			"media.interfaces[1].addresses[1].address: 192.0.2.1/24 is also an address "
			"of interface 0"},
		{IF LIST A("192.0.2.1/24, gateway: 2001:db8::1"), 6,
			"media.interfaces[0].addresses[0].gateway: \"2001:db8::1\" is no address "
			"of the same family"},
		{IF LIST A("192.0.2.1/24") A("192.0.3.1/24, gateway: 192.0.2.2"), 7,
			"media.interfaces[0].addresses[1].gateway: 192.0.2.2 is not in the network "
			"of 192.0.3.1/24"},
		{IF LIST A("192.0.2.1/24") A("192.0.3.1/24, ports: {first: 20000, last: 20000}"), 7,
			"media.interfaces[0].addresses[1].ports: 20000 to 20000: first must be "
			"even and at least 1024, last odd and not below it"},
	};

	CHECK_ALL(cases);

	char text[8192] = IF LIST;
	for (unsigned i = 0; i <= CONFIG_ADDRESSES_MAX; i++)
		sprintf(text + strlen(text), A("192.0.2.%u/24"), 1 + i);
	check_bad(text, strlen(text), 5, "media.interfaces[0].addresses: has too many entries");
}

static void
test_vlans(void **state)
{
	static const struct bad cases[] = {
		{IF ADDRESS "      vlan: 4095\n", 6,
			"media.interfaces[0].vlan: 4095 is not between 0 and 4094"},
		{IF ADDRESS "      vlan: 70000\n", 6,
			"media.interfaces[0].vlan: 70000 is not between 0 and 4094"},
		{IF ADDRESS "      dscp: 64\n", 6,
			"media.interfaces[0].dscp: 64 is not between 0 and 63"},
		{IF ADDRESS "      dscp: EF\n", 6,
			"media.interfaces[0].dscp: must be a whole number from 0 to 4294967295"},
		{IF ADDRESS "    - name: b\n      device: d\n      address: 192.0.2.2/24\n", 7,
			"media.interfaces[1].device: interface 0 has it, too: give one of them a "
			"vlan, or both addresses to one"},
		{IF ADDRESS "    - name: b\n      device: d\n      vlan: 0\n"
			    "      address: 192.0.2.2/24\n",
			7,
			"media.interfaces[1].device: interface 0 has it, too: give one of them a "
			"vlan, or both addresses to one"},
		{IF ADDRESS "      vlan: 7\n    - name: b\n      device: d\n      vlan: 7\n"
			    "      address: 192.0.2.2/24\n",
			9, "media.interfaces[1].vlan: interface 0 has VLAN 7 of this device"},
	};

	CHECK_ALL(cases);
}

static void
test_sip_values(void **state)
{
	static const struct bad cases[] = {
		{"sip: {}\n", 1, "sip.address: is missing"},
		{"log: {}\nsip:\n  address: 192.0.2.1\n", 2, "sip.domain: is missing"},
		{"sip: {address: 192.0.2.1, domain: a}\n", 1, "sip.certificate: is missing"},
		{"sip: {address: 192.0.2.1, domain: a, certificate: c}\n", 1,
			"sip.private_key: is missing"},
		{"sip:\n  address: localhost\n  domain: a\n  certificate: c\n  private_key: k\n", 2,
			"sip.address: \"localhost\" is no numeric IP address"},
		{"sip:\n  address: 192.0.2.1\n  domain: 'a\"b'\n  certificate: c\n"
		 "  private_key: k\n",
			3, "sip.domain: \"a\"b\" is no host name"},
		{SIP "  port: 0\n", 6, "sip.port: 0 is not between 1 and 65535"},
		{SIP "  nonce_lifetime_s: 0\n", 6,
			"sip.nonce_lifetime_s: 0 is not between 1 and 86400"},
		{SIP "  expires_min_s: 0\n", 6, "sip.expires_min_s: 0 is not between 1 and 86400"},
		{SIP "  expires_min_s: 100\n  expires_max_s: 99\n", 7,
			"sip.expires_max_s: 99 is not between 100 and 604800"},
		{SIP "  expires_default_s: 7201\n", 6,
			"sip.expires_default_s: 7201 is not between 60 and 7200"},
		{SIP "  expires_default_s: 59\n", 6,
			"sip.expires_default_s: 59 is not between 60 and 7200"},
		{SIP "  contacts_max: 0\n", 6, "sip.contacts_max: 0 is not between 1 and 100"},
		{SIP "  bindings_max: 0\n", 6, "sip.bindings_max: 0 is not between 1 and 10000000"},
		{SIP "  dialogs: here\n", 6,
			"sip.dialogs: \"here\" is no absolute path, nor \"none\""},
		{SIP "  dialogs_return_s: 0\n", 6,
			"sip.dialogs_return_s: 0 is not between 1 and 86400"},
		{SIP "  flow_timer_s: 3601\n", 6,
			"sip.flow_timer_s: 3601 is not between 0 and 3600"},
		{SIP "  session_expires_s: 89\n", 6,
			"sip.session_expires_s: 89 is not between 90 and 86400"},
		{SIP "  session_min_s: 89\n", 6,
			"sip.session_min_s: 89 is not between 90 and 86400"},
		{SIP "  session_min_s: 900\n  session_expires_s: 600\n", 7,
			"sip.session_expires_s: 600 is not between 900 and 86400"},
		{SIP "  rekey_hours: 721\n", 6, "sip.rekey_hours: 721 is not between 0 and 720"},
		{SIP "  relay_wait_s: 601\n", 6, "sip.relay_wait_s: 601 is not between 0 and 600"},
		{SIP "  no_answer_s: 181\n", 6, "sip.no_answer_s: 181 is not between 1 and 180"},
		{SIP "  suites: [AES_CM_128_HMAC_SHA1_80, AES_CM_128_HMAC_SHA1_80]\n", 6,
			"sip.suites: AES_CM_128_HMAC_SHA1_80 is named twice"},
		{SIP "  digests: [MD5, MD5]\n", 6, "sip.digests: an algorithm is named twice"},
		{SIP "  penalties: {user_free: 0}\n", 6,
			"sip.penalties.user_free: 0 is not between 1 and 1000"},
		{SIP "  penalties: {max_s: 86401}\n", 6,
			"sip.penalties.max_s: 86401 is not between 0 and 86400"},
		{SIP "  users_store: {wait_ms: 9}\n", 6,
			"sip.users_store.wait_ms: 9 is not between 10 and 2000"},
		{SIP "  peering: {}\n", 6, "sip.peering.address: is missing"},
		{SIP "  peering: {address: a}\n", 6,
			"sip.peering.address: \"a\" is no numeric IP address"},
		{SIP "  peering: {address: 192.0.2.2, port: 5061, ca: c}\n", 6,
			"sip.peering.port: 5061 is where phones connect: trunks need a port, or an "
			"address, of their own"},
		{SIP "  peering:\n    address: 192.0.2.2\n    certificate: c\n", 6,
			"sip.peering.private_key: is missing: certificate and private_key belong "
			"together"},
		{SIP "  peering:\n    address: 192.0.2.2\n", 6,
			"sip.peering.ca: is missing: without authorities no trunk can be verified"},
		{SIP "  limits:\n    connections: 0\n", 7,
			"sip.limits.connections: 0 is not between 1 and 1000000"},
		{SIP "  limits:\n    message_size: 8192\n    body_size: 8193\n", 8,
			"sip.limits.body_size: 8193 is more than a message may have in all "
			"(message_size, 8192)"},
		{SIP "  limits:\n    message_size: 8191\n", 7,
			"sip.limits.message_size: 8191 is not between 8192 and 1048576"},
	};

	CHECK_ALL(cases);
}

static void
test_not_a_file(void **state)
{
	struct config *config = NULL;
	char error[128] = "";
	char tiny[8] = "";

	assert_int_equal(
		-ENOENT, config_load("/nonexistent/s.yaml", &config, error, sizeof(error)));
	assert_string_equal("/nonexistent/s.yaml: can't be read: No such file or directory", error);
	assert_int_equal(-EINVAL, config_load("/tmp", &config, error, sizeof(error)));
	assert_string_equal("/tmp: is no configuration file: it is not a regular file", error);
	assert_int_equal(-EINVAL, config_load("/dev/zero", &config, error, sizeof(error)));
	assert_string_equal("/dev/zero: is no configuration file: it is not a regular file", error);
	assert_int_equal(-ENOENT, config_load("/nonexistent/s.yaml", &config, tiny, sizeof(tiny)));
	assert_string_equal("/nonexi", tiny);
	assert_null(config);
	config_free(NULL);

	char folder[] = "/tmp/sallyport-fifo-XXXXXX", path[64];
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/fifo", folder);
	assert_int_equal(0, mkfifo(path, 0600));
	assert_int_equal(-EINVAL, config_load(path, &config, error, sizeof(error)));
	unlink(path);
	rmdir(folder);
	assert_non_null(strstr(error, "it is not a regular file"));
}

#define HEP_FORM "no udp:ADDRESS:PORT (numeric, IPv6 in brackets)"

static void
test_records(void **state)
{
	static const struct bad cases[] = {
		{SIP "  records: {path: calls.jsonl}\n", 6,
			"sip.records.path: \"calls.jsonl\" is no absolute path"},
		{SIP "  records: {keep: 10001}\n", 6,
			"sip.records.keep: 10001 is not between 0 and 10000"},
		{SIP "  records:\n    rotate_hours: 8785\n", 7,
			"sip.records.rotate_hours: 8785 is not between 0 and 8784"},
		{SIP "  trace: {hep: \"192.0.2.9:9060\"}\n", 6,
			"sip.trace.hep: \"192.0.2.9:9060\" is " HEP_FORM},
		{SIP "  trace: {hep: \"udp:homer:9060\"}\n", 6,
			"sip.trace.hep: \"udp:homer:9060\" is " HEP_FORM},
		{SIP "  trace: {hep: \"udp:2001:db8::9:9060\"}\n", 6,
			"sip.trace.hep: \"udp:2001:db8::9:9060\" is " HEP_FORM},
		{SIP "  trace: {hep: \"udp:192.0.2.9:0\"}\n", 6,
			"sip.trace.hep: \"udp:192.0.2.9:0\" is " HEP_FORM},
		{SIP "  trace: {pcap: /a, pcap_mb: 0}\n", 6,
			"sip.trace.pcap_mb: 0 is not between 1 and 1048576"},
		{SIP "  instant_message_bytes: 65537\n", 6,
			"sip.instant_message_bytes: 65537 is not between 0 and 65536"},
		{SIP "  headers: {pass: [Subject, via]}\n", 6,
			"sip.headers.pass[1]: Via is each leg's own: Sallyport writes it itself"},
		{SIP "  headers:\n    pass:\n      - X Y\n", 8,
			"sip.headers.pass[0]: \"X Y\" is no header's name"},
		{SIP "  headers: {strip: [s]}\n", 6,
			"sip.headers.strip[0]: \"s\" is no header's name"},
	};

	CHECK_ALL(cases);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_yaml),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_media_values),
		cmocka_unit_test(test_media_addresses),
		cmocka_unit_test(test_media_gateways),
		cmocka_unit_test(test_address_lists),
		cmocka_unit_test(test_vlans),
		cmocka_unit_test(test_sip_values),
		cmocka_unit_test(test_not_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
