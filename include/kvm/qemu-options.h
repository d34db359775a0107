/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_QEMU_OPTIONS_H
#define KVM_QEMU_OPTIONS_H

/*
 * QEMU's options, as far as scripts that test kernels pass them: kunit.py and
 * rcutorture's kvm.sh. Each option is one of
 *
 *  - translated: -kernel, -initrd, -append, -m, -smp, -serial;
 *  - without effect, as lkvm is like that anyway: -nographic, -no-reboot,
 *    -enable-kvm...; those with a value take only the values that it is like;
 *  - refused, which everything is that is not in the table: a script that asks
 *    for a disk must not get a machine without one.
 *
 * An option may begin with one dash or two, as QEMU's may, and where QEMU takes
 * the last of several, so does this.
 */
#include "kvm/kvm-config.h"

enum qemu_request { QEMU_RUN, QEMU_HELP, QEMU_VERSION };

struct qemu_config {
	struct kvm_config kvm;	/* complete; what is in it lives as long as argv does */
	enum qemu_request request;

	/* private */
	bool have_serial;
	bool have_kvm;			/* among the accelerators that were named */
	const char *other_accelerator;	/* one that was named and is not KVM */
};

/*
 * Fills @q from argv[0..argc-1] (no program name), and its defaults, which are
 * QEMU's. Returns 0, or -EINVAL after one sentence was printed. After a request
 * for help or the version nothing more is read.
 */
int qemu_options__parse(struct qemu_config *q, int argc, char **argv);

/* Prints the table to stdout. */
void qemu_options__print(void);

#endif
