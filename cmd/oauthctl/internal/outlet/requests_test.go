package outlet_test

import (
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/outlet"
	"github.com/oauthctl/oauthctl/schema"
)

func TestGitRequests(t *testing.T) {
	for _, c := range []struct{ name, text, host, user, password string }{
		{"ordinary", "protocol=https\nhost=git.example.com\npath=a/b.git\n\n", "git.example.com", "", ""},
		{"at the end without an empty line", "protocol=https\nhost=git.example.com", "git.example.com", "", ""},
		{"behind the empty line", "protocol=https\n\nhost=git.example.com\n", "", "", ""},
		{"port and case", "protocol=https\nhost=Git.Example.com:443\n", "git.example.com", "", ""},
		{"another port", "protocol=https\nhost=git.example.com:8443\n", "git.example.com:8443", "", ""},
		{"refused", "protocol=https\nhost=g.example\nusername=a=b\npassword=p=q\n", "g.example", "a=b", "p=q"},
		{"further names", "capability[]=authtype\nwwwauth[]=Basic realm=\"x\"\nprotocol=https\nhost=g.example\nnew=1\n", "g.example", "", ""},
		{"the last counts", "protocol=https\nhost=a.example\nhost=b.example\n", "b.example", "", ""},
		{"in clear", "protocol=http\nhost=git.example.com\n", "", "", ""},
		{"in clear on this machine", "protocol=http\nhost=127.0.0.1:3000\n", "127.0.0.1:3000", "", ""},
		{"in clear on this machine, at the port of http", "protocol=http\nhost=localhost\n", "localhost:80", "", ""},
		{"in clear on this machine, in brackets", "protocol=http\nhost=[::1]\n", "[::1]:80", "", ""},
		{"looks like this machine", "protocol=http\nhost=127.0.0.1.example.com\n", "", "", ""},
		{"ssh", "protocol=ssh\nhost=git.example.com\n", "", "", ""},
		{"no protocol", "host=git.example.com\n", "", "", ""},
		{"user in the host", "protocol=https\nhost=git.example.com@evil.example\n", "", "", ""},
		{"path in the host", "protocol=https\nhost=evil.example/git.example.com\n", "", "", ""},
		{"carriage return", "protocol=https\r\nhost=git.example.com\r\n", "", "", ""},
		{"nothing", "", "", "", ""},
	} {
		q, err := outlet.ReadGit(strings.NewReader(c.text))
		if err != nil || q.Host != c.host || q.User != c.user || q.Password.Reveal() != c.password {
			t.Errorf("%s: %q %q %v", c.name, q.Host, q.User, err)
		}
	}
	for _, text := range []string{"host\n", "protocol=https\nhost=a\x00b\n", strings.Repeat("x=y\n", 1<<16)} {
		if _, err := outlet.ReadGit(strings.NewReader(text)); err == nil {
			t.Errorf("%.20q is a request", text)
		}
	}
}

func TestDockerRequests(t *testing.T) {
	for text, want := range map[string]string{
		"https://index.docker.io/v1/\n":  "index.docker.io",
		"registry.example:5000":          "registry.example:5000",
		"Registry.Example/v2/team":       "registry.example",
		"HTTPS://registry.example":       "registry.example",
		"http://registry.example":        "",
		"http://localhost:5000":          "localhost:5000",
		"https://a@registry.example":     "",
		"registry.example@evil.example":  "",
		"ftp://registry.example":         "",
		"https:///registry.example":      "",
		"*.example":                      "",
		"registry.example\nevil.example": "",
		"":                               "",
	} {
		if q, err := outlet.ReadDocker(strings.NewReader(text)); err != nil || q.Host != want {
			t.Errorf("%q: %q %v", text, q.Host, err)
		}
	}
	q, err := outlet.ReadDockerStored(strings.NewReader(`{"ServerURL":"https://registry.example/v1/","Username":"u","Secret":"p"}`))
	if err != nil || q.Host != "registry.example" {
		t.Errorf("%q %v", q.Host, err)
	}
	if _, err := outlet.ReadDockerStored(strings.NewReader(`{"Secret":"hunter2`)); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v", err)
	}
}

// safe fails if a request leads to a host that is not written as hosts are, or
// not secured.
func safe(t *testing.T, text, host string) {
	t.Helper()
	if host == "" {
		return
	}
	if again, err := schema.ParseHost(host); err != nil || again != host {
		t.Errorf("%q leads to %q", text, host)
	}
	name, _, _ := strings.Cut(host, ":")
	if host[0] != '[' && !strings.Contains(strings.ToLower(text), name) {
		t.Errorf("%q leads to %q, which it does not name", text, host)
	}
}

func FuzzGit(f *testing.F) {
	f.Add("protocol=https\nhost=git.example.com\nusername=a\npassword=b\n\n")
	f.Add("protocol=http\nhost=[::1]:80\n")
	f.Add("host=a\rb\x00=\n=\n")
	f.Fuzz(func(t *testing.T, text string) {
		q, err := outlet.ReadGit(strings.NewReader(text))
		if err != nil {
			return
		}
		safe(t, text, q.Host)
		if q.Host != "" && !strings.Contains(text, "protocol=https") && !schema.LoopbackHost(q.Host) {
			t.Errorf("%q leads to %q in clear", text, q.Host)
		}
	})
}

func FuzzDocker(f *testing.F) {
	f.Add("https://index.docker.io/v1/")
	f.Add("registry.example:5000/x")
	f.Add("http://[::1]:80")
	f.Add(`{"ServerURL":"a"}`)
	f.Fuzz(func(t *testing.T, text string) {
		if q, err := outlet.ReadDocker(strings.NewReader(text)); err == nil {
			safe(t, text, q.Host)
			if q.Host != "" && strings.HasPrefix(strings.TrimSpace(strings.ToLower(text)), "http://") && !schema.LoopbackHost(q.Host) {
				t.Errorf("%q leads to %q in clear", text, q.Host)
			}
		}
		_, _ = outlet.ReadDockerStored(strings.NewReader(text))
	})
}
