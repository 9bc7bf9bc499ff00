package grant

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// answer is a token answer (RFC 6749 §5): its members by name, numbers as
// [json.Number].
type answer struct {
	members map[string]any
	at      time.Time // of receipt
}

// parseAnswer reads the body of a token answer: a JSON object, or a form as
// some servers send (with those content types). A member that is there twice
// makes the whole answer unusable: two readers could see different tokens.
func parseAnswer(contentType string, body []byte) (*answer, error) {
	media, _, _ := mime.ParseMediaType(contentType)
	text := bytes.TrimSpace(body)
	switch {
	case len(text) == 0:
		return nil, errors.New("the answer is empty")
	case !utf8.Valid(text):
		return nil, errors.New("the answer is not UTF-8")
	case text[0] == '{':
		return parseJSON(text)
	case media == "application/x-www-form-urlencoded", media == "text/plain":
		return parseForm(string(text))
	}
	return nil, errors.New("the answer is not JSON")
}

func parseJSON(text []byte) (*answer, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if _, err := dec.Token(); err != nil {
		return nil, errors.New("the answer is not JSON")
	}
	a := &answer{members: map[string]any{}}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, errors.New("the answer is broken JSON")
		}
		name, ok := key.(string)
		if !ok {
			return nil, errors.New("the answer is broken JSON")
		}
		if _, twice := a.members[name]; twice {
			return nil, fmt.Errorf("the answer has %s twice", named(name))
		}
		var v any
		if err := dec.Decode(&v); err != nil {
			return nil, errors.New("the answer is broken JSON")
		}
		a.members[name] = v
	}
	if _, err := dec.Token(); err != nil {
		return nil, errors.New("the answer is cut off")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the answer goes on after its end")
	}
	return a, nil
}

func parseForm(text string) (*answer, error) {
	values, err := url.ParseQuery(text)
	if err != nil {
		return nil, errors.New("the answer is neither JSON nor a form")
	}
	a := &answer{members: map[string]any{}}
	for k, v := range values {
		if len(v) != 1 {
			return nil, fmt.Errorf("the answer has %s twice", named(k))
		}
		a.members[k] = v[0]
	}
	return a, nil
}

// text is a member that is a string; "" if it is not.
func (a *answer) text(name string) string {
	s, _ := a.members[name].(string)
	return s
}

// plain is the answer as x/oauth2 reads it.
func (a *answer) plain() []byte {
	m := map[string]string{}
	for _, k := range []string{"access_token", "token_type", "refresh_token", "error", "error_description", "error_uri"} {
		if s := a.text(k); s != "" {
			m[k] = s
		}
	}
	out, err := json.Marshal(m)
	if err != nil {
		return nil
	}
	return out
}

// seconds reads a number of seconds: a JSON number or a string that holds one.
// Fractions are cut off. False if it is no number.
func seconds(v any) (int64, bool) {
	var s string
	switch v := v.(type) {
	case json.Number:
		s = v.String()
	case string:
		s = strings.TrimSpace(v)
	default:
		return 0, false
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case f != f:
		return 0, false
	case f > maxSeconds:
		return maxSeconds + 1, true // also of 1e400, which is an error with f = +Inf
	case f < -maxSeconds:
		return -maxSeconds, true
	case err != nil:
		return 0, false
	}
	return int64(f), true
}

// maxSeconds is ten years: nothing that lives longer is believed to end.
const maxSeconds = 10 * 365 * 24 * 3600

// lifetime is a member with a number of seconds as a duration. The three cases
// are known (> 0), and unknown (missing, 0, not a number, negative): a token
// without a lifetime is neither eternal nor dead.
func (a *answer) lifetime(name string) (d time.Duration, warning string) {
	v, ok := a.members[name]
	if !ok || v == nil {
		return 0, ""
	}
	n, ok := seconds(v)
	switch {
	case !ok:
		return 0, fmt.Sprintf("the server's %s is not a number; the configured lifetime is used", name)
	case n < 0:
		return 0, fmt.Sprintf("the server's %s is negative; the configured lifetime is used", name)
	case n > maxSeconds:
		return maxSeconds * time.Second, fmt.Sprintf("the server's %s is more than ten years, and was taken as ten", name)
	}
	return time.Duration(n) * time.Second, ""
}

// refreshLifetimes are the names under which servers tell how long a refresh
// token lives: Microsoft and GitHub, Keycloak, Intuit, and the draft
// oauth-rt-expiration.
var refreshLifetimes = []string{"refresh_token_expires_in", "refresh_expires_in", "x_refresh_token_expires_in", "refresh_token_timeout"}

