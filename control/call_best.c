/* SPDX-License-Identifier: BSD-3-Clause */
/* Which final response of several targets counts, and what the caller hears of it. */
#include "call_best.h"

/* RFC 3261 16.7 step 6: any 6xx before all; else the lowest class; of 4xx, those that say how to
 * send the request again before others; a 503 is only good where there is nothing else. */
static int
rank(int status)
{
	if (status >= 600)
		return 0;
	if (status == 503)
		return 900;
	switch (status) {
	case 401:
	case 407:
	case 415:
	case 420:
	case 484:
		return 401;
	case 408: /* says nothing of the callee */
		return 499;
	case 487: /* our own CANCEL, or somebody else's */
		return 498;
	default:
		return status < 400 ? 300 : status < 500 ? 450 : 500;
	}
}

int
call_best_compare(int a, int b)
{
	int ra = rank(a), rb = rank(b);

	return ra < rb ? 1 : ra > rb ? -1 : 0;
}

/* RFC 3261 16.7, and nothing that only our own leg to the callee is about. 503 is also what the
 * stack itself says when the connection closed. */
int
call_best_map(int status)
{
	switch (status) {
	case 404:
	case 410:
	case 480:
	case 484:
	case 486:
	case 488:
	case 600:
	case 603:
	case 604:
	case 606:
		return status;
	default:
		return status >= 500 && status < 600 && status != 503 ? 500 : 480;
	}
}
