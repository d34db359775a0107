// SPDX-License-Identifier: GPL-2.0-only
/* A place in a list of buffers; include/kvm/iov.h is the manual. */
#include "kvm/iov.h"

#include <string.h>

unsigned iov_iter__peek(const struct iov_iter *it, u64 len, struct iovec out[IOV_BATCH],
			u64 *bytes)
{
	const struct iovec *iov = it->iov;
	size_t skip = it->skip;
	unsigned nr = 0;

	*bytes = 0;
	for (; nr < IOV_BATCH && *bytes < len; iov++, skip = 0) {
		size_t n = min_u64(iov->iov_len - skip, len - *bytes);

		if (!n)
			continue;
		out[nr++] = (struct iovec){ (char *)iov->iov_base + skip, n };
		*bytes += n;
	}
	return nr;
}

void iov_iter__advance(struct iov_iter *it, u64 len)
{
	while (len) {
		size_t n = min_u64(it->iov->iov_len - it->skip, len);

		len -= n;
		it->skip += n;
		if (it->skip == it->iov->iov_len) {
			it->iov++;
			it->skip = 0;
		}
	}
}

/* The next piece that is in one buffer: at most @len bytes, and at least one */
static void *take(struct iov_iter *it, u64 len, size_t *n)
{
	while (it->skip == it->iov->iov_len) {
		it->iov++;
		it->skip = 0;
	}

	void *p = (char *)it->iov->iov_base + it->skip;

	*n = min_u64(it->iov->iov_len - it->skip, len);
	it->skip += *n;
	return p;
}

void iov_iter__fill(struct iov_iter *it, const void *from, u64 len)
{
	for (size_t n; len; len -= n, from = (const char *)from + n) {
		void *p = take(it, len, &n);

		memcpy(p, from, n);
	}
}

void iov_iter__zero(struct iov_iter *it, u64 len)
{
	for (size_t n; len; len -= n) {
		void *p = take(it, len, &n);

		memset(p, 0, n);
	}
}

void iov_iter__drain(struct iov_iter *it, void *to, u64 len)
{
	for (size_t n; len; len -= n, to = (char *)to + n) {
		const void *p = take(it, len, &n);

		memcpy(to, p, n);
	}
}
