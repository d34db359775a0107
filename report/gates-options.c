// SPDX-License-Identifier: GPL-2.0-only
/* --allow, --fail-on and --pass-on REGEX */
#include "gates-options.h"
#include "kvm/kvm-config.h"
#include "kvm/log.h"

#include <errno.h>
#include <regex.h>
#include <string.h>

static bool has_pattern(const struct gate_patterns *patterns, const char *regex)
{
	for (unsigned i = 0; i < patterns->count; i++) {
		if (!strcmp(patterns->regex[i], regex))
			return true;
	}
	return false;
}

static int check_regex(const struct option *opt, const char *regex)
{
	char why[128];
	regex_t compiled;
	int err;

	if (!*regex) {
		pr_err("option '--%s': its %s is empty", opt->name, opt->metavar);
		return -EINVAL;
	}
	err = regcomp(&compiled, regex, REG_EXTENDED | REG_NOSUB);
	if (err) {
		regerror(err, &compiled, why, sizeof(why));
		pr_err("option '--%s': '%s' is not an extended regular expression: %s", opt->name, regex,
		       why);
		return -EINVAL;
	}
	regfree(&compiled);
	return 0;
}

static int add_pattern(const struct option *opt, const char *regex, struct gate_patterns *patterns)
{
	if (patterns->count == MAX_GATE_PATTERNS) {
		pr_err("option '--%s': '%s' is one too many: there can be %d", opt->name, regex,
		       MAX_GATE_PATTERNS);
		return -EINVAL;
	}
	if (check_regex(opt, regex))
		return -EINVAL;
	patterns->regex[patterns->count++] = regex;
	return 0;
}

static int refuse_both(const struct option *opt, const char *other, const char *regex)
{
	pr_err("options '--%s' and '--%s' contradict each other: both have '%s'", opt->name, other,
	       regex);
	return -EINVAL;
}

static int opt_allow(const struct option *opt, const char *value, void *var)
{
	struct kvm_config *cfg = var;

	if (has_pattern(&cfg->fail_on, value))
		return refuse_both(opt, "fail-on", value);
	return add_pattern(opt, value, &cfg->allow);
}

static int opt_fail_on(const struct option *opt, const char *value, void *var)
{
	struct kvm_config *cfg = var;

	if (has_pattern(&cfg->allow, value))
		return refuse_both(opt, "allow", value);
	if (has_pattern(&cfg->pass_on, value))
		return refuse_both(opt, "pass-on", value);
	return add_pattern(opt, value, &cfg->fail_on);
}

static int opt_pass_on(const struct option *opt, const char *value, void *var)
{
	struct kvm_config *cfg = var;

	if (has_pattern(&cfg->fail_on, value))
		return refuse_both(opt, "fail-on", value);
	return add_pattern(opt, value, &cfg->pass_on);
}

const struct option gates_options[] = {
	{ 0, "allow", "REGEX", "no line that matches is an oops or a splat", opt_allow },
	{ 0, "fail-on", "REGEX", "status 112 after such a line, or a WARN, KASAN... report", opt_fail_on },
	{ 0, "pass-on", "REGEX", "a console line or prompt that matches ends the VM, well", opt_pass_on },
	{ 0 },
};
