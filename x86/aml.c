// SPDX-License-Identifier: GPL-2.0-only
/* ACPI Machine Language; x86/aml.h is the manual. */
#include "aml.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define OP_ZERO		0x00
#define OP_ONE		0x01
#define OP_NAME		0x08
#define OP_BYTE		0x0a
#define OP_DWORD	0x0c
#define OP_STRING	0x0d
#define OP_SCOPE	0x10
#define OP_BUFFER	0x11
#define OP_PACKAGE	0x12
#define OP_EXT		0x5b
#define EXT_DEVICE	0x82

#define RES_IRQ		0x22 /* small item, 2 bytes: edge, active high, not shared */
#define RES_IO		0x47 /* small item, 7 bytes */
#define RES_IO_DECODE16	0x01
#define RES_END		0x79 /* small item, 1 byte: a checksum, or 0 for none */
#define RES_MEMORY	0x86 /* large items: their length follows, in 16 bits */
#define RES_DWORD	0x87
#define RES_WORD	0x88
#define RES_EXT_IRQ	0x89
#define RES_QWORD	0x8a

#define RES_KIND_MEMORY 0 /* what an address space descriptor describes */
#define RES_KIND_IO	1
#define RES_KIND_BUS	2
#define RES_FIXED	0x0c /* neither end may move */
#define RES_WRITABLE	0x01
#define RES_ENTIRE_RANGE 0x03 /* not only the ports of ISA */

#define IRQ_CONSUMER	0x01
#define IRQ_ACTIVE_LOW	0x04
#define IRQ_SHARED	0x08

/* Every package's length is written in this form, whose size is known beforehand. */
#define PKG_LENGTH_SIZE 3

static void bytes(struct aml *a, const void *data, size_t len)
{
	a->overflow |= len > a->size - a->len;
	if (a->overflow)
		return;
	memcpy(a->buf + a->len, data, len);
	a->len += len;
}

static void byte(struct aml *a, u8 value)
{
	bytes(a, &value, 1);
}

static size_t open_package(struct aml *a)
{
	static const u8 room[PKG_LENGTH_SIZE];
	size_t at = a->len;

	bytes(a, room, sizeof(room));
	return at;
}

/* ACPI 6.5, 20.2.4: the first byte has 4 bits of the length and how many bytes follow. */
void aml__close(struct aml *a, size_t package)
{
	size_t len = a->len - package;

	if (a->overflow)
		return;
	a->buf[package] = (u8)(0x80 | (len & 0xf));
	a->buf[package + 1] = (u8)(len >> 4);
	a->buf[package + 2] = (u8)(len >> 12);
}

size_t aml__scope(struct aml *a, const char *name)
{
	byte(a, OP_SCOPE);

	size_t package = open_package(a);

	bytes(a, name, strlen(name));
	return package;
}

size_t aml__device(struct aml *a, const char *name)
{
	byte(a, OP_EXT);
	byte(a, EXT_DEVICE);

	size_t package = open_package(a);

	bytes(a, name, strlen(name));
	return package;
}

void aml__integer(struct aml *a, u32 value)
{
	if (value <= 1) {
		byte(a, value ? OP_ONE : OP_ZERO);
	} else if (value <= 0xff) {
		byte(a, OP_BYTE);
		byte(a, (u8)value);
	} else {
		byte(a, OP_DWORD);
		bytes(a, &value, sizeof(value));
	}
}

static void name(struct aml *a, const char *object)
{
	byte(a, OP_NAME);
	bytes(a, object, strlen(object));
}

void aml__name_integer(struct aml *a, const char *object, u32 value)
{
	name(a, object);
	aml__integer(a, value);
}

size_t aml__list(struct aml *a, const char *object, u8 count)
{
	if (object)
		name(a, object);
	byte(a, OP_PACKAGE);

	size_t package = open_package(a);

	byte(a, count);
	return package;
}

/* Three letters of five bits and four hexadecimal digits, big-endian: 19.3.4 EISAID */
static bool eisa_id(const char *hid, u32 *id)
{
	char *end;
	u32 letters = 0;

	if (strlen(hid) != 7)
		return false;
	for (unsigned i = 0; i < 3; i++) {
		if (!isupper((unsigned char)hid[i]))
			return false;
		letters = letters << 5 | (u32)(hid[i] - 'A' + 1);
	}

	u32 product = (u32)strtoul(hid + 3, &end, 16);

	if (*end)
		return false;
	*id = __builtin_bswap32(letters << 16 | product);
	return true;
}

