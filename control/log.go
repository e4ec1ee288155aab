package control

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"eyebolt/bus"
	"eyebolt/ledger"
)

// maxLog bounds the entries of one message.
const maxLog = 4096

// errFork means that what a hub sends now contradicts what it sent, and signed, before (T19, T29).
var errFork = errors.New("the hub's log contradicts what the hub sent before")

// Log takes a hub's ledger entries: contiguous from our cursor, canonical, and under checkpoints that the hub's key signed. What
// we hold already is compared, not taken again (T23). A log that was cut, edited or forked is not taken: the household is
// told, and an incident stays open until a resident has read it.
func (s *Service) Log(ctx context.Context, now time.Time, hub string, m bus.Log) (bus.LogReply, error) {
	s.mu.Lock()
	l := s.hub(hub)
	s.mu.Unlock()
	if l == nil {
		return bus.LogReply{}, fmt.Errorf("log of hub %q: %w", hub, ErrNotFound)
	}
	if len(m.Entries) > maxLog {
		return bus.LogReply{}, fmt.Errorf("log of hub %q: %d entries in one message, at most %d", hub, len(m.Entries), maxLog)
	}
	l.logMu.Lock()
	defer l.logMu.Unlock()
	cursor := l.tree.Size()
	if m.From > cursor {
		return bus.LogReply{Cursor: cursor}, nil // entries between are missing: the hub sends them from here
	}
	in := intake{l: l, tree: l.tree.Clone(), noteSize: l.noteSize, noteRoot: l.noteRoot}
	err := in.read(m)
	var events []event
	if err == nil && (len(in.rows) > 0 || in.note != nil || m.From < cursor && len(m.Entries) > 0) {
		err = s.store.Write(ctx, func(tx Tx) error {
			events = nil
			if err := in.compare(tx, m, cursor); err != nil {
				return err
			}
			if len(in.rows) == 0 && in.note == nil {
				return nil
			}
			h, err := get[Hub](tx, hub)
			if err != nil {
				return err
			}
			if h.Tree, err = in.tree.MarshalBinary(); err != nil {
				return err
			}
			h.Cursor = in.tree.Size()
			if in.note != nil {
				h.Note = in.note
			}
			if err := tx.PutEntries(hub, in.rows); err != nil {
				return err
			}
			if err := put(tx, h); err != nil {
				return err
			}
			for _, e := range in.entries {
				more, err := s.apply(tx, now, hub, e)
				if err != nil {
					return err
				}
				events = append(events, more...)
			}
			return nil
		})
	}
	if errors.Is(err, errFork) {
		if e := s.forked(ctx, now, hub, err); e != nil {
			return bus.LogReply{}, errors.Join(err, e)
		}
		return bus.LogReply{Cursor: cursor}, err
	}
	if err != nil {
		return bus.LogReply{Cursor: cursor}, fmt.Errorf("log of hub %q: %w", hub, err)
	}
	l.tree, l.noteSize, l.noteRoot = in.tree, in.noteSize, in.noteRoot
	s.mu.Lock()
	l.cursor = in.tree.Size()
	s.mu.Unlock()
	s.feed.add(events...)
	return bus.LogReply{Cursor: in.tree.Size()}, nil
}

// intake is one message on its way in.
type intake struct {
	l        *liveHub
	tree     ledger.Tree
	noteSize uint64
	noteRoot ledger.Hash
	rows     []EntryRow
	entries  []ledger.Entry
	note     []byte // a new checkpoint that holds
}

// read checks the new entries and the checkpoint; it needs no store.
func (in *intake) read(m bus.Log) error {
	var cp ledger.Checkpoint
	if len(m.Note) > 0 {
		var err error
		if cp, err = ledger.Open(m.Note, in.l.verifier); err != nil {
			return err
		}
		if cp.Size == in.noteSize && cp.Size > 0 && cp.Root != in.noteRoot {
			return fmt.Errorf("%w: two checkpoints of size %d", errFork, cp.Size)
		}
	}
	have := in.tree.Size()
	checked := len(m.Note) == 0 || cp.Size < have || cp.Size <= in.noteSize && in.noteSize > 0
	check := func() error {
		if checked || in.tree.Size() != cp.Size {
			return nil
		}
		if in.tree.Root() != cp.Root {
			return fmt.Errorf("%w: the checkpoint of size %d is not of these entries", errFork, cp.Size)
		}
		checked = true
		in.note, in.noteSize, in.noteRoot = bytes.Clone(m.Note), cp.Size, cp.Root
		return nil
	}
	if err := check(); err != nil {
		return err
	}
	for i, leaf := range m.Entries {
		n := m.From + uint64(i)
		if n < have {
			continue
		}
		e, err := ledger.Decode(leaf)
		if err != nil {
			return fmt.Errorf("entry %d: %w", n, err)
		}
		if e.Index != n {
			return fmt.Errorf("entry %d says that it is entry %d: %w", n, e.Index, ledger.ErrEntry)
		}
		in.tree.Add(nil, ledger.LeafHash(leaf))
		in.rows = append(in.rows, EntryRow{Index: n, Visit: e.Visit, Leaf: leaf})
		in.entries = append(in.entries, e)
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// compare holds entries that were sent again against those that we have.
func (in *intake) compare(tx Tx, m bus.Log, cursor uint64) error {
	if m.From >= cursor {
		return nil
	}
	again := min(uint64(len(m.Entries)), cursor-m.From)
	for from := m.From; from < m.From+again; {
		held, err := tx.Entries(in.l.id, "", from, int(min(again, 256)))
		if err != nil {
			return err
		}
		if len(held) == 0 {
			return fmt.Errorf("entry %d is missing in the store", from)
		}
		for _, r := range held {
			if r.Index >= m.From+again {
				return nil
			}
			if !bytes.Equal(r.Leaf, m.Entries[r.Index-m.From]) {
				return fmt.Errorf("%w: entry %d was another before", errFork, r.Index)
			}
			from = r.Index + 1
		}
	}
	return nil
}

// forked opens the incident of a log that contradicts itself, once.
func (s *Service) forked(ctx context.Context, now time.Time, hub string, why error) error {
	s.log.Error("control: a hub's log does not hold", "hub", hub, "err", why)
	var events []event
	err := s.store.Write(ctx, func(tx Tx) error {
		events = nil
		h, err := get[Hub](tx, hub)
		if err != nil {
			return err
		}
		id := "ledger-" + hub
		if old, err := get[Incident](tx, id); err == nil && old.Closed.IsZero() {
			return nil
		} else if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		text := "The hub's record contradicts what it sent before: it was cut, edited, or the hub was restored or cloned. Keep the hub's disk as evidence and have it verified."
		i := Incident{ID: id, Household: h.Household, Hub: hub, Reason: "ledger-forked", Text: text, Opened: now}
		if err := put(tx, i); err != nil {
			return err
		}
		events, err = s.raise(tx, now, h, "", "", "ledger-forked", text, false)
		events = append(events, i.event())
		return err
	})
	if err == nil {
		s.feed.add(events...)
	}
	return err
}

// Held gives a hub's newest checkpoint that we hold, for its household's auditor.
func (s *Service) Held(ctx context.Context, who Account, hub string) (note []byte, err error) {
	if err := who.as(Resident); err != nil {
		return nil, err
	}
	err = s.store.Read(ctx, func(tx Tx) error {
		h, err := own(tx, hub, func(h Hub) bool { return h.Household == who.Household })
		note = slices.Clone(h.Note)
		return err
	})
	return note, err
}
