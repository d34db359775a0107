// SPDX-License-Identifier: GPL-2.0-only
/* MSI-X: the table, masks and pending bits, and which messages are sent. */
#include "test.h"

#include "kvm/kvm.h"
#include "kvm/msix.h"

#include <linux/kvm.h>
#include <linux/pci_regs.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Not from <sys/ioctl.h>: C libraries differ in the request's type, of which 32 bits count. */
int ioctl(int fd, unsigned long request, ...);

#define NR_VECTORS 5
#define PBA 0x800
#define ENABLE PCI_MSIX_FLAGS_ENABLE
#define MASKALL PCI_MSIX_FLAGS_MASKALL

static struct kvm kvm;
static struct pci_device dev;
static struct msix m;

/*
 * Fakes: a KVM that writes down the messages it gets, as "fee01000:41 ", and a
 * device whose configuration space is plain memory.
 */
static char journal[512];
static bool fail;

int ioctl(int fd, unsigned long request, ...)
{
	size_t len = strlen(journal);
	va_list args;

	va_start(args, request);
	const struct kvm_msi *msi = va_arg(args, void *);
	va_end(args);
	CHECK_EQ(fd, 77);
	CHECK_EQ((u32)request, KVM_SIGNAL_MSI);
	CHECK_EQ(msi->flags, 0);
	snprintf(journal + len, sizeof(journal) - len, "%llx:%x ",
		 (unsigned long long)((u64)msi->address_hi << 32 | msi->address_lo), msi->data);
	return fail ? -1 : 1;
}

static u8 config[256], writable[256];

unsigned pci__add_cap(struct pci_device *d, u8 id, const void *cap, const void *mask,
		      unsigned len)
{
	CHECK(d == &dev);
	CHECK_EQ(len, 12);
	memcpy(config + 0x40, cap, len);
	memcpy(writable + 0x40, mask, len);
	config[0x40] = id;
	return 0x40;
}

u32 pci__config_get(struct pci_device *d, unsigned offset, unsigned width)
{
	u32 value = 0;

	CHECK(d == &dev);
	memcpy(&value, config + offset, width);
	return value;
}

static const char *sent(void)
{
	static char last[sizeof(journal)];

	memcpy(last, journal, sizeof(last));
	*journal = '\0';
	return last;
}

static void start_with(unsigned nr_vectors)
{
	kvm = (struct kvm){ .vm_fd = 77 };
	memset(config, 0, sizeof(config));
	memset(writable, 0, sizeof(writable));
	fail = false;
	msix__init(&m, &kvm, &dev, 0, nr_vectors);
	sent();
}

static void start(void)
{
	start_with(NR_VECTORS);
}

static void stop(void)
{
	msix__exit(&m);
}

/*
 * What a guest does
 */
static void control(u16 flags)
{
	config[0x42] = (u8)((config[0x42] & 0xff) | (flags & 0xff));
	config[0x43] = (u8)((config[0x43] & 0x3f) | flags >> 8);
	msix__config_written(&m);
}

static u32 get(u64 offset)
{
	return (u32)msix__read(&m, offset, 4);
}

static void set(u64 offset, u32 value)
{
	msix__write(&m, offset, 4, value);
}

static u64 entry(unsigned vector, unsigned field)
{
	return vector * PCI_MSIX_ENTRY_SIZE + field;
}

static void mask(unsigned vector, bool masked)
{
	set(entry(vector, PCI_MSIX_ENTRY_VECTOR_CTRL), masked);
}

/* A message of its own for each vector, as fee0N000:4N */
static void fill(unsigned vector)
{
	set(entry(vector, PCI_MSIX_ENTRY_LOWER_ADDR), 0xfee00000 | vector << 12);
	set(entry(vector, PCI_MSIX_ENTRY_UPPER_ADDR), 0);
	set(entry(vector, PCI_MSIX_ENTRY_DATA), 0x40 + vector);
}

