// SPDX-License-Identifier: GPL-2.0-only
/* A directory for a test's files; temp-dir.h is the manual. */
#include "temp-dir.h"
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

void temp__make(void)
{
	snprintf(dir, sizeof(dir), "/tmp/lkvm-test-XXXXXX");
	CHECK(mkdtemp(dir));
}

void temp__remove(void)
{
	CHECK_EQ(run_program((const char *const[]){ "rm", "-rf", dir, NULL }), 0);
}

const char *temp__dir(void)
{
	return dir;
}

const char *temp__path(const char *name)
{
	static char paths[8][512];
	static unsigned next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static void make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
}

static const char *with_parents(const char *name)
{
	const char *path = temp__path(name);
	char *copy = strdup(path);

	make_parents(copy);
	free(copy);
	return path;
}

void temp__put(const char *name, const void *data, size_t len, mode_t mode)
{
	int fd = open(with_parents(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK_EQ(write(fd, data, len), len);
	CHECK_EQ(fchmod(fd, mode), 0);
	close(fd);
}

void temp__text(const char *name, const char *text)
{
	temp__put(name, text, strlen(text), 0644);
}

void temp__mkdir(const char *name)
{
	CHECK_EQ(mkdir(with_parents(name), 0755), 0);
}

void temp__symlink(const char *name, const char *target)
{
	CHECK_EQ(symlink(target, with_parents(name)), 0);
}
