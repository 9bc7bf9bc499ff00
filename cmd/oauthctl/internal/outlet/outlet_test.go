package outlet_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/outlet"
	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
)

func sample() *engine.Token {
	return &engine.Token{
		Addr: addr.Connection("graph").Instance("eu"), AccessToken: "at_1-x.y~z+/=", TokenType: "bearer",
		ExpiresAt: time.Date(2026, 3, 2, 13, 0, 0, 0, time.UTC), Scopes: []string{"read", "write"},
		Account: "alice@example.com", Hosts: []string{"git.example.com", "registry.example"}, Preset: "gitlab",
	}
}

// options are those of a program in an environment that has a file for each
// variable of GitHub Actions.
func options(env map[string]string) *outlet.Options {
	return &outlet.Options{
		LookupEnv: func(k string) (string, bool) { v, ok := env[k]; return v, ok },
		Stdin:     strings.NewReader(""), Rand: bytes.NewReader(bytes.Repeat([]byte{0xab}, 64)),
		Append: func(path string, text []byte) error {
			env["wrote "+path] += string(text)
			return nil
		},
	}
}

func write(t *testing.T, format string, tok *engine.Token, o *outlet.Options) (string, error) {
	t.Helper()
	f, ok := outlet.Named(format)
	if !ok {
		t.Fatalf("no format %s", format)
	}
	var b strings.Builder
	if err := f.Check(o); err != nil {
		return "", err
	}
	err := f.Write(&b, tok, o)
	return b.String(), err
}

