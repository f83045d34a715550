/* SPDX-License-Identifier: BSD-3-Clause */
/* A good configuration: every field lands where it belongs, and defaults fill the rest. */
#include "config_file.h"

static struct config *
load_good(const char *text)
{
	struct config_file file;

	config_file_load(&file, text, strlen(text));
	if (file.result != 0)
		fail_msg("%s", file.error);
	return file.config;
}

static void
test_defaults(void **state)
{
	struct config *config = load_good("media: {}\n");

	assert_string_equal("/run/sallyport/relay.sock", config->media.socket);
	assert_null(config->media.user);
	assert_int_equal(CONFIG_MEMORY_AUTO, config->media.memory);
	assert_int_equal(256, config->media.memory_mb);
	assert_int_equal(1, config->media.workers);
	assert_int_equal(0, config->media.cpus_count);
	assert_int_equal(CONFIG_POLL_ADAPTIVE, config->media.poll);
	assert_string_equal("auto", config->media.engine);
	assert_int_equal(10000, config->media.sessions);
	assert_int_equal(60, config->media.timeout_s);
	assert_int_equal(7200, config->media.hold_timeout_s);
	assert_int_equal(15, config->media.one_way_s);
	assert_int_equal(0, config->media.interfaces_count);
	assert_null(config->sip.address);
	assert_int_equal(5061, config->sip.port);
	assert_string_equal("/var/lib/sallyport/users.db", config->sip.users);
	assert_int_equal(CONFIG_SRTP_REQUIRED, config->sip.srtp);
	assert_int_equal(2, config->sip.suites_count);
	assert_int_equal(RELAY_SUITE_AES_CM_128_HMAC_SHA1_80, config->sip.suites[0]);
	assert_int_equal(RELAY_SUITE_AES_CM_128_HMAC_SHA1_32, config->sip.suites[1]);
	assert_int_equal(3, config->sip.digests_count);
	assert_int_equal(CONFIG_DIGEST_SHA_512_256, config->sip.digests[0]);
	assert_int_equal(CONFIG_DIGEST_SHA_256, config->sip.digests[1]);
	assert_int_equal(CONFIG_DIGEST_MD5, config->sip.digests[2]);
	assert_int_equal(CONFIG_CHALLENGE_WWW, config->sip.challenge);
	assert_int_equal(300, config->sip.nonce_lifetime_s);
	assert_int_equal(60, config->sip.expires_min_s);
	assert_int_equal(3600, config->sip.expires_default_s);
	assert_int_equal(7200, config->sip.expires_max_s);
	assert_int_equal(60, config->sip.no_answer_s);
	assert_int_equal(5, config->sip.penalties.user_free);
	assert_int_equal(20, config->sip.penalties.source_free);
	assert_int_equal(2, config->sip.penalties.first_s);
	assert_int_equal(900, config->sip.penalties.max_s);
	assert_int_equal(300, config->sip.penalties.forget_s);
	assert_int_equal(65536, config->sip.penalties.entries);
	assert_int_equal(250, config->sip.users_store.wait_ms);
	assert_int_equal(300, config->sip.users_store.cache_s);
	assert_int_equal(10, config->sip.contacts_max);
	assert_int_equal(200000, config->sip.bindings_max);
	assert_int_equal(120, config->sip.flow_timer_s);
	assert_string_equal("/var/lib/sallyport-sip/bindings.db", config->sip.bindings);
	assert_string_equal("/var/lib/sallyport-sip/dialogs.log", config->sip.dialogs.store);
	assert_int_equal(60, config->sip.dialogs.return_s);
	assert_int_equal(1800, config->sip.dialogs.session_expires_s);
	assert_int_equal(90, config->sip.dialogs.session_min_s);
	assert_int_equal(0, config->sip.dialogs.rekey_hours);
	assert_int_equal(30, config->sip.dialogs.relay_wait_s);
	assert_int_equal(CONFIG_REDIRECTS_FOLLOW, config->sip.dialogs.redirects);
	assert_int_equal(CONFIG_TRANSFERS_ALLOW, config->sip.dialogs.transfers);
	assert_int_equal(LOG_LEVEL_INFO, config->log_level);
	config_free(config);
}

