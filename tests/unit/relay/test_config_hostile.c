/* SPDX-License-Identifier: BSD-3-Clause */
/* YAML that nobody would write: it is refused, or taken whole; nothing crashes, leaks or takes long
 * (run it under ASan, too). */
#include "config_file.h"

#include <time.h>

static const char seed_text[] = "media:\n"
				"  workers: 2\n"
				"  cpus: [3, 1]\n"
				"  poll: busy\n"
				"  interfaces:\n"
				"    - name: access\n"
				"      device: \"net_af_xdp0,iface=veth0\"\n"
				"      address: 192.0.2.1/24\n"
				"      gateway: 192.0.2.254\n"
				"      ports: {first: 20000, last: 39999}\n"
				"    - name: trunk\n"
				"      device: \"net_af_xdp0,iface=veth0\"\n"
				"      vlan: 5\n"
				"      dscp: 40\n"
				"      addresses:\n"
				"        - {address: 192.0.2.2/24, gateway: 192.0.2.254}\n"
				"        - address: \"2001:db8::1/64\"\n"
				"          ports: {first: 20000, last: 39999}\n"
				"sip:\n"
				"  address: '::'\n"
				"  domain: example.com\n"
				"  certificate: /c.pem\n"
				"  private_key: &k /k.pem\n"
				"  suites: [AES_CM_128_HMAC_SHA1_32]\n"
				"  digests:\n"
				"    - MD5\n"
				"log:\n"
				"  level: debug\n";

/* What must hold of a configuration that was taken, however strange the file. */
static void
check_taken(const struct config *config)
{
	const struct config_media *media = &config->media;

	assert_non_null(config->path);
	assert_non_null(media->socket);
	assert_non_null(media->engine);
	assert_true(media->workers >= 1 && media->workers <= 64);
	for (unsigned i = 0; i < media->interfaces_count; i++) {
		const struct config_interface *at = &media->interfaces[i];
		assert_true(strlen(at->name) <= 15);
		assert_non_null(at->device);
		assert_true(at->vlan <= 4094 && at->dscp <= 63);
		assert_in_range(at->addresses_count, 1, CONFIG_ADDRESSES_MAX);
		assert_null(at->single.address);
		for (unsigned k = 0; k < at->addresses_count; k++) {
			const struct config_address *address = &at->addresses[k];
			assert_true(relay_ip_is_routable_unicast(&address->ip));
			assert_true(address->port_first % 2 == 0 && address->port_last % 2 == 1);
			assert_true(address->port_first < address->port_last);
		}
	}
	/* sallyport-sip takes an address as the sign of a whole section */
	if (config->sip.address != NULL) {
		assert_non_null(config->sip.domain);
		assert_non_null(config->sip.certificate);
		assert_non_null(config->sip.private_key);
		assert_true(config->sip.port != 0);
	}
	assert_true(config->sip.suites_count >= 1 && config->sip.digests_count >= 1);
}

/* Returns whether it was taken. */
static bool
load(const char *bytes, size_t length)
{
	struct config_file file;

	config_file_load(&file, bytes, length);
	if (file.result != 0)
		return false;
	check_taken(file.config);
	config_free(file.config);
	return true;
}

static uint32_t
next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Flips, cuts, repeats and inserts what means something to YAML. */
static size_t
mutate(char *text, size_t length, size_t room, uint32_t *state)
{
	static const char *const words[] = {"&a ", "*a", "*k", "<<: ", "---\n", "...\n", "? ", ": ",
		"- ", "[", "]", "{", "}", "!!str ", "!!map ", "|\n", ">\n", "\"", "'", "\t", "\r",
		"%YAML 1.1\n", "~", "0x", "\xef\xbb\xbf", "\xff", "\\0", "# "};
	unsigned changes = 1 + next_random(state) % 4;

	while (changes-- > 0 && length > 0) {
		size_t at = next_random(state) % length;
		const char *word = words[next_random(state) % (sizeof(words) / sizeof(words[0]))];
		size_t size = strlen(word);
		switch (next_random(state) % 4) {
		case 0:
			text[at] = (char)next_random(state);
			break;
		case 1: /* cut a stretch out */
			size = next_random(state) % (length - at);
			memmove(text + at, text + at + size, length - at - size);
			length -= size;
			break;
		case 2: /* repeat a stretch */
			size = next_random(state) % (length - at);
			if (length + size > room)
				break;
			memmove(text + at + size, text + at, length - at);
			length += size;
			break;
		default:
			if (length + size > room)
				break;
			memmove(text + at + size, text + at, length - at);
			memcpy(text + at, word, size);
			length += size;
		}
	}
	return length;
}

static void
test_mutated(void **state)
{
	uint32_t random = 0x5a11;
	unsigned taken = 0, rounds = 3000;
	static char text[8192];

	assert_true(load(seed_text, sizeof(seed_text) - 1));
	for (unsigned i = 0; i < rounds; i++) {
		memcpy(text, seed_text, sizeof(seed_text) - 1);
		size_t length = mutate(text, sizeof(seed_text) - 1, sizeof(text), &random);
		taken += load(text, length);
	}
	/* some changes are harmless, most are not: else the mutation is none */
	assert_in_range(taken, 1, rounds / 2);
}

static void
repeat(const char *head, const char *what, unsigned times, const char *tail)
{
	size_t size = strlen(head) + strlen(what) * times + strlen(tail) + 1;
	char *text = malloc(size), *at = text;

	assert_non_null(text);
	at = stpcpy(at, head);
	for (unsigned i = 0; i < times; i++)
		at = stpcpy(at, what);
	stpcpy(at, tail);
	assert_false(load(text, strlen(text)));
	free(text);
}

static void
test_deep_and_wide(void **state)
{
	clock_t start = clock();

	repeat("media: ", "[", 20000, "");
	repeat("media: ", "{a: ", 10000, "");
	repeat("media: ", "[", 500, "");
	repeat("media:\n  socket: ", "[", 900, "]");
	repeat("", "- ", 30000, "");
	repeat("media: {cpus: [", "1,", 30000, "1]}\n");
	repeat("media:\n  socket: ", "x", 60000, "\n");
	repeat("media:\n  \"", "k", 1000, "\": 1\n");
	repeat("media:\n", "  workers: 1\n", 4000, "");
	repeat("media: {", "x: 1, ", 9000, "}\n");
	repeat("a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nmedia: {", "y: *c, ", 8000, "}\n");
	repeat("media:\n  interfaces:\n", "    - {name: a, device: d, address: 192.0.2.1/24}\n", 17,
		"");
	repeat("", "# a comment\n", 1, "");
	repeat("# ", "x", 64 * 1024, "\n");
	/* all of them together; some hundred times what it takes */
	assert_true((clock() - start) / CLOCKS_PER_SEC < 20);
}

static void
test_every_prefix_and_nul(void **state)
{
	char text[sizeof(seed_text)];

	for (size_t length = 0; length < sizeof(seed_text); length++)
		load(seed_text, length);
	for (size_t at = 0; at < sizeof(seed_text) - 1; at++) {
		memcpy(text, seed_text, sizeof(seed_text));
		text[at] = '\0';
		assert_false(load(text, sizeof(seed_text) - 1));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mutated),
		cmocka_unit_test(test_deep_and_wide),
		cmocka_unit_test(test_every_prefix_and_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
