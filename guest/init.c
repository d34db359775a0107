// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first process of a guest that `lkvm run` starts without a root of its own:
 * it makes one, runs one command, says how that ended, and turns the machine
 * off. It stands alone, without a C library, and is embedded in lkvm.
 */
#include "config.h"
#include "modules.h"
#include "mounts.h"
#include "ports.h"
#include "protocol.h"
#include "report.h"
#include "streams.h"
#include "system.h"

#include <asm/ioctls.h>
#include <asm/signal.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/reboot.h>
#include <linux/signalfd.h>
#include <linux/sockios.h>
#include <linux/wait.h>

void init_main(void);

__asm__(".globl _start\n"
	"_start:\n"
	"	xor %ebp, %ebp\n"
	"	and $-16, %rsp\n"
	"	call init_main\n");

#define ALL_SIGNALS (~0ul)
#define SIGNAL_BIT(n) (1ul << ((n) - 1))

static void set_signals(unsigned long blocked)
{
	sys4(__NR_rt_sigprocmask, SIG_SETMASK, &blocked, NULL, sizeof(blocked));
}

/*
 * The machine's name and its loopback interface
 */

static void set_hostname(const char *name)
{
	if (name)
		sys2(__NR_sethostname, name, strlen(name));
}

/* From <linux/socket.h>, <linux/if.h>: those headers ask for a C library. */
#define AF_INET 2
#define SOCK_DGRAM 2
#define IFF_UP 1

struct interface_flags {
	char name[16];
	short flags;
	char rest[22];
};

