/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORT_KTAP_LINE_H
#define REPORT_KTAP_LINE_H

/*
 * What a line says in the words of KTAP and TAP (include/kvm/ktap.h) when it is looked
 * at alone. Whether it means that where it stands depends on the lines before it.
 */
#include "kvm/types.h"

/* Where the text of a line begins. Deeper is a list of subtests. */
struct ktap_place {
	unsigned hashes, column;
	const char *text;
};

struct ktap_place ktap_line__place(const char *line);

/* Takes blanks and carriage returns off the end of @line. */
void ktap_line__trim(char *line);

/*
 * Each of these knows one kind of line by its text.
 */

/* "TAP version 14", "KTAP version 1" */
bool ktap_line__is_version(const char *text);

/* "# Subtest: NAME": NAME, or NULL */
const char *ktap_line__subtest(const char *text);

/* "Bail out! REASON": REASON, or NULL */
const char *ktap_line__bail_out(const char *text);

struct ktap_plan {
	u64 count;
	bool skip;
};

/* "1..5", "1..0 # SKIP" */
bool ktap_line__plan(const char *text, struct ktap_plan *plan);

enum ktap_directive { DIRECTIVE_NONE, DIRECTIVE_SKIP, DIRECTIVE_TODO, DIRECTIVE_XFAIL };

struct ktap_result {
	bool ok;
	u64 number;	/* 0: it has none */
	const char *name;
	enum ktap_directive directive;
	const char *reason;
};

/* "ok 1 NAME", "not ok 2 - NAME # SKIP REASON". Cuts @text into these parts. */
bool ktap_line__result(char *text, struct ktap_result *r);

#endif
