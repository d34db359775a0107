// SPDX-License-Identifier: GPL-2.0-only
/* What init is told: written by lkvm's code, and read by init's own. */
#include "test.h"

#include "command/config.h"
#include "guest/config.h"
#include "kvm/kvm-config.h"

#include <errno.h>
#include <string.h>

/* What init's reader has in its own system.c: memory that is never given back */
void *sys_alloc(size_t len);

static u64 arena[4096];
static size_t used;

void *sys_alloc(size_t len)
{
	size_t words = (len + 7) / 8;
	u64 *p = words <= ARRAY_SIZE(arena) - used ? arena + used : NULL;

	if (p)
		memset(p, 0, words * 8);
	used += p ? words : 0;
	return p;
}

static const struct host_session host = {
	.cwd = "/home/a b",
	.path = "/opt/bin:/bin",
	.home = "/home/a",
	.term = "xterm",
	.lang = "C.UTF-8",
};

static char *const words[] = { "make", "", "a=b", "x\ny", NULL };

static struct strbuf text;

/* Writes with lkvm's code and reads with init's; @text is what both have. */
static struct config told(const struct kvm_config *cfg, const struct host_session *session)
{
	struct config c;

	used = 0;
	strbuf__free(&text);
	command_config__write(&text, cfg, "vm", session);
	CHECK(!text.failed);
	CHECK_EQ(config__parse(&c, text.data, text.len), 0);
	return c;
}

static const char *env(const struct config *c, const char *name)
{
	size_t len = strlen(name);

	for (char **e = c->envp; *e; e++) {
		if (!strncmp(*e, name, len) && (*e)[len] == '=')
			return *e + len + 1;
	}
	return NULL;
}

static void a_command_arrives_word_for_word(void)
{
	struct kvm_config cfg = { .command = { .argv = words, .root_tag = "r" } };
	struct config c = told(&cfg, &host);

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		CHECK(words[i] ? !strcmp(c.argv[i], words[i]) : !c.argv[i]);
	CHECK_STR(c.cwd, "/home/a b");
	CHECK_STR(c.hostname, "vm");
	CHECK_STR(c.root, "r");
	CHECK(!c.terminal);
}

/* In the host's files: a guest that has others, or is told where, looks for itself. */
static void the_host_looks_for_the_program(void)
{
	static const struct host_session session = { .cwd = "/", .path = "/nowhere:/bin" };
	char *argv[] = { "sh", NULL };
	struct kvm_config cfg = { .command = { .argv = argv, .root_tag = "r" } };
	struct config c = told(&cfg, &session);

	CHECK_STR(c.program, "/bin/sh");
	CHECK_STR(c.argv[0], "sh");
	cfg.command.root_tag = NULL;
	c = told(&cfg, &session);
	CHECK(!c.program);

	cfg.command.root_tag = "r";
	argv[0] = "/bin/sh";
	c = told(&cfg, &session);
	CHECK(!c.program);
	argv[0] = "is not there";
	c = told(&cfg, &session);
	CHECK(!c.program);
}

static void the_environment_is_the_callers_with_roots_path(void)
{
	struct kvm_config cfg = { .command = { .argv = words, .terminal = true } };
	struct config c = told(&cfg, &host);

	CHECK(c.terminal);
	CHECK_STR(env(&c, "TERM"), "xterm");
	CHECK_STR(env(&c, "HOME"), "/home/a");
	CHECK_STR(env(&c, "LANG"), "C.UTF-8");
	CHECK_STR(env(&c, "PATH"), "/opt/bin:/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
				   "/sbin:/bin");
}

static void without_an_environment_there_is_one(void)
{
	struct kvm_config cfg = { .command = { .argv = words } };
	struct config c = told(&cfg, &(struct host_session){ 0 });

	CHECK_STR(env(&c, "HOME"), "/root");
	CHECK_STR(env(&c, "TERM"), "dumb");
	CHECK_STR(env(&c, "PATH"), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	CHECK(!env(&c, "LANG"));
	CHECK(!c.cwd);
}

static void shares_in_place_are_mounted(void)
{
	struct kvm_config cfg = {
		.command = { .argv = words },
		.shares = {
			{ .dir = "/usr", .tag = "mine" },
			{ .dir = "/proc/self/root/usr/", .tag = "rw0", .in_place = true },
			{ .dir = "/etc", .tag = "rw1", .in_place = true, .readonly = true },
		},
		.nr_shares = 3,
	};
	struct config c = told(&cfg, &host);

	CHECK_EQ(c.nr_shares, 2);
	CHECK_STR(c.shares[0].tag, "rw0");
	CHECK_STR(c.shares[0].dir, "/usr");
	CHECK(c.shares[0].writable);
	CHECK_STR(c.shares[1].tag, "rw1");
	CHECK(!c.shares[1].writable);
}

/* An empty one, unless what is to be done is in it. */
static void tmp_is_covered_where_it_does_not_matter(void)
{
	static const struct {
		const char *cwd, *word;
		bool covered;
	} cases[] = {
		{ "/home", "make", true },	{ "/tmp", "make", false },
		{ "/tmp/x", "make", false },	{ "/tmpx", "make", true },
		{ "/", "/tmp/prog", false },	{ NULL, "make", true },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		char *const argv[] = { (char *)cases[i].word, NULL };
		struct kvm_config cfg = { .command = { .argv = argv } };
		struct config c = told(&cfg, &(struct host_session){ .cwd = cases[i].cwd });

		test__context("case %u", i);
		CHECK(!c.tmp == !cases[i].covered);
	}
}

static void a_packed_directory_has_no_place_of_the_callers(void)
{
	struct kvm_config cfg = { .command = { .argv = words, .pack = "d" } };
	struct config c = told(&cfg, &host);

	CHECK(!c.cwd);
	CHECK(!c.tmp);
	CHECK(!c.root);
}

static void what_is_no_configuration_is_refused(void)
{
	static char no_end[] = "arg=x", nothing[] = "", no_command[] = "cwd=/\0", odd[] = "tag\0=\0rw=/x";
	struct config c;

	CHECK_EQ(config__parse(&c, no_end, 5), -EINVAL);
	CHECK_EQ(config__parse(&c, nothing, 0), -EINVAL);
	CHECK_EQ(config__parse(&c, no_command, sizeof(no_command) - 1), -EINVAL);
	CHECK_EQ(config__parse(&c, odd, sizeof(odd)), -EINVAL);
	CHECK_EQ(c.nr_shares, 0);
	strbuf__free(&text);
}

TESTS(T(a_command_arrives_word_for_word), T(the_host_looks_for_the_program),
      T(the_environment_is_the_callers_with_roots_path),
      T(without_an_environment_there_is_one), T(shares_in_place_are_mounted),
      T(tmp_is_covered_where_it_does_not_matter),
      T(a_packed_directory_has_no_place_of_the_callers), T(what_is_no_configuration_is_refused))
