// SPDX-License-Identifier: GPL-2.0-only
/* The table of address ranges; include/kvm/bus.h is the manual. */
#include "kvm/bus.h"
#include "kvm/log.h"

#include <string.h>

void bus__register(struct bus *bus, struct bus_range *range)
{
	unsigned i = bus->nr_ranges;

	BUG_ON(bus->nr_ranges == BUS_MAX_RANGES);
	BUG_ON(!range->size || range->base + (range->size - 1) < range->base);

	for (; i && bus->ranges[i - 1]->base > range->base; i--)
		bus->ranges[i] = bus->ranges[i - 1];
	bus->ranges[i] = range;
	bus->nr_ranges++;

	BUG_ON(i && range->base - bus->ranges[i - 1]->base < bus->ranges[i - 1]->size);
	BUG_ON(i + 1 < bus->nr_ranges && bus->ranges[i + 1]->base - range->base < range->size);
}

static struct bus_range *bus__find(const struct bus *bus, u64 addr)
{
	unsigned low = 0, high = bus->nr_ranges;

	while (low < high) {
		unsigned mid = (low + high) / 2;
		struct bus_range *range = bus->ranges[mid];

		if (addr < range->base)
			high = mid;
		else if (addr - range->base >= range->size)
			low = mid + 1;
		else
			return range;
	}
	return NULL;
}

/* The range that takes the whole access in one piece, or NULL */
static struct bus_range *bus__find_whole(const struct bus *bus, u64 addr, unsigned width)
{
	struct bus_range *range = bus__find(bus, addr);

	/* KVM cuts an access that straddles pages into pieces of any length. */
	if (!range || !is_power_of_two(width) || width > range->ops->max_width ||
	    width > range->size - (addr - range->base))
		return NULL;
	return range;
}

void bus__unclaimed(const struct bus *bus, const char *what, u64 addr, unsigned width)
{
	if (bus->trace)
		pr_info("unclaimed %s %s at 0x%llx, %u bytes", bus->name, what,
			(unsigned long long)addr, width);
}

/*
 * True if an access that no device takes whole is worth splitting. One that
 * touches no device at all is answered, and reported, in one piece.
 */
static bool bus__touches_any(const struct bus *bus, u64 addr, unsigned width)
{
	for (unsigned i = 0; i < width; i++) {
		if (bus__find(bus, addr + i))
			return true;
	}
	return false;
}

void bus__read(struct bus *bus, u64 addr, unsigned width, void *data)
{
	struct bus_range *range = bus__find_whole(bus, addr, width);

	if (range) {
		u64 value = range->ops->read(range, addr - range->base, width);

		memcpy(data, &value, width);
		return;
	}
	if (width == 1 || !bus__touches_any(bus, addr, width)) {
		bus__unclaimed(bus, "read", addr, width);
		memset(data, 0xff, width);
		return;
	}
	for (unsigned i = 0; i < width; i++)
		bus__read(bus, addr + i, 1, (u8 *)data + i);
}

void bus__write(struct bus *bus, u64 addr, unsigned width, const void *data)
{
	struct bus_range *range = bus__find_whole(bus, addr, width);

	if (range) {
		u64 value = 0;

		memcpy(&value, data, width);
		range->ops->write(range, addr - range->base, width, value);
		return;
	}
	if (width == 1 || !bus__touches_any(bus, addr, width)) {
		bus__unclaimed(bus, "write", addr, width);
		return;
	}
	for (unsigned i = 0; i < width; i++)
		bus__write(bus, addr + i, 1, (const u8 *)data + i);
}
