/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_TIMELINE_SVG_H
#define KVM_TIMELINE_SVG_H

/*
 * A time line as a picture: SVG 1.1 that a browser shows as it is, without
 * scripts, fonts or files besides. Each phase of the boot is a bar with its
 * time in words, moments are lines across, and initcalls, if there are any,
 * are bars below, the longest first.
 */
#include "kvm/initcalls.h"
#include "kvm/strbuf.h"
#include "kvm/timeline.h"

struct timeline_chart {
	const char *title;	/* any bytes: what XML forbids is replaced */
	const struct timeline *timeline;
	const struct initcalls *initcalls; /* ends by the clock of timeline__us(); NULL: none */
	u64 end_us;		/* of lkvm, which may be later than the VM's */
};

void timeline_svg__draw(struct strbuf *out, const struct timeline_chart *chart);

#endif
