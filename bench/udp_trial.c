/* SPDX-License-Identifier: BSD-3-Clause */
#include "udp_load.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 64                   /* packets a system call */
#define START_NS 1000000           /* between the last preparation and the first packet */
#define DRAIN_NS (SECOND / 2)      /* nothing for so long: nothing more will come */
#define DRAIN_MOST_NS (3 * SECOND) /* nor after this */
#define BEHIND_MOST 0.05           /* share of the packets */
#define RATE_LEAST 0.98            /* of the rate that was asked for */
#define NOT_HEARD 0

struct trial {
	struct traffic *traffic;
	double gap; /* ns between two packets */
	unsigned burst;
	uint64_t begun;           /* when the first one is due */
	uint64_t sent, sent_last; /* packets; when the last one went */
	uint64_t heard, heard_last;
	uint64_t doubled, strange;
	uint64_t *arrival; /* ns; NOT_HEARD */
	struct sample *samples;
	uint64_t kept, keep_most;
	uint8_t room[BATCH][2048];
};

static uint64_t
due(const struct trial *trial, uint64_t number)
{
	return trial->begun + (uint64_t)((double)(number - number % trial->burst) * trial->gap);
}

/* Those from trial->sent on that leave by one socket, at most `most`, in one call. */
static void
send_some(struct trial *trial, uint64_t most)
{
	struct mmsghdr messages[BATCH] = {0};
	struct iovec parts[BATCH];
	struct stream *stream;
	int socket = -1;
	unsigned count = 0;

	for (; count < BATCH && count < most; count++) {
		parts[count].iov_base = traffic_packet(
			trial->traffic, trial->sent + count, &parts[count].iov_len, &stream);
		if (count > 0 && stream->from != socket)
			break;
		socket = stream->from;
		messages[count].msg_hdr = (struct msghdr){.msg_name = &stream->relay,
			.msg_namelen = sizeof(stream->relay),
			.msg_iov = &parts[count],
			.msg_iovlen = 1};
	}
	int gone = sendmmsg(socket, messages, count, 0);
	if (gone < 0 && errno != EAGAIN && errno != ENOBUFS && errno != EINTR &&
		errno != ECONNREFUSED)
		fail("sending: %s", strerror(errno));
	if (gone > 0)
		trial->sent += (uint64_t)gone;
}

static void
note(struct trial *trial, const uint8_t *data, size_t length, int socket, uint64_t now)
{
	struct traffic *traffic = trial->traffic;
	uint64_t i;

	if (!traffic_place(traffic, data, length, socket, &i) || i >= trial->sent) {
		trial->strange++;
		return;
	}
	if (trial->arrival[i] != NOT_HEARD) {
		trial->doubled++;
		return;
	}
	trial->arrival[i] = now;
	trial->heard++;
	if ((traffic->first + i) % SAMPLE != 0 || trial->kept == trial->keep_most)
		return;
	struct sample *sample = &trial->samples[trial->kept++];
	sample->number = traffic->first + i;
	sample->length = (uint16_t)(length < sizeof(sample->data) ? length : sizeof(sample->data));
	memcpy(sample->data, data, sample->length);
}

/* What has come to that socket, one batch of it. */
static unsigned
receive_some(struct trial *trial, int socket)
{
	struct mmsghdr messages[BATCH] = {0};
	struct iovec parts[BATCH];

	for (unsigned i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){trial->room[i], sizeof(trial->room[i])};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
	}
	int got = recvmmsg(socket, messages, BATCH, MSG_DONTWAIT, NULL);
	if (got <= 0)
		return 0;
	uint64_t now = now_ns();
	for (int i = 0; i < got; i++)
		note(trial, trial->room[i], messages[i].msg_len, socket, now);
	trial->heard_last = now;
	return (unsigned)got;
}

static unsigned
receive_all(struct trial *trial)
{
	unsigned got = 0;

	for (unsigned i = 0; i < trial->traffic->sockets; i++)
		got += receive_some(trial, trial->traffic->socket[i]);
	return got;
}

/* What earlier trials have left on its way. */
static void
drain(struct trial *trial)
{
	while (receive_all(trial) > 0)
		;
	trial->strange = 0;
}

