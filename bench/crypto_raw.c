/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rival: ipsec-mb without anything of ours around it, by whichever of its interfaces, in
 * whichever of its variants, is the fastest for the point in hand. All are tried before each point,
 * on its own packets, so that it's never judged by the wrong one.
 *
 * It reads the same descriptions of packets (struct crypto_op) and the same keys, in the same
 * memory, as the relay's engines; nothing is done for a packet twice, and what never changes of a
 * job is filled in once.
 */
#include "crypto_raw.h"

#include <stdio.h>

#define WAYS_MAX 32
#define TRIAL_PACKETS 2048
#define TRIALS 7

static const char *const arch_names[RAW_ARCHS] = {"SSE", "AVX", "AVX2", "AVX512"};

/* One way of doing it. */
struct way {
	char name[64];
	raw_run run;
	IMB_MGR *rx, *tx, *hash, *cipher;
	uint64_t best; /* TSC cycles of the quickest trial */
};

struct rival {
	struct raw raw;
	IMB_MGR *gcm_rx, *gcm_tx;
	struct way way[WAYS_MAX];
	const struct way *chosen;
	bool tell; /* what each way took */
};

static IMB_MGR *
make_manager(unsigned arch)
{
	static void (*const init[RAW_ARCHS])(IMB_MGR *) = {
		init_mb_mgr_sse, init_mb_mgr_avx, init_mb_mgr_avx2, init_mb_mgr_avx512};
	static const uint64_t needs[RAW_ARCHS] = {
		IMB_CPUFLAGS_SSE, IMB_CPUFLAGS_AVX, IMB_CPUFLAGS_AVX2, IMB_CPUFLAGS_AVX512};
	IMB_MGR *manager;

	if ((imb_get_feature_flags() & needs[arch]) != needs[arch])
		return NULL;
	manager = alloc_mb_mgr(0);
	if (manager == NULL)
		fail("no memory for ipsec-mb");
	init[arch](manager);
	if (imb_get_errno(manager) != 0) {
		free_mb_mgr(manager);
		return NULL;
	}
	return manager;
}

/* --- the ways there are --- */

static void
add_way(struct rival *rival, unsigned *ways, const char *name, raw_run run, IMB_MGR *rx,
	IMB_MGR *tx)
{
	struct way *way = &rival->way[(*ways)++];

	*way = (struct way){.run = run, .rx = rx, .tx = tx, .hash = rx, .cipher = tx};
	snprintf(way->name, sizeof(way->name), "%s", name);
}

static unsigned
list_cm(struct rival *rival)
{
	const struct raw_managers *managers = &rival->raw.managers;
	unsigned ways = 0;
	char name[64];

	for (unsigned arch = 0; arch < RAW_ARCHS; arch++) {
		IMB_MGR *rx = managers->rx[arch], *tx = managers->tx[arch];
		if (rx == NULL)
			continue;
		raw_cm_prepare(rx->jobs, IMB_MAX_JOBS, false);
		raw_cm_prepare(tx->jobs, IMB_MAX_JOBS, true);
		snprintf(name, sizeof(name), "SUBMIT_JOB (%s)", arch_names[arch]);
		add_way(rival, &ways, name, raw_cm_job, rx, tx);
		snprintf(name, sizeof(name), "SUBMIT_BURST (%s)", arch_names[arch]);
		add_way(rival, &ways, name, raw_cm_burst, rx, tx);
		for (unsigned other = 0; other < RAW_ARCHS; other++) {
			if (managers->rx[other] == NULL)
				continue;
			snprintf(name, sizeof(name), "HASH_BURST (%s) + CIPHER_BURST (%s)",
				arch_names[arch], arch_names[other]);
			if (other == arch)
				snprintf(name, sizeof(name), "HASH_BURST+CIPHER_BURST (%s)",
					arch_names[arch]);
			add_way(rival, &ways, name, raw_cm_split, rx, managers->tx[other]);
		}
	}
	raw_cm_prepare(rival->raw.job, BURST_MAX, false);
	return ways;
}

