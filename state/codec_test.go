package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state/seal"
)

var (
	anyText  = rapid.String()
	anyTexts = rapid.Custom(func(t *rapid.T) []string {
		return nilIfEmpty(rapid.SliceOfN(anyText, 0, 4).Draw(t, "texts"))
	})
	anyMap = rapid.Custom(func(t *rapid.T) map[string]string {
		m := rapid.MapOfN(anyText, anyText, 0, 4).Draw(t, "map")
		if len(m) == 0 {
			return nil
		}
		return m
	})
	anySecret = rapid.Custom(func(t *rapid.T) secret.Secret { return secret.Secret(anyText.Draw(t, "secret")) })
	anySpan   = rapid.Custom(func(t *rapid.T) time.Duration { return time.Duration(rapid.Int64().Draw(t, "duration")) })
	anyTime   = rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.Bool().Draw(t, "zero") {
			return time.Time{}
		}
		return time.Unix(rapid.Int64Range(1, 253402300799).Draw(t, "seconds"), rapid.Int64Range(0, 999999999).Draw(t, "ns")).UTC()
	})
)

func nilIfEmpty(s []string) []string {
	if len(s) == 0 {
		return nil
	}
	return s
}

func drawRecord(t *rapid.T) *Record {
	a := addr.Connection(rapid.StringMatching(`[a-zA-Z_][a-zA-Z0-9_-]{0,20}`).Draw(t, "name"))
	if rapid.Bool().Draw(t, "keyed") {
		a = a.Instance(anyText.Draw(t, "key"))
	}
	r := &Record{
		Summary: Summary{
			Addr: a, Provider: anyText.Draw(t, "provider"), Status: Status(anyText.Draw(t, "status")),
			ExpiresAt: anyTime.Draw(t, "expires"), RefreshExpiresAt: anyTime.Draw(t, "refresh expires"),
			UpdatedAt: anyTime.Draw(t, "updated"), Generation: rapid.Uint64Range(1, 1<<62).Draw(t, "generation"),
		}.normal(),
		Info: &Info{
			ConfigSerial: rapid.Uint64().Draw(t, "serial"), Provider: anyText.Draw(t, "p"), Title: anyText.Draw(t, "title"),
			Grant: anyText.Draw(t, "grant"), Requested: anyTexts.Draw(t, "requested"), Granted: anyTexts.Draw(t, "granted"),
			Account: anyText.Draw(t, "account"), Subject: anyText.Draw(t, "subject"), RedirectURI: anyText.Draw(t, "uri"), Hosts: anyTexts.Draw(t, "hosts"),
			Fingerprint: anyMap.Draw(t, "fingerprint"), Access: anySpan.Draw(t, "access"), Refresh: anySpan.Draw(t, "refresh"),
			RefreshBefore: anySpan.Draw(t, "before"), AuthorizedAt: anyTime.Draw(t, "authorized"), RefreshedAt: anyTime.Draw(t, "refreshed"),
			ReceivedAt: anyTime.Draw(t, "received"), DependsOn: anyTexts.Draw(t, "depends"), HasRefresh: rapid.Bool().Draw(t, "has refresh"), Preset: anyText.Draw(t, "preset"),
			Client: Client{
				Issuer: anyText.Draw(t, "issuer"), TokenEndpoint: anyText.Draw(t, "te"), RefreshEndpoint: anyText.Draw(t, "re"),
				RevocationEndpoint: anyText.Draw(t, "rev"), IntrospectionEndpoint: anyText.Draw(t, "intro"), JWKSURI: anyText.Draw(t, "jwks"),
				ClientID: anyText.Draw(t, "id"), Auth: anyText.Draw(t, "auth"), ScopeSeparator: anyText.Draw(t, "sep"),
				TokenParams: anyMap.Draw(t, "params"), Resource: anyTexts.Draw(t, "resource"), Rotation: anyText.Draw(t, "rotation"),
				Grace: anySpan.Draw(t, "grace"), BlastRadius: anyText.Draw(t, "blast"), RevocationNote: anyText.Draw(t, "note"),
				Quirks: anyTexts.Draw(t, "quirks"), Origin: anyText.Draw(t, "origin"), AssertionAlgorithm: anyText.Draw(t, "alg"), AssertionKeyID: anyText.Draw(t, "kid"),
				AssertionAudience: anyText.Draw(t, "aud"), AssertionLifetime: anySpan.Draw(t, "life"), AssertionFile: anyText.Draw(t, "file"),
				AssertionEnv: anyText.Draw(t, "env"), CertificateSHA256: anyText.Draw(t, "x5t#S256"), CertificateSHA1: anyText.Draw(t, "x5t"),
				CertificateEnds: anyTime.Draw(t, "ends"), RefreshFixed: rapid.Bool().Draw(t, "fixed"), Guarded: rapid.Bool().Draw(t, "guarded"),
			},
		},
		Tokens: &Tokens{
			AccessToken: anySecret.Draw(t, "at"), RefreshToken: anySecret.Draw(t, "rt"), IDToken: anySecret.Draw(t, "it"),
			ClientSecret: anySecret.Draw(t, "cs"), ClientKey: anySecret.Draw(t, "ck"), TokenType: anyText.Draw(t, "type"),
		},
	}
	r.Info.Client.AssertionGitHub = rapid.Bool().Draw(t, "github")
	r.Tokens.GrantKey, r.Tokens.SubjectToken, r.Tokens.ActorToken = anySecret.Draw(t, "gk"), anySecret.Draw(t, "st"), anySecret.Draw(t, "act")
	if rapid.Bool().Draw(t, "exchange") {
		source := func(who string) Source {
			return Source{Connection: anyText.Draw(t, who+" connection"), Attribute: anyText.Draw(t, who+" attribute"), File: anyText.Draw(t, who+" file"), Env: anyText.Draw(t, who+" env")}
		}
		r.Info.Exchange = &Exchange{
			Subject: source("subject"), Actor: source("actor"), SubjectType: anyText.Draw(t, "stt"), ActorType: anyText.Draw(t, "att"), RequestedType: anyText.Draw(t, "rtt"),
			Audience: anyTexts.Draw(t, "audience"), OnBehalfOf: rapid.Bool().Draw(t, "obo"), Signed: rapid.Bool().Draw(t, "signed"), Algorithm: anyText.Draw(t, "x alg"),
			KeyID: anyText.Draw(t, "x kid"), Issuer: anyText.Draw(t, "iss"), SubjectID: anyText.Draw(t, "sub"), For: anyText.Draw(t, "for"), Claims: anyText.Draw(t, "claims"),
			Lifetime: anySpan.Draw(t, "x life"), ScopeClaim: rapid.Bool().Draw(t, "scope claim"),
		}
	}
	if rapid.Bool().Draw(t, "intent") {
		r.Info.Intent = &Intent{
			At: anyTime.Draw(t, "at"), Digest: anyText.Draw(t, "digest"), PID: rapid.Int().Draw(t, "pid"),
			Host: anyText.Draw(t, "host"), Sends: rapid.Int().Draw(t, "sends"),
		}
	}
	if rapid.Bool().Draw(t, "reject") {
		r.Info.Reject = &Reject{Error: anyText.Draw(t, "error"), Class: anyText.Draw(t, "class"), Until: anyTime.Draw(t, "until")}
	}
	if rapid.Bool().Draw(t, "published") {
		r.Info.Published = &Published{
			Place: anyText.Draw(t, "place"), Hosts: anyTexts.Draw(t, "hosts"), Settings: anyText.Draw(t, "settings"),
			Names: anyTexts.Draw(t, "names"), Digests: anyMap.Draw(t, "digests"), At: anyTime.Draw(t, "published at"),
		}
	}
	r.Info.Outputs = anyMap.Draw(t, "outputs")
	for k, v := range anyMap.Draw(t, "extra") {
		if r.Tokens.Extra == nil {
			r.Tokens.Extra = map[string]secret.Secret{}
		}
		r.Tokens.Extra[k] = secret.Secret(v)
	}
	return r
}

