package onvif

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	// depthMost is how deep a reply may nest: the deepest of ONVIF's own, an analytics rule within a profile, is 14.
	depthMost = 48
	// nodesMost bounds what a reply of 1 MB, made of the shortest elements there are, can cost in memory.
	nodesMost = 40_000
)

var errXML = errors.New("not a reply")

// node is one XML element. Names are without prefix; Space is the namespace's own name.
type node struct {
	Space, Name string
	Attr        []xml.Attr
	Text        string
	Kids        []*node

	raw []byte // of the text, while it is read
}

// readXML reads one document. A document type, and so every entity of one's own, is refused; other character sets than UTF-8
// are read only as far as they are ASCII.
func readXML(b []byte) (*node, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return ascii{r}, nil }
	var root *node
	var open []*node
	count := 0
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) && root != nil && len(open) == 0 {
			return root, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errXML, err)
		}
		switch t := t.(type) {
		case xml.Directive:
			return nil, fmt.Errorf("%w: it has a document type", errXML)
		case xml.StartElement:
			if count++; count > nodesMost || len(open) == depthMost {
				return nil, fmt.Errorf("%w: it has too many or too deep elements", errXML)
			}
			n := &node{Space: t.Name.Space, Name: t.Name.Local}
			if count += len(t.Attr); count > nodesMost {
				return nil, fmt.Errorf("%w: it has too many attributes", errXML)
			}
			if len(t.Attr) > 0 {
				n.Attr = append(n.Attr, t.Attr...)
			}
			switch {
			case len(open) > 0:
				p := open[len(open)-1]
				p.Kids = append(p.Kids, n)
			case root == nil:
				root = n
			default:
				return nil, fmt.Errorf("%w: it has two roots", errXML)
			}
			open = append(open, n)
		case xml.EndElement:
			n := open[len(open)-1]
			n.Text, n.raw = string(bytes.TrimSpace(n.raw)), nil
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				n := open[len(open)-1]
				if count++; count > nodesMost {
					return nil, fmt.Errorf("%w: it has too many pieces of text", errXML)
				}
				n.raw = append(n.raw, t...)
			}
		}
	}
}

// ascii passes what is ASCII and puts a question mark for every other byte.
type ascii struct{ r io.Reader }

func (a ascii) Read(b []byte) (int, error) {
	n, err := a.r.Read(b)
	for i, c := range b[:n] {
		if c >= 0x80 {
			b[i] = '?'
		}
	}
	return n, err
}

// at goes down by names and gives the first such element, or nil. It may be called on nil.
func (n *node) at(path ...string) *node {
	for _, name := range path {
		n = n.kid(name)
	}
	return n
}

func (n *node) kid(name string) *node {
	if n == nil {
		return nil
	}
	for _, k := range n.Kids {
		if k.Name == name {
			return k
		}
	}
	return nil
}

// all gives every child of that name.
func (n *node) all(name string) []*node {
	if n == nil {
		return nil
	}
	var got []*node
	for _, k := range n.Kids {
		if k.Name == name {
			got = append(got, k)
		}
	}
	return got
}

// text goes down by names and gives the text there, or "".
func (n *node) text(path ...string) string {
	if n = n.at(path...); n == nil {
		return ""
	}
	return n.Text
}

func (n *node) attr(name string) string {
	if n == nil {
		return ""
	}
	for _, a := range n.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// escape makes text that may stand in an element or attribute.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder never fails
	return b.String()
}

// write puts the element into b again, each with its namespace, and with more attributes on the outermost.
func (n *node) write(b *strings.Builder, more string) {
	if !xmlName(n.Name) {
		return
	}
	fmt.Fprintf(b, `<%s xmlns="%s"%s`, n.Name, escape(n.Space), more)
	for _, a := range n.Attr {
		if a.Name.Space == "" && a.Name.Local != "xmlns" && xmlName(a.Name.Local) {
			fmt.Fprintf(b, ` %s="%s"`, a.Name.Local, escape(a.Value))
		}
	}
	b.WriteByte('>')
	b.WriteString(escape(n.Text))
	for _, k := range n.Kids {
		k.write(b, "")
	}
	fmt.Fprintf(b, "</%s>", n.Name)
}

// xmlName says whether a name can be written without a prefix.
func xmlName(s string) bool {
	if s == "" || len(s) > 128 {
		return false
	}
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_'
		if !letter && (i == 0 || r != '-' && r != '.' && (r < '0' || r > '9')) {
			return false
		}
	}
	return true
}
