// SPDX-License-Identifier: GPL-2.0-only
/* Signals of the process; include/kvm/signals.h is the manual. */
#include "kvm/signals.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/term.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const struct {
	int number;
	const char *name;
} ending_signals[] = {
	{ SIGINT, "SIGINT" },
	{ SIGTERM, "SIGTERM" },
	{ SIGHUP, "SIGHUP" },
	{ SIGQUIT, "SIGQUIT" },
};

struct signals {
	struct kvm_device dev;
	struct kvm *kvm;
	struct ioloop_fd in;
	sigset_t old_mask;
};

/* A signal that the parent ignores, as nohup does SIGHUP, stays ignored. */
static bool is_ignored(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static void ending_set(sigset_t *set)
{
	sigemptyset(set);
	for (unsigned i = 0; i < ARRAY_SIZE(ending_signals); i++) {
		if (!is_ignored(ending_signals[i].number))
			sigaddset(set, ending_signals[i].number);
	}
}

void signals__block(void)
{
	sigset_t set;

	ending_set(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

bool signals__end_is_pending(void)
{
	sigset_t pending;

	sigpending(&pending);
	for (unsigned i = 0; i < ARRAY_SIZE(ending_signals); i++) {
		if (sigismember(&pending, ending_signals[i].number))
			return true;
	}
	return false;
}

static void end_by_signal(struct kvm *kvm, int number)
{
	for (unsigned i = 0; i < ARRAY_SIZE(ending_signals); i++) {
		if (ending_signals[i].number == number)
			kvm__stop_code(kvm, VERDICT_SIGNAL, 128 + number, "%s",
				       ending_signals[i].name);
	}
}

static void signal_came(struct ioloop_fd *f, u32 events)
{
	struct signals *s = container_of(f, struct signals, in);
	struct signalfd_siginfo info;

	(void)events;
	if (read(f->fd, &info, sizeof(info)) != sizeof(info))
		return;

	switch ((int)info.ssi_signo) {
	case SIGTSTP:
		term__give_back(s->kvm);
		raise(SIGSTOP); /* returns when somebody sends SIGCONT */
		break;
	case SIGCONT:
		term__take(s->kvm);
		term__resized(s->kvm);
		break;
	case SIGWINCH:
		term__resized(s->kvm);
		break;
	default:
		end_by_signal(s->kvm, (int)info.ssi_signo);
	}
}

static void do_nothing(int sig)
{
	(void)sig;
}

static int signals__init(struct kvm *kvm, struct kvm_device **dev)
{
	struct sigaction interrupt = { .sa_handler = do_nothing };
	struct signals *s = calloc(1, sizeof(*s));
	sigset_t watched;
	int err = -ENOMEM;

	if (!s)
		goto fail;
	s->kvm = kvm;
	s->in.ready = signal_came;

	ending_set(&watched);
	sigaddset(&watched, SIGTSTP);
	sigaddset(&watched, SIGCONT);
	sigaddset(&watched, SIGWINCH);
	pthread_sigmask(SIG_BLOCK, &watched, &s->old_mask);
	sigaction(SIGKVMEXIT, &interrupt, NULL);
	signal(SIGPIPE, SIG_IGN); /* a closed stdout is an error of write() */
	signal(SIGXFSZ, SIG_IGN); /* so is a file that may not grow */

	s->in.fd = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->in.fd < 0) {
		err = -errno;
		goto restore;
	}
	err = ioloop__add(&kvm->loop, &s->in, EPOLLIN);
	if (err)
		goto close_fd;
	*dev = &s->dev;
	return 0;

close_fd:
	close(s->in.fd);
restore:
	pthread_sigmask(SIG_SETMASK, &s->old_mask, NULL);
	free(s);
fail:
	pr_err("cannot watch for signals: %s", strerror(-err));
	return err;
}

static void signals__exit(struct kvm *kvm, struct kvm_device *dev)
{
	struct signals *s = container_of(dev, struct signals, dev);

	ioloop__del(&kvm->loop, &s->in);
	close(s->in.fd);
	/*
	 * The mask stays: what is pending now came while the VM was ending, and
	 * must not kill lkvm on the way to the exit status it has decided on.
	 */
	free(s);
}

const struct kvm_module signals_module = {
	.init = signals__init,
	.exit = signals__exit,
};
