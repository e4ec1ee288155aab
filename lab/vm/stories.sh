#!/bin/sh
# Runs inside the virtual machine: an access point, a camera's station in a network namespace of its own, an attacker's and a
# sensor's radio, then the shipped hub with a visit in progress. PMF=0: management frames are not protected; 2: they must be.
set -e
out=/tmp/out
mkdir -p $out
chmod 755 /tmp/air.sh
PMF=${PMF:-0}
key=WPA-PSK
[ "$PMF" = 0 ] || key=WPA-PSK-SHA256
[ ! -d /sys/class/net/eth0 ] || { echo "lab: there is a network device: the lab must be isolated (-nic none)"; exit 1; }

modprobe mac80211_hwsim radios=4
for n in camera attacker; do
	ip netns add $n
	ip netns exec $n ip link set lo up
done
iw phy phy1 set netns name camera
iw phy phy2 set netns name attacker
cat >/tmp/hostapd.conf <<C
interface=wlan0
driver=nl80211
ctrl_interface=/run/hostapd
ssid=lab
hw_mode=g
channel=6
wpa=2
wpa_key_mgmt=$key
rsn_pairwise=CCMP
wpa_passphrase=labpassphrase
ieee80211w=$PMF
C
cat >/tmp/wpa.conf <<C
ctrl_interface=/run/wpa
network={
 ssid="lab"
 psk="labpassphrase"
 key_mgmt=$key
 proto=RSN
 ieee80211w=$PMF
}
C
hostapd -t -f $out/hostapd.log -B /tmp/hostapd.conf >/dev/null
ip addr add 10.7.0.1/24 dev wlan0
ip netns exec attacker iw dev wlan2 set type monitor
ip netns exec attacker ip link set wlan2 up
ip netns exec attacker iw dev wlan2 set freq 2437
iw dev wlan3 set type monitor # the sensor's radio is the hub's own second one
ip link set wlan3 up
iw dev wlan3 set freq 2437
tcpdump -Z root -i wlan3 -U -s 160 -w $out/air.pcap 2>/dev/null &
capture=$!
ip netns exec camera ip addr add 10.7.0.2/24 dev wlan1
ip netns exec camera ip link set wlan1 up
ip netns exec camera wpa_supplicant -t -f $out/wpa.log -B -Dnl80211 -iwlan1 -c/tmp/wpa.conf >/dev/null
n=0
until ip netns exec camera wpa_cli -p /run/wpa -i wlan1 status 2>/dev/null | grep -q wpa_state=COMPLETED; do
	n=$((n + 1))
	[ $n -lt 600 ] || { echo "lab: the camera does not get onto the Wi-Fi"; tail -5 $out/wpa.log $out/hostapd.log; exit 1; }
	sleep 0.1
done
ping -c 2 -W 2 10.7.0.2 >/dev/null || { echo "lab: the camera cannot be reached over the air"; exit 1; }
echo "lab: the camera is on the Wi-Fi after $(cut -d' ' -f1 /proc/uptime) s, management frames $([ "$PMF" = 0 ] && echo unprotected || echo protected)"
mkdir -p /tmp/state
mkdir -p "/mnt/out/pmf$PMF"
(while sleep 10; do # progress, and what is finished is kept even if the machine is ended
	echo "lab: $(cut -d. -f1 /proc/uptime) s on the machine's clock"
	cp -u $out/*.json $out/*.txt "/mnt/out/pmf$PMF/" 2>/dev/null || true # none is there yet
done) &
set +e
/tmp/eyebolt bench air --air /tmp/air.sh --netns camera --camera 10.7.0.2:8554 --capture $out/air.pcap --label "pmf$PMF" $([ "$PMF" = 0 ] || echo --protected) \
	--interface wlan0 --hostapd /run/hostapd/wlan0 --monitor wlan3 --network 02:00:00:00:00:00 \
	--journal "access point=$out/hostapd.log" --journal "camera=$out/wpa.log" $([ ! -x /tmp/mediamtx ] || echo --mediamtx /tmp/mediamtx) --ffmpeg \
	--rounds "${ROUNDS:-1}" --for "${FOR:-14s}" --quiet "${QUIET:-5s}" --honest "${HONEST:-0s}" ${STORIES:+--story "$STORIES"} --dir /tmp/state --out $out
code=$?
kill $capture
sleep 1
cp $out/* "/mnt/out/pmf$PMF/"
exit $code
