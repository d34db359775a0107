// SPDX-License-Identifier: GPL-2.0-only
/* Treaddir: names in a directory, with the host's own offsets, which stay what they are. */
#include "session.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct host_dirent {
	u64 ino;
	u64 next;	/* offset */
	u16 len;	/* of all of it */
	u8 type;	/* DT_* */
	char name[];
};

/* In the answer: qid[13] offset[8] type[1] name[s]; at most 4 bytes longer than the host's own */
#define ENTRY_BYTES (P9_QID_SIZE + 8 + 1 + 2)
#define MIN_HOST_BYTES 24u
#define MAX_HOST_BYTES (ALIGN_UP(offsetof(struct host_dirent, name) + 256, 8))

static size_t make_entry(const struct share *s, u64 dev, const struct host_dirent *d,
			 u8 entry[ENTRY_BYTES + 256])
{
	u64 path = htole64(qid_path(s, dev, d->ino)), next = htole64(d->next);
	size_t len = strlen(d->name);
	u16 name_len = htole16((u16)len);

	entry[0] = d->type == DT_DIR ? P9_QT_DIR : d->type == DT_LNK ? P9_QT_SYMLINK : P9_QT_FILE;
	memset(entry + 1, 0, 4);
	memcpy(entry + 5, &path, 8);
	memcpy(entry + 13, &next, 8);
	entry[21] = d->type;
	memcpy(entry + 22, &name_len, 2);
	memcpy(entry + ENTRY_BYTES, d->name, len);
	return ENTRY_BYTES + len;
}

static void put_entries(struct share *s, struct p9_call *c, struct fid *fid, const u8 *host,
			size_t len)
{
	u8 entry[ENTRY_BYTES + 256];

	for (const u8 *end = host + len; host < end;) {
		const struct host_dirent *d = (const void *)host;
		size_t n = make_entry(s, fid->node->dev, d, entry);

		iov_iter__fill(&c->in, entry, n);
		c->in_len += (u32)n;
		fid->dir_offset = d->next;
		host += d->len;
	}
}

/* How many bytes of the host's entries fit into @room bytes of the answer, whatever the names. */
static size_t host_bytes(u64 room)
{
	return room / (MIN_HOST_BYTES + 4) * MIN_HOST_BYTES;
}

int p9_readdir(struct share *s, struct p9_call *c)
{
	_Alignas(struct host_dirent) u8 host[KiB(32)];
	int err;
	struct fid *fid = get_fid(s, c, &err);
	u64 offset = p9_get64(c);
	u64 room = min_u64(p9_get32(c), min_u64(s->msize - P9_IO_HEADER, c->in_room));
	long n;

	if (err || c->bad)
		return err;
	if (fid->fd < 0 || !fid->is_dir)
		return -EBADF;
	if (offset != fid->dir_offset && lseek(fid->fd, (off_t)offset, SEEK_SET) < 0)
		return -errno;
	fid->dir_offset = offset;
	do {
		n = syscall(SYS_getdents64, fid->fd, host,
			    min_u64(host_bytes(room - c->in_len), sizeof(host)));
		if (n < 0 && !c->in_len)
			return -errno;
		if (n > 0)
			put_entries(s, c, fid, host, (size_t)n);
	} while (n > 0 && host_bytes(room - c->in_len) >= MAX_HOST_BYTES);
	p9_put32(c, c->in_len);
	return 0;
}
