package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var binary string // the program under test, built by TestMain

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "oauthctl-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "oauthctl")
	build := exec.Command("go", "build", "-o", binary, "github.com/oauthctl/oauthctl/cmd/oauthctl")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building oauthctl:", err)
		return 1
	}
	return m.Run()
}

// need leaves a test out where a program is missing, unless OAUTHCTL_REQUIRE
// (a comma list, as "make test" sets it) says that it has to be there.
func need(t *testing.T, name string, present bool) {
	t.Helper()
	if present {
		return
	}
	if slices.Contains(strings.Split(os.Getenv("OAUTHCTL_REQUIRE"), ","), name) {
		t.Fatalf("%s is required and not here: run .ci/setup", name)
	}
	t.Skipf("LEFT OUT: %s is not here; run make test, which installs it", name)
}

// user is a person with a home, a project directory and a shell.
type user struct {
	t    *testing.T
	home string
	dir  string
	env  []string
}

func newUser(t *testing.T, config string) *user {
	t.Helper()
	u := &user{t: t, home: t.TempDir(), dir: t.TempDir()}
	u.env = []string{
		"HOME=" + u.home,
		"XDG_CONFIG_HOME=" + filepath.Join(u.home, ".config"),
		"XDG_STATE_HOME=" + filepath.Join(u.home, ".local", "state"),
		"PATH=" + os.Getenv("PATH"),
		"TMPDIR=" + t.TempDir(),
		"BROWSER=" + u.recordingBrowser(),
	}
	u.write("main.hcl", config)
	return u
}

func (u *user) write(name, text string) {
	u.t.Helper()
	if err := os.WriteFile(filepath.Join(u.dir, name), []byte(text), 0o600); err != nil {
		u.t.Fatal(err)
	}
}

// recordingBrowser is a BROWSER that only notes which URL it was given.
func (u *user) recordingBrowser() string {
	script := filepath.Join(u.home, "browser")
	text := "#!/bin/sh\nprintf '%s\\n' \"$1\" >> '" + filepath.Join(u.home, "visited") + "'\n"
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		u.t.Fatal(err)
	}
	return script
}

// visited waits until the program has opened its nth page (from 0).
func (u *user) visited(nth int) string {
	u.t.Helper()
	for range 600 {
		data, _ := os.ReadFile(filepath.Join(u.home, "visited"))
		if lines := strings.Split(strings.TrimSpace(string(data)), "\n"); len(lines) > nth && lines[nth] != "" {
			return lines[nth]
		}
		time.Sleep(50 * time.Millisecond)
	}
	u.t.Fatal("no browser was opened")
	return ""
}

func (u *user) command(args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...)
	cmd.Dir, cmd.Env = u.dir, u.env
	return cmd
}

// result is what a finished command left.
type result struct {
	stdout, stderr string
	code           int
}

func (u *user) run(args ...string) result {
	u.t.Helper()
	return u.start(args...)()
}

// ok runs a command that has to succeed.
func (u *user) ok(args ...string) result {
	u.t.Helper()
	r := u.run(args...)
	r.want(u.t, 0)
	return r
}

// start runs a command in the background; the function waits for its end.
func (u *user) start(args ...string) func() result {
	u.t.Helper()
	cmd := u.command(args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Start(); err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	return func() result {
		u.t.Helper()
		err := cmd.Wait()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			u.t.Fatal(err)
		}
		return result{out.String(), errOut.String(), cmd.ProcessState.ExitCode()}
	}
}

func (r result) want(t *testing.T, code int) {
	t.Helper()
	if r.code != code {
		t.Fatalf("exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", r.code, code, r.stdout, r.stderr)
	}
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is missing in:\n%s", p, text)
		}
	}
}

// provider is a running oidc-provider.
type provider struct {
	t      *testing.T
	issuer string
}

// stats is what the server itself saw.
type stats struct {
	Token    map[string]int `json:"token"`
	Errors   map[string]int `json:"errors"`
	Revoked  int            `json:"revoked"`
	Requests []string       `json:"requests"`
	// Presented are the subject tokens that were exchanged.
	Presented []string `json:"presented"`
}

