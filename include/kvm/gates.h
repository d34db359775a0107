/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_GATES_H
#define KVM_GATES_H

/*
 * What a guest's console must not say: the complaints of a kernel that goes on
 * living after them, which are built in, and the user's own. A gate is a row of
 * the table in gates.c: its name, the words its line begins with, and the verdict
 * it leads to: oops (111), hang (116: a CPU is locked up) or splat (112). A splat
 * fails a run only with --fail-on; without, it is only reported.
 *
 * A program's words are not the kernel's. The built-in gates look only at how a
 * message begins. Once a line with a kernel's time stamp has been seen, on any
 * console, they look only at lines that have one, and forget what earlier lines
 * had counted: a kernel stamps either all its lines or none. (With printk.time=0
 * an early console may print stamps before the option takes effect: such a kernel
 * is known by its command line.) What programs write to /dev/kmsg is stamped too,
 * and told apart where it says so: by a daemon's signature ("systemd[1]: "), or
 * by the facility with console_msg_format=syslog. A `dmesg` in the guest prints
 * the kernel's lines once more, and they count once more.
 *
 * --allow REGEX exempts lines from all gates, --fail-on REGEX makes splats count
 * and adds a gate of the user's (112), on any line, and --pass-on REGEX ends the
 * VM on any line, as a pass unless a gate had matched before; with it nothing
 * else is a pass: a guest that powers off before is lost (115). It also matches a
 * program's incomplete line that ends in a blank, as prompts do; a "$" in it
 * matches nothing there. All are POSIX extended regular expressions, of bytes,
 * matched against a line as it was printed, with its prefix.
 *
 * With a panic nothing here counts any more; see include/kvm/verdict.h.
 *
 * A line that no gate could match costs less than a microsecond. Each REGEX of
 * the user's costs some more for each line.
 */
#include "kvm/types.h"

struct console_line;
struct kvm;

#define MAX_GATE_PATTERNS 64 /* of each option */
#define GATE_LINE_LEN 256

/* --allow, --fail-on or --pass-on, as often as given: checked, and not copied */
struct gate_patterns {
	const char *regex[MAX_GATE_PATTERNS];
	unsigned count;
};

/* A console_listener. Any thread. */
void gates__hear(struct kvm *kvm, const struct console_line *line);

/*
 * A line of the kernel's own that no console has shown, found in its memory
 * after the end. It ends no VM.
 */
void gates__hear_log(struct kvm *kvm, const struct console_line *line);

/* True if the kernel stamps its lines: one without a stamp is none of them. Any thread. */
bool gates__know_stamps(const struct kvm *kvm);

/* True if a kernel that survived an oops has been heard. */
bool gates__have_oops(const struct kvm *kvm);

/* True if anybody looks for prompts: there is a --pass-on. Any thread. */
bool gates__want_prompts(const struct kvm *kvm);

/* Like gates__hear(), for a line that is not complete and ends in a blank so far. Any thread. */
void gates__hear_prompt(struct kvm *kvm, const struct console_line *line);

/*
 * Tells the verdict what has been seen. Once, by main, after the vCPUs are
 * joined and before verdict__final().
 */
void gates__settle(struct kvm *kvm);

/*
 * What has been seen, for a record: the gates that matched, in the order of
 * the table. Returns false if there are no more than @i. By main, after
 * gates__settle().
 */
struct gate_finding {
	const char *name;	/* "kasan"; of the user's: "fail-on" */
	int code;		/* of the verdict it leads to: 111, 112 or 116 */
	u64 count;		/* lines that matched; an oops has about two */
	const char *first;	/* the first of them, without its prefix, printable or above 0x7f */
};

bool gates__finding(const struct kvm *kvm, unsigned i, struct gate_finding *finding);

/*
 * A kernel's own reports that it makes no progress: soft and hard lockups, RCU
 * stalls, workqueues and tasks that hang. They are gates, and this hook is called
 * as well for each one that a console shows. It runs on any thread, with the
 * console's lock held, so it may call kvm__stop() or ioloop__call() and not much
 * else. Set before the vCPUs run, by a module that is made after the gates. @line
 * is the message, as in gate_finding.first.
 */
typedef void lockup_fn(struct kvm *kvm, const char *gate, const char *line);
void gates__set_lockup_hook(struct kvm *kvm, lockup_fn *hook);

#endif
