// SPDX-License-Identifier: GPL-2.0-only
/* What the vCPUs were doing at a bad end; include/kvm/evidence.h is the manual. */
#include "kvm/evidence.h"
#include "kvm/arch.h"
#include "kvm/guest-kernel.h"
#include "kvm/kallsyms.h"
#include "kvm/kvm-cpu.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/parse-options.h"
#include "kvm/sandbox.h"
#include "kvm/symbols.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PRINTED 16		/* vCPUs in full; the others are only named */
#define MAX_OFFSET MiB(1)	/* of an address in a function: what lies further on is something else */

struct evidence {
	struct kvm_device dev;
	struct kvm *kvm;

	struct kvm_cpu *own_cpu; /* atomic; the first vCPU that came to a bad end of its own */
	struct cpu_snapshot *own; /* its snapshot, which it alone writes; NULL: there is none */

	bool looked;		/* names have been looked for, and are not again */
	struct symbols *symbols;
	struct kernel_names names;
};

/*
 * Names
 */

static const char *name_at(const struct kernel_names *names, u64 addr, unsigned behind,
			   char buf[KERNEL_NAME_LEN])
{
	struct symbol found;

	*buf = '\0';
	if (names->symbols &&
	    symbols__lookup(names->symbols, addr - behind - names->offset, &found) &&
	    found.offset < MAX_OFFSET)
		snprintf(buf, KERNEL_NAME_LEN, "%.128s+0x%llx/0x%llx", found.name,
			 (unsigned long long)found.offset + behind,
			 (unsigned long long)found.size);
	return buf;
}

const char *kernel_name(const struct kernel_names *names, u64 addr, char buf[KERNEL_NAME_LEN])
{
	return name_at(names, addr, 0, buf);
}

const char *kernel_name_of_return(const struct kernel_names *names, u64 addr,
				  char buf[KERNEL_NAME_LEN])
{
	return name_at(names, addr, 1, buf);
}

/* True unless they have something elsewhere than the note says. */
static bool agree(const struct symbols *symbols, const struct vmcoreinfo *info, u64 offset)
{
	static const char *const names[] = { "_stext", "swapper_pg_dir", "init_uts_ns" };
	char key[32];
	u64 said, linked;

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(key, sizeof(key), "SYMBOL(%s)", names[i]);
		if (vmcoreinfo__hex(info, key, &said) &&
		    symbols__address(symbols, names[i], &linked) && said != linked + offset)
			return false;
	}
	return true;
}

/* By the kernel's note. This and the next two return what cpu_snapshot__kernel_offset() does. */
static int offset_by_note(const struct kvm *kvm, const struct symbols *symbols, u64 *offset)
{
	struct guest_kernel *k = malloc(sizeof(*k));
	int err = -ENOENT;

	if (k && guest_kernel__find(k, &kvm->mem, 0, false) == 0) {
		*offset = guest_kernel__offset(k);
		err = agree(symbols, &k->info, *offset) ? 0 : -EINVAL;
	}
	free(k);
	return err;
}

static int offset_by_registers(const struct symbols *symbols,
			       const struct cpu_snapshot *const *snapshots, unsigned count,
			       u64 *offset)
{
	int err = -ENOENT;

	for (unsigned i = 0; i < count && err == -ENOENT; i++) {
		if (snapshots[i])
			err = cpu_snapshot__kernel_offset(snapshots[i], symbols, offset);
	}
	return err;
}

/* A kernel that is not at Linux's place is where it was linked. */
static bool all_elsewhere(const struct cpu_snapshot *const *snapshots, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (snapshots[i] && cpu_snapshot__is_in_linux(snapshots[i]))
			return false;
	}
	return true;
}

/*
 * Registers are right from the early boot on, but fit many a kernel, as what they
 * point to is at a multiple of 2 MiB in each of them: the note must agree.
 */
