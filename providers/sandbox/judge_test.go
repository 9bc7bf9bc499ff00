package sandbox_test

import (
	"context"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/oauthctl/oauthctl/providers"
)

// TestOtherPeoplesClients lets go-oidc and x/oauth2 judge discovery, JWKS, ID
// tokens, userinfo and refresh.
func TestOtherPeoplesClients(t *testing.T) {
	slash := acme()
	slash.Issuer = issuer + "/tenant/"
	for name, p := range map[string]*providers.Preset{"issuer": acme(), "issuer with a path and a slash": slash} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, p)
			ctx := oidc.ClientContext(r.ctx(), r.http)
			provider, err := oidc.NewProvider(ctx, p.Issuer)
			if err != nil {
				t.Fatal(err)
			}
			r.conf.Scopes = []string{"openid"}
			r.conf.Endpoint = provider.Endpoint()
			r.conf.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
			tok := r.authorize(oidc.Nonce("n-1"), oauth2.SetAuthURLParam("login_hint", "alice@contoso.com"))
			raw, _ := tok.Extra("id_token").(string)
			id, err := provider.Verifier(&oidc.Config{ClientID: "app", Now: r.clock.Now}).Verify(ctx, raw)
			if err != nil {
				t.Fatal(err)
			}
			if err := id.VerifyAccessToken(tok.AccessToken); err != nil || id.Nonce != "n-1" {
				t.Errorf("at_hash: %v, nonce %q", err, id.Nonce)
			}
			var claims struct {
				Email, Name string
				Username    string `json:"preferred_username"`
			}
			if err := id.Claims(&claims); err != nil || claims.Email != "alice@contoso.com" || claims.Username != claims.Email || claims.Name != "Alice" {
				t.Errorf("%+v, %v", claims, err)
			}
			info, err := provider.UserInfo(ctx, r.conf.TokenSource(ctx, tok))
			if err != nil || info.Subject != id.Subject || info.Email != claims.Email {
				t.Errorf("userinfo: %+v, %v", info, err)
			}
			tok.Expiry = time.Unix(1, 0)
			renewed, err := r.conf.TokenSource(context.WithoutCancel(ctx), tok).Token()
			if err != nil || renewed.RefreshToken == tok.RefreshToken {
				t.Errorf("refresh: %v", err)
			}
		})
	}
}

// TestIssuerOfManyTenants: Microsoft's common authority signs with the account's
// own tenant as the issuer.
func TestIssuerOfManyTenants(t *testing.T) {
	p := &providers.Preset{
		Name: "microsoft", Issuer: "https://login.microsoftonline.com/{tenantid}/v2.0", Discovery: "none",
		AuthorizationEndpoint: issuer + "/authorize", TokenEndpoint: issuer + "/token", JWKSURI: issuer + "/keys", IDToken: true,
	}
	r := newRig(t, p)
	r.conf.Scopes = []string{"openid"}
	raw, _ := r.authorize().Extra("id_token").(string)
	keys := oidc.NewRemoteKeySet(oidc.ClientContext(t.Context(), r.http), issuer+"/keys")
	id, err := oidc.NewVerifier("", keys, &oidc.Config{ClientID: "app", Now: r.clock.Now, SkipIssuerCheck: true}).Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	var claims struct{ Tid string }
	if err := id.Claims(&claims); err != nil || claims.Tid == "" || id.Issuer != "https://login.microsoftonline.com/"+claims.Tid+"/v2.0" {
		t.Errorf("iss %q, tid %q, %v", id.Issuer, claims.Tid, err)
	}
}
