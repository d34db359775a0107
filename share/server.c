// SPDX-License-Identifier: GPL-2.0-only
/* A server of 9P2000.L; include/kvm/share.h is the manual. */
#include "kvm/share.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct share {
	int root;
	bool readonly;
};

int share__open(struct share **share, const char *dir, bool readonly)
{
	struct share *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	/* For reading, not O_PATH: what the user may not read is better said now. */
	s->root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->root < 0) {
		err = -errno;
		free(s);
		return err;
	}
	s->readonly = readonly;
	*share = s;
	return 0;
}

void share__free(struct share *s)
{
	if (!s)
		return;
	close(s->root);
	free(s);
}

void share__reset(struct share *s)
{
	(void)s;
}

int share__serve(struct share *s, const struct share_message *message)
{
	(void)s;
	(void)message;
	return -EINVAL;
}
