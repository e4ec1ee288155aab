#!/usr/bin/env bash
# Builds the lab's virtual machine from the distribution's own packages: bin/lab/{vmlinuz,initrd.cpio,root.ext4}.
# Needs Debian 12 or newer on amd64, apt lists that are not old, mke2fs and dpkg-deb; no root, and nothing is installed here.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$PWD/bin/lab
debs=$out/debs root=$out/root boot=$out/boot
here=$PWD/lab
die() { echo "lab: $*" >&2; exit 1; }
begin=$(date +%s)
say() { printf '%4ds  %s\n' $(($(date +%s) - begin)) "$*"; }

[ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] || die "the virtual machine is built from Debian packages for amd64: run this on Debian 12 or newer, or in a container of it"
for tool in apt-get dpkg-deb mke2fs go; do
	command -v "$tool" >/dev/null || die "$tool is missing (mke2fs is in e2fsprogs)"
done

# The newest kernel that the distribution offers: no version is pinned, so none can vanish from a mirror.
kernel=$(apt-cache depends linux-image-amd64 2>/dev/null | awk '/Depends: linux-image/ {print $2; exit}')
[ -n "$kernel" ] || die "apt knows no linux-image-amd64: run apt-get update"
packages=(hostapd wpasupplicant iw aircrack-ng busybox-static kmod tcpdump iproute2 wireless-regdb mosquitto ffmpeg dash coreutils)

mkdir -p "$debs/partial"
: >"$out/none" # an empty dpkg status: everything that the packages need is fetched, whatever this machine has
apt=(-o Dir::State::Status="$out/none" -o Dir::Cache::Archives="$debs" -o Debug::NoLocking=1 -o APT::Sandbox::User=root)
say "downloading ${#packages[@]} packages and what they need"
apt-get "${apt[@]}" install -y -qq --no-install-recommends --download-only "${packages[@]}" >"$out/apt.log" 2>&1 ||
	die "apt could not download: $(tail -3 "$out/apt.log"); try apt-get update, then again"
say "downloading $kernel"
ls "$debs/${kernel}"_*.deb >/dev/null 2>&1 || (cd "$debs" && apt-get "${apt[@]}" download -q "$kernel" >>"$out/apt.log" 2>&1) ||
	die "apt could not download $kernel: $(tail -3 "$out/apt.log"); try apt-get update, then again"

say "unpacking"
rm -rf "$root" "$boot" "$out/all"
mkdir -p "$root" "$boot" "$out/all" "$out/share"
version=${kernel#linux-image-}
dpkg-deb --fsys-tarfile "$debs/${kernel}"_*.deb | tar -x -C "$out/all" "./boot/vmlinuz-$version" "./lib/modules/$version"
for deb in "$debs"/*.deb; do
	case $deb in */linux-image-*) ;; *) dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$out/all" --exclude='./usr/share/doc' --exclude='./usr/share/man' --exclude='./usr/share/locale' ;; esac
done
cp "$out/all/boot/vmlinuz-$version" "$out/vmlinuz"
all=$out/all

# Only the programs that the stories use, and the libraries that these name.
say "picking programs and libraries"
mkdir -p "$root"/{bin,sbin,lib,lib64,etc,proc,sys,dev,run,tmp,mnt,root,var/lib,usr/{bin,sbin,lib,share}}
loader=$all/lib64/ld-linux-x86-64.so.2
[ -e "$loader" ] || loader=$all/usr/lib64/ld-linux-x86-64.so.2
libs=$(find "$all" -path '*x86_64-linux-gnu*' -type d \( -name x86_64-linux-gnu -o -name pulseaudio -o -name blas -o -name lapack \) | paste -sd:)
pick() {
	local name=$1 path=
	for dir in usr/sbin usr/bin sbin bin; do
		[ -e "$all/$dir/$name" ] && path=$all/$dir/$name && break
	done
	[ -n "$path" ] || die "no $name in the packages: has it moved to another one?"
	cp -L "$path" "$root/sbin/$name"
	"$loader" --library-path "$libs" --list "$path" 2>/dev/null | awk '/=> \// {print $3}' >>"$out/libs" || die "$name: its libraries are not all there"
}
: >"$out/libs"
for name in hostapd hostapd_cli wpa_supplicant wpa_cli iw aireplay-ng tcpdump ip kmod mosquitto ffmpeg dash date; do pick "$name"; done
mkdir -p "$root/lib/x86_64-linux-gnu"
sort -u "$out/libs" | while read -r lib; do cp -L "$lib" "$root/lib/x86_64-linux-gnu/"; done
cp -L "$loader" "$root/lib64/ld-linux-x86-64.so.2"
busybox=$(find "$all" -path '*/bin/busybox' -type f | head -1)
cp "$busybox" "$root/bin/busybox"
for applet in $("$busybox" --list); do
	case $applet in busybox | ip | date | sh | modprobe | insmod | lsmod | depmod | rmmod | modinfo) ;; *) ln -sf busybox "$root/bin/$applet" ;; esac
