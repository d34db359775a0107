// SPDX-License-Identifier: GPL-2.0-only
/* The names of KVM_RUN's exit reasons. */
#include "test.h"

#include "kvm/exit-reason.h"

#include <linux/kvm.h>

static void a_reason_has_the_manuals_name(void)
{
	CHECK_STR(kvm_exit_reason__name(KVM_EXIT_UNKNOWN), "KVM_EXIT_UNKNOWN");
	CHECK_STR(kvm_exit_reason__name(KVM_EXIT_IO), "KVM_EXIT_IO");
	CHECK_STR(kvm_exit_reason__name(KVM_EXIT_SHUTDOWN), "KVM_EXIT_SHUTDOWN");
	CHECK_STR(kvm_exit_reason__name(KVM_EXIT_INTERNAL_ERROR), "KVM_EXIT_INTERNAL_ERROR");
	CHECK_STR(kvm_exit_reason__name(KVM_EXIT_NOTIFY), "KVM_EXIT_NOTIFY");
}

static void every_other_number_is_unknown(void)
{
	CHECK_STR(kvm_exit_reason__name(1000), "unknown");
	CHECK_STR(kvm_exit_reason__name(UINT32_MAX), "unknown");
	for (unsigned reason = 0; reason < 256; reason++)
		CHECK(kvm_exit_reason__name(reason));
}

TESTS(T(a_reason_has_the_manuals_name), T(every_other_number_is_unknown))
