/* SPDX-License-Identifier: BSD-3-Clause */
#include "certificates.h"

#include "counters.h"
#include "relay/log.h"
#include "tls_context.h"

#include <errno.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define HOUR_MS (3600 * 1000)
#define DAY_S 86400
#define NAME_SIZE 256

static const int thresholds[] = {30, 7, 1, 0}; /* days */
#define THRESHOLDS (sizeof(thresholds) / sizeof(thresholds[0]))

static su_timer_t *timer;

/* What has been said of which certificate of a role. */
static struct said {
	time_t expires; /* tells one from the next in its place */
	size_t count;   /* thresholds that are behind us */
} said[TLS_ROLES];

static time_t
time_of(const ASN1_TIME *time_in)
{
	struct tm parts;

	return ASN1_TIME_to_tm(time_in, &parts) == 1 ? timegm(&parts) : 0;
}

struct look {
	unsigned role;
	time_t now;
};

static void
look_at(void *arg, const struct tls_paths *paths, const X509 *certificate)
{
	struct look *look = arg;
	struct said *at = &said[look->role++];
	time_t expires = time_of(X509_get0_notAfter(certificate));
	size_t behind = 0;

	while (behind < THRESHOLDS && expires - look->now < (time_t)thresholds[behind] * DAY_S)
		behind++;
	if (at->expires != expires)
		*at = (struct said){.expires = expires};
	if (behind <= at->count)
		return;
	at->count = behind;
	counters_add(COUNTER_CERTIFICATE_WARNINGS);
	if (expires <= look->now)
		log_error("%s.certificate: %s has expired: renew it, and send SIGHUP",
			paths->section, paths->certificate);
	else
		log_warning("%s.certificate: %s expires in %ld day(s): renew it, and send SIGHUP",
			paths->section, paths->certificate, (long)((expires - look->now) / DAY_S));
}

void
certificates_look(void)
{
	struct look look = {.now = time(NULL)};

	tls_context_each(look_at, &look);
}

static void
on_timer(su_root_magic_t *magic, su_timer_t *which, su_timer_arg_t *arg)
{
	certificates_look();
}

int
certificates_start(su_root_t *root)
{
	timer = su_timer_create(su_root_task(root), HOUR_MS);
	if (timer == NULL || su_timer_set_for_ever(timer, on_timer, NULL) != 0)
		return -ENOMEM;
	certificates_look();
	return 0;
}

void
certificates_stop(void)
{
	su_timer_destroy(timer);
	timer = NULL;
}

static json_t *
names_of(const X509 *certificate)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	json_t *list = json_array();

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *at = sk_GENERAL_NAME_value(names, i);
		if (at->type == GEN_DNS || at->type == GEN_URI)
			json_array_append_new(
				list, json_stringn((const char *)ASN1_STRING_get0_data(at->d.ia5),
					      (size_t)ASN1_STRING_length(at->d.ia5)));
	}
	GENERAL_NAMES_free(names);
	return list;
}

static void
list_one(void *arg, const struct tls_paths *paths, const X509 *certificate)
{
	json_t *rows = arg;
	char subject[NAME_SIZE] = "", issuer[NAME_SIZE] = "", until[32];
	time_t expires = time_of(X509_get0_notAfter(certificate));
	struct tm parts;

	X509_NAME_oneline(X509_get_subject_name(certificate), subject, sizeof(subject));
	X509_NAME_oneline(X509_get_issuer_name(certificate), issuer, sizeof(issuer));
	gmtime_r(&expires, &parts);
	strftime(until, sizeof(until), "%Y-%m-%dT%H:%M:%SZ", &parts);
	json_array_append_new(rows,
		json_pack("{s:s,s:s,s:s,s:s,s:o,s:s,s:I,s:I}", "section", paths->section, "file",
			paths->certificate, "subject", subject, "issuer", issuer, "names",
			names_of(certificate), "expires", until, "expires_at", (json_int_t)expires,
			"days", (json_int_t)((expires - time(NULL)) / DAY_S)));
}

void
certificates_list(json_t *rows)
{
	tls_context_each(list_one, rows);
}
