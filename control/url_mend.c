/* SPDX-License-Identifier: BSD-3-Clause */
/* Mends a fault in Sofia-SIP 1.12.11: its url_param() reads past the end of the parameters where
 * the last one's name begins with the name that is looked for ("lrx", "phone-contextual"), and any
 * peer can send that. This one, of the same name, is reached first: by us and by the stack
 * itself. */
#include <sofia-sip/url.h>
#include <string.h>
#include <strings.h>

/* As the stack's: what it returns is the value's length and 1 (also for a parameter without a
 * value), whether or not the value was short enough to be written; 0: there is no such
 * parameter. */
isize_t
url_param(char const *params, char const *tag, char value[], isize_t vlen)
{
	size_t name = strlen(tag), length;

	if (name > 0 && tag[name - 1] == '=')
		name--;
	for (; params != NULL && *params != '\0'; params += length + (params[length] != '\0')) {
		length = strcspn(params, ";");
		if (length < name || strncasecmp(params, tag, name) != 0 ||
			(length > name && params[name] != '='))
			continue;
		const char *from = params + name + (length > name);
		size_t size = (size_t)(params + length - from);
		if (size < (size_t)vlen) {
			memcpy(value, from, size);
			value[size] = '\0';
		}
		return (isize_t)(size + 1);
	}
	return 0;
}
