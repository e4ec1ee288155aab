#!/usr/bin/env bash
# The radio lab: replays attacks T1 and T2 on simulated radios inside an isolated virtual machine, against the shipped hub, with a
# visit in progress; prints a timeline a story and one table of all, and keeps them in bin/lab/out. Nothing is attacked but the
# virtual machine's own simulated radios: it has no network device (-nic none), and the attacker's program is the distribution's,
# inside the image. Nothing is installed on this machine. What stays after a run is bin/lab: the image for the next one, and the results.
#
#   lab/run.sh [flood,reentry,return,bystander,outage]     PMF="0 2" ROUNDS=3 FOR=14s QUIET=5s HONEST=2m MEMORY=1024 MINUTES=90 JOBS=2 NICE=10
set -euo pipefail
cd "$(dirname "$0")/.."
out=$PWD/bin/lab
share=$out/share
die() { echo "lab: $*" >&2; exit 1; }
begin=$(date +%s)
since() { echo $(($(date +%s) - begin)); }

[ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] ||
	die "the virtual machine is made of Debian's packages for amd64: run this on Debian 12 or newer, or in a container of it"
missing=()
for pair in qemu-system-x86_64:qemu-system-x86 mke2fs:e2fsprogs timeout:coreutils setsid:util-linux flock:util-linux; do
	command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
done
[ ${#missing[@]} -eq 0 ] || die "missing: apt-get install --no-install-recommends ${missing[*]}"
command -v go >/dev/null || die "go is missing: see go.mod for the version, https://go.dev/dl"

mkdir -p "$out"
exec 9>"$out/lock"
flock -n 9 || die "another one runs here already"

# What was started is ended, by its own process group, however this ends; the share is a copy and goes.
groups=()
finish() {
	local code=$?
	trap - EXIT INT TERM HUP
	for group in "${groups[@]}"; do
		kill -- "-$group" 2>/dev/null && echo "lab: ended what was still running" >&2
	done
	wait
	rm -rf "$share"
	exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

fingerprint=$(cat lab/image.sh lab/vm/init.sh lab/vm/initrd.sh | cksum)
if [ ! -e "$out/root.ext4" ] || [ "$(cat "$out/fingerprint" 2>/dev/null)" != "$fingerprint" ]; then
	echo "Building the virtual machine from Debian packages (about half a minute, 200 MB are downloaded) …"
	setsid timeout 900 bash lab/image.sh 9>&- &
	groups=($!)
	wait "$!" || die "the virtual machine was not built, see above (15 minutes is the limit)"
	groups=()
	echo "$fingerprint" >"$out/fingerprint"
fi
echo "$(since) s: the image is there"
rm -rf "$out/out" "$share"
mkdir -p "$share/out"
cp lab/vm/stories.sh lab/vm/air.sh "$share/"
CGO_ENABLED=0 setsid go build -trimpath -o "$share/eyebolt" ./cmd/eyebolt 9>&- &
groups=($!)
wait "$!" || die "bin/eyebolt was not built, see above"
groups=()
if [ -x bin/peers/mediamtx ]; then
	cp bin/peers/mediamtx "$share/"
else
	echo "note: MediaMTX is left out: scripts/peers.sh builds it"
fi
echo "$(since) s: bin/eyebolt is built"

vm=(qemu-system-x86_64 -M pc -m "${MEMORY:-1024}" -nodefaults -no-user-config -display none -no-reboot -serial stdio
	-kernel "$out/vmlinuz" -device virtio-rng-pci -nic none)
# A virtual machine on /dev/kvm that has not said a word in 8 s never will: not every host's works.
# Without it the machine is emulated, and its clock counts instructions (one a nanosecond; idle time is skipped): a busy host makes
# the run longer and changes nothing that is measured, so that several may run beside each other.
accel=tcg,thread=single,tb-size=256
speed=(-smp 1 -icount shift=0,sleep=off)
jobs=${JOBS:-$(nproc)}
if [ -w /dev/kvm ] && timeout 8 "${vm[@]}" -accel kvm -cpu max -append "console=ttyS0 panic=-1" </dev/null 2>/dev/null | grep -q "Linux version"; then
	accel=kvm
	speed=(-smp 2)
	jobs=${JOBS:-1}
else
	echo "note: /dev/kvm is missing or not usable, so the machine is emulated: this takes minutes of processor time a story, and measures the same"
fi
echo "virtual machine: ${accel%%,*}, ${speed[*]}, ${MEMORY:-1024} MB, no network device; at most ${MINUTES:-90} minutes"

# run PMF: one virtual machine, its lines stamped with the host's seconds since it started
run() {
	local pmf=$1 start log=$out/console-pmf$1.log line
	start=$(date +%s)
	timeout --foreground -k 10 "$((${MINUTES:-90} * 60))" nice -n "${NICE:-10}" "${vm[@]}" -accel "$accel" "${speed[@]}" -cpu max -initrd "$out/initrd.cpio" \
		-append "console=ttyS0 quiet panic=-1 random.trust_cpu=1 mitigations=off PMF=$pmf ROUNDS=${ROUNDS:-3} FOR=${FOR:-14s} QUIET=${QUIET:-5s} HONEST=${HONEST:-2m} STORIES=$stories" \
		-drive "file=$out/root.ext4,if=virtio,format=raw,snapshot=on" \
		-fsdev "local,id=f,path=$share,security_model=none" -device virtio-9p-pci,fsdev=f,mount_tag=lab \
		</dev/null 2>&1 | while IFS= read -r line; do
		printf '%5d s  pmf%s  %s\n' $(($(date +%s) - start)) "$pmf" "${line%$'\r'}"
	done | tee "$log"
	grep -q "lab: ended with 0" "$log"
}
export -f run
export out share accel
stories=${1:-} failed=
# The arrays cross into the processes as text.
vmtext=$(declare -p vm) speedtext=$(declare -p speed)
export stories vmtext speedtext

reap() { # waits for the oldest
	local first=${groups[0]}
	wait "$first" || failed=1
	groups=("${groups[@]:1}")
}
for pmf in ${PMF:-0 2}; do
	[ "${#groups[@]}" -lt "$jobs" ] || reap
	setsid bash -c 'set -o pipefail; eval "$vmtext"; eval "$speedtext"; run "$0"' "$pmf" 9>&- &
	groups+=($!)
done
while [ ${#groups[@]} -gt 0 ]; do reap; done

mv "$share/out" "$out/out"
echo "$accel ${speed[*]}" >"$out/out/machine"
if compgen -G "$out/out/*/*-[0-9]*.json" >/dev/null; then
	"$share/eyebolt" bench air-table "$out"/out/*/*-[0-9]*.json | tee "$out/out/table.md"
fi
echo "kept in bin/lab/out; all of it took $(since) s"
[ -z "$failed" ] || die "a story did not go as it must, or a machine did not end by itself in ${MINUTES:-90} minutes: see above and bin/lab/console-*.log"
