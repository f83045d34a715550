/* SPDX-License-Identifier: BSD-3-Clause */
/* What only the kernel's driver can tell: of the real system by ioctl (ethtool's), of another root
 * from ethtool/NETDEV.json in it. */
#include "tune.h"

#include <errno.h>
#include <jansson.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define FILE_SIZE 4096

static enum tune_rss
rss_of(uint64_t fields)
{
	uint64_t addresses = fields & (RXH_IP_SRC | RXH_IP_DST);
	uint64_t ports = fields & (RXH_L4_B_0_1 | RXH_L4_B_2_3);

	if (fields == 0)
		return TUNE_RSS_NONE;
	if (ports == RXH_L4_B_2_3)
		return addresses == 0 ? TUNE_RSS_PORT : TUNE_RSS_PORT_ADDRESSES;
	return ports == 0 ? TUNE_RSS_ADDRESSES : TUNE_RSS_TUPLE;
}

static bool
ask(int fd, const char *netdev, void *command)
{
	struct ifreq request = {0};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", netdev);
	request.ifr_data = command;
	return ioctl(fd, SIOCETHTOOL, &request) == 0;
}

static void
ask_driver(const char *netdev, struct tune_offers *offers)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ethtool_rxnfc hash = {.cmd = ETHTOOL_GRXFH, .flow_type = UDP_V4_FLOW};
	struct ethtool_value tx = {.cmd = ETHTOOL_GTXCSUM}, rx = {.cmd = ETHTOOL_GRXCSUM};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (ask(fd, netdev, &channels)) {
		unsigned most = channels.max_combined > channels.max_rx ? channels.max_combined
		                                                        : channels.max_rx;
		offers->queues = most > 0 && most < 65536 ? (int)most : -1;
	}
	if (ask(fd, netdev, &hash))
		offers->rss = rss_of(hash.data);
	else if (errno == EOPNOTSUPP && offers->queues == 1)
		offers->rss = TUNE_RSS_NONE;
	if (ask(fd, netdev, &tx))
		offers->tx_checksum = tx.data != 0;
	if (ask(fd, netdev, &rx))
		offers->rx_checksum = rx.data != 0;
	close(fd);
}

/* "sdfn", the letters of ethtool -N rx-flow-hash */
static enum tune_rss
rss_of_letters(const char *letters)
{
	uint64_t fields = 0;

	fields |= strchr(letters, 's') != NULL ? RXH_IP_SRC : 0;
	fields |= strchr(letters, 'd') != NULL ? RXH_IP_DST : 0;
	fields |= strchr(letters, 'f') != NULL ? RXH_L4_B_0_1 : 0;
	fields |= strchr(letters, 'n') != NULL ? RXH_L4_B_2_3 : 0;
	return rss_of(fields);
}

static void
read_fixture(const struct tune *tune, const char *netdev, struct tune_offers *offers)
{
	char text[FILE_SIZE];
	long length = tune_read(&tune->root, text, sizeof(text), "/ethtool/%s.json", netdev);
	json_t *all = length > 0 ? json_loadb(text, (size_t)length, 0, NULL) : NULL;
	json_t *queues = json_object_get(all, "queues"), *rss = json_object_get(all, "rss_udp4");
	json_t *tx = json_object_get(all, "tx_checksum"), *rx = json_object_get(all, "rx_checksum");

	if (json_is_integer(queues) && json_integer_value(queues) > 0 &&
		json_integer_value(queues) < 65536)
		offers->queues = (int)json_integer_value(queues);
	if (json_is_string(rss))
		offers->rss = rss_of_letters(json_string_value(rss));
	if (json_is_boolean(tx))
		offers->tx_checksum = json_is_true(tx);
	if (json_is_boolean(rx))
		offers->rx_checksum = json_is_true(rx);
	json_decref(all);
}

void
tune_ethtool(const struct tune *tune, const char *netdev, struct tune_offers *offers)
{
	if (tune->root.real)
		ask_driver(netdev, offers);
	else
		read_fixture(tune, netdev, offers);
}
