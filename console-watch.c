// SPDX-License-Identifier: GPL-2.0-only
/* What a guest's console says of its kernel; include/kvm/console-watch.h is the manual. */
#include "kvm/console-watch.h"
#include "kvm/kvm.h"
#include "kvm/results.h"

#include <string.h>

static void line_is_complete(struct console_watch *w, struct kvm *kvm)
{
	static const char panic[] = "Kernel panic - not syncing";
	const char *found;

	w->line[w->len] = '\0';
	results__line(kvm, w->line);
	found = strstr(w->line, panic);
	if (found) {
		results__crashed(kvm, found);
		kvm__guest_panicked(kvm, found, strlen(found));
	} else if (strstr(w->line, "] Kernel Offset: ")) {
		/*
		 * Said by a panicking kernel alone. Its first words may be cut:
		 * the CPU that was printing them has been stopped in the middle.
		 */
		kvm__guest_panicked(kvm, "", 0);
	} else if (strstr(w->line, "reboot: System halted") ||
		   strstr(w->line, "reboot: Power down")) {
		kvm__guest_halts(kvm);
	}
	kvm__guest_talks(kvm);
}

void console_watch__feed(struct console_watch *w, struct kvm *kvm, const u8 *buf, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (buf[i] == '\n' || buf[i] == '\r') {
			if (w->len)
				line_is_complete(w, kvm);
			w->len = 0;
		} else if (w->len < sizeof(w->line) - 1 && buf[i]) {
			w->line[w->len++] = (char)buf[i];
		}
	}
}
