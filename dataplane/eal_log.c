/* SPDX-License-Identifier: BSD-3-Clause */
#include "eal_log.h"

#include "relay/log.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <rte_log.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Any thread of DPDK's may write a line, so all this is under one lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static FILE *stream;
static bool holding;
static char held[256];

/* "EAL: Cannot open x" -> "Cannot open x"; "eth_x_init(): failed" -> "failed" */
static const char *
without_prefix(const char *line)
{
	const char *colon = strstr(line, ": ");

	if (colon != NULL && strchr(line, ' ') > colon)
		return colon + 2;
	return line;
}

static void
take_line(const char *line)
{
	if (line[0] == '\0')
		return;
	if (holding) {
		/* the first error is nearest to the cause; what follows only passes it on */
		if (held[0] == '\0')
			snprintf(held, sizeof(held), "%s", without_prefix(line));
		log_debug("DPDK: %s", line);
	} else {
		log_warning("DPDK: %s", line);
	}
}

static ssize_t
take_text(void *cookie, const char *text, size_t length)
{
	char line[256];
	size_t used = 0;

	(void)cookie;
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < length; i++) {
		if (text[i] != '\n' && used < sizeof(line) - 1) {
			line[used++] = text[i];
		} else if (text[i] == '\n') {
			line[used] = '\0';
			take_line(line);
			used = 0;
		}
	}
	line[used] = '\0';
	take_line(line);
	pthread_mutex_unlock(&lock);
	return (ssize_t)length;
}

static int __attribute__((format(printf, 2, 0)))
take_library_text(int level, const char *format, va_list args)
{
	char text[512];

	/* 0 is a warning and 1 information in both libraries; 2 would be debugging */
	if (level < 2 && vsnprintf(text, sizeof(text), format, args) > 0)
		take_text(NULL, text, strlen(text));
	return 0;
}

/* `function` of a library, if a driver has brought the library along. */
static void
adopt_library(const char *library, const char *function)
{
	typedef int (*printer)(int level, const char *format, va_list args);
	printer (*set_print)(printer);
	void *handle = dlopen(library, RTLD_LAZY | RTLD_NOLOAD);

	if (handle == NULL)
		return;
	/* C has no cast from data to function; POSIX says that the bits are the same */
	void *symbol = dlsym(handle, function);
	memcpy(&set_print, &symbol, sizeof(set_print));
	if (set_print != NULL)
		set_print(take_library_text);
	dlclose(handle);
}

void
eal_log_adopt_libraries(void)
{
	adopt_library("libbpf.so.1", "libbpf_set_print");
	adopt_library("libxdp.so.1", "libxdp_set_print");
}

int
eal_log_start(void)
{
	cookie_io_functions_t functions = {.write = take_text};

	stream = fopencookie(NULL, "w", functions);
	if (stream == NULL)
		return -ENOMEM;
	setvbuf(stream, NULL, _IOLBF, 512);
	rte_openlog_stream(stream);
	return 0;
}

void
eal_log_stop(void)
{
	rte_openlog_stream(stderr);
	if (stream != NULL)
		fclose(stream);
	stream = NULL;
}

void
eal_log_hold(void)
{
	pthread_mutex_lock(&lock);
	holding = true;
	held[0] = '\0';
	pthread_mutex_unlock(&lock);
}

const char *
eal_log_release(void)
{
	pthread_mutex_lock(&lock);
	holding = false;
	if (held[0] == '\0')
		snprintf(held, sizeof(held), "no cause was given");
	pthread_mutex_unlock(&lock);
	return held;
}