// What a format prints is masked first, whatever it looks like: the token, and
// where that is encoded, the text that has it.
func TestMasks(t *testing.T) {
	awkward := sample()
	awkward.AccessToken = `at%"\`
	for _, tc := range []struct {
		format string
		token  *engine.Token
		want   string // "TEXT" stands for what is printed
	}{
		{"raw", sample(), "::add-mask::at_1-x.y~z+/=\n"},
		{"header", sample(), "::add-mask::at_1-x.y~z+/=\n"},
		{"json", sample(), "::add-mask::at_1-x.y~z+/=\n"},
		{"netrc", sample(), "::add-mask::at_1-x.y~z+/=\n"},
		{"xoauth2", sample(), "::add-mask::at_1-x.y~z+/=\n::add-mask::TEXT"},
		{"github-actions", sample(), "::add-mask::at_1-x.y~z+/=\n"},
		{"raw", awkward, "::add-mask::at%25\"\\\n"},
		{"curl", awkward, "::add-mask::at%25\"\\\n::add-mask::header = \"Authorization: Bearer at%25\\\"\\\\\"\n"},
		{"github-actions", awkward, "::add-mask::at%25\"\\\n"},
	} {
		var masked strings.Builder
		o := options(map[string]string{"GITHUB_OUTPUT": "out"})
		o.Mask = &masked
		text, err := write(t, tc.format, tc.token, o)
		if want := strings.ReplaceAll(tc.want, "TEXT", text); err != nil || masked.String() != want {
			t.Errorf("%s: masks %q, %v, want %q", tc.format, masked.String(), err, want)
		}
	}
}

// Without its mask, a token is not printed.
func TestMaskThatCannotBeWritten(t *testing.T) {
	o := options(nil)
	o.Mask = deaf{}
	if text, err := write(t, "raw", sample(), o); err == nil || text != "" {
		t.Errorf("%q, %v", text, err)
	}
}

type deaf struct{}

func (deaf) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestFormats(t *testing.T) {
	const heredoc = "ghadelimiter_abababababababababababababababab"
	for format, want := range map[string]string{
		"raw":                "at_1-x.y~z+/=\n",
		"json":               `{"access_token":"at_1-x.y~z+/=","token_type":"Bearer","expires_at":"2026-03-02T13:00:00Z","scopes":["read","write"],"address":"connection.graph[\"eu\"]"}` + "\n",
		"env":                "GRAPH_EU_ACCESS_TOKEN='at_1-x.y~z+/='\nGRAPH_EU_EXPIRES_AT=2026-03-02T13:00:00Z\n",
		"header":             "Authorization: Bearer at_1-x.y~z+/=\n",
		"curl":               "header = \"Authorization: Bearer at_1-x.y~z+/=\"\n",
		"netrc":              "machine git.example.com login oauth2 password at_1-x.y~z+/=\nmachine registry.example login oauth2 password at_1-x.y~z+/=\n",
		"exec-credential":    `{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"expirationTimestamp":"2026-03-02T13:00:00Z","token":"at_1-x.y~z+/="}}` + "\n",
		"git-credential":     "username=oauth2\npassword=at_1-x.y~z+/=\npassword_expiry_utc=1772456400\n",
		"docker-credential":  `{"Username":"oauth2","Secret":"at_1-x.y~z+/="}` + "\n",
		"xoauth2":            base64.StdEncoding.EncodeToString([]byte("user=alice@example.com\x01auth=Bearer at_1-x.y~z+/=\x01\x01")) + "\n",
		"github-actions":     "::add-mask::at_1-x.y~z+/=\n",
		"github-actions-env": "::add-mask::at_1-x.y~z+/=\n",
		"terraform-external": `{"access_token":"at_1-x.y~z+/=","address":"connection.graph[\"eu\"]","expires_at":"2026-03-02T13:00:00Z","scopes":"read write","token_type":"Bearer"}` + "\n",
	} {
		env := map[string]string{"GITHUB_OUTPUT": "out", "GITHUB_ENV": "env"}
		got, err := write(t, format, sample(), options(env))
		if err != nil || got != want {
			t.Errorf("%s:\n%s%v", format, got, err)
		}
		into := map[string]string{"github-actions": "wrote out", "github-actions-env": "wrote env"}[format]
		if file := "GRAPH_EU_ACCESS_TOKEN<<" + heredoc + "\nat_1-x.y~z+/=\n" + heredoc + "\nGRAPH_EU_EXPIRES_AT<<" + heredoc + "\n2026-03-02T13:00:00Z\n" + heredoc + "\n"; into != "" && env[into] != file {
			t.Errorf("%s: the file has\n%s", format, env[into])
		}
	}
	if n := len(outlet.Names()); n != 13 {
		t.Errorf("%d formats, and not all have a test here", n)
	}
}

// What a server gives may be made to break out of where it stands.
var hostile = []string{
	"", "a b", "a\nb", "a\r\nb", "a\x00b", "a\tb", "a\x1b[2J", "a\u2028b", "ü", "x\npassword=y", "x\n::set-output name=a::b", "x\nmachine evil login a password b",
}

func TestNoTokenBreaksOut(t *testing.T) {
	for _, name := range outlet.Names() {
		for _, h := range hostile {
			tok := sample()
			tok.AccessToken = secret.Secret(h)
			env := map[string]string{"GITHUB_OUTPUT": "out", "GITHUB_ENV": "env"}
			got, err := write(t, name, tok, options(env))
			if err == nil && name != "json" && name != "terraform-external" {
				t.Errorf("%s: %q became %q", name, h, got)
			}
			if err == nil && !json.Valid([]byte(got)) {
				t.Errorf("%s: %q is no JSON", name, got)
			}
			if err != nil && (got != "" || env["wrote out"]+env["wrote env"] != "") {
				t.Errorf("%s: %q was written before the error", name, got)
			}
			if err != nil && len(h) > 3 && strings.Contains(err.Error(), h) {
				t.Errorf("%s: the token is in the error %q", name, err)
			}
		}
		for _, h := range []string{"Bearer x", "a\nb", `a"b`, "a:b"} {
			tok := sample()
			tok.TokenType = h
			got, err := write(t, name, tok, options(map[string]string{"GITHUB_OUTPUT": "out", "GITHUB_ENV": "env"}))
			if err == nil && strings.Contains(got, h) {
				t.Errorf("%s: the type %q became %q", name, h, got)
			}
		}
	}
}

func TestUsers(t *testing.T) {
	for _, c := range []struct{ format, user, account, preset, want string }{
		{"git-credential", "", "", "github", "username=x-access-token\n"},
		{"git-credential", "", "", "bitbucket", "username=x-token-auth\n"},
		{"git-credential", "", "", "", "username=oauth2\n"},
		{"git-credential", "bob", "", "github", "username=bob\n"},
		{"git-credential", "a\nb", "", "", "!"},
		{"docker-credential", "", "", "google", `"oauth2accesstoken"`},
		{"docker-credential", `"x`, "", "", `"\"x"`},
		{"docker-credential", "<token>", "", "", "!"},
		{"netrc", "a b", "", "", "!"},
		{"netrc", "#a", "", "", "!"},
		{"xoauth2", "", "", "", "!"},
		{"xoauth2", "a\x01auth=Bearer x", "", "", "!"},
		{"xoauth2", "bob@example.com", "", "", base64.StdEncoding.EncodeToString([]byte("user=bob@example.com\x01auth="))[:20]},
	} {
		tok, o := sample(), options(map[string]string{})
		tok.Account, tok.Preset, o.User = c.account, c.preset, c.user
		got, err := write(t, c.format, tok, o)
		if (c.want == "!") != (err != nil) || c.want != "!" && !strings.Contains(got, c.want) {
			t.Errorf("%+v: %q %v", c, got, err)
		}
	}
}

