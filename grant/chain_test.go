package grant_test

import (
	"crypto/ed25519"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"eyebolt/grant"
	"eyebolt/grant/granttest"
	"eyebolt/interlock"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) // a Tuesday

// S2: an honest chain holds after its journey, and so does every check of an honest attempt.
func TestHonest(t *testing.T) {
	h := granttest.New("a", noon)
	c, err := grant.Decode(h.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	g, why, err := grant.Verify(c, h.Anchor())
	if err != nil || why != interlock.NoReason {
		t.Fatalf("Verify = %v, %v", why, err)
	}
	if !reflect.DeepEqual(g.Delivery, h.Delivery) || !reflect.DeepEqual(g.Consent, h.Consent) || !reflect.DeepEqual(g.Courier, h.Credential) {
		t.Errorf("the grant is not what was signed: %+v", g)
	}
	results := g.Check(h.Attempt(noon))
	if got := grant.Reason(results); got != interlock.NoReason {
		t.Errorf("Check = %v: %+v", got, results)
	}
}

// T13, T16, T24, T29: every way in which a chain can be signed rightly and still not hold here. Each change is made before
// signing, so that only the rule itself can refuse.
func TestVerifyRefuses(t *testing.T) {
	stranger := granttest.New("stranger", noon)
	for _, c := range []struct {
		name   string
		change func(h *granttest.Home, a *grant.Anchor)
		want   interlock.Reason
	}{
		{"hub not paired", func(_ *granttest.Home, a *grant.Anchor) { a.Residents = nil }, interlock.NoConsent},
		{"hub without a name", func(_ *granttest.Home, a *grant.Anchor) { a.Hub = "" }, interlock.NoConsent},
		{"hub without a household", func(_ *granttest.Home, a *grant.Anchor) { a.Household = "" }, interlock.NoConsent},
		{"hub without a relying party", func(_ *granttest.Home, a *grant.Anchor) { a.RP.ID = "" }, interlock.NoConsent},
		{"consent by a passkey that is not paired", func(h *granttest.Home, _ *grant.Anchor) { h.Resident = stranger.Resident }, interlock.NoConsent},
		{"consent by the courier", func(h *granttest.Home, _ *grant.Anchor) { h.Resident = h.Courier }, interlock.NoConsent},
		{"consent without user verification", func(h *granttest.Home, _ *grant.Anchor) { h.Resident.Flags = 0x01 }, interlock.GrantForged},
		{"consent made for another site", func(h *granttest.Home, _ *grant.Anchor) { h.Resident.Origin = "https://evil.example" }, interlock.GrantForged},
		{"consent made for another RP ID", func(h *granttest.Home, _ *grant.Anchor) { h.Resident.RPID = "evil.example" }, interlock.GrantForged},
		{"a registration in place of consent", func(h *granttest.Home, _ *grant.Anchor) { h.Resident.Type = "webauthn.create" }, interlock.GrantForged},
		{"another household's consent", func(h *granttest.Home, _ *grant.Anchor) { h.Consent.Household, h.Delivery.Household = "other", "other" }, interlock.NoConsent},
		{"another hub's consent", func(h *granttest.Home, _ *grant.Anchor) { h.Consent.Hub, h.Delivery.Hub = "other", "other" }, interlock.NoConsent},
		{"consent of an older epoch (T29)", func(h *granttest.Home, a *grant.Anchor) { a.Epoch = 2 }, interlock.NoConsent},
		{"consent of a later epoch", func(h *granttest.Home, _ *grant.Anchor) { h.Consent.Epoch = 2 }, interlock.NoConsent},
		{"delivery of an older epoch (T29)", func(h *granttest.Home, a *grant.Anchor) { a.Epoch, h.Consent.Epoch = 2, 2 }, interlock.GrantRevoked},
		{"tokens by a key that the consent does not name", func(h *granttest.Home, _ *grant.Anchor) { h.Carrier = stranger.Carrier }, interlock.GrantForged},
		{"consent to another key", func(h *granttest.Home, _ *grant.Anchor) {
			h.Consent.CarrierKey = stranger.Carrier.Public().(ed25519.PublicKey)
		}, interlock.GrantForged},
		{"courier of another carrier", func(h *granttest.Home, _ *grant.Anchor) { h.Credential.Carrier = "other" }, interlock.GrantForged},
		{"delivery of another carrier", func(h *granttest.Home, _ *grant.Anchor) { h.Delivery.Carrier = "other" }, interlock.GrantForged},
		{"consent to another carrier's name", func(h *granttest.Home, _ *grant.Anchor) { h.Consent.Carrier = "other" }, interlock.GrantForged},
		{"delivery to another household (T24)", func(h *granttest.Home, _ *grant.Anchor) { h.Delivery.Household = "other" }, interlock.NoConsent},
		{"delivery to another hub", func(h *granttest.Home, _ *grant.Anchor) { h.Delivery.Hub = "other" }, interlock.WrongDoor},
		{"delivery to a door that the consent does not name", func(h *granttest.Home, _ *grant.Anchor) { h.Delivery.Door = "garage" }, interlock.NoConsent},
		{"delivery by another courier", func(h *granttest.Home, _ *grant.Anchor) { h.Delivery.Courier = "other" }, interlock.WrongCourier},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := granttest.New("a", noon)
			a := h.Anchor()
			c.change(h, &a)
			g, why, err := grant.Verify(h.Chain(), a)
			if why != c.want || err == nil {
				t.Fatalf("Verify = %v, %v; want %v", why, err, c.want)
			}
			if !reflect.DeepEqual(g, grant.Grant{}) {
				t.Errorf("a refused chain gives a grant: %+v", g)
			}
		})
	}
}

