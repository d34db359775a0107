/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_CONFIG_H
#define KVM_CONFIG_H

/*
 * What the user asked for. Filled by the options and the defaults of `lkvm
 * run`, then checked, then const for as long as the VM lives.
 */
#include "kvm/disk.h"
#include "kvm/gates.h"
#include "kvm/types.h"

#define DEFAULT_DEV "/dev/kvm"

/* Room for lkvm's own tables, and one huge page */
#define MIN_MEM MiB(2)
/* KVM takes at most 2^31 - 1 pages as one memory slot, and the part below 4 GiB is another */
#define MAX_MEM TiB(8)

#define MAX_VCPUS 4096 /* KVM says less, and is asked */

#define MAX_TTYS 4 /* as many as there are serial ports */

enum console_device { CONSOLE_SERIAL, CONSOLE_VIRTIO };

#define MAX_DISKS 32
#define DISK_SERIAL_LEN 20 /* as many bytes as virtio-blk can tell */

struct disk_config {
	struct disk_params params; /* file is malloc'd */
	char serial[DISK_SERIAL_LEN + 1];
};

#define MAX_SHARES 32
#define SHARE_TAG_LEN 31 /* Linux takes no more from "mount -t 9p" */

/* A directory of the host that the guest can mount as a 9p file system */
struct share_config {
	char *dir;	/* as the user wrote it; malloc'd */
	char tag[SHARE_TAG_LEN + 1]; /* what the guest mounts */
	bool readonly;
	bool in_place;	/* --rw: the guest has it where the host has it */
};

#define MAX_RESULTS 8

struct results_config {
	const char *paths[MAX_RESULTS]; /* each of a format that is known */
	unsigned count;
};

struct kernel_files;

/* What lkvm's own init runs: see include/kvm/command.h */
struct command_config {
	bool on;		/* it does: command__decide() says so */
	bool named;		/* by the user; else it is a shell */
	bool terminal;		/* it has one; else three streams */
	const char *pack;	/* --pack: the root is this directory, or, if that is "", the */
				/* command with its libraries; NULL: the host's files */
	char *const *argv;
	char **shell;		/* malloc'd; NULL: argv is the user's */
	const char *root_tag;	/* of the share that is the root; NULL: the initramfs is */
	struct kernel_files *kernel_files; /* what the host has besides the kernel */
	char *lacks;		/* why there is no shell in this kernel: "lacks CONFIG_..."; or NULL */
};

struct kvm_config {
	/* what to boot */
	const char *kernel;
	const char *initrd;
	char *params;		/* appended to the kernel command line; may be NULL */
	bool nodefaults;
	bool print_cmdline;
	bool dry_run;
	const char *name;	/* NULL: guest-PID */
	struct command_config command;

	/* the machine */
	const char *dev;	/* /dev/kvm */
	unsigned nr_cpus;
	u64 mem;		/* bytes */
	const char *hugetlbfs;	/* NULL: anonymous memory */
	bool tty[MAX_TTYS];	/* console N goes to a pty of its own */
	unsigned console;	/* enum console_device: where console 0 is in the guest */
	const char *console_file; /* what console 0 says goes there, and it hears nothing; NULL: not */
	bool rng;
	bool balloon;
	struct disk_config disks[MAX_DISKS];
	unsigned nr_disks;
	struct share_config shares[MAX_SHARES];
	unsigned nr_shares;
	unsigned virtio_mmio;	/* how virtio devices are attached: 0 PCI, 1 memory-mapped */

	/* what is kept of it: files, NULL if not asked for */
	const char *status;
	const char *timeline;
	const char *console_log;
	bool log_timestamps;

	struct results_config results;

	/* its end, and diagnostics */
	u64 timeout_ms;		/* 0: none */
	u64 hang_ms;		/* 0: a silent guest is no hang */
	const char *symbols;	/* System.map or vmlinux; NULL: looked for beside the kernel */
	struct gate_patterns allow, fail_on, pass_on;
	unsigned exit_style;	/* enum exit_style */
	bool no_sandbox;
	bool debug;
	bool debug_ioport;
	bool debug_mmio;
	unsigned loglevel;	/* enum log_level */
};

#endif
