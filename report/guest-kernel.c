// SPDX-License-Identifier: GPL-2.0-only
/* The kernel in a guest's memory; include/kvm/guest-kernel.h is the manual. */
#include "kvm/guest-kernel.h"
#include "kvm/chars.h"

#include <errno.h>
#include <string.h>

/* struct new_utsname: six strings of 65 bytes, of which the third is the release */
#define UTS_LEN 65
#define UTS_RELEASE 2

#define KERNEL_MIN MiB(1)	/* none is loaded lower */
#define MAX_BANNER 256		/* with its newline */

/* True if the address space is the one the description belongs to. */
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

/* True if @live has the kernel where its own tables have it. */
static bool is_mapped(const struct guest_kernel *k, const struct guest_va *live)
{
	u64 uts, own, there;

	return vmcoreinfo__hex(&k->info, "SYMBOL(init_uts_ns)", &uts) &&
	       guest_va__translate(&k->va, uts, &own, NULL) == 0 &&
	       guest_va__translate(live, uts, &there, NULL) == 0 && own == there;
}

static bool read_sound(struct guest_kernel *k, const struct guest_mem *mem, u64 note)
{
	return note && vmcoreinfo__read(&k->info, mem, note) == 0 && is_sound(k, mem);
}

int guest_kernel__find_live(struct guest_kernel *k, const struct guest_mem *mem, u64 known,
			    bool all, const struct guest_va *live)
{
	struct vmcoreinfo_search search = { .walk.mem = mem };
	enum vmcoreinfo_pass end = all ? VMCOREINFO_DONE : VMCOREINFO_WORDS;
	u64 second_best = 0;

	if (read_sound(k, mem, known) && (!live || is_mapped(k, live)))
		return 0;
	while (search.pass < end && !second_best) {
		while (vmcoreinfo__next(&search, &k->info)) {
			if (!is_sound(k, mem))
				continue;
			if (!live || is_mapped(k, live))
				return 0;
			second_best = k->info.gpa;
		}
	}
	return read_sound(k, mem, second_best) ? 0 : -ENOENT;
}

int guest_kernel__find(struct guest_kernel *k, const struct guest_mem *mem, u64 known, bool all)
{
	return guest_kernel__find_live(k, mem, known, all, NULL);
}

u64 guest_kernel__offset(const struct guest_kernel *k)
{
	u64 offset = 0;

	vmcoreinfo__hex(&k->info, "KERNELOFFSET", &offset);
	return offset;
}

size_t guest_kernel__banner(const struct guest_mem *mem, u64 end, const char **line)
{
	static const char words[] = "Linux version ";
	size_t len = end > KERNEL_MIN ? end - KERNEL_MIN : 0;
	const char *p = len ? guest_ptr(mem, KERNEL_MIN, len) : NULL, *stop;

	if (!p)
		return 0;
	stop = p + len;
	for (; (p = memmem(p, (size_t)(stop - p), words, strlen(words))); p += strlen(words)) {
		const char *newline = memchr(p, '\n', min_u64((u64)(stop - p), MAX_BANNER));

		/* the kernel also has formats, "Linux version %s" */
		if (newline && is_digit(p[strlen(words)]) &&
		    !memchr(p, '\0', (size_t)(newline - p))) {
			*line = p;
			return (size_t)(newline - p);
		}
	}
	return 0;
}
