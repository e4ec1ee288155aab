package zwavejs_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/zwavejs"
)

// The real server: what a set-up would show of its three devices, and that nobody asked them for anything.
func TestListOfTheRealServer(t *testing.T) {
	w := newWorld(t)
	var all []lock.Device
	list := func() {
		var err error
		if all, err = zwavejs.List(t.Context(), zwavejs.Settings{URL: "ws://" + w.pipe.Addr()}, nil); err != nil {
			t.Fatal(err)
		}
	}
	// A device is listed as what it is once the server has interviewed it.
	w.until("the three devices are known", func() bool {
		time.Sleep(300 * time.Millisecond)
		list()
		return len(all) == 3 && all[0].Why == "" && all[1].Why == "" && all[2].Why == "" && all[2].Kind == lock.KindSmoke
	})
	gets := w.p.truth(t).Gets
	list()
	t.Logf("%+v", all)
	for i, want := range []lock.Device{{ID: "2", Kind: lock.KindLock}, {ID: "3", Kind: lock.KindContact}, {ID: "4", Kind: lock.KindSmoke}} {
		if all[i].ID != want.ID || all[i].Kind != want.Kind || all[i].Name == "" {
			t.Errorf("device %d: got %+v, want %+v", i, all[i], want)
		}
	}
	if !all[0].Can.Bolt || !all[0].Can.Poll {
		t.Errorf("the lock can %+v", all[0].Can)
	}
	if now := w.p.truth(t).Gets; now != gets {
		t.Errorf("the lock was asked %d times for a list", now-gets)
	}
}

const manyNodes = `{"state":{"nodes":[
 {"nodeId":1,"isControllerNode":true,"ready":true,"status":4,"values":[]},
 {"nodeId":9,"name":"Lamp","ready":true,"status":4,"values":[{"commandClass":37,"endpoint":0,"property":"currentValue"}]},
 {"nodeId":8,"ready":true,"status":1,"values":[{"commandClass":48,"endpoint":0,"property":"Door/Window"}]},
 {"nodeId":7,"name":"Old lock","ready":true,"status":3,"values":[{"commandClass":98,"endpoint":0,"property":"currentMode"}]},
 {"nodeId":6,"ready":false,"status":1,"values":[]},
 {"nodeId":2,"name":"Front lock","ready":true,"status":4,"deviceConfig":{"manufacturer":"Yale","label":"YRD256","description":"Assure Lock SL"},
  "values":[{"commandClass":98,"endpoint":0,"property":"currentMode"},{"commandClass":98,"endpoint":0,"property":"doorStatus"}]}]}}`

// Those that a door can use come first; each of the others says why not.
func TestListSaysWhyNot(t *testing.T) {
	h := newHostile(t, func(c *hostileConn, m map[string]any) bool {
		if m["command"] != "start_listening" {
			return false
		}
		c.result(m["messageId"], manyNodes)
		return true
	}, nil)
	all, err := zwavejs.List(t.Context(), &zwavejs.Settings{URL: h.url}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range all {
		got = append(got, fmt.Sprintf("%s %d %t", d.ID, d.Kind, d.Why == ""))
	}
	want := "2 1 true, 8 2 true, 7 1 false, 9 0 true, 6 0 false"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("got %s\nwant %s", s, want)
	}
	if all[0].Make != "Yale Assure Lock SL" || !all[0].Can.Door || all[1].Name != "Node 8" {
		t.Errorf("%+v", all[:2])
	}
	if !strings.Contains(all[2].Why, "dead") || !strings.Contains(all[4].Why, "interview") {
		t.Errorf("%q, %q", all[2].Why, all[4].Why)
	}
}

// T20: what is no Z-Wave JS, says nothing, or is not there gives an error in time that says what to do.
func TestListOfWhatIsNone(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	long := newHostile(t, func(c *hostileConn, m map[string]any) bool { return m["command"] == "start_listening" }, nil)
	for _, k := range []struct{ name, url, want string }{
		{"nobody", "ws://127.0.0.1:1", "cannot be reached"},
		{"no answer", "ws://" + silent.Addr().String(), "no answer"},
		{"no list", long.url, "no answer"},
		{"no address", "http://x", "ws://127.0.0.1:3000"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		began := time.Now()
		_, err := zwavejs.List(ctx, zwavejs.Settings{URL: k.url}, nil)
		cancel()
		if err == nil || !strings.Contains(err.Error(), k.want) || time.Since(began) > 5*time.Second {
			t.Errorf("%s: %v after %v, want %q", k.name, err, time.Since(began), k.want)
		}
		t.Log(err)
	}
	if _, err := zwavejs.List(t.Context(), 7, nil); err == nil {
		t.Error("settings of another kind were taken")
	}
}
