// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tlock and Tgetlock. The guest resolves conflicts between its own processes
 * before it asks; what is left are those with the host's. To these the whole
 * guest is one owner, lkvm's process, so that files that are open in the guest
 * are never in each other's way here. POSIX locks vanish when the process closes
 * any descriptor of the file: then the host's programs do not see them until the
 * guest asks again.
 */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static struct flock host_lock(u8 type, u64 start, u64 len)
{
	static const short types[] = { F_RDLCK, F_WRLCK, F_UNLCK };

	return (struct flock){
		.l_type = types[type],
		.l_whence = SEEK_SET,
		.l_start = (off_t)start,
		.l_len = (off_t)len,
	};
}

int p9_lock(struct share *s, struct p9_call *c)
{
	int err;
	struct fid *fid = get_fid(s, c, &err);
	u8 type = p9_get8(c);

	p9_get32(c); /* flags: whether to wait, which the client does by asking again */

	u64 start = p9_get64(c), len = p9_get64(c);

	p9_get32(c); /* its process */
	p9_get_string(c); /* its name */
	if (err || c->bad)
		return err;
	if (fid->fd < 0)
		return -EBADF;
	if (type > P9_LOCK_UNLOCK)
		return -EINVAL;

	struct flock lock = host_lock(type, start, len);
	bool blocked = false;

	/*
	 * EBADF: it is open for the other direction only, as may be so for a lock
	 * that flock() made. That one is the guest's alone.
	 */
	if (fcntl(fid->fd, F_SETLK, &lock) < 0 && errno != EBADF) {
		blocked = errno == EAGAIN || errno == EACCES;
		if (!blocked)
			return -errno;
	}
	p9_put8(c, blocked ? P9_LOCK_BLOCKED : P9_LOCK_SUCCESS);
	return 0;
}

int p9_getlock(struct share *s, struct p9_call *c)
{
	int err;
	struct fid *fid = get_fid(s, c, &err);
	u8 type = p9_get8(c);
	u64 start = p9_get64(c), len = p9_get64(c);
	u32 process = p9_get32(c);
	const char *client = p9_get_string(c);

	if (err || c->bad)
		return err;
	if (fid->fd < 0)
		return -EBADF;

	/* Linux asks for the type it has just found no conflict with: none. */
	struct flock lock = host_lock(type == P9_LOCK_READ ? P9_LOCK_READ : P9_LOCK_WRITE, start, len);

	if (fcntl(fid->fd, F_GETLK, &lock) < 0)
		return -errno;
	if (lock.l_type == F_UNLCK) {
		type = P9_LOCK_UNLOCK;
	} else {
		type = lock.l_type == F_RDLCK ? P9_LOCK_READ : P9_LOCK_WRITE;
		start = (u64)lock.l_start;
		len = (u64)lock.l_len;
		process = (u32)lock.l_pid;
		client = "host";
	}
	p9_put8(c, type);
	p9_put64(c, start);
	p9_put64(c, len);
	p9_put32(c, process);
	p9_put_string(c, client, min_u64(strlen(client), 255));
	return 0;
}
