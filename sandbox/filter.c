// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compiles rules to classic BPF, for seccomp(2); filter.h is the manual. What no
 * rule allows ends in SECCOMP_RET_TRAP: the call is not made, and the thread gets
 * a SIGSYS.
 */
#include "filter.h"
#include "kvm/log.h"
#include "rules.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define TRAP BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP)
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (u32)offsetof(struct seccomp_data, field))
#define LOAD_ARG(n) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, \
			     (u32)(offsetof(struct seccomp_data, args) + (n) * sizeof(u64)))
/* How many instructions to skip if it is so, and if not */
#define IF_IS(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define IF_ANY(bits, yes, no) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, yes, no)

static void emit(struct sandbox_filter *f, struct sock_filter instruction)
{
	BUG_ON(f->len == SANDBOX_FILTER_MAX);
	f->code[f->len++] = instruction;
}

static void emit_rule(struct sandbox_filter *f, const struct sandbox_rule *r)
{
	if (r->test != ALWAYS)
		emit(f, (struct sock_filter)LOAD_ARG(r->arg));
	switch (r->test) {
	case ALWAYS:
		break;
	case IF_EQUAL:
		emit(f, (struct sock_filter)IF_IS(r->value, 0, 1));
		break;
	case IF_WITHOUT:
		emit(f, (struct sock_filter)IF_ANY(r->value, 1, 0));
		break;
	case IF_OURS:
		emit(f, (struct sock_filter)IF_IS((u32)getpid(), 0, 1));
		break;
	case IF_OWN:
		emit(f, (struct sock_filter)IF_IS((u32)syscall(SYS_gettid), 0, 1));
		break;
	}
	emit(f, (struct sock_filter)ALLOW);
}

/* The rules of one call, from @r on; a call has no more than fit into a jump. Returns how many. */
static unsigned emit_call(struct sandbox_filter *f, const struct sandbox_rule *r, unsigned left,
			  enum sandbox_thread thread)
{
	unsigned count = 0, test = f->len;

	emit(f, (struct sock_filter)IF_IS(r->nr, 0, 0));
	for (; count < left && r[count].nr == r->nr; count++) {
		if (sandbox_rule__is_for(&r[count], thread))
			emit_rule(f, &r[count]);
	}
	if (f->len == test + 1) {
		f->len = (u16)test; /* no rule is for this thread */
		return count;
	}
	emit(f, (struct sock_filter)TRAP);
	BUG_ON(f->len - test - 1 > UINT8_MAX);
	f->code[test].jf = (u8)(f->len - test - 1);
	return count;
}

void sandbox_filter__make(struct sandbox_filter *f, enum sandbox_thread thread)
{
	f->len = 0;
	/* A 32-bit system call has other numbers. */
	emit(f, (struct sock_filter)LOAD(arch));
	emit(f, (struct sock_filter)IF_IS(AUDIT_ARCH_X86_64, 1, 0));
	emit(f, (struct sock_filter)TRAP);
	emit(f, (struct sock_filter)LOAD(nr));
	for (unsigned i = 0; i < nr_sandbox_rules; )
		i += emit_call(f, &sandbox_rules[i], nr_sandbox_rules - i, thread);
	emit(f, (struct sock_filter)TRAP);
}

int sandbox_filter__install(const struct sandbox_filter *f)
{
	struct sock_fprog program = { .len = f->len, .filter = (struct sock_filter *)f->code };

	/*
	 * Without the flag, Linux before 5.16 slows a filtered thread down as a defence
	 * against code that it runs in a sandbox of its own: lkvm runs none.
	 */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
		    &program) < 0)
		return -errno;
	return 0;
}
