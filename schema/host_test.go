package schema_test

import (
	"testing"

	"github.com/oauthctl/oauthctl/schema"
)

func TestHostsAreWrittenAlike(t *testing.T) {
	for in, want := range map[string]string{
		"git.example.com":         "git.example.com",
		"Git.Example.com:443":     "git.example.com",
		"git.example.com:80":      "git.example.com:80",
		"registry.example:5000":   "registry.example:5000",
		"localhost":               "localhost",
		"10.1.2.3:8443":           "10.1.2.3:8443",
		"[::1]:5000":              "[::1]:5000",
		"[2001:DB8:0::1]":         "[2001:db8::1]",
		"xn--mnchen-3ya.example":  "xn--mnchen-3ya.example",
		"host_with_underscore.de": "host_with_underscore.de",
	} {
		if got, err := schema.ParseHost(in); got != want || err != nil {
			t.Errorf("%s: %q, %v", in, got, err)
		}
		if got, err := schema.ParseHost(want); got != want || err != nil {
			t.Errorf("%s is not what it is written as: %q, %v", want, got, err)
		}
	}
	for _, in := range []string{
		"", ":443", "a:", "a:0", "a:65536", "a:0443", "a:b", "https://git.example.com", "git.example.com/x", "*.example.com", "alice@git.example.com",
		"git..example.com", "git.example.com.", ".example.com", "-a.example", "a b", "a\nb", "a\x00", "münchen.example", "::1", "[::1", "::1]", "[fe80::1%eth0]", "[1.2.3.4]", "[::1]x", "[::1]:x",
	} {
		if got, err := schema.ParseHost(in); err == nil {
			t.Errorf("%q is taken for the host %q", in, got)
		}
	}
}

func TestLoopbackHost(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "localhost:3000": true, "127.0.0.1": true, "127.1.2.3:80": true, "[::1]:5000": true, "[::1]": true,
		"localhost.example.com": false, "10.0.0.1:3000": false, "127.0.0.1.example.com": false, "[2001:db8::1]:80": false,
	} {
		if got := schema.LoopbackHost(host); got != want {
			t.Errorf("%s: %t", host, got)
		}
	}
}