static void ready(void)
{
	start();
	for (unsigned i = 0; i < NR_VECTORS; i++) {
		fill(i);
		mask(i, false);
	}
	control(ENABLE);
	CHECK_STR(sent(), "");
}

/*
 * The capability and the table
 */
static void the_capability_tells_where_table_and_pending_bits_are(void)
{
	start();
	CHECK_EQ(config[0x40], PCI_CAP_ID_MSIX);
	CHECK_EQ(pci__config_get(&dev, 0x42, 2), NR_VECTORS - 1);
	CHECK_EQ(pci__config_get(&dev, 0x44, 4), 0);
	CHECK_EQ(pci__config_get(&dev, 0x48, 4), PBA);
	/* The guest may set two bits of it, and no others. */
	for (unsigned i = 0; i < sizeof(writable); i++)
		CHECK_EQ(writable[i], i == 0x43 ? (ENABLE | MASKALL) >> 8 : 0);
	stop();
	msix__init(&m, &kvm, &dev, 1, MSIX_MAX_VECTORS);
	CHECK_EQ(pci__config_get(&dev, 0x42, 2), MSIX_MAX_VECTORS - 1);
	CHECK_EQ(pci__config_get(&dev, 0x44, 4), 2); /* BAR 1 is at register 2 */
	CHECK_EQ(pci__config_get(&dev, 0x48, 4), PBA | 2);
	stop();
}

static void numbers_of_vectors_that_cannot_be_are_bugs(void)
{
	CHECK_BUG(msix__init(&m, &kvm, &dev, 0, 0), "nr_vectors");
	CHECK_BUG(msix__init(&m, &kvm, &dev, 0, MSIX_MAX_VECTORS + 1), "nr_vectors");
}

static void all_vectors_start_masked(void)
{
	start();
	for (unsigned i = 0; i < NR_VECTORS; i++) {
		CHECK_EQ(get(entry(i, PCI_MSIX_ENTRY_LOWER_ADDR)), 0);
		CHECK_EQ(get(entry(i, PCI_MSIX_ENTRY_UPPER_ADDR)), 0);
		CHECK_EQ(get(entry(i, PCI_MSIX_ENTRY_DATA)), 0);
		CHECK_EQ(get(entry(i, PCI_MSIX_ENTRY_VECTOR_CTRL)), PCI_MSIX_ENTRY_CTRL_MASKBIT);
	}
	CHECK(!msix__enabled(&m));
	stop();
}

static void entries_hold_what_is_written(void)
{
	start_with(MSIX_MAX_VECTORS);
	for (unsigned i = 0; i < MSIX_MAX_VECTORS; i++) {
		set(entry(i, PCI_MSIX_ENTRY_UPPER_ADDR), 0x1000 + i);
		set(entry(i, PCI_MSIX_ENTRY_LOWER_ADDR), 0xfee00000 | i << 12);
		set(entry(i, PCI_MSIX_ENTRY_DATA), 0xffff0000 + i);
		set(entry(i, PCI_MSIX_ENTRY_VECTOR_CTRL), i & 1);
	}
	for (unsigned i = 0; i < MSIX_MAX_VECTORS; i++) {
		test__context("vector %u", i);
		CHECK_EQ(get(entry(i, PCI_MSIX_ENTRY_LOWER_ADDR)), 0xfee00000 | i << 12);
		CHECK_EQ(get(entry(i, PCI_MSIX_ENTRY_UPPER_ADDR)), 0x1000 + i);
		CHECK_EQ(get(entry(i, PCI_MSIX_ENTRY_DATA)), 0xffff0000 + i);
		CHECK_EQ(get(entry(i, PCI_MSIX_ENTRY_VECTOR_CTRL)), i & 1);
	}
	stop();
}

