// SPDX-License-Identifier: GPL-2.0-only
/* A file that has what the console prints; include/kvm/console-log.h is the manual. */
#include "kvm/console-log.h"
#include "kvm/clock.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/number.h"
#include "kvm/parse-options.h"
#include "kvm/whole-file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The bytes of a UART come one by one: to wait a little makes one write of many. */
#define GATHER_MS 5

/*
 * The writer
 */

static void say_why_it_ends(const struct console_log *log)
{
	char size[SIZE_STRING_LEN];

	if (log->err)
		pr_warn("console log '%s': %s; nothing more is written to it", log->path,
			strerror(-log->err));
	else
		pr_warn("console log '%s' has reached its limit of %s; nothing more is written to it",
			log->path, format_size(log->limit, size));
}

/* Writes what is pending; the lock is held, other than while that is done. */
static void write_pending(struct console_log *log)
{
	struct strbuf taken = log->pending;
	size_t len = min_u64(taken.len, log->limit - log->written), done = 0;
	bool usable = !log->err && !log->at_limit;
	int err = 0;

	log->pending = (struct strbuf){ 0 };
	log->busy = true;
	pthread_mutex_unlock(&log->writer.lock);
	if (usable)
		err = writer_thread__write(&log->writer, taken.data, len, &done);
	pthread_mutex_lock(&log->writer.lock);

	log->written += done;
	if (err)
		log->err = err;
	else if (usable && len < taken.len)
		log->at_limit = true;
	if (usable && (log->err || log->at_limit) && !log->writer.quit)
		say_why_it_ends(log);
	if (!usable || done < taken.len)
		log->missing += taken.len - done;
	strbuf__free(&taken);
	log->busy = false;
	writer_thread__changed(&log->writer);
}

static void console_log__run(struct writer_thread *w)
{
	struct console_log *log = container_of(w, struct console_log, writer);

	while (!w->quit) {
		if (!log->pending.len) {
			writer_thread__wait(w);
			continue;
		}
		write_pending(log);

		const u64 gathered = now_ns() + GATHER_MS * NS_PER_MS;

		while (!w->quit && !log->hurry && writer_thread__wait_until(w, gathered))
			;
	}
}

/*
 * The others
 */

int console_log__start(struct console_log *log, int fd, const char *path, bool stamps,
		       struct sandbox *sandbox)
{
	*log = (struct console_log){
		.path = path,
		.stamps = stamps,
		.limit = CONSOLE_LOG_LIMIT,
		.buffer = CONSOLE_LOG_BUFFER,
		.writer = {
			.fd = fd,
			.name = "console-log",
			.sandbox = sandbox,
			.run = console_log__run,
		},
	};
	return writer_thread__start(&log->writer);
}

static void append_stamped(struct console_log *log, const u8 *buf, size_t len)
{
	char stamp[STAMP_LEN];

	while (len) {
		size_t n = stamp_line(&log->in_line, buf, len, stamp);

		strbuf__puts(&log->pending, stamp);
		strbuf__add(&log->pending, buf, n);
		buf += n;
		len -= n;
	}
}

/* There is room again after a gap: it is marked by a line of its own. */
static void append_gap(struct console_log *log)
{
	strbuf__printf(&log->pending, "%s[lkvm: %llu bytes are missing here]\n",
		       log->in_line ? "\n" : "", (unsigned long long)log->gap);
	log->in_line = false;
	log->gap = 0;
}

/* Returns false, and has added nothing, if there is no memory for it. */
static bool append(struct console_log *log, const u8 *buf, size_t len)
{
	const size_t before = log->pending.len;
	const u64 gap = log->gap;
	const bool in_line = log->in_line;

	if (gap)
		append_gap(log);
	if (log->stamps) {
		append_stamped(log, buf, len);
	} else {
		strbuf__add(&log->pending, buf, len);
		log->in_line = len && buf[len - 1] != '\n';
	}
	if (!log->pending.failed)
		return true;
	log->pending.failed = false;
	log->pending.len = before;
	log->gap = gap;
	log->in_line = in_line;
	return false;
}

