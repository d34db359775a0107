// SPDX-License-Identifier: GPL-2.0-only
/* What is packed for a command, of made-up programs and of the host's own, and for a directory. */
#include "cpio-reader.h"
#include "elf-maker.h"
#include "temp-dir.h"
#include "test.h"

#include "kvm/pack.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct initramfs fs;
static struct pack_env env;

/* Temporary files are the whole world, but for system directories and the loader's own files. */
static void start(void)
{
	static char path[256];

	temp__make();
	snprintf(path, sizeof(path), "%s/bin", temp__dir());
	env = (struct pack_env){ .cwd = temp__dir(), .path = path };
	PUT_ELF("ld.so");
}

static void stop(void)
{
	initramfs__free(&fs);
	temp__remove();
}

static int pack_words(char *const *argv)
{
	return pack__command(&fs, argv, &env);
}

#define PACK(...) pack_words((char *const[]){ __VA_ARGS__, NULL })

/* What was packed is readable. Forgotten by the next stop(). */
static void packed(int status)
{
	if (!CHECK_EQ(status, 0))
		test__context("%s", fs.error);
	CHECK_EQ(initramfs__finish(&fs), 0);
	cpio__read(&fs, NULL);
}

#define PACKED(...) packed(PACK(__VA_ARGS__))

/* The name in the archive of a file of the temporary directory */
static const char *guest_name(const char *name)
{
	return temp__path(name) + 1;
}

static bool has(const char *name)
{
	return cpio__find(guest_name(name));
}

static void refused(int status, int want, const char *part)
{
	CHECK_EQ(status, want);
	CHECK_HAS(fs.error, part);
	initramfs__free(&fs);
}

/* A dynamic program */
#define LOADER .interpreter = temp__path("ld.so")

/*
 * Programs
 */
static void a_command_is_found_in_the_path(void)
{
	start();
	PUT_ELF("bin/tool");
	PACKED("tool");
	CHECK_EQ(cpio__find(guest_name("bin/tool"))->mode, S_IFREG | 0755);
	CHECK(S_ISDIR(cpio__find(temp__dir() + 1)->mode)); /* the working directory */
	stop();
}

static void the_path_is_searched_in_order(void)
{
	char path[512];

	start();
	PUT_ELF("a/tool");
	PUT_ELF("b/tool");
	temp__put("c/tool", "x", 1, 0644);
	temp__mkdir("d/tool");
	PUT_ELF("tool");
	snprintf(path, sizeof(path), "/nowhere:%s:%s:%s:%s", temp__path("c"), temp__path("d"),
		 temp__path("b"), temp__path("a"));
	env.path = path;
	PACKED("tool");
	CHECK(has("b/tool") && !has("a/tool") && !has("tool") && !has("c/tool"));
	initramfs__free(&fs);
	env.path = "a::b"; /* both relative and empty are of the working directory */
	PACKED("tool");
	CHECK(has("a/tool") && !has("tool"));
	initramfs__free(&fs);
	env.path = ":a";
	PACKED("tool");
	CHECK(has("tool") && !has("a/tool"));
	initramfs__free(&fs);
	PACKED("./b/../a/tool");
	CHECK(has("a/tool"));
	stop();
}

static void a_command_that_is_not_there_is_named(void)
{
	start();
	refused(PACK("tool"), PACK_NOT_FOUND, "command 'tool' is nowhere in PATH");
	refused(PACK("./tool"), PACK_NOT_FOUND, "command './tool' cannot be executed: No such file");
	refused(PACK("ld.so/tool"), PACK_NOT_FOUND, "command 'ld.so/tool' cannot be executed: Not a");
	refused(PACK(""), PACK_NOT_FOUND, "command ''");
	stop();
}

