/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_CMD_H
#define KVM_CMD_H

/*
 * The commands. Each takes the words after its name, prints what it has to say
 * and returns lkvm's exit status.
 */
#include "kvm/types.h"

struct kvm_config;

/* The status of everything that kept lkvm from running a guest at all: skip, in a bisection. */
#define EXIT_CANNOT_TEST 125

struct cmd_struct {
	const char *name; /* NULL ends the table */
	int (*fn)(int argc, char **argv);
	void (*help)(void);
	const char *summary;
};

/*
 * Runs the command that argv[1] names, unless the program's own name, argv[0],
 * is a command of its own: see builtin-qemu.c.
 */
int handle_kvm_command(int argc, char **argv);

int kvm_cmd_run(int argc, char **argv);
void kvm_run_help(void);

/*
 * Runs the machine of @cfg to its end, or does what is asked for in its place,
 * and writes the record of it, which has @argv. Returns the exit status. Every
 * command that has a configuration to run comes here.
 */
int kvm_run_config(const struct kvm_config *cfg, int argc, char **argv);

int kvm_cmd_info(int argc, char **argv);
void kvm_info_help(void);
int kvm_cmd_list(int argc, char **argv);
void kvm_list_help(void);
int kvm_cmd_dmesg(int argc, char **argv);
void kvm_dmesg_help(void);
int kvm_cmd_balloon(int argc, char **argv);
void kvm_balloon_help(void);
int kvm_cmd_stop(int argc, char **argv);
void kvm_stop_help(void);
int kvm_cmd_qemu(int argc, char **argv);
void kvm_qemu_help(void);

#endif
