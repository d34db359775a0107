# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables of the script that reads this
#
# What tests/cli/run is written in. Each of these runs lkvm once and prints one line of TAP:
#
#   bad DESCRIPTION WORDS ARG...      must be refused: exit status 125, nothing on stdout, and on
#                                     stderr one sentence of lkvm's that has all of the WORDS, which
#                                     are parted by |
#   good DESCRIPTION WORDS ARG...     must succeed, with the WORDS on stdout and nothing on stderr
#
# and these are for what takes more than that:
#
#   lkvm ARG...                       run it; sets $status, and fills $dir/out and $dir/err
#   problem TEXT...                   something is not as it must be
#   result DESCRIPTION                print the line, with all problems since the last one
#   skip DESCRIPTION REASON
#   wanted DESCRIPTION                false if it is not among those that are asked for
#
# lkvm runs in $dir/empty, which must stay empty. Variables before a call, as in `needs=kvm bad ...`,
# reach lkvm; these change how it is started:
#
#   needs=kvm       skip where KVM is not to be had
#   as=nobody       without root's powers
#   stdout=FILE     where stdout goes
#   preload=FILE    with this library

number=0 failed=0 problems=()

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir" # nobody's, too
mkdir "$dir/empty"

wanted() { [[ $1 =~ ${only-} ]]; }

skip() {
	wanted "$1" || return 0
	((number += 1))
	echo "ok $number - $1 # SKIP $2"
}

problem() { problems+=("$*"); }