static void a_command_that_is_no_program_is_named(void)
{
	start();
	temp__text("bin/tool", "#!/bin/sh\n");
	refused(PACK("tool"), PACK_NOT_EXECUTABLE, "command 'tool' cannot be executed: Permission");
	refused(PACK("./bin"), PACK_NOT_EXECUTABLE, "command './bin' cannot be executed: Is a dir");
	refused(PACK("/dev/null"), PACK_NOT_EXECUTABLE, "'/dev/null' cannot be executed: Permission");
	temp__put("bin/text", "hello\n", 6, 0755);
	refused(PACK("text"), PACK_NOT_EXECUTABLE, "bin/text' cannot be executed: it is neither");
	temp__put("bin/empty", "", 0, 0755);
	refused(PACK("empty"), PACK_NOT_EXECUTABLE, "bin/empty' cannot be executed: it is neither");
	temp__put("bin/damaged", "\x7f" "ELF", 4, 0755);
	refused(PACK("damaged"), PACK_NOT_EXECUTABLE, "bin/damaged' cannot be executed: it is a dam");
	PUT_ELF("bin/object", .type = ET_REL);
	refused(PACK("object"), PACK_NOT_EXECUTABLE, "bin/object' cannot be executed: it is a damage");
	PUT_ELF("bin/arm", .machine = EM_AARCH64);
	refused(PACK("arm"), PACK_NOT_EXECUTABLE, "bin/arm' cannot be executed: it is for another ma");
	stop();
}

static void links_to_a_program_are_kept(void)
{
	start();
	PUT_ELF("real/dir/tool-1.0");
	temp__symlink("real/dir/tool", "./tool-1.0");
	temp__symlink("linked", "real");
	temp__mkdir("bin");
	temp__symlink("bin/tool", "../linked/dir/tool");
	temp__symlink("bin/absolute", temp__path("linked/dir/tool"));
	PACKED("tool", "bin/absolute");
	CHECK_STR(cpio__text(guest_name("bin/tool")), "../linked/dir/tool");
	CHECK_STR(cpio__text(guest_name("linked")), "real");
	CHECK_STR(cpio__text(guest_name("real/dir/tool")), "./tool-1.0");
	CHECK(S_ISREG(cpio__find(guest_name("real/dir/tool-1.0"))->mode));
	CHECK(has("bin/absolute"));
	stop();
}

static void links_in_a_circle_are_an_error(void)
{
	start();
	temp__symlink("a", "b");
	temp__symlink("b", "a");
	refused(PACK("./a"), PACK_NOT_EXECUTABLE, "command './a' cannot be executed: Too many levels");
	stop();
}

/*
 * Libraries
 */
static void libraries_are_found_by_runpath(void)
{
	start();
	PUT_ELF("bin/tool", LOADER, .needed = { "liba.so" }, .runpath = "/nowhere:$ORIGIN/../lib");
	PUT_ELF("lib/liba.so", .needed = { "libb.so" }, .runpath = temp__path("more"));
	PUT_ELF("more/libb.so");
	PUT_ELF("lib/libb.so");
	PACKED("tool");
	CHECK(has("ld.so") && has("lib/liba.so") && has("more/libb.so"));
	CHECK(!has("lib/libb.so")); /* a runpath is not for what is needed by the library */
	stop();
}

static void libraries_are_found_by_rpath(void)
{
	start();
	PUT_ELF("bin/tool", LOADER, .needed = { "liba.so" }, .rpath = "${ORIGIN}/../lib");
	PUT_ELF("lib/liba.so", .needed = { "libb.so", "libc.so" });
	PUT_ELF("lib/libb.so", .runpath = "$ORIGIN", .needed = { "libd.so" });
	PUT_ELF("lib/libc.so", .needed = { "libd.so" });
	PUT_ELF("lib/libd.so");
	PACKED("tool");
	CHECK(has("lib/liba.so") && has("lib/libb.so") && has("lib/libc.so") && has("lib/libd.so"));
	stop();
}

static void who_has_a_runpath_has_no_rpath(void)
{
	start();
	PUT_ELF("bin/tool", LOADER, .needed = { "liba.so" }, .rpath = temp__path("lib"),
		.runpath = temp__path("empty"));
	PUT_ELF("lib/liba.so");
	refused(PACK("tool"), PACK_NOT_EXECUTABLE,
		"bin/tool' needs the library 'liba.so', which is not found");
	PUT_ELF("bin/tool", LOADER, .needed = { "liba.so" }, .rpath = temp__path("lib"));
	PUT_ELF("lib/liba.so", .needed = { "libb.so" }, .runpath = temp__path("empty"));
	PUT_ELF("lib/libb.so");
	refused(PACK("tool"), PACK_NOT_EXECUTABLE, "lib/liba.so' needs the library 'libb.so'");
	stop();
}

