/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_STATUS_H
#define KVM_STATUS_H

/*
 * The record of a run: --status, as JSON, and --timeline, as a picture. What is
 * in it is described in docs/status.md; each of its sections is a function in
 * the table of status.c.
 *
 * A record outlives the machine, and there is one even if no machine could be
 * made: `lkvm run` begins it when the options are known, has it written once,
 * with the machine if there is one, and frees it.
 */
#include "kvm/kvm-config.h"
#include "kvm/verdict.h"

struct kvm;
struct status;

/*
 * Begins the record that @cfg asks for, of the program's words @argv, which
 * stay the caller's, and finds out whether its files can be written. Returns 0,
 * with *@s NULL if none is asked for, or -errno after a sentence.
 */
int status__begin(struct status **s, const struct kvm_config *cfg, int argc, char **argv);

/*
 * Removes the files of an earlier run: from here on a file that is there is this
 * run's. Returns 0, or -errno after a sentence.
 */
int status__clear(const struct status *s);

/*
 * Writes it, the first time it is called. @kvm is whole, and its vCPUs have been
 * joined; or it is NULL, if there was no machine. Why nothing could be tested
 * is lkvm's first error. A file that cannot be written is worth a sentence, and
 * changes nothing else. @s may be NULL.
 */
void status__write(struct status *s, struct kvm *kvm, const struct verdict_record *end);

void status__free(struct status *s); /* NULL does nothing */

#endif
