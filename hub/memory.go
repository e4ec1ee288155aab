package hub

import (
	"encoding/json"
	"slices"
	"time"

	"eyebolt/bus"
	"eyebolt/grant"
	"eyebolt/ledger"
)

// memory is what the whole hub remembers across a restart. Every change of it is a ledger entry, and Replay makes it again
// from those entries: there is no second store that could disagree.
type memory struct {
	household string
	residents []grant.Passkey
	grants    map[string]grant.Grant // by delivery ID
	order     []string               // delivery IDs of grants, oldest first
	used      map[string]bool        // delivery IDs that were decided on
	revoked   map[string]bool        // delivery, courier and consent IDs
	counts    map[string]uint32      // by credential ID: the newest count of a courier's passkey that was taken
	untold    []bus.Alarm            // alarms that the service has not stored, oldest first
	size      uint64                 // entries of the record, as far as they were given to the disk
	floor     uint64                 // what the service held when this record was found behind it; 0: never
	stale     uint32                 // the epoch in which that was: its grants are refused
}

const (
	maxResidents = 32   // a household
	maxGrants    = 1024 // a week of deliveries to an apartment house; those whose window is over go first
	// maxRevoked bounds what a service can make a hub remember. At the bound the hub refuses further revocations loudly
	// instead of forgetting one.
	maxRevoked = 1 << 16
	// maxUntold bounds alarms that wait for the service. Beyond it the oldest is no longer re-sent; it stays in the ledger,
	// which is shipped whole.
	maxUntold = 256
)

func (m *memory) init() {
	m.grants, m.used, m.revoked, m.counts = map[string]grant.Grant{}, map[string]bool{}, map[string]bool{}, map[string]uint32{}
}

func (m *memory) anchor(cfg Config) grant.Anchor {
	return grant.Anchor{Hub: cfg.ID, Household: m.household, Residents: m.residents, RP: cfg.RP, Epoch: cfg.Epoch}
}

// hold keeps a verified grant. Those whose window is over make room; false: there is none.
func (m *memory) hold(g grant.Grant, now time.Time) bool {
	id := g.Delivery.ID
	if _, ok := m.grants[id]; ok {
		m.grants[id] = g
		return true
	}
	if len(m.order) >= maxGrants {
		kept := m.order[:0:0]
		for _, k := range m.order {
			if now.Before(m.grants[k].Delivery.Until) {
				kept = append(kept, k)
			} else {
				delete(m.grants, k)
			}
		}
		m.order = kept
	}
	if len(m.order) >= maxGrants {
		return false
	}
	m.order = append(m.order, id)
	m.grants[id] = g
	return true
}

func (m *memory) revoke(ids []string) bool {
	for _, id := range ids {
		if !m.revoked[id] && len(m.revoked) >= maxRevoked {
			return false
		}
		m.revoked[id] = true
	}
	return true
}

// counted says whether an assertion's counter has gone on since the newest that was taken. One that keeps none says nothing.
func (m *memory) counted(a grant.Assertion) bool {
	last := m.counts[string(a.Passkey.ID)]
	return a.Count == 0 || a.Count > last
}

// count takes an assertion's counter. There is at most one a visit and passkey: as many as there are couriers.
func (m *memory) count(passkey []byte, n uint32) {
	if n > m.counts[string(passkey)] {
		m.counts[string(passkey)] = n
	}
}

// pair adds a resident; the same passkey again changes nothing.
func (m *memory) pair(household string, k grant.Passkey) {
	m.household = household
	for _, r := range m.residents {
		if slices.Equal(r.ID, k.ID) {
			return
		}
	}
	if len(m.residents) < maxResidents {
		m.residents = append(m.residents, k)
	}
}

func (m *memory) alarm(a bus.Alarm) {
	for _, u := range m.untold {
		if u.ID == a.ID {
			return
		}
	}
	if len(m.untold) >= maxUntold {
		m.untold = m.untold[1:]
	}
	m.untold = append(m.untold, a)
}

func (m *memory) told(id string) bool {
	for i, u := range m.untold {
		if u.ID == id {
			m.untold = slices.Delete(m.untold, i, i+1)
			return true
		}
	}
	return false
}

