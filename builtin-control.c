// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkvm dmesg, balloon, stop and list: what can be asked of a VM that another lkvm runs.
 * include/kvm/control.h has the protocol.
 */
#include "kvm/control.h"
#include "kvm/kvm-cmd.h"
#include "kvm/log.h"
#include "kvm/number.h"
#include "kvm/parse-options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

/* More than a server has to say, and less than does harm */
#define MAX_BODY MiB(64)

struct control_config {
	const char *name;
};

static const struct option name_options[] = {
	{ 'n', "name", "NAME", "of the VM; `lkvm list` lists them", opt_vm_name,
	  offsetof(struct control_config, name) },
	{ 0 },
};

static void print_help(const char *usage, const struct option *options)
{
	const struct option_table tables[] = { { options, NULL }, { 0 } };

	puts(usage);
	print_options(tables);
}

void kvm_dmesg_help(void)
{
	print_help("usage: lkvm dmesg -n NAME\n"
		   "\n"
		   "Prints the log of a running VM's kernel, as dmesg would in it. It is read from\n"
		   "the VM's memory: the guest needs no console and no agent, and may be hung.\n",
		   name_options);
}

void kvm_balloon_help(void)
{
	print_help("usage: lkvm balloon -n NAME [SIZE]\n"
		   "\n"
		   "Asks the guest of a running VM that has a balloon (--balloon) to give up SIZE of\n"
		   "its memory, a number of MiB, or a number and K, M, G or T; 0 gives it all back.\n"
		   "Prints how much it was asked for, has given so far, and has discarded of itself as\n"
		   "free; and how its own memory was when it last told.\n",
		   name_options);
}

void kvm_stop_help(void)
{
	print_help("usage: lkvm stop -n NAME\n"
		   "\n"
		   "Ends a running VM, as SIGTERM does, and returns when it has ended.\n",
		   name_options);
}

void kvm_list_help(void)
{
	puts("usage: lkvm list\n"
	     "\n"
	     "Lists the running VMs of this user (of all users, for root): process and name.");
}

/*
 * Which VMs there are: they listen on sockets with names
 */

struct vm {
	uid_t uid;
	char name[CONTROL_NAME_MAX + 1];
};

/*
 * A line of /proc/net/unix: "Num: RefCount Protocol Flags Type St Inode Path". True
 * if it is a VM that this user may ask something.
 */
static bool read_vm(const char *line, struct vm *vm)
{
	const unsigned listens = 0x10000; /* __SO_ACCEPTCON */
	unsigned flags, uid;
	char path[128], format[64];

	if (sscanf(line, "%*s %*x %*x %x %*x %*x %*u %127s", &flags, path) != 2 ||
	    !(flags & listens))
		return false;
	snprintf(format, sizeof(format), "@" CONTROL_PREFIX "%%u/%%%d[A-Za-z0-9._-]",
		 CONTROL_NAME_MAX);
	if (sscanf(path, format, &uid, vm->name) != 2)
		return false;
	vm->uid = uid;
	return uid == geteuid() || geteuid() == 0;
}

/* Calls @found for each VM until it returns true; then returns true. */
static bool for_each_vm(bool (*found)(const struct vm *vm, const char *name), const char *name,
			struct vm *vm)
{
	FILE *f = fopen("/proc/net/unix", "re");
	bool stop = false;
	char line[512];

	while (f && !stop && fgets(line, sizeof(line), f))
		stop = read_vm(line, vm) && found(vm, name);
	if (f)
		fclose(f);
	return stop;
}

/*
 * Talking to one
 */

/* Connects to @vm, whose process's id is then *@pid. Returns the socket or -errno. */
static int connect_to(const struct vm *vm, pid_t *pid)
{
	struct timeval patience = { .tv_sec = CONTROL_PATIENCE_MS / 1000 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), err;
	struct sockaddr_un address;
	socklen_t len = control__address(&address, vm->uid, vm->name);
	struct ucred peer;
	socklen_t peer_len = sizeof(peer);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&address, len) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_len) < 0) {
		err = -errno;
		goto close_fd;
	}
	/* Anybody may take any name. */
	if (peer.uid != vm->uid) {
		err = -ECONNREFUSED;
		goto close_fd;
	}
	*pid = peer.pid;
	return fd;

close_fd:
	close(fd);
	return err;
}

static bool is_called(const struct vm *vm, const char *name)
{
	return !strcmp(vm->name, name);
}

/* Connects to the user's own VM of that name, or, for root, to anybody's. */
static int connect_by_name(const char *name)
{
	struct vm vm = { .uid = geteuid() };
	pid_t pid = 0;
	int fd;

	strncpy(vm.name, name, CONTROL_NAME_MAX);
	fd = connect_to(&vm, &pid);
	if (fd == -ECONNREFUSED && for_each_vm(is_called, name, &vm))
		fd = connect_to(&vm, &pid);
	if (fd == -ECONNREFUSED)
		pr_err("there is no VM called '%s'; `lkvm list` lists them", name);
	else if (fd < 0)
		pr_err("cannot reach VM '%s': %s", name, strerror(-fd));
	return fd;
}

/* Returns 0, or -errno: what ends early is -EPIPE. */
static int read_line(int fd, char *line, size_t size)
{
	for (size_t len = 0; len < size; len++) {
		ssize_t n = recv(fd, line + len, 1, 0);

		if (n <= 0)
			return n ? -errno : -EPIPE;
		if (line[len] == '\n') {
			line[len] = '\0';
			return 0;
		}
	}
	return -EPROTO;
}

