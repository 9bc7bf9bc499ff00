package main

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/providers/sandbox"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// autoUser consents in the sandbox without anybody being asked.
type autoUser struct {
	server *sandbox.Server
	client *http.Client // for the listener of the flow, on loopback
	note   func(format string, args ...any)
}

// Open implements [grant.User]: it consents and brings the answer to the
// listener, as a browser would.
func (u *autoUser) Open(ctx context.Context, v grant.Visit) (func(), error) {
	redirect, err := u.server.Consent(ctx, v.URL)
	if err != nil {
		return nil, err
	}
	req, err := callback(ctx, v, redirect)
	if err != nil {
		return nil, err
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		res, err := u.client.Do(req)
		if err != nil {
			return // the flow ends at its deadline, or is over already
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
	})
	return wg.Wait, nil
}

// callback is the request with which a browser follows redirect to the
// listener: directly, or where a proxy would pass it on to.
func callback(ctx context.Context, v grant.Visit, redirect string) (*http.Request, error) {
	to, err := url.Parse(redirect)
	if err != nil {
		return nil, err
	}
	host, query := to.Host, to.RawQuery
	if v.Listening != "" {
		to.Scheme, to.Host = "http", v.Listening
	}
	method, body := http.MethodGet, ""
	asked, err := url.Parse(v.URL)
	if err != nil {
		return nil, err
	}
	if asked.Query().Get("response_mode") == "form_post" {
		method, body, to.RawQuery = http.MethodPost, query, ""
	}
	req, err := http.NewRequestWithContext(ctx, method, to.String(), strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Host = host
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return req, nil
}

// Code implements [grant.User].
func (u *autoUser) Code(ctx context.Context, d grant.DeviceCode) (func(), error) {
	return func() {}, u.server.ConsentDevice(ctx, d.UserCode)
}

// Paste implements [grant.User].
func (u *autoUser) Paste(ctx context.Context, v grant.Visit) (secret.Secret, error) {
	redirect, err := u.server.Consent(ctx, v.URL)
	return secret.Secret(redirect), err
}

// browserUser sends a real person to the sandbox's pages: url says where they are.
type browserUser struct {
	grant.User
	url func(string) string
}

// Open implements [grant.User].
func (u *browserUser) Open(ctx context.Context, v grant.Visit) (func(), error) {
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
