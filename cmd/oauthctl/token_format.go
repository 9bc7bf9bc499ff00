package main

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// tokenFormat is one way to print a token.
type tokenFormat struct {
	name, doc string
	write     func(io.Writer, *engine.Token) error
}

// The formats; the first is the default.
var tokenFormats = []tokenFormat{
	{"raw", "the token and a newline", writeRaw},
	{"json", "a JSON object with access_token, token_type, expires_at and scopes", writeJSON},
	{"env", "NAME_ACCESS_TOKEN=… and NAME_EXPIRES_AT=…, for eval or an env file", writeEnv},
	{"header", "a line for curl -H: Authorization: Bearer …", writeHeader},
}

func formatNames() []string {
	var names []string
	for _, f := range tokenFormats {
		names = append(names, f.name)
	}
	return names
}

// String implements [pflag.Value].
func (f *tokenFormat) String() string { return f.name }

// Type implements [pflag.Value].
func (f *tokenFormat) Type() string { return "FORMAT" }

// Set implements [pflag.Value].
func (f *tokenFormat) Set(s string) error {
	for _, g := range tokenFormats {
		if g.name == s {
			*f = g
			return nil
		}
	}
	return errors.New("want one of " + strings.Join(formatNames(), ", "))
}

func writeRaw(w io.Writer, t *engine.Token) error {
	_, err := io.WriteString(w, t.AccessToken.Reveal()+"\n")
	return err
}

func writeHeader(w io.Writer, t *engine.Token) error {
	_, err := io.WriteString(w, "Authorization: "+scheme(t.TokenType)+" "+t.AccessToken.Reveal()+"\n")
	return err
}

// scheme is the authentication scheme of a token type. The type is not
// case-sensitive (RFC 6749 §5.1), but servers that compare the scheme want "Bearer".
func scheme(tokenType string) string {
	if tokenType == "" || strings.EqualFold(tokenType, "bearer") {
		return "Bearer"
	}
	return tokenType
}

func writeJSON(w io.Writer, t *engine.Token) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(struct {
		AccessToken string   `json:"access_token"`
		TokenType   string   `json:"token_type"`
		ExpiresAt   string   `json:"expires_at,omitempty"`
		Scopes      []string `json:"scopes,omitempty"`
		Address     string   `json:"address"`
	}{t.AccessToken.Reveal(), scheme(t.TokenType), rfc3339(t.ExpiresAt), t.Scopes, t.Addr.String()})
}

func writeEnv(w io.Writer, t *engine.Token) error {
	prefix := envName(t.Addr)
	text := prefix + "_ACCESS_TOKEN=" + shellQuote(t.AccessToken.Reveal()) + "\n"
	if !t.ExpiresAt.IsZero() {
		text += prefix + "_EXPIRES_AT=" + rfc3339(t.ExpiresAt) + "\n"
	}
	_, err := io.WriteString(w, text)
	return err
}

func rfc3339(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// envName is the prefix of a connection's variables: graph["eu"] is GRAPH_EU.
func envName(a addr.Addr) string {
	name := a.Name
	if a.Keyed {
		name += "_" + a.Key
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_':
			return r
		}
		return '_'
	}, name)
}

// shellQuote quotes s for a POSIX shell if it has to be; tokens of the usual
// alphabet (RFC 6750 §2.1) stay bare, which suits env files too.
func shellQuote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._+/=") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
