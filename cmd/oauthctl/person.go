package main

import (
	"context"
	"io"
	"net/http"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/providers/sandbox"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// autoUser consents in the sandbox without anybody being asked.
type autoUser struct {
	server *sandbox.Server
	client *http.Client // for the listener of the flow, on loopback

	deny    bool
	account string // who signs in whoever is asked for; "": whoever is asked for
}

func newAutoUser(srv *sandbox.Server) *autoUser {
	return &autoUser{server: srv, client: &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (u *autoUser) visitor(account string) sandbox.Visitor {
	if u.account != "" {
		account = u.account
	}
	return sandbox.Visitor{Account: account, Deny: u.deny}
}

// Open implements [grant.User]: it consents and brings the answer to the
// listener, as a browser would.
func (u *autoUser) Open(ctx context.Context, v grant.Visit) (func(), error) {
	answer, err := u.server.Visit(ctx, v.URL, u.visitor(v.Account))
	if err != nil {
		return nil, err
	}
	req, err := answer.Request(ctx)
	if err != nil {
		return nil, err
	}
	if v.Listening != "" { // behind a proxy, which would keep the Host
		req.Host = req.URL.Host
		req.URL.Scheme, req.URL.Host = "http", v.Listening
	}
	// The listener keeps its answer until the flow has ended, so nobody waits for it here.
	go func() {
		res, err := u.client.Do(req)
		if err != nil {
			return // the flow ends at its deadline, or is over already
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
	}()
	return func() {}, nil
}

// Code implements [grant.User].
func (u *autoUser) Code(ctx context.Context, d grant.DeviceCode) (func(), error) {
	return func() {}, u.server.VisitDevice(ctx, d.UserCode, u.visitor(d.Account))
}

// Paste implements [grant.User].
func (u *autoUser) Paste(ctx context.Context, v grant.Visit) (secret.Secret, error) {
	answer, err := u.server.Visit(ctx, v.URL, u.visitor(v.Account))
	return secret.Secret(answer.String()), err
}

// browserUser sends a real person to the sandbox's pages: url says where they are.
type browserUser struct {
	grant.User
	url   func(string) string
	carry func(redirectURI, address string) // plays the proxy in front of a listener
}

// Open implements [grant.User].
func (u *browserUser) Open(ctx context.Context, v grant.Visit) (func(), error) {
	u.carry(v.RedirectURI, v.Listening)
	v.URL = u.url(v.URL)
	return u.User.Open(ctx, v)
}

// Code implements [grant.User].
func (u *browserUser) Code(ctx context.Context, d grant.DeviceCode) (func(), error) {
	d.VerificationURI = u.url(d.VerificationURI)
	if d.VerificationURIComplete != "" {
		d.VerificationURIComplete = u.url(d.VerificationURIComplete)
	}
	return u.User.Code(ctx, d)
}

// Paste implements [grant.User].
func (u *browserUser) Paste(ctx context.Context, v grant.Visit) (secret.Secret, error) {
	v.URL = u.url(v.URL)
	return u.User.Paste(ctx, v)
}
