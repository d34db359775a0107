// SPDX-License-Identifier: GPL-2.0-only
/*
 * The real-time clock and its CMOS memory (Motorola MC146818A data sheet, and
 * the PC's century byte). It tells the host's time in UTC and 24 hours, plus
 * whatever a guest moved it by. It has no interrupt: the kernel finds a clock
 * without alarms.
 *
 * Numbers are BCD until a guest asks for binary. Linux never asks: on x86 it
 * takes what it reads for BCD whatever the chip says.
 */
#include "kvm/rtc.h"
#include "kvm/kvm.h"
#include "kvm/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PORT_INDEX 0x70 /* and 0x71, the data */

#define REG_SECONDS	0x00
#define REG_MINUTES	0x02
#define REG_HOURS	0x04
#define REG_WEEKDAY	0x06
#define REG_DAY		0x07
#define REG_MONTH	0x08
#define REG_YEAR	0x09
#define REG_A		0x0a
#define REG_B		0x0b
#define REG_C		0x0c
#define REG_D		0x0d

#define REG_A_32KHZ	0x26 /* the usual divider and rate; update never in progress */
#define REG_B_SET	0x80 /* the time is being set */
#define REG_B_BINARY	0x04
#define REG_B_24H	0x02
#define REG_D_VALID	0x80 /* the battery is good */

#define NR_REGS 128

/* All that a guest can see of it */
struct rtc_state {
	u8 index;
	u8 regs[NR_REGS];	/* the time's registers are filled when read */
	int64_t offset;		/* seconds the guest's clock is ahead of the host's */
};

struct rtc {
	struct kvm_device dev;
	struct bus_range range;
	struct platform_device description;
	pthread_mutex_t lock; /* guards state */
	struct rtc_state state;
};

static u8 encode(const struct rtc_state *s, unsigned n)
{
	return (u8)((s->regs[REG_B] & REG_B_BINARY) ? n : n / 10 << 4 | n % 10);
}

static int decode(const struct rtc_state *s, u8 reg)
{
	u8 value = s->regs[reg];

	return (s->regs[REG_B] & REG_B_BINARY) ? value : (value >> 4) * 10 + (value & 0xf);
}

static void load_time(struct rtc_state *s)
{
	time_t now = time(NULL) + s->offset;
	struct tm tm;

	if (!gmtime_r(&now, &tm))
		return;

	/* A guest can set a year before 1900, or so early that it becomes -1. */
	unsigned year = (unsigned)(tm.tm_year + 1900) % 10000;

	s->regs[REG_SECONDS] = encode(s, (unsigned)tm.tm_sec);
	s->regs[REG_MINUTES] = encode(s, (unsigned)tm.tm_min);
	s->regs[REG_HOURS] = encode(s, (unsigned)tm.tm_hour);
	s->regs[REG_WEEKDAY] = encode(s, (unsigned)tm.tm_wday + 1);
	s->regs[REG_DAY] = encode(s, (unsigned)tm.tm_mday);
	s->regs[REG_MONTH] = encode(s, (unsigned)tm.tm_mon + 1);
	s->regs[REG_YEAR] = encode(s, year % 100);
	s->regs[RTC_REG_CENTURY] = encode(s, year / 100);
}

/* The guest has set the registers: from now on its clock counts from there. */
static void store_time(struct rtc_state *s)
{
	struct tm tm = {
		.tm_sec = decode(s, REG_SECONDS),
		.tm_min = decode(s, REG_MINUTES),
		.tm_hour = decode(s, REG_HOURS),
		.tm_mday = decode(s, REG_DAY),
		.tm_mon = decode(s, REG_MONTH) - 1,
		.tm_year = (decode(s, RTC_REG_CENTURY) - 19) * 100 + decode(s, REG_YEAR),
	};

	s->offset = (int64_t)timegm(&tm) - (int64_t)time(NULL);
}

static bool is_time(u8 index)
{
	return index == RTC_REG_CENTURY || (index <= REG_YEAR && index != 1 && index != 3 && index != 5);
}

static u8 read_reg(struct rtc_state *s)
{
	/* While the guest sets the time it reads what it has written. */
	if (is_time(s->index) && !(s->regs[REG_B] & REG_B_SET))
		load_time(s);
	return s->regs[s->index];
}

static void write_reg(struct rtc_state *s, u8 value)
{
	switch (s->index) {
	case REG_A:
	case REG_C:
	case REG_D:
		break;
	case REG_B:
		if (value & ~s->regs[REG_B] & REG_B_SET)
			load_time(s);
		else if (~value & s->regs[REG_B] & REG_B_SET)
			store_time(s);
		s->regs[REG_B] = (value & (REG_B_SET | REG_B_BINARY)) | REG_B_24H;
		break;
	default:
		if (is_time(s->index) && !(s->regs[REG_B] & REG_B_SET))
			load_time(s);
		s->regs[s->index] = value;
		if (is_time(s->index) && !(s->regs[REG_B] & REG_B_SET))
			store_time(s);
	}
}

static u64 rtc__read(struct bus_range *range, u64 offset, unsigned width)
{
	struct rtc *r = container_of(range, struct rtc, range);

	(void)width;
	if (offset == 0)
		return 0xff; /* the index is write-only on a PC */
	pthread_mutex_lock(&r->lock);
	u8 value = read_reg(&r->state);
	pthread_mutex_unlock(&r->lock);
	return value;
}

static void rtc__write(struct bus_range *range, u64 offset, unsigned width, u64 value)
{
	struct rtc *r = container_of(range, struct rtc, range);

	(void)width;
	pthread_mutex_lock(&r->lock);
	if (offset == 0)
		r->state.index = value & (NR_REGS - 1); /* bit 7 masks the NMI */
	else
		write_reg(&r->state, (u8)value);
	pthread_mutex_unlock(&r->lock);
}

static const struct bus_ops rtc_ops = { 1, rtc__read, rtc__write };

static int rtc__init(struct kvm *kvm, struct kvm_device **dev)
{
	struct rtc *r = calloc(1, sizeof(*r));

	if (!r) {
		pr_err("cannot make the real-time clock: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	tzset(); /* else gmtime_r() does, and opens a file on a confined thread */
	pthread_mutex_init(&r->lock, NULL);
	r->state.regs[REG_A] = REG_A_32KHZ;
	r->state.regs[REG_B] = REG_B_24H;
	r->state.regs[REG_D] = REG_D_VALID;
	r->range = (struct bus_range){ PORT_INDEX, 2, &rtc_ops, "rtc" };
	bus__register(&kvm->pio, &r->range);
	r->description = (struct platform_device){
		.name = "RTC_",
		.hid = "PNP0B00",
		.port = PORT_INDEX,
		.nr_ports = 2,
	};
	platform__describe(kvm, &r->description);
	*dev = &r->dev;
	return 0;
}

static void rtc__exit(struct kvm *kvm, struct kvm_device *dev)
{
	struct rtc *r = container_of(dev, struct rtc, dev);

	(void)kvm;
	pthread_mutex_destroy(&r->lock);
	free(r);
}

const struct kvm_module rtc_module = {
	.init = rtc__init,
	.exit = rtc__exit,
};
