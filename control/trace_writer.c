/* SPDX-License-Identifier: BSD-3-Clause */
#include "trace_writer.h"

#include "relay/log.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUEUE_MAX 8192 /* messages */
#define QUEUE_BYTES_MAX (16 * 1024 * 1024)
#define PACKET_MAX (TRACE_DATAGRAM_MAX + 48) /* with IPv6's and UDP's headers */

struct trace_writer {
	pthread_t thread;
	bool started;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	/* under the mutex */
	struct trace_message *first, **last;
	unsigned count;
	size_t bytes;
	uint64_t lost;
	bool ending;
	/* the thread's */
	struct config_trace config; /* a copy: it outlives the configuration */
	int fd;                     /* of HEP; -1: none */
	pcap_t *format;             /* of the file; NULL: none */
	pcap_dumper_t *file;        /* NULL: none, or it was ended */
	bool complained;            /* about what could not be sent */
	uint8_t packet[PACKET_MAX];
};

static void
count_lost(struct trace_writer *writer)
{
	pthread_mutex_lock(&writer->mutex);
	writer->lost++;
	pthread_mutex_unlock(&writer->mutex);
}

static void
send_hep(struct trace_writer *writer, const struct trace_message *message)
{
	size_t length = trace_hep_encode(
		message, writer->config.hep_id, writer->packet, sizeof(writer->packet));

	if (length == 0)
		return;
	if (send(writer->fd, writer->packet, length, MSG_DONTWAIT | MSG_NOSIGNAL) ==
		(ssize_t)length) {
		writer->complained = false;
		return;
	}
	if (!writer->complained)
		log_warning("sip.trace.hep: %s takes no message: %s", writer->config.hep,
			strerror(errno));
	writer->complained = true;
	count_lost(writer);
}

static void
end_file(struct trace_writer *writer, const char *why)
{
	log_error("sip.trace.pcap: %s: the trace ends: %s", writer->config.pcap, why);
	pcap_dump_close(writer->file);
	writer->file = NULL;
}

static void
write_pcap(struct trace_writer *writer, const struct trace_message *message)
{
	size_t length = trace_ip_encode(message, writer->packet, sizeof(writer->packet));
	struct pcap_pkthdr header = {
		.ts = {.tv_sec = message->at.tv_sec, .tv_usec = message->at.tv_nsec / 1000},
		.caplen = (bpf_u_int32)length,
		.len = (bpf_u_int32)length,
	};

	if (length == 0)
		return;
	pcap_dump((unsigned char *)writer->file, &header, writer->packet);
	if (pcap_dump_ftell64(writer->file) >= (int64_t)writer->config.pcap_mb * 1024 * 1024)
		end_file(writer, "it has reached sip.trace.pcap_mb");
}

static void
write_one(struct trace_writer *writer, const struct trace_message *message)
{
	if (writer->fd >= 0)
		send_hep(writer, message);
	if (writer->file != NULL)
		write_pcap(writer, message);
	else if (writer->format != NULL)
		count_lost(writer);
}

static void *
run(void *arg)
{
	struct trace_writer *writer = arg;

	pthread_mutex_lock(&writer->mutex);
	for (;;) {
		while (writer->first == NULL && !writer->ending)
			pthread_cond_wait(&writer->changed, &writer->mutex);
		struct trace_message *at = writer->first;
		if (at == NULL)
			break;
		writer->first = NULL;
		writer->last = &writer->first;
		writer->count = 0;
		writer->bytes = 0;
		pthread_mutex_unlock(&writer->mutex);
		while (at != NULL) {
			struct trace_message *next = at->next;
			write_one(writer, at);
			free(at);
			at = next;
		}
		if (writer->file != NULL && pcap_dump_flush(writer->file) != 0)
			end_file(writer, strerror(errno));
		pthread_mutex_lock(&writer->mutex);
	}
	pthread_mutex_unlock(&writer->mutex);
	return NULL;
}