static void reserved_bits_stay_zero(void)
{
	start();
	set(entry(1, PCI_MSIX_ENTRY_LOWER_ADDR), UINT32_MAX);
	CHECK_EQ(get(entry(1, PCI_MSIX_ENTRY_LOWER_ADDR)), 0xfffffffc);
	set(entry(1, PCI_MSIX_ENTRY_VECTOR_CTRL), UINT32_MAX);
	CHECK_EQ(get(entry(1, PCI_MSIX_ENTRY_VECTOR_CTRL)), 1);
	set(entry(1, PCI_MSIX_ENTRY_VECTOR_CTRL), UINT32_MAX - 1);
	CHECK_EQ(get(entry(1, PCI_MSIX_ENTRY_VECTOR_CTRL)), 0);
	stop();
}

static void what_is_no_aligned_doubleword_is_ignored(void)
{
	static const struct {
		unsigned offset, width;
	} odd[] = { { 0, 1 }, { 0, 2 }, { 1, 4 }, { 2, 4 }, { 3, 4 }, { 14, 4 }, { 12, 1 },
		    { 12, 2 }, { 0, 8 }, { PBA, 1 }, { PBA + 2, 4 }, { 0xfff, 1 }, { 0xffe, 2 } };

	ready();
	for (unsigned i = 0; i < ARRAY_SIZE(odd); i++) {
		test__context("%u bytes at 0x%x", odd[i].width, odd[i].offset);
		msix__write(&m, odd[i].offset, odd[i].width, UINT64_MAX);
		CHECK_EQ(msix__read(&m, odd[i].offset, odd[i].width), 0);
	}
	CHECK_EQ(get(entry(0, PCI_MSIX_ENTRY_LOWER_ADDR)), 0xfee00000);
	CHECK_EQ(get(entry(0, PCI_MSIX_ENTRY_DATA)), 0x40);
	CHECK_EQ(get(entry(0, PCI_MSIX_ENTRY_VECTOR_CTRL)), 0);
	CHECK_EQ(get(entry(1, PCI_MSIX_ENTRY_LOWER_ADDR)), 0xfee01000);
	stop();
}

static void beside_table_and_pending_bits_there_is_nothing(void)
{
	ready();
	for (u64 offset = NR_VECTORS * PCI_MSIX_ENTRY_SIZE; offset < MSIX_BAR_SIZE; offset += 4) {
		set(offset, UINT32_MAX);
		if (get(offset))
			CHECK_EQ(offset, 0);
	}
	CHECK_EQ(m.vectors[NR_VECTORS].data, 0);
	CHECK_STR(sent(), "");
	stop();
}

/*
 * Messages
 */
static void a_vector_sends_its_message(void)
{
	ready();
	msix__signal(&m, 0);
	msix__signal(&m, 4);
	msix__signal(&m, 4);
	CHECK_STR(sent(), "fee00000:40 fee04000:44 fee04000:44 ");
	CHECK_EQ(get(PBA), 0);
	set(entry(4, PCI_MSIX_ENTRY_UPPER_ADDR), 0x12);
	set(entry(4, PCI_MSIX_ENTRY_DATA), 0xabcd);
	msix__signal(&m, 4);
	CHECK_STR(sent(), "12fee04000:abcd ");
	stop();
}

static void a_vector_that_is_not_there_sends_nothing(void)
{
	ready();
	msix__signal(&m, NR_VECTORS);
	msix__signal(&m, 0xffff); /* VIRTIO_MSI_NO_VECTOR */
	msix__signal(&m, UINT32_MAX);
	CHECK_STR(sent(), "");
	for (u64 offset = PBA; offset < PBA + 16; offset += 4)
		CHECK_EQ(get(offset), 0);
	stop();
}

static void a_masked_vector_is_pending_and_sent_once(void)
{
	ready();
	mask(2, true);
	msix__signal(&m, 2);
	msix__signal(&m, 2);
	msix__signal(&m, 3); /* the others are not affected */
	CHECK_STR(sent(), "fee03000:43 ");
	CHECK_EQ(get(PBA), 1u << 2);
	mask(2, false);
	CHECK_STR(sent(), "fee02000:42 ");
	CHECK_EQ(get(PBA), 0);
	mask(2, true);
	mask(2, false);
	CHECK_STR(sent(), "");
	stop();
}

