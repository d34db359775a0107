// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a command on a terminal of its own, the way a shell with job control
 * runs one in the foreground, and plays the user:
 *
 *	pty STEP... -- COMMAND [ARG...]
 *
 *	see=TEXT	waits until TEXT was printed, after what was seen before
 *	type=TEXT	types it
 *	kill=NAME	sends a signal to the command: TERM, INT, TSTP and so on
 *	raw, cooked	waits until the terminal is in raw mode, or in the mode it had
 *	stopped		waits until the command has stopped, and takes the terminal
 *	fg, bg		continues it, in the foreground or in the background
 *	idle		waits until it has used next to no CPU time for a tenth of a second
 *	hangup		closes the user's end of the terminal, and sends SIGHUP as a shell does
 *
 * Then waits for the command's end. All it has printed on the terminal goes to
 * stdout; its stderr is ours. Ends with its status, or 128 + the signal that
 * ended it; with 99 and a message if a step did not come true in time, or if the
 * terminal was not left in the mode it had.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_SECONDS 60 /* for each step */
#define FAILED 99

static int master, slave;
static pid_t child;
static struct termios original;

static char output[1 << 20];
static size_t printed; /* bytes in output */
static size_t seen;    /* of which so many were looked at */

static void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

static void fail(const char *fmt, ...)
{
	va_list args;

	fputs("pty: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\npty: the terminal shows: %.*s\n", (int)printed, output);
	if (child > 0)
		kill(-child, SIGKILL);
	exit(FAILED);
}

/* Takes what the command has printed, and waits up to @ms for more if there is nothing. */
static void read_output(int ms)
{
	struct pollfd p = { .fd = master, .events = POLLIN };
	ssize_t n;

	if (master < 0) {
		usleep((useconds_t)ms * 1000);
		return;
	}
	if (poll(&p, 1, ms) <= 0)
		return;
	n = read(master, output + printed, sizeof(output) - 1 - printed);
	if (n > 0)
		printed += (size_t)n;
}

/* Calls @is_so until it is. */
static void wait_for(bool (*is_so)(const char *arg), const char *arg, const char *step)
{
	time_t start = time(NULL);

	while (!is_so(arg)) {
		if (time(NULL) - start > LIMIT_SECONDS)
			fail("'%s%s%s' did not come true in %d s", step, arg ? "=" : "",
			     arg ? arg : "", LIMIT_SECONDS);
		read_output(20);
	}
}

static bool is_seen(const char *text)
{
	char *found = memmem(output + seen, printed - seen, text, strlen(text));

	if (found)
		seen = (size_t)(found - output) + strlen(text);
	return found;
}

static bool is_raw(const char *arg)
{
	struct termios now;

	(void)arg;
	return tcgetattr(slave, &now) == 0 && !(now.c_lflag & (ICANON | ECHO | ISIG));
}

static bool is_original(const char *arg)
{
	struct termios now;

	(void)arg;
	return tcgetattr(slave, &now) == 0 && now.c_iflag == original.c_iflag &&
	       now.c_oflag == original.c_oflag && now.c_cflag == original.c_cflag &&
	       now.c_lflag == original.c_lflag &&
	       !memcmp(now.c_cc, original.c_cc, sizeof(now.c_cc));
}

static bool is_idle(const char *arg)
{
	struct timespec before, after;
	clockid_t clock;
	int status;

	(void)arg;
	if (waitpid(child, &status, WNOHANG | WUNTRACED) == child)
		fail("the command %s instead of waiting", WIFSTOPPED(status) ? "stopped" : "ended");
	if (clock_getcpuclockid(child, &clock) || clock_gettime(clock, &before))
		return false;
	poll(NULL, 0, 100);
	if (clock_gettime(clock, &after))
		return false;

	long ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;

	return ms < 20; /* a sanitizer has a thread of its own, which looks around now and then */
}

static bool has_stopped(const char *arg)
{
	int status;

	(void)arg;
	if (waitpid(child, &status, WNOHANG | WUNTRACED) != child)
		return false;
	if (!WIFSTOPPED(status))
		fail("the command ended instead of stopping");
	return true;
}