static void the_users_path_comes_before_runpath_and_after_rpath(void)
{
	char path[300];

	start();
	snprintf(path, sizeof(path), "%s:user", temp__path("nowhere"));
	env.library_path = path;
	PUT_ELF("bin/a", LOADER, .needed = { "liba.so" }, .runpath = temp__path("lib"));
	PUT_ELF("bin/b", LOADER, .needed = { "liba.so" }, .rpath = temp__path("lib"));
	PUT_ELF("lib/liba.so");
	PUT_ELF("user/liba.so");
	PACKED("a");
	CHECK(has("user/liba.so") && !has("lib/liba.so"));
	initramfs__free(&fs);
	PACKED("b");
	CHECK(!has("user/liba.so") && has("lib/liba.so"));
	stop();
}

static void libraries_of_the_other_kind_are_passed_over(void)
{
	start();
	env.library_path = "a:b:c:d";
	PUT_ELF("a/liba.so", .is_32 = true);
	temp__text("b/liba.so", "INPUT(liba.a)"); /* a linker's script */
	temp__mkdir("c/liba.so");
	PUT_ELF("d/liba.so");
	PUT_ELF("ld32.so", .is_32 = true);
	PUT_ELF("bin/tool", LOADER, .needed = { "liba.so" });
	PUT_ELF("bin/tool32", .is_32 = true, .interpreter = temp__path("ld32.so"),
		.needed = { "liba.so" });
	PACKED("tool");
	CHECK(has("d/liba.so") && !has("a/liba.so"));
	initramfs__free(&fs);
	PACKED("tool32");
	CHECK(has("a/liba.so") && !has("d/liba.so") && has("ld32.so"));
	stop();
}

static void libraries_by_path_need_no_search(void)
{
	start();
	PUT_ELF("bin/tool", LOADER, .needed = { "$ORIGIN/../x/liba.so", "./libb.so" });
	PUT_ELF("x/liba.so");
	PUT_ELF("libb.so");
	PACKED("tool");
	CHECK(has("x/liba.so") && has("libb.so"));
	stop();
}

static void links_to_libraries_are_kept(void)
{
	start();
	PUT_ELF("bin/tool", LOADER, .needed = { "liba.so.1" }, .runpath = "$ORIGIN/../lib");
	PUT_ELF("real/liba.so.1.2");
	temp__symlink("lib", "real");
	temp__symlink("real/liba.so.1", "liba.so.1.2");
	temp__symlink("bin/link", "tool");
	PACKED("link");
	CHECK_STR(cpio__text(guest_name("lib")), "real");
	CHECK_STR(cpio__text(guest_name("real/liba.so.1")), "liba.so.1.2");
	CHECK(has("real/liba.so.1.2"));
	stop();
}

static void libraries_may_need_each_other(void)
{
	start();
	env.library_path = "lib";
	PUT_ELF("bin/tool", LOADER, .needed = { "liba.so" });
	PUT_ELF("lib/liba.so", .needed = { "libb.so", "liba.so" });
	PUT_ELF("lib/libb.so", .needed = { "liba.so" });
	PACKED("tool");
	CHECK(has("lib/liba.so") && has("lib/libb.so"));
	stop();
}

static void a_loader_that_is_not_there_is_named(void)
{
	start();
	PUT_ELF("bin/tool", .interpreter = "/nowhere/ld.so");
	refused(PACK("tool"), PACK_NOT_EXECUTABLE, "bin/tool' needs the dynamic loader '/nowhere/ld.so");
	PUT_ELF("bin/tool", .interpreter = "ld.so");
	refused(PACK("tool"), PACK_NOT_EXECUTABLE, "needs the dynamic loader 'ld.so'");
	stop();
}

static void a_static_program_needs_nothing(void)
{
	start();
	PUT_ELF("bin/tool", .type = ET_EXEC, .needed = { "liba.so" });
	PACKED("tool");
	CHECK(has("bin/tool") && !cpio__find("etc/ld.so.cache"));
	stop();
}