static int
open_hep(struct trace_writer *writer, char *error, size_t error_size)
{
	const struct relay_addr *to = &writer->config.hep_address;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at = {.any.sa_family = AF_UNSPEC};
	bool is_v6 = to->ip.family == 6;

	if (is_v6) {
		at.v6.sin6_family = AF_INET6;
		at.v6.sin6_port = htons(to->port);
		memcpy(&at.v6.sin6_addr, to->ip.ip, 16);
	} else {
		at.v4.sin_family = AF_INET;
		at.v4.sin_port = htons(to->port);
		memcpy(&at.v4.sin_addr, to->ip.ip, 4);
	}
	writer->fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (writer->fd >= 0 &&
		connect(writer->fd, &at.any, is_v6 ? sizeof(at.v6) : sizeof(at.v4)) == 0)
		return 0;
	int result = -errno;
	snprintf(error, error_size, "sip.trace.hep: no way to %s: %s", writer->config.hep,
		strerror(-result));
	return result;
}

/* Goes on with the file of an earlier life. It is for its owner's eyes: it holds who calls whom. */
static int
open_pcap(struct trace_writer *writer, char *error, size_t error_size)
{
	const char *path = writer->config.pcap;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0) {
		int result = -errno;
		snprintf(error, error_size, "sip.trace.pcap: %s can't be written: %s", path,
			strerror(-result));
		return result;
	}
	close(fd);
	writer->format = pcap_open_dead(DLT_RAW, PACKET_MAX);
	if (writer->format != NULL)
		writer->file = pcap_dump_open_append(writer->format, path);
	if (writer->file != NULL)
		return 0;
	snprintf(error, error_size, "sip.trace.pcap: %s is no capture that can be continued: %s",
		path, writer->format != NULL ? pcap_geterr(writer->format) : "out of memory");
	return -EINVAL;
}

int
trace_writer_create(const struct config_trace *config, struct trace_writer **out, char *error,
	size_t error_size)
{
	struct trace_writer *writer = calloc(1, sizeof(*writer));
	int result = 0;

	if (writer == NULL) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	writer->fd = -1;
	writer->config = *config;
	writer->config.hep = config->hep != NULL ? strdup(config->hep) : NULL;
	writer->config.pcap = config->pcap != NULL ? strdup(config->pcap) : NULL;
	writer->last = &writer->first;
	pthread_mutex_init(&writer->mutex, NULL);
	pthread_cond_init(&writer->changed, NULL);
	if ((config->hep != NULL && writer->config.hep == NULL) ||
		(config->pcap != NULL && writer->config.pcap == NULL)) {
		snprintf(error, error_size, "out of memory");
		result = -ENOMEM;
	}
	if (result == 0 && config->hep != NULL)
		result = open_hep(writer, error, error_size);
	if (result == 0 && config->pcap != NULL)
		result = open_pcap(writer, error, error_size);
	if (result == 0) {
		result = -pthread_create(&writer->thread, NULL, run, writer);
		writer->started = result == 0;
		if (result != 0)
			snprintf(error, error_size, "sip.trace: no thread: %s", strerror(-result));
	}
	if (result != 0) {
		trace_writer_destroy(writer);
		return result;
	}
	*out = writer;
	return 0;
}

void
trace_writer_destroy(struct trace_writer *writer)
{
	if (writer == NULL)
		return;
	if (writer->started) {
		pthread_mutex_lock(&writer->mutex);
		writer->ending = true;
		pthread_cond_signal(&writer->changed);
		pthread_mutex_unlock(&writer->mutex);
		pthread_join(writer->thread, NULL);
	}
	if (writer->file != NULL)
		pcap_dump_close(writer->file);
	if (writer->format != NULL)
		pcap_close(writer->format);
	if (writer->fd >= 0)
		close(writer->fd);
	pthread_cond_destroy(&writer->changed);
	pthread_mutex_destroy(&writer->mutex);
	free(writer->config.hep);
	free(writer->config.pcap);
	free(writer);
}

bool
trace_writer_put(struct trace_writer *writer, struct trace_message *message)
{
	pthread_mutex_lock(&writer->mutex);
	bool fits = writer->count < QUEUE_MAX && writer->bytes + message->length < QUEUE_BYTES_MAX;
	if (fits) {
		message->next = NULL;
		*writer->last = message;
		writer->last = &message->next;
		writer->count++;
		writer->bytes += message->length;
		pthread_cond_signal(&writer->changed);
	} else {
		writer->lost++;
	}
	pthread_mutex_unlock(&writer->mutex);
	if (!fits)
		free(message);
	return fits;
}

uint64_t
trace_writer_lost(struct trace_writer *writer)
{
	pthread_mutex_lock(&writer->mutex);
	uint64_t lost = writer->lost;
	pthread_mutex_unlock(&writer->mutex);
	return lost;
}