// T13: whatever single bit is changed anywhere in a chain, it is refused, or means exactly the same (the browser's own
// remarks are not signed).
func TestEachBitOfAChain(t *testing.T) {
	h := granttest.New("a", noon)
	honest := h.Chain()
	want := h.Grant()
	parts := []struct {
		name string
		of   func(*grant.Chain) *string
		all  bool // every change must be refused
	}{
		{"document", func(c *grant.Chain) *string { s := string(c.Consent.Document); return &s }, true},
		{"assertion", func(c *grant.Chain) *string { s := string(c.Consent.Assertion); return &s }, false},
		{"courier", func(c *grant.Chain) *string { return &c.Courier }, false},
		{"delivery", func(c *grant.Chain) *string { return &c.Delivery }, false},
	}
	for _, p := range parts {
		n := len(*p.of(&honest))
		same := 0
		for i := range n {
			c := honest
			b := []byte(*p.of(&c))
			b[i] ^= 1 << (i % 7)
			switch p.name {
			case "document":
				c.Consent.Document = b
			case "assertion":
				c.Consent.Assertion = b
			case "courier":
				c.Courier = string(b)
			case "delivery":
				c.Delivery = string(b)
			}
			g, why, err := grant.Verify(c, h.Anchor())
			if err != nil && why != interlock.NoReason {
				continue
			}
			if same++; p.all || !reflect.DeepEqual(g, want) {
				t.Fatalf("%s, byte %d: accepted as %+v (%v, %v)", p.name, i, g, why, err)
			}
		}
		t.Logf("%s: %d bits changed, %d without a meaning", p.name, n, same)
	}
}

