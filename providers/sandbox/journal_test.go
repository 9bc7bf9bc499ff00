package sandbox_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/providers/sandbox"
)

// journalRig opens a journal; each call is a Server of its own.
func journalRig(t *testing.T, path string, c *clock) *rig {
	t.Helper()
	return rigOf(t, newServer(t, sandbox.Options{Journal: path, Now: c.Now, Rand: rand.Reader}), c, acme())
}

func TestTwoServersHaveOneHistory(t *testing.T) {
	path, c := filepath.Join(t.TempDir(), "deep", "journal"), newClock()
	one, two := journalRig(t, path, c), journalRig(t, path, c)

	code := one.consent(authorizeURL("scope", "openid files.read")).Get("code")
	status, tok := two.exchange(code)
	if status != http.StatusOK {
		t.Fatalf("a code of the one at the other: %d %v", status, tok["error_description"])
	}
	first := tok["refresh_token"].(string)
	if status, _ := one.refresh(first); status != http.StatusOK {
		t.Fatalf("refresh: %d", status)
	}
	if status, got := two.refresh(first); status != 400 || got["error"] != "invalid_grant" {
		t.Errorf("the other does not see the reuse: %d %v", status, got["error"])
	}
	if a, b := one.stats(), two.stats(); a.Reuses != 1 || b.Reuses != 1 || a.LiveRefresh != 0 || b.LiveRefresh != 0 {
		t.Errorf("%+v\n%+v", a, b)
	}
	_, keys1 := one.do(http.MethodGet, issuer+"/jwks", nil)
	_, keys2 := two.do(http.MethodGet, issuer+"/jwks", nil)
	if fmt.Sprint(keys1) != fmt.Sprint(keys2) {
		t.Error("the signing keys differ")
	}
}

func TestTheJournalRemembersWhatIsImitated(t *testing.T) {
	path, c := filepath.Join(t.TempDir(), "journal"), newClock()
	one := journalRig(t, path, c)
	token := one.authorize().RefreshToken
	_ = one.s.Close()

	s := newServer(t, sandbox.Options{Journal: path, Now: c.Now, Rand: rand.Reader})
	two := &rig{t: t, s: s, clock: c, http: &http.Client{Transport: s.Transport()}, conf: one.conf}
	if status, got := two.refresh(token); status != http.StatusOK {
		t.Errorf("refresh without Mount: %d %v", status, got)
	}
	size := fileSize(t, path)
	if err := s.Mount(acme()); err != nil {
		t.Fatal(err)
	}
	if fileSize(t, path) != size {
		t.Error("mounting what is mounted grows the journal")
	}
	changed := acme()
	changed.Lifetimes.Access = time.Minute
	if err := s.Mount(changed); err != nil {
		t.Fatal(err)
	}
	if tok := two.authorize(); tok.ExpiresIn != 60 {
		t.Errorf("after mounting anew: expires_in %d", tok.ExpiresIn)
	}
}

func fileSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func TestJournalFile(t *testing.T) {
	path, c := filepath.Join(t.TempDir(), "journal"), newClock()
	r := journalRig(t, path, c)
	tok := r.authorize()
	if runtime.GOOS != "windows" {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"access token": tok.AccessToken, "refresh token": tok.RefreshToken, "client secret": "hush"} {
		if strings.Contains(string(text), value) {
			t.Errorf("the %s is in the journal", name)
		}
	}
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		if !json.Valid([]byte(line)) {
			t.Errorf("line %d is no JSON: %s", i+1, line)
		}
	}
}

func TestTornLineIsCutOff(t *testing.T) {
	path, c := filepath.Join(t.TempDir(), "journal"), newClock()
	one := journalRig(t, path, c)
	token := one.authorize().RefreshToken
	appendTo(t, path, `{"event":"refresh","refresh":[{"h":"abc`)
	two := journalRig(t, path, c)
	for i, r := range []*rig{two, one, two} {
		status, got := r.refresh(token)
		if status != http.StatusOK {
			t.Fatalf("refresh %d: %d %v", i, status, got)
		}
		token = got["refresh_token"].(string)
	}
	if st := two.stats(); st.Refreshes != 3 || st.Reuses != 0 {
		t.Errorf("%+v", st)
	}
}

