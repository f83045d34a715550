/* SPDX-License-Identifier: BSD-3-Clause */
/* tone_meter FILE.wav: which tone is in a recording? Prints JSON: the strongest frequency, its
 * level, and its share of the recording's energy, which tells a tone from noise. Reads 16-bit
 * PCM. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SILENCE_DBFS -60.0
#define WINDOW_MAX (1 << 15) /* samples: four seconds of telephony */

struct recording {
	unsigned rate; /* Hz */
	unsigned channels;
	unsigned count; /* samples of the first channel */
	double *sample; /* -1 to 1 */
};

static uint32_t
little(const uint8_t *at, unsigned bytes)
{
	uint32_t value = 0;

	for (unsigned i = bytes; i-- > 0;)
		value = value << 8 | at[i];
	return value;
}

static uint8_t *
read_file(const char *path, size_t *length)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	long size;

	if (file == NULL)
		return NULL;
	if (fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) > 0 &&
		(data = malloc((size_t)size)) != NULL) {
		rewind(file);
		*length = fread(data, 1, (size_t)size, file);
	}
	fclose(file);
	return data;
}

/* Walks the RIFF chunks. A recorder that was killed leaves lengths of zero: then the data goes to
 * the end of the file. */
static int
read_wav(const char *path, struct recording *out)
{
	size_t length = 0, at = 12;
	uint8_t *data = read_file(path, &length);
	unsigned bits = 0;

	if (data == NULL || length < 44 || memcmp(data, "RIFF", 4) != 0) {
		free(data);
		return -1;
	}
	while (at + 8 <= length) {
		uint32_t size = little(data + at + 4, 4);
		const uint8_t *body = data + at + 8;
		size_t left = length - at - 8;
		if (memcmp(data + at, "fmt ", 4) == 0 && left >= 16) {
			out->channels = little(body + 2, 2);
			out->rate = little(body + 4, 4);
			bits = little(body + 14, 2);
		} else if (memcmp(data + at, "data", 4) == 0 && bits == 16 && out->channels > 0) {
			if (size == 0 || size > left)
				size = (uint32_t)left;
			out->count = size / 2 / out->channels;
			out->sample = malloc(out->count * sizeof(double) + 1);
			for (unsigned i = 0; out->sample != NULL && i < out->count; i++)
				out->sample[i] =
					(int16_t)little(body + 2 * i * out->channels, 2) / 32768.0;
			break;
		}
		at += 8 + size + size % 2;
	}
	free(data);
	return out->sample == NULL || out->rate == 0 ? -1 : 0;
}

/* The power of one frequency (in cycles a sample) under a Hann window: a quarter of a sine's
 * squared amplitude. Goertzel's sum, so that any frequency can be asked for. */
static double
power_at(const double *sample, unsigned count, double cycles)
{
	double step = 2 * cos(2 * M_PI * cycles), a = 0, b = 0;

	for (unsigned i = 0; i < count; i++) {
		double hann = 0.5 - 0.5 * cos(2 * M_PI * i / count);
		double next = sample[i] * hann + step * a - b;
		b = a;
		a = next;
	}
	return (a * a + b * b - step * a * b) * 4 / ((double)count * count);
}

/* The strongest frequency: a coarse walk in steps of half a bin's width over a short window, then a
 * golden-section search around the best over the long one. */
static double
strongest(const double *sample, unsigned count, unsigned rate)
{
	unsigned shorter = count < 2048 ? count : 2048;
	double best = 0, best_power = -1, step = 0.5 / shorter;

	for (double cycles = 50.0 / rate; cycles < 0.5; cycles += step) {
		double power = power_at(sample, shorter, cycles);
		if (power > best_power) {
			best_power = power;
			best = cycles;
		}
	}
	double low = best - 2 * step, high = best + 2 * step, inner = 1.0 / count;
	double refined = best;
	best_power = -1;
	for (double cycles = low; cycles <= high; cycles += inner / 4) {
		double power = power_at(sample, count, cycles);
		if (power > best_power) {
			best_power = power;
			refined = cycles;
		}
	}
	return refined;
}

int
main(int argc, char **argv)
{
	struct recording recording = {0};

	if (argc != 2 || read_wav(argv[1], &recording) != 0) {
		fprintf(stderr, "Usage: tone_meter FILE.wav (16-bit PCM)\n");
		return 2;
	}
	/* the steady middle: calls start and end with silence */
	unsigned count = recording.count / 2;
	const double *sample = recording.sample + recording.count / 4;
	if (count > WINDOW_MAX) {
		sample += (count - WINDOW_MAX) / 2;
		count = WINDOW_MAX;
	}
	double energy = 0;
	for (unsigned i = 0; i < count; i++)
		energy += sample[i] * sample[i];
	double rms = count > 0 ? sqrt(energy / count) : 0;
	double level = rms > 0 ? 20 * log10(rms * sqrt(2)) : -120;
	if (count < 800 || level < SILENCE_DBFS) {
		printf("{\"seconds\": %.2f, \"tone_hz\": null, \"level_dbfs\": %.1f, \"purity\": "
		       "0}\n",
			(double)recording.count / recording.rate, level);
		free(recording.sample);
		return 0;
	}
	double cycles = strongest(sample, count, recording.rate);
	/* a sine of amplitude A gives A^2 / 4 there, and has A^2 / 2 of energy */
	double purity = power_at(sample, count, cycles) * 2 / (energy / count);
	printf("{\"seconds\": %.2f, \"tone_hz\": %.1f, \"level_dbfs\": %.1f, \"purity\": %.3f}\n",
		(double)recording.count / recording.rate, cycles * recording.rate, level,
		purity > 1 ? 1 : purity);
	free(recording.sample);
	return 0;
}
