// SPDX-License-Identifier: GPL-2.0-only
/* Lines to the host; guest/report.h is the manual. */
#include "report.h"
#include "protocol.h"
#include "system.h"

#include <linux/fcntl.h>
#include <linux/reboot.h>

static int have_port;

void report__open(void)
{
	have_port = sys3(__NR_ioperm, GUEST_REPORT_PORT, 1, 1) == 0;
}

static void send(const char *line, size_t len)
{
	if (!have_port) {
		int fd = sys_open("/dev/kmsg", O_WRONLY);

		if (fd >= 0) {
			sys_write(fd, line, len);
			sys_close(fd);
		}
		return;
	}
	for (size_t i = 0; i < len; i++)
		__asm__ volatile("outb %0, %1" : : "a"(line[i]), "Nd"((unsigned short)GUEST_REPORT_PORT));
}

void report(const char *word, const char *value)
{
	char line[GUEST_REPORT_MAX];

	join(line, sizeof(line) - 1, word, value ? " " : "", value ? value : "");

	size_t len = strlen(line);

	for (size_t i = 0; i < len; i++) {
		if (line[i] == '\n')
			line[i] = ' ';
	}
	line[len++] = '\n';
	send(line, len);
}

void report__fail(const char *sentence)
{
	report(GUEST_SAYS_FAILED, sentence);
	for (;;) {
		sys4(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
		     LINUX_REBOOT_CMD_POWER_OFF, NULL);
		sys_sleep_ms(1000);
	}
}

void report__fatal(const char *what, const char *object, int err)
{
	char sentence[GUEST_REPORT_MAX], digits[NUMBER_LEN];

	join(sentence, sizeof(sentence), what, " ", object, ": error ", number(digits, -err));
	report__fail(sentence);
}