// revealed makes secrets comparable by their values in failure messages of tests.
var revealed = cmp.Transformer("reveal", func(s secret.Secret) string { return s.Reveal() })

func testBox(t testing.TB) *seal.Box {
	t.Helper()
	box, err := seal.NewBox(seal.NewKey(), strings.Repeat("ab", 16))
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func TestEveryRecordComesBackFromItsSeal(t *testing.T) {
	box := testBox(t)
	rapid.Check(t, func(t *rapid.T) {
		want := drawRecord(t)
		row, err := sealRow(box, want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := openRow(box, row, PartAll)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, revealed); d != "" {
			t.Fatalf("record (-want +got):\n%s", d)
		}
	})
}

// Records that are opened one after the other have nothing of each other.
func TestRecordsOpenedInTurnAreApart(t *testing.T) {
	box := testBox(t)
	rapid.Check(t, func(t *rapid.T) {
		var want []*Record
		for range 3 {
			want = append(want, drawRecord(t))
		}
		info := new(infoReader)
		var got []*Record
		for _, r := range want {
			row, err := sealRow(box, r)
			if err != nil {
				t.Fatal(err)
			}
			opened, err := openRowWith(info, box, row, PartAll)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, opened)
		}
		if d := cmp.Diff(want, got, revealed); d != "" {
			t.Fatalf("records (-want +got):\n%s", d)
		}
	})
}

