package sink

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// api is what places that speak JSON over HTTP have in common.
type api struct {
	base, host string
	where      string // what says the base, for remedies: "the argument url"
	token      secret.Secret
	header     http.Header                // of every request, without the token
	sign       func(h http.Header)        // puts the token into a header; nil: there is no token
	said       func(answer []byte) string // what the place says in an answer that is no success
	remedy     func(status int) string    // what to do about it; "" if the place has nothing of its own to say
}

// request is one request to a place.
type request struct {
	doing  string // for errors
	method string
	path   string   // below the base, escaped
	body   any      // sent as JSON; nil: nothing is sent
	as     string   // the content type of the body; "": application/json
	secret []string // what is secret in the body
	accept []int    // statuses that are no failures besides 2xx
	out    any      // what the answer is decoded into; nil: nothing
}

// maxAnswer is from how many bytes on an answer is not read.
const maxAnswer = 1 << 20

// call makes one request and returns the status of the answer.
func (a *api) call(ctx context.Context, env Env, r request) (int, error) {
	failed := &Error{Kind: Protocol, Doing: r.doing}
	if a.sign != nil && a.token.Empty() {
		failed.Kind, failed.Detail, failed.Remedy = Config, "there is no token", "give the argument token a value"
		return 0, failed
	}
	if strings.ContainsFunc(a.token.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }) {
		failed.Kind, failed.Detail, failed.Remedy = Config, "there is white space in the token, or something else that no token has", "give the token without a line break at its end"
		return 0, failed
	}
	req, err := a.request(ctx, r)
	if err != nil {
		failed.Kind, failed.Detail, failed.Remedy = Config, "the address cannot be used", "check "+a.where
		return 0, failed
	}
	if a.sign != nil {
		a.sign(req.Header)
	}
	return a.do(env, req, r, failed)
}

func (a *api) request(ctx context.Context, r request) (*http.Request, error) {
	var text io.Reader
	if r.body != nil {
		b, err := json.Marshal(r.body)
		if err != nil {
			return nil, err
		}
		text = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, a.base+r.path, text)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	for name, v := range a.header {
		req.Header[name] = v
	}
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
		if r.as != "" {
			req.Header.Set("Content-Type", r.as)
		}
	}
	return req, nil
}

func (a *api) do(env Env, req *http.Request, r request, failed *Error) (int, error) {
	res, err := env.HTTP.Do(req)
	if err != nil {
		failed.Kind, failed.Detail, failed.Remedy, failed.Err = Temporary, reason(err), "try again later", err
		return 0, failed
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	done := res.StatusCode/100 == 2
	failed.Status = res.StatusCode
	switch {
	case len(answer) >= maxAnswer:
		failed.Detail, failed.Remedy = "the answer is larger than any of the API", "check "+a.where
	case err != nil:
		failed.Kind, failed.Detail, failed.Remedy, failed.Err = Temporary, "the answer broke off", "try again later", err
	case done && strings.HasPrefix(res.Header.Get("Content-Type"), "text/html"): // of a login, or of a proxy
		failed.Detail, failed.Remedy = "the answer is a web page", "check "+a.where
	case done && r.out != nil && json.Unmarshal(answer, r.out) != nil:
		failed.Detail, failed.Remedy = "the answer is not JSON", "check "+a.where
	case done:
		return res.StatusCode, nil
	case slices.Contains(r.accept, res.StatusCode):
		if r.out != nil {
			_ = json.Unmarshal(answer, r.out) // whoever accepts it looks at what there is
		}
		return res.StatusCode, nil
	default:
		a.explain(failed, res, answer, r.secret, env.Now())
	}
	return res.StatusCode, failed
}

// reason is why a request got no answer, without the address, which has been said.
func reason(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return clean(err.Error())
}

// explain turns an answer that is no success into what to do.
func (a *api) explain(e *Error, res *http.Response, answer []byte, secrets []string, now time.Time) {
	said := a.said(answer)
	if e.Detail = clean(said); repeats(said, append(slices.Clone(secrets), a.token.Reveal())) {
		e.Detail = "what it says has a secret in it, and is not shown"
	}
	wait := retryAfter(res.Header, now)
	code := res.StatusCode
	switch own := a.remedy(code); {
	case code == http.StatusTooManyRequests, code == http.StatusForbidden && (wait > 0 || res.Header.Get("X-RateLimit-Remaining") == "0"):
		e.Kind, e.RetryAfter, e.Remedy = Temporary, wait, "try again later: the server limits how often it is asked"
		if wait > 0 {
			e.Remedy = "try again in " + schema.FormatDuration(wait)
		}
	case code >= 500:
		e.Kind, e.RetryAfter, e.Remedy = Temporary, wait, "try again later"
		if own != "" {
			e.Remedy = own
		}
	case code >= 400 && own != "":
		e.Kind, e.Remedy = Config, own
	case code/100 == 3:
		e.Remedy = "the server sends to another address, to which nothing is sent: check " + a.where
	default:
		e.Remedy = "check " + a.where
	}
}

// repeats reports whether a server has put one of the secrets into what it says,
// or the beginning of one, as it was sent or in another form. Very short ones are
// in everything.
func repeats(said string, secrets []string) bool {
	for _, s := range secrets {
		if len(s) < 4 {
			continue
		}
		const start = 12 // a multiple of three, so that it is a beginning in base64 too
		s = s[:min(len(s), start)]
		for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s), hex.EncodeToString([]byte(s)),
			base64.RawStdEncoding.EncodeToString([]byte(s)), base64.RawURLEncoding.EncodeToString([]byte(s))} {
			if strings.Contains(said, form) {
				return true
			}
		}
	}
	return false
}