static int find_offset(const struct kvm *kvm, const struct symbols *symbols,
		       const struct cpu_snapshot *const *snapshots, unsigned count, u64 *offset)
{
	u64 by_registers = 0, by_note = 0;
	int err = offset_by_registers(symbols, snapshots, count, &by_registers);
	int note_err = offset_by_note(kvm, symbols, &by_note);

	if (err == -EINVAL || note_err == -EINVAL)
		return -EINVAL;
	if (!err && !note_err && by_registers != by_note)
		return -EINVAL;
	*offset = note_err ? by_registers : by_note;
	if (!err || !note_err || all_elsewhere(snapshots, count))
		return 0;
	return -ENOENT;
}

/* Takes those of a file: named, or found beside the kernel. Returns NULL, or why there are none. */
static const char *names_of_file(struct evidence *e, const struct cpu_snapshot *const *snapshots,
				 unsigned count)
{
	const struct kvm_config *cfg = e->kvm->cfg;
	const char *why = NULL;
	char *path = NULL;

	if (cfg->symbols)
		e->symbols = symbols__load(cfg->symbols, &why);
	else
		e->symbols = symbols__load_beside(cfg->kernel, &path, &why);
	if (e->symbols && path)
		pr_info("symbols are those of '%s'", path);
	free(path);
	if (!e->symbols)
		return why;

	switch (find_offset(e->kvm, e->symbols, snapshots, count, &e->names.offset)) {
	case 0:
		e->names.symbols = e->symbols;
		if (e->names.offset)
			pr_info("the kernel is 0x%llx above where it was linked (KASLR)",
				(unsigned long long)e->names.offset);
		return NULL;
	case -EINVAL:
		return "they are those of another kernel";
	default:
		return "it is not known yet where KASLR has put the kernel";
	}
}

/* Takes those that the guest's kernel has in its memory. Returns the same. */
static const char *names_of_guest(struct evidence *e)
{
	struct guest_kernel *k = malloc(sizeof(*k));
	const char *why = "has not yet made its VMCOREINFO, or has none";

	symbols__free(e->symbols);
	e->symbols = NULL;
	e->names = (struct kernel_names){ 0 };
	if (k && guest_kernel__find(k, &e->kvm->mem, 0, false) == 0)
		e->symbols = kallsyms__read(k, &why);
	free(k);
	if (!e->symbols)
		return why;
	pr_info("symbols are those in the guest's memory");
	e->names.symbols = e->symbols;
	return NULL;
}

/* Looks for them once in the life of a VM. */
static const struct kernel_names *find_names(struct evidence *e,
					     const struct cpu_snapshot *const *snapshots,
					     unsigned count)
{
	const char *file_why, *guest_why;

	if (e->looked)
		return &e->names;
	e->looked = true;
	file_why = names_of_file(e, snapshots, count);
	if (!file_why)
		return &e->names;
	if (e->kvm->cfg->symbols)
		pr_warn("symbols '%s' are of no use: %s", e->kvm->cfg->symbols, file_why);
	guest_why = names_of_guest(e);
	if (guest_why)
		pr_warn("no names of functions (see option '--symbols'): of files, %s; the guest's "
			"kernel %s", file_why, guest_why);
	return &e->names;
}

/*
 * All vCPUs
 */

void evidence__request(struct kvm *kvm)
{
	for (unsigned i = 0; i < kvm->cfg->nr_cpus; i++)
		kvm_cpu__request(kvm->cpus[i], CPU_REQUEST_SNAPSHOT);
}

/* pairs with evidence__answer() */
static const struct cpu_snapshot *snapshot_of(const struct kvm *kvm, unsigned i)
{
	return __atomic_load_n(&kvm->cpus[i]->snapshot, __ATOMIC_ACQUIRE);
}

bool evidence__is_complete(const struct kvm *kvm)
{
	for (unsigned i = 0; i < kvm->cfg->nr_cpus; i++) {
		if (!snapshot_of(kvm, i))
			return false;
	}
	return true;
}

