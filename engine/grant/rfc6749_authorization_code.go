package grant

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/oauthctl/oauthctl/schema/secret"
)

// codeFlow is one authorization code flow (RFC 6749 §4.1) under way. State,
// verifier and nonce live here only: a process that ends loses them, and a new
// one starts a new flow.
type codeFlow struct {
	c        *Client
	env      Env
	party    *party
	session  *session
	redirect string // with the port
	verifier string // "" without PKCE
	nonce    string // "" without openid
	listener *listener
	deadline time.Time
}

// authorizeByCode walks the flow: listen, show the URL, take the answer,
// exchange the code.
func (c *Client) authorizeByCode(ctx context.Context, env Env) (*Grant, *Error) {
	f, e := c.newCodeFlow(ctx, env)
	if e != nil {
		return nil, e
	}
	cb, e := f.wait(ctx)
	if e == nil && cb.err != nil {
		e = cb.err
	}
	if e != nil {
		f.settle(e)
		return nil, e
	}
	g, e := f.exchange(ctx, cb)
	if e != nil {
		f.settle(e)
		return nil, e
	}
	if f.listener != nil {
		g.Finish = f.listener.handOver()
	}
	return g, nil
}

// newCodeFlow binds the listener, so that its port is ours before any URL is
// shown, and draws the secrets of the flow.
func (c *Client) newCodeFlow(ctx context.Context, env Env) (*codeFlow, *Error) {
	doing := "authorize " + c.Addr.String() + " at " + title(c.Preset)
	f := &codeFlow{c: c, env: env, party: c.party(), redirect: c.Settings.RedirectURI}
	var draws [3]string
	for i := range draws {
		s, err := env.random()
		if err != nil {
			return nil, fail(Config, doing, "", "%s", err)
		}
		draws[i] = s
	}
	// Some servers accept letters and digits only in state: hex.
	raw, err := base64.RawURLEncoding.DecodeString(draws[0])
	if err != nil {
		return nil, fail(Config, doing, "", "%s", err)
	}
	f.session = &session{doing: doing, state: hex.EncodeToString(raw), issuer: c.Preset.Issuer, requireIss: c.Preset.RequireIss,
		keep: c.Preset.CallbackParams, party: f.party}
	if c.draft.NoState {
		f.session.state, f.session.own = "", ownQuery(c.Settings.RedirectURI)
	}
	if c.Preset.PKCE != "broken" {
		f.verifier = draws[1]
	}
	if c.wantsIDToken() {
		f.nonce = draws[2]
	}
	if c.listens() {
		var e *Error
		if f.listener, e = listen(ctx, c.Settings, f.session); e != nil {
			return nil, e
		}
		f.redirect = f.listener.redirect
	}
	return f, nil
}

