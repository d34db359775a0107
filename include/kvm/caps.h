/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_CAPS_H
#define KVM_CAPS_H

/*
 * Every KVM capability lkvm uses, and what for: one table that `lkvm run`
 * checks and `lkvm info` prints.
 */
#include "kvm/types.h"

struct kvm_cap_use {
	unsigned cap;
	const char *name;	/* NULL ends the table */
	bool required;		/* without it no VM can run */
	const char *purpose;
	const char *fallback;	/* what happens without an optional one */
};

extern const struct kvm_cap_use kvm_cap_uses[];

/* Opens the KVM device @dev. Returns the descriptor, or -errno after a message. */
int kvm__open_dev(const char *dev);

/*
 * Returns the API version of @fd, which is @dev, or -errno after a message if
 * lkvm does not speak it.
 */
int kvm__check_api_version(int fd, const char *dev);

#endif