result() {
	((number += 1))
	if ((${#problems[@]} == 0)); then
		echo "ok $number - $1"
		return
	fi
	failed=1
	echo "not ok $number - $1"
	printf '# %s\n' "${problems[@]}"
	sed 's/^/#   stderr: /' "$dir/err" | head -n 20
	problems=()
}

lkvm() {
	local start=(timeout -s KILL 60)
	# The sanitizers would object to a preloaded library, and memory that is no memory.
	local -x ASAN_OPTIONS=verify_asan_link_order=0:${ASAN_OPTIONS-}
	[[ ${as-} != nobody ]] || start+=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	[[ -z ${preload-} ]] || start+=(env "LD_PRELOAD=$preload") # in nothing else than lkvm
	status=0
	: >"$dir/out"
	(cd "$dir/empty" && exec "${start[@]}" "$LKVM" "$@") \
		</dev/null >"${stdout-$dir/out}" 2>"$dir/err" || status=$?
}

has_words() {
	local file=$1 list word
	IFS='|' read -ra list <<<"$2"
	for word in "${list[@]}"; do
		grep -qF -- "$word" "$file" || problem "$(basename "$file") lacks: $word"
	done
}

# That stderr is one sentence, by lkvm.
one_sentence() {
	local text
	text=$(<"$dir/err")
	[[ $(wc -l <"$dir/err") == 1 && $text == "lkvm: "* ]] ||
		problem "stderr is not one line that starts with 'lkvm: '"
	[[ $text != *. ]] || problem "the sentence ends with a full stop"
	has_words "$dir/err" "$1"
}

# That lkvm left nothing behind.
nothing_written() {
	[[ -z $(ls -A "$dir/empty") ]] || problem "left behind: $(ls -A "$dir/empty")"
}

# True if the case is to be run; a skipped one has been printed.
begin() {
	wanted "$1" || return
	if [[ ${needs-} == kvm && $have_kvm == no ]]; then
		skip "$1" "no usable /dev/kvm on this host"
		return 1
	fi
	if [[ ${as-} == nobody ]] && ((EUID)); then
		skip "$1" "only root can become nobody"
		return 1
	fi
}

refused() {
	((status == 125)) || problem "exit status $status instead of 125"
	[[ ! -s $dir/out ]] || problem "stdout has: $(head -n 1 "$dir/out")"
	one_sentence "$1"
	nothing_written
}

bad() {
	local description=$1 words=$2
	shift 2
	begin "$description" || return 0
	lkvm "$@"
	refused "$words"
	result "$description"
}

good() {
	local description=$1 words=$2
	shift 2
	begin "$description" || return 0
	lkvm "$@"
	((status == 0)) || problem "exit status $status instead of 0"
	[[ ! -s $dir/err ]] || problem "stderr is not empty"
	has_words "$dir/out" "$words"
	nothing_written
	result "$description"
}

#
# Kernel images
#

# little_endian WIDTH VALUE: the bytes, as printf(1) takes them
little_endian() {
	local i value=$2
	for ((i = 0; i < $1; i++)); do
		printf '\\x%02x' $((value & 255))
		((value >>= 8, 1))
	done
}

# patch FILE OFFSET WIDTH VALUE
patch() {
	# shellcheck disable=SC2059 # the bytes are the format
	printf "$(little_endian "$3" "$4")" | dd of="$1" bs=1 seek=$(($2)) conv=notrunc status=none
}

# Fields of the two kinds of headers, as OFFSET:WIDTH
declare -A bz_fields=(
	[setup_sects]=0x1f1:1 [syssize]=0x1f4:4 [boot_flag]=0x1fe:2 [jump]=0x200:2 [magic]=0x202:4
	[version]=0x206:2 [loadflags]=0x211:1 [code32_start]=0x214:4 [initrd_addr_max]=0x22c:4
	[kernel_alignment]=0x230:4 [relocatable_kernel]=0x234:1 [xloadflags]=0x236:2
	[cmdline_size]=0x238:4 [pref_address]=0x258:8 [init_size]=0x260:4
)
declare -A elf_fields=(
	[class]=4:1 [data]=5:1 [type]=16:2 [machine]=18:2 [version]=20:4 [entry]=24:8 [phoff]=32:8
	[phentsize]=54:2 [phnum]=56:2
	[p_type]=64:4 [p_offset]=72:8 [p_vaddr]=80:8 [p_paddr]=88:8 [p_filesz]=96:8 [p_memsz]=104:8
	[p2_type]=120:4 [p2_offset]=128:8 [p2_vaddr]=136:8 [p2_paddr]=144:8 [p2_filesz]=152:8
	[p2_memsz]=160:8
)

# image bz|elf BASE NEW FIELD=VALUE...: a copy with other values in its header
image() {
	local -n fields=${1}_fields
	local base=$2 new=$3 change place
	shift 3
	[[ $base == "$new" ]] || cp --reflink=auto "$base" "$new"
	for change; do
		place=${fields[${change%%=*}]}
		patch "$new" "${place%:*}" "${place#*:}" "${change#*=}"
	done
}

# What a guest does that writes STATUS to the debug-exit port; the same in 32 and 64 bits.
exit_code() { printf '\\xb0\\x%02x\\xe6\\xf4\\xf4' "$1"; } # mov $STATUS, %al; out %al, $0xf4; hlt

# make_bzimage FILE: the least that is sound, and ends the VM with 0
make_bzimage() {
	head -c 5120 /dev/zero >"$1"
	image bz "$1" "$1" setup_sects=1 syssize=256 boot_flag=0xaa55 jump=0x6aeb magic=0x53726448 \
		version=0x20f loadflags=1 code32_start=0x100000 initrd_addr_max=0x7fffffff \
		kernel_alignment=0x200000 relocatable_kernel=1 xloadflags=1 cmdline_size=200 \
		pref_address=0x1000000 init_size=0x400000
	# shellcheck disable=SC2059
	printf "$(exit_code 0)" | dd of="$1" bs=1 seek=$((1024 + 0x200)) conv=notrunc status=none
}

# make_elf FILE [STATUS]: one segment of code at 16 MiB, and a spare header that loads nothing
make_elf() {
	printf '\x7fELF\2\1\1' >"$1"
	truncate -s 4096 "$1"
	image elf "$1" "$1" type=2 machine=62 version=1 entry=0x1000000 phoff=64 phentsize=56 phnum=2 \
		p_type=1 p_offset=1024 p_vaddr=0x1000000 p_paddr=0x1000000 p_filesz=16 p_memsz=4096
	# shellcheck disable=SC2059
	printf "$(exit_code "${2-0}")" | dd of="$1" bs=1 seek=1024 conv=notrunc status=none
}
