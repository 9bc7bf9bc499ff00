package seal

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const lineage = "0123456789abcdef0123456789abcdef"

func newBox(t testing.TB) *Box {
	t.Helper()
	b, err := NewBox(NewKey(), lineage)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// newHeader is a header wrapped for n new identities.
func newHeader(t testing.TB, box *Box, n int) (*Header, []age.Identity) {
	t.Helper()
	h := NewHeader(box)
	h.Serial = 7
	var ids []age.Identity
	for range n {
		text, recipient, err := NewIdentity()
		if err != nil {
			t.Fatal(err)
		}
		id, err := ParseIdentities(text)
		if err != nil {
			t.Fatal(err)
		}
		r, err := ParseRecipient(recipient)
		if err != nil {
			t.Fatal(err)
		}
		w, err := box.Wrap(r)
		if err != nil {
			t.Fatal(err)
		}
		h.Keys, ids = append(h.Keys, w), append(ids, id...)
	}
	return h, ids
}

func TestSealedBytesOpenOnlyAtTheirPlace(t *testing.T) {
	box, other := newBox(t), newBox(t)
	place := Place{Address: "connection.a", Generation: 3, Part: "info"}
	sealed := box.Seal([]byte("secret"), place)
	if got, err := box.Open(sealed, place); err != nil || string(got) != "secret" {
		t.Fatalf("opened %q, %v", got, err)
	}
	if bytes.Contains(sealed, []byte("secret")) || len(sealed) != len("secret")+Overhead {
		t.Errorf("sealed %q", sealed)
	}
	if again := box.Seal([]byte("secret"), place); bytes.Equal(again, sealed) {
		t.Error("sealing twice gives the same bytes: the nonce is not random")
	}
	elsewhere, err := NewBox(box.key, strings.Repeat("f", 32))
	if err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func() ([]byte, error){
		"another address":    func() ([]byte, error) { return box.Open(sealed, Place{"connection.b", 3, "info"}) },
		"another generation": func() ([]byte, error) { return box.Open(sealed, Place{"connection.a", 2, "info"}) },
		"another part":       func() ([]byte, error) { return box.Open(sealed, Place{"connection.a", 3, "tokens"}) },
		"a shifted field":    func() ([]byte, error) { return box.Open(sealed, Place{"connection.", 3, "ainfo"}) },
		"another key":        func() ([]byte, error) { return other.Open(sealed, place) },
		"another lineage":    func() ([]byte, error) { return elsewhere.Open(sealed, place) },
		"a byte less":        func() ([]byte, error) { return box.Open(sealed[:len(sealed)-1], place) },
		"a byte more":        func() ([]byte, error) { return box.Open(append(slices.Clone(sealed), 0), place) },
		"nothing":            func() ([]byte, error) { return box.Open(nil, place) },
	} {
		if got, err := open(); !errors.Is(err, ErrOpen) || got != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestKeysDoNotPrint(t *testing.T) {
	k := NewKey()
	box := newBox(t)
	box.key = k
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		for _, v := range []any{k, box} {
			if got := fmt.Sprintf(verb, v); got != "(sensitive)" {
				t.Errorf("%s of %T: %s", verb, v, got)
			}
		}
	}
}

func TestAHeaderComesBackAsItWasWritten(t *testing.T) {
	box := newBox(t)
	h, ids := newHeader(t, box, 3)
	text := h.Encode(box)
	got, err := ParseHeader(text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if d := cmp.Diff(h, got, cmpopts.IgnoreUnexported(Header{})); d != "" {
		t.Errorf("header (-want +got):\n%s", d)
	}
	for i, id := range ids {
		opened, err := Unwrap(got, []age.Identity{id})
		if err != nil {
			t.Fatalf("identity %d: %v", i, err)
		}
		if opened.Commitment() != box.Commitment() {
			t.Error("another key came out")
		}
	}
	if bytes.Contains(text, box.key.b[:]) {
		t.Error("the data key is in the header")
	}
}

func TestNoBitOfAHeaderCanChange(t *testing.T) {
	box := newBox(t)
	h, ids := newHeader(t, box, 2)
	next := newBox(t)
	n, err := h.Next(box, next)
	if err != nil {
		t.Fatal(err)
	}
	n.Keys = append(n.Keys, mustWrap(t, next, h.Keys[0].Recipient), mustWrap(t, next, h.Keys[1].Recipient))
	text := n.Encode(next)
	for i := range text {
		for bit := range 8 {
			bad := bytes.Clone(text)
			bad[i] ^= 1 << bit
			if err := openHeader(bad, ids[1]); !errors.Is(err, ErrHeader) && !errors.Is(err, ErrNewer) && !errors.Is(err, ErrNoIdentity) {
				t.Fatalf("bit %d of byte %d (%q): %v", bit, i, text[i], err)
			}
		}
	}
	for i := range text { // and no end can be cut off
		if err := openHeader(text[:i], ids[1]); !errors.Is(err, ErrHeader) {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
	if err := openHeader(append(bytes.Clone(text), '\n'), ids[1]); !errors.Is(err, ErrHeader) {
		t.Errorf("a line more: %v", err)
	}
}

func mustWrap(t testing.TB, box *Box, recipient string) Wrapped {
	t.Helper()
	r, err := ParseRecipient(recipient)
	if err != nil {
		t.Fatal(err)
	}
	w, err := box.Wrap(r)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func openHeader(text []byte, ids ...age.Identity) error {
	h, err := ParseHeader(text)
	if err != nil {
		return err
	}
	_, err = Unwrap(h, ids)
	return err
}

func TestHeadersThatAreNot(t *testing.T) {
	box := newBox(t)
	h, _ := newHeader(t, box, 1)
	good := string(h.Encode(box))
	tests := map[string]struct {
		text string
		want error
	}{
		"empty":            {"", ErrHeader},
		"another file":     {"age-encryption.org/v1\n", ErrHeader},
		"a newer format":   {strings.Replace(good, "/1\n", "/2\n", 1), ErrNewer},
		"format 0":         {strings.Replace(good, "/1\n", "/0\n", 1), ErrHeader},
		"format 01":        {strings.Replace(good, "/1\n", "/01\n", 1), ErrHeader},
		"format 1e9":       {strings.Replace(good, "/1\n", "/1e9\n", 1), ErrHeader},
		"a negative":       {strings.Replace(good, "serial 7", "serial -7", 1), ErrHeader},
		"a huge serial":    {strings.Replace(good, "serial 7", "serial 18446744073709551615", 1), ErrHeader},
		"epoch 0":          {strings.Replace(good, "epoch 1", "epoch 0", 1), ErrHeader},
		"lines swapped":    {strings.Replace(good, "serial 7\nepoch 1\n", "epoch 1\nserial 7\n", 1), ErrHeader},
		"carriage returns": {strings.ReplaceAll(good, "\n", "\r\n"), ErrHeader},
		"an unknown line":  {strings.Replace(good, "epoch 1\n", "epoch 1\nextra x\n", 1), ErrHeader},
		"a short lineage":  {strings.Replace(good, lineage, lineage[:30], 1), ErrHeader},
		"upper case":       {strings.Replace(good, lineage, strings.ToUpper(lineage), 1), ErrHeader},
		"padded base64":    {strings.Replace(good, "\nkey ", "=\nkey ", 1), ErrHeader},
		"for nobody":       {good[:strings.Index(good, "key ")] + good[strings.Index(good, "mac "):], ErrHeader},
	}
	for name, test := range tests {
		if _, err := ParseHeader([]byte(test.text)); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

// counting is an identity of a kind that does not tell its recipient.
type counting struct {
	age.Identity
	n *int
}

func (c counting) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	*c.n++
	return c.Identity.Unwrap(stanzas)
}

func TestIdentitiesAreFoundByNameOrByTrying(t *testing.T) {
	box := newBox(t)
	h, ids := newHeader(t, box, 5)
	h, err := ParseHeader(h.Encode(box))
	if err != nil {
		t.Fatal(err)
	}
	_, strangers := newHeader(t, box, 2)
	tries := 0
	for name, test := range map[string]struct {
		ids  []age.Identity
		want error
	}{
		"the last of five":     {[]age.Identity{ids[4]}, nil},
		"after strangers":      {append(slices.Clone(strangers), ids[0]), nil},
		"of an unknown kind":   {[]age.Identity{counting{ids[3], &tries}}, nil},
		"strangers only":       {strangers, ErrNoIdentity},
		"an unknown stranger":  {[]age.Identity{counting{strangers[0], new(int)}}, ErrNoIdentity},
		"nobody":               {nil, ErrNoIdentity},
		"damaged, then a good": {[]age.Identity{ids[1], ids[2]}, nil},
		"only the damaged":     {[]age.Identity{ids[1]}, ErrHeader},
	} {
		x := *h
		x.Keys = slices.Clone(h.Keys)
		if strings.Contains(name, "damaged") {
			x.Keys[1].File = bytes.Clone(x.Keys[1].File)
			x.Keys[1].File[len(x.Keys[1].File)-1] ^= 1
		}
		if _, err := Unwrap(&x, test.ids); !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	if tries != 4 {
		t.Errorf("tried %d times, want 4: until the right one", tries)
	}
}

func TestAWrappedKeyOfSomebodyElseIsNotTaken(t *testing.T) {
	box, mallory := newBox(t), newBox(t)
	h, ids := newHeader(t, box, 1)
	h.Keys[0] = mustWrap(t, mallory, h.Keys[0].Recipient) // anybody can wrap for a public key
	h, err := ParseHeader(h.Encode(box))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Unwrap(h, ids); !errors.Is(err, ErrHeader) {
		t.Errorf("error %v, want ErrHeader", err)
	}
}

func TestSuccessionIsProvenByTheOlderKey(t *testing.T) {
	first := newBox(t)
	h, _ := newHeader(t, first, 1)
	boxes := []*Box{first}
	for range maxPast + 2 {
		last, next := boxes[len(boxes)-1], newBox(t)
		n, err := h.Next(last, next)
		if err != nil {
			t.Fatal(err)
		}
		h, boxes = n, append(boxes, next)
	}
	last := boxes[len(boxes)-1]
	if h.Epoch != uint64(len(boxes)) || len(h.Past) != maxPast {
		t.Errorf("epoch %d, %d past keys", h.Epoch, len(h.Past))
	}
	for i, b := range boxes[:len(boxes)-1] {
		want := i >= len(boxes)-1-maxPast
		if got := h.Succeeds(last, b.Commitment()); got != want {
			t.Errorf("succeeds key %d: %v, want %v", i, got, want)
		}
	}
	if h.Succeeds(last, newBox(t).Commitment()) {
		t.Error("succeeds a key that it never had")
	}
	if _, err := h.Next(first, newBox(t)); err == nil {
		t.Error("a header was continued with a key that is not its own")
	}
}

func FuzzParseHeader(f *testing.F) {
	box, err := NewBox(NewKey(), lineage)
	if err != nil {
		f.Fatal(err)
	}
	h := NewHeader(box)
	h.Keys = []Wrapped{{Recipient: "age1x", File: []byte("file")}}
	h.Past = [][]byte{[]byte("past")}
	good := h.Encode(box)
	f.Add(good)
	f.Fuzz(func(t *testing.T, text []byte) {
		h, err := ParseHeader(text)
		if err != nil {
			return
		}
		if h.Verify(box) == nil && !bytes.Equal(text, good) {
			t.Errorf("another text passes:\n%s", text)
		}
		again, err := ParseHeader(h.Encode(box))
		if err != nil {
			t.Fatalf("not read again: %v", err)
		}
		if d := cmp.Diff(h, again, cmpopts.IgnoreUnexported(Header{}), cmpopts.EquateEmpty()); d != "" {
			t.Error(d)
		}
	})
}

func BenchmarkUnwrap(b *testing.B) {
	for _, n := range []int{1, 50} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			box := newBox(b)
			h, ids := newHeader(b, box, n)
			text := h.Encode(box)
			for b.Loop() {
				h, err := ParseHeader(text)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := Unwrap(h, ids[n-1:]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