// A token is of one kind and one carrier; nothing can stand in for another.
func TestTokensDoNotMix(t *testing.T) {
	h := granttest.New("a", noon)
	honest := h.Chain()
	for name, c := range map[string]grant.Chain{
		"courier twice":         {Consent: honest.Consent, Courier: honest.Courier, Delivery: honest.Courier},
		"delivery twice":        {Consent: honest.Consent, Courier: honest.Delivery, Delivery: honest.Delivery},
		"exchanged":             {Consent: honest.Consent, Courier: honest.Delivery, Delivery: honest.Courier},
		"without a delivery":    {Consent: honest.Consent, Courier: honest.Courier},
		"without a courier":     {Consent: honest.Consent, Delivery: honest.Delivery},
		"without a consent":     {Courier: honest.Courier, Delivery: honest.Delivery},
		"footer cut off":        {Consent: honest.Consent, Courier: honest.Courier, Delivery: honest.Delivery[:strings.LastIndex(honest.Delivery, ".")]},
		"another footer":        {Consent: honest.Consent, Courier: honest.Courier, Delivery: honest.Delivery[:strings.LastIndex(honest.Delivery, ".")] + honest.Courier[strings.LastIndex(honest.Courier, "."):]},
		"an older PASETO":       {Consent: honest.Consent, Courier: honest.Courier, Delivery: strings.Replace(honest.Delivery, "v4.", "v2.", 1)},
		"an encrypted one":      {Consent: honest.Consent, Courier: honest.Courier, Delivery: strings.Replace(honest.Delivery, "public", "local", 1)},
		"a huge one":            {Consent: honest.Consent, Courier: honest.Courier, Delivery: "v4.public." + strings.Repeat("A", 30_000)},
		"another home's tokens": {Consent: honest.Consent, Courier: granttest.New("b", noon).Chain().Courier, Delivery: granttest.New("b", noon).Chain().Delivery},
	} {
		if _, why, err := grant.Verify(c, h.Anchor()); why != interlock.GrantForged || err == nil {
			t.Errorf("%s: %v, %v; want %v", name, why, err, interlock.GrantForged)
		}
	}
}

func TestChainEncoding(t *testing.T) {
	h := granttest.New("a", noon)
	b := h.Bytes()
	for name, bad := range map[string][]byte{
		"nothing":         nil,
		"a blank behind":  append(append([]byte(nil), b...), ' '),
		"two of them":     append(append([]byte(nil), b...), b...),
		"unknown member":  []byte(strings.Replace(string(b), `{"consent"`, `{"more":1,"consent"`, 1)),
		"doubled member":  []byte(strings.Replace(string(b), `{"consent"`, `{"courier":"x","consent"`, 1)),
		"member in caps":  []byte(strings.Replace(string(b), `"courier"`, `"Courier"`, 1)),
		"too long":        []byte(strings.Repeat(" ", grant.MaxChain+1)),
		"a list":          []byte(`[]`),
		"null":            []byte(`null`),
		"an empty object": []byte(`{}`),
	} {
		if _, err := grant.Decode(bad); !errors.Is(err, grant.ErrMalformed) {
			t.Errorf("%s: %v, want ErrMalformed", name, err)
		}
	}
	c := h.Chain()
	c.Courier = strings.Repeat("x", grant.MaxChain)
	if _, err := c.Encode(); !errors.Is(err, grant.ErrMalformed) {
		t.Errorf("a chain over the limit is encoded: %v", err)
	}
}

// A key that was looked at stays what it was: with a public half that was put in afterwards a signature would tell the secret one.
func TestKeyIsItsOwn(t *testing.T) {
	h := granttest.New("a", noon)
	private := slices.Clone(h.Carrier)
	key, err := grant.NewKey(private)
	if err != nil {
		t.Fatal(err)
	}
	want, err := key.Delivery(h.Delivery, h.Issued)
	if err != nil {
		t.Fatal(err)
	}
	private[len(private)-1] ^= 1
	if got, err := key.Delivery(h.Delivery, h.Issued); err != nil || got != want {
		t.Errorf("signs otherwise once its maker's bytes have changed: %v", err)
	}
	if _, err := grant.NewKey(private); !errors.Is(err, grant.ErrMalformed) {
		t.Errorf("two halves that do not belong together: %v", err)
	}
}