static void type(const char *text)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t n = write(master, text, len);

		if (n < 0)
			fail("cannot type: %s", strerror(errno));
		text += n;
		len -= (size_t)n;
	}
}

static int signal_number(const char *name)
{
	for (int i = 1; i < NSIG; i++) {
		const char *abbreviation = sigabbrev_np(i);

		if (abbreviation && !strcmp(name, abbreviation))
			return i;
	}
	fail("there is no signal '%s'", name);
}

/* The kernel tells the shell, and the shell its jobs. */
static void hang_up(void)
{
	read_output(0);
	close(master);
	master = -1;
	kill(-child, SIGHUP);
	kill(-child, SIGCONT);
}

static void run_step(char *step)
{
	char *arg = strchr(step, '=');

	if (arg)
		*arg++ = '\0';
	if (!strcmp(step, "see"))
		wait_for(is_seen, arg, step);
	else if (!strcmp(step, "type"))
		type(arg);
	else if (!strcmp(step, "kill"))
		kill(child, signal_number(arg));
	else if (!strcmp(step, "raw"))
		wait_for(is_raw, NULL, step);
	else if (!strcmp(step, "cooked"))
		wait_for(is_original, NULL, step);
	else if (!strcmp(step, "stopped")) {
		wait_for(has_stopped, NULL, step);
		tcsetpgrp(slave, getpgrp());
	} else if (!strcmp(step, "fg")) {
		tcsetpgrp(slave, child);
		kill(-child, SIGCONT);
	} else if (!strcmp(step, "bg"))
		kill(-child, SIGCONT);
	else if (!strcmp(step, "idle"))
		wait_for(is_idle, NULL, step);
	else if (!strcmp(step, "hangup"))
		hang_up();
	else
		fail("there is no step '%s'", step);
}

static void open_terminal(void)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };

	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		fail("cannot make a terminal: %s", strerror(errno));
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || ioctl(slave, TIOCSCTTY, 0) < 0 || tcgetattr(slave, &original) < 0)
		fail("cannot open the terminal: %s", strerror(errno));
	ioctl(slave, TIOCSWINSZ, &size);
}

static void run_command(char **argv)
{
	setpgid(0, 0);
	tcsetpgrp(slave, getpid()); /* as the parent does: whoever comes first */
	signal(SIGTTOU, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	dup2(slave, STDIN_FILENO);
	dup2(slave, STDOUT_FILENO);
	execvp(argv[0], argv);
	_exit(127);
}

static int wait_for_end(void)
{
	time_t start = time(NULL);
	int status;

	while (waitpid(child, &status, WNOHANG) != child) {
		if (time(NULL) - start > LIMIT_SECONDS)
			fail("the command did not end in %d s", LIMIT_SECONDS);
		read_output(20);
	}
	for (size_t before = printed - 1; before != printed;) {
		before = printed;
		read_output(0);
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* A process of its own, since the leader of a session may not be the leader of a job already */
static int play(char **steps, char **command)
{
	int status;

	setsid();
	signal(SIGTTOU, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	open_terminal();
	child = fork();
	if (child < 0)
		fail("cannot fork: %s", strerror(errno));
	if (!child)
		run_command(command);
	setpgid(child, child);
	tcsetpgrp(slave, child);

	while (steps < command - 1)
		run_step(*steps++);
	status = wait_for_end();
	fwrite(output, 1, printed, stdout);
	if (master >= 0 && !is_original(NULL))
		fail("the terminal was left in another mode");
	return status;
}

int main(int argc, char **argv)
{
	int first = 1, status;
	pid_t player;

	while (first < argc && strcmp(argv[first], "--"))
		first++;
	if (first + 1 >= argc)
		fail("usage: pty STEP... -- COMMAND [ARG...]");

	player = fork();
	if (player < 0)
		fail("cannot fork: %s", strerror(errno));
	if (!player)
		exit(play(argv + 1, argv + first + 1));
	waitpid(player, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : FAILED;
}
