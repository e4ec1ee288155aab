package mdns

import (
	"errors"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/dns/dnsmessage"
)

// hearsay is what one interface's answers come to. One goroutine owns it.
type hearsay struct {
	types     map[string]bool         // "_mqtt._tcp.local." in lower case
	instances map[string]*instance    // by full name in lower case
	hosts     map[string][]netip.Addr // likewise
	asked     map[dnsmessage.Question]bool
}

type instance struct {
	full  dnsmessage.Name
	kind  string // "_mqtt._tcp"
	host  dnsmessage.Name
	port  uint16
	text  map[string]string
	found bool // a pointer of its type names it
}

func newHearsay(types []string) *hearsay {
	h := &hearsay{types: map[string]bool{}, instances: map[string]*instance{}, hosts: map[string][]netip.Addr{}, asked: map[dnsmessage.Question]bool{}}
	for _, t := range types {
		h.types[strings.ToLower(t)+".local."] = true
	}
	return h
}

// take reads one datagram. An error means that it, or the rest of it, says nothing.
func (h *hearsay) take(b []byte) error {
	var p dnsmessage.Parser
	head, err := p.Start(b)
	if err != nil {
		return err
	}
	if !head.Response {
		return nil // somebody else's question
	}
	if err := p.SkipAllQuestions(); err != nil {
		return err
	}
	left := recordsMost
	for _, section := range []func() (dnsmessage.ResourceHeader, error){p.AnswerHeader, p.AuthorityHeader, p.AdditionalHeader} {
		for {
			r, err := section()
			if errors.Is(err, dnsmessage.ErrSectionDone) {
				break
			}
			if err != nil {
				return err
			}
			if left--; left < 0 {
				return nil
			}
			if err := h.record(&p, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// record reads one record of whichever section the parser is in.
func (h *hearsay) record(p *dnsmessage.Parser, r dnsmessage.ResourceHeader) error {
	name := strings.ToLower(r.Name.String())
	switch r.Type {
	case dnsmessage.TypePTR:
		v, err := p.PTRResource()
		if err != nil {
			return err
		}
		if i := h.instance(v.PTR); i != nil && h.types[name] && strings.HasSuffix(strings.ToLower(v.PTR.String()), "."+name) {
			i.kind, i.found = strings.TrimSuffix(name, ".local."), true
		}
		return nil
	case dnsmessage.TypeSRV:
		v, err := p.SRVResource()
		if err != nil {
			return err
		}
		if i := h.instance(r.Name); i != nil {
			i.host, i.port = v.Target, v.Port
		}
		return nil
	case dnsmessage.TypeTXT:
		v, err := p.TXTResource()
		if err != nil {
			return err
		}
		if i := h.instance(r.Name); i != nil {
			i.text = entries(v.TXT)
		}
		return nil
	case dnsmessage.TypeA:
		v, err := p.AResource()
		if err != nil {
			return err
		}
		if ip := netip.AddrFrom4(v.A); len(h.hosts) < servicesMost && len(h.hosts[name]) < 8 && !slices.Contains(h.hosts[name], ip) {
			h.hosts[name] = append(h.hosts[name], ip)
		}
		return nil
	}
	_, err := p.UnknownResource()
	return err
}

// instance finds or makes one, of a type that was asked for; nil for another, or if there are too many.
func (h *hearsay) instance(full dnsmessage.Name) *instance {
	key := strings.ToLower(full.String())
	if i := h.instances[key]; i != nil {
		return i
	}
	ours := false
	for t := range h.types {
		ours = ours || strings.HasSuffix(key, "."+t)
	}
	if !ours || len(h.instances) >= servicesMost {
		return nil
	}
	i := &instance{full: full}
	h.instances[key] = i
	return i
}

// open are the questions that are left, each once: where an instance is, and its host's address.
func (h *hearsay) open() []dnsmessage.Question {
	var all []dnsmessage.Question
	add := func(q dnsmessage.Question) {
		if !h.asked[q] && len(h.asked) < asksMost {
			h.asked[q] = true
			all = append(all, q)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(h.instances)) {
		i := h.instances[key]
		switch {
		case !i.found:
		case i.host.Length == 0:
			add(ask(i.full, dnsmessage.TypeSRV))
		case len(h.hosts[strings.ToLower(i.host.String())]) == 0:
			add(ask(i.host, dnsmessage.TypeA))
		}
		if i.found && i.text == nil {
			add(ask(i.full, dnsmessage.TypeTXT))
		}
	}
	return all
}

// services are those whose address is known and of this link.
func (h *hearsay) services(w way) []Service {
	var all []Service
	for _, key := range slices.Sorted(maps.Keys(h.instances)) {
		i := h.instances[key]
		if !i.found || i.port == 0 {
			continue
		}
		for _, ip := range h.hosts[strings.ToLower(i.host.String())] {
			if w.addr.Masked().Contains(ip) {
				name := strings.TrimSuffix(i.full.String(), ".local.")
				name = printable(name[:max(0, len(name)-len(i.kind)-1)])
				all = append(all, Service{Type: i.kind, Name: name, Addr: netip.AddrPortFrom(ip, i.port), Text: i.text, Interface: w.face.Name})
				break
			}
		}
	}
	return all
}

// entries reads a TXT record (RFC 6763 section 6): the first of two with one key counts.
func entries(txt []string) map[string]string {
	m := map[string]string{}
	for _, s := range txt {
		k, v, _ := strings.Cut(s, "=")
		k = strings.ToLower(printable(k))
		if _, twice := m[k]; k != "" && !twice && len(m) < textMost {
			m[k] = printable(v)
		}
	}
	return m
}

// printable makes a stranger's text fit for a page and a terminal.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return strings.ToValidUTF8(s[:min(len(s), 255)], "")
}