void evidence__answer(struct kvm_cpu *cpu)
{
	struct cpu_snapshot *s;
	int err;

	if (cpu->snapshot) /* it is being looked at */
		return;
	s = kvm_cpu__arch_snapshot(cpu, &err);
	if (!s) {
		pr_err("vCPU %u: its state cannot be read: %s", cpu->id, strerror(-err));
		return;
	}
	__atomic_store_n(&cpu->snapshot, s, __ATOMIC_RELEASE); /* pairs with snapshot_of() */
}

/* Returns the snapshots there are by now: later ones change nothing. NULL: no memory. */
static const struct cpu_snapshot **collect(const struct kvm *kvm)
{
	const struct cpu_snapshot **all = calloc(kvm->cfg->nr_cpus, sizeof(*all));

	if (!all) {
		pr_err("the vCPUs' state cannot be shown: %s", strerror(ENOMEM));
		return NULL;
	}
	for (unsigned i = 0; i < kvm->cfg->nr_cpus; i++)
		all[i] = snapshot_of(kvm, i);
	return all;
}

/* Numbers as ranges, "1, 3-5, 9", as far as they fit on a line */
struct id_list {
	char text[160];
	size_t len;
	unsigned count, first, last;
	bool full;
};

static void id_list__flush(struct id_list *l)
{
	char range[32];
	int len;

	if (!l->count || l->full)
		return;
	len = snprintf(range, sizeof(range), l->first == l->last ? "%s%u" : "%s%u-%u",
		       l->len ? ", " : "", l->first, l->last);
	l->full = l->len + (size_t)len + sizeof(", ...") > sizeof(l->text);
	l->len += (size_t)snprintf(l->text + l->len, sizeof(l->text) - l->len, "%s",
				   l->full ? ", ..." : range);
}

static void id_list__add(struct id_list *l, unsigned id)
{
	if (!l->count || id != l->last + 1) {
		id_list__flush(l);
		l->first = id;
	}
	l->last = id;
	l->count++;
}

static void id_list__print(struct id_list *l, const char *what)
{
	id_list__flush(l);
	if (l->count)
		pr_err("vCPU%s %s: %s", l->count > 1 ? "s" : "", l->text, what);
}

/* Prints which of those after @first do the same, and takes them out of the list. */
static void print_others_like(const struct cpu_snapshot **all, unsigned count, unsigned first)
{
	struct id_list same = { 0 };
	char what[40];

	for (unsigned i = first + 1; i < count; i++) {
		if (all[i] && cpu_snapshot__same_place(all[first], all[i])) {
			id_list__add(&same, i);
			all[i] = NULL;
		}
	}
	snprintf(what, sizeof(what), "the same as vCPU %u", first);
	id_list__print(&same, what);
}

static void print_snapshots(const struct cpu_snapshot **all, unsigned count,
			    const struct kernel_names *names)
{
	struct id_list silent = { 0 }, left = { 0 };
	bool many = count > MAX_PRINTED;
	unsigned printed = 0;

	for (unsigned i = 0; i < count; i++) {
		if (!all[i])
			id_list__add(&silent, i);
	}
	for (unsigned i = 0; i < count; i++) {
		if (!all[i])
			continue;
		if (printed++ >= MAX_PRINTED) {
			id_list__add(&left, i);
			continue;
		}
		cpu_snapshot__print(all[i], i, names);
		if (many)
			print_others_like(all, count, i);
	}
	id_list__print(&left, "not shown, as there are so many");
	id_list__print(&silent, "no answer; busy in lkvm, perhaps waiting for its console's reader");
}

void evidence__print(struct kvm *kvm)
{
	const struct cpu_snapshot **all = collect(kvm);

	if (!all)
		return;
	print_snapshots(all, kvm->cfg->nr_cpus, find_names(kvm->evidence, all, kvm->cfg->nr_cpus));
	free(all);
}