static const char full[] = "media:\n"
			   "  socket: /tmp/r.sock\n"
			   "  user: nobody\n"
			   "  memory: ordinary\n"
			   "  memory_mb: 512\n"
			   "  workers: 2\n"
			   "  cpus: [3, 1]\n"
			   "  poll: busy\n"
			   "  engine: ipsec_mb\n"
			   "  sessions: 777\n"
			   "  timeout_s: 7\n"
			   "  hold_timeout_s: 70\n"
			   "  one_way_s: 0\n"
			   "  interfaces:\n"
			   "    - name: access\n"
			   "      device: 0000:03:00.0\n"
			   "      address: 198.51.100.5/26\n"
			   "      gateway: 198.51.100.1\n"
			   "      ports: {first: 1024, last: 65535}\n"
			   "    - name: core-6\n"
			   "      device: net_af_xdp0,iface=veth0\n"
			   "      address: 2001:db8::5/64\n"
			   "      gateway: fe80::1\n"
			   "    - name: trunks\n"
			   "      device: net_af_xdp0,iface=veth0\n"
			   "      vlan: 4094\n"
			   "      dscp: 0\n"
			   "      addresses:\n"
			   "        - {address: 203.0.113.9/28, gateway: 203.0.113.1}\n"
			   "        - address: 2001:db8:1::9/64\n"
			   "          ports: {first: 30000, last: 30001}\n"
			   "          gateway: 2001:db8:1::1\n"
			   "        - address: 203.0.113.10/28\n"
			   "sip:\n"
			   "  address: '::'\n"
			   "  port: 65535\n"
			   "  domain: example.com\n"
			   "  certificate: /c.pem\n"
			   "  private_key: /k.pem\n"
			   "  ca: /ca.pem\n"
			   "  users: /u.db\n"
			   "  user: sip\n"
			   "  srtp: required\n"
			   "  suites: [AES_CM_128_HMAC_SHA1_32]\n"
			   "  digests: [MD5]\n"
			   "  challenge: proxy\n"
			   "  nonce_lifetime_s: 30\n"
			   "  expires_min_s: 10\n"
			   "  expires_default_s: 20\n"
			   "  expires_max_s: 30\n"
			   "  no_answer_s: 9\n"
			   "  contacts_max: 3\n"
			   "  bindings_max: 500\n"
			   "  flow_timer_s: 0\n"
			   "  bindings: /tmp/b.db\n"
			   "log:\n"
			   "  level: debug\n";

static void
test_every_media_field(void **state)
{
	struct config *config = load_good(full);
	const struct config_media *media = &config->media;

	assert_string_equal("/tmp/r.sock", media->socket);
	assert_string_equal("nobody", media->user);
	assert_int_equal(CONFIG_MEMORY_ORDINARY, media->memory);
	assert_int_equal(512, media->memory_mb);
	assert_int_equal(2, media->workers);
	assert_int_equal(2, media->cpus_count);
	assert_int_equal(3, media->cpus[0]);
	assert_int_equal(1, media->cpus[1]);
	assert_int_equal(CONFIG_POLL_BUSY, media->poll);
	assert_string_equal("ipsec_mb", media->engine);
	assert_int_equal(777, media->sessions);
	assert_int_equal(7, media->timeout_s);
	assert_int_equal(70, media->hold_timeout_s);
	assert_int_equal(0, media->one_way_s);
	assert_int_equal(3, media->interfaces_count);
	config_free(config);
}

/* The short form, of one address. */
static void
test_every_interface_field(void **state)
{
	struct config *config = load_good(full);
	const struct config_interface *interface = &config->media.interfaces[0];
	const struct config_address *at = interface->addresses;
	char text[RELAY_ADDR_TEXT];

	assert_string_equal("access", interface->name);
	assert_string_equal("0000:03:00.0", interface->device);
	assert_int_equal(0, interface->vlan);
	assert_int_equal(46, interface->dscp);
	assert_int_equal(1, interface->addresses_count);
	assert_null(interface->single.address);
	assert_string_equal("198.51.100.5/26", at->address);
	assert_string_equal("198.51.100.1", at->gateway);
	assert_string_equal("198.51.100.5", relay_ip_format(&at->ip, text));
	assert_int_equal(26, at->prefix_length);
	assert_string_equal("198.51.100.1", relay_ip_format(&at->gateway_ip, text));
	assert_int_equal(1024, at->port_first);
	assert_int_equal(65535, at->port_last);

	interface = &config->media.interfaces[1];
	at = interface->addresses;
	assert_string_equal("core-6", interface->name);
	assert_string_equal("net_af_xdp0,iface=veth0", interface->device);
	assert_int_equal(1, interface->addresses_count);
	assert_string_equal("2001:db8::5", relay_ip_format(&at->ip, text));
	assert_int_equal(64, at->prefix_length);
	assert_string_equal("fe80::1", relay_ip_format(&at->gateway_ip, text));
	assert_int_equal(20000, at->port_first);
	assert_int_equal(39999, at->port_last);
	config_free(config);
}

