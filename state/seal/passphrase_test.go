package seal

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"filippo.io/age"
)

const cheap = 10 // 2^10: enough for a test

func TestProtectedIdentitiesOpenWithTheirPassphrase(t *testing.T) {
	text, recipient, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	armored, err := Protect(text, "correct horse", cheap)
	if err != nil {
		t.Fatal(err)
	}
	sshKey, public := sshPair(t, ed25519Key(t), "correct horse")
	parsed, err := ParseRecipient(public)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ file, want string }{
		"armored":            {armored, recipient},
		"armored, line ends": {strings.ReplaceAll(armored, "\n", "\r\n"), recipient},
		"binary":             {binaryIdentity(t, text, "correct horse", cheap), recipient},
		"ssh":                {sshKey, parsed.Name},
	} {
		if !Protected(tt.file) {
			t.Errorf("%s: does not look protected", name)
		}
		if _, err := ParseIdentities(tt.file); !errors.Is(err, ErrPassphrase) {
			t.Errorf("%s: without a passphrase: %v", name, err)
		}
		for _, wrong := range []string{"", "Correct horse", "correct horse "} {
			if _, err := Unprotect(tt.file, wrong); !errors.Is(err, ErrWrongPassphrase) {
				t.Errorf("%s: with %q: %v", name, wrong, err)
			}
		}
		plain, err := Unprotect(tt.file, "correct horse")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		ids, err := ParseIdentities(plain)
		if err != nil || len(ids) != 1 {
			t.Errorf("%s: what was in it: %v", name, err)
			continue
		}
		if got, _ := RecipientOf(ids[0]); got != tt.want {
			t.Errorf("%s: opens for %q, want %q", name, got, tt.want)
		}
	}
	if got, ok := PublicOf(sshKey); !ok || got != parsed.Name {
		t.Errorf("the public half of a protected ssh key: %q", got)
	}
	if Protected(text) {
		t.Error("an identity in clear looks protected")
	}
}

func binaryIdentity(t *testing.T, text, passphrase string, workFactor int) string {
	t.Helper()
	r, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		t.Fatal(err)
	}
	r.SetWorkFactor(workFactor)
	return ageFile(t, text, r)
}

func ageFile(t *testing.T, text string, r age.Recipient) string {
	t.Helper()
	var b bytes.Buffer
	w, err := age.Encrypt(&b, r)
	if err == nil {
		_, err = w.Write([]byte(text))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A file of somebody else does not keep this process busy, or fill its memory.
func TestHostileProtectedIdentities(t *testing.T) {
	text, recipient, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	costly := strings.Replace(binaryIdentity(t, text, "x", cheap), " 10\n", " 24\n", 1)
	r, err := ParseRecipient(recipient)
	if err != nil {
		t.Fatal(err)
	}
	good := binaryIdentity(t, text, "x", cheap)
	for name, tt := range map[string]struct{ file, want string }{
		"costly":                 {costly, "too costly"},
		"for a key":              {ageFile(t, text, r.age), "encrypted for a key"},
		"cut":                    {good[:len(good)-20], "damaged"},
		"only the first line":    {"age-encryption.org/v1\n", "damaged"},
		"armor of nothing":       {"-----BEGIN AGE ENCRYPTED FILE-----\n", "damaged"},
		"large":                  {binaryIdentity(t, strings.Repeat("#", 1<<17), "x", cheap), "too large"},
		"an ssh key that is cut": {"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----", "cannot be read"},
	} {
		if _, err := Unprotect(tt.file, "x"); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q in it", name, err, tt.want)
		}
	}
}

// An identity that is protected is opened for a state that is wrapped for it, and for no other.
func TestLazyIdentitiesAreOpenedWhenTheyFit(t *testing.T) {
	text, recipient, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	box, err := NewBox(NewKey(), strings.Repeat("0a", 16))
	if err != nil {
		t.Fatal(err)
	}
	h := NewHeader(box)
	r, err := ParseRecipient(recipient)
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := box.Wrap(r)
	if err != nil {
		t.Fatal(err)
	}
	h.Keys = []Wrapped{wrapped}
	if h, err = ParseHeader(h.Encode(box)); err != nil {
		t.Fatal(err)
	}
	asked := 0
	open := func() ([]age.Identity, error) { asked++; return ParseIdentities(text) }
	_, other, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Unwrap(h, []age.Identity{Lazy(other, open)}); !errors.Is(err, ErrNoIdentity) || asked != 0 {
		t.Errorf("one that does not fit: %v, asked %d times", err, asked)
	}
	if _, err := Unwrap(h, []age.Identity{Lazy(other, open), Lazy(recipient, open)}); err != nil || asked != 1 {
		t.Errorf("one that fits: %v, asked %d times", err, asked)
	}
	var locked *LockedError
	_, err = Unwrap(h, []age.Identity{Lazy(recipient, func() ([]age.Identity, error) { return nil, ErrWrongPassphrase })})
	if !errors.As(err, &locked) || !errors.Is(err, ErrWrongPassphrase) || errors.Is(err, ErrHeader) {
		t.Errorf("one that is not opened: %v", err)
	}
	_, err = Unwrap(h, []age.Identity{Lazy(recipient, func() ([]age.Identity, error) {
		text, _, err := NewIdentity()
		if err != nil {
			return nil, err
		}
		return ParseIdentities(text)
	})})
	if !errors.As(err, &locked) {
		t.Errorf("another key in its place: %v", err)
	}
}
