// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: the words of the command line.
 *
 * One reader for the lists in mint.mem=, mint.cpus= and mint.devices=, used
 * for the kernel's own command line and for that of a successor which is
 * about to be launched. Nothing here changes any state, but for a time that is a
 * parameter (mint_param_ms_ops).
 */

#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/pci.h>
#include <linux/string.h>

#include "area.h"

static const char * const legacy_names[MINT_LEGACY_COUNT] = {
	[MINT_LEGACY_COM1]	= "com1",
	[MINT_LEGACY_COM2]	= "com2",
	[MINT_LEGACY_COM3]	= "com3",
	[MINT_LEGACY_COM4]	= "com4",
	[MINT_LEGACY_I8042]	= "i8042",
	[MINT_LEGACY_VGA]	= "vga",
	[MINT_LEGACY_RTC]	= "rtc",
};

/**
 * mint_token_next() - cut the next element off a comma-separated list
 * @list:	in: the list, which ends at a NUL or a blank; out: what is left
 * @token:	out: the element, empty between two commas
 *
 * Context: any.
 * Return: false at the end of the list.
 */
bool mint_token_next(const char **list, struct mint_token *token)
{
	const char *p = *list;

	if (!p || !*p || isspace(*p))
		return false;

	token->text = p;
	while (*p && *p != ',' && !isspace(*p))
		p++;
	token->len = p - token->text;
	*list = *p == ',' ? p + 1 : p;
	return true;
}

/**
 * mint_param_size() - read a number of bytes
 * @text:	the number, with or without a K, M, G or T behind it, which is cut off
 * @size:	out: bytes
 *
 * memparse() would take what has more than 64 bits for what is left of it.
 *
 * Context: any.
 * Return: 0 or -EINVAL.
 */
int mint_param_size(char *text, u64 *size)
{
	static const char units[] = "KMGT";
	size_t len = strlen(text);
	const char *unit = len ? strchr(units, toupper(text[len - 1])) : NULL;
	int shift = 0;

	if (unit) {
		shift = 10 * (unit - units + 1);
		text[len - 1] = '\0';
	}
	if (!isdigit(text[0]) || kstrtou64(text, 0, size) ||
	    *size > U64_MAX >> shift)
		return -EINVAL;
	*size <<= shift;
	return 0;
}

/* An unsigned number with a K, M, G or T behind it, if @suffix allows that */
static int token_number(const char **p, const char *end, bool suffix, u64 *val)
{
	char buf[24];
	int len = 0;

	while (*p + len < end && isalnum((*p)[len]) && len < sizeof(buf) - 1) {
		buf[len] = (*p)[len];
		len++;
	}
	buf[len] = '\0';
	if (!len || !isdigit(buf[0]))
		return -EINVAL;

	if (suffix ? mint_param_size(buf, val) : kstrtou64(buf, 0, val))
		return -EINVAL;

	*p += len;
	return 0;
}

/**
 * mint_token_range() - read <size>@<start>
 * @token:	the element
 * @range:	out: page-aligned range, bytes
 *
 * Context: any.
 * Return: 0; -EINVAL if it is not of that form, empty, or not page-aligned;
 * -ERANGE if it wraps.
 */
int mint_token_range(const struct mint_token *token, struct mint_range *range)
{
	const char *p = token->text, *end = p + token->len;
	u64 size, start;

	if (token_number(&p, end, true, &size) || p == end || *p++ != '@' ||
	    token_number(&p, end, true, &start) || p != end)
		return -EINVAL;
	if (!size || (size | start) & ~PAGE_MASK)
		return -EINVAL;
	if (start + size < start)
		return -ERANGE;

	range->start = start;
	range->size = size;
	return 0;
}

/**
 * mint_token_cpus() - read <APIC ID> or <first>-<last>
 * @token:	the element
 * @first:	out: first APIC ID
 * @last:	out: last APIC ID, not below @first
 *
 * Context: any.
 * Return: 0 or -EINVAL.
 */
int mint_token_cpus(const struct mint_token *token, u32 *first, u32 *last)
{
	const char *p = token->text, *end = p + token->len;
	u64 a, b;

	if (token_number(&p, end, false, &a))
		return -EINVAL;
	b = a;
	if (p != end && (*p++ != '-' || token_number(&p, end, false, &b)))
		return -EINVAL;
	if (p != end || b < a || b >= MINT_NODE_FLIGHT)
		return -EINVAL;

	*first = a;
	*last = b;
	return 0;
}

/**
 * mint_token_device() - read a legacy device's name
 * @token:	the element
 * @dev:	out: the device, without an interrupt
 *
 * Context: any.
 * Return: 0 or -EINVAL.
 */
int mint_token_device(const struct mint_token *token, struct mint_device *dev)
{
	char buf[8];
	int i;

	memset(dev, 0, sizeof(*dev));
	if (token->len >= sizeof(buf))
		return -EINVAL;
	memcpy(buf, token->text, token->len);
	buf[token->len] = '\0';

	i = match_string(legacy_names, MINT_LEGACY_COUNT, buf);
	if (i < 0)
		return i;
	dev->kind = MINT_DEV_LEGACY;
	dev->id = i;
	return 0;
}