func TestAnyChangeOfARowIsNoticed(t *testing.T) {
	box := testBox(t)
	rapid.Check(t, func(t *rapid.T) {
		row, err := sealRow(box, drawRecord(t))
		if err != nil {
			t.Fatal(err)
		}
		other, err := sealRow(box, drawRecord(t))
		if err != nil {
			t.Fatal(err)
		}
		bad := row
		switch rapid.IntRange(0, 9).Draw(t, "what") {
		case 0:
			bad.Addr = bad.Addr.Instance("elsewhere" + bad.Addr.Key)
		case 1:
			bad.Provider += "x"
		case 2:
			bad.Status += "x"
		case 3:
			bad.ExpiresAt = bad.ExpiresAt.Add(time.Second)
		case 4:
			bad.RefreshExpiresAt = bad.RefreshExpiresAt.Add(time.Second)
		case 5:
			bad.UpdatedAt = bad.UpdatedAt.Add(time.Second)
		case 6:
			bad.Generation++
		case 7:
			bad.Info, bad.Tokens = bad.Tokens, bad.Info
		case 8:
			bad.Tokens = other.Tokens
		case 9:
			b := []byte(string(bad.Info))
			b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
			bad.Info = b
		}
		if r, err := openRow(box, bad, PartAll); !errors.Is(tampered(err), ErrTampered) {
			t.Fatalf("opened as %v, error %v", r, err)
		}
	})
}

