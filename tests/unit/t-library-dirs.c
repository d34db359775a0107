// SPDX-License-Identifier: GPL-2.0-only
/* Where the dynamic loader looks, by its configuration. */
#include "temp-dir.h"
#include "test.h"

#include "pack/library-dirs.h"

#include <stdio.h>
#include <string.h>

static char text[4096];

/* What is there before the system's own directories */
static const char *configured(const char *conf)
{
	struct strbuf dirs = { 0 };
	char *system;

	library_dirs__glibc(&dirs, temp__path(conf));
	CHECK(!dirs.failed && dirs.len < sizeof(text));
	snprintf(text, sizeof(text), "%.*s", (int)dirs.len, dirs.data);
	strbuf__free(&dirs);
	system = strstr(text, "/lib/x86_64-linux-gnu:");
	if (CHECK(system))
		*system = '\0';
	return text;
}

static void a_configuration_includes_others(void)
{
	char absolute[300];

	temp__make();
	temp__text("ld.so.conf", "# none of # this\n\n/first \n\t/second=libc6 # comment\nrelative\n"
				 "include ld.so.conf.d/*.conf  other.conf nobody.conf\n/last");
	temp__text("ld.so.conf.d/b.conf", "/b\n");
	temp__text("ld.so.conf.d/a.conf", "/a\ninclude c/d.conf\n");
	temp__text("ld.so.conf.d/c/d.conf", "/d");
	temp__text("ld.so.conf.d/not", "/not\n");
	snprintf(absolute, sizeof(absolute), "include %s\n", temp__path("x.conf"));
	temp__text("other.conf", absolute);
	temp__text("x.conf", "/x\n");
	CHECK_STR(configured("ld.so.conf"), "/first:/second:/a:/d:/b:/x:/last:");
	temp__remove();
}

static void without_a_configuration_there_are_the_systems(void)
{
	temp__make();
	CHECK_STR(configured("nobody"), "");
	temp__remove();
}

static void files_that_include_themselves_have_an_end(void)
{
	temp__make();
	temp__text("a.conf", "/a\ninclude *.conf\n");
	temp__text("b.conf", "/b\ninclude *.conf\ninclude a.conf b.conf\n");
	CHECK_HAS(configured("a.conf"), "/a:/a:");
	temp__remove();
}

static const char *of_musl(const char *file)
{
	struct strbuf dirs = { 0 };

	library_dirs__musl(&dirs, temp__path(file));
	snprintf(text, sizeof(text), "%.*s", (int)dirs.len, dirs.data);
	strbuf__free(&dirs);
	return text;
}

static void musl_has_one_list(void)
{
	temp__make();
	temp__text("path", "/a:/b\n/c\n\n");
	CHECK_STR(of_musl("path"), "/a:/b:/c:");
	CHECK_STR(of_musl("nobody"), "/lib:/usr/local/lib:/usr/lib:");
	temp__remove();
}

TESTS(T(a_configuration_includes_others), T(without_a_configuration_there_are_the_systems),
      T(files_that_include_themselves_have_an_end), T(musl_has_one_list))
