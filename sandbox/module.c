// SPDX-License-Identifier: GPL-2.0-only
/* The sandbox as a part of a VM; include/kvm/sandbox.h is the manual. */
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/parse-options.h"
#include "sandbox.h"

#include <string.h>

static bool violated(void *owner, const char *words)
{
	struct kvm *kvm = owner;
	bool ended = verdict__ended(&kvm->verdict);

	if (!ended)
		kvm__stop(kvm, VERDICT_VMM_INTERNAL, "%s", words);
	return !ended;
}

static void failed(void *owner)
{
	kvm__stop(owner, VERDICT_CANNOT_TEST, "a thread cannot be confined");
}

static int sandbox__init(struct kvm *kvm, struct kvm_device **dev)
{
	const struct sandbox_params params = {
		.debug = kvm->cfg->debug,
		.owner = kvm,
		.violated = violated,
		.failed = failed,
	};
	int err;

	(void)dev;
	if (kvm->cfg->no_sandbox || !BUILD_IS_CONFINED || kvm->cfg->dry_run || kvm->cfg->print_cmdline)
		return 0;
	err = sandbox__new(&kvm->sandbox, &params);
	if (err)
		pr_err("the process cannot be confined: %s; '--no-sandbox' does without", strerror(-err));
	return err;
}

static void sandbox__exit(struct kvm *kvm, struct kvm_device *dev)
{
	(void)dev;
	sandbox__free(kvm->sandbox);
	kvm->sandbox = NULL;
}

static const struct option sandbox_options[] = {
	{ 0, "no-sandbox", NULL, "run unconfined, for debugging lkvm itself", opt_flag,
	  offsetof(struct kvm_config, no_sandbox) },
	{ 0 },
};

const struct kvm_module sandbox_module = {
	.options = sandbox_options,
	.init = sandbox__init,
	.exit = sandbox__exit,
};
