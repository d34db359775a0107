// SPDX-License-Identifier: GPL-2.0-only
#include "kvm/clock.h"
#include "kvm/kvm-cmd.h"

#include <fcntl.h>
#include <unistd.h>

/*
 * A standard stream that is closed stays useless, but its number must be taken:
 * else the next file opened would be "stdout", and a guest's console would be
 * written into it.
 */
static bool reserve_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		int useless = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;

		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", useless) != fd)
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	clock__start();
	if (!argc || !reserve_standard_streams())
		return EXIT_CANNOT_TEST;
	return handle_kvm_command(argc, argv);
}
