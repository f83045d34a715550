/* SPDX-License-Identifier: BSD-3-Clause */
/* What both planes said at one moment. A thread of its own asks them, at most once a second and
 * only as often as somebody looks; all readers share what it found. A plane that is away, or does
 * not answer in time, is a sentence in its part, and no reason not to tell of the other. */
#ifndef WEB_SNAPSHOT_H
#define WEB_SNAPSHOT_H

#include "relay/api.h"
#include "relay/config.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define SNAPSHOT_FRESH_MS 1000  /* one is not asked for more often */
#define SNAPSHOT_IDLE_MS 10000  /* while nobody looks: for the trends, and what comes and goes */
#define SNAPSHOT_SESSIONS 1000  /* looked at closely in one; of more, others each time */
#define SNAPSHOT_ROWS 300       /* of each list of sallyport-sip's */
#define SNAPSHOT_TREND 120      /* points that the trends go back */
#define SNAPSHOT_WORKERS 64     /* as many as sallyport-media may have */
#define SNAPSHOT_ERROR_SIZE 192 /* of a sentence */

/* Of sallyport-media. */
struct media_view {
	bool up;
	char error[SNAPSHOT_ERROR_SIZE];
	double took_s;
	struct relay_status_reply status;
	struct relay_counter *counters;
	unsigned counters_count;
	struct relay_session *sessions;
	unsigned sessions_count;
};

/* Of sallyport-sip: rows as control_show.c makes them; arrays, never NULL. */
struct sip_view {
	bool up;
	bool wanted; /* the configuration has a section "sip" */
	char error[SNAPSHOT_ERROR_SIZE];
	double took_s;
	json_t *stats; /* an object; NULL: not up */
	json_t *calls;
	json_t *registrations;
	json_t *trunks;
	json_t *certificates;
	json_t *failures;
};

/* One moment of the trends; a negative number is one that is not known. */
struct trend {
	uint64_t at_ms; /* since 1970 */
	double packets_s;
	double bits_s; /* of media sent */
	double drops_s;
	double sessions;
	double calls;
	double busy; /* of the busiest worker, 0 to 1 */
};

/* Never changes once others see it. */
struct snapshot {
	unsigned references; /* under the store's lock */
	uint64_t taken_ms;   /* when it was begun, by a clock that never jumps */
	uint64_t done_ms;    /* when it was there: waiting for a plane makes none old */
	uint64_t at_ms;      /* since 1970 */
	struct media_view media;
	struct sip_view sip;
	double busy[SNAPSHOT_WORKERS]; /* since the snapshot before; negative: not known */
	struct trend trend[SNAPSHOT_TREND];
	unsigned trend_count;
};

struct snapshots;

/* Starts the thread. `config` outlives it. 0 or -errno. */
int snapshots_start(const struct config *config, struct snapshots **out);
void snapshots_stop(struct snapshots *snapshots);

/* Can be read from when there is a new snapshot: snapshots_noticed() empties it. */
int snapshots_fd(const struct snapshots *snapshots);
void snapshots_noticed(struct snapshots *snapshots);

/* The latest, which the caller gives back; NULL: there is none yet. */
struct snapshot *snapshots_get(struct snapshots *snapshots);
void snapshots_put(struct snapshots *snapshots, struct snapshot *snapshot);

/* One that is not older than SNAPSHOT_FRESH_MS; else NULL, and one will come. */
struct snapshot *snapshots_get_fresh(struct snapshots *snapshots);

/* How many are looking all the time: then there is one each second. */
void snapshots_readers(struct snapshots *snapshots, int more);

/* A counter of sallyport-media's by its name; false: it has none. */
bool media_counter(const struct media_view *media, uint64_t *value, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The session of that name; NULL: it is not among them. */
const struct relay_session *media_session(const struct media_view *media, const char *id);

uint64_t snapshot_now_ms(void);
double snapshot_now_s(void); /* by the same clock */

#endif
