# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What tests/boot/cases is written in. A case is a function, or a command with arguments, that is
# announced with `check DESCRIPTION COMMAND...`; run_checks runs them all, two at a time, and prints
# TAP. A case runs in a subshell in a directory of its own, $dir, and ends at the first thing that
# is not as it must be:
#
#   guest PARAMS [OPTION...]  boot a guest with these words on its command line and these options
#                             of lkvm run; its stdout is then in $dir/out, also as $dir/text
#                             without carriage returns, its stderr in $dir/err
#   status_is N               ... lkvm ended with this status
#   has REGEX, has_not REGEX  ... a line of the guest's output matches, or none does
#   value NAME                prints what follows NAME= in the report of tests/boot/init
#   fail REASON, skip REASON  end the case

declare -A kernels
while read -r name kind path; do
	kernels[$name/$kind]=$path
done <"$O/boot/kernels"

# kernel NAME [KIND]: sets $kernel, which guest boots; cloud-6.1 bzImage unless a case says.
kernel() {
	kernel=${kernels[$1/${2-bzImage}]-}
	[[ $kernel ]] || skip "no $1 ${2-bzImage} on this host"
}

fail() { echo "$*"; exit 1; }
skip() { echo "$*"; exit 77; }

initrd=$O/boot/initrd.cpio
limit=100	# seconds for one guest

# The command line of a guest, in the array $lkvm.
set_lkvm() {
	local params=$1
	shift
	[[ ${kernel-} ]] || kernel cloud-6.1
	lkvm=("$LKVM" run -k "$kernel" -m 256M -p "console=ttyS0 $params")
	[[ -z $initrd ]] || lkvm+=(-i "$initrd")
	lkvm+=("$@")
}

# KILL, as 124 and 143 are answers of lkvm's own.
limited() { timeout -s KILL "$limit" "$@"; }

guest() {
	set_lkvm "$@"
	status=0
	limited "${lkvm[@]}" >"$dir/out" 2>"$dir/err" || status=$?
	tr -d '\r' <"$dir/out" >"$dir/text"
}

# pty KEYS PARAMS [OPTION...]: the same on a terminal of its own. KEYS is a function that types, by
# printing; it may use `ready` and `$(<"$dir/pid")`. The terminal's settings before and after are
# compared, as lkvm must restore them however it ends.
pty() {
	local keys=$1
	shift
	set_lkvm "$@"
	cat >"$dir/session" <<-END
		set -m	# so that lkvm can be stopped and continued like from a shell
		stty -a >"$dir/before"
		bash -c 'echo \$\$ >"$dir/pid"; exec "\$@"' - $(printf '%q ' "${lkvm[@]}") 2>"$dir/err"
		status=\$?
		if [[ \$(jobs -sp) ]]; then
			stty -a >"$dir/stopped"
			fg >"$dir/fg"
			status=\$?
		fi
		stty -a >"$dir/after"
		echo \$status >"$dir/status"
	END
	: >"$dir/out"
	# The keyboard stays open until the session has ended: its end would be typed as ^D.
	{
		"$keys"
		until_true test -s "$dir/status"
	} | limited script -qefc "bash $dir/session" "$dir/out" >/dev/null
	tr -d '\r' <"$dir/out" >"$dir/text"
	[[ -s $dir/status ]] || fail "the session on the terminal did not end"
	status=$(<"$dir/status")
	cmp -s "$dir/before" "$dir/after" || fail "terminal settings not restored: $(diff "$dir/before" "$dir/after")"
}

# until_true COMMAND...: wait for it, but not for ever.
until_true() {
	local deadline=$((SECONDS + limit))
	until "$@"; do
		((SECONDS < deadline)) || return
		sleep 0.2
	done
}

# Wait until the guest of test=cat listens.
ready() { until_true grep -qs 'init: ready' "$dir/out"; }

status_is() { ((status == $1)) || fail "exit status $status instead of $1"; }
has() { grep -qE -- "$1" "$dir/text" || fail "no line of the guest's output matches: $1"; }
has_not() { ! grep -E -- "$1" "$dir/text" || fail "a line of the guest's output matches: $1"; }
value() { sed -n "s/^$1=//p" "$dir/text"; }

# value_is NAME VALUE
value_is() { [[ $(value "$1") == "$2" ]] || fail "$1=$(value "$1") instead of $2"; }

descriptions=() commands=()
check() {
	[[ $1 =~ ${only-} ]] || return 0
	descriptions+=("$1")
	shift
	commands+=("$(printf '%q ' "$@")")
}

run_case() {
	dir=$scratch/$1
	mkdir "$dir"
	(eval "${commands[$1]}") >"$dir/said" 2>&1
	echo $? >"$dir/result.tmp"
	mv "$dir/result.tmp" "$dir/result"
}

print_case() {
	local number=$(($1 + 1)) description=${descriptions[$1]} result file
	dir=$scratch/$1
	result=$(<"$dir/result")
	case $result in
	0) echo "ok $number - $description" ;;
	77) echo "ok $number - $description # SKIP $(tail -n 1 "$dir/said")" ;;
	*)
		failed=1
		echo "not ok $number - $description"
		sed 's/^/# /' "$dir/said"
		for file in err text; do
			[[ -s $dir/$file ]] || continue
			echo "# the end of the guest's ${file/text/out}:"
			tail -n 15 "$dir/$file" | sed 's/^/#   /'
		done ;;
	esac
}

# Two at a time, as there are two CPUs in the emulated machine and a guest often waits.
run_checks() {
	local started=0 printed=0 count=${#descriptions[@]}
	scratch=$(mktemp -d)
	trap 'rm -rf "$scratch"' EXIT
	failed=0
	echo "1..$count"
	while ((printed < count)); do
		if ((started < count && started - printed < 4 && $(jobs -rp | wc -l) < 2)); then
			run_case "$started" </dev/null &
			((started += 1))
			continue
		fi
		wait -n || :
		while ((printed < started)) && [[ -f $scratch/$printed/result ]]; do
			print_case "$printed"
			((printed += 1))
		done
	done
	return "$failed"
}
