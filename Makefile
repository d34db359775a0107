# SPDX-License-Identifier: GPL-2.0-only
#
# make             builds lkvm
# make demo        boots a distribution kernel with it
# make check       all tests (see tests/README.md); check-long builds kernels too
# make bench       lkvm beside its peers
# make fuzz        the fuzz targets, FUZZ_SECONDS each
# make coverage    what of the code a guest can reach the tests run
# make lint        compilers' and checkers' opinions
# make install DESTDIR= PREFIX=/usr/local
#
# demo, check, bench, fuzz, coverage and lint install the packages they need.
#
# O=DIR      build there; default: build, with the program beside this file
# V=1        show the commands
# STATIC=1   link statically: against musl where musl-gcc is installed, else glibc
# SAN=address,undefined or SAN=thread

VERSION	:= 0.1
PREFIX	?= /usr/local
O	?= build

CFLAGS	?= -O2 -g

ifdef STATIC
LDFLAGS	+= -static
ifneq ($(shell command -v musl-gcc),)
CC	:= musl-gcc
# musl-gcc sees no headers but musl's: the kernel's are linked into a directory of their own.
KERNEL_HEADERS := $(O)/kernel-headers
CPPFLAGS += -isystem $(KERNEL_HEADERS)
endif
endif

CFLAGS	+= -std=gnu11 -Wall -Wextra -Wshadow -Wmissing-prototypes -Wno-missing-field-initializers
CFLAGS	+= -fstack-protector-strong -pthread
CPPFLAGS += -D_GNU_SOURCE -DLKVM_VERSION='"$(VERSION)"' -Iinclude
LDFLAGS	+= -pthread

ifdef SAN
CFLAGS	+= -fsanitize=$(SAN) -fno-omit-frame-pointer
CPPFLAGS += -DUNCONFINED # a sanitizer makes system calls of its own
LDFLAGS	+= -fsanitize=$(SAN)
endif

# A build of another kind in the same place must not pick up old objects.
FLAVOUR	:= $(CC) $(CFLAGS) $(CPPFLAGS) $(LDFLAGS)

SRC	:= $(sort $(wildcard *.c util/*.c pack/*.c hw/*.c report/*.c share/*.c x86/*.c disk/*.c virtio/*.c \
	   command/*.c sandbox/*.c))
OBJ	:= $(SRC:%.c=$(O)/%.o)
LKVM	:= $(if $(filter build,$(O)),lkvm,$(O)/lkvm)

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-7s %s\n'
endif

all: $(LKVM)

$(LKVM): $(OBJ)
	$(say) LINK $@
	$(Q)$(CC) -o $@ $(OBJ) $(LDFLAGS)

$(O)/%.o: %.c $(O)/flavour $(KERNEL_HEADERS)
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(O)/flavour: FORCE
	@mkdir -p $(@D)
	@echo '$(FLAVOUR)' | cmp -s - $@ || echo '$(FLAVOUR)' > $@

$(O)/kernel-headers:
	@mkdir -p $@
	@ln -s /usr/include/linux /usr/include/asm-generic /usr/include/video $@
	@ln -s /usr/include/$(shell uname -m)-linux-gnu/asm $@

-include $(OBJ:.o=.d)

include guest/guest.mk

install: $(LKVM)
	install -D -m 755 $(LKVM) $(DESTDIR)$(PREFIX)/bin/lkvm
	install -D -m 644 docs/lkvm.1 $(DESTDIR)$(PREFIX)/share/man/man1/lkvm.1
# where no PATH finds it unless told to, as QEMU may be installed too
	install -d $(DESTDIR)$(PREFIX)/lib/lkvm
	ln -sf ../../bin/lkvm $(DESTDIR)$(PREFIX)/lib/lkvm/qemu-system-x86_64

clean:
	rm -rf $(O) $(LKVM)

#
# Tests. What runs them is in tests/; they find the program and the build in LKVM and O.
#
export O LKVM

include tests/unit/unit.mk

guests:
	$(Q)$(MAKE) --no-print-directory -f tests/guest/Makefile

packages:
	$(Q)tests/install-packages

demo: packages
	$(Q)$(MAKE) --no-print-directory $(LKVM)
	$(Q)tests/demo

check check-long: packages
	$(Q)$(MAKE) --no-print-directory $(LKVM) unit-tests guests
	$(Q)tests/check $(if $(filter check-long,$@),unit guest faults boot long)

bench: packages
	$(Q)$(MAKE) --no-print-directory $(LKVM)
	$(Q)tests/bench/startup
	$(Q)tests/bench/boot
	$(Q)tests/bench/disk
	$(Q)tests/bench/9p
	$(Q)tests/bench/console
	$(Q)tests/bench/watch
	$(Q)tests/bench/command

fuzz: packages
	$(Q)tests/fuzz/run

coverage: packages
	$(Q)O= tests/coverage

lint: packages
	$(Q)tests/lint

FORCE:
.PHONY: all install clean guests packages demo check check-long bench fuzz coverage lint FORCE
