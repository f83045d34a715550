/* SPDX-License-Identifier: BSD-3-Clause */
/* The line of each field in the file, by libyaml's document tree: libcyaml forgets lines once a
 * value has the right shape. */
#include "config_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct config_lines {
	yaml_document_t document;
};

struct config_lines *
config_lines_read(const char *path)
{
	struct config_lines *lines = calloc(1, sizeof(*lines));
	FILE *file = fopen(path, "re");
	yaml_parser_t parser;

	if (lines == NULL || file == NULL || !yaml_parser_initialize(&parser))
		goto fail;
	yaml_parser_set_input_file(&parser, file);
	int loaded = yaml_parser_load(&parser, &lines->document);
	yaml_parser_delete(&parser);
	fclose(file);
	if (loaded)
		return lines;
	free(lines);
	return NULL;

fail:
	if (file != NULL)
		fclose(file);
	free(lines);
	return NULL;
}

void
config_lines_free(struct config_lines *lines)
{
	if (lines == NULL)
		return;
	yaml_document_delete(&lines->document);
	free(lines);
}

/* The value under a key; *line becomes the key's, so that a message points at the name. */
static yaml_node_t *
child_by_key(yaml_document_t *document, yaml_node_t *node, const char *key, size_t length,
	unsigned *line)
{
	if (node->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
		pair < node->data.mapping.pairs.top; pair++) {
		yaml_node_t *name = yaml_document_get_node(document, pair->key);
		if (name == NULL || name->type != YAML_SCALAR_NODE ||
			name->data.scalar.length != length ||
			memcmp(name->data.scalar.value, key, length) != 0)
			continue;
		*line = (unsigned)name->start_mark.line + 1;
		return yaml_document_get_node(document, pair->value);
	}
	return NULL;
}

static yaml_node_t *
child_by_index(yaml_document_t *document, yaml_node_t *node, unsigned index, unsigned *line)
{
	if (node->type != YAML_SEQUENCE_NODE)
		return NULL;
	yaml_node_item_t *item = node->data.sequence.items.start + index;
	if (item >= node->data.sequence.items.top)
		return NULL;
	yaml_node_t *child = yaml_document_get_node(document, *item);
	if (child != NULL)
		*line = (unsigned)child->start_mark.line + 1;
	return child;
}

/* Walks "a.b[2].c"; false where the path ends early. */
static bool
walk(const struct config_lines *lines, const char *field, unsigned *line)
{
	yaml_document_t *document = (yaml_document_t *)(uintptr_t)&lines->document;
	yaml_node_t *node = yaml_document_get_root_node(document);

	*line = 1;
	while (node != NULL && *field != '\0') {
		if (*field == '[') {
			char *end;
			unsigned index = (unsigned)strtoul(field + 1, &end, 10);
			node = child_by_index(document, node, index, line);
			field = end + 1;
		} else {
			field += *field == '.';
			size_t length = strcspn(field, ".[");
			node = child_by_key(document, node, field, length, line);
			field += length;
		}
	}
	return node != NULL;
}

unsigned
config_lines_find(const struct config_lines *lines, const char *field)
{
	unsigned line;

	walk(lines, field, &line);
	return line;
}

bool
config_lines_has(const struct config_lines *lines, const char *field)
{
	unsigned line;

	return walk(lines, field, &line);
}
