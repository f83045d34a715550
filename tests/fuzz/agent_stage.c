/* SPDX-License-Identifier: BSD-3-Clause */
#include "agent_stage.h"

#include "control/admission.h"
#include "control/b2bua.h"
#include "control/call_limits.h"
#include "control/generation.h"
#include "control/trunk.h"
#include "fuzz.h"
#include "relay/log.h"

#include <sofia-sip/su.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/su_tag.h>

static const char text[] =
	"sip:\n  address: 192.0.2.2\n  domain: home.example\n"
	"  certificate: /etc/sallyport/certificate.pem\n  private_key: /etc/sallyport/key.pem\n"
	"  ca: /etc/sallyport/ca.pem\n  peering: {address: 192.0.2.2, port: 5062}\n"
	"  trunks:\n    - name: carrier\n      address: 192.0.2.9\n"
	"      tls_name: carrier.example\n      calls_per_second: 5\n"
	"  control_socket: %s\n";

static void
on_relay(void *arg)
{
}

static void
silence(void *stream, char const *format, va_list args)
{
}

static const struct config *
configure(const char *socket)
{
	const char *path = fuzz_path("sip.yaml");
	struct config *config;
	char error[512], whole[sizeof(text) + FUZZ_PATH_SIZE];
	int length = snprintf(whole, sizeof(whole), text, socket);

	fuzz_write(path, whole, (size_t)length);
	demand(config_load(path, &config, error, sizeof(error)) == 0, error);
	generation_switch(generation_create(config));
	return generation_config();
}

struct agent *
agent_stage(const char *socket)
{
	static const struct media_callbacks callbacks = {.lost = on_relay, .found = on_relay};
	static struct agent agent;

	log_set_level(LOG_LEVEL_ERROR);
	su_init();
	su_log_redirect(NULL, silence, NULL);
	agent.config = configure(socket);
	agent.root = su_root_create(NULL);
	demand(admission_start(agent.root, &agent.config->sip.limits) == 0, "no admission");
	agent.nta = nta_agent_create(agent.root, URL_STRING_MAKE("sip:127.0.0.1:0;transport=tcp"),
		NULL, NULL, TAG_END());
	agent.media = media_create(agent.root, fuzz_path("nobody.sock"), &callbacks);
	agent.registrar = registrar_create(agent.root, &agent.config->sip);
	agent.limits = call_limits_create(&agent.config->sip);
	demand(trunks_create(&agent, &agent.trunks) == 0, "no trunks");
	agent.b2bua = b2bua_create(&agent);
	demand(agent.nta != NULL && agent.media != NULL && agent.registrar != NULL &&
			agent.limits != NULL && agent.b2bua != NULL,
		"no agent");
	return &agent;
}
