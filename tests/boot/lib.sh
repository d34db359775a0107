# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What tests/boot/cases is written in. A case is a function, or a command with arguments, that is
# announced with `check DESCRIPTION COMMAND...`; run_checks runs them, two at a time, and tells
# tests/boot/run how they end. A case runs in a subshell in a directory of its own, $dir, and ends
# at the first thing that is not as it must be:
#
#   guest PARAMS [OPTION...]  boot a guest with these words on its command line and these options
#                             of lkvm run; its stdout is then in $dir/out, also as $dir/text
#                             without carriage returns, its stderr in $dir/err
#   status_is N               ... lkvm ended with this status
#   has REGEX, has_not REGEX  ... a line of the guest's output matches, or none does
#   says REGEX                ... a line of lkvm's own matches
#   value NAME                prints what follows NAME= in the report of tests/boot/init
#   fail REASON, skip REASON  end the case
#
# A guest that does not end is killed after $limit seconds, and a case, whatever it waits for, after
# $case_limit. What run_checks prints, besides what the commands let slip:
#
#   @ start N           case number N begins
#   @ result N          from here to `@ end N` is its result, in TAP
#   @ alive             every few seconds
#   @ stuck N           not even SIGKILL ends the case: nothing more can be done here

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
limit=${GUEST_SECONDS-150}	# for one guest
case_limit=${CASE_SECONDS-330}	# for all that a case does, its guests and its waiting

# The emulated machine's SVM does not let KVM see XSETBV, so KVM tells its guests a wrong size of the
# XSAVE area, and Linux warns of it at every boot there, under QEMU as well.
known_warning='WARNING: .* fpu__init_system_xstate\+'

# The command line of a guest, in the array $lkvm.
set_lkvm() {
	local params=$1
	shift
	[[ ${kernel-} ]] || kernel cloud-6.1
	lkvm=("$LKVM" run -k "$kernel" -m 256M -p "console=ttyS0 $params" --allow "$known_warning")
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

status_is() {
	((status != 137)) || fail "lkvm did not end in $limit s, and was killed"
	((status == $1)) || fail "exit status $status instead of $1"
}
has() { grep -qE -- "$1" "$dir/text" || fail "no line of the guest's output matches: $1"; }
has_not() { ! grep -E -- "$1" "$dir/text" || fail "a line of the guest's output matches: $1"; }
says() { grep -qE -- "^lkvm: .*$1" "$dir/err" || fail "lkvm does not say: $1"; }
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

# The same for the long tier only: what it would take more minutes to know at every check
for_long() { ((!${long-0})) || check "$@"; }

#
# Running them. They are numbered from 1, in the order in which they are announced.
#

# The processes of a case: they have its directory in their environment, or are in its process
# group, like the subshells that have not executed anything.
case_processes() {
	{
		grep -lzxs "BOOT_CASE=$scratch/$1" /proc/[0-9]*/environ | cut -d / -f 3
		ps -eo pid=,pgid= | awk -v group="${groups[$1]}" '$2 == group { print $1 }'
	} | sort -nu
}

run_case() {
	dir=$scratch/$1
	(export BOOT_CASE=$dir; eval "${commands[$1 - 1]}") >"$dir/said" 2>&1
	echo $? >"$dir/result.tmp"
	mv "$dir/result.tmp" "$dir/result" # whoever finds it may read it
}

declare -A since=() groups=()	# of the cases that run
start_case() {
	echo "@ start $1"
	mkdir "$scratch/$1"
	since[$1]=$EPOCHSECONDS
	set -m	# a process group of its own
	{
		run_case "$1" {ended}>&-
		echo "$1" >&"$ended"
	} </dev/null &
	groups[$1]=$!
	disown	# or bash would say that it was killed
	set +m
}

# Kills what a case has left running. Returns 1 if something survives it.
kill_case() {
	local pids deadline=$((SECONDS + 60))
	while pids=$(case_processes "$1"); [[ $pids ]]; do
		((SECONDS < deadline)) || return 1
		# shellcheck disable=SC2086 # one number each
		kill -KILL $pids 2>/dev/null
		sleep 0.1
	done
}

show_processes() {
	local pids
	mapfile -t pids < <(case_processes "$1")
	((!${#pids[@]})) || ps -o pid,stat,wchan:20,etimes,args -p "$(IFS=,; echo "${pids[*]}")"
}

end_case() {
	local dir=$scratch/$1
	# What it has started ends with it, at most a little later.
	if [[ $(<"$dir/result") == 0 && $(case_processes "$1") ]]; then
		sleep 2
		if [[ $(case_processes "$1") ]]; then
			{
				echo "the case has left processes behind:"
				show_processes "$1"
			} >>"$dir/said"
			echo 1 >"$dir/result"
		fi
	fi
	report_case "$1"
	kill_case "$1" || echo "@ stuck $1"
}

give_up_case() {
	local dir=$scratch/$1
	{
		echo "not done after $case_limit s; what it was doing then:"
		show_processes "$1"
	} >>"$dir/said"
	echo 1 >"$dir/result"
	report_case "$1"
	kill_case "$1" || echo "@ stuck $1"
}

report_case() {
	local description=${descriptions[$1 - 1]} dir=$scratch/$1 result file
	result=$(<"$dir/result")
	echo "@ result $1"
	case $result in
	77) echo "ok $1 - $description # SKIP $(tail -n 1 "$dir/said")" ;;
	0) echo "ok $1 - $description ($((EPOCHSECONDS - since[$1])) s)" ;;
	*)
		echo "not ok $1 - $description ($((EPOCHSECONDS - since[$1])) s)"
		sed 's/^/# /' "$dir/said"
		for file in err out; do
			[[ -s $dir/$file ]] || continue
			echo "# the end of the guest's $file:"
			tail -c 8000 "$dir/$file" | LC_ALL=C tr -c '[:print:]\t\n' ' ' | tail -n 15 | sed 's/^/#   /'
		done ;;
	esac
	echo "@ end $1"
	unset "since[$1]"
}

# run_cases_until AT_MOST: wait until no more than that many run.
run_cases_until() {
	local n
	while ((${#since[@]} > $1)); do
		# Only to wake up: what a read has got when its time is over is lost.
		read -r -t 2 -u "$ended" n || :
		echo "@ alive"
		for n in "${!since[@]}"; do
			if [[ -e $scratch/$n/result ]]; then
				end_case "$n"
			elif ((EPOCHSECONDS - since[$n] > case_limit)); then
				give_up_case "$n"
			fi
		done
	done
}

# Those numbered in $CASES_TODO, default all: two at a time, as there are two CPUs in the emulated
# machine and a guest often waits. After them, one at a time, those in $CASES_ALONE.
run_checks() {
	local n
	scratch=$(mktemp -d)
	trap 'for n in "${!since[@]}"; do kill_case "$n"; done; rm -rf "$scratch"' EXIT
	trap 'exit 143' TERM INT HUP
	mkfifo "$scratch/ended"
	exec {ended}<>"$scratch/ended"
	for n in ${CASES_TODO-$(seq ${#descriptions[@]})}; do
		run_cases_until 1
		start_case "$n"
	done
	for n in ${CASES_ALONE-}; do
		run_cases_until 0
		start_case "$n"
	done
	run_cases_until 0
}

list_checks() { ((!${#descriptions[@]})) || printf '%s\n' "${descriptions[@]}"; }
