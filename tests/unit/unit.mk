# SPDX-License-Identifier: GPL-2.0-only
#
# make unit-tests    builds $(O)/tests/unit/t-*, host-only tests of one module each, and what
#                    tests/disk/run and tests/ktap/compare need
#
# They are linked with two archives, of which the linker takes what a test asks for: what tests
# share, and everything but main(). A test, or what it takes from the first, that defines a function
# itself, as a fake, keeps what is behind that function out.

UNIT_SRC := $(sort $(wildcard tests/unit/t-*.c))
UNIT	 := $(UNIT_SRC:%.c=$(O)/%)
UNIT_AR	 := $(O)/tests/unit/lkvm.a
# A file of fakes is for the tests that name it below, and no other.
PROBE	 := $(O)/tests/unit/probe.o
FAULTS	 := $(O)/tests/unit/host-faults.o
SHARED	 := $(filter-out $(PROBE) $(FAULTS),$(patsubst %.c,$(O)/%.o,$(filter-out $(UNIT_SRC),$(wildcard tests/unit/*.c))))
SHARED_AR := $(O)/tests/unit/shared.a

# what tests/disk/run uses
DISK_IMAGE := $(O)/tests/disk/image

# what tests/ktap/compare uses
KTAP_COUNT := $(O)/tests/ktap/count

unit-tests: $(UNIT) $(DISK_IMAGE) $(KTAP_COUNT)

$(SHARED_AR): $(SHARED)
$(UNIT_AR): $(filter-out $(O)/main.o,$(OBJ))
$(SHARED_AR) $(UNIT_AR):
	$(say) AR $@
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)$(AR) rc $@ $^

# so that a test can include a header that is not public, as "x86/boot.h"
$(O)/tests/%.o: CPPFLAGS += -I.

$(UNIT): %: %.o $(SHARED_AR) $(UNIT_AR)
	$(say) LINK $@
	$(Q)$(CC) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDFLAGS)

$(O)/tests/unit/t-virtio-pci $(O)/tests/unit/t-virtio-mmio: $(PROBE)
$(O)/tests/unit/t-boot $(O)/tests/unit/t-disk-faults $(O)/tests/unit/t-guest-mem: $(FAULTS)

$(DISK_IMAGE): %: %.o $(UNIT_AR)
	$(say) LINK $@
	$(Q)$(CC) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDFLAGS)

$(KTAP_COUNT): %: %.o $(O)/tests/unit/ktap-log.o $(UNIT_AR)
	$(say) LINK $@
	$(Q)$(CC) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDFLAGS)

# init's own reader of what lkvm tells it, compiled for the host
GUEST_READER := $(O)/tests/unit/guest/config.o

$(GUEST_READER): guest/config.c $(O)/flavour $(KERNEL_HEADERS)
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(O)/tests/unit/t-command-config: $(GUEST_READER)

# where the logs are
$(O)/tests/unit/t-ktap.o: CPPFLAGS += -DLOGS='"$(CURDIR)/tests/data/ktap"'

-include $(GUEST_READER:.o=.d) $(UNIT:=.d) $(KTAP_COUNT).d $(DISK_IMAGE).d $(SHARED:.o=.d) $(PROBE:.o=.d) $(FAULTS:.o=.d)

.PHONY: unit-tests
.SECONDARY: $(UNIT:=.o) $(DISK_IMAGE).o $(KTAP_COUNT).o
