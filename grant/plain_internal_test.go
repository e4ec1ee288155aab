package grant

import (
	"reflect"
	"testing"
)

// TestPlainChain holds the short way of reading a chain against the long one: whatever the short way takes, the long one takes and reads
// as the same, and the short way takes what tokens and base64 make (T13).
func TestPlainChain(t *testing.T) {
	whole := Chain{SignedConsent{[]byte(`{"id":"c"}`), []byte(`{"type":"public-key"}`)}, "v4.public.abc_-.def", "v4.public.ghi.jkl"}
	b, err := whole.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := plainChain(b); !ok || !reflect.DeepEqual(got, whole) {
		t.Fatalf("the short way reads %+v, %v; want %+v", got, ok, whole)
	}
	taken := 0
	for i := range b {
		for c := range 256 { // every chain with one byte changed, left out or doubled
			changed := append([]byte(nil), b...)
			changed[i] = byte(c)
			taken += agree(t, changed)
		}
		taken += agree(t, append(append([]byte(nil), b[:i]...), b[i+1:]...))
		taken += agree(t, append(append([]byte(nil), b[:i+1]...), b[i:]...))
		taken += agree(t, b[:i])
	}
	if taken < len(whole.Courier)*80 {
		t.Errorf("of the changed chains the short way took %d only", taken)
	}
}

func FuzzPlainChain(f *testing.F) {
	f.Add([]byte(`{"consent":{"document":"eyJ9","assertion":"eyJ9"},"courier":"v4.public.a","delivery":"v4.public.b"}`))
	f.Add([]byte(`{"consent":{"document":"","assertion":null},"courier":"\u003c","delivery":"é"}`))
	f.Fuzz(func(t *testing.T, b []byte) { agree(t, b) })
}

func agree(t *testing.T, b []byte) int {
	t.Helper()
	got, ok := plainChain(b)
	if !ok {
		return 0
	}
	var want Chain
	if err := unmarshal(b, &want, nil); err != nil {
		t.Fatalf("the short way takes %q, which is refused: %v", b, err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("the short way reads %q as %+v, want %+v", b, got, want)
	}
	return 1
}
