package onvif

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/ipv4"
)

// Found is a camera that answered on the network. All texts are what it says of itself.
type Found struct {
	IP        netip.Addr // that the answer came from: nothing else decides where the camera is
	Interface string
	URL       string   // of its device service, on IP
	Name      string   // from its scopes; may be empty
	Model     string   // from its scopes (hardware); may be empty
	Profiles  []string // of ONVIF that it claims: S, T, G, M, Streaming
	ID        string   // its endpoint's, a UUID as a rule
	Elsewhere bool     // the address that it gave was another host's, and was not believed
	OtherNet  bool     // IP is not of the interface's own network: the camera must be given an address of it first
}

// Search says where to look for cameras.
type Search struct {
	Interfaces []string      // by name; none: every interface that is up, can multicast, and is no loopback
	Wait       time.Duration // for answers; 0: 3 s. Cameras spread theirs over half a second (WS-Discovery section 5.3)
	to         netip.AddrPort
}

const (
	foundMost     = 256      // cameras
	datagramMost  = 16 << 10 // bytes: a ProbeMatch has about 2
	datagramsMost = 2048     // read in one search on one interface
)

// everybody is where cameras listen (WS-Discovery section 2.4).
var everybody = netip.MustParseAddrPort("239.255.255.250:3702")

// Find asks the chosen interfaces for cameras over IPv4 and gives those that answered in time, by address. It sends four
// datagrams an interface and remembers nothing.
func Find(ctx context.Context, s Search) ([]Found, error) {
	if s.Wait <= 0 {
		s.Wait = 3 * time.Second
	}
	if !s.to.IsValid() {
		s.to = everybody
	}
	ways, err := interfaces(s.Interfaces)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.Wait)
	defer cancel()
	type result struct {
		found []Found
		err   error
	}
	results := make(chan result, len(ways))
	for _, w := range ways {
		go func() {
			found, err := w.search(ctx, s.to)
			results <- result{found, err}
		}()
	}
	var all []Found
	var errs []error
	for range ways {
		r := <-results
		all, errs = append(all, r.found...), append(errs, r.err)
	}
	slices.SortFunc(all, func(a, b Found) int {
		return cmp.Or(a.IP.Compare(b.IP), cmp.Compare(a.URL, b.URL), cmp.Compare(a.Interface, b.Interface))
	})
	all = slices.CompactFunc(all, func(a, b Found) bool { return a.IP == b.IP && a.URL == b.URL })
	if len(all) > 0 {
		return all, nil
	}
	return nil, errors.Join(errs...)
}

// way is an interface with one IPv4 address of it.
type way struct {
	face *net.Interface
	addr netip.Prefix
}

func interfaces(names []string) ([]way, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("onvif: the machine's interfaces cannot be listed: %w", err)
	}
	var ways []way
	var known []string
	for _, f := range all {
		known = append(known, f.Name)
		chosen := slices.Contains(names, f.Name)
		if len(names) == 0 {
			chosen = f.Flags&net.FlagUp != 0 && f.Flags&net.FlagMulticast != 0 && f.Flags&net.FlagLoopback == 0
		}
		if !chosen {
			continue
		}
		addrs, err := f.Addrs()
		if err != nil {
			return nil, fmt.Errorf("onvif: interface %s: %w", f.Name, err)
		}
		had := len(ways)
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil {
				ones, _ := n.Mask.Size()
				ip, _ := netip.AddrFromSlice(n.IP.To4())
				ways = append(ways, way{&f, netip.PrefixFrom(ip, ones)})
			}
		}
		if len(names) > 0 && len(ways) == had {
			return nil, fmt.Errorf("onvif: interface %s has no IPv4 address: connect it, or choose another", f.Name)
		}
	}
	for _, n := range names {
		if !slices.Contains(known, n) {
			return nil, fmt.Errorf("onvif: no interface is called %q: choose from %s", n, strings.Join(known, ", "))
		}
	}
	if len(ways) == 0 {
		return nil, errors.New("onvif: no interface is connected to a network that cameras could be on")
	}
	return ways, nil
}