void evidence__summary(struct kvm *kvm, char buf[EVIDENCE_SUMMARY_LEN])
{
	static const char *const words[] = {
		[CPU_IN_KERNEL] = "in the kernel",
		[CPU_IN_USER_SPACE] = "in user space",
		[CPU_HALTED] = "halted",
		[CPU_NOT_STARTED] = "never started",
	};
	unsigned counts[ARRAY_SIZE(words)] = { 0 };
	const char *separator = "";
	size_t len = 0;

	for (unsigned i = 0; i < kvm->cfg->nr_cpus; i++) {
		const struct cpu_snapshot *s = snapshot_of(kvm, i);

		if (s)
			counts[cpu_snapshot__activity(s)]++;
	}
	*buf = '\0';
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		if (!counts[i])
			continue;
		len += (size_t)snprintf(buf + len, EVIDENCE_SUMMARY_LEN - len, "%s%u %s %s",
					separator, counts[i], counts[i] > 1 ? "vCPUs" : "vCPU",
					words[i]);
		separator = ", ";
	}
	if (!*buf)
		snprintf(buf, EVIDENCE_SUMMARY_LEN, "no vCPU answers");
}

/*
 * One vCPU, at its own end
 */

void evidence__keep_own(struct kvm_cpu *cpu)
{
	struct evidence *e = cpu->kvm->evidence;
	struct kvm_cpu *nobody = NULL;
	int err;

	if (verdict__ended(&cpu->kvm->verdict) ||
	    !__atomic_compare_exchange_n(&e->own_cpu, &nobody, cpu, false, __ATOMIC_RELAXED,
					 __ATOMIC_RELAXED))
		return;
	e->own = kvm_cpu__arch_snapshot(cpu, &err);
	if (!e->own)
		pr_err("vCPU %u: its state cannot be read: %s", cpu->id, strerror(-err));
}

void evidence__print_own(struct kvm *kvm)
{
	struct evidence *e = kvm->evidence;
	const struct cpu_snapshot *const all[] = { e->own };

	if (e->own)
		cpu_snapshot__print(e->own, e->own_cpu->id, find_names(e, all, ARRAY_SIZE(all)));
}

/*
 * The module
 */

static void evidence__exit(struct kvm *kvm, struct kvm_device *dev)
{
	struct evidence *e = container_of(dev, struct evidence, dev);

	kvm->evidence = NULL;
	symbols__free(e->symbols);
	free(e->own);
	free(e);
}

static int may_read(const char *path, void *sandbox)
{
	return sandbox__may_read(sandbox, path);
}

/* The process is confined when it looks for names. */
static int may_read_symbols(const struct kvm *kvm)
{
	int err;

	if (kvm->cfg->symbols)
		return sandbox__may_read(kvm->sandbox, kvm->cfg->symbols);
	if (!kvm->sandbox)
		return 0;
	err = symbols__each_place(kvm->cfg->kernel, may_read, kvm->sandbox);
	if (err == -ENOMEM)
		pr_err("cannot look for the kernel's symbols: %s", strerror(ENOMEM));
	return err;
}

static int evidence__init(struct kvm *kvm, struct kvm_device **dev)
{
	struct evidence *e;
	const char *why;
	int err;

	if (kvm->cfg->symbols && symbols__check(kvm->cfg->symbols, &why) < 0) {
		pr_err("option '--symbols': '%s': %s", kvm->cfg->symbols, why);
		return -EINVAL;
	}
	e = calloc(1, sizeof(*e));
	if (!e) {
		pr_err("cannot prepare to show the vCPUs' state: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	e->kvm = kvm;
	kvm->evidence = e;
	*dev = &e->dev;
	err = may_read_symbols(kvm);
	if (err)
		evidence__exit(kvm, *dev);
	return err;
}

static const struct option evidence_options[] = {
	{ 0, "symbols", "FILE", "System.map or vmlinux for back traces (default: beside the kernel)",
	  opt_string, offsetof(struct kvm_config, symbols) },
	{ 0 },
};

const struct kvm_module evidence_module = {
	.options = evidence_options,
	.init = evidence__init,
	.exit = evidence__exit,
};
