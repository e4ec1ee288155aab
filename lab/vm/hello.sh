#!/bin/sh
# What the virtual machine's processors can do with the camera's picture: frames a second.
cat /proc/cpuinfo | grep -m1 'model name'; free -m
modprobe mac80211_hwsim radios=4 && iw dev | grep -c Interface
for s in 320x180 640x360; do
	echo "encode $s"; ffmpeg -hide_banner -nostdin -loglevel error -benchmark -f lavfi -i "testsrc2=s=$s:r=15,noise=alls=12:allf=t" -t 6 -pix_fmt yuv420p -c:v libx264 -preset ultrafast -tune zerolatency -threads 1 -b:v 400k -f null - 2>&1 | tail -2
done