// search asks and listens on one interface until ctx ends.
func (w way) search(ctx context.Context, to netip.AddrPort) ([]Found, error) {
	c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(w.addr.Addr(), 0)))
	if err != nil {
		return nil, fmt.Errorf("onvif: interface %s: %w", w.face.Name, err)
	}
	defer func() { _ = c.Close() }()
	p := ipv4.NewPacketConn(c)
	if to.Addr().IsMulticast() {
		if err := p.SetMulticastInterface(w.face); err != nil {
			return nil, fmt.Errorf("onvif: interface %s cannot multicast: %w", w.face.Name, err)
		}
		_ = p.SetMulticastTTL(1) // WS-Discovery section 2.4; it is the system's own default
	}
	defer context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) })()
	ids := map[string]bool{}
	probes := make([]string, 2)
	for i, kind := range []string{"dn:NetworkVideoTransmitter", "tds:Device"} {
		id := uuid()
		ids[id], probes[i] = true, probe(id, kind)
	}
	ask := func() (err error) {
		for _, p := range probes {
			if _, e := c.WriteToUDPAddrPort([]byte(p), to); e != nil {
				err = e
			}
		}
		return err
	}
	if err := ask(); err != nil {
		return nil, fmt.Errorf("onvif: interface %s: %w", w.face.Name, err)
	}
	again := time.AfterFunc(700*time.Millisecond, func() { _ = ask() }) // a datagram can be lost
	defer again.Stop()
	var all []Found
	seen := map[string]bool{}
	b := make([]byte, datagramMost+1)
	for range datagramsMost {
		n, from, err := c.ReadFromUDPAddrPort(b)
		if ctx.Err() != nil {
			break
		}
		if err != nil || n > datagramMost {
			continue // an ICMP error, or no ProbeMatch
		}
		for _, f := range readMatches(b[:n], from.Addr().Unmap(), ids) {
			if f.Interface = w.face.Name; !seen[f.URL] && len(all) < foundMost {
				seen[f.URL] = true
				f.OtherNet = !w.addr.Contains(f.IP)
				all = append(all, f)
			}
		}
	}
	return all, nil
}

func uuid() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// probe is a WS-Discovery Probe (section 5.2).
func probe(id, kind string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" ` +
		`xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl" xmlns:tds="` + nsDevice + `"><e:Header><w:MessageID>` + id +
		`</w:MessageID><w:To e:mustUnderstand="true">urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To><w:Action e:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action>` +
		`</e:Header><e:Body><d:Probe><d:Types>` + kind + `</d:Types></d:Probe></e:Body></e:Envelope>`
}

// readMatches reads one datagram from ip (WS-Discovery section 5.3). One that answers none of our questions says nothing.
func readMatches(b []byte, ip netip.Addr, ids map[string]bool) []Found {
	root, err := readXML(b)
	if err != nil || root.Name != "Envelope" || !ids[root.text("Header", "RelatesTo")] {
		return nil
	}
	var all []Found
	matches := root.at("Body", "ProbeMatches").all("ProbeMatch")
	if len(matches) == 0 {
		matches = root.kid("Body").all("ProbeMatch") // some leave the list out
	}
	for _, m := range first(matches, 8) {
		f := Found{IP: ip, ID: tidy(m.text("EndpointReference", "Address"))}
		if !f.place(strings.Fields(m.text("XAddrs"))) {
			continue
		}
		for _, s := range first(strings.Fields(m.text("Scopes")), 64) {
			f.scope(s)
		}
		all = append(all, f)
	}
	return all
}

// place takes from the addresses that a camera gave the port and path, on the address that it answered from.
func (f *Found) place(addresses []string) bool {
	var best *url.URL
	own := false
	for _, s := range first(addresses, 16) {
		u, err := url.Parse(s)
		if err != nil || len(s) > addressMost || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "" || !portOK(u) {
			continue
		}
		ip, err := netip.ParseAddr(u.Hostname())
		mine := err == nil && ip.Unmap().WithZone("") == f.IP.WithZone("")
		if best == nil || mine && !own {
			best, own = u, mine
		}
	}
	if best == nil {
		return false
	}
	host := f.IP.String()
	if f.IP.Is6() {
		host = "[" + host + "]"
	}
	if p := best.Port(); p != "" && p != "80" {
		host += ":" + p
	}
	f.URL = (&url.URL{Scheme: best.Scheme, Host: host, Path: best.Path, RawPath: best.RawPath, RawQuery: best.RawQuery}).String()
	f.Elsewhere = !own
	return true
}

// scope reads one of ONVIF's scopes (ONVIF Core, discovery).
func (f *Found) scope(s string) {
	rest, ok := strings.CutPrefix(s, "onvif://www.onvif.org/")
	if !ok {
		return
	}
	kind, value, _ := strings.Cut(rest, "/")
	if v, err := url.PathUnescape(value); err == nil {
		value = v
	}
	switch value = tidy(value); strings.ToLower(kind) {
	case "name":
		f.Name = cmp.Or(f.Name, value)
	case "hardware":
		f.Model = cmp.Or(f.Model, value)
	case "profile":
		if value != "" && len(f.Profiles) < 8 && !slices.Contains(f.Profiles, value) {
			f.Profiles = append(f.Profiles, value)
		}
	}
}