static void a_pending_message_is_sent_as_it_is_when_it_is_unmasked(void)
{
	ready();
	mask(2, true);
	msix__signal(&m, 2);
	set(entry(2, PCI_MSIX_ENTRY_LOWER_ADDR), 0xfee77000);
	set(entry(2, PCI_MSIX_ENTRY_DATA), 0x99);
	CHECK_STR(sent(), "");
	mask(2, true); /* again: nothing has changed */
	CHECK_STR(sent(), "");
	mask(2, false);
	CHECK_STR(sent(), "fee77000:99 ");
	stop();
}

static void the_mask_of_all_holds_all(void)
{
	ready();
	mask(1, true);
	control(ENABLE | MASKALL);
	CHECK(msix__enabled(&m));
	for (unsigned i = 0; i < NR_VECTORS; i++)
		msix__signal(&m, i);
	CHECK_STR(sent(), "");
	CHECK_EQ(get(PBA), 0x1f);
	mask(3, true);
	mask(3, false);
	CHECK_STR(sent(), "");
	control(ENABLE);
	CHECK_STR(sent(), "fee00000:40 fee02000:42 fee03000:43 fee04000:44 ");
	CHECK_EQ(get(PBA), 1u << 1);
	mask(1, false);
	CHECK_STR(sent(), "fee01000:41 ");
	stop();
}

static void nothing_is_sent_while_it_is_disabled(void)
{
	ready();
	control(0);
	CHECK(!msix__enabled(&m));
	msix__signal(&m, 1);
	mask(1, true);
	mask(1, false);
	CHECK_STR(sent(), "");
	control(MASKALL);
	CHECK(!msix__enabled(&m));
	control(ENABLE);
	CHECK(msix__enabled(&m));
	CHECK_STR(sent(), "fee01000:41 ");
	stop();
}

static void pending_bits_are_one_for_each_vector(void)
{
	start_with(MSIX_MAX_VECTORS);
	control(ENABLE);
	for (unsigned i = 0; i < MSIX_MAX_VECTORS; i += 33)
		msix__signal(&m, i);
	msix__signal(&m, MSIX_MAX_VECTORS - 1);
	CHECK_EQ(get(PBA), 1u << 0);
	CHECK_EQ(get(PBA + 4), 1u << 1);
	CHECK_EQ(get(PBA + 8), 1u << 2);
	CHECK_EQ(get(PBA + 12), 1u << 3 | 1u << 31);
	CHECK_EQ(get(PBA + 16), 0);
	set(PBA, 0); /* read-only */
	set(PBA + 4, UINT32_MAX);
	CHECK_EQ(get(PBA), 1u << 0);
	CHECK_EQ(get(PBA + 4), 1u << 1);
	CHECK_STR(sent(), "");
	stop();
}

static void a_message_that_kvm_refuses_is_gone(void)
{
	ready();
	fail = true;
	msix__signal(&m, 1);
	CHECK_STR(sent(), "fee01000:41 ");
	CHECK_EQ(get(PBA), 0);
	mask(1, true);
	mask(1, false);
	CHECK_STR(sent(), "");
	stop();
}

TESTS(T(the_capability_tells_where_table_and_pending_bits_are),
      T(numbers_of_vectors_that_cannot_be_are_bugs), T(all_vectors_start_masked),
      T(entries_hold_what_is_written), T(reserved_bits_stay_zero),
      T(what_is_no_aligned_doubleword_is_ignored),
      T(beside_table_and_pending_bits_there_is_nothing), T(a_vector_sends_its_message),
      T(a_vector_that_is_not_there_sends_nothing), T(a_masked_vector_is_pending_and_sent_once),
      T(a_pending_message_is_sent_as_it_is_when_it_is_unmasked), T(the_mask_of_all_holds_all),
      T(nothing_is_sent_while_it_is_disabled), T(pending_bits_are_one_for_each_vector),
      T(a_message_that_kvm_refuses_is_gone))
