// SPDX-License-Identifier: GPL-2.0-only
/* A command and what it needs; include/kvm/pack.h is the manual. */
#include "host-path.h"
#include "kvm/file.h"
#include "kvm/pack.h"
#include "program.h"

#include <string.h>
#include <sys/stat.h>

/* In the guest other things are mounted there. */
static const char *const guests_own[] = { "/dev/", "/proc/", "/run/", "/sys/" };

static int no_command(struct initramfs *fs, const char *name, int status, int why)
{
	if (status == PACK_NOT_FOUND && !strchr(name, '/'))
		initramfs__fail(fs, why, "command '%s' is nowhere in PATH", name);
	else
		initramfs__fail(fs, why, "command '%s' cannot be executed: %s", name,
				file_strerror(why));
	return status;
}

static bool is_guests_own(const char *path)
{
	for (unsigned i = 0; i < ARRAY_SIZE(guests_own); i++) {
		if (!strncmp(path, guests_own[i], strlen(guests_own[i])))
			return true;
	}
	return false;
}

/* A file that is no program is data, whatever its mode. */
static int pack_word(struct initramfs *fs, const char *word, const struct pack_env *env)
{
	char path[PATH_MAX];
	struct stat st;

	if (!host_path__absolute(path, env->cwd, word) || is_guests_own(path) ||
	    stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	if (program__is_one(path))
		return program__pack(fs, path, env);
	return host_path__add(fs, path, NULL);
}

int pack__command(struct initramfs *fs, char *const *argv, const struct pack_env *env)
{
	char path[PATH_MAX];
	int why;

	if (fs->err)
		return fs->err;

	int status = pack__find_program(env, argv[0], path, &why);

	if (status > 0)
		return no_command(fs, argv[0], status, why);
	if (status)
		return initramfs__fail(fs, status, "command '%.200s' has too long a name", argv[0]);
	status = program__pack(fs, path, env);
	for (argv++; !status && *argv; argv++)
		status = pack_word(fs, *argv, env);
	return status ? status : host_path__add(fs, env->cwd, NULL);
}
