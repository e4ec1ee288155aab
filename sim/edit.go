package sim

import (
	"crypto/ed25519"
	"slices"

	"eyebolt/ledger"
	"eyebolt/proof"
)

// edit is whoever holds the disk for an hour (T19): he changes a byte, takes entries out, cuts the end off or writes all of it anew with
// hashes that fit. A stranger who has the key and one checkpoint that the service holds must say no to each.
func edit(h *home, _ *call, m Move) {
	k := &h.disk
	if len(k.held) == 0 || len(k.rows) < 4 || h.outside.back {
		return
	}
	key := must(ledger.ParseKey(must(ledger.KeyText("eyebolt/"+h.side.hub, h.side.key.Public().(ed25519.PublicKey)))))
	held := must(ledger.Open(k.held[len(k.held)-1], key))
	n := int(m.How/8) % int(held.Size)
	copied := disk{signer: k.signer, held: k.held}
	entries := slices.Clone(k.entries)
	switch m.How % 4 {
	case 0:
		entries[n].Word += "x"
	case 1:
		entries = slices.Delete(entries, n, n+1)
	case 2:
		entries = entries[:n]
	case 3:
		entries[n].Mono++
	}
	for i := range entries {
		copied.put(entries[i], uint64(i))
	}
	if m.How%8 < 4 { // he has no key: the old head stays
		copied.head = held.Note
	}
	r, err := proof.Check(bg, proof.Input{Source: &copied, Key: key, Held: k.newest()})
	if err != nil || r.OK {
		h.t.broke(h, "T19", "a record that was changed at entry %d is called whole (%v)", n, err)
		return
	}
	h.chronicle.disowned()
	h.t.tell(h, "stranger", "says no to the record changed at entry %d", n)
}
