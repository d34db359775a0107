/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_EXIT_REASON_H
#define KVM_EXIT_REASON_H

/* More than there are */
#define NR_EXIT_REASONS 64

/* "KVM_EXIT_IO" and so on: the name of a KVM_RUN exit reason; "unknown" if it has none here. */
const char *kvm_exit_reason__name(unsigned reason);

#endif
