package grant

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Bounds of what a server may ask for while it waits for the person.
const (
	defaultInterval = 5 * time.Second // RFC 8628 §3.2
	maxInterval     = time.Minute
	slowDown        = 5 * time.Second // §3.5
	defaultCodeLife = 15 * time.Minute
	maxCodeLife     = time.Hour
	deviceGrantType = "urn:ietf:params:oauth:grant-type:device_code"
)

// device is a device authorization answer (RFC 8628 §3.2), checked.
type device struct {
	code     string
	show     DeviceCode
	interval time.Duration
	life     time.Duration
}

// authorizeByDevice is the device authorization grant (RFC 8628).
func (c *Client) authorizeByDevice(ctx context.Context, env Env) (*Grant, *Error) {
	p := c.party()
	d, e := c.startDevice(ctx, env, p)
	if e != nil {
		return nil, e
	}
	d.show.Deadline = env.Now().Add(d.life)
	done, err := env.User.Code(ctx, d.show)
	if done != nil {
		defer done()
	}
	if err != nil {
		return nil, &Error{Kind: NeedsUser, Outcome: NotSent, Doing: "authorize " + c.Addr.String(), Detail: Clean(err.Error()), Err: err}
	}
	ans, e := p.poll(ctx, env, d)
	if e != nil {
		return nil, e
	}
	final, cancel := uninterrupted(ctx, totalTimeout)
	defer cancel()
	return c.accept(final, env, ans, "", "ask for the token at "+p.TokenEndpoint)
}

// startDevice is the device authorization request (§3.1).
func (c *Client) startDevice(ctx context.Context, env Env, p *party) (*device, *Error) {
	form := url.Values{}
	if c.Settings.Type == DeviceCodeGrant { // else they are those of an authorization request
		for _, k := range slices.Sorted(maps.Keys(c.Settings.Params)) {
			form.Set(k, c.Settings.Params[k])
		}
	}
	for _, r := range c.Conn.Resource {
		form.Add("resource", r)
	}
	if c.Conn.Audience != "" {
		form.Set("audience", c.Conn.Audience)
	}
	p.setScopes(form, c.Scopes)
	const what = "ask for a device code"
	doing := what + " at " + c.Preset.DeviceEndpoint
	status, b, e := p.call(ctx, env, what, c.Preset.DeviceEndpoint, form)
	if e != nil {
		return nil, e
	}
	ans, err := parseAnswer(b.contentType, b.text)
	if status/100 != 2 || err == nil && ans.text("error") != "" {
		e := &Error{Outcome: Answered, Status: status, Doing: doing, RetryAfter: retryAfter(b.header)}
		var words said
		if err == nil {
			words = said{ans.text("error"), ans.text("error_description")}
		}
		p.explain(e, post{form: form}, words)
		e.Err = errNoCode
		return nil, e
	}
	if err != nil {
		return nil, &Error{Kind: Protocol, Outcome: Answered, Status: status, Doing: doing, Detail: Clean(err.Error())}
	}
	d, err := c.readDevice(ans)
	if err != nil {
		return nil, &Error{Kind: Protocol, Outcome: Answered, Status: status, Doing: doing, Detail: "the answer " + Clean(err.Error())}
	}
	return d, nil
}

// readDevice checks a device authorization answer. What would be shown to a
// person and could deceive them is refused.
func (c *Client) readDevice(a *answer) (*device, error) {
	d := &device{code: a.text("device_code"), interval: defaultInterval, life: defaultCodeLife}
	uri := a.text("verification_uri")
	if uri == "" {
		uri = a.text("verification_url") // Google, and Microsoft's older endpoint
	}
	complete := a.text("verification_uri_complete")
	user := a.text("user_code")
	switch {
	case d.code == "" || !isPrintable(d.code):
		return nil, fmt.Errorf("has no usable device code")
	case user == "" || len(user) > 64 || !isPrintable(user) || strings.TrimSpace(user) != user:
		return nil, fmt.Errorf("has no usable user code")
	}
	if err := checkEndpoint(uri); err != nil {
		return nil, fmt.Errorf("has an unusable verification_uri: %w", err)
	}
	if checkEndpoint(complete) != nil {
		complete = "" // optional: the plain one is enough
	}
	if n, ok := seconds(a.members["interval"]); ok {
		d.interval = pause(n)
	}
	if n, ok := seconds(a.members["expires_in"]); ok && n > 0 {
		d.life = time.Duration(min(n, int64(maxCodeLife/time.Second))) * time.Second
	}
	if t := c.Settings.Timeout; t > 0 && t < d.life {
		d.life = t
	}
	d.show = DeviceCode{
		Addr: c.Addr, Title: title(c.Preset), UserCode: user, VerificationURI: uri, VerificationURIComplete: complete,
		Account: c.Conn.Account, Scopes: slices.Clone(c.Scopes),
	}
	return d, nil
}

// pause is the time between polls that a server asks for, at most a minute. What
// is no positive number of seconds says nothing: then it is five (RFC 8628 §3.2).
func pause(n int64) time.Duration {
	if n < 1 {
		return defaultInterval
	}
	return time.Duration(min(n, int64(maxInterval/time.Second))) * time.Second
}

// poll asks for the token until the person has answered or the code has ended
// (§3.4, §3.5). A poll that fails on the way is repeated; only an answer of the
// server ends the flow early.
func (p *party) poll(ctx context.Context, env Env, d *device) (*answer, *Error) {
	doing := "wait for the consent at " + d.show.VerificationURI
	form := p.form(deviceGrantType)
	form.Set("device_code", d.code)
	deadline, interval := env.Now().Add(d.life), d.interval
	for {
		if err := env.sleep(ctx, interval); err != nil {
			return nil, fail(Interrupted, doing, "", "interrupted; nothing was changed")
		}
		if !env.Now().Before(deadline) {
			return nil, fail(Expired, doing, "run oauthctl apply again and answer in time", "nobody entered the code %s in time", d.show.UserCode)
		}
		one, cancel := uninterrupted(ctx, refreshTimeout)
		ans, e := p.send(one, env, post{doing: "ask for the token", url: p.TokenEndpoint, form: form})
		cancel()
		switch {
		case e == nil:
			return ans, nil
		case e.Code == "authorization_pending":
		case e.Code == "slow_down":
			slower := min(interval+slowDown, maxInterval)
			if n, ok := seconds(ans.members["interval"]); ok && pause(n) > interval { // GitHub says the new one
				slower = pause(n)
			}
			interval = slower
		case slices.Contains(codesDenied, e.Code):
			e.Kind = Denied
			return nil, e
		case slices.Contains(codesExpired, e.Code):
			e.Kind = Expired
			return nil, e
		case e.Kind != Temporary:
			return nil, e
		default:
			interval = min(max(interval, e.RetryAfter)+slowDown, maxInterval)
		}
	}
}
