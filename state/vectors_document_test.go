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

// checkDocumentVector reads a document by the specification, and pushes it into
// an empty place.
func checkDocumentVector(t *testing.T, v map[string]string) {
	t.Helper()
	text := spec64(v["document"])
	got, err := specDocument(text, v["identity"])
	if o := outcome(err); o != v["expect"] {
		t.Errorf("by the specification: %s (%v), want %s: %s", o, err, v["expect"], v["comment"])
	} else if err == nil && !reflect.DeepEqual(got, decodeJSON(t, v["tokens-json"])) {
		t.Errorf("by the specification: %v", got)
	}
	s := openStore(t, backendtest.NewMemory(), person{ids: identityOf(v)})
	_, err = s.Push(t.Context(), text, state.PushOptions{})
	if o := outcome(err); o != v["expect"] {
		t.Errorf("by this package: %s (%v), want %s: %s", o, err, v["expect"], v["comment"])
	}
	if err != nil {
		return
	}
	if again := export(t, s); !bytes.Equal(again, text) {
		t.Errorf("the document of the pushed state is another one")
	}
	all, err := s.All(t.Context(), state.PartTokens)
	must(t, err)
	for _, r := range all {
		if want := got.(map[string]any)[r.Addr.String()].(map[string]any)["access_token"]; r.Tokens.AccessToken.Reveal() != want {
			t.Errorf("%s: another access token", r.Addr)
		}
	}
}

func writeDocumentVectors(t *testing.T) {
	t.Helper()
	type spoiler = func(text string) string
	replace := func(from, to string) spoiler {
		return func(text string) string { return strings.Replace(text, from, to, 1) }
	}
	for _, c := range []struct {
		name, expect, comment string
		spoil                 spoiler
	}{
		{"document-ok", "ok", "a document of two records", nil},
		{"document-tampered-record", "tampered", "the first record was left out", func(text string) string {
			i, j := strings.Index(text, `{"address"`), strings.LastIndex(text, `{"address"`)
			return text[:i] + text[j:]
		}},
		{"document-tampered-serial", "tampered", "another serial than the header's", replace(`"serial":1`, `"serial":2`)},
		{"document-tampered-mac", "tampered", "no MAC", func(text string) string { return text[:strings.Index(text, `,"mac"`)] + "}\n" }},
		{"document-tampered-cut", "tampered", "the end is missing", func(text string) string { return text[:len(text)/2] }},
		{"document-tampered-form", "tampered", "the same JSON in another form", replace(`,"records":`, `, "records":`)},
		{"document-newer", "newer-format", "a document of version 2", replace(`"version":1`, `"version":2`)},
	} {
		file := filepath.Join(vectorDir, c.name+".txt")
		if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		identity, recipient, err := seal.NewIdentity()
		must(t, err)
		v := map[string]string{"identity": strings.Split(identity, "\n")[1]}
		s := create(t, openStore(t, backendtest.NewMemory(), person{recipient: recipient, ids: identityOf(v)}))
		must(t, s.PutNext(t.Context(), record("graph")))
		must(t, s.Put(t.Context(), record("mail")))
		text := string(export(t, s))
		if c.spoil != nil {
			text = c.spoil(text)
		}
		out := fmt.Sprintf("comment: %s\nexpect: %s\nidentity: %s\ndocument: %s\n", c.comment, c.expect, v["identity"], base64.RawStdEncoding.EncodeToString([]byte(text)))
		if c.expect == "ok" {
			out += "tokens-json: " + documentTokens(t, s) + "\n"
		}
		must(t, os.WriteFile(file, []byte(out), 0o644))
	}
}

// documentTokens are the tokens of a state by address.
func documentTokens(t *testing.T, s *state.Store) string {
	t.Helper()
	all, err := s.All(t.Context(), state.PartAll)
	must(t, err)
	var out []string
	for _, r := range all {
		out = append(out, fmt.Sprintf(`%q:{"access_token":%q,"refresh_token":%q,"token_type":%q}`, r.Addr, r.Tokens.AccessToken.Reveal(), r.Tokens.RefreshToken.Reveal(), r.Tokens.TokenType))
	}
	return "{" + strings.Join(out, ",") + "}"
}
