/* SPDX-License-Identifier: BSD-3-Clause */
/* What the drivers of DPDK 22.11 offer a relay, by the NIC's PCI vendor and device: the most queues
 * with RSS, and which fields RSS takes where a port's configuration asks for the UDP destination
 * port alone (RTE_ETH_RSS_L4_DST_ONLY). */
#include "tune.h"

static const struct known {
	uint16_t vendor;
	uint16_t device[8]; /* 0: no more */
	const char *name;
	struct tune_offers offers;
	bool bifurcated;
} table[] = {
	{0x8086, {0x10fb, 0x10f9, 0x154d, 0x1528, 0x1557, 0x1563, 0x15ab, 0x15ad},
		"Intel 82599, X540, X550 (ixgbe)", {16, TUNE_RSS_TUPLE, 1, 1}, false},
	{0x8086, {0x1572, 0x1583, 0x1584, 0x1586, 0x1589, 0x158a, 0x158b, 0x15ff},
		"Intel X710, XXV710, XL710 (i40e)", {64, TUNE_RSS_TUPLE, 1, 1}, false},
	{0x8086, {0x1591, 0x1592, 0x1593, 0x1599, 0x159a, 0x159b}, "Intel E810 (ice)",
		{256, TUNE_RSS_TUPLE, 1, 1}, false},
	{0x8086, {0x1889, 0x154c}, "Intel virtual function (iavf)", {16, TUNE_RSS_TUPLE, 1, 1},
		false},
	{0x15b3, {0x1013, 0x1014, 0x1015, 0x1016}, "NVIDIA ConnectX-4 (mlx5)",
		{64, TUNE_RSS_PORT_ADDRESSES, 1, 1}, true},
	{0x15b3, {0x1017, 0x1018, 0x1019, 0x101a}, "NVIDIA ConnectX-5 (mlx5)",
		{64, TUNE_RSS_PORT_ADDRESSES, 1, 1}, true},
	{0x15b3, {0x101b, 0x101c, 0x101d, 0x101e, 0x101f, 0x1021},
		"NVIDIA ConnectX-6, ConnectX-7 (mlx5)", {64, TUNE_RSS_PORT_ADDRESSES, 1, 1}, true},
	{0x14e4, {0x16d6, 0x16d7, 0x16d8, 0x16d9, 0x1750, 0x1751, 0x1752},
		"Broadcom NetXtreme-E (bnxt)", {64, TUNE_RSS_TUPLE, 1, 1}, false},
	{0x1af4, {0x1000, 0x1041}, "virtio", {-1, TUNE_RSS_UNKNOWN, -1, -1}, false},
};

static const struct known *
find(const struct tune_nic *nic)
{
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		for (unsigned d = 0; d < 8 && table[i].device[d] != 0; d++)
			if (table[i].vendor == nic->vendor && table[i].device[d] == nic->device)
				return &table[i];
	return NULL;
}

bool
tune_nic_known(const struct tune_nic *nic, const char **name, struct tune_offers *offers)
{
	const struct known *known = find(nic);

	if (known == NULL)
		return false;
	*name = known->name;
	*offers = known->offers;
	return true;
}

bool
tune_nic_bifurcated(const struct tune_nic *nic)
{
	const struct known *known = find(nic);

	return known != NULL && known->bifurcated;
}
