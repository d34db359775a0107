// SPDX-License-Identifier: GPL-2.0-only
/* How far a guest's boot is; include/kvm/boot-progress.h is the manual. */
#include "kvm/boot-progress.h"
#include "kvm/chars.h"
#include "kvm/clock.h"
#include "kvm/console-line.h"

#include <string.h>

static u64 monotonic(void)
{
	return now_ns();
}

void boot_progress__init(struct boot_progress *p, struct timeline *timeline)
{
	memset(p, 0, sizeof(*p));
	p->timeline = timeline;
	p->clock = monotonic;
	pthread_mutex_init(&p->lock, NULL);
}

void boot_progress__exit(struct boot_progress *p)
{
	pthread_mutex_destroy(&p->lock);
}

/* Later than this it cannot have started, and not before it was there. */
static void kernel_started_before(struct boot_progress *p, u64 ns)
{
	u64 loaded = __atomic_load_n(&p->timeline->ns[MARK_KERNEL_LOADED], __ATOMIC_RELAXED);

	if (ns > loaded && (!p->start_ns || ns < p->start_ns))
		p->start_ns = ns;
}

static void look_for_user_space(struct boot_progress *p, const char *message)
{
	if (begins_with(message, "Run ") && strstr(message, " as init process"))
		timeline__mark_at(p->timeline, MARK_INIT, p->line_ns);
	else if (!p->user_space_ns && (begins_with(message, "Freeing unused kernel ") ||
				       begins_with(message, "systemd[1]: ")))
		p->user_space_ns = p->line_ns;
}

static bool in_user_space(const struct boot_progress *p)
{
	return p->user_space_ns || timeline__us(p->timeline, MARK_INIT) != TIMELINE_NEVER;
}

static void line_is_complete(struct boot_progress *p)
{
	struct console_line line;
	const char *message;

	p->line[p->len] = '\0';
	console_line__parse(&line, p->line, p->len);
	message = line.message;
	if (!in_user_space(p)) {
		if (line.stamped && line.stamp_us * 1000 < p->line_ns)
			kernel_started_before(p, p->line_ns - line.stamp_us * 1000);
		if (!*p->version && begins_with(message, "Linux version ")) {
			memcpy(p->version, message, strlen(message) + 1);
			p->version_ns = p->line_ns;
		}
	}
	look_for_user_space(p, message);
	if (initcalls__line(&p->initcalls, message, strlen(message),
			    line.stamped ? line.stamp_us : p->line_ns / 1000))
		p->initcalls_stamped = line.stamped;
}

void boot_progress__feed(struct boot_progress *p, const u8 *buf, size_t len)
{
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < len; i++) {
		if (buf[i] == '\n' || buf[i] == '\r') {
			if (p->len)
				line_is_complete(p);
			p->len = 0;
			continue;
		}
		/* The clock is looked at once a line: a console's bytes come one by one. */
		if (!p->len)
			p->line_ns = p->clock();
		if (p->len < sizeof(p->line) - 1 && buf[i])
			p->line[p->len++] = (char)buf[i];
	}
	if (!p->seen && len) {
		p->seen = true;
		timeline__mark_at(p->timeline, MARK_FIRST_BYTE, p->line_ns ? p->line_ns : p->clock());
	}
	pthread_mutex_unlock(&p->lock);
}

void boot_progress__finish(struct boot_progress *p)
{
	pthread_mutex_lock(&p->lock);

	u64 start = p->start_ns ? p->start_ns : p->version_ns;
	/* what the calls' ends count from, besides ours */
	u64 zero = p->initcalls_stamped ? start : 0;

	if (start)
		timeline__mark_at(p->timeline, MARK_KERNEL_START, start);
	if (p->user_space_ns)
		timeline__mark_at(p->timeline, MARK_INIT, p->user_space_ns);
	for (unsigned i = 0; i < p->initcalls.count; i++) {
		struct initcall *call = &p->initcalls.longest[i];
		u64 end = zero / 1000 + call->end_us, ours = clock__start_ns() / 1000;

		call->end_us = end > ours ? end - ours : 0;
	}
	pthread_mutex_unlock(&p->lock);
}
