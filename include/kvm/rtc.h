/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_RTC_H
#define KVM_RTC_H

/*
 * The register of the real-time clock that has the century. Only the FADT says where
 * that is (ACPI 6.5, section 5.2.9): it is no part of the original chip.
 */
#define RTC_REG_CENTURY 0x32

#endif
