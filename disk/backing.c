// SPDX-License-Identifier: GPL-2.0-only
/* Backing files: found as the image names them, and never guessed at; backing.h is the manual. */
#include "backing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>

/* "json:{...}", "nbd://..." and the like: a colon before any slash */
static bool has_protocol(const char *name)
{
	size_t n = strcspn(name, ":/");

	return name[n] == ':';
}

/* As seen from the image's directory. NULL: no memory. */
static char *resolve(const char *image, const char *name)
{
	const char *slash = strrchr(image, '/');
	int dir_len = slash && *name != '/' ? (int)(slash - image) + 1 : 0;
	char *path;

	return asprintf(&path, "%.*s%s", dir_len, image, name) < 0 ? NULL : path;
}

/* What is wrong with the backing file, as a clause about the image */
static int explain(const struct disk_open *above, int err, const char *name, const char *what)
{
	return disk_error(above, err, "has the backing file '%s': %s", name, what);
}

static int find_format(const struct disk_open *above, const char *name, const char *format,
		       enum disk_format *found)
{
	if (!strcmp(format, "raw"))
		*found = DISK_RAW;
	else if (!strcmp(format, "qcow2"))
		*found = DISK_QCOW2;
	else if (*format)
		return disk_error(above, -ENOTSUP, "has a backing file of the format '%s'; lkvm "
				  "reads raw and qcow2", format);
	else
		return disk_error(above, -EINVAL, "does not say what format its backing file '%s' "
				  "has; `qemu-img rebase -u -F raw|qcow2 -b FILE IMAGE` does", name);
	return 0;
}

int backing__open(struct disk_image **image, const struct disk_open *above, const char *name,
		  const char *format)
{
	char error[DISK_ERROR_LEN] = "";
	struct disk_open o = {
		.read_only = true, .direct = above->direct, .above = above, .error = error,
	};
	enum disk_format found = DISK_RAW;
	char *path;
	int err;

	if (!strncmp(name, "file:", 5))
		name += 5;
	else if (has_protocol(name))
		return explain(above, -ENOTSUP, name, "that is not the name of a file");
	err = find_format(above, name, format, &found);
	if (err)
		return err;
	path = resolve(above->path, name);
	if (!path)
		return disk_error(above, -ENOMEM, "%s", strerror(ENOMEM));
	o.path = path;
	err = disk_open__format(image, &o, found);
	if (err)
		explain(above, err, name, error);
	free(path);
	return err;
}