func TestDamageIsSaid(t *testing.T) {
	open := func(path string) error {
		s, err := sandbox.New(sandbox.Options{Journal: path, Now: time.Now, Rand: rand.Reader})
		if err == nil {
			_ = s.Close()
		}
		return err
	}
	path := filepath.Join(t.TempDir(), "journal")
	journalRig(t, path, newClock())
	appendTo(t, path, "{nonsense}\n")
	if err := open(path); err == nil || !strings.Contains(err.Error(), path+" is damaged in line 3; delete it to start over") {
		t.Errorf("nonsense: %v", err)
	}
	newer := filepath.Join(t.TempDir(), "journal")
	appendTo(t, newer, `{"format":99,"salt":"AA=="}`+"\n")
	if err := open(newer); err == nil || !strings.Contains(err.Error(), "newer version") {
		t.Errorf("a newer format: %v", err)
	}
	if err := open(t.TempDir()); err == nil {
		t.Error("a directory was opened")
	}
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestManyProcesses starts processes that all send the same one-time refresh
// token, and others that each get tokens of their own: one history decides.
func TestManyProcesses(t *testing.T) {
	const same, own, each = 12, 4, 25
	path := filepath.Join(t.TempDir(), "journal")
	r := rigOf(t, newServer(t, sandbox.Options{Journal: path, Now: time.Now, Rand: rand.Reader}), nil, acme())
	token := r.authorize().RefreshToken

	var wg sync.WaitGroup
	results := make(chan string, same+own)
	start := func(arg string) {
		wg.Go(func() {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), childEnv+"="+path+"\n"+arg)
			out, err := cmd.Output()
			results <- fmt.Sprintf("%s %v", strings.TrimSpace(string(out)), err)
		})
	}
	for range same {
		start("refresh " + token)
	}
	for range own {
		start(fmt.Sprintf("machine %d", each))
	}
	wg.Wait()
	close(results)
	got := map[string]int{}
	for line := range results {
		got[line]++
	}
	want := map[string]int{"200 <nil>": 1, "400 <nil>": same - 1, "machine <nil>": own}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("answers: %v, want %v", got, want)
	}
	if st := r.stats(); st.Refreshes != 1 || st.Reuses != same-1 || st.Clients != own*each || st.LiveRefresh != 0 {
		t.Errorf("%+v", st)
	}
}

// child is one of the processes of TestManyProcesses.
func child(what string) int {
	path, arg, _ := strings.Cut(what, "\n")
	s, err := sandbox.New(sandbox.Options{Journal: path, Now: time.Now, Rand: rand.Reader})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer func() { _ = s.Close() }()
	c := &http.Client{Transport: s.Transport()}
	post := func(form url.Values) int {
		form.Set("client_id", "app")
		form.Set("client_secret", "hush")
		req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, issuer+"/token", strings.NewReader(form.Encode()))
		if err != nil {
			return 0
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := c.Do(req)
		if err != nil {
			return 0
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	if token, ok := strings.CutPrefix(arg, "refresh "); ok {
		fmt.Println(post(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}))
		return 0
	}
	var n int
	_, _ = fmt.Sscanf(arg, "machine %d", &n)
	for range n {
		if status := post(url.Values{"grant_type": {"client_credentials"}}); status != http.StatusOK {
			fmt.Println(status)
			return 1
		}
	}
	fmt.Println("machine")
	return 0
}

func BenchmarkClientCredentials(b *testing.B) {
	for name, path := range map[string]string{"memory": "", "journal": filepath.Join(b.TempDir(), "journal")} {
		b.Run(name, func(b *testing.B) {
			s, err := sandbox.New(sandbox.Options{Journal: path, Now: time.Now, Rand: rand.Reader})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			if err := s.Mount(acme()); err != nil {
				b.Fatal(err)
			}
			tr := s.Transport()
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					req, _ := http.NewRequest(http.MethodPost, issuer+"/token", strings.NewReader("grant_type=client_credentials&scope=a+b"))
					req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
					req.SetBasicAuth("app", "hush")
					resp, err := tr.RoundTrip(req)
					if err != nil || resp.StatusCode != http.StatusOK {
						b.Error(resp, err)
						return
					}
				}
			})
		})
	}
}

func BenchmarkMountAgain(b *testing.B) {
	s, err := sandbox.New(sandbox.Options{Journal: filepath.Join(b.TempDir(), "journal"), Now: time.Now, Rand: rand.Reader})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	p := acme()
	for b.Loop() {
		if err := s.Mount(p); err != nil {
			b.Fatal(err)
		}
	}
}
