/* SPDX-License-Identifier: BSD-3-Clause */
#include "memory.h"

#include "eal_log.h"
#include "hugepages.h"
#include "lcores.h"
#include "memory_hide.h"
#include "port_rings.h"
#include "relay/log.h"

#include <errno.h>
#include <inttypes.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARGS_MAX 64

/* A frame of 1500 bytes of IP, before it 128 bytes of ours and (AF_XDP) 256 of the kernel's, behind
 * it the room that an engine and the new trailer need. With mbuf and pool header it must fit a
 * page: net_af_xdp makes its frames of the pool's own elements, one for one, without a copy. */
#define DATA_ROOM (RTE_PKTMBUF_HEADROOM + 256 + 2048)
#define CACHE 256

/* With all headers. DPDK lets no buffer cross a page, so that an ordinary page holds just one. */
#define BUFFER_SIZE (DATA_ROOM + sizeof(struct rte_mbuf) + 2 * RTE_CACHE_LINE_SIZE)

/* Buffers that may be away from the pool at a time. net_af_xdp keeps 2048 in each fill ring and up
 * to 2048 on their way out; a NIC's or a TAP's rings take less. */
#define MBUFS_PER_QUEUE 6144
#define MBUFS_PER_WORKER (4096 + 2 * CACHE)

struct memory {
	struct rte_mempool *pool;
	bool hugepages;
	uint32_t mb;
	char description[64];
};

struct eal_args {
	int count;
	bool failed;
	char *argv[ARGS_MAX + 1];
};

static void __attribute__((format(printf, 2, 3)))
add_arg(struct eal_args *args, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	if (args->count == ARGS_MAX || vasprintf(&args->argv[args->count], format, list) < 0) {
		args->argv[args->count] = NULL;
		args->failed = true;
	} else {
		args->count++;
	}
	va_end(list);
}

bool
memory_device_is_pci(const char *device)
{
	size_t digits = strspn(device, "0123456789abcdefABCDEF");
	const char *rest = device + digits;

	/* an optional domain, then bus:device.function */
	if (*rest == ':' && strspn(rest + 1, "0123456789abcdefABCDEF") == 2 && rest[3] == ':')
		rest += 3;
	return digits >= 2 && rest[0] == ':' && strspn(rest + 1, "0123456789abcdefABCDEF") == 2 &&
	       rest[3] == '.' && rest[4] >= '0' && rest[4] <= '7' &&
	       (rest[5] == '\0' || rest[5] == ',');
}

static void
add_devices(struct eal_args *args, const struct config_media *config)
{
	bool pci = false;

	for (unsigned i = 0; i < config->interfaces_count; i++) {
		if (memory_device_is_pci(config->interfaces[i].device)) {
			/* EAL needs to know them at start: they decide how it addresses memory */
			add_arg(args, "--allow=%s", config->interfaces[i].device);
			pci = true;
		}
	}
	if (!pci) {
		add_arg(args, "--no-pci");
		add_arg(args, "--iova-mode=va");
	}
}

/* Hugepages or ordinary pages? Decides by what there is, and says why not. */
static int
choose_pages(
	const struct config_media *config, struct memory *memory, char *error, size_t error_size)
{
	int result;

	if (config->memory_mb > hugepages_available_mb()) {
		snprintf(error, error_size,
			"media.memory_mb: %u MiB, but this machine has only %" PRIu64
			" MiB to give",
			config->memory_mb, hugepages_available_mb());
		return -ENOMEM;
	}
	if (config->memory == CONFIG_MEMORY_ORDINARY)
		return 0;
	result = hugepages_reserve(config->memory_mb);
	memory->hugepages = result == 0;
	if (result == 0)
		return 0;

	const char *cause = result == -EACCES ? "more can't be reserved without root"
	                                      : "the kernel has no more memory in one piece";
	uint32_t pages = (config->memory_mb + 1) / 2;
	if (config->memory == CONFIG_MEMORY_HUGEPAGES || config->shared_memory != NULL) {
		snprintf(error, error_size,
			"media.memory: of %u MiB in hugepages only %" PRIu64
			" are free, and %s: reserve them when the machine starts (sysctl "
			"vm.nr_hugepages=%u), lower media.memory_mb, or set media.memory: auto",
			config->memory_mb, hugepages_free_mb(), cause, pages);
		return result;
	}
	log_warning(
		"no hugepages: of %u MiB only %" PRIu64 " are free, and %s; going on with "
		"ordinary pages, which cost speed with many sessions: sysctl vm.nr_hugepages=%u",
		config->memory_mb, hugepages_free_mb(), cause, pages);
	return 0;
}

