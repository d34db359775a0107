// SPDX-License-Identifier: GPL-2.0-only
/* What `lkvm info --sandbox` prints. */
#include "kvm/sandbox.h"
#include "landlock.h"
#include "rules.h"

#include <stdio.h>
#include <string.h>

#define LINE_LEN 92

static void print_word(unsigned *column, const char *word)
{
	if (*column + 1 + strlen(word) > LINE_LEN) {
		printf("\n   ");
		*column = 3;
	}
	*column += (unsigned)printf(" %s", word);
}

static void print_rule(unsigned *column, const struct sandbox_rule *r)
{
	static const char *const formats[] = {
		[ALWAYS] = "%s", [IF_EQUAL] = "%s(%s)", [IF_WITHOUT] = "%s(no %s)", [IF_OURS] = "%s(to %s)",
		[IF_OWN] = "%s(to %s)",
	};
	char word[80];

	snprintf(word, sizeof(word), formats[r->test], r->call, r->value_name);
	print_word(column, word);
}

void sandbox__print(void)
{
	int version = landlock__version();

	if (!BUILD_IS_CONFINED)
		puts("This build makes calls of its own, and is not confined; another one is like this.\n");
	for (enum sandbox_thread thread = 0; thread < NR_SANDBOX_THREADS; thread++) {
		unsigned column = 3;

		printf("%s: %u system calls\n   ", sandbox_thread__name(thread),
		       sandbox_rules__count(thread));
		for (unsigned i = 0; i < nr_sandbox_rules; i++) {
			if (sandbox_rule__is_for(&sandbox_rules[i], thread))
				print_rule(&column, &sandbox_rules[i]);
		}
		puts("\n");
	}
	if (version)
		printf("Landlock %d: the main thread opens the files it writes at the end, the "
		       "kernel's\nsymbols and what says how the host is; vCPUs and shared "
		       "directories' workers what is\nshared; others nothing.\n", version);
	else
		puts("This host's kernel has no Landlock: what may be opened is not confined.");
}
