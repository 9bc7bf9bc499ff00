package grant

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/oauthctl/oauthctl/providers/quirk"
	"github.com/oauthctl/oauthctl/state"
)

// Revoke revokes a record's refresh token, which ends the access tokens too
// (RFC 7009 §2.1) unless the server is known to end each by itself; else its
// access token. ErrNotRevocable if the server has no
// endpoint for it. Other errors are an *Error, also that of a refresh token whose kind the
// server does not revoke, when the access token has been.
func Revoke(ctx context.Context, env Env, rec *state.Record) error {
	if rec.Info == nil || rec.Tokens == nil {
		return fail(Config, "revoke "+rec.Addr.String(), "", "the record was read without its tokens")
	}
	if rec.Info.Client.RevocationEndpoint == "" {
		return ErrNotRevocable
	}
	p := partyOf(env, rec)
	var stays error // what the refresh token is, after the access token was revoked
	if rt := rec.Tokens.RefreshToken; !rt.Empty() {
		e := p.revoke(ctx, env, rt.Reveal(), "refresh_token")
		if e == nil && !quirk.RevokesEach(p.Quirks) {
			return nil
		}
		if e != nil && e.Code != "unsupported_token_type" {
			return e
		}
		if e != nil {
			stays = e
		}
	}
	if at := rec.Tokens.AccessToken; !at.Empty() {
		if e := p.revoke(ctx, env, at.Reveal(), "access_token"); e != nil {
			return e
		}
	}
	return stays
}

// revoke makes one revocation request. Any 2xx is success, also for a token that
// the server does not know (§2.2).
func (p *party) revoke(ctx context.Context, env Env, token, hint string) *Error {
	form := url.Values{"token": {token}, "token_type_hint": {hint}}
	status, body, e := p.call(ctx, env, "revoke the "+strings.ReplaceAll(hint, "_", " "), p.RevocationEndpoint, form)
	if e != nil || status/100 == 2 {
		return e
	}
	e = &Error{Outcome: Answered, Status: status, Doing: "revoke the " + strings.ReplaceAll(hint, "_", " ") + " at " + p.RevocationEndpoint}
	if status/100 == 3 {
		e.Outcome, e.Kind, e.Detail = Unknown, Protocol, "the server answered with a redirect, which is not followed"
		return e
	}
	var words said
	if ans, err := parseAnswer(body.contentType, body.text); err == nil {
		words = said{ans.text("error"), ans.text("error_description")}
	}
	e.RetryAfter = retryAfter(body.header)
	p.explain(e, post{form: form}, words)
	return e
}

// body is the answer to a call.
type body struct {
	contentType string
	text        []byte
	header      http.Header
}

// call makes an authenticated POST that x/oauth2 has no function for
// (revocation, device authorization).
func (p *party) call(ctx context.Context, env Env, doing, endpoint string, form url.Values) (int, body, *Error) {
	doing += " at " + endpoint
	if err := checkEndpoint(endpoint); err != nil {
		return 0, body{}, fail(Config, doing, "correct the endpoint in the provider block", "%s", err)
	}
	ctx, w := watch(guard(ctx, p.Guarded), false)
	rec := &recorder{wire: w, origin: p.Origin, raw: true}
	client, err := p.client(env, rec)
	if err != nil {
		return 0, body{}, fail(Config, doing, "", "%s", err)
	}
	if e := p.authenticate(ctx, env, doing, form); e != nil {
		return 0, body{}, e
	}
	if p.Auth != authBasic {
		form.Set("client_id", p.ClientID)
	}
	if p.Auth == authPost {
		form.Set("client_secret", p.secret.Reveal())
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, body{}, fail(Config, doing, "", "%s", Clean(err.Error()))
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if p.Auth == authBasic { // form-encoded first: RFC 6749 §2.3.1
		req.SetBasicAuth(url.QueryEscape(p.ClientID), url.QueryEscape(p.secret.Reveal()))
	}
	resp, err := client.Do(req)
	if err != nil {
		e, words := classify(err, rec)
		e.Doing = doing
		p.explain(e, post{form: form}, words)
		return 0, body{}, e
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, body{}, &Error{Kind: Temporary, Outcome: Unknown, Doing: doing, Detail: networkDetail(err), Remedy: "try again later"}
	}
	return resp.StatusCode, body{resp.Header.Get("Content-Type"), bytes.TrimSpace(text), resp.Header}, nil
}
