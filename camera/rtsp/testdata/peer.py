"""An RTSP camera of another make: Debian's gst-rtsp-server.

usage: peer.py user password

Serves live, noisy test pictures (640 × 360, 15 a second, a key picture each second) at /h264, /h265 and /slices (H.264, four
slices a picture), and at /rare with a key picture a minute or when it is asked for, each to whoever knows the password (digest). Prints its port, and ends when its standard input does.
"""
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

PICTURES = (
    "videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=15/1 ! "
)
STREAMS = {
    "/h264": PICTURES + "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 threads=1 ! "
    "rtph264pay name=pay0 pt=96 config-interval=-1",
    "/slices": PICTURES + "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 threads=4 ! "
    "rtph264pay name=pay0 pt=96 config-interval=-1",
    "/rare": PICTURES + "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=900 threads=1 ! "
    "rtph264pay name=pay0 pt=96 config-interval=-1",
    "/h265": PICTURES + "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! "
    "rtph265pay name=pay0 pt=97 config-interval=-1",
}


def main():
    user, password = sys.argv[1:]
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")

    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    auth.add_digest(user, password, token)
    server.set_auth(auth)

    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("viewer", "media.factory.access", True)
    permissions.add_permission_for_role("viewer", "media.factory.construct", True)
    for path, launch in STREAMS.items():
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch("( " + launch + " )")
        factory.set_shared(True)
        factory.set_permissions(permissions)
        server.get_mount_points().add_factory(path, factory)

    if server.attach(None) == 0:
        sys.exit("no free port")
    print(server.get_bound_port(), flush=True)

    loop = GLib.MainLoop()

    def gone(channel, condition):
        loop.quit()
        return False

    GLib.io_add_watch(GLib.IOChannel.unix_new(0), GLib.PRIORITY_DEFAULT, GLib.IOCondition.HUP | GLib.IOCondition.IN, gone)
    loop.run()


main()
