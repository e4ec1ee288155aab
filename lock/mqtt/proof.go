package mqtt

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
)

// proofs are questions to the bridge whether it lives, each with a name of its own. An order is handed to a bridge only
// once it has answered one: a bridge that hangs keeps what it was sent, and would carry it out when it wakes (S12).
type proofs struct {
	mu      sync.Mutex
	name    string // of this driver, so that another hub's answers count for nothing
	asked   uint64
	waiting map[string]chan struct{} // as many as orders are under way
}

var errNoAnswer = errors.New("Zigbee2MQTT does not answer: it hangs or is overloaded, or this user may not write bridge/request/health_check and read bridge/response/health_check")

func newProofs() *proofs {
	return &proofs{name: "eyebolt-" + rand.Text(), waiting: map[string]chan struct{}{}}
}

// ask gives a question's payload and waits for its answer when wait is called, which must be; it ends with ctx.
func (p *proofs) ask() (payload []byte, wait func(context.Context) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	name := fmt.Sprint(p.name, "-", p.asked)
	answered := make(chan struct{})
	p.waiting[name] = answered
	return fmt.Appendf(nil, `{"transaction":%q}`, name), func(ctx context.Context) error {
		defer func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			delete(p.waiting, name)
		}()
		select {
		case <-answered:
			return nil
		case <-ctx.Done():
			return errNoAnswer
		}
	}
}

// take hears an answer.
func (p *proofs) take(payload []byte) {
	name, ok := readAnswer(payload)
	if !ok {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if answered, waits := p.waiting[name]; waits {
		close(answered)
		delete(p.waiting, name)
	}
}

// readAnswer reads bridge/response/health_check: the name of the question that the bridge says it is well to.
func readAnswer(payload []byte) (transaction string, ok bool) {
	var m struct {
		Data struct {
			Healthy bool `json:"healthy"`
		} `json:"data"`
		Status      string `json:"status"`
		Transaction string `json:"transaction"`
	}
	if len(payload) > maxState || json.Unmarshal(payload, &m) != nil {
		return "", false
	}
	return m.Transaction, m.Status == "ok" && m.Data.Healthy && m.Transaction != ""
}
