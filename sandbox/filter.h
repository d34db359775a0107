/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SANDBOX_FILTER_H
#define SANDBOX_FILTER_H

/* The rules of a thread as a program that the kernel runs at each of its system calls. */
#include "kvm/sandbox.h"

#include <linux/filter.h>

#define SANDBOX_FILTER_MAX 384

struct sandbox_filter {
	struct sock_filter code[SANDBOX_FILTER_MAX];
	u16 len;
};

void sandbox_filter__make(struct sandbox_filter *f, enum sandbox_thread thread);

/* Installs it for the calling thread, for good. The process can gain no privileges. 0 or -errno. */
int sandbox_filter__install(const struct sandbox_filter *f);

#endif