static void
pump(struct trial *trial)
{
	uint64_t count = trial->traffic->count, now;

	while (trial->sent < count) {
		uint64_t most = 0;
		now = now_ns();
		while (most < BATCH && trial->sent + most < count &&
			due(trial, trial->sent + most) <= now)
			most++;
		if (most > 0)
			send_some(trial, most);
		receive_all(trial);
	}
	trial->sent_last = now_ns();
	trial->heard_last = trial->sent_last;
	do {
		receive_all(trial);
		now = now_ns();
	} while (trial->heard < count && now - trial->heard_last < DRAIN_NS &&
		 now - trial->sent_last < DRAIN_MOST_NS);
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static double
percentile(const uint64_t *sorted, uint64_t count, double share)
{
	uint64_t at = (uint64_t)((double)count * share);

	return count == 0 ? 0 : (double)sorted[at < count ? at : count - 1] / 1000;
}

/* Turns arrivals into latencies, sorts them. */
static void
measure(struct trial *trial, struct outcome *outcome)
{
	uint64_t count = 0, late = 0;

	for (uint64_t i = 0; i < trial->sent; i++) {
		if (trial->arrival[i] == NOT_HEARD || trial->arrival[i] > trial->sent_last)
			late++;
		if (trial->arrival[i] != NOT_HEARD)
			trial->arrival[count++] = trial->arrival[i] - due(trial, i);
	}
	qsort(trial->arrival, count, sizeof(*trial->arrival), compare);
	outcome->p50 = percentile(trial->arrival, count, 0.5);
	outcome->p99 = percentile(trial->arrival, count, 0.99);
	outcome->p999 = percentile(trial->arrival, count, 0.999);
	outcome->behind = (double)late / (double)trial->sent;
}

/* RFC 2544 26.1 asks for no loss; what only waits in the relay's sockets when the trial ends would
 * have been lost in a longer one. */
static void
judge(struct outcome *outcome)
{
	outcome->why = outcome->doubled > 0                         ? "packets came twice"
	               : outcome->bad > 0                           ? "packets were not genuine"
	               : outcome->strange > 0                       ? "strange packets came"
	               : outcome->lost > 0                          ? "loss"
	               : outcome->verified < outcome->sent / SAMPLE ? "too few samples"
	               : outcome->sent_rate < RATE_LEAST * outcome->rate ? "sent too slowly"
	               : outcome->behind > BEHIND_MOST                   ? "a growing backlog"
	                                                                 : NULL;
	outcome->carried = outcome->why == NULL;
}

static void
prepare(struct trial *trial, uint64_t count)
{
	traffic_make(trial->traffic, count);
	trial->keep_most = count / SAMPLE + 1;
	trial->arrival = calloc(count, sizeof(*trial->arrival));
	trial->samples = calloc(trial->keep_most, sizeof(*trial->samples));
	if (trial->arrival == NULL || trial->samples == NULL)
		fail("no memory for %lu packets", (unsigned long)count);
	/* touched now: no page fault may come into the trial */
	memset(trial->arrival, 0, count * sizeof(*trial->arrival));
	memset(trial->samples, 0, trial->keep_most * sizeof(*trial->samples));
	drain(trial);
}

static void
verify(const struct trial *trial, struct outcome *outcome)
{
	for (uint64_t i = 0; i < trial->kept; i++) {
		if (traffic_verify(trial->traffic, &trial->samples[i]))
			outcome->verified++;
		else
			outcome->bad++;
	}
}

void
trial_run(struct traffic *traffic, const struct target *target, double rate, double seconds,
	struct outcome *outcome)
{
	static struct trial trial;
	struct cpu before, after, own_before, own_after;
	unsigned own_core = (unsigned)sched_getcpu();

	memset(&trial, 0, sizeof(trial));
	trial.traffic = traffic;
	trial.burst = target->burst;
	trial.gap = (double)SECOND / rate;
	prepare(&trial, (uint64_t)(rate * seconds));
	cpu_read(target->pid, target->core, &before);
	cpu_read(getpid(), own_core, &own_before);
	trial.begun = now_ns() + START_NS;
	pump(&trial);
	cpu_read(target->pid, target->core, &after);
	cpu_read(getpid(), own_core, &own_after);

	*outcome = (struct outcome){.rate = rate,
		.sent = trial.sent,
		.heard = trial.heard,
		.lost = trial.sent - trial.heard,
		.doubled = trial.doubled,
		.strange = trial.strange,
		.share = cpu_share(&before, &after),
		.own_share = cpu_share(&own_before, &own_after)};
	outcome->sent_rate = (double)trial.sent * (double)SECOND /
	                     ((double)(trial.sent_last - trial.begun) + trial.gap);
	if (trial.heard > 0)
		outcome->cpu_ns = (double)(after.process - before.process) / (double)trial.heard;
	measure(&trial, outcome);
	verify(&trial, outcome);
	judge(outcome);
	free(trial.arrival);
	free(trial.samples);
}
