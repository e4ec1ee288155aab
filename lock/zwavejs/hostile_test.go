package zwavejs_test

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
	"eyebolt/lock/zwavejs"

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
}

type hostileConn struct {
	*websocket.Conn
	ctx context.Context
}

func (c *hostileConn) say(v any) {
	b, ok := v.(string)
	if !ok {
		j, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		b = string(j)
	}
	_ = c.Write(c.ctx, websocket.MessageText, []byte(b))
}

func (c *hostileConn) result(id any, result string) {
	c.say(fmt.Sprintf(`{"type":"result","success":true,"messageId":%q,"result":%s}`, id, result))
}

// currentMode is the server's word that it changed.
func currentMode(mode int) string {
	return fmt.Sprintf(`{"type":"event","event":{"source":"node","event":"value updated","nodeId":2,"args":{"commandClassName":"Door Lock","commandClass":98,"endpoint":0,"property":"currentMode","newValue":%d,"prevValue":1}}}`, mode)
}

const hello = `{"type":"version","homeId":1,"driverVersion":"15.29.0","serverVersion":"3.10.2","minSchemaVersion":0,"maxSchemaVersion":50}`

const listing = `{"state":{"driver":{},"controller":{},"nodes":[{"nodeId":1,"status":4,"ready":true,"values":[]},{"nodeId":2,"name":"Front lock","status":4,"ready":true,"values":[{"commandClass":98}]},{"nodeId":3,"name":"Front door","status":1,"ready":true,"values":[]}]}}`

// newHostile starts a server that greets as the real one does, then hands each command to answer; what answer leaves is answered
// as an honest server with a thrown bolt would. begin runs after the greeting, beside.
func newHostile(t testing.TB, answer func(*hostileConn, map[string]any) bool, begin func(*hostileConn)) *hostile {
	t.Helper()
	h := &hostile{t: t, start: time.Now(), answer: answer, heard: make(chan map[string]any, 10_000)}
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
			case "initialize":
				c.result(m["messageId"], `{}`)
			case "start_listening":
				c.result(m["messageId"], listing)
				if begin != nil {
					go begin(c)
				}
			case "endpoint.invoke_cc_api":
				c.result(m["messageId"], `{"response":{"currentMode":255,"boltStatus":"locked","doorStatus":"closed"}}`)
			case "controller.is_failed_node":
				c.result(m["messageId"], `{"failed":false}`)
			case "node.set_value":
				c.result(m["messageId"], `{"result":{"status":255}}`)
			}
		}
	}))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	h.url = "ws" + strings.TrimPrefix(server.URL, "http")
	return h
}

func (h *hostile) now() time.Duration { return time.Since(h.start) }

func (h *hostile) order() lock.Order {
	return lock.Order{Visit: lock.VisitID(fmt.Sprint("visit-", h.now())), NotAfter: h.now() + time.Second}
}

func (h *hostile) count(command string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, m := range h.commands {
		if m["command"] == command {
			n++
		}
	}
	return n
}

func (h *hostile) open() (lock.Lock, *locktest.Ears) {
	h.t.Helper()
	return open(h.t, h.now, zwavejs.Settings{URL: h.url, Lock: "2", Contact: "3"})
}
