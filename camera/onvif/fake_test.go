package onvif

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/onviftest"
)

// foreign asks a camera with PyPI's onvif-zeep-async, which reads every reply by ONVIF's own WSDL files, strictly.
const foreign = `
import asyncio, datetime, json, sys
from onvif import ONVIFCamera
async def main():
    host, port, user, password = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
    cam = ONVIFCamera(host, port, user, password)
    await cam.update_xaddrs()
    out = {}
    dev = await cam.create_devicemgmt_service()
    info = await dev.GetDeviceInformation()
    out["model"] = info.Model
    media = await cam.create_media_service()
    profiles = await media.GetProfiles()
    p = profiles[0]
    out["profile"] = [p.token, p.VideoEncoderConfiguration.Encoding, p.VideoEncoderConfiguration.Resolution.Width, p.VideoEncoderConfiguration.H264.GovLength]
    out["stream"] = (await media.GetStreamUri({"StreamSetup": {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}, "ProfileToken": p.token})).Uri
    await media.SetSynchronizationPoint({"ProfileToken": p.token})
    events = await cam.create_events_service()
    props = await events.GetEventProperties()
    out["fixed"] = props.FixedTopicSet
    manager = await cam.create_pullpoint_manager(datetime.timedelta(seconds=60), subscription_lost_callback=lambda: None)
    pull = manager.get_service()
    got = await pull.PullMessages({"MessageLimit": 10, "Timeout": datetime.timedelta(seconds=2)})
    out["events"] = [[m.Topic._value_1, m.Message._value_1.PropertyOperation, m.Message._value_1.Data.SimpleItem[0].Value] for m in got.NotificationMessage]
    await manager.shutdown()
    search = await cam.create_onvif_service("search")
    s = await search.FindRecordings({"Scope": {}, "MaxMatches": 10, "KeepAliveTime": datetime.timedelta(seconds=30)})
    while True:
        r = (await search.GetRecordingSearchResults({"SearchToken": s, "MinResults": 1, "MaxResults": 10, "WaitTime": datetime.timedelta(seconds=1)}))
        if r.SearchState == "Completed":
            break
    rec = r.RecordingInformation[0]
    out["recording"] = [rec.RecordingToken, [t.TrackType for t in rec.Track], rec.Track[1].DataTo.isoformat()]
    replay = await cam.create_onvif_service("replay")
    out["replay"] = await replay.GetReplayUri({"StreamSetup": {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}, "RecordingToken": rec.RecordingToken})
    await cam.close()
    print(json.dumps(out))
asyncio.run(main())
`

// The test camera is no fancy of ours: a foreign client, by ONVIF's own WSDL files, reads all that it says of streams, events,
// recordings and replay, with the password in a WS-UsernameToken.
func TestPeerReadsTheTestCamera(t *testing.T) {
	python := peer(t, "onvifzeep/bin/python", "scripts/onvifpeers.sh")
	set := onviftest.Setup{Way: onviftest.Token, User: "eye", Pass: "p<a&s>s"}
	began := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	set.Params, set.Kept = card(camera.H264, began, 30)
	d := onviftest.Serve(t, set)
	d.Tell(dark, "lens", "State", true)
	u, err := url.Parse(d.URL())
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "-c", foreign, u.Hostname(), u.Port(), "eye", "p<a&s>s")
	out, err := cmd.Output()
	if err != nil {
		why := ""
		var e *exec.ExitError
		if errors.As(err, &e) {
			why = string(e.Stderr)
		}
		t.Fatalf("%v\n%s", err, why)
	}
	var got struct {
		Model     string
		Profile   []any
		Stream    string
		Fixed     bool
		Events    [][]string
		Recording []any
		Replay    string
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	t.Logf("%s", out)
	want := fmt.Sprintf("Test camera [main H264 1280 30] true [[%s Initialized true]] [card-1 [Audio Video] %s]", dark, began.Add(30*time.Second-time.Second/15).Truncate(time.Millisecond).Format("2006-01-02T15:04:05.000")+"000+00:00")
	if s := fmt.Sprint(got.Model, " ", got.Profile, " ", got.Fixed, " ", got.Events, " ", got.Recording); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	if _, err := url.Parse(got.Replay); err != nil || got.Replay == "" || d.Asked("SetSynchronizationPoint") != 1 {
		t.Errorf("replay %q", got.Replay)
	}
}

