/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORT_GATES_OPTIONS_H
#define REPORT_GATES_OPTIONS_H

#include "kvm/parse-options.h"

/* Fill kvm_config's patterns, which are sound regular expressions then; report/gates-options.c. */
extern const struct option gates_options[];

#endif