/* Does @text end with @end? Cut that off */
static bool cut_end(char *text, const char *end)
{
	size_t len = strlen(text), cut = strlen(end);

	if (len < cut || strcmp(text + len - cut, end))
		return false;
	text[len - cut] = '\0';
	return true;
}

/**
 * mint_token_pci() - read PCI functions
 * @token:	the element: [<segment>:]<bus>:<device>.<function> for one,
 *		without the function or with "*" for a whole slot, with a slash and "*"
 *		behind it for everything below a bridge, with an exclamation
 *		mark at the end for what can not be reset
 * @match:	out: which are meant
 *
 * Context: any.
 * Return: 0; -EINVAL; -ERANGE for a segment that no function of firmware has.
 */
int mint_token_pci(const struct mint_token *token, struct mint_pci_match *match)
{
	unsigned int segment = 0, bus, slot, fn = 0;
	bool below, all;
	char buf[24], c;

	if (token->len >= sizeof(buf))
		return -EINVAL;
	memcpy(buf, token->text, token->len);
	buf[token->len] = '\0';

	match->force = cut_end(buf, "!");
	below = cut_end(buf, "/*");
	all = cut_end(buf, ".*") || !strchr(buf, '.');
	if (all ? sscanf(buf, "%x:%x:%x%c", &segment, &bus, &slot, &c) != 3 :
		  sscanf(buf, "%x:%x:%x.%x%c", &segment, &bus, &slot, &fn, &c) != 4) {
		segment = 0;
		if (all ? sscanf(buf, "%x:%x%c", &bus, &slot, &c) != 2 :
			  sscanf(buf, "%x:%x.%x%c", &bus, &slot, &fn, &c) != 3)
			return -EINVAL;
	}
	if (bus > 0xff || slot > 0x1f || fn > 7)
		return -EINVAL;
	if (segment >= MINT_SEGMENT_NONE)
		return -ERANGE;

	match->id = segment << 16 | bus << 8 | PCI_DEVFN(slot, fn);
	match->mask = all ? ~7U : ~0U;
	match->below = below;
	return 0;
}

/**
 * mint_pci_allowed() - does mint.devices= leave a function to node 0?
 * @words:	its elements that name PCI functions
 * @count:	how many
 * @named:	does an element name the function?
 * @arg:	passed to it
 *
 * What any element with a minus names is not node 0's. Of the rest it has what
 * any other element names; or all, where there is no other one.
 *
 * Context: any.
 * Return: true if node 0 has it.
 */
bool mint_pci_allowed(const struct mint_pci_word *words, u32 count,
		      bool (*named)(const struct mint_pci_match *match, void *arg),
		      void *arg)
{
	bool any = false, found = false;
	u32 i;

	for (i = 0; i < count; i++) {
		any |= !words[i].minus;
		if (!named(&words[i].match, arg))
			continue;
		if (words[i].minus)
			return false;
		found = true;
	}
	return found || !any;
}

/**
 * mint_param_find() - find a parameter in a command line
 * @cmdline:	the command line
 * @name:	the parameter with its "="
 * @value:	out: its value, of the last one where there are several
 *
 * Context: any.
 * Return: true if it is there.
 */
bool mint_param_find(const char *cmdline, const char *name,
		     struct mint_token *value)
{
	size_t len = strlen(name);
	bool quoted = false, found = false, start = true;

	for (; *cmdline; cmdline++) {
		if (*cmdline == '"')
			quoted = !quoted;
		if (start && !strncmp(cmdline, name, len)) {
			value->text = cmdline + len;
			value->len = strcspn(value->text, " \t\n");
			found = true;
		}
		start = !quoted && isspace(*cmdline);
		if (start && !strncmp(cmdline + 1, "-- ", 3))
			break;
	}
	return found;
}

/* What is not within the bounds changes nothing, and the log says so */
static int set_ms(const char *val, const struct kernel_param *kp)
{
	const struct mint_param_ms *ms = kp->arg;
	const struct kernel_param value = { .name = kp->name, .arg = ms->value };
	int err = param_set_uint_minmax(val, &value, ms->min, ms->max);

	if (err)
		pr_err("%s=: '%.*s' ignored, want %u to %u ms\n", kp->name,
		       (int)strcspn(val ?: "", "\n"), val ?: "", ms->min, ms->max);
	return err;
}

static int get_ms(char *buf, const struct kernel_param *kp)
{
	const struct mint_param_ms *ms = kp->arg;
	const struct kernel_param value = { .name = kp->name, .arg = ms->value };

	return param_get_uint(buf, &value);
}

/* Of a parameter that is a time, whose @arg is a struct mint_param_ms */
const struct kernel_param_ops mint_param_ms_ops = {
	.set	= set_ms,
	.get	= get_ms,
};

/**
 * mint_device_name() - a device in people's words
 * @dev:	the device
 * @buf:	where to write
 * @size:	bytes there
 *
 * Context: any.
 * Return: @buf.
 */
const char *mint_device_name(const struct mint_device *dev, char *buf,
			     size_t size)
{
	if (dev->kind == MINT_DEV_LEGACY && dev->id < MINT_LEGACY_COUNT)
		strscpy(buf, legacy_names[dev->id], size);
	else
		snprintf(buf, size, "%04x:%02x:%02x.%x", dev->id >> 16,
			 dev->id >> 8 & 0xff, PCI_SLOT(dev->id),
			 PCI_FUNC(dev->id));
	return buf;
}