static int read_body(int fd, size_t len)
{
	char buf[16384];

	while (len) {
		ssize_t n = recv(fd, buf, min_u64(sizeof(buf), len), 0);

		if (n <= 0)
			return n ? -errno : -EPIPE;
		fwrite(buf, 1, (size_t)n, stdout);
		len -= (size_t)n;
	}
	return 0;
}

/* Asks, and prints the answer on stdout. Returns 0, -errno, or -EBADMSG after a message. */
static int ask(int fd, const char *name, const char *command)
{
	char line[CONTROL_REPLY_MAX];
	int n = snprintf(line, sizeof(line), "%s\n", command), err;
	u64 len;

	if (send(fd, line, (size_t)n, MSG_NOSIGNAL) != n)
		return -errno;
	err = read_line(fd, line, sizeof(line));
	if (err)
		return err;
	if (!strncmp(line, "error ", 6)) {
		pr_err("VM '%s': %s", name, line + 6);
		return -EBADMSG;
	}
	if (strncmp(line, "ok ", 3) || parse_u64(line + 3, &len) || len > MAX_BODY)
		return -EPROTO;
	return read_body(fd, len);
}

/* The connection of a VM that was told to end lasts as long as it does. */
static int wait_for_end(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, 0);

	return n < 0 && errno != ECONNRESET ? -errno : 0;
}

/*
 * The commands
 */

/*
 * Reads the option --name and, unless @word is NULL, one operand, or shows the help:
 * true if there is something to do.
 */
static bool read_name(int argc, char **argv, const char *command, void (*help)(void),
		      const char **name, const char **word, int *status)
{
	struct control_config cfg = { 0 };
	const struct option_table tables[] = { { name_options, &cfg }, { 0 } };
	struct operands operands;
	unsigned max_words = word ? 1 : 0;

	*status = EXIT_CANNOT_TEST;
	if (parse_options(tables, argc, argv, &operands) < 0)
		return false;
	if (operands.help) {
		help();
		*status = 0;
		return false;
	}
	if (operands.count > max_words || operands.command) {
		pr_err("'%s' is one word too many: usage is lkvm %s -n NAME%s",
		       operands.count > max_words ? operands.words[max_words] : "--", command,
		       word ? " [SIZE]" : "");
		return false;
	}
	if (word)
		*word = operands.count ? operands.words[0] : NULL;
	if (!cfg.name)
		pr_err("no VM is named: usage is lkvm %s -n NAME; `lkvm list` lists them", command);
	*name = cfg.name;
	return cfg.name;
}

static int finish(int fd, const char *name, int err)
{
	close(fd);
	if (err == -EAGAIN)
		pr_err("VM '%s' does not answer", name);
	else if (err == -EPIPE)
		pr_err("VM '%s' ended before it had answered", name);
	else if (err && err != -EBADMSG)
		pr_err("cannot ask VM '%s': %s", name, strerror(-err));
	return err ? EXIT_CANNOT_TEST : 0;
}

int kvm_cmd_dmesg(int argc, char **argv)
{
	const char *name;
	int status, fd;

	if (!read_name(argc, argv, "dmesg", kvm_dmesg_help, &name, NULL, &status))
		return status;
	fd = connect_by_name(name);
	return fd < 0 ? EXIT_CANNOT_TEST : finish(fd, name, ask(fd, name, "dmesg"));
}

int kvm_cmd_balloon(int argc, char **argv)
{
	char request[CONTROL_REQUEST_MAX] = "balloon";
	const char *name, *size;
	int status, fd;
	u64 bytes;

	if (!read_name(argc, argv, "balloon", kvm_balloon_help, &name, &size, &status))
		return status;
	if (size && parse_size(size, MiB(1), &bytes)) {
		pr_err("'%s' is not a size; a size is a number of MiB, or a number and K, M, G or T",
		       size);
		return EXIT_CANNOT_TEST;
	}
	if (size)
		snprintf(request, sizeof(request), "balloon %llu", (unsigned long long)bytes);
	fd = connect_by_name(name);
	return fd < 0 ? EXIT_CANNOT_TEST : finish(fd, name, ask(fd, name, request));
}

int kvm_cmd_stop(int argc, char **argv)
{
	const char *name;
	int status, fd, err;

	if (!read_name(argc, argv, "stop", kvm_stop_help, &name, NULL, &status))
		return status;
	fd = connect_by_name(name);
	if (fd < 0)
		return EXIT_CANNOT_TEST;
	err = ask(fd, name, "stop");
	if (!err && wait_for_end(fd) == -EAGAIN)
		pr_warn("VM '%s' has not ended yet", name);
	return finish(fd, name, err);
}

static bool print_vm(const struct vm *vm, const char *name)
{
	pid_t pid = 0;
	int fd = connect_to(vm, &pid);

	(void)name;
	if (fd < 0) /* it has just ended, or is somebody else's */
		return false;
	close(fd);
	printf("%7d  %s\n", (int)pid, vm->name);
	return false;
}

int kvm_cmd_list(int argc, char **argv)
{
	const struct option_table no_options[] = { { 0 } };
	struct operands operands;
	struct vm vm = { 0 };

	if (parse_options(no_options, argc, argv, &operands) < 0)
		return EXIT_CANNOT_TEST;
	if (operands.help) {
		kvm_list_help();
		return 0;
	}
	if (operands.count || operands.command) {
		pr_err("'%s' is one word too many: usage is lkvm list",
		       operands.count ? operands.words[0] : "--");
		return EXIT_CANNOT_TEST;
	}
	for_each_vm(print_vm, NULL, &vm);
	return 0;
}
