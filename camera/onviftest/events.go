package onviftest

import (
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"
	"time"
)

// subscription is a pull point.
type subscription struct {
	until time.Time
	queue []string
}

// property is a state that events tell.
type property struct {
	topic, source, name string
	on                  bool
	at                  time.Time
}

// subscriptionsMost is how many pull points it has room for.
const subscriptionsMost = 4

func message(p property, operation string) string {
	data := fmt.Sprintf(`<tt:Data><tt:SimpleItem Name="%s" Value="%v"/></tt:Data>`, p.name, p.on)
	if operation != "" {
		operation = ` PropertyOperation="` + operation + `"`
	}
	return fmt.Sprintf(`<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">%s</wsnt:Topic><wsnt:Message>`+
		`<tt:Message UtcTime="%s"%s><tt:Source><tt:SimpleItem Name="Source" Value="%s"/></tt:Source>%s</tt:Message></wsnt:Message></wsnt:NotificationMessage>`,
		p.topic, stamp(p.at), operation, html.EscapeString(p.source), data)
}

// Tell tells a state, as of now, to every subscriber, and to later ones as the present state.
func (d *Device) Tell(topic, source, name string, on bool) {
	d.TellAt(topic, source, name, on, time.Now())
}

// TellAt tells a state as of a (true) time, which need not be now.
func (d *Device) TellAt(topic, source, name string, on bool, at time.Time) {
	p := property{topic, source, name, on, at.Add(d.set.Clock)}
	d.mu.Lock()
	defer d.mu.Unlock()
	found := false
	for i := range d.states {
		if d.states[i].topic == topic && d.states[i].source == source {
			d.states[i], found = p, true
		}
	}
	if !found {
		d.states = append(d.states, p)
	}
	d.push(message(p, "Changed"))
}

// Remove forgets a state, as a camera does whose rule is removed, and tells nobody.
func (d *Device) Remove(topic, source string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.states = slices.DeleteFunc(d.states, func(p property) bool { return p.topic == topic && p.source == source })
}

// Remark tells something that is no state: it has no end, and nobody is told later.
func (d *Device) Remark(topic, source, name, value string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := message(property{topic: topic, source: source, name: name, at: d.now()}, "")
	d.push(strings.Replace(m, `Value="false"`, `Value="`+value+`"`, 1))
}

// push gives a message to every subscriber. The caller holds mu.
func (d *Device) push(m string) {
	for _, s := range d.subs {
		s.queue = append(s.queue, m)
	}
	close(d.change)
	d.change = make(chan struct{})
}

func duration(s string) time.Duration {
	s = strings.ToLower(strings.TrimPrefix(strings.TrimPrefix(s, "P"), "T"))
	v, err := time.ParseDuration(s)
	if err != nil {
		return time.Minute
	}
	return v
}

func (d *Device) events(r *http.Request, e *envelope, name string) (string, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if name == "CreatePullPointSubscription" {
		for id, s := range d.subs {
			if time.Now().After(s.until) {
				delete(d.subs, id)
			}
		}
		if len(d.subs) == subscriptionsMost {
			return fault("ter:MaxPullPoints", "no room for more"), false
		}
		d.nonce++
		id := fmt.Sprintf("sub%d", d.nonce)
		s := &subscription{until: time.Now().Add(duration(e.op.InitialTerminationTime))}
		for _, p := range d.states {
			s.queue = append(s.queue, message(p, "Initialized"))
		}
		d.subs[id] = s
		return fmt.Sprintf(`<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference><wsa:Address>http://%s/onvif/pull?sub=%s</wsa:Address><wsa:ReferenceParameters><dom0:SubscriptionId>%s</dom0:SubscriptionId></wsa:ReferenceParameters></tev:SubscriptionReference>`+
			`<wsnt:CurrentTime>%s</wsnt:CurrentTime><wsnt:TerminationTime>%s</wsnt:TerminationTime></tev:CreatePullPointSubscriptionResponse>`,
			d.host(), id, id, stamp(d.now()), stamp(d.now().Add(time.Until(s.until)))), true
	}
	id := e.Header.Subscription
	if id != "" {
		d.asked["ReferenceParameters"]++
	} else {
		id = r.URL.Query().Get("sub") // a client that does not know them
	}
	s := d.subs[id]
	if s == nil || time.Now().After(s.until) {
		return fault("ter:InvalidArgVal", "no such subscription"), false
	}
	switch name {
	case "Unsubscribe":
		delete(d.subs, id)
		return "<wsnt:UnsubscribeResponse/>", true
	case "Renew":
		s.until = time.Now().Add(duration(e.op.TerminationTime))
		return fmt.Sprintf("<wsnt:RenewResponse><wsnt:TerminationTime>%s</wsnt:TerminationTime><wsnt:CurrentTime>%s</wsnt:CurrentTime></wsnt:RenewResponse>", stamp(d.now().Add(time.Until(s.until))), stamp(d.now())), true
	}
	late := time.NewTimer(duration(e.op.Timeout))
	defer late.Stop()
	for len(s.queue) == 0 && d.subs[id] == s {
		change := d.change
		d.mu.Unlock()
		over := false
		select {
		case <-change:
		case <-late.C:
			over = true
		case <-r.Context().Done():
			over = true
		}
		d.mu.Lock()
		if over {
			break
		}
	}
	n := min(max(e.op.MessageLimit, 1), len(s.queue))
	messages := strings.Join(s.queue[:n], "")
	s.queue = s.queue[n:]
	return fmt.Sprintf("<tev:PullMessagesResponse><tev:CurrentTime>%s</tev:CurrentTime><tev:TerminationTime>%s</tev:TerminationTime>%s</tev:PullMessagesResponse>",
		stamp(d.now()), stamp(d.now().Add(time.Until(s.until))), messages), true
}

// Subscribers is how many pull points are alive.
func (d *Device) Subscribers() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.subs)
}
