/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_PRINTK_TEXT_H
#define KVM_PRINTK_TEXT_H

/*
 * A reader of the kernel's log (include/kvm/printk-log.h) that keeps text as dmesg
 * prints it, "[    1.234567] words": each record is a line, further lines of a record
 * are indented, and characters that a terminal would obey are written as "\x1b". Of
 * what is more than @max bytes, the oldest lines are dropped.
 */
#include "kvm/printk-log.h"

struct printk_text {
	struct printk_reader reader;
	char *text;	/* zero-terminated; NULL: nothing was read */
	size_t len;
	u64 records;	/* read, not kept */
	bool cut;	/* something was dropped */
	/* private */
	size_t size, max;
};

/* A failed allocation drops records: text is then NULL, or shorter. */
void printk_text__init(struct printk_text *t, size_t max);
void printk_text__exit(struct printk_text *t);

/* Adds a record as the reader does: for readers that do more than this one. */
void printk_text__add(struct printk_text *t, const struct printk_record *record);

/* Drops what is more than the maximum, once everything is read. */
void printk_text__finish(struct printk_text *t);

#endif
