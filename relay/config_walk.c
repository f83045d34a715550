/* SPDX-License-Identifier: BSD-3-Clause */
/* A walk over a configuration, by the same schema that it was filled by: so no field can be
 * forgotten. */
#include "config_private.h"

#include <stdio.h>
#include <string.h>

struct walk {
	int (*visit)(void *mine, const struct config_leaf *leaf);
	void *mine;
};

static void
extend(char *text, size_t size, const char *before, const char *what, const char *behind)
{
	size_t used = strlen(text);

	snprintf(text + used, size - used, "%s%s%s", before, what, behind);
}

static struct config_place
child_of(const struct config_place *at, const char *key)
{
	struct config_place child = *at;
	const char *dot = at->field[0] != '\0' ? "." : "";

	extend(child.shown, sizeof(child.shown), dot, key, "");
	extend(child.field, sizeof(child.field), dot, key, "");
	extend(child.in_file, sizeof(child.in_file), dot, key, "");
	return child;
}

static struct config_place
entry_of(const struct config_place *at, const char *name, unsigned index)
{
	struct config_place entry = *at;
	char number[16];

	snprintf(number, sizeof(number), "%u", index);
	extend(entry.shown, sizeof(entry.shown), "[", name != NULL ? name : number, "]");
	extend(entry.field, sizeof(entry.field), "[", "", "]");
	extend(entry.in_file, sizeof(entry.in_file), "[", number, "]");
	return entry;
}

/* What an entry of a list is known by, if it has such a thing. */
static const char *
name_of(const cyaml_schema_value_t *entry, const void *data)
{
	const cyaml_schema_field_t *first = entry->mapping.fields;

	if (first->key == NULL || first->value.type != CYAML_STRING ||
		(strcmp(first->key, "name") != 0 && strcmp(first->key, "address") != 0))
		return NULL;
	return *(char *const *)(const void *)((const char *)data + first->data_offset);
}

unsigned
config_leaf_count(const struct config_leaf *leaf)
{
	uint64_t count = 0;

	/* little-endian, as every CPU that we run on */
	memcpy(&count, (const char *)leaf->base + leaf->field->count_offset,
		leaf->field->count_size);
	return (unsigned)count;
}

void *
config_leaf_entry(const struct config_leaf *leaf, unsigned index)
{
	const cyaml_schema_value_t *entry = leaf->value->sequence.entry;
	size_t size = (entry->flags & CYAML_FLAG_POINTER) != 0 ? sizeof(void *) : entry->data_size;

	return *(char **)leaf->data + index * size;
}

static int walk_mapping(const struct walk *walk, const struct config_place *at,
	const cyaml_schema_field_t *fields, void *base);

/* A list of mappings: each entry as such, and all below it. */
static int
walk_entries(const struct walk *walk, const struct config_leaf *list)
{
	const cyaml_schema_value_t *entry = list->value->sequence.entry;
	unsigned count = config_leaf_count(list);

	for (unsigned i = 0; i < count; i++) {
		void *one = config_leaf_entry(list, i);
		struct config_place at = entry_of(list->at, name_of(entry, one), i);
		const struct config_leaf leaf = {.at = &at, .value = entry, .data = one};
		int result = walk->visit(walk->mine, &leaf);
		if (result == 0)
			result = walk_mapping(walk, &at, entry->mapping.fields, one);
		if (result != 0)
			return result;
	}
	return 0;
}

/* Depth is the schema's: five. */
static int
walk_mapping(const struct walk *walk, const struct config_place *at,
	const cyaml_schema_field_t *fields, void *base)
{
	int result = 0;

	for (; fields->key != NULL && result == 0; fields++) {
		struct config_place child = child_of(at, fields->key);
		const struct config_leaf leaf = {.at = &child,
			.value = &fields->value,
			.field = fields,
			.base = base,
			.data = (char *)base + fields->data_offset};
		if (leaf.value->type == CYAML_MAPPING)
			result = walk_mapping(walk, &child, leaf.value->mapping.fields, leaf.data);
		else if (leaf.value->type == CYAML_SEQUENCE &&
			 leaf.value->sequence.entry->type == CYAML_MAPPING)
			result = walk_entries(walk, &leaf);
		else
			result = walk->visit(walk->mine, &leaf);
	}
	return result;
}

int
config_walk(
	struct config *config, int (*visit)(void *mine, const struct config_leaf *leaf), void *mine)
{
	const struct walk walk = {visit, mine};
	const struct config_place root = {.field = ""};

	return walk_mapping(&walk, &root, config_schema.mapping.fields, config);
}
