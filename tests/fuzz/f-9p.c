// SPDX-License-Identifier: GPL-2.0-only
/*
 * A whole session of the 9P server, with a client that says anything: sound
 * messages with fields that matter, and any bytes. Whatever it says, nothing
 * beside the directory is touched, and when it is gone nothing is kept.
 */
#include "fuzz.h"

#include "kvm/share.h"
#include "share/protocol.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOM KiB(16)

static char dir[64]; /* has "d", which is shared, and what must not be touched */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_dir(void)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void make_file(const char *name)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);

	HOLDS(fd >= 0 && write(fd, "text", 4) == 4);
	close(fd);
}

static void make_tree(void)
{
	if (!*dir) {
		/* In memory, if there is such a place, as a tree is made for each input */
		snprintf(dir, sizeof(dir), "%s/lkvm-fuzz-XXXXXX",
			 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
		HOLDS(mkdtemp(dir));
		atexit(remove_dir);
		make_file("out");
	}
	nftw(path_of("d"), remove_one, 16, FTW_DEPTH | FTW_PHYS);
	HOLDS(mkdir(path_of("d"), 0755) == 0 && mkdir(path_of("d/a"), 0755) == 0);
	make_file("d/b");
	HOLDS(symlink("../out", path_of("d/c")) == 0 && mkfifo(path_of("d/p"), 0600) == 0);
}

static void check_outside(void)
{
	struct dirent *e;
	DIR *d = opendir(dir);
	struct stat st;

	HOLDS(d);
	while ((e = readdir(d)))
		HOLDS(*e->d_name == '.' || !strcmp(e->d_name, "d") || !strcmp(e->d_name, "out"));
	closedir(d);
	HOLDS(stat(path_of("out"), &st) == 0 && st.st_size == 4 && st.st_nlink == 1 &&
	      st.st_mode == (S_IFREG | 0644));
}

/*
 * Messages
 */
struct message {
	u8 bytes[KiB(12)];
	size_t len;
};

static void add(struct message *m, const void *data, size_t len)
{
	memcpy(m->bytes + m->len, data, len);
	m->len += len;
}

static void add_string(struct message *m, const char *string)
{
	u16 len = (u16)strlen(string);

	add(m, &len, sizeof(len));
	add(m, string, len);
}

/* Names that are there, may be made, or lead out */
static void add_name(struct message *m, struct fuzz_input *in)
{
	static const char *const names[] = {
		"a", "b", "c", "p", "x", "y", "z", "..", ".", "", "a/b", "../out", "user.a",
	};
	u8 which = fuzz_u8(in) % 32;

	add_string(m, which < ARRAY_SIZE(names) ? names[which] : names[which % 7]);
}

/* A number of @len bytes: small, mostly */
static void add_number(struct message *m, struct fuzz_input *in, size_t len)
{
	u8 how = fuzz_u8(in);
	u64 value = how < 192 ? how % 64 : how < 224 ? BIT(how % 64) : ~0ull << (how % 64);

	add(m, &value, len);
}

static const char *format_of(u8 type)
{
	switch (type) {
	case P9_TSTATFS:
	case P9_TREADLINK:
	case P9_TCLUNK:
	case P9_TREMOVE:
		return "f";
	case P9_TLOPEN:
		return "fd";
	case P9_TLCREATE:
		return "fsddd";
	case P9_TSYMLINK:
		return "fssd";
	case P9_TMKNOD:
		return "fsMddd";
	case P9_TRENAME:
		return "ffs";
	case P9_TGETATTR:
		return "fq";
	case P9_TSETATTR:
		return "fdddd" "q" "qqqq";
	case P9_TXATTRWALK:
		return "ffs";
	case P9_TXATTRCREATE:
		return "fsqd";
	case P9_TREADDIR:
	case P9_TREAD:
		return "fqd";
	case P9_TWRITE:
		return "fqW";
	case P9_TFSYNC:
		return "fd";
	case P9_TLOCK:
		return "fbdqqds";
	case P9_TGETLOCK:
		return "fbqqds";
	case P9_TLINK:
		return "ffs";
	case P9_TMKDIR:
		return "fsdd";
	case P9_TRENAMEAT:
		return "fsfs";
	case P9_TUNLINKAT:
		return "fsd";
	case P9_TATTACH:
		return "fNssd";
	case P9_TFLUSH:
		return "w";
	case P9_TWALK:
		return "ff2";
	default:
		return NULL;
	}
}

static void add_field(struct message *m, char field, struct fuzz_input *in)
{
	static const u32 modes[] = { S_IFREG | 0644, S_IFIFO | 0600, S_IFSOCK | 0600, S_IFCHR | 0600,
				     S_IFBLK | 0600, S_IFDIR | 0700, S_IFREG };
	static const u32 no_fid = P9_NO_FID;
	u32 n;
	u16 names;

	switch (field) {
	case 'f':
		n = fuzz_u8(in) % 16;
		add(m, &n, sizeof(n));
		break;
	case 'N':
		add(m, &no_fid, sizeof(no_fid));
		break;
	case 'b':
		add_number(m, in, 1);
		break;
	case 'w':
		add_number(m, in, 2);
		break;
	case 'd':
		add_number(m, in, 4);
		break;
	case 'q':
		add_number(m, in, 8);
		break;
	case 's':
		add_name(m, in);
		break;
	case 'M':
		n = modes[fuzz_u8(in) % ARRAY_SIZE(modes)];
		add(m, &n, sizeof(n));
		break;
	case 'W': /* as many bytes as it says */
		n = fuzz_u8(in);
		add(m, &n, sizeof(n));
		memset(m->bytes + m->len, 'w', n);
		m->len += n;
		break;
	case '2':
		names = fuzz_u8(in) % 4;
		add(m, &names, sizeof(names));
		for (unsigned i = 0; i < names; i++)
			add_name(m, in);
		break;
	}
}

static void send(struct share *s, const struct message *m, struct fuzz_input *in)
{
	size_t room = fuzz_u8(in) & 1 ? ROOM : fuzz_u8(in);
	size_t cut = min_u64(fuzz_u8(in), m->len);
	/* Of just these sizes, so that an access beyond them is found */
	u8 *first = malloc(cut + 1), *second = malloc(m->len - cut + 1), *answer = malloc(room + 1);
	struct iovec out[] = { { first, cut }, { second, m->len - cut } };
	struct iovec answers[] = { { answer, room / 3 }, { answer + room / 3, room - room / 3 } };
	struct share_message message = { out, m->len, answers, room, .may_wait = cut & 1 };
	u32 size;

	HOLDS(first && second && answer);
	memcpy(first, m->bytes, cut);
	memcpy(second, m->bytes + cut, m->len - cut);

	int n = share__serve(s, &message);

	if (n == -EAGAIN && !message.may_wait) {
		message.may_wait = true;
		n = share__serve(s, &message);
	}
	HOLDS(n == -EINVAL || (n >= P9_HEADER && (size_t)n <= room));
	if (n > 0) {
		memcpy(&size, answer, sizeof(size));
		HOLDS(size == (u32)n && (answer[4] == P9_RLERROR || answer[4] == m->bytes[4] + 1));
	}
	free(first);
	free(second);
	free(answer);
}

static void finish(struct message *m, u8 type)
{
	u32 size = (u32)m->len;

	memcpy(m->bytes, &size, sizeof(size));
	m->bytes[4] = type;
	m->bytes[5] = m->bytes[6] = 0;
}

/* A session, in which fid 0 is the directory */
static void begin_session(struct share *s)
{
	struct fuzz_input sound = { (const u8 *)"\1\0\1", 3 };
	static const u8 root_and_no_fid[12] = { 0, 0, 0, 0, 255, 255, 255, 255 };
	struct message version = { .len = P9_HEADER }, attach = version;
	u32 msize = KiB(8);

	add(&version, &msize, sizeof(msize));
	add_string(&version, "9P2000.L");
	finish(&version, P9_TVERSION);
	send(s, &version, &sound);
	add(&attach, root_and_no_fid, sizeof(root_and_no_fid)); /* and two empty strings */
	add(&attach, &msize, sizeof(msize));
	finish(&attach, P9_TATTACH);
	send(s, &attach, &sound);
}

static void say_something(struct share *s, struct fuzz_input *in)
{
	struct message m = { .len = P9_HEADER };
	u8 type = fuzz_u8(in);
	const char *format = format_of(type & 0x7e);

	if (type & 0x80) { /* any bytes */
		for (size_t n = fuzz_u8(in); n; n--) {
			u8 byte = fuzz_u8(in);

			add(&m, &byte, 1);
		}
		finish(&m, type & 0x7f);
		if (type & 1)
			m.bytes[fuzz_u8(in) % 4] = fuzz_u8(in);
	} else {
		if (!format)
			return;
		for (; *format; format++)
			add_field(&m, *format, in);
		finish(&m, type & 0x7e);
	}
	send(s, &m, in);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct share_params params = { .max_fids = 12 };
	struct share *s;
	u8 how = fuzz_u8(&in);
	unsigned fds;

	make_tree();
	fds = fuzz_nr_fds();
	params.dir = path_of("d");
	params.readonly = how & 1;
	params.max_fds = 2 + (how >> 1) % 16;
	HOLDS(share__open(&s, &params) == 0);
	begin_session(s);
	while (in.left) {
		say_something(s, &in);
		HOLDS(fuzz_nr_fds() <= fds + params.max_fds);
	}
	share__free(s);
	HOLDS(fuzz_nr_fds() == fds);
	check_outside();
	return 0;
}
