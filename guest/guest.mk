# SPDX-License-Identifier: GPL-2.0-only
#
# $(O)/guest/init, the guest's first process: it stands alone, without a C library, and is never
# sanitized. command/init-image.c embeds it.

GUEST_CFLAGS := -std=gnu11 -Os -Wall -Wextra -Wshadow -Wmissing-prototypes -ffreestanding \
		-fno-stack-protector -fno-pic -fno-pie -fno-asynchronous-unwind-tables \
		-mgeneral-regs-only -U_FORTIFY_SOURCE
GUEST_SRC := $(sort $(wildcard guest/*.c))
GUEST_OBJ := $(GUEST_SRC:%.c=$(O)/%.o)
GUEST_INIT := $(O)/guest/init

$(GUEST_OBJ): $(O)/guest/%.o: guest/%.c $(O)/flavour $(KERNEL_HEADERS)
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(if $(KERNEL_HEADERS),-isystem $(KERNEL_HEADERS)) $(GUEST_CFLAGS) -MMD -MP -c -o $@ $<

$(GUEST_INIT): $(GUEST_OBJ) guest/guest.mk
	$(say) LINK $@
	$(Q)$(CC) -nostdlib -static -Wl,--build-id=none,-z,noexecstack,-s -o $@ $(GUEST_OBJ)

$(O)/command/init-image.o: CFLAGS += -Wa,-I$(O)
$(O)/command/init-image.o: $(GUEST_INIT)

-include $(GUEST_OBJ:.o=.d)
