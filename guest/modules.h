/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUEST_MODULES_H
#define GUEST_MODULES_H

/*
 * Loads what GUEST_MODULES lists, in its order; without that file, nothing. A
 * module that does not load is only a warning: whatever needs it says what is
 * missing.
 */
void modules__load(void);

#endif
