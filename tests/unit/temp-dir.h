/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEMP_DIR_H
#define TEMP_DIR_H

/* A directory for a test's files, one at a time, removed with all that is in it. */
#include "kvm/types.h"

#include <sys/types.h>

void temp__make(void);
void temp__remove(void);

/* Its absolute path, without symbolic links */
const char *temp__dir(void);

/* The path of @name in it. The last eight stay valid. */
const char *temp__path(const char *name);

/* A file, with the directories above it */
void temp__put(const char *name, const void *data, size_t len, mode_t mode);
void temp__text(const char *name, const char *text);

void temp__mkdir(const char *name); /* and what is above it */
void temp__symlink(const char *name, const char *target);

#endif
