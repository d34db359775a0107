// SPDX-License-Identifier: GPL-2.0-only
/* The kernel in a guest's memory; include/kvm/guest-kernel.h is the manual. */
#include "kvm/guest-kernel.h"

#include <errno.h>
#include <string.h>

/* struct new_utsname: six strings of 65 bytes, of which the third is the release */
#define UTS_LEN 65
#define UTS_RELEASE 2

/* That the address space is the one the description belongs to */
static bool release_is_there(const struct guest_kernel *k)
{
	char said[UTS_LEN], there[UTS_LEN];
	u64 uts, name = 4; /* after a reference count, in kernels that do not say */

	if (!vmcoreinfo__string(&k->info, "OSRELEASE", said, sizeof(said)) ||
	    !vmcoreinfo__hex(&k->info, "SYMBOL(init_uts_ns)", &uts))
		return false;
	vmcoreinfo__decimal(&k->info, "OFFSET(uts_namespace.name)", &name);
	if (guest_va__read(&k->va, uts + name + UTS_RELEASE * UTS_LEN, there, sizeof(there)))
		return false;
	return !strncmp(said, there, sizeof(there));
}

static bool is_sound(struct guest_kernel *k, const struct guest_mem *mem)
{
	return guest_va__of_kernel(&k->va, mem, &k->info) && release_is_there(k);
}

int guest_kernel__find(struct guest_kernel *k, const struct guest_mem *mem, u64 known, bool all)
{
	struct vmcoreinfo_search search = { .walk.mem = mem };
	enum vmcoreinfo_pass end = all ? VMCOREINFO_DONE : VMCOREINFO_WORDS;

	if (known && vmcoreinfo__read(&k->info, mem, known) == 0 && is_sound(k, mem))
		return 0;
	while (search.pass < end) {
		while (vmcoreinfo__next(&search, &k->info)) {
			if (is_sound(k, mem))
				return 0;
		}
	}
	return -ENOENT;
}

u64 guest_kernel__offset(const struct guest_kernel *k)
{
	u64 offset = 0;

	vmcoreinfo__hex(&k->info, "KERNELOFFSET", &offset);
	return offset;
}
