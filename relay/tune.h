/* SPDX-License-Identifier: BSD-3-Clause */
/* What sallyctl tune knows of a box, and says of it. One process, one thread, one struct tune. */
#ifndef RELAY_TUNE_H
#define RELAY_TUNE_H

#include "config.h"
#include "tune_files.h"
#include "tune_list.h"
#include "tune_report.h"

#define TUNE_NODES_MAX 16
#define TUNE_NICS_MAX 64

enum tune_rss { /* what decides which queue gets a UDP packet */
	TUNE_RSS_UNKNOWN,
	TUNE_RSS_NONE,
	TUNE_RSS_PORT,           /* its destination port alone */
	TUNE_RSS_PORT_ADDRESSES, /* its destination port and both addresses */
	TUNE_RSS_ADDRESSES,      /* both addresses */
	TUNE_RSS_TUPLE,          /* both addresses, both ports */
};

/* What a NIC's driver offers. -1: not known. */
struct tune_offers {
	int queues; /* pairs, at most */
	enum tune_rss rss;
	int tx_checksum; /* 1: it makes them */
	int rx_checksum; /* 1: it looks at them */
};

struct tune_nic {
	char pci[16];    /* "0000:3b:00.0"; "": not on the PCI bus */
	char netdev[16]; /* the kernel's name; "": it has none */
	char driver[32]; /* "": none */
	uint16_t vendor;
	uint16_t device;
	int node;       /* -1: not known */
	long mbps;      /* -1: not known */
	bool own;       /* it carries addresses or routes of the box itself */
	bool media;     /* the configuration names it; without one: it may be used */
	bool by_kernel; /* it is used through the kernel's driver: AF_XDP, AF_PACKET */
	struct tune_offers offers;
};

struct tune {
	struct tune_root root;
	const struct config *config; /* NULL: none was found */
	char config_path[256];
	char flags[8192];   /* of the first CPU, a blank before and after each */
	char cmdline[4096]; /* of the kernel */
	bool intel;
	bool virtual_machine;
	struct tune_cpus online;
	struct tune_cpus isolated;
	struct tune_cpus workers; /* media.cpus; without: a proposal, maybe empty */
	bool workers_named;       /* media.cpus names them */
	unsigned nodes;           /* how many */
	int node[TUNE_NODES_MAX]; /* their numbers */
	struct tune_cpus node_cpus[TUNE_NODES_MAX];
	bool node_media[TUNE_NODES_MAX]; /* packets live there */
	struct tune_nic nic[TUNE_NICS_MAX];
	unsigned nics;
	struct tune_report report;
};

/* The facts that the lines below are judged by, in this order. */
void tune_find_cpus(struct tune *tune);
void tune_find_nics(struct tune *tune);
void tune_choose_workers(struct tune *tune); /* and which nodes packets live on */

/* Lines of the report, one subject each. */
void tune_judge_cpus(struct tune *tune);
void tune_judge_workers(struct tune *tune);
void tune_judge_kernel(struct tune *tune); /* what disturbs a worker */
void tune_judge_memory(struct tune *tune);
void tune_judge_vfio(struct tune *tune);
void tune_judge_nics(struct tune *tune);

/* Is this flag one of the first CPU's, as /proc/cpuinfo spells it? */
bool tune_has_flag(const struct tune *tune, const char *flag);
unsigned tune_workers_wanted(const struct tune *tune); /* media.workers, or its default */
uint32_t tune_memory_wanted(const struct tune *tune);  /* MiB: media.memory_mb, or its default */
/* The node that a CPU belongs to, or -1. */
int tune_node_of(const struct tune *tune, unsigned cpu);
/* CPUs that share this one's core, itself too. */
struct tune_cpus tune_siblings(const struct tune *tune, unsigned cpu);
/* The pid of a process of this name (at most 15 characters), or 0. */
long tune_process_find(const struct tune *tune, const char *name);
/* MiB of hugepages of a node, all and free ones. */
void tune_hugepages(const struct tune *tune, int node, long *total_mb, long *free_mb);
/* Does the NIC's DPDK driver work beside the kernel's, so that vfio-pci is not for it? */
bool tune_nic_bifurcated(const struct tune_nic *nic);
/* Its name, and what DPDK's driver offers, by vendor and device. False: not in the table. */
bool tune_nic_known(const struct tune_nic *nic, const char **name, struct tune_offers *offers);
/* "0000:3b:00.0": is it the address of a PCI device? */
bool tune_pci_is(const char *text);
/* What the kernel's driver says: by ioctl of the real system, else from a fixture's file. */
void tune_ethtool(const struct tune *tune, const char *netdev, struct tune_offers *offers);

/* Parameters that the kernel's command line lacks, "" if none; they want a reboot. */
void tune_boot_parameters(const struct tune *tune, char *text, size_t size);

#define TUNE_BINDS_MAX 16

/* Does what is safe at run time, and notes it in the report: what was done, what was not, and why.
 * `binds`: PCI addresses to be bound to vfio-pci though they carry the box's own addresses. */
void tune_apply(struct tune *tune, const char *const binds[], unsigned count);

#endif