void aml__hid(struct aml *a, const char *hid)
{
	u32 id;

	if (eisa_id(hid, &id)) {
		aml__name_integer(a, "_HID", id);
		return;
	}
	name(a, "_HID");
	byte(a, OP_STRING);
	bytes(a, hid, strlen(hid) + 1);
}

/*
 * Buffer (length) { items }: the length is written as a word so that it can be
 * filled in when it is known.
 */
#define OP_WORD 0x0b

size_t aml__resources(struct aml *a)
{
	static const u8 room[2];

	name(a, "_CRS");
	byte(a, OP_BUFFER);

	size_t package = open_package(a);

	byte(a, OP_WORD);
	bytes(a, room, sizeof(room));
	return package;
}

void aml__io(struct aml *a, u16 port, u8 count)
{
	u8 item[] = {
		RES_IO, RES_IO_DECODE16, (u8)port, (u8)(port >> 8), (u8)port, (u8)(port >> 8),
		1 /* alignment */, count,
	};

	bytes(a, item, sizeof(item));
}

void aml__isa_irq(struct aml *a, u8 irq)
{
	u16 mask = (u16)(1u << irq);

	byte(a, RES_IRQ);
	bytes(a, &mask, sizeof(mask));
}

void aml__gsi(struct aml *a, u32 gsi)
{
	struct {
		u8 tag;
		u16 length;
		u8 flags, count;
		u32 gsi;
	} __attribute__((packed)) item = {
		RES_EXT_IRQ, 6, IRQ_CONSUMER | IRQ_ACTIVE_LOW | IRQ_SHARED, 1, gsi,
	};

	bytes(a, &item, sizeof(item));
}

void aml__memory(struct aml *a, u32 base, u32 size)
{
	struct {
		u8 tag;
		u16 length;
		u8 flags;
		u32 base, size;
	} __attribute__((packed)) item = { RES_MEMORY, 9, RES_WRITABLE, base, size };

	bytes(a, &item, sizeof(item));
}

static void word_window(struct aml *a, u8 kind, u8 kind_flags, u16 first, u16 last)
{
	struct {
		u8 tag;
		u16 length;
		u8 kind, flags, kind_flags;
		u16 granularity, first, last, offset, count;
	} __attribute__((packed)) item = {
		RES_WORD, 13, kind, RES_FIXED, kind_flags, 0, first, last, 0,
		(u16)(last - first + 1),
	};

	bytes(a, &item, sizeof(item));
}

void aml__buses(struct aml *a, u16 first, u16 last)
{
	word_window(a, RES_KIND_BUS, 0, first, last);
}

void aml__port_window(struct aml *a, u16 base, u16 size)
{
	word_window(a, RES_KIND_IO, RES_ENTIRE_RANGE, base, (u16)(base + (size - 1)));
}

void aml__memory_window(struct aml *a, u32 base, u32 size)
{
	struct {
		u8 tag;
		u16 length;
		u8 kind, flags, kind_flags;
		u32 granularity, first, last, offset, size;
	} __attribute__((packed)) item = {
		RES_DWORD, 23, RES_KIND_MEMORY, RES_FIXED, RES_WRITABLE, 0, base,
		base + (size - 1), 0, size,
	};

	bytes(a, &item, sizeof(item));
}

void aml__high_memory_window(struct aml *a, u64 base, u64 size)
{
	struct {
		u8 tag;
		u16 length;
		u8 kind, flags, kind_flags;
		u64 granularity, first, last, offset, size;
	} __attribute__((packed)) item = {
		RES_QWORD, 43, RES_KIND_MEMORY, RES_FIXED, RES_WRITABLE, 0, base,
		base + (size - 1), 0, size,
	};

	bytes(a, &item, sizeof(item));
}

void aml__close_resources(struct aml *a, size_t resources)
{
	size_t items = resources + PKG_LENGTH_SIZE + 1 + 2;

	byte(a, RES_END);
	byte(a, 0);
	if (a->overflow)
		return;

	u16 len = (u16)(a->len - items);

	memcpy(a->buf + items - sizeof(len), &len, sizeof(len));
	aml__close(a, resources);
}