static bool
has_memif(const struct config_media *config)
{
	for (unsigned i = 0; i < config->interfaces_count; i++)
		if (strncmp(config->interfaces[i].device, "net_memif", 9) == 0)
			return true;
	return false;
}

static void
add_memory(struct eal_args *args, const struct config_media *config, const struct memory *memory)
{
	/* but for the first, no way shares a file with another process or leaves one behind */
	if (config->shared_memory != NULL) {
		add_arg(args, "--proc-type=primary");
	} else if (memory->hugepages) {
		add_arg(args, "--in-memory");
		/* net_memif hands few descriptors to its peer, and with them all packet memory */
		if (has_memif(config))
			add_arg(args, "--single-file-segments");
	} else {
		add_arg(args, "--no-huge");
		add_arg(args, "--no-shconf");
	}
	add_arg(args, "-m");
	add_arg(args, "%u", memory->mb);
}

/* EAL's folder is empty, for nothing is shared, and later we may have no right to remove it. */
static void
remove_runtime_folder(void)
{
	const char *folder = rte_eal_get_runtime_dir();

	if (folder[0] != '\0' && rmdir(folder) != 0 && errno != ENOENT)
		log_warning("%s is left behind: %s", folder, strerror(errno));
}

static int
start_eal(const struct config_media *config, const struct memory *memory, char *error,
	size_t error_size)
{
	struct eal_args args = {0};
	char *argv[ARGS_MAX + 1];
	char lcores[LCORES_TEXT];
	int result;

	add_arg(&args, "sallyport-media");
	/* telemetry keeps a thread and a socket of its own, and the relay API tells the same */
	if (!config->telemetry)
		add_arg(&args, "--no-telemetry");
	add_arg(&args, "--log-level=error");
	if (config->shared_memory != NULL)
		add_arg(&args, "--file-prefix=%s", config->shared_memory);
	else
		add_arg(&args, "--file-prefix=sallyport-%d-%" PRIx64, getpid(), rte_rdtsc());
	add_memory(&args, config, memory);
	add_devices(&args, config);
	result = lcores_map(config, lcores, sizeof(lcores), error, error_size);
	if (result == 0)
		add_arg(&args, "--lcores=%s", lcores);
	if (result == 0 && args.failed) {
		snprintf(error, error_size, "out of memory");
		result = -ENOMEM;
	}
	if (result == 0) {
		/* EAL may reorder its arguments */
		memcpy(argv, args.argv, sizeof(argv));
		eal_log_hold();
		int started = rte_eal_init(args.count, argv);
		const char *cause = eal_log_release();
		if (!config->telemetry && config->shared_memory == NULL)
			remove_runtime_folder();
		if (started < 0) {
			result = rte_errno != 0 ? -rte_errno : -EIO;
			snprintf(error, error_size, "DPDK can't be started: %s (%s)", cause,
				rte_strerror(-result));
		}
	}
	for (int i = 0; i < args.count; i++)
		free(args.argv[i]);
	return result;
}

