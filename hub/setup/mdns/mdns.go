// Package mdns asks chosen networks once for the services that say of themselves where they are (DNS-based Service Discovery,
// RFC 6763, over Multicast DNS, RFC 6762). It answers nobody, remembers nothing and stays on the link: questions leave from a port
// of our own, as a one-shot querier's do (RFC 6762 section 5.1), so that answers come back to it alone and no other program of the
// machine is in the way.
//
// Nothing that a stranger says takes us off the link: an address is believed only if it is of the network on which it was told.
package mdns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/net/ipv4"
)

// Service is one service that answered. All texts are what it says of itself, at most 255 bytes, printable.
type Service struct {
	Type      string            // "_mqtt._tcp"
	Name      string            // its owner's name for it
	Addr      netip.AddrPort    // on the interface's own network
	Text      map[string]string // its TXT record, keys in lower case
	Interface string
}

// Search says what to look for, and where.
type Search struct {
	Types      []string      // "_mqtt._tcp"; at most 16
	Interfaces []string      // by name; none: every one that is up and can multicast, but the loopback
	Wait       time.Duration // for answers, in all; 0: 3 s
	to         netip.AddrPort
}

const (
	servicesMost  = 128
	datagramMost  = 9000 // RFC 6762 section 17
	datagramsMost = 1024 // read in one search on one interface
	recordsMost   = 128  // read of one datagram
	asksMost      = 64   // instances that are asked about one by one, on one interface
	textMost      = 32   // entries of a TXT record
	typesMost     = 16
)

// everybody is where services listen (RFC 6762 section 3).
var everybody = netip.MustParseAddrPort("224.0.0.251:5353")

// Find asks over IPv4 and gives what answered in time, by type, name and address. An interface that cannot be asked is an error only
// if nothing was found at all.
func Find(ctx context.Context, s Search) ([]Service, error) {
	if s.Wait <= 0 {
		s.Wait = 3 * time.Second
	}
	if !s.to.IsValid() {
		s.to = everybody
	}
	if len(s.Types) > typesMost {
		return nil, fmt.Errorf("mdns: %d types of services: at most %d", len(s.Types), typesMost)
	}
	ways, err := interfaces(s.Interfaces)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.Wait)
	defer cancel()
	type result struct {
		found []Service
		err   error
	}
	results := make(chan result, len(ways))
	for _, w := range ways {
		go func() {
			found, err := w.search(ctx, s)
			results <- result{found, err}
		}()
	}
	var all []Service
	var errs []error
	for range ways {
		r := <-results
		all, errs = append(all, r.found...), append(errs, r.err)
	}
	slices.SortFunc(all, compare)
	all = slices.CompactFunc(all, func(a, b Service) bool { return a.Type == b.Type && a.Addr == b.Addr })
	if len(all) > 0 {
		return all[:min(len(all), servicesMost)], nil
	}
	return nil, errors.Join(errs...)
}

func compare(a, b Service) int {
	if c := strings.Compare(a.Type, b.Type); c != 0 {
		return c
	}
	if c := a.Addr.Compare(b.Addr); c != 0 {
		return c
	}
	return strings.Compare(a.Name, b.Name)
}

// way is an interface with one IPv4 network of it.
type way struct {
	face *net.Interface
	addr netip.Prefix
}

func interfaces(names []string) ([]way, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("mdns: the machine's interfaces cannot be listed: %w", err)
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
			return nil, fmt.Errorf("mdns: interface %s: %w", f.Name, err)
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil {
				ones, _ := n.Mask.Size()
				ip, _ := netip.AddrFromSlice(n.IP.To4())
				ways = append(ways, way{&f, netip.PrefixFrom(ip, ones)})
			}
		}
	}
	for _, n := range names {
		if !slices.Contains(known, n) {
			return nil, fmt.Errorf("mdns: no interface is called %q: choose from %s", n, strings.Join(known, ", "))
		}
	}
	return ways, nil // none: a machine without a network finds nothing
}

// again is when the question is repeated: one datagram may be lost (RFC 6762 section 5.2 has a second between the first two).
const again = time.Second

// search asks and listens on one interface until ctx ends.
func (w way) search(ctx context.Context, s Search) ([]Service, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: w.addr.Addr().AsSlice()})
	if err != nil {
		return nil, fmt.Errorf("mdns: interface %s: %w", w.face.Name, err)
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	p := ipv4.NewPacketConn(conn)
	if s.to.Addr().IsMulticast() {
		if err := errors.Join(p.SetMulticastInterface(w.face), p.SetMulticastTTL(255), p.SetMulticastLoopback(true)); err != nil {
			return nil, fmt.Errorf("mdns: interface %s: %w", w.face.Name, err)
		}
	}
	to := net.UDPAddrFromAddrPort(s.to)
	var questions []dnsmessage.Question
	for _, t := range s.Types {
		n, err := dnsmessage.NewName(t + ".local.")
		if err != nil {
			return nil, fmt.Errorf("mdns: type %q: %w", t, err)
		}
		questions = append(questions, ask(n, dnsmessage.TypePTR))
	}
	first, err := query(questions)
	if err != nil {
		return nil, fmt.Errorf("mdns: %w", err)
	}
	send := func(b []byte) error { _, err := conn.WriteTo(b, to); return err }
	if err := send(first); err != nil {
		return nil, fmt.Errorf("mdns: interface %s cannot be asked: %w", w.face.Name, err)
	}
	repeat := time.AfterFunc(again, func() { _ = send(first) })
	defer repeat.Stop()

	heard := newHearsay(s.Types)
	buf := make([]byte, datagramMost)
	for range datagramsMost {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			break // its time is over
		}
		if !w.addr.Masked().Contains(from.Addr().Unmap()) {
			continue // from beyond the link (RFC 6762 section 11)
		}
		if heard.take(buf[:n]) != nil {
			continue
		}
		for _, q := range heard.open() {
			if b, err := query([]dnsmessage.Question{q}); err == nil {
				_ = send(b) // what is not answered stays unknown
			}
		}
	}
	return heard.services(w), nil
}

// ask is one question whose answer comes to us alone (RFC 6762 section 5.4).
func ask(n dnsmessage.Name, t dnsmessage.Type) dnsmessage.Question {
	return dnsmessage.Question{Name: n, Type: t, Class: dnsmessage.ClassINET | 1<<15}
}

func query(questions []dnsmessage.Question) ([]byte, error) {
	m := dnsmessage.Message{Questions: questions}
	return m.Pack()
}