/* musl's loader is one file with its libc. */
static void musl_has_its_own_rules(void)
{
	start();
	PUT_ELF("ld-musl-x.so.1");
	PUT_ELF("bin/tool", .interpreter = temp__path("ld-musl-x.so.1"), .runpath = "$ORIGIN/../lib",
		.needed = { "libc.so", "libm.so.6", "libpthread.so.0", "liba.so" });
	PUT_ELF("lib/liba.so", .needed = { "libmine.so" });
	PUT_ELF("lib/libmine.so");
	PACKED("tool");
	CHECK(has("ld-musl-x.so.1") && has("lib/liba.so") && has("lib/libmine.so"));
	CHECK(!cpio__find("etc/ld.so.cache"));
	stop();
}

static void damaged_programs_are_refused(void)
{
	size_t size;
	u8 *file;

	start();
	file = elf__make(&(struct elf_maker){ LOADER, .needed = { "liba.so" }, .rpath = "x" }, &size);
	for (size_t len = 4; len < size; len += 5) {
		test__context("%zu bytes", len);
		temp__put("bin/tool", file, len, 0755);
		CHECK_EQ(PACK("tool"), PACK_NOT_EXECUTABLE);
		CHECK_HAS(fs.error, "/bin/tool'");
		initramfs__free(&fs);
	}
	for (size_t at = 16; at < offsetof(Elf64_Ehdr, e_shoff) + 200; at++) {
		u8 old = file[at];

		file[at] = 0xff;
		test__context("0xff at %zu", at);
		temp__put("bin/tool", file, size, 0755);
		if (PACK("tool"))
			CHECK(*fs.error);
		initramfs__free(&fs);
		file[at] = old;
	}
	free(file);
	stop();
}

/*
 * Scripts
 */
static void put_script(const char *name, const char *text)
{
	temp__put(name, text, strlen(text), 0755);
}

static void a_script_needs_its_interpreter(void)
{
	char text[300];

	start();
	PUT_ELF("bin/interpreter", LOADER);
	snprintf(text, sizeof(text), "#! \t%s -x y\nnonsense", temp__path("bin/interpreter"));
	put_script("bin/script", text);
	PACKED("script");
	CHECK(has("bin/script") && has("bin/interpreter") && has("ld.so"));
	initramfs__free(&fs);
	put_script("relative", "#!bin/interpreter"); /* and no line feed */
	PACKED("./relative");
	CHECK(has("bin/interpreter"));
	stop();
}

static void env_starts_another_program(void)
{
	char text[300];

	start();
	PUT_ELF("x/env");
	PUT_ELF("bin/snake");
	snprintf(text, sizeof(text), "#!%s snake\n", temp__path("x/env"));
	put_script("bin/script", text);
	PACKED("script");
	CHECK(has("x/env") && has("bin/snake"));
	initramfs__free(&fs);
	snprintf(text, sizeof(text), "#!%s -S A=b snake -x\n", temp__path("x/env"));
	put_script("bin/script", text);
	PACKED("script");
	CHECK(has("bin/snake"));
	initramfs__free(&fs);
	snprintf(text, sizeof(text), "#!%s nobody\n", temp__path("x/env"));
	put_script("bin/script", text);
	refused(PACK("script"), PACK_NOT_EXECUTABLE, "bin/script' needs 'nobody', which is not found");
	stop();
}

static void scripts_without_an_interpreter_are_refused(void)
{
	char text[600];

	start();
	put_script("bin/a", "#!/nowhere/sh\n");
	refused(PACK("a"), PACK_NOT_EXECUTABLE, "the script '");
	put_script("bin/a", "#!");
	refused(PACK("a"), PACK_NOT_EXECUTABLE, "its first line names no interpreter");
	put_script("bin/a", "#!  \n/bin/sh");
	refused(PACK("a"), PACK_NOT_EXECUTABLE, "its first line names no interpreter");
	memset(text, 'x', sizeof(text));
	memcpy(text, "#!/", 3);
	temp__put("bin/a", text, sizeof(text), 0755);
	refused(PACK("a"), PACK_NOT_EXECUTABLE, "which is not found");
	snprintf(text, sizeof(text), "#!%s\n", temp__path("bin/a"));
	put_script("bin/a", text);
	refused(PACK("a"), PACK_NOT_EXECUTABLE, "are each other's interpreters");
	stop();
}

/*
 * Arguments
 */
