package providers_test

import (
	"testing"

	"github.com/oauthctl/oauthctl/providers"
)

func TestCheckEndpoint(t *testing.T) {
	for url, ok := range map[string]bool{
		"https://login.acme.example/token":        true,
		"https://login.acme.example/token?api=2":  true,
		"https://login.acme.example:8443/token":   true,
		"https://10.0.0.8/token":                  true, // private networks have servers too
		"https://[fd00::1]:8443/token":            true,
		"https://xn--bcher-kva.example/token":     true,
		"http://localhost:9000/token":             true,
		"http://127.0.0.53/token":                 true,
		"http://[::1]:9000/token":                 true,
		"http://login.acme.example/token":         false,
		"http://localhost.acme.example/token":     false,
		"http://127.0.0.1.acme.example/token":     false,
		"https://user:pw@login.acme.example/":     false,
		"https://login.acme.example/token#x":      false,
		"https://login.acme.example/token#":       false,
		"https://bücher.example/token":            false,
		"https://login.acme.example:0/token":      false,
		"https://login.acme.example:99999/token":  false,
		"https://login.acme.example:/token":       false,
		"https://login.acme.example\\@evil.test/": false,
		"https://login.acme.example/to ken":       false,
		"https://login.acme.example/\ntoken":      false,
		"https://":                                false,
		"https:login.acme.example":                false,
		"//login.acme.example/token":              false,
		"/token":                                  false,
		"javascript:alert(1)":                     false,
		"file:///etc/passwd":                      false,
		"":                                        false,
	} {
		if err := providers.CheckEndpoint(url); (err == nil) != ok {
			t.Errorf("CheckEndpoint(%q) = %v, want ok = %v", url, err, ok)
		}
	}
}

func TestCheckIssuer(t *testing.T) {
	for url, ok := range map[string]bool{
		"https://login.acme.example":              true,
		"https://login.acme.example/":             true, // Auth0
		"https://login.acme.example/a/b":          true,
		"https://login.acme.example/{tenantid}":   true,
		"https://{tenantid}.acme.example/":        false,
		"https://l.example/{tenantid}/{tenantid}": false,
		"https://login.acme.example?x=1":          false,
		"https://login.acme.example?":             false,
		"https://login.acme.example/{tid}":        false,
		"http://login.acme.example":               false,
	} {
		if err := providers.CheckIssuer(url); (err == nil) != ok {
			t.Errorf("CheckIssuer(%q) = %v, want ok = %v", url, err, ok)
		}
	}
}
