/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SANDBOX_RULES_H
#define SANDBOX_RULES_H

/*
 * Which system calls each kind of thread may make. The rules of one call stand
 * together; it is allowed if one of them that is for the thread holds.
 */
#include "kvm/sandbox.h"

enum sandbox_test {
	ALWAYS,
	IF_EQUAL,	/* the argument is value */
	IF_WITHOUT,	/* it has none of value's bits */
	IF_OURS,	/* it is this process's number */
	IF_OWN,		/* it is this thread's */
};

struct sandbox_rule {
	u32 threads;		/* a bit for each enum sandbox_thread */
	u32 nr;			/* of the system call */
	const char *call;
	enum sandbox_test test;
	u8 arg;			/* which argument; only its low 32 bits are compared */
	u32 value;
	const char *value_name;
};

extern const struct sandbox_rule sandbox_rules[];
extern const unsigned nr_sandbox_rules;

static inline bool sandbox_rule__is_for(const struct sandbox_rule *r, enum sandbox_thread thread)
{
	return r->threads & (1u << thread);
}

/* What a person calls them: "a vCPU" */
const char *sandbox_thread__name(enum sandbox_thread thread);

/* How many system calls there are on its list. */
unsigned sandbox_rules__count(enum sandbox_thread thread);

#endif
