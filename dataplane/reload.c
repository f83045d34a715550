/* SPDX-License-Identifier: BSD-3-Clause */
#include "reload.h"

#include "iface.h"
#include "relay/config_reload.h"
#include "relay/log.h"
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct {
	struct config **config;
	bool ordinary;
} process;

void
reload_init(struct config **config, bool ordinary)
{
	process.config = config;
	process.ordinary = ordinary;
}

static int
load(const struct config *before, struct config **out, struct config_changes *changes, char *error,
	size_t size)
{
	int result = config_load(before->path, out, error, size);

	if (result != 0)
		return result;
	if ((*out)->media.interfaces_count == 0) {
		snprintf(error, size, "%s: media.interfaces: name at least one media interface",
			before->path);
		return -EINVAL;
	}
	if (process.ordinary && (*out)->media.memory == CONFIG_MEMORY_AUTO)
		(*out)->media.memory = CONFIG_MEMORY_ORDINARY;
	result = config_diff(before, *out, CONFIG_READER_MEDIA, changes);
	if (result != 0) {
		snprintf(error, size, "out of memory");
		return result;
	}
	if (changes->restarts == 0)
		return 0;
	config_changes_refusal(changes, before->path, "sallyport-media", error, size);
	return -EPERM;
}

/* Interfaces and addresses are as they were, but for their order. */
static void
follow_address(struct media_address *address, const struct config_interface *config)
{
	for (unsigned i = 0; i < config->addresses_count; i++) {
		const struct config_address *at = &config->addresses[i];
		if (!relay_ip_equal(&at->ip, &address->ip))
			continue;
		bool moved = at->port_first != address->config->port_first ||
		             at->port_last != address->config->port_last;
		address->config = at;
		if (moved)
			media_address_offer(address, at->port_first, at->port_last);
	}
}

static void
follow_interface(struct iface *iface, const struct config_media *media)
{
	for (unsigned i = 0; i < media->interfaces_count; i++) {
		const struct config_interface *config = &media->interfaces[i];
		if (strcmp(config->name, iface->config->name) != 0)
			continue;
		for (unsigned k = 0; k < iface->addresses_count; k++)
			follow_address(iface->addresses[k], config);
		__atomic_store_n(&iface->dscp, (uint8_t)config->dscp, __ATOMIC_RELAXED);
		iface->config = config;
		return;
	}
}

/* Nothing of it can fail. */
static void
put_in_force(struct config *config, const struct config_changes *changes)
{
	config_changes_log(changes, config->path, "");
	for (unsigned i = 0; i < ifaces_count; i++)
		follow_interface(ifaces[i], &config->media);
	sessions_configure(&config->media);
	log_set_level(config->log_level);
	config_free(*process.config);
	*process.config = config;
}

static void
copy_text(char *to, size_t size, const char *from)
{
	if ((size_t)snprintf(to, size, "%s", from) >= size)
		memcpy(to + size - 4, "...", 4);
}

int
reload(bool apply, struct relay_config_reply *out, unsigned room, char *error, size_t size)
{
	struct config_changes changes = {.at = NULL};
	struct config *config = NULL;
	int result = load(*process.config, &config, &changes, error, size);

	for (size_t i = 0; result == 0 && out != NULL && i < changes.count && i < room; i++) {
		struct relay_config_row *row = &out->row[out->count++];
		*row = (struct relay_config_row){.flags = 0};
		copy_text(row->field, sizeof(row->field), changes.at[i].field);
		copy_text(row->before, sizeof(row->before), changes.at[i].before);
		copy_text(row->value, sizeof(row->value), changes.at[i].after);
	}
	if (result == 0 && out != NULL)
		out->cursor = changes.count;
	if (result == 0 && apply)
		put_in_force(config, &changes);
	else
		config_free(config);
	if (result != 0)
		log_error("nothing is changed: %s", error);
	config_changes_free(&changes);
	return result;
}

int
reload_show(uint64_t cursor, struct relay_config_reply *out, unsigned room)
{
	struct config_values values;
	int result = config_values_read(*process.config, CONFIG_READER_MEDIA, &values);
	uint64_t i = cursor;

	for (; result == 0 && i < values.count && out->count < room; i++) {
		const struct config_value *value = &values.at[i];
		struct relay_config_row *row = &out->row[out->count];
		if (value->text[0] == '\0') /* an entry as such has no value */
			continue;
		*row = (struct relay_config_row){.flags = value->is_set ? 0 : RELAY_CONFIG_DEFAULT};
		if (value->kind->reload == CONFIG_RESTART)
			row->flags |= RELAY_CONFIG_RESTART;
		copy_text(row->field, sizeof(row->field), value->field);
		copy_text(row->value, sizeof(row->value), value->text);
		out->count++;
	}
	if (result == 0)
		out->cursor = i < values.count ? i : 0;
	config_values_free(&values);
	return result;
}