/* A kernel without networking has no sockets, and no need for this. */
static void bring_lo_up(void)
{
	struct interface_flags request = { .name = "lo" };
	int fd = (int)sys3(__NR_socket, AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		return;
	if (sys_ioctl(fd, SIOCGIFFLAGS, &request) == 0) {
		request.flags |= IFF_UP;
		sys_ioctl(fd, SIOCSIFFLAGS, &request);
	}
	sys_close(fd);
}

/*
 * The command
 */

static const char *find_env(char **envp, const char *name)
{
	size_t len = strlen(name);

	for (; *envp; envp++) {
		if (!strncmp(*envp, name, len) && (*envp)[len] == '=')
			return *envp + len + 1;
	}
	return NULL;
}

static int is_there(const char *path)
{
	return sys2(__NR_access, path, 0) == 0;
}

static int is_directory(const char *path)
{
	int fd = sys_open(path, O_PATH | O_DIRECTORY);

	if (fd < 0)
		return 0;
	sys_close(fd);
	return 1;
}

/* Never returns: the host hears why there is no command. */
static void __attribute__((noreturn)) cannot_run(const char *name, int err)
{
	char text[GUEST_REPORT_MAX], digits[NUMBER_LEN], code[32];
	const char *why = code;

	join(code, sizeof(code), "error ", number(digits, -err));
	if (is_directory(name))
		why = "it is a directory";
	else if (err == -EACCES)
		why = "Permission denied";
	else if (err == -ENOEXEC)
		why = "the kernel does not know its format";
	else if (err == -ENOENT)
		why = "its interpreter is missing";
	join(text, sizeof(text), "'", name, "': ", why);
	report(GUEST_SAYS_DENIED, text);
	sys_exit(126);
}

static void try(const char *path, const struct config *c, int *result)
{
	int err = (int)sys3(__NR_execve, path, c->argv, c->envp);

	/* "Not there" is the least to be said of it; what is there and cannot be run counts. */
	if (err == -ENOENT && is_there(path))
		cannot_run(path, err);
	if (*result == -ENOENT && err != -ENOTDIR)
		*result = err;
}

/*
 * As execvp() does: a name without a slash is looked for in PATH. The host has
 * already looked in its own files, which saves some messages for each directory.
 */
static void __attribute__((noreturn)) execute(const struct config *c)
{
	const char *name = c->argv[0], *path = find_env(c->envp, "PATH"), *end;
	char file[4096];
	int err = -ENOENT;

	if (c->program)
		try(c->program, c, &err);
	if (strchr(name, '/') || !path) {
		try(name, c, &err);
		path = "";
	}
	for (; *path; path = *end ? end + 1 : end) {
		end = strchr(path, ':');
		if (!end)
			end = path + strlen(path);
		if ((size_t)(end - path) < sizeof(file)) {
			memcpy(file, path, (size_t)(end - path));
			join(file + (end - path), sizeof(file) - (size_t)(end - path), "/", name);
			try(file, c, &err);
		}
	}
	if (err != -ENOENT)
		cannot_run(name, err);
	join(file, sizeof(file), "'", name, "'");
	report(GUEST_SAYS_MISSING, file);
	sys_exit(127);
}

/*
 * The session is init's own: when its leader ends, Linux hangs the terminal up,
 * with what it has not yet printed.
 */
static int open_terminal(void)
{
	int fd = ports__open_terminal();

	sys0(__NR_setsid);
	sys_ioctl(fd, TIOCSCTTY, (void *)1);
	return fd;
}

/* Makes the command the foreground job of the terminal. The signals that this sends are blocked. */
static void enter_terminal(int fd)
{
	int group = (int)sys0(__NR_getpid);

	sys2(__NR_setpgid, 0, 0);
	sys_ioctl(fd, TIOCSPGRP, &group);
	for (int i = 0; i < 3; i++)
		sys2(__NR_dup2, fd, i);
}

static void enter_streams(const struct streams *s)
{
	sys0(__NR_setsid);
	streams__enter(s);
}

static int start_command(const struct config *c, const struct streams *s, int terminal)
{
	/* fork(), which is clone() without anything that is shared */
	int pid = (int)sys6(__NR_clone, SIGCHLD, 0, 0, 0, 0, 0);

	if (pid)
		return pid;
	if (c->terminal)
		enter_terminal(terminal);
	else
		enter_streams(s);
	set_signals(0);
	if (c->cwd && sys1(__NR_chdir, c->cwd) != 0) {
		char text[GUEST_REPORT_MAX];

		join(text, sizeof(text), "there is no directory '", c->cwd, "' in the guest: the "
		     "command runs in '/'");
		report(GUEST_SAYS_WARNING, text);
	}
	report(GUEST_SAYS_START, NULL);
	execute(c);
}

/* Collects all processes that have ended. True if @pid is one; *@status is then its status. */
static int reap(int pid, int *status)
{
	int found = 0, s = 0, ended;

	while ((ended = (int)sys4(__NR_wait4, -1, &s, WNOHANG, NULL)) > 0) {
		if (ended == pid) {
			*status = s;
			found = 1;
		}
	}
	return found;
}

/* Serves the command until it ends. Returns what wait() says of it. */
static int wait_for(int pid, const struct config *c, struct streams *s)
{
	unsigned long mask = SIGNAL_BIT(SIGCHLD);
	int fd = (int)sys4(__NR_signalfd4, -1, &mask, sizeof(mask), O_CLOEXEC | O_NONBLOCK);
	struct signalfd_siginfo info;
	int status = 0;

	if (fd < 0)
		report__fatal("cannot wait for", "the command (CONFIG_SIGNALFD)", fd);
	while (!reap(pid, &status)) {
		if (c->terminal)
			sys4(__NR_waitid, P_ALL, 0, NULL, WEXITED | WNOWAIT);
		else
			streams__relay(s, fd);
		sys_read(fd, &info, sizeof(info));
	}
	return status;
}

static void report_status(int status)
{
	char digits[NUMBER_LEN];
	int signal = status & 0x7f;

	report(signal ? GUEST_SAYS_SIGNAL : GUEST_SAYS_EXIT,
	       number(digits, signal ? signal : status >> 8 & 0xff));
}

static void read_config(struct config *c)
{
	size_t len = 0;
	int err;
	char *text = sys_read_file(GUEST_CONFIG, &len, &err);

	if (text)
		err = config__parse(c, text, len);
	if (err)
		report__fatal("cannot read", GUEST_CONFIG, err);
}

static void power_off(void)
{
	for (;;) {
		sys4(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
		     LINUX_REBOOT_CMD_POWER_OFF, NULL);
		sys_sleep_ms(1000);
	}
}

void init_main(void)
{
	static struct config config;
	static struct streams streams;
	int terminal = -1;

	set_signals(ALL_SIGNALS);
	report__open();
	read_config(&config);
	modules__load();
	mounts__early();
	mounts__root(&config);
	set_hostname(config.hostname);
	bring_lo_up();
	if (config.terminal)
		terminal = open_terminal();
	else
		streams__open(&streams);

	int pid = start_command(&config, &streams, terminal);

	if (pid < 0)
		report__fatal("cannot start", "the command", pid);
	if (!config.terminal)
		streams__close_command(&streams);

	int status = wait_for(pid, &config, &streams);

	if (config.terminal)
		sys_ioctl(terminal, TCSBRK, (void *)1);
	else
		streams__drain(&streams);
	sys0(__NR_sync);
	report_status(status);
	power_off();
}
