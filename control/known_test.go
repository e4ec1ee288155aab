package control

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

// TestKnownSharesNothing fills every document to its last field and holds what is read of one against what was read of the same bytes
// before: equal, and without a slice or pointer in common, so that nobody can change what another one reads.
func TestKnownSharesNothing(t *testing.T) {
	shares[Household](t)
	shares[Carrier](t)
	shares[Hub](t)
	shares[Door](t)
	shares[Account](t)
	shares[Passkey](t)
	shares[Invite](t)
	shares[Courier](t)
	shares[Consent](t)
	shares[Delivery](t)
	shares[Grant](t)
	shares[Order](t)
	shares[Visit](t)
	shares[Incident](t)
	shares[StoredAlarm](t)
	shares[Session](t)
}

func shares[T record](t *testing.T) {
	t.Helper()
	var full, want T
	n := 0
	fill(t, reflect.ValueOf(&full).Elem(), &n)
	doc, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(doc, &want); err != nil {
		t.Fatal(err)
	}
	tx := knowingTx{known: &known{}}
	var reads []T
	for range 3 {
		v, err := decode[T](tx, doc)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(v, want) {
			t.Errorf("%T is read as\n%+v, want\n%+v", v, v, want)
		}
		reads = append(reads, v)
	}
	for _, k := range tx.known.docs {
		say, ok := k.say.(T)
		if !ok || !bytes.Equal(k.doc, doc) {
			t.Fatalf("%T is not known after it was read", full)
		}
		reads = append(reads, say)
	}
	if len(reads) != 4 {
		t.Fatalf("%T is known %d times, want once", full, len(reads)-3)
	}
	for i := range reads {
		for j := range i {
			apart(t, reflect.TypeOf(full).Name(), reflect.ValueOf(reads[i]), reflect.ValueOf(reads[j]))
		}
	}
}

var moment = time.Date(2026, 3, 14, 15, 9, 26, 535897000, time.UTC)

// fill sets every exported field to something that is not its zero value.
func fill(t *testing.T, v reflect.Value, n *int) {
	t.Helper()
	if v.Type() == reflect.TypeFor[time.Time]() {
		*n++
		v.Set(reflect.ValueOf(moment.Add(time.Duration(*n) * time.Second)))
		return
	}
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString(string(rune('a' + *n%26)))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n % 256))
	case reflect.Float64:
		v.SetFloat(float64(*n))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(t, v.Index(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), n)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), n)
		}
	default:
		t.Fatalf("a document holds a %v: have unshare copy it, and this test fill it", v.Type())
	}
}

// apart says where two values share memory that could be written.
func apart(t *testing.T, at string, a, b reflect.Value) {
	t.Helper()
	if a.Type() == reflect.TypeFor[time.Time]() {
		return // its zone is never written
	}
	switch a.Kind() {
	case reflect.Slice:
		if a.Len() == 0 {
			t.Errorf("%s was not filled", at)
			return
		}
		if a.Pointer() == b.Pointer() {
			t.Errorf("%s is shared between two readers", at)
		}
		for i := range a.Len() {
			apart(t, at, a.Index(i), b.Index(i))
		}
	case reflect.Pointer:
		if a.Pointer() == b.Pointer() {
			t.Errorf("%s is shared between two readers", at)
			return
		}
		apart(t, at, a.Elem(), b.Elem())
	case reflect.Struct:
		for i := range a.NumField() {
			apart(t, at+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))
		}
	}
}

// TestKnownForgets reads more than is kept: it stays bounded, and what was forgotten is read again.
func TestKnownForgets(t *testing.T) {
	tx := knowingTx{known: &known{}}
	long := make([]byte, 10<<10)
	for round := range 2 {
		for i := range 200 {
			want := Session{ID: string(rune('a' + i)), Data: long}
			doc, err := json.Marshal(want)
			if err != nil {
				t.Fatal(err)
			}
			got, err := decode[Session](tx, doc)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("round %d: session %d is read as %q, %v", round, i, got.ID, err)
			}
			held := 0
			for _, k := range tx.known.docs {
				held += len(k.doc)
			}
			if held > maxKnown || held != tx.known.size {
				t.Fatalf("%d bytes are known, counted as %d; at most %d", held, tx.known.size, maxKnown)
			}
		}
	}
	// Documents that begin alike are told apart, whatever was read before: another version of one, and one of another kind.
	for _, want := range []Session{{ID: "same", Data: long}, {ID: "same", Data: long[1:]}, {ID: "same", Data: long}} {
		doc, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if got, err := decode[Session](tx, doc); err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%d bytes are read as %d, %v", len(want.Data), len(got.Data), err)
			}
		}
		if got, err := decode[Account](tx, doc); err != nil || got.ID != "same" {
			t.Fatalf("a session's bytes are read as account %q, %v", got.ID, err)
		}
	}
	if _, err := decode[Session](tx, []byte(`{"id":`)); err == nil {
		t.Error("half a document is read without an error")
	}
}
