/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUEST_MODULES_H
#define GUEST_MODULES_H

/*
 * Loads what GUEST_MODULES lists, in its order; no such file is no modules. A
 * module that does not load is a warning: what needs it says what it lacks.
 */
void modules__load(void);

#endif