static int
create_pool(
	const struct config_media *config, struct memory *memory, char *error, size_t error_size)
{
	unsigned interfaces = config->interfaces_count > 0 ? config->interfaces_count : 1;
	unsigned count = config->workers * (interfaces * MBUFS_PER_QUEUE + MBUFS_PER_WORKER);

	memory->pool = rte_pktmbuf_pool_create(
		PORT_RINGS_POOL, count, CACHE, 0, DATA_ROOM, (int)rte_socket_id());
	if (memory->pool == NULL) {
		int cause = rte_errno;
		snprintf(error, error_size,
			"media.memory_mb: %u MiB do not hold the packet buffers of %u worker(s) "
			"and %u interface(s), which take %u MiB, and the sessions: raise it, or "
			"lower media.workers",
			config->memory_mb, config->workers, interfaces,
			count / 1024 * (memory->hugepages ? (unsigned)BUFFER_SIZE : 4096) / 1024 +
				1);
		return -cause;
	}
	/* net_af_xdp takes the pool's first piece of memory as the frames that the kernel writes */
	for (unsigned i = 0; i < config->interfaces_count && memory->pool->nb_mem_chunks != 1;
		i++) {
		if (strncmp(config->interfaces[i].device, "net_af_xdp", 10) != 0)
			continue;
		snprintf(error, error_size,
			"media.interfaces[%u]: the packet buffers lie in %u pieces of memory, and "
			"net_af_xdp needs them in one: raise media.memory_mb, or use no PCI device "
			"beside it",
			i, memory->pool->nb_mem_chunks);
		return -ENOMEM;
	}
	return 0;
}

int
memory_start(const struct config_media *config, struct memory **out, char *error, size_t error_size)
{
	struct memory *memory = calloc(1, sizeof(*memory));
	int result;

	if (memory == NULL) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	memory->mb = config->memory_mb;
	/* net_tap asks the kernel for a signal at each packet; when the queue of those is full the
	 * kernel sends SIGIO instead, whose default is to end the process */
	signal(SIGIO, SIG_IGN);
	/* net_af_xdp's program goes straight onto its device: as one of several behind a dispatcher
	 * it would be a file below /sys/fs/bpf, which only root could remove in the end */
	setenv("LIBXDP_SKIP_DISPATCHER", "1", 1);
	result = eal_log_start();
	int lock = hugepages_lock();
	if (result == 0)
		result = choose_pages(config, memory, error, error_size);
	if (result == 0)
		result = start_eal(config, memory, error, error_size);
	hugepages_unlock(lock);
	if (result == 0 && (result = memory_hide()) != 0)
		snprintf(error, error_size, "DPDK's memory can't be kept out of core files: %s",
			strerror(-result));
	if (result != 0) {
		/* another program took the pages after they were counted */
		if (memory->hugepages && config->memory == CONFIG_MEMORY_AUTO)
			result = -EAGAIN;
		hugepages_give_back();
		eal_log_stop();
		free(memory);
		return result;
	}
	eal_log_adopt_libraries();
	if (config->poll == CONFIG_POLL_ADAPTIVE && (result = lcores_prefer_workers()) != 0)
		log_info("workers get no preference over other programs: %s; on a machine that is "
			 "busy with those, media may come late",
			strerror(-result));
	snprintf(memory->description, sizeof(memory->description), "%u MiB of %s%s", memory->mb,
		memory->hugepages ? "hugepages" : "ordinary memory",
		config->shared_memory != NULL ? ", shared" : "");
	if (config->shared_memory != NULL)
		log_warning(
			"media.shared_memory: root's DPDK processes can map all packets and keys, "
			"by the name %s: not for a relay in service, unless they are trusted like "
			"it",
			config->shared_memory);
	result = create_pool(config, memory, error, error_size);
	if (result != 0) {
		memory_stop(memory);
		return result;
	}
	*out = memory;
	return 0;
}

void
memory_stop(struct memory *memory)
{
	rte_mempool_free(memory->pool);
	rte_eal_cleanup();
	hugepages_give_back();
	eal_log_stop();
	free(memory);
}

struct rte_mempool *
memory_pool(const struct memory *memory)
{
	return memory->pool;
}

const char *
memory_describe(const struct memory *memory)
{
	return memory->description;
}
