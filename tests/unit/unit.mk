# SPDX-License-Identifier: GPL-2.0-only
#
# make unit-tests    builds $(O)/tests/unit/t-*, host-only tests of one module each, and what
#                    tests/disk/run needs
#
# They are linked with an archive of everything but main(), of which the linker takes what a test
# asks for. A test that defines a function itself, as a fake, keeps what is behind that function out.

UNIT_SRC := $(sort $(wildcard tests/unit/t-*.c))
UNIT	 := $(UNIT_SRC:%.c=$(O)/%)
UNIT_AR	 := $(O)/tests/unit/lkvm.a

# what tests/disk/run uses
DISK_IMAGE := $(O)/tests/disk/image

unit-tests: $(UNIT) $(DISK_IMAGE)

$(UNIT_AR): $(filter-out $(O)/main.o,$(OBJ))
	$(say) AR $@
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)$(AR) rc $@ $^

# so that a test can include a header that is not public, as "x86/boot.h"
$(O)/tests/%.o: CPPFLAGS += -I.

$(UNIT): %: %.o $(O)/tests/unit/test.o $(UNIT_AR)
	$(say) LINK $@
	$(Q)$(CC) -o $@ $^ $(LDFLAGS)

$(DISK_IMAGE): %: %.o $(UNIT_AR)
	$(say) LINK $@
	$(Q)$(CC) -o $@ $^ $(LDFLAGS)

-include $(UNIT:=.d) $(DISK_IMAGE).d $(O)/tests/unit/test.d

.PHONY: unit-tests
.SECONDARY: $(UNIT:=.o) $(DISK_IMAGE).o
