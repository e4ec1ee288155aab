package matter_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/locktest"
	"eyebolt/lock/matter"

	"github.com/coder/websocket"
)

// A hostile server says what the real one would not: the rest of this package's tests speak to the real one.
type hostile struct {
	t     testing.TB
	url   string
	start time.Time

	mu       sync.Mutex
	conns    int
	commands []map[string]any // in order
	answer   func(c *hostileConn, command map[string]any) bool
	heard    chan map[string]any
	nodes    string // what it lists
}

type hostileConn struct {
	*websocket.Conn
	ctx context.Context
}

func (c *hostileConn) say(line string) { _ = c.Write(c.ctx, websocket.MessageText, []byte(line)) }

func (c *hostileConn) result(id any, result string) {
	c.say(fmt.Sprintf(`{"message_id":%q,"result":%s}`, id, result))
}

func (c *hostileConn) refuse(id any, why string) {
	c.say(fmt.Sprintf(`{"message_id":%q,"error_code":0,"details":%q}`, id, why))
}

// lockState is the server's word that the lock's state changed.
func lockState(state int) string {
	return fmt.Sprintf(`{"event":"attribute_updated","data":[`+front+`,"1/257/0",%d]}`, state)
}

const (
	front = "5"
	door  = "7"
	hello = `{"fabric_id":1,"compressed_fabric_id":18292995778905635723,"schema_version":11,"min_supported_schema_version":9,"sdk_version":"2025.7.0","wifi_credentials_set":false,"thread_credentials_set":false,"bluetooth_enabled":false}`

	listing = `[{"node_id":` + front + `,"available":true,"is_bridge":false,"attributes":{"0/40/1":"ACME","0/40/3":"Bolt","0/40/5":"Front lock","1/257/0":1,"1/257/3":1,"1/47/12":176,"1/29/0":[{"0":10,"1":3}]}},` +
		`{"node_id":` + door + `,"available":true,"is_bridge":false,"attributes":{"0/40/5":"Front door","2/69/0":true,"2/29/0":[{"0":21,"1":1}],"3/69/0":false,"3/29/0":[{"0":67,"1":1}]}}]`
)

// newHostile starts a server that greets as the real one does, then hands each command to answer; what answer leaves is answered
// as an honest server with a thrown bolt would. begin runs after the greeting, beside.
func newHostile(t testing.TB, answer func(*hostileConn, map[string]any) bool, begin func(*hostileConn)) *hostile {
	t.Helper()
	h := &hostile{t: t, start: time.Now(), answer: answer, heard: make(chan map[string]any, 10_000), nodes: listing}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = ws.CloseNow() }()
		c := &hostileConn{ws, r.Context()}
		h.mu.Lock()
		h.conns++
		h.mu.Unlock()
		c.say(hello)
		for {
			_, b, err := ws.Read(r.Context())
			if err != nil {
				return
			}
			var m map[string]any
			if err := json.Unmarshal(b, &m); err != nil {
				t.Errorf("the driver says what is no JSON: %q", b)
				return
			}
			if args, ok := m["args"].(map[string]any); ok {
				m["name"], m["paths"] = args["command_name"], fmt.Sprint(args["attribute_path"])
				if !strings.Contains(string(b), `"node_id":`+front) && !strings.Contains(string(b), `"node_id":`+door) && m["command"] != "start_listening" {
					t.Errorf("a command for no node of this house: %s", b)
				}
			}
			m["raw"] = string(b)
			h.mu.Lock()
			if len(h.commands) < 10_000 {
				h.commands = append(h.commands, m)
			}
			h.mu.Unlock()
			select {
			case h.heard <- m:
			default:
			}
			if h.answer != nil && h.answer(c, m) {
				continue
			}
			switch m["command"] {
			case "start_listening":
				c.result(m["message_id"], h.nodes)
				if begin != nil {
					go begin(c)
				}
			case "read_attribute":
				c.result(m["message_id"], `{"1/257/0":1,"1/257/3":1,"1/47/12":176,"2/69/0":true}`)
			case "device_command":
				c.result(m["message_id"], `null`)
			}
		}
	}))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	h.url = "ws" + strings.TrimPrefix(server.URL, "http") + "/ws"
	return h
}

func (h *hostile) now() time.Duration { return time.Since(h.start) }

func (h *hostile) order() lock.Order {
	return lock.Order{Visit: lock.VisitID(fmt.Sprint("visit-", h.now())), NotAfter: h.now() + time.Second}
}

// count says how many commands of that name came.
func (h *hostile) count(name string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, m := range h.commands {
		if m["name"] == name || m["command"] == name {
			n++
		}
	}
	return n
}

func (h *hostile) until(what string, holds func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.t.Fatalf("never so: %s", what)
		}
	}
}

func (h *hostile) settings() matter.Settings {
	return matter.Settings{URL: h.url, Lock: front, Contact: "Front door"}
}

func (h *hostile) open() (lock.Lock, *locktest.Ears) {
	h.t.Helper()
	return open(h.t, h.now, h.settings())
}