/* The tables of a GCM key are of one variant: the library's own choice made them. */
static unsigned
list_gcm(struct rival *rival)
{
	IMB_MGR *rx = rival->gcm_rx, *tx = rival->gcm_tx;
	unsigned ways = 0;

	raw_gcm_prepare(rx->jobs, IMB_MAX_JOBS, false);
	raw_gcm_prepare(tx->jobs, IMB_MAX_JOBS, true);
	add_way(rival, &ways, "AES128_GCM_DEC/ENC", raw_gcm_direct, rx, tx);
	add_way(rival, &ways, "SUBMIT_JOB", raw_gcm_job, rx, tx);
	add_way(rival, &ways, "SUBMIT_BURST", raw_gcm_burst, rx, tx);
	return ways;
}

/* --- as contestant --- */

static void
take_way(struct rival *rival, const struct way *way)
{
	rival->chosen = way;
	rival->raw.rx = way->rx;
	rival->raw.tx = way->tx;
	rival->raw.hash = way->hash;
	rival->raw.cipher = way->cipher;
}

static unsigned
rival_run(void *opaque, struct crypto_op *const ops[], unsigned n, unsigned first)
{
	struct rival *rival = opaque;

	(void)first;
	return rival->chosen->run(&rival->raw, ops, n);
}

/* Tries all ways in turn, several times, and takes the one whose quickest time was the best. */
static bool
rival_ready(void *opaque, const struct pool *pool)
{
	struct rival *rival = opaque;
	struct contestant self = {
		.name = "raw-ipsec-mb in its trials", .run = rival_run, .state = rival};
	unsigned ways = pool->point.suite == RELAY_SUITE_AEAD_AES_128_GCM ? list_gcm(rival)
	                                                                  : list_cm(rival);
	const struct way *best = &rival->way[0];

	for (unsigned trial = 0; trial < TRIALS; trial++) {
		for (unsigned i = 0; i < ways; i++) {
			struct way *way = &rival->way[i];
			struct pass pass;
			take_way(rival, way);
			measure_pass(&self, pool, 0,
				pool->count < TRIAL_PACKETS ? pool->count : TRIAL_PACKETS,
				trial == 0 && i == 0 ? OUTCOME_RECORD : OUTCOME_COMPARE, NULL,
				&pass);
			if (way->best == 0 || pass.cycles < way->best)
				way->best = pass.cycles;
		}
	}
	for (unsigned i = 0; i < ways; i++) {
		if (rival->tell)
			fprintf(stderr, "\n    %-45s %.1f ns", rival->way[i].name,
				(double)rival->way[i].best / measure_tsc_rate() / TRIAL_PACKETS);
		if (rival->way[i].best < best->best)
			best = &rival->way[i];
	}
	take_way(rival, best);
	return true;
}

static const char *
rival_interface(void *opaque)
{
	const struct rival *rival = opaque;

	return rival->chosen->name;
}

static IMB_MGR *
make_gcm_manager(void)
{
	IMB_MGR *manager = alloc_mb_mgr(0);
	IMB_ARCH arch;

	if (manager == NULL)
		fail("no memory for ipsec-mb");
	init_mb_mgr_auto(manager, &arch);
	return manager;
}

bool
raw_contestant(struct contestant *contestant, bool tell)
{
	struct rival *rival = memory_take(sizeof(*rival));
	unsigned archs = 0;

	for (unsigned arch = 0; arch < RAW_ARCHS; arch++) {
		rival->raw.managers.rx[arch] = make_manager(arch);
		rival->raw.managers.tx[arch] = make_manager(arch);
		archs += rival->raw.managers.rx[arch] != NULL;
	}
	if (archs == 0) {
		fprintf(stderr, "crypto: without raw-ipsec-mb: this CPU has not even the SSE and "
				"AES-NI that it needs\n");
		return false;
	}
	rival->tell = tell;
	rival->gcm_rx = make_gcm_manager();
	rival->gcm_tx = make_gcm_manager();
	*contestant = (struct contestant){.name = "raw-ipsec-mb",
		.run = rival_run,
		.ready = rival_ready,
		.interface = rival_interface,
		.state = rival};
	return true;
}
