/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORT_KTAP_TREE_H
#define REPORT_KTAP_TREE_H

/*
 * The tests that were found, and what was said of them: numbered, so that they can
 * move when there are more. Number 0 is none. No more than KTAP_MAX_STORE bytes are
 * kept; beyond that a text is left out, and then a test.
 */
#include "kvm/ktap.h"

/* Returns 0 or -ENOMEM; ktap_tree__exit() takes it away in either case. */
int ktap_tree__init(struct ktap_tree *t);
void ktap_tree__exit(struct ktap_tree *t);

/* Bytes that are kept */
u64 ktap_tree__used(const struct ktap_tree *t);

/* A new test, in no list yet; @subtests is the first of them. Returns 0 if there is no room. */
u32 ktap_tree__add(struct ktap_tree *t, enum ktap_status status, const char *name,
		   const char *reason, u32 subtests);

/* Gives a test its log, unless logs have taken what they may. */
void ktap_tree__add_log(struct ktap_tree *t, u32 test, const char *log, size_t len);

/* Appends @test, or the list that begins with it, to the list from *@first to *@last. */
void ktap_tree__append(struct ktap_tree *t, u32 *first, u32 *last, u32 test);

static inline bool ktap_status__is_bad(enum ktap_status status)
{
	return status != KTAP_PASSED && status != KTAP_SKIPPED;
}

#endif