// url is the authorization request (RFC 6749 §4.1.1).
func (f *codeFlow) url() string {
	c := f.c
	conf := oauth2.Config{ClientID: c.Conn.ClientID, RedirectURL: f.redirect, Endpoint: oauth2.Endpoint{AuthURL: c.Preset.AuthorizationEndpoint}}
	var opts []oauth2.AuthCodeOption
	set := func(name, value string) {
		if value != "" { // RFC 6749 §3.1: empty is the same as left out
			opts = append(opts, oauth2.SetAuthURLParam(name, value))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(c.Settings.Params)) {
		set(k, c.Settings.Params[k])
	}
	set("scope", joinScopes(c.Scopes, c.Preset.ScopeSeparator))
	set("prompt", c.Settings.Prompt)
	set("login_hint", c.Settings.LoginHint)
	set("domain_hint", c.Settings.DomainHint)
	set("response_mode", c.Settings.ResponseMode)
	set("nonce", f.nonce)
	if f.verifier != "" {
		opts = append(opts, oauth2.S256ChallengeOption(f.verifier))
	}
	var more strings.Builder
	for _, r := range c.draft.Resource { // RFC 8707 §2: one parameter each
		more.WriteString("&resource=" + url.QueryEscape(r))
	}
	return conf.AuthCodeURL(f.session.state, opts...) + more.String()
}

// unboundTimeout is the longest that an answer is waited for which no state
// binds to this flow.
const unboundTimeout = 5 * time.Minute

// window is how long the answer is waited for.
func (f *codeFlow) window() time.Duration {
	if f.session.state == "" {
		return min(f.c.Settings.Timeout, unboundTimeout)
	}
	return f.c.Settings.Timeout
}

// wait shows the URL and waits for the answer that belongs to it.
func (f *codeFlow) wait(ctx context.Context) (callback, *Error) {
	f.deadline = f.env.Now().Add(f.window())
	limited, cancel := context.WithTimeout(ctx, f.window())
	defer cancel()
	visit := Visit{
		Addr: f.c.Addr, Title: title(f.c.Preset), URL: f.url(), RedirectURI: f.redirect,
		Account: f.c.Conn.Account, Scopes: slices.Clone(f.c.Scopes), Deadline: f.deadline,
	}
	var cb callback
	var err error
	if f.listener == nil {
		cb, err = f.paste(limited, visit)
	} else {
		visit.Listening = f.listener.address
		cb, err = f.browse(limited, visit)
	}
	if err == nil {
		return cb, nil
	}
	return callback{}, f.ended(ctx, limited, err)
}

// ended says why no answer came.
func (f *codeFlow) ended(ctx, limited context.Context, err error) *Error {
	switch {
	case ctx.Err() != nil:
		return fail(Interrupted, f.session.doing, "", "interrupted; nothing was changed")
	case limited.Err() != nil:
		e := fail(Expired, f.session.doing, "run oauthctl apply again and answer in time, or set a longer timeout in the grant block",
			"nobody answered within %s", f.window())
		e.Hint = f.c.draft.Silence
		return e
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	e = &Error{Kind: NeedsUser, Outcome: NotSent, Doing: f.session.doing, Detail: Clean(err.Error()), Err: err}
	f.party.hint(e, e.Detail, false) // a page that gave no answer may have been understood
	return e
}

// browse waits at the listener, and where no browser can be opened asks for the
// final URL at the same time.
func (f *codeFlow) browse(ctx context.Context, visit Visit) (callback, error) {
	if f.env.NoBrowser || f.c.Settings.Way == WayPaste {
		return f.browseElsewhere(ctx, visit)
	}
	done, err := f.env.User.Open(ctx, visit)
	if done != nil {
		defer done()
	}
	if err != nil {
		return callback{}, err
	}
	select {
	case cb := <-f.listener.answers:
		return cb, nil
	case <-ctx.Done():
		return callback{}, ctx.Err()
	}
}

// browseElsewhere takes the answer that comes first: over a forwarded port, or
// pasted. It does not leave the person with a question that nobody waits for.
func (f *codeFlow) browseElsewhere(ctx context.Context, visit Visit) (callback, error) {
	ctx, cancel := context.WithCancel(ctx)
	type pasted struct {
		cb  callback
		err error
	}
	result, ended := make(chan pasted, 1), make(chan struct{})
	go func() {
		defer close(ended)
		cb, err := f.paste(ctx, visit)
		result <- pasted{cb, err}
	}()
	defer func() {
		cancel()
		<-ended
	}()
	select {
	case cb := <-f.listener.answers:
		return cb, nil
	case p := <-result:
		return p.cb, p.err
	case <-ctx.Done():
		return callback{}, ctx.Err()
	}
}

// maxPastes is how often a person may try.
const maxPastes = 3

// paste asks for the URL that the browser ended at; it passes the same checks
// as an answer to the listener.
func (f *codeFlow) paste(ctx context.Context, visit Visit) (callback, error) {
	for range maxPastes {
		text, err := f.env.User.Paste(ctx, visit)
		if err != nil {
			return callback{}, err
		}
		v, problem := pastedQuery(text, f.redirect)
		if problem == "" {
			if cb, ours := f.session.read(v); ours {
				return cb, nil
			}
			problem = "that URL belongs to another sign-in: paste the one of the page that opened last"
		}
		visit.Problem = problem
	}
	return callback{}, fail(Protocol, f.session.doing, "run oauthctl apply again, and paste the whole address that the browser ends at", "%s", visit.Problem)
}

// pastedQuery takes the parameters out of a pasted URL. It must be the redirect
// URI: the same scheme, host and path.
func pastedQuery(text secret.Secret, redirect string) (url.Values, string) {
	const whole = "paste the whole address that the browser ended at; it starts with "
	u, err := url.Parse(strings.TrimSpace(text.Reveal()))
	want, werr := url.Parse(redirect)
	if err != nil || werr != nil || !strings.EqualFold(u.Scheme, want.Scheme) || !strings.EqualFold(u.Host, want.Host) ||
		pathOf(u) != pathOf(want) || u.Opaque != want.Opaque {
		return nil, whole + Clean(redirect)
	}
	v, err := url.ParseQuery(u.RawQuery)
	if err != nil || len(v) == 0 {
		return nil, whole + Clean(redirect)
	}
	return v, ""
}

// exchange redeems the code: one POST. An interruption does not stop it, since
// the code is used up by it.
func (f *codeFlow) exchange(ctx context.Context, cb callback) (*Grant, *Error) {
	ctx, cancel := uninterrupted(ctx, totalTimeout)
	defer cancel()
	p := f.party
	form := p.form("authorization_code")
	form.Set("code", cb.code.Reveal())
	form.Set("redirect_uri", f.redirect)
	if f.verifier != "" {
		form.Set("code_verifier", f.verifier)
	}
	if p.Origin != "" {
		if u, err := url.Parse(f.redirect); err == nil {
			p.Origin = u.Scheme + "://" + u.Host
		}
	}
	ans, e := p.send(ctx, f.env, post{doing: "exchange the code", url: p.TokenEndpoint, form: form, once: true})
	if e != nil {
		return nil, e
	}
	if s := cb.extra["scope"]; !s.Empty() && ans.members["scope"] == nil {
		ans.members["scope"] = s.Reveal()
	}
	g, e := f.c.accept(ctx, f.env, ans, f.nonce, "exchange the code at "+p.TokenEndpoint)
	if e != nil {
		return nil, e
	}
	g.keep(cb.extra)
	return g, nil
}

// keep adds further members to those of the token answer, which go first: they
// did not pass through a browser.
func (g *Grant) keep(extra map[string]secret.Secret) {
	for name, value := range extra {
		if g.Tokens.Extra == nil {
			g.Tokens.Extra = map[string]secret.Secret{}
		}
		if _, has := g.Tokens.Extra[name]; !has {
			g.Tokens.Extra[name] = value
		}
	}
}

// uninterrupted is a context that a cancelled ctx does not end, only its
// deadline or the given time.
func uninterrupted(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	free := context.WithoutCancel(ctx)
	if at, ok := ctx.Deadline(); ok {
		free, cancel := context.WithDeadline(free, at)
		inner, cancelInner := context.WithTimeout(free, d)
		return inner, func() { cancelInner(); cancel() }
	}
	return context.WithTimeout(free, d)
}

// accept turns the answer to an interactive grant into a Grant: tokens, who
// signed in, scopes, and what a person should know.
func (c *Client) accept(ctx context.Context, env Env, ans *answer, nonce, doing string) (*Grant, *Error) {
	g, err := ans.grant(c.Lifetimes())
	if err != nil {
		return nil, unusable(doing, err)
	}
	if e := c.identify(ctx, env, g, ans, nonce); e != nil {
		return nil, e
	}
	g.compareScopes(c.Scopes, ans.scopes(c.Preset.ScopeSeparator))
	if g.Tokens.RefreshToken.Empty() && c.expectsRefresh() {
		g.warn("the server sent no refresh token: a person will be needed again when the access token ends. " + c.refreshAdvice())
	}
	return g, nil
}

// expectsRefresh reports whether the request asked for a refresh token.
func (c *Client) expectsRefresh() bool {
	return len(c.Preset.OfflineParams) > 0 || slices.Contains(c.Scopes, "offline_access") ||
		c.Preset.OfflineScope != "" && slices.Contains(c.Scopes, c.Preset.OfflineScope)
}

// refreshAdvice is the usual cause of a missing refresh token.
func (c *Client) refreshAdvice() string {
	switch {
	case c.flow() == AuthorizationCode && c.Settings.Prompt == "":
		return "Servers often give one at the first consent only, or not without prompt = \"consent\" in the grant block"
	case c.Preset.OfflineScope != "":
		return "The usual cause is that the client may not ask for the scope " + c.Preset.OfflineScope + ": look at its registration"
	}
	return "Look at the client's registration: it may not be allowed to have one"
}

// settle tells the browser that it did not work, and closes the listener.
func (f *codeFlow) settle(e *Error) {
	if f.listener != nil {
		f.listener.settle(pageFor(e))
	}
}
