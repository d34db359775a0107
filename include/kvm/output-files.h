/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_OUTPUT_FILES_H
#define KVM_OUTPUT_FILES_H

/*
 * What the options that name a file to be written must not say together: that a file
 * is written over which the run reads, or one file for two purposes; or that lines are
 * stamped in a log that is not kept.
 */
struct kvm_config;

/* Before any of them is opened. Returns 0, or -EINVAL after a sentence. */
int output_files__check(const struct kvm_config *cfg);

#endif
