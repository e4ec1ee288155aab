#!/usr/bin/env bash
# The radio lab: replays attacks T1 and T2 on simulated radios inside an isolated virtual machine, against the shipped hub, with a
# visit in progress; prints one timeline a story and keeps them in bin/lab/out. Nothing is attacked but the virtual machine's own
# simulated radios: it has no network device (-nic none), and the attacker's program is the distribution's, inside the image.
#
#   lab/run.sh [flood,reentry,outage]     PMF="0 2" FOR=20s QUIET=20s MEMORY=1024 MINUTES=40
set -euo pipefail
cd "$(dirname "$0")/.."
out=$PWD/bin/lab
die() { echo "lab: $*" >&2; exit 1; }
command -v qemu-system-x86_64 >/dev/null || die "qemu is missing: apt-get install --no-install-recommends qemu-system-x86"
begin=$(date +%s)

fingerprint=$(cat lab/image.sh lab/vm/* | cksum)
if [ ! -e "$out/root.ext4" ] || [ "$(cat "$out/fingerprint" 2>/dev/null)" != "$fingerprint" ]; then
	echo "Building the virtual machine from Debian packages (about half a minute, 200 MB are downloaded once) …"
	bash lab/image.sh
	echo "$fingerprint" >"$out/fingerprint"
fi
share=$out/share
rm -rf "$out/out" "$share"
mkdir -p "$share/out"
echo "Building bin/eyebolt …"
CGO_ENABLED=0 go build -trimpath -o "$share/eyebolt" ./cmd/eyebolt
if [ -x bin/peers/mediamtx ]; then
	cp bin/peers/mediamtx "$share/"
else
	echo "note: MediaMTX is left out: scripts/peers.sh builds it"
fi
echo "set up after $(($(date +%s) - begin)) s"

vm=(qemu-system-x86_64 -M pc -m "${MEMORY:-1024}" -nodefaults -no-user-config -display none -no-reboot -serial stdio
	-kernel "$out/vmlinuz" -device virtio-rng-pci -nic none)
# A virtual machine on /dev/kvm that has not said a word in 8 s never will: not every host's works.
# Without it the machine is emulated, and its clock counts instructions (one a nanosecond; idle time is skipped): a busy host makes
# the run longer and changes nothing that is measured.
accel=tcg,thread=single,tb-size=256
speed=(-smp 1 -icount shift=0,sleep=off)
if [ -w /dev/kvm ] && timeout 8 "${vm[@]}" -accel kvm -cpu max -append "console=ttyS0 panic=-1" </dev/null 2>/dev/null | grep -q "Linux version"; then
	accel=kvm
	speed=(-smp 2)
fi
echo "virtual machine: ${accel%%,*}, ${speed[*]}, ${MEMORY:-1024} MB, no network device"

failed=
for pmf in ${PMF:-0 2}; do
	start=$(date +%s)
	timeout "$((${MINUTES:-40} * 60))" nice -n "${NICE:-10}" "${vm[@]}" -accel "$accel" "${speed[@]}" -cpu max -initrd "$out/initrd.cpio" \
		-append "console=ttyS0 quiet panic=-1 random.trust_cpu=1 mitigations=off PMF=$pmf FOR=${FOR:-20s} QUIET=${QUIET:-20s} STORIES=${1:-}" \
		-drive "file=$out/root.ext4,if=virtio,format=raw,snapshot=on" \
		-fsdev "local,id=f,path=$share,security_model=none" -device virtio-9p-pci,fsdev=f,mount_tag=lab \
		</dev/null 2>&1 | sed -u 's/\r//' | tee "$out/console-pmf$pmf.log" || echo "lab: the virtual machine was ended after ${MINUTES:-40} minutes"
	grep -q "^lab: ended with 0" "$out/console-pmf$pmf.log" || failed=1
	echo "PMF $pmf: $(($(date +%s) - start)) s"
done
mv "$share/out" "$out/out"
echo "$accel ${speed[*]}" >"$out/out/machine"
echo "kept in bin/lab/out; all of it took $(($(date +%s) - begin)) s"
[ -z "$failed" ] || die "a story did not go as it must: see above and bin/lab/console-*.log"
