# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Cases that run side by side and are reported in order, as TAP. A script that sources this says
#
#   check DESCRIPTION COMMAND [ARG...]	for each case, then
#   run_checks [JOBS]			which returns 1 if a case failed
#
# A case runs in a subshell, in a directory of its own that is also $dir, with stdin from /dev/null.
# It passes unless its status says otherwise, or a process it has started outlives it. These end it:
#
#   fail REASON...	it fails; what the case has printed is shown, besides its files named in $show
#   skip REASON...	it is skipped
#
# If $only is set, only the cases whose description matches this regular expression are run; if
# $skip_all is set, all of them are skipped for that reason.

fail() { echo "$*"; exit 1; }
skip() { echo "$*"; exit 77; }

tap_descriptions=() tap_commands=()

check() {
	[[ $1 =~ ${only-} ]] || return 0
	tap_descriptions+=("$1")
	shift
	tap_commands+=("$(printf '%q ' "$@")")
}

# The processes that a case has started: they have its directory in their environment.
tap_processes() {
	grep -lzxs "TAP_CASE=$1" /proc/[0-9]*/environ | cut -d / -f 3
}

# Those that are about to end get some time for it.
tap_no_process_left() {
	local left deadline=$((SECONDS + 10))
	while left=$(tap_processes "$1"); [[ $left ]]; do
		if ((SECONDS >= deadline)); then
			# shellcheck disable=SC2086 # one number each
			ps -o pid,args $left
			# shellcheck disable=SC2086
			kill -KILL $left
			fail "the case has left these processes behind"
		fi
		sleep 0.1
	done
}

tap_run_case() {
	dir=$tap_scratch/$1
	mkdir "$dir"
	{
		(export TAP_CASE=$dir; cd "$dir" && eval "${tap_commands[$1]}")
		result=$?
		(tap_no_process_left "$dir") || result=1
	} </dev/null >"$dir/said" 2>&1
	# Renamed when complete, so that whoever finds it may read it.
	echo "$result" >"$dir/result.tmp"
	mv "$dir/result.tmp" "$dir/result"
}

tap_print_file() {
	[[ -s $1 ]] || return 0
	echo "# the end of ${1##*/}:"
	# shellcheck disable=SC1003 # sed's command for a last line without an end
	tail -n 20 "$1" | tail -c 4000 | LC_ALL=C tr -c '[:print:]\t\n' '?' | sed 's/^/#   /; $a\'
}

tap_print_case() {
	local number=$(($1 + 1)) description=${tap_descriptions[$1]} result file
	dir=$tap_scratch/$1
	result=$(<"$dir/result")
	case $result in
	0) echo "ok $number - $description" ;;
	77) echo "ok $number - $description # SKIP $(tail -n 1 "$dir/said")" ;;
	*)
		tap_failed=1
		echo "not ok $number - $description"
		sed 's/^/# /' "$dir/said"
		for file in ${show-}; do
			tap_print_file "$dir/$file"
		done ;;
	esac
	rm -rf "$dir"
}

run_checks() {
	local jobs=${1-1} count=${#tap_descriptions[@]} started=0 printed=0
	tap_failed=0
	echo "1..$count"
	if [[ ${skip_all-} ]]; then
		for ((; printed < count; printed++)); do
			echo "ok $((printed + 1)) - ${tap_descriptions[printed]} # SKIP $skip_all"
		done
		return 0
	fi

	tap_scratch=$(mktemp -d)
	trap 'rm -rf "$tap_scratch"' EXIT
	while ((printed < count)); do
		if ((started < count && $(jobs -rp | wc -l) < jobs)); then
			tap_run_case "$started" &
			((started += 1))
			continue
		fi
		wait -n || :
		[[ $(jobs -rp) || -f $tap_scratch/$printed/result ]] || echo killed >"$tap_scratch/$printed/result"
		while ((printed < started)) && [[ -f $tap_scratch/$printed/result ]]; do
			tap_print_case "$printed"
			((printed += 1))
		done
	done
	return "$tap_failed"
}
