package grant

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// said is what a server said of an error, word for word. It may hold anything,
// what was sent to it included: only [party.explain] shows it.
type said struct{ code, description string }

// classify turns an error of x/oauth2 into what became of the request.
func classify(err error, rec *recorder) (*Error, said) {
	var words said
	e := &Error{Outcome: Answered, Status: rec.status, Err: scrub(err)}
	var answered *oauth2.RetrieveError
	switch {
	case rec.status == 0:
		e.Outcome, e.Kind, e.Detail, e.Remedy = Unknown, Temporary, networkDetail(err), networkRemedy(err)
		if rec.wire.notSent(err) {
			e.Outcome = NotSent
		}
		if errors.Is(err, context.Canceled) {
			e.Kind = Interrupted
		}
		if errors.Is(err, errPlainHTTP) || errors.As(err, &errNotPublic{}) {
			e.Kind = Config
		}
	case rec.status/100 == 3:
		e.Outcome, e.Kind = Unknown, Protocol
		e.Detail = "the server answered with a redirect, which is not followed"
	case rec.status/100 == 2 && (rec.problem != nil || rec.answer.text("error") == ""):
		e.Outcome, e.Kind, e.Detail = Unknown, Protocol, "the answer has no access token"
		if rec.cut != nil && !errors.Is(rec.cut, errTooLarge) {
			e.Kind, e.Detail = Temporary, networkDetail(rec.cut)
		} else if rec.problem != nil {
			e.Detail = Clean(rec.problem.Error())
		}
	case errors.As(err, &answered):
		words = said{answered.ErrorCode, answered.ErrorDescription}
		e.RetryAfter = retryAfter(rec.header)
		if rec.status == http.StatusBadGateway || rec.status == http.StatusGatewayTimeout {
			e.Outcome = Unknown // the server behind may have got the request
		}
	default:
		e.Outcome, e.Kind, e.Detail = Unknown, Temporary, networkDetail(err)
	}
	return e, words
}

// scrub keeps of an error only what can be compared: x/oauth2's errors carry
// whole bodies, and url.Error the address a second time.
func scrub(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err
	}
	return nil
}

// networkDetail says in a few words why a request got no answer.
func networkDetail(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	if e := scrub(err); e != nil {
		err = e
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the server closed the connection in the middle of the exchange"
	}
	return Clean(err.Error())
}

// retryAfter reads the header (RFC 9110 §10.2.3), seconds or a date, which is
// compared with the server's own clock; at most a day.
func retryAfter(h http.Header) time.Duration {
	const day = 24 * 60 * 60
	text := strings.TrimSpace(h.Get("Retry-After"))
	if at, err := http.ParseTime(text); err == nil {
		now, err := http.ParseTime(h.Get("Date"))
		if err != nil {
			return 0
		}
		return min(max(at.Sub(now), 0), day*time.Second)
	}
	n, ok := seconds(json.Number(text))
	if !ok || n <= 0 {
		return 0
	}
	return time.Duration(min(n, day)) * time.Second
}

// The error codes of RFC 6749 §4.1.2.1 and §5.2, RFC 8628 §3.5, RFC 8707 §2,
// OpenID Connect Core §3.1.2.6 by what has to happen.
var (
	codesConfig = []string{"invalid_client", "invalid_request", "unauthorized_client", "unsupported_grant_type",
		"unsupported_response_type", "invalid_scope", "invalid_target", "invalid_redirect_uri", "incorrect_client_credentials"}
	codesTemporary = []string{"temporarily_unavailable", "server_error", "slow_down", "authorization_pending"}
	codesPerson    = []string{"interaction_required", "login_required", "consent_required", "account_selection_required"}
	codesDenied    = []string{"access_denied", "authorization_declined"}
	codesExpired   = []string{"expired_token", "token_expired", "code_expired"}
)

// kindOf classifies an answered request. refresh: a refresh token was sent, and
// every refusal that is not about the client is taken for its end, because
// servers say that in many ways (invalid_grant, codes of their own, an empty 400).
func kindOf(code string, status int, refresh bool) Kind {
	switch {
	case slices.Contains(codesTemporary, code), status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		return Temporary
	case code == "invalid_grant":
		return Rejected
	case slices.Contains(codesConfig, code):
		return Config
	case slices.Contains(codesDenied, code) && !refresh:
		return Denied
	case slices.Contains(codesExpired, code) && !refresh:
		return Expired
	case slices.Contains(codesPerson, code), refresh && code != "" && status < 500:
		return Rejected
	case status >= 500:
		return Temporary
	case refresh && status == http.StatusBadRequest:
		return Rejected
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusNotFound, status == http.StatusMethodNotAllowed:
		return Config
	}
	return Protocol
}