void console_log__put(struct console_log *log, const u8 *buf, size_t len)
{
	pthread_mutex_lock(&log->writer.lock);

	bool wake = !log->pending.len;

	if (log->pending.len + len > log->buffer || !append(log, buf, len)) {
		log->gap += len;
		log->missing += len;
	}
	if (wake && log->pending.len)
		writer_thread__changed(&log->writer);
	pthread_mutex_unlock(&log->writer.lock);
}

bool console_log__flush(struct console_log *log, unsigned ms)
{
	const u64 deadline = now_ns() + ms * NS_PER_MS;

	pthread_mutex_lock(&log->writer.lock);
	log->hurry = true;
	if (log->gap) /* at the end */
		append(log, NULL, 0);
	writer_thread__changed(&log->writer);
	while ((log->pending.len || log->busy) && writer_thread__wait_until(&log->writer, deadline))
		;
	bool done = !log->pending.len && !log->busy;
	pthread_mutex_unlock(&log->writer.lock);
	return done;
}

const char *console_log__lacks(struct console_log *log, u64 *written,
			       char reason[CONSOLE_LOG_REASON_LEN])
{
	char size[SIZE_STRING_LEN];
	const char *lacks = reason;

	pthread_mutex_lock(&log->writer.lock);
	u64 missing = log->missing + log->pending.len;

	*written = log->written;
	if (log->err)
		snprintf(reason, CONSOLE_LOG_REASON_LEN, "%s", strerror(-log->err));
	else if (log->at_limit)
		snprintf(reason, CONSOLE_LOG_REASON_LEN, "its limit of %s was reached",
			 format_size(log->limit, size));
	else if (missing || log->busy)
		snprintf(reason, CONSOLE_LOG_REASON_LEN, "%llu bytes are missing, as it was written "
			 "too slowly", (unsigned long long)missing);
	else
		lacks = NULL;
	pthread_mutex_unlock(&log->writer.lock);
	return lacks;
}

void console_log__stop(struct console_log *log)
{
	writer_thread__stop(&log->writer);
	strbuf__free(&log->pending);
}

/*
 * The module
 */

struct console_log_module {
	struct kvm_device dev;
	struct console_log log;
};

static int console_log__init(struct kvm *kvm, struct kvm_device **dev)
{
	const char *path = kvm->cfg->console_log;
	struct console_log_module *m;
	int fd, err;

	if (!path)
		return 0;
	fd = open_log(path);
	if (fd < 0) {
		pr_err("option '--console-log': cannot write '%s': %s", path, strerror(-fd));
		return fd;
	}
	m = calloc(1, sizeof(*m));
	err = m ? console_log__start(&m->log, fd, path, kvm->cfg->log_timestamps, kvm->sandbox) :
		  -ENOMEM;
	if (err) {
		pr_err("cannot start a thread for the console log: %s", strerror(-err));
		free(m);
		close(fd);
		return err;
	}
	kvm->console_log = &m->log;
	*dev = &m->dev;
	return 0;
}

static void console_log__exit(struct kvm *kvm, struct kvm_device *dev)
{
	if (!dev)
		return;

	struct console_log_module *m = container_of(dev, struct console_log_module, dev);

	kvm->console_log = NULL;
	console_log__stop(&m->log);
	close(m->log.writer.fd);
	free(m);
}

static const struct option console_log_options[] = {
	{ 0, "console-log", "FILE", "copy all that console 0 prints to FILE", opt_string,
	  offsetof(struct kvm_config, console_log) },
	{ 0, "log-timestamps", NULL, "put the time before each line of the console log", opt_flag,
	  offsetof(struct kvm_config, log_timestamps) },
	{ 0 },
};

const struct kvm_module console_log_module = {
	.options = console_log_options,
	.init = console_log__init,
	.exit = console_log__exit,
};