/* The long form, on the device of another interface. */
static void
test_every_address_field(void **state)
{
	struct config *config = load_good(full);
	const struct config_interface *interface = &config->media.interfaces[2];
	const struct config_address *at = interface->addresses;
	char text[RELAY_ADDR_TEXT];

	assert_string_equal("net_af_xdp0,iface=veth0", interface->device);
	assert_int_equal(4094, interface->vlan);
	assert_int_equal(0, interface->dscp);
	assert_int_equal(3, interface->addresses_count);
	assert_string_equal("203.0.113.9", relay_ip_format(&at[0].ip, text));
	assert_int_equal(28, at[0].prefix_length);
	assert_string_equal("203.0.113.1", relay_ip_format(&at[0].gateway_ip, text));
	assert_int_equal(20000, at[0].port_first);
	assert_int_equal(39999, at[0].port_last);
	assert_string_equal("2001:db8:1::9", relay_ip_format(&at[1].ip, text));
	assert_int_equal(64, at[1].prefix_length);
	assert_string_equal("2001:db8:1::1", relay_ip_format(&at[1].gateway_ip, text));
	assert_int_equal(30000, at[1].port_first);
	assert_int_equal(30001, at[1].port_last);
	assert_string_equal("203.0.113.10", relay_ip_format(&at[2].ip, text));
	assert_null(at[2].gateway);
	assert_int_equal(0, at[2].gateway_ip.family);
	assert_int_equal(20000, at[2].port_first);
	config_free(config);
}

/* As many addresses as there may be. */
static void
test_most_addresses(void **state)
{
	static char text[8192];
	size_t used = (size_t)snprintf(text, sizeof(text),
		"media:\n  interfaces:\n    - name: a\n      device: d\n      addresses:\n");

	for (unsigned i = 0; i < CONFIG_ADDRESSES_MAX; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
			"        - {address: 192.0.2.%u/24}\n", 1 + i);
	struct config *config = load_good(text);
	assert_int_equal(CONFIG_ADDRESSES_MAX, config->media.interfaces[0].addresses_count);
	assert_int_equal(64, config->media.interfaces[0].addresses[63].ip.ip[3]);
	config_free(config);
}

static void
test_every_sip_field(void **state)
{
	struct config *config = load_good(full);
	const struct config_sip *sip = &config->sip;

	assert_string_equal("::", sip->address);
	assert_int_equal(65535, sip->port);
	assert_string_equal("example.com", sip->domain);
	assert_string_equal("/c.pem", sip->certificate);
	assert_string_equal("/k.pem", sip->private_key);
	assert_string_equal("/ca.pem", sip->ca);
	assert_string_equal("/u.db", sip->users);
	assert_string_equal("sip", sip->user);
	assert_int_equal(1, sip->suites_count);
	assert_int_equal(RELAY_SUITE_AES_CM_128_HMAC_SHA1_32, sip->suites[0]);
	assert_int_equal(1, sip->digests_count);
	assert_int_equal(CONFIG_DIGEST_MD5, sip->digests[0]);
	assert_int_equal(CONFIG_CHALLENGE_PROXY, sip->challenge);
	assert_int_equal(30, sip->nonce_lifetime_s);
	assert_int_equal(10, sip->expires_min_s);
	assert_int_equal(20, sip->expires_default_s);
	assert_int_equal(30, sip->expires_max_s);
	assert_int_equal(9, sip->no_answer_s);
	assert_int_equal(3, sip->contacts_max);
	assert_int_equal(500, sip->bindings_max);
	assert_int_equal(0, sip->flow_timer_s);
	assert_string_equal("/tmp/b.db", sip->bindings);
	assert_string_equal("/tmp/dialogs.log", sip->dialogs.store); /* beside them */
	assert_int_equal(LOG_LEVEL_DEBUG, config->log_level);
	config_free(config);
}

/* The example that is installed: it loads, and what it comments out is the default. */
static void
test_installed_example(void **state)
{
	const char *path = getenv("SALLYPORT_EXAMPLE");
	struct config *config = NULL;
	char error[512] = "";

	assert_non_null(path);
	if (config_load(path, &config, error, sizeof(error)) != 0)
		fail_msg("%s", error);
	assert_string_equal(path, config->path);
	assert_int_equal(1, config->media.interfaces_count);
	assert_int_equal(20000, config->media.interfaces[0].addresses[0].port_first);
	assert_int_equal(39999, config->media.interfaces[0].addresses[0].port_last);
	assert_int_equal(LOG_LEVEL_INFO, config->log_level);
	config_free(config);
}

