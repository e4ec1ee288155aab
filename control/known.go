package control

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"sync"
)

// known is what documents say, by their exact bytes: the same few rows are read again and again while a visit goes on, and reading JSON
// costs more than fetching it. It knows nothing of tables or transactions, so it can never be out of date.
type known struct {
	mu   sync.Mutex
	docs map[string]knownDoc // by how they begin
	size int                 // bytes of all of them
}

type knownDoc struct {
	doc []byte
	say any
}

const (
	// maxKnown bounds the bytes of all documents that are known; beyond it all are forgotten. A visit's rows are some 20 KiB.
	maxKnown = 1 << 20
	// knownBy is how much of a document it is looked for by: its name stands in it, so that a newer version takes the older one's place.
	knownBy = 64
)

// decode reads a document. Nothing in the value is shared with what is known, nor with what anybody else was given.
func decode[T record](tx Tx, doc []byte) (v T, err error) {
	t, ok := tx.(knowingTx)
	if !ok {
		return v, json.Unmarshal(doc, &v)
	}
	k, by := t.known, doc[:min(len(doc), knownBy)]
	k.mu.Lock()
	old := k.docs[string(by)]
	k.mu.Unlock()
	if say, ok := old.say.(T); ok && bytes.Equal(old.doc, doc) {
		v = say
		unshare(&v)
		return v, nil
	}
	if err := json.Unmarshal(doc, &v); err != nil {
		return v, err
	}
	say := v
	unshare(&say)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.size += len(doc) - len(k.docs[string(by)].doc); k.size > maxKnown || k.docs == nil {
		k.docs, k.size = map[string]knownDoc{}, len(doc)
	}
	k.docs[string(by)] = knownDoc{doc, say}
	return v, nil
}

// unshare gives a document slices and pointers of its own.
func unshare(doc any) {
	switch v := doc.(type) {
	case *Carrier:
		v.Seed, v.Key = slices.Clone(v.Seed), slices.Clone(v.Key)
	case *Hub:
		v.Key, v.Tree, v.Note = slices.Clone(v.Key), slices.Clone(v.Tree), slices.Clone(v.Note)
	case *Door:
		v.Place = copied(v.Place)
	case *Passkey:
		v.Raw, v.Key, v.Record = slices.Clone(v.Raw), slices.Clone(v.Key), slices.Clone(v.Record)
	case *Consent:
		v.Document, v.Assertion = slices.Clone(v.Document), slices.Clone(v.Assertion)
	case *Delivery:
		v.Parcels = slices.Clone(v.Parcels)
	case *Grant:
		v.Chain = slices.Clone(v.Chain)
	case *Order:
		a := &v.Ask
		a.Grant, a.Assertion, a.Pairing = slices.Clone(a.Grant), slices.Clone(a.Assertion), slices.Clone(a.Pairing)
		a.Revoked, a.Alarms = slices.Clone(a.Revoked), slices.Clone(a.Alarms)
		a.Place, v.Reply = copied(a.Place), copied(v.Reply)
	case *Visit:
		v.Gaps = slices.Clone(v.Gaps)
		if v.Clip = copied(v.Clip); v.Clip != nil {
			v.Clip.Files, v.Clip.Backfilled = slices.Clone(v.Clip.Files), slices.Clone(v.Clip.Backfilled)
		}
	case *Incident:
		v.Gaps = slices.Clone(v.Gaps)
	case *Session:
		v.Data = slices.Clone(v.Data)
	}
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// knowing is a store whose documents need not be read twice.
type knowing struct {
	Store
	known *known
}

type knowingTx struct {
	Tx
	known *known
}

func (s knowing) Read(ctx context.Context, f func(Tx) error) error {
	return s.Store.Read(ctx, func(tx Tx) error { return f(knowingTx{tx, s.known}) })
}

func (s knowing) Write(ctx context.Context, f func(Tx) error) error {
	return s.Store.Write(ctx, func(tx Tx) error { return f(knowingTx{tx, s.known}) })
}
