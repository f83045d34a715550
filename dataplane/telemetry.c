/* SPDX-License-Identifier: BSD-3-Clause */
#include "telemetry.h"

#include "relay/log.h"
#include "stats.h"

#include <errno.h>
#include <rte_eal.h>
#include <rte_telemetry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNTERS_MAX 4096
#define PATH_SIZE 512

static struct {
	char folder[PATH_SIZE]; /* EAL's own */
	char parent[PATH_SIZE]; /* made by EAL as well */
} place;

/* "drop.auth_failed" is no name that the library takes; "drop/auth_failed" is. */
static void
add(struct rte_tel_data *out, const struct relay_counter *counter)
{
	char name[sizeof(counter->name)];

	memcpy(name, counter->name, sizeof(name));
	for (char *at = name; *at != '\0'; at++)
		if (*at == '.' || *at == '-')
			*at = '/';
	rte_tel_data_add_dict_u64(out, name, counter->value);
}

/* All counters that begin with the parameter, as many as one answer holds. */
static int
handle_stats(const char *command, const char *parameters, struct rte_tel_data *out)
{
	const char *prefix = parameters != NULL ? parameters : "";
	struct relay_counter *counters = calloc(COUNTERS_MAX, sizeof(*counters));
	unsigned found = 0;

	(void)command;
	if (counters == NULL)
		return -1;
	unsigned count = stats_collect(counters, COUNTERS_MAX);
	rte_tel_data_start_dict(out);
	for (unsigned i = 0; i < count && found < RTE_TEL_MAX_DICT_ENTRIES; i++)
		if (strncmp(counters[i].name, prefix, strlen(prefix)) == 0) {
			add(out, &counters[i]);
			found++;
		}
	free(counters);
	return 0;
}

void
telemetry_place(const struct config_media *config)
{
	char folder[PATH_SIZE];
	const char *slash = strrchr(config->socket, '/');

	if (slash == NULL || slash == config->socket || getenv("RUNTIME_DIRECTORY") != NULL)
		return;
	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - config->socket), config->socket);
	setenv("RUNTIME_DIRECTORY", folder, 1);
}

int
telemetry_init(void)
{
	snprintf(place.folder, sizeof(place.folder), "%s", rte_eal_get_runtime_dir());
	snprintf(place.parent, sizeof(place.parent), "%s", place.folder);
	char *slash = strrchr(place.parent, '/');
	if (slash != NULL)
		*slash = '\0';
	return rte_telemetry_register_cmd("/sallyport/stats", handle_stats,
		"The relay's counters. Parameter: the beginning of their names, such as drop. or "
		"worker.0.");
}

const char *
telemetry_path(void)
{
	static char path[PATH_SIZE + 32];

	snprintf(path, sizeof(path), "%s/dpdk_telemetry.v2", place.folder);
	return path;
}

void
telemetry_give(uid_t owner, gid_t group)
{
	const char *paths[] = {telemetry_path(), place.folder, place.parent};

	for (unsigned i = 0; i < 3; i++)
		if (chown(paths[i], owner, group) != 0)
			log_warning("%s can't be given to the user: %s", paths[i], strerror(errno));
}

void
telemetry_remove(void)
{
	if (place.folder[0] == '\0')
		return;
	unlink(telemetry_path());
	if (rmdir(place.folder) != 0)
		log_warning("%s is left behind: %s", place.folder, strerror(errno));
	/* another relay may have its own beside it */
	rmdir(place.parent);
}
