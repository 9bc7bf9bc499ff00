package quirk

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// message is an answer of a server that is a JSON object.
type message struct {
	status  int
	members map[string]json.RawMessage
}

// str is a member that is a string, else "".
func (m *message) str(name string) string {
	var s string
	if json.Unmarshal(m.members[name], &s) != nil {
		return ""
	}
	return s
}

// number is a member that is a whole number, or a string that holds one.
func (m *message) number(name string) (int64, bool) {
	text := string(m.members[name])
	if s := m.str(name); s != "" {
		text = s
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

func (m *message) setNumber(name string, n int64) {
	m.members[name] = json.RawMessage(strconv.FormatInt(n, 10))
}

func (m *message) set(name, value string) {
	text, err := json.Marshal(value)
	if err == nil { // a string can always be written
		m.members[name] = text
	}
}

// answers makes a quirk of a function that changes an answer and reports whether
// it did. What is no JSON object, or too large, and what the function leaves
// alone passes byte by byte.
func answers(change func(*message) bool) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if err != nil || r.Method != http.MethodPost || resp.Header.Get("Content-Encoding") != "" {
				return resp, err
			}
			return rewrite(resp, change)
		})
	}
}

func rewrite(resp *http.Response, change func(*message) bool) (*http.Response, error) {
	original := resp.Body
	text, err := io.ReadAll(io.LimitReader(original, maxBody+1))
	if err != nil || len(text) > maxBody {
		// Whoever reads the body next meets the same error, or the cap.
		resp.Body = &restored{io.MultiReader(bytes.NewReader(text), original), original}
		return resp, nil
	}
	_ = original.Close()
	m := &message{status: resp.StatusCode}
	if json.Unmarshal(text, &m.members) == nil && m.members != nil && change(m) {
		changed, err := json.Marshal(m.members)
		if err != nil {
			return nil, err
		}
		text = changed
		resp.Header.Del("Content-Length")
		resp.ContentLength = int64(len(text))
		resp.StatusCode = m.status
		resp.Status = strconv.Itoa(m.status) + " " + http.StatusText(m.status)
	}
	resp.Body = io.NopCloser(bytes.NewReader(text))
	return resp, nil
}

// restored is a body of which the beginning has been read.
type restored struct {
	io.Reader
	io.Closer
}

// errorIn200 is for GitHub and Slack (ok = false), whose errors come with status
// 200; RFC 6749 §5.2 says 400.
func errorIn200(m *message) bool {
	if m.status != http.StatusOK || m.str("error") == "" || m.str("access_token") != "" {
		return false
	}
	m.status = http.StatusBadRequest
	return true
}

// names gives vendors' error codes those of RFC 6749 §5.2 and RFC 8628 §3.5.
// Sources: https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps,
// https://docs.slack.dev/reference/methods/oauth.v2.access,
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code.
var names = map[string]string{
	"bad_verification_code":        "invalid_grant",
	"bad_refresh_token":            "invalid_grant",
	"incorrect_client_credentials": "invalid_client",
	"device_flow_disabled":         "unauthorized_client",
	"token_expired":                "expired_token",
	"authorization_declined":       "access_denied",
	"invalid_code":                 "invalid_grant",
	"invalid_refresh_token":        "invalid_grant",
	"invalid_client_id":            "invalid_client",
	"bad_client_secret":            "invalid_client",
	"bad_redirect_uri":             "redirect_uri_mismatch",
}

// errorNames keeps the vendor's code at the head of the description, where
// hints find it and a person can search for it.
func errorNames(m *message) bool {
	vendor := m.str("error")
	standard, ok := names[vendor]
	if !ok {
		return false
	}
	description := vendor
	if d := m.str("error_description"); d != "" {
		description += ": " + d
	}
	m.set("error", standard)
	m.set("error_description", description)
	return true
}

// scopeList is for GitHub, Slack, Linear and Shopify (commas) and Twitch (an
// array); RFC 6749 §3.3 says spaces.
func scopeList(m *message) bool {
	var list []string
	if err := json.Unmarshal(m.members["scope"], &list); err != nil {
		scope := m.str("scope")
		if !strings.Contains(scope, ",") {
			return false
		}
		list = strings.FieldsFunc(scope, func(r rune) bool { return r == ',' || r == ' ' })
	} else if list == nil {
		return false
	}
	m.set("scope", strings.Join(list, " "))
	return true
}

// authedUser is for Slack: an app that asks for user scopes only gets its token
// in a nested object, https://docs.slack.dev/authentication/installing-with-oauth.
func authedUser(m *message) bool {
	if m.str("access_token") != "" {
		return false
	}
	var user map[string]json.RawMessage
	if json.Unmarshal(m.members["authed_user"], &user) != nil {
		return false
	}
	nested := message{members: user}
	if nested.str("access_token") == "" {
		return false
	}
	for _, name := range []string{"access_token", "refresh_token", "token_type", "scope", "expires_in"} {
		if v, ok := user[name]; ok {
			m.members[name] = v
			delete(user, name)
		}
	}
	rest, err := json.Marshal(user)
	if err != nil {
		return false
	}
	m.members["authed_user"] = rest
	return true
}
