/* SPDX-License-Identifier: BSD-3-Clause */
/* The settings of section "sip": as config_fields.c. */
#include "config_fields.h"

#define TRUNK(key) "sip.trunks[]." key
#define ROUTE(key) "sip.routes[]." key
#define LIMIT(key, value, least, most, meaning)                                   \
	{                                                                         \
		"sip.limits." key, LIVE, SIP, NUMBER(value, least, most), meaning \
	}

static const struct config_field fields[] = {
	{"sip.address", RESTART, SIP, REQUIRED,
		"address of the TLS listener, numeric; `0.0.0.0` or `\"::\"` for all", "192.0.2.2"},
	{"sip.port", RESTART, SIP, NUMBER(5061, 1, 65535), "its TCP port"},
	{"sip.domain", RESTART, SIP, REQUIRED,
		"digest realm, and the host part of our users' addresses of record. Another one "
		"makes all users' hashes worthless: they are of user, realm and password (RFC 7616 "
		"3.4.2)",
		"example.com"},
	{"sip.certificate", LIVE, SIP, REQUIRED, "PEM file: the certificate and its chain",
		"/etc/sallyport/certificate.pem"},
	{"sip.private_key", LIVE, SIP, REQUIRED, "PEM file: its key", "/etc/sallyport/key.pem"},
	{"sip.ca", LIVE, SIP, ELSE("none"),
		"PEM file: authorities that peers' certificates are verified against",
		"/etc/sallyport/ca.pem"},
	{"sip.users", LIVE, SIP, IS("/var/lib/sallyport/users.db"),
		"the users, hashes only: an SQLite file, or a PostgreSQL database by its URL; see "
		"`sallyctl user --help`, and below",
		"postgresql://sallyport@db.example.com/sallyport?sslmode=verify-full&sslrootcert=/"
		"etc/sallyport/db.pem&passfile=/etc/sallyport/pgpass"},
	{"sip.user", RESTART, SIP, ELSE("stay"), "user to become once the certificate is read",
		"sallyport-sip"},
	{"sip.srtp", LIVE, SIP, IS("required"),
		"`required`: an offer without SRTP is answered 488, and nothing but SRTP is "
		"offered; `preferred`: SRTP is offered as RTP/AVP with `a=crypto` (RFC 8643), and "
		"plain RTP taken; `off`: plain RTP only. A trunk may have its own"},
	{"sip.unencrypted_srtcp", LIVE, SIP, IS("false"),
		"`true`: a phone that asks for SRTCP in clear (`UNENCRYPTED_SRTCP`) gets it; else "
		"its line is passed over"},
	{"sip.suites", LIVE, SIP, IS("AES_CM_128_HMAC_SHA1_80, AES_CM_128_HMAC_SHA1_32"),
		"crypto suites, best first", "[AEAD_AES_256_GCM]"},
	{"sip.digests", LIVE, SIP, IS("SHA-512-256, SHA-256, MD5"),
		"digest algorithms, in the order of the challenges (RFC 8760)", "[SHA-256]"},
	{"sip.challenge", LIVE, SIP, IS("www"),
		"`www`: who sends a request is asked by 401; `proxy`: by 407 (RFC 3261 22.3), for "
		"phones that answer nothing else in calls. REGISTER is always asked by 401"},
	{"sip.nonce_lifetime_s", LIVE, SIP, NUMBER(300, 1, 86400), "for which a nonce is good"},
	{"sip.expires_min_s", LIVE, SIP, NUMBER(60, 1, 86400),
		"shortest registration; a shorter wish is answered 423"},
	{"sip.expires_default_s", LIVE, SIP, NUMBER(3600, 1, 604800),
		"registration of a phone that wishes none; between the two others"},
	{"sip.expires_max_s", LIVE, SIP, NUMBER(7200, 1, 604800),
		"longest registration; a longer wish is cut"},
	{"sip.no_answer_s", LIVE, SIP, NUMBER(60, 1, 180),
		"for which a phone rings before its caller hears 480"},
	{"sip.contacts_max", LIVE, SIP, NUMBER(10, 1, 100),
		"bindings (contacts) of one user; one more is answered 403, but those whose "
		"connection closed make room"},
	{"sip.bindings_max", LIVE, SIP, NUMBER(200000, 1, 10000000),
		"bindings of all users; beyond that 503"},
	{"sip.flow_timer_s", LIVE, SIP, NUMBER(120, 0, 3600),
		"silence after which a phone's connection may be taken for dead (Flow-Timer, RFC "
		"5626 4.4.1): told to phones that use outbound; `0`: not told"},
	{"sip.bindings", RESTART, SIP, IS("/var/lib/sallyport-sip/bindings.db"),
		"SQLite file of the bindings, so that they outlive a restart; its folder must be "
		"writable for `user`, and is made for him if it is missing; each sallyport-sip "
		"needs a file of its own. Or a URL of PostgreSQL, "
		"`postgresql://USER@HOST/DATABASE`, for fleets. See docs/registrar.md"},
	{"sip.dialogs", RESTART, SIP,
		ELSE("`dialogs.log` beside the file of `bindings`; "
		     "`/var/lib/sallyport-sip/dialogs.log` where that is a URL"),
		"file of the calls that are up, so that they outlive a restart; no key is in it; "
		"for this process alone (0600), in a folder as that of `bindings`. `none`: a "
		"restart ends them. See docs/restart.md"},
	{"sip.dialogs_return_s", LIVE, SIP, NUMBER(60, 1, 86400),
		"in which a phone has to come back to its call after a restart, where its leg has "
		"no session timer"},
	{"sip.session_expires_s", LIVE, SIP, NUMBER(1800, 0, 86400),
		"after which a call that nobody refreshes ends (session timer, RFC 4028), "
		"`session_min_s` or more; `0`: only where a phone asks for one"},
	{"sip.session_min_s", LIVE, SIP, NUMBER(90, 90, 86400),
		"shortest session timer; a shorter wish is answered 422"},
	{"sip.rekey_hours", LIVE, SIP, NUMBER(0, 0, 720),
		"after which both legs of a call get fresh keys, by re-INVITE; `0`: only before a "
		"key's lifetime ends",
		"24"},
	{"sip.relay_wait_s", LIVE, SIP, NUMBER(30, 0, 600),
		"that calls wait for a `sallyport-media` that ended: when it is back within, their "
		"audio goes on; `0`: they end at once",
		"60"},
	{"sip.redirects", LIVE, SIP, IS("follow"),
		"`follow`: a phone's 3xx is followed to our own users and trunks; `refuse`: its "
		"caller hears 480"},
	{"sip.transfers", LIVE, SIP, IS("allow"),
		"`allow`: a phone may transfer its call (REFER, also with Replaces of another call "
		"of its own), or take over a call of another phone of its user (INVITE with "
		"Replaces); `refuse`: it hears 403"},
	{"sip.control_socket", RESTART, SIP, IS("/run/sallyport-sip/sip.sock"),
		"path of the unix socket that `sallyctl sip` asks, at most 107 characters; whoever "
		"may write to it sees who calls whom"},
	{"sip.instant_message_bytes", LIVE, SIP, NUMBER(1300, 0, 65536),
		"the longest text of a MESSAGE outside of calls (RFC 3428 8); a longer one is "
		"answered 413; `0`: none is taken"},
	{"sip.peering.address", RESTART, SIP, ELSE("required, if there is `peering`"),
		"numeric IPv4 or IPv6 address", "192.0.2.2"},
	{"sip.peering.port", RESTART, SIP, NUMBER(5062, 1, 65535), "TCP port"},
	{"sip.peering.certificate", LIVE, SIP, ELSE("that of `sip`"),
		"PEM file, certificate and chain; we show it where we connect to a trunk, too"},
	{"sip.peering.private_key", LIVE, SIP, ELSE("that of `sip`"), "PEM file: its key"},
	{"sip.peering.ca", LIVE, SIP, ELSE("`sip.ca`; one of both is required"),
		"PEM file: the authorities whose certificates a trunk may have",
		"/etc/sallyport/trunks.pem"},
	LIMIT("connections", 50000, 1, 1000000,
		"at a time, in all; fewer, where the system lets the process have fewer "
		"descriptors"),
	LIMIT("connections_per_source", 500, 1, 1000000, "at a time, of one source"),
	LIMIT("connects_per_second", 20, 1, 100000,
		"new connections of one source; ten times as many in a burst"),
	LIMIT("requests_per_second", 50, 1, 1000000,
		"requests outside of calls, of a source's connections that are not known; twice as "
		"many in a burst. Beyond, 503 with Retry-After; then the connection is cut"),
	LIMIT("known_requests_per_second", 1000, 1, 1000000, "the same for known connections"),
	LIMIT("sources", 16384, 16, 1000000,
		"that are remembered, about 200 bytes each; the least recent is forgotten first"),
	LIMIT("handshake_s", 10, 1, 300, "from the connection to the end of TLS's handshake"),
	LIMIT("login_s", 60, 1, 3600, "to the first right login of a phone"),
	LIMIT("message_s", 10, 1, 300, "from a message's first byte to its last"),
	LIMIT("write_s", 20, 1, 300, "in which a peer must take what we have for it"),
	{"sip.limits.idle_s", LIVE, SIP, NUMBER_ELSE("`expires_max_s` and 300 more", 1, 1000000),
		"without a byte, on a known connection"},
	LIMIT("queue", 128, 8, 999, "messages that wait for one peer"),
	LIMIT("message_size", 65536, 8192, 1048576,
		"of a message; beyond, the connection is closed"),
	LIMIT("body_size", 32768, 512, 1048576,
		"of a message's body, at most `message_size`; beyond, 413 and the connection is "
		"closed"),
	LIMIT("headers", 200, 16, 10000, "header fields of a message; beyond, the same"),
	LIMIT("load_ms", 100, 10, 10000,
		"by which work is late: above it, new calls and registrations get 503 with "
		"Retry-After, strangers' first, more of them the longer it lasts; and all new ones "
		"when the process has had no pause for as long (strangers), ten times as long "
		"(known), thirty times (known, and with credentials), until it has one; requests "
		"in calls never"),
	{"sip.trunks[]", LIVE, SIP, ELSE("none"), "other networks: see below"},
	{TRUNK("name"), LIVE, SIP, REQUIRED, "up to 31 of letters, digits, `-` and `_`; unique",
		"carrier"},
	{TRUNK("group"), LIVE, SIP, ELSE("none"),
		"what several trunks may be called together in the dial plan", "carriers"},
	{TRUNK("address"), LIVE, SIP, REQUIRED,
		"where it is: a numeric address or a host name, maybe with a port; or a domain "
		"without a port, looked up by RFC 3263 (NAPTR, then SRV `_sips._tcp`, then its "
		"address and port 5061). What is found is believed for as long as the DNS says; "
		"where a look-up fails, what was found before",
		"\"[2001:db8::9]:5061\""},
	{TRUNK("tls_name"), LIVE, SIP, ELSE("the host of `address`"),
		"the name that its certificate must carry (subjectAltName), and that is asked for "
		"(SNI); trunks that call us are told apart by it, then by their addresses",
		"sip.carrier.example"},
	{TRUNK("certificate"), LIVE, SIP, ELSE("that of `sip.peering`"),
		"PEM file, certificate and chain: ours where we connect to this trunk"},
	{TRUNK("private_key"), LIVE, SIP, ELSE("that of `sip.peering`"), "PEM file: its key"},
	{TRUNK("credentials[]"), LIVE, SIP, ELSE("none"), "how we answer its challenges"},
	{TRUNK("credentials[].realm"), LIVE, SIP, ELSE("every realm that no other entry names"),
		"realm of the challenge"},
	{TRUNK("credentials[].user"), LIVE, SIP, REQUIRED, "our name there", "sally"},
	{TRUNK("credentials[].password_file"), LIVE, SIP, REQUIRED,
		"its first line is the password; others must not be able to read it (mode 0640 or "
		"less)",
		"/etc/sallyport/carrier.password"},
	{TRUNK("priority"), LIVE, SIP, NUMBER(0, 0, 65535),
		"in a group, lower ones are tried first"},
	{TRUNK("weight"), LIVE, SIP, NUMBER(1, 0, 65535),
		"share of the calls among trunks of one group and priority", "10"},
	{TRUNK("srtp"), LIVE, SIP, ELSE("`sip.srtp`"), "as `sip.srtp`"},
	{TRUNK("suites"), LIVE, SIP, ELSE("`sip.suites`"), "crypto suites, best first"},
	{TRUNK("calls_max"), LIVE, SIP, NUMBER(0, 0, 1000000), "calls at a time; `0`: no limit",
		"120"},
	{TRUNK("calls_per_second"), LIVE, SIP, NUMBER(0, 0, 100000),
		"calls that begin; `0`: no limit", "10"},
	{TRUNK("ping_s"), LIVE, SIP, NUMBER(30, 0, 3600),
		"between OPTIONS to each of its addresses; `0`: none"},
	{TRUNK("ping_failures"), LIVE, SIP, NUMBER(3, 1, 100),
		"so many in a row without an answer take an address out, until it answers again; "
		"so does a call that can't be set up there. Without pings it is tried again after "
		"30 s"},
	{TRUNK("from_domain"), LIVE, SIP, ELSE("`sip.domain`"),
		"host part of our users' addresses there", "sbc.example.com"},
	{TRUNK("trust_identity"), LIVE, SIP, IS("false"),
		"its P-Asserted-Identity is believed, and it is told ours (RFC 3325)", "true"},
	{TRUNK("direction"), LIVE, SIP, IS("both"), "`in`: it calls us; `out`: we call it"},
	{"sip.routes[]", LIVE, SIP, ELSE("none"), "the dial plan: see below"},
	{ROUTE("prefix"), LIVE, SIP, ELSE("every number"),
		"how the number begins: up to 32 digits, `*` and `#`, maybe after a `+`",
		"\"+49\""},
	{ROUTE("from"), LIVE, SIP, IS("any"), "who calls: `users`, a trunk, a group, or `any`",
		"users"},
	{ROUTE("to"), LIVE, SIP, REQUIRED,
		"trunks, groups and `users`, tried one after the other; in a group by priority and "
		"weight; never the trunk that calls",
		"[carrier, backup]"},
	{ROUTE("strip"), LIVE, SIP, NUMBER(0, 0, 32), "characters taken from the number's begin",
		"3"},
	{ROUTE("prepend"), LIVE, SIP, ELSE("nothing"),
		"what is then put before it, of the same characters", "\"0\""},
	{ROUTE("priority"), LIVE, SIP, NUMBER(0, 0, 65535),
		"among entries of one prefix, lower ones are tried first"},
	{"sip.calls.max", LIVE, SIP, NUMBER(0, 0, 1000000),
		"calls at a time; more are answered 503 with Retry-After; `0`: no limit"},
	{"sip.calls.per_user", LIVE, SIP, NUMBER(0, 0, 1000000),
		"of one user, as caller (503) and as called (486); `0`: no limit"},
	{"sip.calls.per_second", LIVE, SIP, NUMBER(0, 0, 100000),
		"calls that begin (503 with Retry-After); `0`: no limit"},
	{"sip.penalties.user_free", LIVE, SIP, NUMBER(5, 1, 1000),
		"failures of one user's name that cost nothing"},
	{"sip.penalties.source_free", LIVE, SIP, NUMBER(20, 1, 100000),
		"failures from one address (IPv6: one /64) that cost nothing"},
	{"sip.penalties.first_s", LIVE, SIP, NUMBER(2, 1, 3600),
		"the first one beyond: for so long no login of that name, or from there, is looked "
		"at; each further one doubles it"},
	{"sip.penalties.max_s", LIVE, SIP, NUMBER(900, 0, 86400),
		"up to so long; `0`: failures cost nothing"},
	{"sip.penalties.forget_s", LIVE, SIP, NUMBER(300, 1, 86400),
		"after which one failure is forgotten"},
	{"sip.penalties.entries", RESTART, SIP, NUMBER(65536, 16, 1048576),
		"names and addresses remembered; beyond, the least guilty are forgotten"},
	{"sip.users_store.wait_ms", LIVE, SIP, NUMBER(250, 10, 2000),
		"for which an answer is waited for; then the server counts as away"},
	{"sip.users_store.cache_s", LIVE, SIP, NUMBER(300, 0, 86400),
		"while it is away, a user that was found within that time still logs in; `0`: none "
		"does"},
	{"sip.records.path", RESTART, SIP, ELSE("none: no records"),
		"the file, absolute; its folder must be writable for `user`. Beside it lies a "
		"journal, `PATH.journal`, of the calls that are up",
		"/var/log/sallyport/calls.jsonl"},
	{"sip.records.rotate_mb", LIVE, SIP, NUMBER(100, 0, 1048576),
		"size at which the file is moved aside, to `PATH.1`, and that to `PATH.2`; `0`: "
		"not for its size"},
	{"sip.records.rotate_hours", LIVE, SIP, NUMBER(24, 0, 8784),
		"the same for each such span of UTC (24: at midnight); `0`: not for its age", "1"},
	{"sip.records.keep", LIVE, SIP, NUMBER(30, 0, 10000), "how many files moved aside are kept",
		"400"},
	{"sip.headers.pass", LIVE, SIP,
		IS("Subject, Priority, Accept-Language, Reason, User-to-User, Answer-Mode, "
		   "Priv-Answer-Mode, Alert-Info, Diversion, History-Info, Identity"),
		"headers that pass. What each side has of its own (Via, Contact, User-Agent and "
		"others) can't be named"},
	{"sip.headers.strip", LIVE, SIP, ELSE("none"),
		"headers that never pass: what the list or a rule below would let pass"},
	{"sip.trace.hep", RESTART, SIP, ELSE("none"),
		"a Homer that gets each message by HEP version 3: `udp:ADDRESS:PORT`, numeric",
		"\"udp:192.0.2.9:9060\""},
	{"sip.trace.hep_id", RESTART, SIP, NUMBER(2001, 0, 4294967295),
		"our number as a capture agent there"},
	{"sip.trace.pcap", RESTART, SIP, ELSE("none"),
		"a file that each message is put into, absolute; in it, each is a UDP datagram "
		"between the two ends, so that Wireshark reads it. A file of an earlier trace is "
		"continued",
		"/var/log/sallyport/sip.pcap"},
	{"sip.trace.pcap_mb", RESTART, SIP, NUMBER(1000, 1, 1048576),
		"size at which that file ends"},
};

const struct config_field *
config_field_of_sip(size_t index)
{
	return index < sizeof(fields) / sizeof(fields[0]) ? &fields[index] : NULL;
}
