package sandbox_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/providers/sandbox"
)

// A client meets the sandbox at the URLs of the server that it imitates.
func Example() {
	s, err := sandbox.New(sandbox.Options{Now: time.Now, Rand: rand.Reader})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = s.Close() }()
	err = s.Mount(&providers.Preset{Name: "acme", Issuer: "https://login.acme.example", Discovery: "oidc"})
	if err != nil {
		fmt.Println(err)
		return
	}

	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, &http.Client{Transport: s.Transport()})
	client := oauth2.Config{
		ClientID: "app", ClientSecret: "secret", RedirectURL: "http://127.0.0.1/callback", Scopes: []string{"files.read"},
		Endpoint: oauth2.Endpoint{AuthURL: "https://login.acme.example/authorize", TokenURL: "https://login.acme.example/token", AuthStyle: oauth2.AuthStyleInHeader},
	}
	redirect, err := s.Consent(ctx, client.AuthCodeURL("state"))
	if err != nil {
		fmt.Println(err)
		return
	}
	back, _ := url.Parse(redirect)
	token, err := client.Exchange(ctx, back.Query().Get("code"))
	fmt.Println(back.Query().Get("state"), token.Valid(), err)
	// Output: state true <nil>
}