func TestNetrcKnowsNoPorts(t *testing.T) {
	for _, hosts := range [][]string{nil, {"registry.example:5000"}, {"git.example.com", "[::1]:80"}} {
		tok := sample()
		tok.Hosts = hosts
		if got, err := write(t, "netrc", tok, options(map[string]string{})); err == nil {
			t.Errorf("%v: %q", hosts, got)
		}
	}
}

func TestExecCredentialAnswersInTheVersionAsked(t *testing.T) {
	for info, want := range map[string]string{
		"": `client.authentication.k8s.io/v1"`,
		`{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{"interactive":true}}`:       `client.authentication.k8s.io/v1"`,
		`{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","spec":{"interactive":false}}`: `client.authentication.k8s.io/v1beta1"`,
		`{"apiVersion":"client.authentication.k8s.io/v1alpha1","kind":"ExecCredential"}`:                             "!",
		`{"apiVersion":"client.authentication.k8s.io/v1","kind":"Pod"}`:                                              "!",
		"{": "!",
	} {
		got, err := write(t, "exec-credential", sample(), options(map[string]string{"KUBERNETES_EXEC_INFO": info}))
		if (want == "!") != (err != nil) || want != "!" && !strings.Contains(got, want) {
			t.Errorf("%s: %q %v", info, got, err)
		}
	}
	tok := sample()
	tok.ExpiresAt = time.Time{}
	if got, err := write(t, "exec-credential", tok, options(map[string]string{})); err != nil || strings.Contains(got, "expiration") {
		t.Errorf("%q %v", got, err)
	}
}

func TestTerraformQueryHasToBeEmpty(t *testing.T) {
	for query, ok := range map[string]bool{"": true, "{}\n": true, `{"a":"b"}`: false, "[]": false, "{": false, strings.Repeat(" ", 1<<17): false} {
		o := options(map[string]string{})
		o.Stdin = strings.NewReader(query)
		if _, err := write(t, "terraform-external", sample(), o); (err == nil) != ok {
			t.Errorf("%.20q: %v", query, err)
		}
	}
}

func TestGitHubActionsOutsideOfAJob(t *testing.T) {
	for _, name := range []string{"github-actions", "github-actions-env"} {
		if got, err := write(t, name, sample(), options(map[string]string{})); err == nil || got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
	tok := sample()
	tok.AccessToken = "100%25"
	if got, err := write(t, "github-actions", tok, options(map[string]string{"GITHUB_OUTPUT": "x"})); got != "::add-mask::100%2525\n" || err != nil {
		t.Errorf("%q %v", got, err)
	}
}

// nasty is every character that a token can have (RFC 6749, appendix A.12),
// but the space: with which no header would work.
func nasty() string {
	var b strings.Builder
	for c := byte('!'); c <= '~'; c++ {
		b.WriteByte(c)
	}
	return b.String()
}

// A real shell takes exactly the token, and does nothing else.
func TestShellTakesEnv(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("LEFT OUT: there is no sh")
	}
	tok := sample()
	tok.AccessToken = secret.Secret(nasty() + "'$(>pwned)`>pwned`;>pwned;touch${IFS}pwned")
	text, err := write(t, "env", tok, options(map[string]string{}))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(sh, "-c", `eval "$TEXT"; printf %s "$GRAPH_EU_ACCESS_TOKEN"`)
	cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), "TEXT="+text)
	out, err := cmd.CombinedOutput()
	if left, _ := filepath.Glob(filepath.Join(cmd.Dir, "*")); err != nil || string(out) != tok.AccessToken.Reveal() || len(left) > 0 {
		t.Errorf("%q %v %v", out, err, left)
	}
}

// A real curl sends exactly the token, from its configuration and from a .netrc.
func TestCurlSendsTheToken(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("LEFT OUT: there is no curl")
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(r.Header.Get("Authorization")))
	}))
	defer srv.Close()
	tok := sample()
	tok.Hosts, tok.AccessToken = []string{"127.0.0.1"}, secret.Secret(nasty())
	text, err := write(t, "curl", tok, options(map[string]string{}))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(curl, "-sS", "-K", "-", srv.URL)
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "Bearer "+nasty() {
		t.Errorf("%q %v", out, err)
	}
	tok.AccessToken = secret.Secret(strings.NewReplacer(`"`, "", "'", "", `\`, "", "#", "").Replace(nasty()))
	if text, err = write(t, "netrc", tok, options(map[string]string{})); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "netrc")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(curl, "-sS", "--netrc-file", file, srv.URL).CombinedOutput()
	if want := "Basic " + base64.StdEncoding.EncodeToString([]byte("oauth2:"+tok.AccessToken.Reveal())); err != nil || string(out) != want {
		t.Errorf("%q %v", out, err)
	}
}
