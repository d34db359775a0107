// SPDX-License-Identifier: GPL-2.0-only
/* The host; include/kvm/host.h is the manual. */
#include "kvm/host.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *const host_files[] = {
	"/proc/cpuinfo", "/proc/stat", "/proc/loadavg", "/sys/module/kvm/holders",
	"/sys/devices/system/cpu/online", NULL,
};

static bool has_word(const char *line, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = line; (p = strstr(p, word)); p += len) {
		if (p > line && p[-1] == ' ' && (p[len] == ' ' || p[len] == '\n'))
			return true;
	}
	return false;
}

unsigned host__cpu_flags(void)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	unsigned flags = 0;
	char line[8192];

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, "flags", 5))
			continue;
		flags |= has_word(line, "vmx") ? HOST_CPU_VMX : 0;
		flags |= has_word(line, "svm") ? HOST_CPU_SVM : 0;
		flags |= has_word(line, "hypervisor") ? HOST_CPU_HYPERVISOR : 0;
		break;
	}
	fclose(f);
	return flags;
}

enum host_kvm host__kvm(unsigned cpu_flags)
{
	if (access("/sys/module/kvm_intel", F_OK) == 0 && (cpu_flags & HOST_CPU_VMX))
		return HOST_KVM_VMX;
	if (access("/sys/module/kvm_amd", F_OK) == 0 && (cpu_flags & HOST_CPU_SVM))
		return HOST_KVM_SVM;
	return HOST_KVM_OTHER;
}

/* The module that uses kvm; if it is built in, one of the known ones. */
void host__kvm_module(char name[HOST_MODULE_LEN])
{
	static const char *const known[] = { "kvm_intel", "kvm_amd" };
	DIR *dir = opendir("/sys/module/kvm/holders");
	const struct dirent *entry;

	*name = '\0';
	/* cppcheck-suppress readdirCalled ; the directory is ours alone */
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			snprintf(name, HOST_MODULE_LEN, "%.*s", HOST_MODULE_LEN - 1, entry->d_name);
	}
	if (dir)
		closedir(dir);
	for (unsigned i = 0; !*name && i < ARRAY_SIZE(known); i++) {
		char path[64];

		snprintf(path, sizeof(path), "/sys/module/%s", known[i]);
		if (access(path, F_OK) == 0)
			snprintf(name, HOST_MODULE_LEN, "%s", known[i]);
	}
}

/* proc(5): user, nice, system, idle, iowait, irq, softirq, steal, in ticks */
u64 host__steal_ms(void)
{
	FILE *f = fopen("/proc/stat", "re");
	unsigned long long steal = 0;
	long ticks = sysconf(_SC_CLK_TCK);

	if (!f)
		return 0;
	if (fscanf(f, "cpu %*u %*u %*u %*u %*u %*u %*u %llu", &steal) != 1)
		steal = 0;
	fclose(f);
	return ticks > 0 ? steal * 1000 / (u64)ticks : 0;
}
