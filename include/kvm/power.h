/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_POWER_H
#define KVM_POWER_H

/*
 * The ports by which a guest powers the machine off or resets it, as the FADT
 * names them (ACPI 6.5, section 4.8.3.7 "Sleep Control and Status Registers"
 * and 4.8.3.6 "Reset Register").
 */
#define POWER_PORT_SLEEP_CONTROL 0x600
#define POWER_PORT_SLEEP_STATUS	 0x601
#define POWER_PORT_RESET	 0x602

#define POWER_RESET_VALUE	0x01
#define POWER_SLEEP_TYPE_S5	5 /* what \_S5 in the DSDT says */

#endif
