// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a command whose stdin and stdout are non-blocking, as they are when some
 * other process that has them too made them so:
 *
 *	nonblock COMMAND [ARG...]
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 2)
		return 99;
	for (int fd = STDIN_FILENO; fd <= STDOUT_FILENO; fd++)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 127;
}