// What entries carry as Data, besides package ledger's own. Field names are a wire format.
type (
	bootData struct {
		Hub   string `json:"hub"`
		Epoch uint32 `json:"epoch"`
	}
	pairData struct {
		Household   string        `json:"household"`
		Passkey     grant.Passkey `json:"passkey"`
		Fingerprint string        `json:"fingerprint"`
	}
	chainData struct {
		ID    string `json:"id"`
		Chain []byte `json:"chain,omitempty"`
	}
	consentData struct {
		ID      string              `json:"id"`
		Consent grant.SignedConsent `json:"consent"`
		By      string              `json:"by,omitempty"`
	}
	revokeData struct {
		IDs []string `json:"ids"`
	}
	orderData struct { // block, unblock, home, away, hold, lift and other asks of a resident
		By    string `json:"by,omitempty"`
		Count uint64 `json:"count,omitempty"`
		What  string `json:"what,omitempty"`
		Visit string `json:"visit,omitempty"`
	}
	decisionData struct {
		N       uint32 `json:"n"`
		Grant   string `json:"grant"`
		Passkey []byte `json:"passkey"` // credential ID that slid
		Nonce   []byte `json:"nonce"`
		Count   uint32 `json:"count,omitempty"` // the passkey's own counter, if it keeps one
	}
	outData struct {
		Passkey []byte `json:"passkey"`
		Count   uint32 `json:"count,omitempty"`
	}
	alarmData struct {
		Alarm bus.Alarm `json:"alarm"`
	}
	textData struct {
		Text string `json:"text"`
	}
	idData struct {
		ID string `json:"id"`
	}
	behindData struct {
		Size  uint64 `json:"size"` // entries that are here
		Held  uint64 `json:"held"` // entries that the service holds
		Epoch uint32 `json:"epoch"`
	}
	reportData struct {
		By        string `json:"by,omitempty"`
		Who       string `json:"who,omitempty"`
		AgeMs     int64  `json:"age_ms,omitempty"`
		Percent   *int   `json:"percent,omitempty"`
		Text      string `json:"text,omitempty"`
		Solicited bool   `json:"solicited,omitempty"`
	}
	refusedData struct {
		Grant  string `json:"grant,omitempty"`
		By     string `json:"by,omitempty"`
		Parcel string `json:"parcel,omitempty"`
		Text   string `json:"text,omitempty"`
	}
)

// encode makes an entry's Data. Everything given to it is a struct of plain fields, so it cannot fail; what is too large
// for an entry is left out rather than losing the entry.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil || len(b) > ledger.MaxData {
		return []byte(`{"omitted":true}`)
	}
	return b
}

// Replay takes the ledger's entries, oldest first, before Boot.
func (c *Core) Replay(e ledger.Entry) {
	if c.booted {
		return
	}
	c.replayClock(e)
	m := &c.mem
	m.size = e.Index + 1
	switch e.Kind {
	case ledger.KindConfig:
		switch e.Word {
		case "pair":
			if d, ok := decode[pairData](e.Data); ok {
				m.pair(d.Household, d.Passkey)
			}
		case "grant":
			c.replayGrant(e)
		case "revoke":
			if d, ok := decode[revokeData](e.Data); ok {
				m.revoke(d.IDs)
			}
		case wordBehind:
			if d, ok := decode[behindData](e.Data); ok {
				m.floor, m.stale = max(m.floor, d.Held), max(m.stale, d.Epoch)
			}
		case "spent":
			if d, ok := decode[idData](e.Data); ok {
				m.used[d.ID] = true
			}
		}
	case ledger.KindDecision:
		// A decision counts as an opening: whether its order left the hub before it went down, nobody knows (S3, S12).
		if d, ok := decode[decisionData](e.Data); ok {
			m.used[d.Grant] = true
			m.count(d.Passkey, d.Count)
		}
	case ledger.KindFact:
		if d, ok := decode[outData](e.Data); ok && e.Word == wordOut {
			m.count(d.Passkey, d.Count)
		}
	case ledger.KindCommand:
		switch e.Word {
		case "alarm", "notice":
			if d, ok := decode[alarmData](e.Data); ok {
				m.alarm(d.Alarm)
			}
		case "told":
			if d, ok := decode[idData](e.Data); ok {
				m.told(d.ID)
			}
		}
	case ledger.KindCheckpoint:
		c.noted = e.Index
	}
	if d := c.index[e.Door]; d != nil {
		d.replay(c, e)
	}
}

// replayClock finds the newest time that this hub once knew surely (T15).
func (c *Core) replayClock(e ledger.Entry) {
	switch {
	case e.Kind == ledger.KindBoot:
		c.clock.replaySure = false
	case e.Kind == ledger.KindFact && e.Word == "clock-sure":
		c.clock.replaySure = true
	case e.Kind == ledger.KindFact && e.Word == "clock-unsure":
		c.clock.replaySure = false
	}
	if c.clock.replaySure && e.Time.After(c.clock.high) {
		c.clock.high = e.Time
	}
}

// replayGrant verifies the chain again: the ledger is evidence, not authority.
func (c *Core) replayGrant(e ledger.Entry) {
	d, ok := decode[chainData](e.Data)
	if !ok {
		return
	}
	chain, err := grant.Decode(d.Chain)
	if err != nil {
		return
	}
	g, _, err := grant.Verify(chain, c.mem.anchor(c.cfg))
	if err != nil {
		return
	}
	c.mem.hold(g, e.Time)
}

func decode[T any](b []byte) (T, bool) {
	var v T
	return v, json.Unmarshal(b, &v) == nil
}
