#!/bin/busybox sh
# The first program of the virtual machine: mounts the disk and hands over.
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t devtmpfs dev /dev
while read -r ko; do $b insmod "$ko" || echo "lab: $ko does not load"; done </order
n=0
until [ -b /dev/vda ]; do
	n=$((n + 1))
	[ "$n" -lt 100 ] || { echo "lab: no disk"; $b poweroff -f; }
	$b sleep 0.1
done
$b mount -t ext4 -o noatime /dev/vda /new || { echo "lab: the disk does not mount"; $b poweroff -f; }
$b mount --move /dev /new/dev
$b umount /proc
exec $b switch_root /new /init
