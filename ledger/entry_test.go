package ledger_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"eyebolt/ledger"
)

var nine = time.Date(2026, 11, 24, 9, 0, 0, 123_456_000, time.UTC)

// A leaf is a wire format: these bytes never change.
func TestEncodeIsFixed(t *testing.T) {
	for _, c := range []struct {
		e    ledger.Entry
		want string
	}{
		{ledger.Entry{Kind: ledger.KindBoot}, `{"i":0,"t":"0001-01-01T00:00:00.000000Z","m":0,"k":"boot","w":""}`},
		{
			ledger.Entry{Index: 7, Time: nine, Mono: 42, Door: "front", Visit: "v1", Kind: ledger.KindDecision, Word: "unlock", Reason: "slid-to-open", Data: []byte(`{"n":1}`)},
			`{"i":7,"t":"2026-11-24T09:00:00.123456Z","m":42,"d":"front","v":"v1","k":"decision","w":"unlock","r":"slid-to-open","x":"eyJuIjoxfQ=="}`,
		},
		{
			ledger.Entry{Index: 18446744073709551615, Time: nine.In(time.FixedZone("", 3600)).Add(999), Mono: -1, Door: "Tür \"<&>\" \u2028\\", Kind: ledger.KindFact, Word: "a\b\f\n\r\t\x00\x1f\x7f"},
			`{"i":18446744073709551615,"t":"2026-11-24T09:00:00.123456Z","m":-1,"d":"Tür \"<&>\" ` + "\u2028" + `\\","k":"fact","w":"a\b\f\n\r\t\u0000\u001f` + "\x7f" + `"}`,
		},
	} {
		if got := string(c.e.Encode()); got != c.want {
			t.Errorf("Encode\n got %s\nwant %s", got, c.want)
		}
		if got, err := ledger.Decode([]byte(c.want)); err != nil || string(got.Encode()) != c.want {
			t.Errorf("Decode(%s): %v", c.want, err)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := string(ledger.Entry{Index: 7, Time: nine, Mono: 42, Door: "front", Visit: "v1", Kind: ledger.KindDecision, Word: "unlock", Reason: "slid", Data: []byte("data")}.Encode())
	for name, r := range map[string][2]string{
		"unknown member":        {`,"w":`, `,"z":1,"w":`},
		"doubled member":        {`,"k":"decision"`, `,"k":"decision","k":"decision"`},
		"missing member":        {`,"k":"decision"`, ``},
		"another order":         {`"d":"front","v":"v1"`, `"v":"v1","d":"front"`},
		"blank":                 {`{"i"`, `{ "i"`},
		"blank behind":          {`"}`, `"} `},
		"member in caps":        {`"k"`, `"K"`},
		"leading zero":          {`"i":7`, `"i":07`},
		"plus":                  {`"i":7`, `"i":+7`},
		"exponent":              {`"i":7`, `"i":7e0`},
		"negative index":        {`"i":7`, `"i":-7`},
		"index of 2^64":         {`"i":7`, `"i":18446744073709551616`},
		"minus nothing":         {`"m":42`, `"m":-0`},
		"clock beyond 63 bits":  {`"m":42`, `"m":9223372036854775808`},
		"31 February":           {`2026-11-24`, `2026-02-31`},
		"hour 24":               {`T09:`, `T24:`},
		"leap second":           {`:00.123456`, `:60.123456`},
		"milliseconds":          {`.123456Z`, `.123Z`},
		"another zone":          {`.123456Z`, `.12345+01:00`},
		"empty door":            {`"d":"front"`, `"d":""`},
		"empty reason":          {`"r":"slid"`, `"r":""`},
		"no kind":               {`"k":"decision"`, `"k":""`},
		"kind in caps":          {`"k":"decision"`, `"k":"Decision"`},
		"escaped letter":        {`"w":"unlock"`, `"w":"\u0075nlock"`},
		"escaped slash":         {`"w":"unlock"`, `"w":"\/"`},
		"escape in caps":        {`"w":"unlock"`, `"w":"\u001F"`},
		"long escape":           {`"w":"unlock"`, `"w":"\u0009"`},
		"bare control":          {`"w":"unlock"`, "\"w\":\"\x01\""},
		"not UTF-8":             {`"w":"unlock"`, "\"w\":\"\xff\""},
		"surrogate":             {`"w":"unlock"`, "\"w\":\"\xed\xa0\x80\""},
		"not UTF-8 and escaped": {`"w":"unlock"`, "\"w\":\"\\n\xff\""},
		"word of 129 bytes":     {`"w":"unlock"`, `"w":"` + strings.Repeat("u", 129) + `"`},
		"empty data":            {`"x":"ZGF0YQ=="`, `"x":""`},
		"data without padding":  {`"x":"ZGF0YQ=="`, `"x":"ZGF0YQ"`},
		"data with loose bits":  {`"x":"ZGF0YQ=="`, `"x":"ZGF0YR=="`},
		"data with a line end":  {`"x":"ZGF0YQ=="`, "\"x\":\"ZGF0\nYQ==\""},
		"data in URL letters":   {`"x":"ZGF0YQ=="`, `"x":"__8="`},
		"null":                  {`"w":"unlock"`, `"w":null`},
		"cut":                   {`"x":"ZGF0YQ=="}`, `"x":"ZGF0YQ=="`},
		"two of them":           {`"}`, `"}{}`},
		"ends in a backslash":   {`"w":"unlock","r":"slid","x":"ZGF0YQ=="}`, `"w":"\`},
		"ends in an escape":     {`"w":"unlock","r":"slid","x":"ZGF0YQ=="}`, `"w":"\u00`},
	} {
		bad := strings.Replace(good, r[0], r[1], 1)
		if bad == good {
			t.Fatalf("%s changes nothing", name)
		}
		if _, err := ledger.Decode([]byte(bad)); !errors.Is(err, ledger.ErrEntry) {
			t.Errorf("%s: %v, want ErrEntry", name, err)
		}
	}
	for i := range good { // and whatever is cut off
		if _, err := ledger.Decode([]byte(good[:i])); !errors.Is(err, ledger.ErrEntry) {
			t.Fatalf("the first %d bytes are taken for an entry: %v", i, err)
		}
	}
	if _, err := ledger.Decode(make([]byte, ledger.MaxLeaf+1)); !errors.Is(err, ledger.ErrEntry) {
		t.Errorf("a huge leaf: %v", err)
	}
}

// The longest entry that passes Check has a leaf that Decode takes.
func TestLargestEntry(t *testing.T) {
	word := strings.Repeat("\x01", ledger.MaxWord)
	e := ledger.Entry{
		Index: 1<<64 - 1, Time: nine, Mono: -1 << 63, Door: word, Visit: word, Kind: ledger.Kind(strings.Repeat("k", ledger.MaxWord)),
		Word: word, Reason: word, Data: make([]byte, ledger.MaxData),
	}
	if err := e.Check(); err != nil {
		t.Fatal(err)
	}
	leaf := e.Encode()
	if _, err := ledger.Decode(leaf); err != nil {
		t.Fatalf("a leaf of %d bytes (limit %d): %v", len(leaf), ledger.MaxLeaf, err)
	}
	e.Data = append(e.Data, 0)
	if err := e.Check(); !errors.Is(err, ledger.ErrEntry) {
		t.Errorf("data over the limit: %v", err)
	}
	if _, err := ledger.Decode(e.Encode()); !errors.Is(err, ledger.ErrEntry) {
		t.Errorf("a leaf with data over the limit: %v", err)
	}
}

// Every entry that can be written comes back, and any JSON reader reads the same.
func TestRoundTrip(t *testing.T) {
	text := rapid.StringN(0, 40, ledger.MaxWord)
	rapid.Check(t, func(t *rapid.T) {
		e := ledger.Entry{
			Index: rapid.Uint64().Draw(t, "index"),
			Time:  time.UnixMicro(rapid.Int64Range(-62167219200e6, 253402300799e6).Draw(t, "time")).UTC(),
			Mono:  rapid.Int64().Draw(t, "mono"),
			Door:  text.Draw(t, "door"), Visit: text.Draw(t, "visit"), Word: text.Draw(t, "word"), Reason: text.Draw(t, "reason"),
			Kind: ledger.Kind(rapid.StringMatching(`[a-z-]{1,20}`).Draw(t, "kind")),
			Data: rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "data"),
		}
		if e.Check() != nil { // rapid draws text that is not UTF-8 too
			t.Skip("cannot be written")
		}
		leaf := e.Encode()
		got, err := ledger.Decode(leaf)
		if err != nil {
			t.Fatalf("%s: %v", leaf, err)
		}
		same := got.Index == e.Index && got.Time.Equal(e.Time) && got.Mono == e.Mono && got.Door == e.Door && got.Visit == e.Visit &&
			got.Kind == e.Kind && got.Word == e.Word && got.Reason == e.Reason && bytes.Equal(got.Data, e.Data)
		if !same {
			t.Fatalf("%+v came back as %+v", e, got)
		}
		var other ledger.Entry
		if err := json.Unmarshal(leaf, &other); err != nil {
			t.Fatalf("%s: %v", leaf, err)
		}
		if other.Index != e.Index || !other.Time.Equal(e.Time) || other.Word != e.Word || other.Door != e.Door || !bytes.Equal(other.Data, e.Data) {
			t.Fatalf("encoding/json reads %s as %+v", leaf, other)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add(ledger.Entry{Kind: ledger.KindBoot}.Encode())
	f.Add(ledger.Entry{Index: 7, Time: nine, Mono: -42, Door: "Tür\n\"", Visit: "v", Kind: ledger.KindClip, Word: "filed", Reason: "r", Data: []byte(`{}`)}.Encode())
	f.Fuzz(func(t *testing.T, leaf []byte) {
		e, err := ledger.Decode(leaf)
		if err != nil {
			if !errors.Is(err, ledger.ErrEntry) {
				t.Fatalf("an error without a name: %v", err)
			}
			return
		}
		if again := e.Encode(); !bytes.Equal(again, leaf) {
			t.Fatalf("two spellings:\n%s\n%s", leaf, again)
		}
		var other ledger.Entry
		if err := json.Unmarshal(leaf, &other); err != nil || other.Index != e.Index || other.Word != e.Word || other.Door != e.Door {
			t.Fatalf("encoding/json reads %s as %+v, %v", leaf, other, err)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	e := ledger.Entry{Index: 7, Time: nine, Mono: 42, Door: "front", Visit: "visit-17", Kind: ledger.KindReport, Word: "bolt-thrown", Reason: "proven-secured"}
	b.ReportAllocs()
	for b.Loop() {
		e.Encode()
	}
}

func BenchmarkDecode(b *testing.B) {
	leaf := ledger.Entry{Index: 7, Time: nine, Mono: 42, Door: "front", Visit: "visit-17", Kind: ledger.KindReport, Word: "bolt-thrown", Reason: "proven-secured"}.Encode()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ledger.Decode(leaf); err != nil {
			b.Fatal(err)
		}
	}
}