func TestNewerRecordsAreRefusedNotCut(t *testing.T) {
	sum := Summary{Addr: addr.Connection("a"), Generation: 1}
	good := `{"v":1,"clear":{"address":"connection.a","provider":"","status":"","generation":1},"info":{"client":{}}}`
	if _, err := decodeInfo([]byte(good), sum); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		text string
		want error
	}{
		"a newer version":         {strings.Replace(good, `"v":1`, `"v":2`, 1), ErrFormat},
		"a member not known":      {strings.Replace(good, `"client":{}`, `"client":{},"dpop_key":"x"`, 1), ErrFormat},
		"one in the client":       {strings.Replace(good, `{}`, `{"mtls":true}`, 1), ErrFormat},
		"one beside the parts":    {strings.Replace(good, `"v":1`, `"v":1,"also":1`, 1), ErrFormat},
		"no version":              {strings.Replace(good, `"v":1,`, ``, 1), ErrTampered},
		"text after it":           {good + "{}", ErrTampered},
		"not JSON":                {good[1:], ErrTampered},
		"nothing":                 {"", ErrTampered},
		"another address":         {strings.Replace(good, "connection.a", "connection.b", 1), ErrTampered},
		"the copy is missing":     {`{"v":1,"info":{"client":{}}}`, ErrTampered},
		"another generation":      {strings.Replace(good, `"generation":1`, `"generation":2`, 1), ErrTampered},
		"tokens in place of info": {strings.Replace(good, `"info":{"client":{}}`, `"tokens":{}`, 1), ErrFormat},
	}
	for name, test := range tests {
		if _, err := decodeInfo([]byte(test.text), sum); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

func TestErrorsDoNotRepeatWhatIsSealed(t *testing.T) {
	sum := Summary{Addr: addr.Connection("a"), Generation: 1}
	for _, text := range []string{
		`{"v":1,"tokens":{"hunter2":"hunter2"}}`, `{"v":"hunter2"}`, `hunter2`, `{"v":1,"tokens":{"access_token":hunter2}}`,
	} {
		if _, err := decodeTokens([]byte(text), sum); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestOnlyTextIsTaken(t *testing.T) {
	for text, good := range map[string]bool{
		"plain": true, "": true, "\ufffd": true, `\ufffd`: true, "\x00\x1f\"\\\u2028<&>": true, "\xff": false, "\\\xff": false, "\ud7ff\xed\xa0\x80": false,
	} {
		sum := Summary{Addr: addr.Connection("a"), Generation: 1}
		b, err := encodeInfo(sum, &Info{Title: text, Granted: []string{text}, Fingerprint: map[string]string{text: text}})
		if (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
		if err != nil {
			continue
		}
		i, err := decodeInfo(b, sum)
		if err != nil || i.Title != text || i.Granted[0] != text || i.Fingerprint[text] != text {
			t.Errorf("%q came back as %+v, %v", text, i, err)
		}
	}
}

// What this package writes is JSON, and it reads JSON however it is written.
func TestPartsAreJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawRecord(t)
		info, err := encodeInfo(want.Summary, want.Info)
		if err != nil {
			t.Fatal(err)
		}
		tokens, err := encodeTokens(want.Summary, want.Tokens)
		if err != nil {
			t.Fatal(err)
		}
		gotInfo, err := decodeInfo(rewrite(t, info), want.Summary)
		if err != nil {
			t.Fatalf("%v in %s", err, rewrite(t, info))
		}
		gotTokens, err := decodeTokens(rewrite(t, tokens), want.Summary)
		if err != nil {
			t.Fatalf("%v in %s", err, rewrite(t, tokens))
		}
		if d := cmp.Diff(want.Info, gotInfo) + cmp.Diff(want.Tokens, gotTokens, revealed); d != "" {
			t.Fatalf("parts (-want +got):\n%s", d)
		}
	})
}

// rewrite writes JSON as encoding/json does: members sorted, other escapes, white space.
func rewrite(t *rapid.T, b []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	out, err := json.MarshalIndent(v, "\r\n", " \t")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestJSONThatIsNotARecord(t *testing.T) {
	sum := Summary{Addr: addr.Connection("a"), Generation: 1}
	const good = `{"v":1,"clear":{"address":"connection.a","provider":"","status":"","generation":1},"info":{"access_lifetime_ns":-5,"refresh_lifetime_ns":0,"granted_scopes":["a"],"intent":null,"fingerprint":{},"received_at":"2026-01-31T00:00:00Z","has_refresh_token":true}}`
	if _, err := decodeInfo([]byte(good), sum); err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{`-5`, `-05`}, {`-5`, `5.0`}, {`-5`, `5e1`}, {`-5`, `+5`}, {`-5`, `--5`}, {`-5`, ``}, {`-5`, `-`}, {`-5`, `"5"`}, {`-5`, `9223372036854775808`}, {`"generation":1`, `"generation":-1`},
		{`["a"]`, `["a",]`}, {`["a"]`, `[,"a"]`}, {`["a"]`, `["a" "b"]`}, {`["a"]`, `["a"`}, {`["a"]`, `[null]`}, {`["a"]`, `"a"`}, {`["a"]`, `{}`}, {`["a"]`, `['a']`}, {`["a"]`, "[\"a\nb\"]"}, {`["a"]`, `["\x"]`}, {`["a"]`, `["\u12"]`},
		{`{}`, `{"a"}`}, {`{}`, `{"a":}`}, {`{}`, `{"a":1}`}, {`{}`, `{"a":"b",}`}, {`{}`, `{a:"b"}`},
		{`true`, `tru`}, {`true`, `1`}, {`true`, `TRUE`}, {`null`, `nul`}, {`2026-01-31T`, `2026-1-31T`}, {`00Z`, `00`}, {`"v"`, `"V"`}, {`{"v"`, `[{"v"`}, {`{"v"`, "\v{\"v\""}, {`"v":1,`, `"v":1`}, {`"v":1,`, `"v":1,,`},
	} {
		text := strings.Replace(good, change[0], change[1], 1)
		if text == good {
			t.Fatalf("%q is not there", change[0])
		}
		if i, err := decodeInfo([]byte(text), sum); !errors.Is(err, ErrTampered) && !errors.Is(err, ErrFormat) {
			t.Errorf("%s for %s: %+v, %v", change[1], change[0], i, err)
		}
	}
	for i := range good {
		if _, err := decodeInfo([]byte(good[:i]), sum); !errors.Is(err, ErrTampered) {
			t.Errorf("cut at %d: %v", i, err)
		}
	}
}

// Whatever is read as a part is JSON, and stays what it is when it is written again.
func FuzzDecode(f *testing.F) {
	sum := Summary{Addr: addr.Connection("a"), Generation: 1}
	info, _ := encodeInfo(sum, &Info{Granted: []string{"x"}, Intent: &Intent{PID: 1}})
	tokens, _ := encodeTokens(sum, &Tokens{AccessToken: "t", Extra: map[string]secret.Secret{"a": "b"}})
	f.Add(info)
	f.Add(tokens)
	f.Fuzz(func(t *testing.T, b []byte) {
		if i, err := decodeInfo(b, sum); err == nil {
			if !json.Valid(b) {
				t.Errorf("%s was read", b)
			}
			again, err := encodeInfo(sum, i)
			if err != nil {
				t.Fatalf("%s: %v", b, err)
			}
			j, err := decodeInfo(again, sum)
			if err != nil {
				t.Fatalf("%s: %v", again, err)
			}
			if more, _ := encodeInfo(sum, j); string(more) != string(again) {
				t.Errorf("%s became %s", again, more)
			}
		}
		_, _ = decodeTokens(b, sum)
	})
}

func FuzzOpenRow(f *testing.F) {
	box, err := seal.NewBox(seal.NewKey(), strings.Repeat("ab", 16))
	if err != nil {
		f.Fatal(err)
	}
	r := &Record{Summary: Summary{Addr: addr.Connection("a"), Generation: 1}, Info: &Info{}, Tokens: &Tokens{AccessToken: "t"}}
	row, err := sealRow(box, r)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(row.Info, row.Tokens, uint64(1), "connection.a")
	f.Fuzz(func(t *testing.T, info, tokens []byte, generation uint64, address string) {
		bad := Row{Summary: Summary{Generation: generation}, Info: info, Tokens: tokens}
		bad.Addr, _ = addr.Parse(address)
		same := string(info) == string(row.Info) && string(tokens) == string(row.Tokens) && generation == 1 && bad.Addr == row.Addr
		got, err := openRow(box, bad, PartAll)
		if err == nil != same {
			t.Errorf("opened %v, error %v, unchanged %v", got, err, same)
		}
	})
}
