/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_KTAP_REPORT_H
#define KVM_KTAP_REPORT_H

/*
 * Test results for other programs to read. Whatever the guest has said, the
 * output is sound: valid UTF-8, escaped, and, in XML, without the characters
 * that XML has no way to say, for which U+FFFD stands.
 *
 * Nothing here fails, but for want of memory, which the strbuf then says.
 */
#include "kvm/ktap.h"
#include "kvm/strbuf.h"

struct ktap_report {
	const char *kernel;	/* its version; NULL: not known */
	const char *detail;	/* why the results are not good; NULL: they are */
};

/*
 * JUnit XML: a <testsuite> for each list that has tests without subtests, with
 * the names of the lists around it before its own, as in "suite.test". A test
 * that is crashed, not run or an error is an <error>.
 */
void ktap_report__junit(const struct ktap *k, const struct ktap_report *about, struct strbuf *out);

/*
 * The JSON of `kunit.py --json`, which is KernelCI's: lists as "sub_groups",
 * tests as "test_cases" with their "name" and "status": PASS, FAIL, SKIP, or
 * ERROR for what has not come to its end. lkvm adds to these "result", which
 * says which it is, "reason", "log" and "time_us", and to the whole "passed",
 * "detail", "counts" and "unlisted".
 */
void ktap_report__json(const struct ktap *k, const struct ktap_report *about, struct strbuf *out);

/* The counts alone, as an object of @key. */
struct json;
void ktap_report__counts(struct json *j, const char *key, const struct ktap_counts *c);

#endif