static void arguments_that_are_files_are_packed(void)
{
	start();
	PUT_ELF("bin/tool");
	PUT_ELF("prog", LOADER);
	temp__text("notes", "text");
	temp__text("sub/notes", "more");
	temp__text("secret", "x");
	temp__symlink("link", "sub/notes");
	temp__put("data", "no program", 10, 0755);
	PUT_ELF("arm", .machine = EM_AARCH64);
	PACKED("tool", "notes", "link", "./prog", "data", "arm", "sub", "nobody", "--file=secret", "-",
	       "", "/proc/self/stat", "/dev/null");
	CHECK_STR(cpio__text(guest_name("notes")), "text");
	CHECK_STR(cpio__text(guest_name("sub/notes")), "more");
	CHECK_STR(cpio__text(guest_name("link")), "sub/notes");
	CHECK_STR(cpio__text(guest_name("data")), "no program");
	CHECK(has("prog") && has("ld.so") && has("arm"));
	CHECK(!has("secret") && !cpio__find("proc/self/stat") && !cpio__find("dev"));
	stop();
}

/*
 * The host's own programs
 */

static bool leads_to_a_file(const char *path)
{
	const struct cpio_read *f = cpio__follow(path);

	return f && S_ISREG(f->mode);
}

static void compare_with_ldd(const char *program)
{
	char command[300], line[PATH_MAX];
	unsigned count = 0;
	FILE *f;

	snprintf(command, sizeof(command),
		 "ldd %s | sed -n 's/.* => //; s/^[[:space:]]*\\(\\/.*\\) (.*/\\1/p'", program);
	env = (struct pack_env){ .cwd = "/", .path = "/usr/bin:/bin" };
	PACKED((char *)program);
	f = popen(command, "r");
	while (f && fscanf(f, "%4000s", line) == 1) {
		test__context("%s of %s", line, program);
		CHECK(leads_to_a_file(line));
		count++;
	}
	if (f)
		pclose(f);
	CHECK(count >= 2);
	CHECK(cpio__find("etc/ld.so.cache"));
	initramfs__free(&fs);
}

static void the_hosts_programs_have_what_ldd_says(void)
{
	static const char *const programs[] = { "/bin/sh", "/bin/ls", "/usr/bin/env", "/usr/bin/git",
						"/usr/bin/gcc", "/usr/bin/python3", "/usr/bin/gdb" };

	if (run_program((const char *const[]){ "ldd", "/bin/sh", NULL }) != 0)
		return test__skip("this host has no ldd, or a static shell");
	for (unsigned i = 0; i < ARRAY_SIZE(programs); i++) {
		if (access(programs[i], X_OK) == 0)
			compare_with_ldd(programs[i]);
	}
}

/* With what was packed and nothing else; only root can do so. */
static void a_packed_program_runs(void)
{
	char command[512];

	if (geteuid() != 0 || run_program((const char *const[]){ "cpio", "--version", NULL }) != 0)
		return test__skip("chroot needs root, and cpio");
	temp__make();
	env = (struct pack_env){ .cwd = "/", .path = "/usr/bin:/bin" };
	packed(PACK("sh") || PACK("ls") || pack__base(&fs));
	temp__put("archive", fs.archive.data, fs.archive.len, 0600);
	snprintf(command, sizeof(command),
		 "cd %s && mkdir out && cd out && cpio -id --quiet <../archive && "
		 "test \"$(chroot . sh -c 'ls -d /etc /tmp; echo $((6*7))' | tr '\\n' ' ')\" = "
		 "'/etc /tmp 42 '", temp__dir());
	CHECK_EQ(run_program((const char *const[]){ "sh", "-c", command, NULL }), 0);
	stop();
}

static void programs_of_musl_are_packed(void)
{
	start();
	temp__text("tool.c", "int main(void) { return 0; }");
	if (run_program((const char *const[]){ "musl-gcc", "-o", temp__path("tool"),
					       temp__path("tool.c"), NULL }) != 0) {
		test__skip("musl-gcc is not installed");
		return stop();
	}
	PACKED("./tool");
	CHECK(leads_to_a_file("/lib/ld-musl-x86_64.so.1"));
	CHECK(!cpio__find("etc/ld.so.cache"));
	stop();
}

/*
 * Directories
 */
