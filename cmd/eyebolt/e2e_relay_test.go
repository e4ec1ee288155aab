package main

import (
	"testing"
)

// relayOnly has a page's connections go through a relay, by this transport, and nowhere else, and keeps them for the test to look at.
func relayOnly(transport string) string {
	return `window.peers = []; { const Real = RTCPeerConnection; window.RTCPeerConnection = class extends Real { constructor(c) {
		const iceServers = c.iceServers.map(s => ({...s, urls: s.urls.filter(u => u.endsWith('=` + transport + `'))}));
		super({iceServers, iceTransportPolicy: 'relay'}); window.peers.push(this) } } }`
}

// A resident who is not in the home sees the live picture and the film through the service's relay, over UDP and, where the network
// lets no UDP out, over TCP; the service gives the relay's credentials to residents alone.
func TestTheRelayThroughThePages(t *testing.T) {
	c := settle(t, func(cfg *townConfig) {
		cfg.TURN = &TURNConfig{Listen: "127.0.0.1:0", Public: "127.0.0.1"}
	})
	p := c.resident
	for _, transport := range []string{"udp", "tcp"} {
		var added struct{ Identifier string }
		p.Call("Page.addScriptToEvaluateOnNewDocument", map[string]any{"source": relayOnly(transport)}, &added)
		p.Go(c.service.URLs[0] + "/home")
		c.liveOn(p)
		var pair struct{ Local, Remote, Relay string }
		p.Eval(`(async () => {
			const all = [...(await peers.at(-1).getStats()).values()], by = id => all.find(s => s.id === id)
			const pair = by(all.find(s => s.type === 'transport').selectedCandidatePairId)
			const mine = by(pair.localCandidateId)
			return {Local: mine.candidateType, Remote: by(pair.remoteCandidateId).candidateType, Relay: mine.relayProtocol}
		})()`, &pair)
		t.Logf("%s: %+v", transport, pair)
		if !p.has(`peers.at(-1).remoteDescription.sdp.includes(' typ relay ')`) {
			t.Error("the hub offers no relay of its own")
		}
		if pair.Local != "relay" || pair.Relay != transport {
			t.Errorf("the picture came as %+v, want it relayed over %s", pair, transport)
		}
		p.Call("Page.removeScriptToEvaluateOnNewDocument", map[string]any{"identifier": added.Identifier}, nil)
	}
	var others bool
	c.courier.Eval(`fetch('/api/me').then(r => r.json()).then(me => 'ice' in me)`, &others)
	if others {
		t.Error("a courier is given the relay")
	}
	p.clean()
}