/* "#key: value" in the example shows a default: with the # taken away, all of it loads, too. */
static void
test_installed_example_uncommented(void **state)
{
	FILE *in = fopen(getenv("SALLYPORT_EXAMPLE"), "r");
	static char text[65536];
	size_t used = 0;
	unsigned uncommented = 0;
	char line[512];

	assert_non_null(in);
	while (fgets(line, sizeof(line), in) != NULL) {
		char *hash = line + strspn(line, " ");
		if (hash[0] == '#' && hash[1] >= 'a' && hash[1] <= 'z') {
			memmove(hash, hash + 1, strlen(hash));
			uncommented++;
		}
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s", line);
		assert_true(used < sizeof(text));
	}
	fclose(in);
	assert_int_equal(47, uncommented);

	struct config *config = load_good(text), *defaults = load_good("media: {}\n");
	assert_string_equal(defaults->media.socket, config->media.socket);
	assert_int_equal(defaults->media.memory, config->media.memory);
	assert_int_equal(defaults->media.memory_mb, config->media.memory_mb);
	assert_int_equal(defaults->media.workers, config->media.workers);
	assert_int_equal(1, config->media.cpus_count);
	assert_int_equal(defaults->media.poll, config->media.poll);
	assert_string_equal(defaults->media.engine, config->media.engine);
	assert_int_equal(defaults->media.sessions, config->media.sessions);
	assert_int_equal(defaults->media.timeout_s, config->media.timeout_s);
	assert_int_equal(defaults->media.hold_timeout_s, config->media.hold_timeout_s);
	assert_int_equal(defaults->media.one_way_s, config->media.one_way_s);
	assert_int_equal(46, config->media.interfaces[0].dscp);
	assert_int_equal(10, config->media.interfaces[0].vlan);
	assert_int_equal(4, config->media.interfaces[0].addresses[0].gateway_ip.family);
	assert_int_equal(20000, config->media.interfaces[0].addresses[0].port_first);
	assert_int_equal(39999, config->media.interfaces[0].addresses[0].port_last);
	assert_int_equal(defaults->sip.port, config->sip.port);
	assert_non_null(config->sip.ca);
	assert_string_equal(defaults->sip.users, config->sip.users);
	assert_int_equal(2, config->sip.suites_count);
	assert_memory_equal(defaults->sip.suites, config->sip.suites, 2 * sizeof(enum relay_suite));
	assert_int_equal(3, config->sip.digests_count);
	assert_memory_equal(
		defaults->sip.digests, config->sip.digests, 3 * sizeof(enum config_digest));
	assert_int_equal(defaults->sip.nonce_lifetime_s, config->sip.nonce_lifetime_s);
	assert_int_equal(defaults->sip.expires_min_s, config->sip.expires_min_s);
	assert_int_equal(defaults->sip.expires_default_s, config->sip.expires_default_s);
	assert_int_equal(defaults->sip.expires_max_s, config->sip.expires_max_s);
	assert_int_equal(defaults->sip.no_answer_s, config->sip.no_answer_s);
	assert_string_equal(defaults->sip.control_socket, config->sip.control_socket);
	assert_int_equal(defaults->sip.peering.port, config->sip.peering.port);
	assert_memory_equal(&defaults->sip.limits, &config->sip.limits, sizeof(config->sip.limits));
	assert_null(defaults->sip.records.path);
	assert_int_equal(defaults->sip.records.rotate_mb, config->sip.records.rotate_mb);
	assert_int_equal(defaults->sip.records.rotate_hours, config->sip.records.rotate_hours);
	assert_int_equal(defaults->sip.records.keep, config->sip.records.keep);
	assert_int_equal(defaults->sip.headers.pass_count, config->sip.headers.pass_count);
	assert_int_equal(0, config->sip.headers.strip_count);
	assert_null(defaults->sip.trace.hep);
	assert_int_equal(9060, config->sip.trace.hep_address.port);
	assert_int_equal(defaults->sip.trace.pcap_mb, config->sip.trace.pcap_mb);
	assert_int_equal(defaults->sip.instant_message_bytes, config->sip.instant_message_bytes);
	assert_int_equal(defaults->sip.contacts_max, config->sip.contacts_max);
	assert_int_equal(defaults->sip.bindings_max, config->sip.bindings_max);
	assert_int_equal(defaults->sip.flow_timer_s, config->sip.flow_timer_s);
	assert_string_equal(defaults->sip.bindings, config->sip.bindings);
	assert_string_equal(defaults->sip.dialogs.store, config->sip.dialogs.store);
	assert_int_equal(defaults->sip.dialogs.return_s, config->sip.dialogs.return_s);
	config_free(defaults);
	config_free(config);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_every_media_field),
		cmocka_unit_test(test_every_interface_field),
		cmocka_unit_test(test_every_address_field),
		cmocka_unit_test(test_most_addresses),
		cmocka_unit_test(test_every_sip_field),
		cmocka_unit_test(test_installed_example),
		cmocka_unit_test(test_installed_example_uncommented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