// schema reads requests by ONVIF's own WSDL files, strictly: an element too many, too few, in the wrong place or of the wrong
// namespace is an error.
const schema = `
import glob, json, os, sys, onvif, zeep
from lxml import etree
home = os.path.join(os.path.dirname(onvif.__file__), "wsdl")
types = {}
for name in ["devicemgmt", "media", "events", "search", "replay"]:
    c = zeep.Client(os.path.join(home, name + ".wsdl"), settings=zeep.Settings(strict=True))
    for e in c.wsdl.types.elements:
        types.setdefault(e.qname.text, (e, c.wsdl.types))
bad = {}
for name, body in json.load(sys.stdin).items():
    node = etree.fromstring(body)
    try:
        e, t = types[node.tag]
        e.parse(node, t)
        there = [etree.QName(k).localname for k in node]
        missing = [x for x, el in getattr(e.type, "elements", []) if el.min_occurs > 0 and x not in there and not x.startswith("_value")]
        if missing:
            bad[name] = "missing " + repr(missing)
    except Exception as ex:
        bad[name] = repr(ex)
print(json.dumps(bad))
`

// Every request that we send is one of ONVIF's schema: what no foreign simulator answers is at least asked right.
func TestPeerReadsOurRequests(t *testing.T) {
	python := peer(t, "onvifzeep/bin/python", "scripts/onvifpeers.sh")
	began := time.Now().Add(-time.Minute)
	set := onviftest.Setup{JPEG: []byte{0xff, 0xd8, 0, 0}}
	set.Params, set.Kept = card(camera.H264, began, 20)
	d := onviftest.Serve(t, set)
	c := connect(t, Config{URL: d.URL()})
	if _, err := c.Survey(t.Context()); err != nil {
		t.Fatal(err)
	}
	all, err := c.Profiles(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SyncPoint(t.Context(), all[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Backfill(t.Context(), Span{From: began.Add(time.Second), To: began.Add(2 * time.Second)}, &album{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	_ = c.Tampers(ctx, func(Tamper) {}, func(error) {})
	bodies := d.Bodies()
	for _, want := range []string{"GetServices", "GetProfiles", "GetStreamUri", "GetSnapshotUri", "SetSynchronizationPoint", "CreatePullPointSubscription", "PullMessages", "Renew", "Unsubscribe", "GetEventProperties", "FindRecordings", "GetRecordingSearchResults", "EndSearch", "GetReplayUri"} {
		if bodies[want] == "" {
			t.Errorf("%s was not asked", want)
		}
	}
	check := func(bodies map[string]string) string {
		in, err := json.Marshal(bodies)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), python, "-c", schema)
		cmd.Stdin = bytes.NewReader(in)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, errs.String())
		}
		return strings.TrimSpace(string(out))
	}
	if bad := check(bodies); bad != "{}" {
		t.Errorf("against the schema: %s", bad)
	}
	// The check itself sees what is wrong.
	wrong := map[string]string{"place": strings.Replace(bodies["GetReplayUri"], "RecordingToken", "Token", 2), "space": strings.Replace(bodies["PullMessages"], "ver10/events", "ver10/event", 1)}
	if bad := check(wrong); !strings.Contains(bad, "place") || !strings.Contains(bad, "space") {
		t.Errorf("what is wrong was taken: %s", bad)
	}
	t.Logf("%d requests read by ONVIF's own WSDL files", len(bodies))
}
