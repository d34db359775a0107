// SPDX-License-Identifier: GPL-2.0-only
/* lkvm called as qemu-system-x86_64: QEMU's options -> configuration -> `lkvm run`'s machine. */
#include "kvm/kvm-cmd.h"
#include "kvm/qemu-options.h"

#include <stdio.h>

void kvm_qemu_help(void)
{
	puts("usage: qemu-system-x86_64 -kernel FILE [OPTIONS]\n"
	     "\n"
	     "This is not QEMU but lkvm, called by this name for scripts that test kernels with\n"
	     "QEMU, such as kunit.py and rcutorture's kvm.sh. It takes the options that those\n"
	     "pass, with one dash or two, and refuses others. It exits with\n"
	     "  0      however the guest ended: what it was is on its console, and lkvm's word for\n"
	     "         it is on stderr\n"
	     "  118    KVM or lkvm failed      125    nothing was run\n"
	     "  128+N  signal N, or Ctrl-a x on a terminal, ended lkvm\n"
	     "`lkvm run --help` is about the command that it is.\n");
	qemu_options__print();
}

int kvm_cmd_qemu(int argc, char **argv)
{
	struct qemu_config q;

	if (qemu_options__parse(&q, argc, argv) < 0)
		return EXIT_CANNOT_TEST;
	switch (q.request) {
	case QEMU_HELP:
		kvm_qemu_help();
		return 0;
	case QEMU_VERSION:
		puts("lkvm " LKVM_VERSION " in the place of QEMU");
		return 0;
	case QEMU_RUN:
		break;
	}
	return kvm_run_config(&q.kvm, argc, argv);
}