static void a_directory_is_the_root(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);

	start();
	temp__put("root/init", "x", 1, 04755);
	temp__text("root/etc/passwd", "root\n");
	temp__symlink("root/lib", "/usr/lib");
	temp__symlink("root/dangling", "nowhere");
	temp__mkdir("root/empty");
	CHECK_EQ(mkfifo(temp__path("root/pipe"), 0640), 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/root/socket", temp__dir());
	CHECK_EQ(bind(sock, (struct sockaddr *)&address, sizeof(address)), 0);
	packed(pack__directory(&fs, temp__path("root//")));
	CHECK_EQ(cpio__read(&fs, NULL), 7);
	CHECK_EQ(cpio__find("init")->mode, S_IFREG | 0755);
	CHECK_STR(cpio__text("etc/passwd"), "root\n");
	CHECK_STR(cpio__text("lib"), "/usr/lib");
	CHECK_STR(cpio__text("dangling"), "nowhere");
	CHECK_EQ(cpio__find("empty")->mode, S_IFDIR | 0755);
	CHECK_EQ(cpio__find("pipe")->mode & S_IFMT, S_IFIFO);
	CHECK(!cpio__find("socket"));
	close(sock);
	stop();
}

static void a_directory_may_be_deep(void)
{
	char name[2048] = "root";

	start();
	for (unsigned i = 0; i < 60; i++)
		strcat(name, "/directory");
	CHECK_EQ(chdir(temp__dir()), 0);
	CHECK_EQ(run_program((const char *const[]){ "mkdir", "-p", name, NULL }), 0);
	packed(pack__directory(&fs, "root"));
	CHECK(cpio__find(name + strlen("root/")));
	stop();
}

static void a_directory_must_be_one(void)
{
	start();
	refused(pack__directory(&fs, temp__path("nobody")), -ENOENT, "nobody' cannot be packed: No such");
	refused(pack__directory(&fs, temp__path("ld.so")), -ENOTDIR, "ld.so' cannot be packed: Not a d");
	stop();
}

/*
 * What is there besides
 */
static void there_is_a_place_for_everything(void)
{
	CHECK_EQ(pack__base(&fs), 0);
	packed(0);
	CHECK_EQ(cpio__find("tmp")->mode, S_IFDIR | 01777);
	CHECK_EQ(cpio__find("proc")->mode, S_IFDIR | 0555);
	CHECK_EQ(cpio__find("dev/null")->mode, S_IFCHR | 0666);
	CHECK_EQ(cpio__find("dev/null")->rdev_major, 1);
	CHECK_EQ(cpio__find("dev/null")->rdev_minor, 3);
	CHECK_HAS(cpio__text("etc/passwd"), "root:x:0:0:");
	CHECK_HAS(cpio__text("etc/group"), "root:x:0:");
	CHECK_HAS(cpio__text("etc/hosts"), "127.0.0.1 localhost\n");
	initramfs__free(&fs);

	initramfs__file(&fs, "/etc/passwd", 0600, "mine", 4);
	CHECK_EQ(pack__base(&fs), 0);
	packed(0);
	CHECK_STR(cpio__text("etc/passwd"), "mine");
	initramfs__free(&fs);
}

TESTS(T(a_command_is_found_in_the_path), T(the_path_is_searched_in_order),
      T(a_command_that_is_not_there_is_named), T(a_command_that_is_no_program_is_named),
      T(links_to_a_program_are_kept), T(links_in_a_circle_are_an_error),
      T(libraries_are_found_by_runpath), T(libraries_are_found_by_rpath),
      T(who_has_a_runpath_has_no_rpath), T(the_users_path_comes_before_runpath_and_after_rpath),
      T(libraries_of_the_other_kind_are_passed_over), T(libraries_by_path_need_no_search),
      T(links_to_libraries_are_kept), T(libraries_may_need_each_other),
      T(a_loader_that_is_not_there_is_named), T(a_static_program_needs_nothing),
      T(musl_has_its_own_rules), T(damaged_programs_are_refused), T(a_script_needs_its_interpreter),
      T(env_starts_another_program), T(scripts_without_an_interpreter_are_refused),
      T(arguments_that_are_files_are_packed), T(the_hosts_programs_have_what_ldd_says),
      T(a_packed_program_runs), T(programs_of_musl_are_packed), T(a_directory_is_the_root),
      T(a_directory_may_be_deep), T(a_directory_must_be_one), T(there_is_a_place_for_everything))
