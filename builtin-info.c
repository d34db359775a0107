// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkvm info: what this host's KVM is, what of it lkvm uses, and whether a
 * stock kernel can be expected to boot on it.
 */
#include "kvm/caps.h"
#include "kvm/host.h"
#include "kvm/kvm-cmd.h"
#include "kvm/kvm-config.h"
#include "kvm/log.h"
#include "kvm/parse-options.h"
#include "kvm/sandbox.h"

#include <linux/kvm.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct info_config {
	const char *dev;
	bool sandbox;
};

static const struct option info_options[] = {
	{ 0, "dev", "FILE", "KVM device (default " DEFAULT_DEV ")", opt_string,
	  offsetof(struct info_config, dev) },
	{ 0, "sandbox", NULL, "print what each thread of a running lkvm may do, and stop", opt_flag,
	  offsetof(struct info_config, sandbox) },
	{ 0 },
};

void kvm_info_help(void)
{
	const struct option_table tables[] = { { info_options, NULL }, { 0 } };

	puts("usage: lkvm info [OPTIONS]\n"
	     "\n"
	     "Says what this host's KVM offers, what lkvm uses of it, and whether a stock\n"
	     "kernel can be expected to boot. Exits 0 if lkvm can run here, else 125.\n");
	print_options(tables);
}

static const char *kvm_kind(unsigned flags)
{
	switch (host__kvm(flags)) {
	case HOST_KVM_VMX:
		return "VMX (kvm_intel)";
	case HOST_KVM_SVM:
		return "SVM (kvm_amd)";
	default:
		return "other: the CPU shows neither VMX nor SVM";
	}
}

/* "Y", "1", "N" or "0" in a module's parameter; '?' if it has none */
static char module_parameter(const char *path)
{
	FILE *f = fopen(path, "re");
	int c = f ? fgetc(f) : EOF;

	if (f)
		fclose(f);
	return c == EOF ? '?' : (char)c;
}

static const char *nested_support(unsigned flags)
{
	char value = module_parameter((flags & HOST_CPU_SVM) ? "/sys/module/kvm_amd/parameters/nested"
							: "/sys/module/kvm_intel/parameters/nested");

	return value == 'Y' || value == '1' ? "yes" : value == '?' ? "unknown" : "no";
}

static const char *iommu(void)
{
	return access("/sys/kernel/iommu_groups/0", F_OK) == 0 ? "yes" : "no";
}

static int check(int fd, unsigned cap)
{
	int value = ioctl(fd, KVM_CHECK_EXTENSION, cap);

	return value < 0 ? 0 : value;
}

/* Returns how many required ones are missing. */
static unsigned print_caps(int fd)
{
	unsigned missing = 0;

	puts("\ncapabilities lkvm uses");
	for (const struct kvm_cap_use *use = kvm_cap_uses; use->name; use++) {
		int value = check(fd, use->cap);

		printf("  %-32s %-8s %-7d %s", use->name, use->required ? "required" : "optional",
		       value, use->purpose);
		if (!value && use->required)
			missing++;
		if (!value)
			printf("; %s", use->required ? "MISSING" : use->fallback);
		putchar('\n');
	}
	return missing;
}

static int print_expectation(unsigned flags, unsigned missing)
{
	bool hardware = flags & (HOST_CPU_VMX | HOST_CPU_SVM);

	putchar('\n');
	if (missing) {
		printf("lkvm cannot run here: %u required capabilities are missing.\n", missing);
		return EXIT_CANNOT_TEST;
	}
	if (!hardware) {
		puts("A stock kernel cannot be expected to boot here: this KVM has no hardware\n"
		     "support to run guest kernels with and may not emulate all they execute.\n"
		     "Small test guests run.");
		return 0;
	}
	if (flags & HOST_CPU_HYPERVISOR)
		puts("A stock kernel can be expected to boot here, slower than on a bare machine:\n"
		     "this host is a guest itself.");
	else
		puts("A stock kernel can be expected to boot here.");
	return 0;
}

int kvm_cmd_info(int argc, char **argv)
{
	struct info_config cfg = { 0 };
	const struct option_table tables[] = { { info_options, &cfg }, { 0 } };
	struct operands operands;

	if (parse_options(tables, argc, argv, &operands) < 0)
		return EXIT_CANNOT_TEST;
	if (operands.help) {
		kvm_info_help();
		return 0;
	}
	if (operands.count || operands.command) {
		pr_err("'%s' is one word too many: usage is lkvm info [OPTIONS]",
		       operands.count ? operands.words[0] : "--");
		return EXIT_CANNOT_TEST;
	}

	if (cfg.sandbox) {
		sandbox__print();
		return 0;
	}

	unsigned flags = host__cpu_flags();
	const char *dev = cfg.dev ? cfg.dev : DEFAULT_DEV;
	int fd = kvm__open_dev(dev);

	if (fd < 0)
		return EXIT_CANNOT_TEST;

	int version = kvm__check_api_version(fd, dev);

	if (version < 0) {
		close(fd);
		return EXIT_CANNOT_TEST;
	}
	printf("device               %s\n", dev);
	printf("API version          %d\n", version);
	printf("kind                 %s\n", kvm_kind(flags));
	printf("host is a guest      %s\n", (flags & HOST_CPU_HYPERVISOR) ? "yes (nested)" : "no");
	printf("nested guests        %s\n", nested_support(flags));
	printf("vCPUs                at most %d, %d recommended\n", check(fd, KVM_CAP_MAX_VCPUS),
	       check(fd, KVM_CAP_NR_VCPUS));
	printf("vCPU ids             below %d\n", check(fd, KVM_CAP_MAX_VCPU_ID));
	printf("memory slots         %d\n", check(fd, KVM_CAP_NR_MEMSLOTS));
	printf("IOMMU                %s\n", iommu());

	unsigned missing = print_caps(fd);

	close(fd);
	return print_expectation(flags, missing);
}
