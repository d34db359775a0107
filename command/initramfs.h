/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMMAND_INITRAMFS_H
#define COMMAND_INITRAMFS_H

/*
 * The initramfs that a command is run from: init, what it is told, modules, and,
 * with --pack, the command itself. Returns 0, or -errno with fs->error set,
 * or, if it is the command that cannot be run, what pack__command() does, the
 * status that says so. *@fs is the caller's to free either way.
 */
struct initramfs;
struct kvm_config;

int command_initramfs__make(struct initramfs *fs, const struct kvm_config *cfg);

#endif
