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
	header := string(spec64(v["header"]))
	if m := specFirstLine.FindStringSubmatch(header); m != nil && m[1] != "1" {
		return nil, nil, errSpecNewer
	}
	m := specGrammar.FindStringSubmatch(header)
	if m == nil || m[5] != v["epoch"] {
		return nil, nil, errSpecTampered
	}
	dataKey, err := specUnwrap(m[8], v["identity"])
	if err != nil {
		return nil, nil, err
	}
	derive := func(purpose string) []byte {
		k, _ := hkdf.Key(sha256.New, dataKey, []byte(m[3]), "oauthctl state 1 "+purpose, 32)
		return k
	}
	mac := hmac.New(sha256.New, derive("header"))
	mac.Write([]byte(m[1]))
	if !hmac.Equal(mac.Sum(nil), spec64(m[9])) || hex.EncodeToString(derive("commitment")) != m[6] {
		return nil, nil, errSpecTampered
	}
	if info, err = specPart(derive("part"), m[3], "info", v); err != nil {
		return nil, nil, err
	}
	tokens, err = specPart(derive("part"), m[3], "tokens", v)
	return info, tokens, err
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
		"preset has_refresh_token exchange ",
	"tokens": " access_token refresh_token id_token client_secret client_key grant_key subject_token actor_token token_type extra ",
}

func spec64(s string) []byte {
	b, err := base64.RawStdEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil
	}
	return b
}