// retryAfter is how long the server wants not to be asked; 0 if it does not say.
func retryAfter(h http.Header, now time.Time) time.Duration {
	const longest = 24 * time.Hour
	if n, err := strconv.Atoi(h.Get("Retry-After")); err == nil && n > 0 {
		return min(time.Duration(min(n, 1<<20))*time.Second, longest)
	}
	if h.Get("X-RateLimit-Remaining") != "0" {
		return 0
	}
	n, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
	if left := time.Unix(n, 0).Sub(now); err == nil && left > 0 {
		return min(left.Round(time.Second), longest)
	}
	return 0
}

// each writes values one after the other. An error says how far it came: from
// when a value is sent, it may have been written.
func each(values []Value, write func(Value) error) error {
	for i, v := range values {
		if err := write(v); err != nil {
			var e *Error
			if errors.As(err, &e) {
				for _, sent := range values[:i+1] {
					e.Written = append(e.Written, sent.Name)
				}
			}
			return err
		}
	}
	return nil
}

// remove takes values away one after the other.
func (a *api) remove(ctx context.Context, env Env, names []string, where func(name string) (doing, path string)) error {
	for _, name := range names {
		doing, path := where(name)
		if _, err := a.call(ctx, env, request{doing: doing, method: http.MethodDelete, path: path, accept: []int{http.StatusNotFound}}); err != nil {
			return err
		}
	}
	return nil
}

// address reads the argument "url" into the api, or takes the default.
func (a *api) address(o *schema.Object, def, example string) hcl.Diagnostics {
	a.base, a.where = def, "the argument url"
	if o.Has("url") {
		a.base = strings.TrimRight(o.String("url"), "/")
	}
	host, ok := apiAddress(a.base)
	if !ok {
		return hcl.Diagnostics{o.ErrorAt("url", "Invalid address of the API", "The argument \"url\" must be an https address without a query, such as %s.", example)}
	}
	a.host = host
	return nil
}

// apiAddress is the host of an address to which secrets may be sent.
func apiAddress(address string) (host string, ok bool) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return "", false
	}
	return u.Host, true
}

// Hosts is a part of Target.
func (a *api) Hosts(Env) []string { return []string{a.host} }

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// messageOf is the member "message" of a JSON object.
func messageOf(answer []byte) string {
	var said struct {
		Message string `json:"message"`
	}
	_ = json.Unmarshal(answer, &said)
	return said.Message
}

// bearer signs with a token of RFC 6750.
func (a *api) bearer(h http.Header) { h.Set("Authorization", "Bearer "+a.token.Reveal()) }

// isPathName reports whether s can be the name of an owner or a repository.
func isPathName(s string) bool {
	return s != "" && s != "." && s != ".." && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '_' && r != '-'
	})
}