func startProvider(t *testing.T) *provider {
	t.Helper()
	dir, err := filepath.Abs("testdata/oidc-provider")
	if err != nil {
		t.Fatal(err)
	}
	_, nodeErr := exec.LookPath("node")
	_, modErr := os.Stat(filepath.Join(dir, "node_modules", "oidc-provider"))
	need(t, "oidc-provider", nodeErr == nil && modErr == nil)

	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "node", "server.mjs")
	cmd.Dir = dir
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	stdin, err := cmd.StdinPipe() // the server ends with its standard input
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		cancel()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatalf("oidc-provider did not start: %v\n%s", err, errOut.String())
	}
	p := &provider{t: t}
	if err := json.Unmarshal(line, &struct {
		Issuer *string `json:"issuer"`
	}{&p.issuer}); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *provider) stats() stats {
	p.t.Helper()
	var s stats
	body := p.get("/__stats")
	if err := json.Unmarshal(body, &s); err != nil {
		p.t.Fatal(err)
	}
	return s
}

// accessTTL sets how long access tokens live from now on, in seconds.
func (p *provider) accessTTL(seconds int) { p.get(fmt.Sprintf("/__ttl/%d", seconds)) }

func (p *provider) get(path string) []byte {
	p.t.Helper()
	client := &http.Client{Timeout: 10 * time.Second}
	resp, err := client.Get(p.issuer + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return body
}

// userinfo asks the server whether an access token is good.
func (p *provider) userinfo(token string) int {
	p.t.Helper()
	req, err := http.NewRequest(http.MethodGet, p.issuer+"/me", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	client := &http.Client{Timeout: 10 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// person signs in and consents with a cookie jar instead of a browser.
type person struct {
	t      *testing.T
	name   string
	client *http.Client
	final  string // where the last redirect pointed, if it was not followed
}

func newPerson(t *testing.T, name string) *person {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &person{t: t, name: name}
	p.client = &http.Client{Jar: jar, Timeout: 20 * time.Second}
	p.client.CheckRedirect = func(req *http.Request, _ []*http.Request) error {
		if req.URL.Hostname() == "127.0.0.1" || req.URL.Hostname() == "localhost" || req.URL.Hostname() == "::1" {
			return nil
		}
		p.final = req.URL.String()
		return http.ErrUseLastResponse
	}
	return p
}

var (
	formRE  = regexp.MustCompile(`(?s)<form[^>]*action="([^"]+)"[^>]*>(.*?)</form>`)
	inputRE = regexp.MustCompile(`<input[^>]*>`)
	nameRE  = regexp.MustCompile(`name="([^"]*)"`)
	valueRE = regexp.MustCompile(`value="([^"]*)"`)
)

// walk opens a page and submits the forms that come, until there is none.
// answer fills in fields. It returns the last page.
func (p *person) walk(page string, answer map[string]string) string {
	p.t.Helper()
	resp, err := p.client.Get(page)
	for range 8 {
		if err != nil {
			p.t.Fatal(err)
		}
		body, readErr := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if readErr != nil {
			p.t.Fatal(readErr)
		}
		form := formRE.FindStringSubmatch(string(body))
		if form == nil || p.final != "" {
			return string(body)
		}
		action, err2 := resp.Request.URL.Parse(strings.ReplaceAll(form[1], "&amp;", "&"))
		if err2 != nil {
			p.t.Fatal(err2)
		}
		values := url.Values{}
		for _, input := range inputRE.FindAllString(form[2], -1) {
			name := nameRE.FindStringSubmatch(input)
			if name == nil {
				continue
			}
			value := ""
			if v := valueRE.FindStringSubmatch(input); v != nil {
				value = v[1]
			}
			if v, ok := answer[name[1]]; ok {
				value = v
			}
			values.Set(name[1], value)
		}
		resp, err = p.client.PostForm(action.String(), values)
	}
	p.t.Fatal("the login never ended")
	return ""
}

// consent signs in and consents at an authorization URL.
func (p *person) consent(authorizeURL string) string {
	p.t.Helper()
	return p.walk(authorizeURL, map[string]string{"login": p.name, "password": "any"})
}

// startLogged is start with stdout and stderr in a file that grows as the program speaks.
func (u *user) startLogged(path string, args ...string) func() result {
	u.t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		u.t.Fatal(err)
	}
	cmd := u.command(args...)
	cmd.Stdout, cmd.Stderr = f, f
	if err := cmd.Start(); err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
		_ = f.Close()
	})
	return func() result {
		_ = cmd.Wait()
		data, _ := os.ReadFile(path)
		return result{stdout: string(data), code: cmd.ProcessState.ExitCode()}
	}
}

// waitFor returns the first match of a pattern in a growing file.
func waitFor(t *testing.T, path, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	var data []byte
	for range 600 {
		data, _ = os.ReadFile(path)
		if m := re.Find(data); m != nil {
			return string(m)
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("no %s on the screen:\n%s", pattern, data)
	return ""
}
