#!/bin/sh
# air.sh start|stop STORY: changes the simulated air. Called by `eyebolt bench air` inside the virtual machine, and only there:
# aireplay-ng is the distribution's, the radios are mac80211_hwsim's, and the machine has no network device.
AP=02:00:00:00:00:00 CAMERA=02:00:00:00:01:00
group=/sys/kernel/debug/ieee80211/phy1/hwsim/group
case $1-$2 in
start-flood | start-reentry | start-return | start-bystander)
	ip netns exec attacker aireplay-ng -0 0 -a $AP -c $CAMERA wlan2 >/tmp/out/flood.log 2>&1 </dev/null &
	echo $! >/run/flood.pid
	;;
stop-flood | stop-reentry | stop-return | stop-bystander)
	kill "$(cat /run/flood.pid)"
	;;
start-outage) echo 2 >$group ;; # the camera's radio hears nobody and is heard by nobody
stop-outage) echo 1 >$group ;;
*)
	echo "air.sh start|stop flood|reentry|return|bystander|outage" >&2
	exit 2
	;;
esac