done
ln -sf ../sbin/dash "$root/bin/sh" # busybox's own shell would run its own applets before the programs of the packages
for name in modprobe insmod lsmod depmod; do ln -sf kmod "$root/sbin/$name"; done
echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
echo 'mosquitto:x:106:106::/:/bin/false' >>"$root/etc/passwd"
printf 'root:x:0:\nnetdev:x:108:\nmosquitto:x:106:\n' >"$root/etc/group"
echo '127.0.0.1 localhost' >"$root/etc/hosts"
firmware=$(find "$all" -name 'regulatory.db-debian' | head -1)
mkdir -p "$root/lib/firmware"
[ -z "$firmware" ] || { cp "$firmware" "$root/lib/firmware/regulatory.db"; cp "${firmware%-debian}.p7s-debian" "$root/lib/firmware/regulatory.db.p7s"; }
cp "$here/vm/init.sh" "$root/init"
chmod 755 "$root/init"

say "kernel modules"
modules() { # modules DIR NAME…: what NAME needs, into DIR
	local dir=$1
	shift
	mkdir -p "$dir/lib/modules/$version"
	cp "$all/lib/modules/$version"/modules.builtin{,.modinfo} "$all/lib/modules/$version/modules.order" "$dir/lib/modules/$version/"
	for m in "$@"; do "$kmod/modprobe" -d "$all" -S "$version" --show-depends "$m" 2>/dev/null | awk '/^insmod/ {print $2}' || true; done | sort -u | while read -r ko; do
		to=$dir/lib/modules/$version/${ko#*/modules/"$version"/}
		mkdir -p "${to%/*}" && cp "$ko" "$to"
	done
	"$kmod/depmod" -b "$dir" "$version"
}
kmod=$out/kmod
mkdir -p "$kmod"
for name in modprobe depmod; do
	printf '#!/bin/sh\nexec -a %s "%s" --argv0 %s --library-path "%s" "%s" "$@"\n' "$name" "$loader" "$name" "$libs" "$root/sbin/kmod" | sed 's/^exec -a [a-z]* /exec /' >"$kmod/$name"
	chmod 755 "$kmod/$name"
done
"$kmod/depmod" -b "$all" "$version"
modules "$root" mac80211_hwsim ccm ctr cmac gcm arc4 9p 9pnet_virtio virtio_rng
[ -n "$(find "$root/lib/modules" -name 'mac80211_hwsim.ko*')" ] || die "kernel $version has no mac80211_hwsim: simulated radios are not in it"
modules "$boot" virtio_pci virtio_blk ext4 crc32c_generic crc32c

say "disk"
mkdir -p "$boot"/{bin,proc,dev,new}
cp "$busybox" "$boot/bin/busybox"
for m in virtio_pci virtio_blk crc32c_generic ext4; do
	"$kmod/modprobe" -d "$boot" -S "$version" --show-depends "$m" 2>/dev/null | awk '/^insmod/ {print $2}' || true # some kernels have it built in
done | awk '!seen[$0]++' | sed "s|^$boot||" >"$boot/order"
cp "$here/vm/initrd.sh" "$boot/init"
chmod 755 "$boot/init"
(cd "$boot" && find . | bin/busybox cpio -o -H newc --quiet 2>/dev/null || find . | bin/busybox cpio -o -H newc) >"$out/initrd.cpio" 2>/dev/null
rm -f "$out/root.ext4"
size=$(($(du -sm "$root" | cut -f1) + 96))
mke2fs -q -t ext4 -O ^has_journal -d "$root" "$out/root.ext4" "${size}M"
rm -rf "$all" "$root" "$boot" "$kmod" "$out/libs" "$out/none" "$debs"
say "built: $(du -h "$out/root.ext4" | cut -f1) disk, kernel $version"
echo "$version" >"$out/version"