// known members of an answer, which are not kept as Extra.
var known = append([]string{
	"access_token", "token_type", "refresh_token", "id_token", "expires_in", "ext_expires_in", "expires_on", "not_before",
	"scope", "error", "error_description", "error_uri", "error_codes", "state", "session_state", "not-before-policy",
}, refreshLifetimes...)

// Bounds of what is kept of an answer beside the tokens.
const (
	maxExtra      = 64
	maxExtraBytes = 8 << 10
)

// extra are the further members that are a string, number or boolean:
// instance_url, realmId, … Any of them may be a secret.
func (a *answer) extra() map[string]secret.Secret {
	out := map[string]secret.Secret{}
	for _, k := range slices.Sorted(maps.Keys(a.members)) {
		if slices.Contains(known, k) || len(out) == maxExtra {
			continue
		}
		var s string
		switch v := a.members[k].(type) {
		case string:
			s = v
		case json.Number:
			s = v.String()
		case bool:
			s = strconv.FormatBool(v)
		default:
			continue
		}
		if len(k) <= 256 && isVisible(k) && len(s) <= maxExtraBytes {
			out[k] = secret.Secret(s)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// Bounds of what is kept of the scopes that a server says it granted.
const (
	maxScopes     = 1000
	maxScopeBytes = 1024
)

// scopes are the granted scopes: a string with the server's separator or
// spaces, or an array. nil if the server does not say. What cannot be a scope
// (RFC 6749 §3.3: visible ASCII) is left out.
func (a *answer) scopes(separator string) []string {
	var out []string
	add := func(s string) {
		if s = strings.TrimSpace(s); s == "" {
			return
		}
		if out == nil {
			out = []string{} // something was said, be it unusable
		}
		if isVisible(s) && len(s) <= maxScopeBytes && len(out) < maxScopes && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	switch v := a.members["scope"].(type) {
	case string:
		for _, field := range strings.Fields(v) {
			if separator == "" || separator == " " {
				add(field)
				continue
			}
			for s := range strings.SplitSeq(field, separator) {
				add(s)
			}
		}
	case []any:
		for _, e := range v {
			if s, ok := e.(string); ok {
				add(s)
			}
		}
	}
	return out
}

// grant checks the tokens of an answer and says what they are. It does not look
// at scopes or the ID token. The error continues "the answer …".
func (a *answer) grant(l schema.Lifetimes) (*Grant, error) {
	access, refresh := a.text("access_token"), a.text("refresh_token")
	switch {
	case access == "":
		return nil, errors.New("has no access token")
	case !isAccessToken(access):
		return nil, errors.New("has an access token with characters that tokens must not have (RFC 6750 §2.1)")
	case !isVisible(refresh):
		return nil, errors.New("has a refresh token with characters that tokens must not have (RFC 6749 appendix A.17)")
	}
	if t := a.text("token_type"); !strings.EqualFold(t, "bearer") {
		return nil, fmt.Errorf("has the token type %s, and only Bearer tokens can be used", named(t))
	}
	g := &Grant{ReceivedAt: a.at, Tokens: state.Tokens{
		AccessToken: secret.Secret(access), RefreshToken: secret.Secret(refresh), TokenType: "Bearer", Extra: a.extra(),
	}}
	life, warning := a.lifetime("expires_in")
	g.warn(warning)
	if life == 0 {
		life = l.Access
	}
	if life > 0 {
		g.ExpiresAt = a.at.Add(life)
	}
	if refresh == "" {
		return g, nil
	}
	if life = a.refreshLifetime(); life == 0 {
		life = l.Refresh
	}
	if life > 0 {
		g.RefreshExpiresAt = a.at.Add(life)
	}
	return g, nil
}

// refreshLifetime is how long the refresh token lives as the server says; 0 if
// it does not, or says that there is no end (Keycloak's 0).
func (a *answer) refreshLifetime() time.Duration {
	for _, name := range refreshLifetimes {
		if d, _ := a.lifetime(name); d > 0 {
			return d
		}
	}
	return 0
}

func (g *Grant) warn(text string) {
	if text != "" {
		g.Warnings = append(g.Warnings, text)
	}
}

// isAccessToken reports the alphabet of RFC 6750 §2.1 (b64token), and three
// characters that servers use beyond it: "!" (Salesforce), "|" and ":". No
// control character, quote, space, comma or semicolon: a token has to survive a
// header, a shell variable in quotes and a line-based protocol.
func isAccessToken(s string) bool {
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case strings.IndexByte("-._~+/=!|:", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}

// isVisible reports visible ASCII without space.
func isVisible(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}
