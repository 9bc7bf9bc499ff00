package state_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"golang.org/x/crypto/chacha20poly1305"
)

// This file is a second decoder, written from docs/state-format.md alone. It
// shares no code with packages state and seal: what both agree on is the format.

// The outcomes that a vector can expect.
var (
	errSpecTampered = errors.New("tampered")
	errSpecNoKey    = errors.New("no-key")
	errSpecNewer    = errors.New("newer-format")
)

// The grammar of §3.
var specGrammar = regexp.MustCompile(`^(oauthctl-state/(0|[1-9][0-9]*)\nlineage ([0-9a-f]{32})\nserial (0|[1-9][0-9]*)\nepoch ([1-9][0-9]*)\n` +
	`commitment ([0-9a-f]{64})\ndigest ([A-Za-z0-9+/]+)\n((?:key [A-Za-z0-9+/]+ [ -~]+\n)+)(?:past [A-Za-z0-9+/]+\n){0,16})mac ([A-Za-z0-9+/]+)\n$`)

var specFirstLine = regexp.MustCompile(`^oauthctl-state/([1-9][0-9]*)\n`)

// specOpen opens a vector and returns the contents of its two parts.
func specOpen(v map[string]string) (info, tokens any, err error) {
	keys, lineage, err := specHeader(spec64(v["header"]), v["epoch"], v["identity"])
	if err != nil {
		return nil, nil, err
	}
	if info, err = specPart(keys("part"), lineage, "info", v); err != nil {
		return nil, nil, err
	}
	tokens, err = specPart(keys("part"), lineage, "tokens", v)
	return info, tokens, err
}

// specHeader is §3 and §5: it gives the keys by their purpose, and the lineage.
func specHeader(text []byte, epoch, identity string) (keys func(purpose string) []byte, lineage string, err error) {
	header := string(text)
	if m := specFirstLine.FindStringSubmatch(header); m != nil && m[1] != "1" {
		return nil, "", errSpecNewer
	}
	m := specGrammar.FindStringSubmatch(header)
	if m == nil || epoch != "" && m[5] != epoch {
		return nil, "", errSpecTampered
	}
	dataKey, err := specUnwrap(m[8], identity)
	if err != nil {
		return nil, "", err
	}
	derive := func(purpose string) []byte {
		k, _ := hkdf.Key(sha256.New, dataKey, []byte(m[3]), "oauthctl state 1 "+purpose, 32)
		return k
	}
	mac := hmac.New(sha256.New, derive("header"))
	mac.Write([]byte(m[1]))
	if !hmac.Equal(mac.Sum(nil), spec64(m[9])) || hex.EncodeToString(derive("commitment")) != m[6] {
		return nil, "", errSpecTampered
	}
	return derive, m[3], nil
}

// specRecord is a record of a document, §11.
var specRecord = regexp.MustCompile(`\{"address":("(?:[^"\\]|\\.)*"),"generation":([0-9]+),"provider":("(?:[^"\\]|\\.)*"),"status":("(?:[^"\\]|\\.)*"),` +
	`"expires_at":(-?[0-9]+),"refresh_expires_at":(-?[0-9]+),"updated_at":(-?[0-9]+),"info":"([A-Za-z0-9+/=]+)","tokens":"([A-Za-z0-9+/=]+)"\}`)

var specDocumentForm = regexp.MustCompile(`^(\{"format":"(?:oauthctl-state","version":1,|oauthctl-consent","version":1,(?:"sandbox":true,)?)"lineage":"([0-9a-f]{32})","serial":([0-9]+),"header":"([A-Za-z0-9+/=]+)","records":\[` +
	`(?:` + specRecord.String() + `,?)*\]),"mac":"([A-Za-z0-9+/=]+)"\}\n$`)

