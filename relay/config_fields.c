/* SPDX-License-Identifier: BSD-3-Clause */
/* Every setting but those of section "sip": what it means, its default and limits, who reads it,
 * and may it change while the daemon runs? The defaults and limits are those that config_load()
 * goes by, and docs/config.md is made of this. */
#include "config_fields.h"

#include <string.h>

static const struct config_field fields[] = {
	{"media.socket", RESTART, BOTH, IS("/run/sallyport/relay.sock"),
		"path of the relay API's unix socket, at most 107 characters; whoever may write to "
		"it rules the relay"},
	{"media.user", RESTART, MEDIA, ELSE("stay"),
		"user to become once devices and memory are open", "sallyport-media"},
	{"media.memory", RESTART, MEDIA, IS("auto"),
		"`auto`: hugepages if there are enough, else ordinary pages, with a warning; "
		"`hugepages`: refuse to start without"},
	{"media.memory_mb", RESTART, MEDIA, NUMBER(256, 64, 1048576),
		"memory for packets and sessions", "1024"},
	{"media.workers", RESTART, MEDIA, NUMBER(1, 1, 64),
		"threads that relay; each polls one queue of every interface", "4"},
	{"media.cpus", RESTART, MEDIA, ELSE("chosen from those allowed"),
		"a CPU for each worker, all different", "[2, 3, 4, 5]"},
	{"media.poll", RESTART, MEDIA, IS("adaptive"),
		"`adaptive`: a worker without packets sleeps a little, and one with packets goes "
		"before ordinary programs (SCHED_RR, lowest priority): under full load it leaves "
		"little of its CPU to others, so give it one of its own; `busy`: it takes its "
		"whole CPU",
		"busy"},
	{"media.engine", RESTART, MEDIA, IS("auto"),
		"crypto engine: `auto` tries those that the CPU can run, for some milliseconds at "
		"start, and takes the fastest; or a name: `avx512`, `avx2`, `ipsec-mb`. `sallyctl "
		"status` says which, and why",
		"avx512"},
	{"media.sessions", RESTART, MEDIA, NUMBER(10000, 1, 1000000),
		"most sessions at a time; one is one media stream of one call"},
	{"media.timeout_s", LIVE, MEDIA, NUMBER(60, 1, 86400),
		"without genuine media, after which a session ends (a controller may say otherwise "
		"for its session)"},
	{"media.hold_timeout_s", LIVE, MEDIA, NUMBER(7200, 1, 86400),
		"the same for a session with a side on hold, where silence is no fault; the longer "
		"of the two counts"},
	{"media.telemetry", RESTART, MEDIA, IS("false"),
		"DPDK's telemetry socket, with the relay's counters as `/sallyport/stats` (for "
		"`dpdk-telemetry.py` and what reads it); it lies beside the relay API's socket and "
		"costs a thread",
		"true"},
	{"media.shared_memory", RESTART, MEDIA, ELSE("none: no process shares any"),
		"a name, by which other DPDK processes of this machine (`--proc-type=secondary "
		"--file-prefix=NAME`) map the relay's packets, **and its keys**: for programs that "
		"are trusted like the relay itself, and for the lab; devices `rings:...` need it. "
		"It takes hugepages and a mounted hugetlbfs",
		"lab"},
	{"media.one_way_s", LIVE, MEDIA, NUMBER(15, 0, 86400),
		"silence of one side, while the other one sends, after which the relay says so "
		"(event \"one way\"); `0`: never",
		"5"},
	{"media.interfaces[]", RESTART, BOTH, ELSE("none"), "the media interfaces: see below"},
	{"media.interfaces[].name", RESTART, BOTH, REQUIRED,
		"up to 15 of letters, digits, `-` and `_`; unique", "access"},
	{"media.interfaces[].device", RESTART, MEDIA, REQUIRED,
		"DPDK device: a PCI address, or a virtual device and its arguments; several "
		"interfaces may name the same, letter for letter, each with another `vlan`; "
		"`rings:NAME` is a pair of rings to another DPDK process (`media.shared_memory`)",
		"0000:03:00.0"},
	{"media.interfaces[].vlan", RESTART, MEDIA, NUMBER(0, 0, 4094),
		"VLAN identifier: this interface is that VLAN of the device (IEEE 802.1Q); `0`: "
		"what has no tag, or a priority tag",
		"10"},
	{"media.interfaces[].dscp", LIVE, MEDIA, NUMBER(46, 0, 63),
		"mark of what is sent (RFC 2474), where a controller says nothing else for its "
		"session; 46 is EF: voice, by RFC 4594 4.1",
		"34"},
	{"media.interfaces[].addresses[]", RESTART, BOTH, ELSE("none"),
		"media addresses, IPv4 and IPv6 mixed: in place of the short form below"},
	{"media.interfaces[].addresses[].address", RESTART, BOTH, REQUIRED,
		"media address and prefix length, IPv4 or IPv6", "192.0.2.1/24"},
	{"media.interfaces[].addresses[].gateway", RESTART, BOTH,
		ELSE("none: only that network is reached"),
		"next hop to what is not in that network: an address of it, or IPv6 link-local",
		"192.0.2.254"},
	{"media.interfaces[].addresses[].ports.first", LIVE, MEDIA, NUMBER(20000, 1024, 65535),
		"first UDP port for media, even"},
	{"media.interfaces[].addresses[].ports.last", LIVE, MEDIA, NUMBER(39999, 1024, 65535),
		"last UDP port for media, odd"},
	{"media.interfaces[].address", FORM, BOTH, ELSE("required, or `addresses`"),
		"of an interface's only address, as above", "2001:db8::1/64"},
	{"media.interfaces[].gateway", FORM, BOTH, ELSE("none: only that network is reached"),
		"the same"},
	{"media.interfaces[].ports.first", FORM, MEDIA, NUMBER(20000, 1024, 65535), "the same"},
	{"media.interfaces[].ports.last", FORM, MEDIA, NUMBER(39999, 1024, 65535), "the same"},
	{"web.address", RESTART, WEB, IS("127.0.0.1"),
		"where it listens, numeric. One that is not of loopback is refused without "
		"certificate and login",
		"\"::\""},
	{"web.port", RESTART, WEB, NUMBER(9478, 1, 65535), "TCP port", "443"},
	{"web.certificate", LIVE, WEB, ELSE("none: in clear"),
		"PEM file, certificate and chain: with it, it speaks TLS alone (1.2 and 1.3, AEAD "
		"suites). Read anew on SIGHUP: `user` must be able to read it then",
		"/etc/sallyport/web.pem"},
	{"web.private_key", LIVE, WEB, ELSE("none"), "PEM file: its key", "/etc/sallyport/web.key"},
	{"web.user", RESTART, WEB, ELSE("stay"),
		"user to become once it listens, with the groups that it is in", "sallyport-web"},
	{"web.login.user", LIVE, WEB, ELSE("nobody is asked"),
		"asked for by HTTP Basic authentication. After 5 wrong logins a source waits a "
		"minute",
		"operator"},
	{"web.login.hash", LIVE, WEB, ELSE("none"),
		"scrypt's hash of the password: `sallyctl web-password` makes it",
		"\"scrypt$15$8$1$...\""},
	{"web.metrics.address", RESTART, WEB, ELSE("on the page's"),
		"address of a listener for `/metrics` alone, which the other then has not",
		"127.0.0.1"},
	{"web.metrics.port", RESTART, WEB, NUMBER(9479, 1, 65535), "its TCP port"},
	{"web.connections", LIVE, WEB, NUMBER(64, 4, 1000), "at a time"},
	{"web.connections_per_source", LIVE, WEB, NUMBER(16, 1, 1000), "the same, of one address"},
	{"web.timeout_s", LIVE, WEB, NUMBER(15, 2, 300),
		"for a handshake, a request, or a reader that takes nothing"},
	{"log.level", LIVE, BOTH | WEB, IS("info"), "least severe lines shown", "debug"},
};

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

const struct config_field *
config_field_at(size_t index)
{
	return index < FIELDS ? &fields[index] : config_field_of_sip(index - FIELDS);
}

const struct config_field *
config_field_find(const char *name)
{
	const struct config_field *field = NULL;

	for (size_t i = 0; (field = config_field_at(i)) != NULL; i++)
		if (strcmp(field->name, name) == 0)
			return field;
	return NULL;
}