// explain completes an error: what the server said, its kind, what the preset
// knows of it, what to do.
func (p *party) explain(e *Error, req post, words said) {
	grant := req.form.Get("grant_type")
	words = said{p.redact(req.form, words.code), p.redact(req.form, words.description)}
	if words != (said{}) {
		e.Code, e.Detail = Clean(words.code), Clean(words.description)
	}
	if e.Kind == "" {
		e.Kind = kindOf(e.Code, e.Status, grant == "refresh_token")
	}
	if e.Outcome == Answered || e.Code != "" {
		p.hint(e, words.description, grant != "")
	}
	if e.Kind == Rejected && slices.Contains([]string{ClientCredentials, bearerType, exchangeType}, grant) {
		e.Kind = Config // nobody consented: the client, its registration or what it presents was refused
		if slices.Contains(codesPerson, e.Code) {
			e.Kind = NeedsUser // the owner of what was presented
		}
	}
	if e.Hint == "" && isCode(e.Code) {
		e.Hint = "this code is in no list; for those that are spelt like it, see: oauthctl explain " + e.Code
	}
	p.explainAssertion(e, req.form.Get("client_assertion"))
	if e.Remedy == "" {
		e.Remedy = remedy(e, grant == "refresh_token")
	}
}

// isCode reports whether a server's code may stand in a command that people copy.
func isCode(s string) bool {
	return s != "" && len(s) <= 64 && s[0] != '-' && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == ""
}

// sent are the parameters of a request that a server may repeat in its answer,
// and that nobody else shall see.
var sent = []string{
	"refresh_token", "code", "code_verifier", "device_code", "token", "client_secret", "client_assertion", "assertion", "subject_token", "actor_token",
}

// redact takes what was sent out of a server's words, before they are shortened:
// the half of a token is worth hiding too.
func (p *party) redact(form url.Values, text string) string {
	secrets := []string{p.secret.Reveal()}
	for _, name := range sent {
		secrets = append(secrets, form[name]...)
	}
	for _, s := range secrets {
		if len(s) < 4 {
			continue // would be found everywhere
		}
		text = strings.ReplaceAll(text, s, secret.Placeholder)
		text = strings.ReplaceAll(text, url.QueryEscape(s), secret.Placeholder)
	}
	return text
}

// hint looks the answer up among the preset's explanations. What only a person
// can mend is the end of a code or refresh token; elsewhere it changes nothing.
func (p *party) hint(e *Error, description string, token bool) {
	preset := p.preset
	if preset == nil && p.lookup != nil {
		preset = p.lookup()
	}
	h, ok := providers.Explain(preset, e.Code, description)
	if !ok {
		return
	}
	e.Hint, e.Remedy = h.Cause, p.fill(h.Remedy)
	if h.Advice && h.Needs != "configuration" && h.Needs != "administrator" {
		return // numbers and words change from one day to the next: they end no consent, and repeat no request
	}
	switch h.Needs {
	case "configuration", "administrator":
		e.Kind = Config
	case "retry":
		e.Kind = Temporary
	case "person":
		if token && e.Kind != Denied && e.Kind != Expired {
			e.Kind = Rejected
		}
	}
}

// fill puts what the connection asks for into a remedy: the address of a page
// for administrators needs it.
func (p *party) fill(remedy string) string {
	return strings.NewReplacer(
		"{client_id}", url.QueryEscape(p.ClientID),
		"{scope}", strings.ReplaceAll(url.QueryEscape(joinScopes(p.asked, p.ScopeSeparator)), "+", "%20"),
		"{redirect_uri}", url.QueryEscape(p.redirect),
	).Replace(remedy)
}

// remedy says what to do where no preset does.
func remedy(e *Error, refresh bool) string {
	switch e.Kind {
	case Rejected:
		if refresh {
			return "a person has to consent again: run oauthctl apply"
		}
		return "start again: a code can be used once, soon after the consent, with the same redirect URI"
	case Temporary:
		return "try again later"
	case Denied:
		return "run oauthctl apply again and consent, or ask who administers the server to allow it"
	case Expired:
		return "run oauthctl apply again and answer in time"
	case Config:
		switch e.Code {
		case "invalid_client":
			return "compare client_id, client_secret and client_auth with the client's registration"
		case "unauthorized_client", "unsupported_grant_type":
			return "allow this grant for the client in its registration, or choose another grant"
		case "invalid_scope":
			return "compare scopes with what the server offers to this client"
		}
		return "compare the connection and its provider with the client's registration"
	}
	return ""
}
