/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses, routes and rules, by rtnetlink. */
#include "netdev.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#define MESSAGE_SIZE 512
#define RULE_PRIORITY 5300 /* before the main table, 32766 */

/* A message with room for the attributes that are put into it. */
struct message {
	union {
		char bytes[MESSAGE_SIZE];
		struct nlmsghdr header;
	};
};

static void *
begin(struct message *message, uint16_t type, uint16_t flags, size_t body)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(message->bytes);

	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	return mnl_nlmsg_put_extra_header(header, body);
}

static void
put_ip(struct message *message, uint16_t type, const struct relay_ip *ip)
{
	mnl_attr_put(&message->header, type, ip->family == 4 ? 4 : 16, ip->ip);
}

/* Sends it and waits for the kernel's word. */
static int
carry_out(struct message *message)
{
	char buffer[8192];
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	ssize_t length;
	int result = 0;

	if (socket == NULL)
		return -errno;
	message->header.nlmsg_seq = 1;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) != 0 ||
		mnl_socket_sendto(socket, message->bytes, message->header.nlmsg_len) < 0 ||
		(length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer))) < 0 ||
		mnl_cb_run(buffer, (size_t)length, 1, mnl_socket_get_portid(socket), NULL, NULL) <
			0)
		result = -errno;
	mnl_socket_close(socket);
	return result;
}

int
netdev_add_address(int ifindex, const struct relay_ip *ip, uint8_t prefix_length)
{
	struct message message = {0};
	struct ifaddrmsg *body =
		begin(&message, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(*body));

	body->ifa_family = ip->family == 4 ? AF_INET : AF_INET6;
	body->ifa_prefixlen = prefix_length;
	body->ifa_index = (uint32_t)ifindex;
	put_ip(&message, IFA_LOCAL, ip);
	put_ip(&message, IFA_ADDRESS, ip);
	if (ip->family == 6)
		mnl_attr_put_u32(&message.header, IFA_FLAGS, IFA_F_NODAD);
	return carry_out(&message);
}

static int
add_route(int ifindex, const struct relay_ip *destination, uint8_t prefix_length,
	const struct relay_ip *gateway, uint32_t table)
{
	struct message message = {0};
	struct rtmsg *body =
		begin(&message, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, sizeof(*body));

	body->rtm_family = destination->family == 4 ? AF_INET : AF_INET6;
	body->rtm_dst_len = prefix_length;
	body->rtm_protocol = RTPROT_STATIC;
	body->rtm_scope = gateway != NULL ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	body->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(&message.header, RTA_TABLE, table);
	mnl_attr_put_u32(&message.header, RTA_OIF, (uint32_t)ifindex);
	if (prefix_length > 0)
		put_ip(&message, RTA_DST, destination);
	if (gateway != NULL) {
		put_ip(&message, RTA_GATEWAY, gateway);
		body->rtm_flags = RTNH_F_ONLINK;
	}
	return carry_out(&message);
}

static int
change_rule(uint16_t type, uint16_t flags, const struct relay_ip *ip, uint32_t table)
{
	struct message message = {0};
	struct fib_rule_hdr *body = begin(&message, type, flags, sizeof(*body));

	body->family = ip->family == 4 ? AF_INET : AF_INET6;
	body->src_len = ip->family == 4 ? 32 : 128;
	body->action = FR_ACT_TO_TBL;
	put_ip(&message, FRA_SRC, ip);
	mnl_attr_put_u32(&message.header, FRA_TABLE, table);
	mnl_attr_put_u32(&message.header, FRA_PRIORITY, RULE_PRIORITY);
	return carry_out(&message);
}

int
netdev_add_gateway(int ifindex, const struct relay_ip *ip, uint8_t prefix_length,
	const struct relay_ip *gateway, uint32_t table)
{
	struct relay_ip network = *ip;
	struct relay_ip any = {.family = ip->family};
	int result;

	for (unsigned bit = prefix_length; bit < (ip->family == 4 ? 32 : 128); bit++)
		network.ip[bit / 8] &= (uint8_t) ~(0x80 >> (bit % 8));
	if ((result = add_route(ifindex, &network, prefix_length, NULL, table)) != 0 ||
		(result = add_route(ifindex, &any, 0, gateway, table)) != 0)
		return result;
	result = change_rule(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, ip, table);
	/* left over from one that was killed: the same rule */
	return result == -EEXIST ? 0 : result;
}

int
netdev_remove_gateway(const struct relay_ip *ip, uint32_t table)
{
	return change_rule(RTM_DELRULE, 0, ip, table);
}