// specDocument is §11: it gives the tokens by address.
func specDocument(text []byte, identity string) (any, error) {
	for _, format := range []string{"state", "consent"} {
		head := []byte(`{"format":"oauthctl-` + format + `","version":`)
		if bytes.HasPrefix(text, head) && !bytes.HasPrefix(text, append(head, "1,"...)) {
			return nil, errSpecNewer
		}
	}
	m := specDocumentForm.FindSubmatch(text)
	if m == nil {
		return nil, errSpecTampered
	}
	header, err := base64.StdEncoding.Strict().DecodeString(string(m[4]))
	if err != nil {
		return nil, errSpecTampered
	}
	keys, lineage, err := specHeader(header, "", identity)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, keys("document"))
	mac.Write(append(bytes.Clone(m[1]), "}\n"...))
	if got, _ := base64.StdEncoding.DecodeString(string(m[len(m)-1])); !hmac.Equal(mac.Sum(nil), got) || string(m[2]) != lineage ||
		!bytes.Contains(header, append(append([]byte("\nserial "), m[3]...), '\n')) {
		return nil, errSpecTampered
	}
	out := map[string]any{}
	for _, r := range specRecord.FindAllStringSubmatch(string(m[1]), -1) {
		v := map[string]string{}
		for i, name := range []string{"address", "generation", "provider", "status", "expires_at", "refresh_expires_at", "updated_at", "info", "tokens"} {
			v[name] = r[i+1]
			if i == 0 || i == 2 || i == 3 {
				var text string
				_ = json.Unmarshal([]byte(r[i+1]), &text)
				v[name] = text
			}
		}
		for _, part := range []string{"info", "tokens"} {
			v[part] = strings.TrimRight(v[part], "=")
		}
		if _, err := specPart(keys("part"), lineage, "info", v); err != nil {
			return nil, err
		}
		if out[v["address"]], err = specPart(keys("part"), lineage, "tokens", v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// specUnwrap is §4.
func specUnwrap(keys, identity string) ([]byte, error) {
	var (
		id   age.Identity
		name string
	)
	if x, err := age.ParseX25519Identity(identity); err == nil {
		id, name = x, x.Recipient().String()
	} else if id, err = agessh.ParseIdentity(spec64(identity)); err != nil {
		return nil, err
	}
	err := errSpecNoKey
	for line := range strings.Lines(keys) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 3)
		if name != "" && f[2] != name {
			continue
		}
		if r, err := age.Decrypt(bytes.NewReader(spec64(f[1])), id); err == nil {
			if key, err := io.ReadAll(r); err == nil && len(key) == 32 {
				return key, nil
			}
		}
		if name != "" {
			err = errSpecTampered // the line of the right name does not open
		}
	}
	return nil, err
}

// specPart is §6.
func specPart(key []byte, lineage, part string, v map[string]string) (any, error) {
	generation, _ := strconv.ParseUint(v["generation"], 10, 64)
	var aad []byte
	for _, field := range []string{"oauthctl state 1", lineage, v["address"], string(binary.BigEndian.AppendUint64(nil, generation)), part} {
		aad = append(binary.BigEndian.AppendUint32(aad, uint32(len(field))), field...)
	}
	sealed := spec64(v[part])
	aead, err := chacha20poly1305.NewX(key)
	if err != nil || len(sealed) < 24 {
		return nil, errSpecTampered
	}
	plain, err := aead.Open(nil, sealed[:24], sealed[24:], aad)
	if err != nil {
		return nil, errSpecTampered
	}
	var p map[string]any
	if err := json.Unmarshal(plain, &p); err != nil {
		return nil, errSpecTampered
	}
	if version, _ := p["v"].(float64); version > 1 {
		return nil, errSpecNewer
	}
	for member := range p {
		if member != "v" && member != "clear" && member != part {
			return nil, errSpecNewer
		}
	}
	for member := range p[part].(map[string]any) {
		if !strings.Contains(specMembers[part], " "+member+" ") {
			return nil, errSpecNewer
		}
	}
	copied := map[string]any{"address": v["address"], "provider": v["provider"], "status": v["status"], "generation": float64(generation)}
	for _, column := range []string{"expires_at", "refresh_expires_at", "updated_at"} {
		if n, _ := strconv.ParseFloat(v[column], 64); n != 0 {
			copied[column] = n
		}
	}
	if !reflect.DeepEqual(p["clear"], copied) {
		return nil, errSpecTampered
	}
	return p[part], nil
}

var specMembers = map[string]string{
	"info": " config_serial provider title grant client requested_scopes granted_scopes account subject redirect_uri fingerprint " +
		"access_lifetime_ns refresh_lifetime_ns refresh_before_ns authorized_at refreshed_at received_at depends_on intent reject " +
		"preset has_refresh_token exchange published hosts way handed_over_to handed_over_at outputs ",
	"tokens": " access_token refresh_token id_token client_secret client_key grant_key subject_token actor_token token_type extra ",
}

func spec64(s string) []byte {
	b, err := base64.RawStdEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil
	}
	return b
}
