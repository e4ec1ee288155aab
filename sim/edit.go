package sim

import (
	"crypto/ed25519"

	"eyebolt/ledger"
	"eyebolt/proof"
)

// edit is whoever holds the disk for an hour (T19), and writes all of it anew with hashes that fit (Edited). A stranger who has the key and one checkpoint that the service holds must say no to each.
func edit(h *home, _ *call, m Move) {
	k := &h.disk
	if len(k.held) == 0 || len(k.rows) < 4 || h.outside.back {
		return
	}
	key := must(ledger.ParseKey(must(ledger.KeyText("eyebolt/"+h.side.hub, h.side.key.Public().(ed25519.PublicKey)))))
	held := must(ledger.Open(k.held[len(k.held)-1], key))
	n, signs := EditedAt(m.How, held.Size)
	copied := disk{signer: k.signer, held: k.held}
	for i, e := range Edited(k.entries, m.How, n) {
		copied.put(e, uint64(i))
	}
	if !signs { // the old head stays
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
