package grant

import (
	"crypto/subtle"
	"net/url"
	"slices"
	"strings"

	"github.com/oauthctl/oauthctl/providers/quirk"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// session is one authorization request that waits for its answer.
type session struct {
	doing      string
	state      string     // "" at servers that do not hand it back
	own        url.Values // then: the query that the redirect URI itself has
	issuer     string     // "" is not compared; may be a template
	requireIss bool
	keep       []string // names of further parameters to keep
	party      *party   // explains errors
}

// callback is an authorization response that belongs to the session: a code, or
// the error that ends the flow.
type callback struct {
	code  secret.Secret
	extra map[string]secret.Secret // what the session wants kept
	err   *Error
}

// read checks the parameters of an authorization response (RFC 6749 §4.1.2, RFC
// 9207). ours is false for whatever does not prove by its state that it is the
// answer to this request: it is to be ignored, an error among the parameters or
// not, since anybody could have sent it.
func (s *session) read(v url.Values) (cb callback, ours bool) {
	if !s.binds(v) {
		return callback{}, false
	}
	for _, name := range slices.Concat([]string{"code", "iss", "error", "error_description"}, s.keep) {
		if len(v[name]) > 1 {
			return s.broken("the answer has the parameter " + name + " twice"), true
		}
	}
	iss, has := v.Get("iss"), v.Has("iss")
	switch {
	case has && s.issuer != "" && !s.sameIssuer(iss):
		return s.broken("the answer comes from another server, " + Clean(iss) + ": somebody may be trying to steal the code"), true
	case !has && s.requireIss:
		return s.broken("the answer does not say which server it comes from (iss), and this server always does"), true
	}
	if code := v.Get("error"); code != "" {
		return callback{err: s.refused(code, v.Get("error_description"))}, true
	}
	code := v.Get("code")
	if code == "" || !isPrintable(code) {
		return s.broken("the answer has no usable code"), true
	}
	return callback{code: secret.Secret(code), extra: s.kept(v)}, true
}

// kept are the further parameters that the session wants, as far as they came.
func (s *session) kept(v url.Values) map[string]secret.Secret {
	var out map[string]secret.Secret
	for _, name := range s.keep {
		value := v.Get(name)
		if value == "" || len(value) > maxExtraBytes || !isPlain(value) {
			continue
		}
		if out == nil {
			out = map[string]secret.Secret{}
		}
		out[name] = secret.Secret(value)
	}
	return out
}

// binds reports whether an answer proves that it belongs to this request: by its
// state. Where the server hands none back, by nothing better than the redirect
// URI as it was sent, its query included; a state that was never sent is
// somebody else's.
func (s *session) binds(v url.Values) bool {
	if s.state != "" {
		st := v["state"]
		return len(st) == 1 && subtle.ConstantTimeCompare([]byte(st[0]), []byte(s.state)) == 1
	}
	for name, want := range s.own {
		if !slices.Equal(v[name], want) {
			return false
		}
	}
	return (s.own.Has("state") || !v.Has("state")) && (v.Has("code") || v.Has("error"))
}

// ownQuery is the query of a redirect URI, which its answers have too.
func ownQuery(redirect string) url.Values {
	u, err := url.Parse(redirect)
	if err != nil {
		return nil
	}
	return u.Query()
}

// sameIssuer compares by simple string comparison (RFC 9207 §2.4). In a template
// {tenantid} stands for one tenant.
func (s *session) sameIssuer(iss string) bool {
	before, after, templated := strings.Cut(s.issuer, "{tenantid}")
	if !templated {
		return iss == s.issuer
	}
	id, ok := strings.CutPrefix(iss, before)
	if ok {
		id, ok = strings.CutSuffix(id, after)
	}
	return ok && tenant().MatchString(id)
}

func (s *session) broken(detail string) callback {
	return callback{err: fail(Protocol, s.doing, "run oauthctl apply again", "%s", detail)}
}

// refused is the server's error answer.
func (s *session) refused(code, description string) *Error {
	description = quirk.Words(s.party.Quirks, description)
	e := &Error{Outcome: Answered, Doing: s.doing}
	if kindOf(code, 0, false) == Rejected {
		e.Kind = Denied // login_required and its like: prompt = none, and nobody was signed in
	}
	s.party.explain(e, post{}, said{code, description})
	return e
}

// isPrintable reports printable ASCII (VSCHAR, RFC 6749 appendix A.11).
func isPrintable(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}
