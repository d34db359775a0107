/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_RESULTS_H
#define KVM_RESULTS_H

/*
 * --results: test results from the guest's consoles, into files and into the
 * verdict. All consoles are read as one, line by line.
 */
#include "kvm/types.h"

struct console_line;
struct kvm;

/*
 * A console_listener. Any thread. Only the first part of a line that comes in
 * parts is looked at: its rest could look like a line of its own.
 */
void results__hear(struct kvm *kvm, const struct console_line *line);

/* The guest's kernel said by @line that it, or a task of it, has crashed. Any thread. */
void results__crashed(struct kvm *kvm, const char *line);

/*
 * Writes the files, and makes a failure of a pass if the results are not good.
 * Once, by main, after the vCPUs are joined and before verdict__final(). A file
 * that cannot be written is worth a sentence, and makes a failure of a pass,
 * too: whoever reads it must not find an older one.
 */
void results__settle(struct kvm *kvm);

/* How many of each there were, for a record; NULL without --results. After results__settle(). */
struct ktap_counts;
const struct ktap_counts *results__counts(const struct kvm *kvm);

#endif
