package sandbox_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/providers"
)

func TestRotation(t *testing.T) {
	// Each row refreshes with the first token, waits, and sends the first again.
	for name, tt := range map[string]struct {
		rotation   providers.Rotation
		wait       time.Duration
		newToken   bool // an answer carries one
		againWorks bool
		reuses     int
	}{
		"none: the token is kept":           {providers.Rotation{Kind: "none"}, time.Hour, false, true, 0},
		"replaced: the old one still works": {providers.Rotation{Kind: "replaced"}, time.Hour, true, true, 0},
		"single use":                        {providers.Rotation{Kind: "single_use"}, 0, true, false, 1},
		"unknown is as strict":              {providers.Rotation{Kind: "unknown"}, 0, true, false, 1},
		"not said is as strict":             {providers.Rotation{}, 0, true, false, 1},
		"within the grace":                  {providers.Rotation{Kind: "single_use", Grace: 30 * time.Second}, 29 * time.Second, true, true, 0},
		"after the grace":                   {providers.Rotation{Kind: "single_use", Grace: 30 * time.Second}, 30 * time.Second, true, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := acme()
			p.Rotation = tt.rotation
			r := newRig(t, p)
			first := r.authorize().RefreshToken
			status, got := r.refresh(first)
			if status != http.StatusOK {
				t.Fatalf("%d %v", status, got["error_description"])
			}
			second, isNew := got["refresh_token"].(string)
			if isNew != tt.newToken || second == first {
				t.Errorf("a new refresh token: %t, want %t", isNew, tt.newToken)
			}
			r.clock.Add(tt.wait)
			status, got = r.refresh(first)
			if works := status == http.StatusOK; works != tt.againWorks {
				t.Errorf("again: %d %v", status, got["error"])
			}
			if st := r.stats(); st.Reuses != tt.reuses {
				t.Errorf("reuses = %d, want %d", st.Reuses, tt.reuses)
			}
			if second == "" {
				return
			}
			status, _ = r.refresh(second)
			if works := status == http.StatusOK; works != tt.againWorks {
				t.Errorf("the successor works: %t, want %t: reuse costs the family", works, tt.againWorks)
			}
		})
	}
}

func TestBlastRadius(t *testing.T) {
	for radius, otherLives := range map[string]bool{"grant": true, "client_user": false} {
		t.Run(radius, func(t *testing.T) {
			p := acme()
			p.Rotation = providers.Rotation{Kind: "single_use", BlastRadius: radius}
			r := newRig(t, p)
			one, two := r.authorize().RefreshToken, r.authorize().RefreshToken
			r.refresh(one)
			r.refresh(one) // reuse
			status, _ := r.refresh(two)
			if (status == http.StatusOK) != otherLives {
				t.Errorf("the other consent of the same person: %d, want alive %t", status, otherLives)
			}
		})
	}
}

func TestRefreshRefuses(t *testing.T) {
	r := newRig(t, acme())
	tok := r.authorize()
	good := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tok.RefreshToken}, "client_id": {"app"}, "client_secret": {"hush"}}
	for name, tt := range map[string]struct{ key, value, want string }{
		"unknown":         {"refresh_token", "x", "invalid_grant"},
		"missing":         {"refresh_token", "", "invalid_request"},
		"another client":  {"client_id", "other", "invalid_grant"},
		"more scopes":     {"scope", "files.read mail.read contacts.read", "invalid_scope"},
		"an access token": {"refresh_token", tok.AccessToken, "invalid_grant"},
	} {
		form := url.Values{}
		for k, v := range good {
			form[k] = v
		}
		form.Set(tt.key, tt.value)
		if status, got := r.post(issuer+"/token", form); status != 400 || got["error"] != tt.want {
			t.Errorf("%s: %d %v, want %s", name, status, got["error"], tt.want)
		}
	}
	good.Set("scope", "files.read")
	status, got := r.post(issuer+"/token", good)
	if status != 200 || got["scope"] != "files.read" || got["id_token"] != nil {
		t.Fatalf("narrowed: %d %v", status, got["scope"])
	}
	if _, got = r.refresh(got["refresh_token"].(string)); got["scope"] != "files.read mail.read" {
		t.Errorf("after narrowing once, all again: %v", got["scope"])
	}
}

func TestRefreshEndpointOfItsOwn(t *testing.T) {
	p := acme()
	p.RefreshEndpoint = "https://api.acme.example/renew"
	r := newRig(t, p)
	tok := r.authorize()
	r.conf.Endpoint.TokenURL = p.RefreshEndpoint
	if status, got := r.refresh(tok.RefreshToken); status != 200 {
		t.Errorf("%d %v", status, got["error"])
	}
}
