package state_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/backendtest"
	"github.com/oauthctl/oauthctl/state/seal"
)

// A consent travels to the recipients that it was sealed for, with all that a
// refresh needs, and without what means something in its own state only.
func TestAConsentTravels(t *testing.T) {
	alice, bob := newPerson(t), newPerson(t)
	r := record("graph")
	r.Generation, r.Info.ConfigSerial = 7, 3
	r.Info.Fingerprint = map[string]string{"client_secret": "keyed-elsewhere"}
	r.Info.Intent = &state.Intent{Sends: 1}
	text, err := state.SealConsent(r, []string{bob.recipient}, true)
	must(t, err)
	if bytes.Contains(text, []byte(r.Tokens.RefreshToken.Reveal())) || bytes.Contains(text, []byte("canary")) {
		t.Error("the consent is in clear")
	}
	if again, err := state.SealConsent(r, []string{bob.recipient}, true); err != nil || bytes.Equal(again, text) {
		t.Errorf("two exports share a key: %v", err)
	}
	for form, text := range map[string][]byte{"as it is": text, "in base64": []byte(base64.StdEncoding.EncodeToString(text))} {
		got, sandbox, err := openStore(t, backendtest.NewMemory(), bob).OpenConsent(text)
		must(t, err)
		if !sandbox || got.Addr != r.Addr || !got.Tokens.RefreshToken.Equal(r.Tokens.RefreshToken) || got.Info.Client.TokenEndpoint != r.Info.Client.TokenEndpoint {
			t.Errorf("%s: another consent arrived: %+v", form, got.Summary)
		}
		if i := got.Info; got.Generation != 0 || i.ConfigSerial != 0 || i.Fingerprint != nil || i.Intent != nil {
			t.Errorf("%s: what is of its own state came along: %+v", form, i)
		}
	}
	if r.Generation != 7 || r.Info.Fingerprint == nil {
		t.Error("the record itself was changed")
	}
	if _, _, err := openStore(t, backendtest.NewMemory(), alice).OpenConsent(text); !errors.Is(err, state.ErrNoKey) || !strings.Contains(err.Error(), "key show") {
		t.Errorf("who it is not for: %v", err)
	}
}

// A consent is not a state, and a state is not a consent.
func TestAConsentIsNotAState(t *testing.T) {
	alice := newPerson(t)
	s, _ := holding(t, alice, "graph")
	one, err := state.SealConsent(record("graph"), []string{alice.recipient}, false)
	must(t, err)
	if _, err := s.Push(t.Context(), one, state.PushOptions{Force: true}); !errors.Is(err, state.ErrTampered) || !strings.Contains(err.Error(), "consent import") {
		t.Errorf("push: %v", err)
	}
	if _, _, err := s.OpenConsent(export(t, s)); !errors.Is(err, state.ErrTampered) || !strings.Contains(err.Error(), "state push") {
		t.Errorf("open: %v", err)
	}
	if _, _, err := s.OpenConsent([]byte(`{"format":"other"}`)); !errors.Is(err, state.ErrTampered) {
		t.Errorf("something else: %v", err)
	}
}

// checkConsentVector opens a consent by the specification and by this package.
func checkConsentVector(t *testing.T, v map[string]string) {
	t.Helper()
	text := spec64(v["consent"])
	want := decodeJSON(t, v["tokens-json"])
	got, err := specDocument(text, v["identity"])
	if o := outcome(err); o != v["expect"] {
		t.Errorf("by the specification: %s (%v), want %s: %s", o, err, v["expect"], v["comment"])
	} else if err == nil && !reflect.DeepEqual(got, want) {
		t.Errorf("by the specification: %v", got)
	}
	s := openStore(t, backendtest.NewMemory(), person{ids: identityOf(v)})
	r, sandbox, err := s.OpenConsent(text)
	if o := outcome(err); o != v["expect"] {
		t.Errorf("by this package: %s (%v), want %s: %s", o, err, v["expect"], v["comment"])
	} else if err == nil && (sandbox != bytes.Contains(text, []byte(`"sandbox":true`)) ||
		want.(map[string]any)[r.Addr.String()].(map[string]any)["access_token"] != r.Tokens.AccessToken.Reveal()) {
		t.Errorf("by this package: another consent, sandbox %v", sandbox)
	}
}

func writeConsentVectors(t *testing.T) {
	t.Helper()
	replace := func(from, to string) func(string) string {
		return func(text string) string { return strings.Replace(text, from, to, 1) }
	}
	for _, c := range []struct {
		name, expect, comment string
		spoil                 func(string) string
	}{
		{"consent-ok", "ok", "an exported consent", nil},
		{"consent-tampered-sandbox", "tampered", "a consent that says it is of the sandbox, and is not", replace(`"version":1,`, `"version":1,"sandbox":true,`)},
		{"consent-tampered-status", "tampered", "another status", replace(`"status":"ok"`, `"status":"no"`)},
		{"consent-newer", "newer-format", "a consent of version 2", replace(`"version":1`, `"version":2`)},
	} {
		file := filepath.Join(vectorDir, c.name+".txt")
		if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		identity, recipient, err := seal.NewIdentity()
		must(t, err)
		r := record("graph")
		text, err := state.SealConsent(r, []string{recipient}, false)
		must(t, err)
		if c.spoil != nil {
			text = []byte(c.spoil(string(text)))
		}
		out := fmt.Sprintf("comment: %s\nexpect: %s\nidentity: %s\nconsent: %s\n", c.comment, c.expect, strings.Split(identity, "\n")[1], base64.RawStdEncoding.EncodeToString(text))
		if c.expect == "ok" {
			out += fmt.Sprintf("tokens-json: {%q:{\"access_token\":%q,\"refresh_token\":%q,\"token_type\":%q}}\n", r.Addr,
				r.Tokens.AccessToken.Reveal(), r.Tokens.RefreshToken.Reveal(), r.Tokens.TokenType)
		}
		must(t, os.WriteFile(file, []byte(out), 0o644))
	}
}