// What a carrier cannot mean to sign is refused when it is issued, and names with any letters survive the journey.
func TestIssueRefuses(t *testing.T) {
	h := granttest.New("a", noon)
	for name, change := range map[string]func(*grant.Delivery){
		"no id":          func(d *grant.Delivery) { d.ID = "" },
		"long id":        func(d *grant.Delivery) { d.ID = strings.Repeat("x", 129) },
		"no courier":     func(d *grant.Delivery) { d.Courier = "" },
		"window reverse": func(d *grant.Delivery) { d.Until = d.From },
		"no parcel":      func(d *grant.Delivery) { d.Parcels = nil },
		"empty parcel":   func(d *grant.Delivery) { d.Parcels = []string{""} },
		"65 parcels":     func(d *grant.Delivery) { d.Parcels = strings.Split(strings.Repeat("p,", 64)+"p", ",") },
		"off the Earth":  func(d *grant.Delivery) { d.Place = &grant.Place{Lat: 91, Metres: 10} },
		"no radius":      func(d *grant.Delivery) { d.Place = &grant.Place{} },
		"huge radius":    func(d *grant.Delivery) { d.Place = &grant.Place{Metres: 20_000_000} },
	} {
		d := h.Delivery
		change(&d)
		if _, err := grant.IssueDelivery(h.Carrier, d, h.Issued); !errors.Is(err, grant.ErrMalformed) {
			t.Errorf("%s: %v, want ErrMalformed", name, err)
		}
	}
	if _, err := grant.IssueDelivery(h.Carrier[:32], h.Delivery, h.Issued); !errors.Is(err, grant.ErrMalformed) {
		t.Errorf("half a key: %v", err)
	}
	if _, err := grant.IssueDelivery(h.Carrier, h.Delivery, h.Delivery.Until); !errors.Is(err, grant.ErrMalformed) {
		t.Errorf("issued when it is over: %v", err)
	}
	c := h.Credential
	c.Passkeys = nil
	if _, err := grant.IssueCourier(h.Carrier, c, h.Issued, noon); !errors.Is(err, grant.ErrMalformed) {
		t.Errorf("courier without a passkey: %v", err)
	}
	for n := range 20 {
		phone := h.Credential.Passkeys[0]
		phone.ID = []byte{byte(n)}
		c.Passkeys = append(c.Passkeys, phone)
		if _, err := grant.IssueCourier(h.Carrier, c, h.Issued, noon.Add(time.Hour)); errors.Is(err, grant.ErrMalformed) != (n >= 16) {
			t.Errorf("courier with %d passkeys: %v", n+1, err)
		}
	}
	zoned := h.Delivery
	zoned.From, zoned.Until = zoned.From.Add(17).In(time.FixedZone("X", 3600)), zoned.Until.Add(17).In(time.FixedZone("X", 3600))
	one, err1 := grant.IssueDelivery(h.Carrier, h.Delivery, h.Issued)
	two, err2 := grant.IssueDelivery(h.Carrier, zoned, h.Issued)
	if one != two || err1 != nil || err2 != nil {
		t.Errorf("one window, said in another zone and to the nanosecond, is another grant: %v %v", err1, err2)
	}
	h.Credential.Name = `Zoë <b>"&"</b> 张伟`
	h.Delivery.Parcels = []string{"1Z<&>\u2028"}
	if g := h.Grant(); g.Courier.Name != h.Credential.Name || g.Delivery.Parcels[0] != h.Delivery.Parcels[0] {
		t.Errorf("names changed on the way: %q", g.Courier.Name)
	}
}

func FuzzDecode(f *testing.F) {
	h := granttest.New("a", noon)
	f.Add(h.Bytes())
	f.Add([]byte(`{"consent":{"document":"","assertion":""},"courier":"","delivery":""}`))
	anchor := h.Anchor()
	want := h.Grant()
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := grant.Decode(b)
		if err != nil {
			return
		}
		again, err := c.Encode()
		if err != nil || string(again) != string(b) {
			t.Fatalf("decoded but not canonical: %q, %v", again, err)
		}
		g, why, err := grant.Verify(c, anchor)
		if (err == nil) != (why == interlock.NoReason) {
			t.Fatalf("reason %v with error %v", why, err)
		}
		if err == nil && !reflect.DeepEqual(g, want) {
			t.Fatalf("a grant that nobody signed: %+v", g)
		}
	})
}
