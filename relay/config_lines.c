/* SPDX-License-Identifier: BSD-3-Clause */
/* The line of each field in the file, by libyaml's document tree: libcyaml forgets lines once a
 * value has the right shape. What is wrong with the YAML itself is found here, too. */
#include "config_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct config_lines {
	yaml_document_t document;
};

/* The line of a byte: the reader, which knows no lines, tells that alone. */
static unsigned
line_of_byte(const struct config_text *text, size_t offset)
{
	unsigned line = 1;

	for (size_t i = 0; i < offset && i < text->length; i++)
		line += text->bytes[i] == '\n';
	return line;
}

static int
complain_of_syntax(const struct config_text *text, const yaml_parser_t *parser)
{
	const char *problem = parser->problem != NULL ? parser->problem : "no memory";

	if (parser->error == YAML_READER_ERROR)
		return config_complain(
			text, line_of_byte(text, parser->problem_offset), "%s", problem);
	return config_complain(text, (unsigned)parser->problem_mark.line + 1, "%s", problem);
}

/* What YAML allows, but no reader of this file should have to think of: text with a NUL would mean
 * one thing to C and another to the eye; a key that is a list has no name. */
static int
check_nodes(const struct config_text *text, yaml_document_t *document)
{
	for (yaml_node_t *node = document->nodes.start; node < document->nodes.top; node++) {
		unsigned line = (unsigned)node->start_mark.line + 1;
		if (node->type == YAML_SCALAR_NODE &&
			memchr(node->data.scalar.value, '\0', node->data.scalar.length) != NULL)
			return config_complain(text, line, "a text holds a NUL character");
		if (node->type != YAML_MAPPING_NODE)
			continue;
		for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
			pair < node->data.mapping.pairs.top; pair++) {
			const yaml_node_t *key = yaml_document_get_node(document, pair->key);
			if (key == NULL || key->type != YAML_SCALAR_NODE)
				return config_complain(text, line, "a key is not a word");
		}
	}
	return 0;
}

/* Nothing may follow the first document: it would be passed over in silence. */
static int
check_end(const struct config_text *text, yaml_parser_t *parser)
{
	yaml_document_t next;
	int result = 0;

	if (!yaml_parser_load(parser, &next))
		return complain_of_syntax(text, parser);
	if (yaml_document_get_root_node(&next) != NULL)
		result = config_complain(text, (unsigned)next.start_mark.line + 1,
			"a second document begins: keep all settings in the first");
	yaml_document_delete(&next);
	return result;
}

int
config_lines_read(const struct config_text *text, struct config_lines **out)
{
	struct config_lines *lines = calloc(1, sizeof(*lines));
	yaml_parser_t parser;
	int result;

	if (lines == NULL || !yaml_parser_initialize(&parser)) {
		free(lines);
		config_complain(text, 1, "no memory to read it");
		return -ENOMEM;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text->bytes, text->length);
	if (!yaml_parser_load(&parser, &lines->document)) {
		result = complain_of_syntax(text, &parser);
		goto done;
	}
	const yaml_node_t *root = yaml_document_get_root_node(&lines->document);
	if (root == NULL || root->type != YAML_MAPPING_NODE)
		result = config_complain(text,
			root == NULL ? 1 : (unsigned)root->start_mark.line + 1,
			"the file holds no settings: it needs a section \"media:\"");
	else if ((result = check_nodes(text, &lines->document)) == 0)
		result = check_end(text, &parser);
	if (result != 0)
		yaml_document_delete(&lines->document);

done:
	yaml_parser_delete(&parser);
	if (result != 0)
		free(lines);
	else
		*out = lines;
	return result;
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
			unsigned index = (unsigned)strtoul(field + 1, NULL, 10);
			node = child_by_index(document, node, index, line);
			field += strcspn(field, "]");
			field += *field == ']';
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

const char *
config_lines_spelling(
	const struct config_lines *lines, const char *field, char room[CONFIG_FIELD_TEXT])
{
	static const char first[] = ".addresses[0]";
	const char *at = strstr(field, first);

	if (at == NULL || config_lines_has(lines, field))
		return field;
	snprintf(room, CONFIG_FIELD_TEXT, "%.*s.addresses", (int)(at - field), field);
	if (config_lines_has(lines, room))
		return field;
	snprintf(room, CONFIG_FIELD_TEXT, "%.*s%s", (int)(at - field), field,
		at + sizeof(first) - 1);
	return room;
}
