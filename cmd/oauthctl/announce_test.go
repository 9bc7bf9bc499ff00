package main

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const askingConfig = `
provider "acme" {
  issuer          = "https://login.acme.example"
  device_endpoint = "https://login.acme.example/device"
}
connection "calendar" {
  provider      = "acme"
  client_id     = "calendar"
  scopes        = ["openid", "offline_access"]
  redirect_uris = ["http://127.0.0.1/callback"]
}
`

// asking is an interaction_required event, as another program reads it.
type asking struct {
	Type        string `json:"type"`
	Addr        string `json:"addr"`
	Interaction *struct {
		Way       string    `json:"way"`
		URL       string    `json:"url"`
		Listening string    `json:"listening"`
		UserCode  string    `json:"user_code"`
		Page      string    `json:"verification_uri"`
		Complete  string    `json:"verification_uri_complete"`
		Until     time.Time `json:"expires_at"`
	} `json:"interaction"`
}

// Another program shows what a person is asked: it reads the events, has the
// person answer, and the apply goes on. Nothing but a page or a code leaves it.
func TestAnotherProgramAsks(t *testing.T) {
	for name, tc := range map[string]struct {
		args    string
		browser string // that opens nothing: the other program does
		way     string
		open    func(*asking) string // the page that the person is sent to
		code    int
	}{
		"page":            {"-consent=browser", "true", "browser", func(a *asking) string { return a.Interaction.URL }, exitDone},
		"chosen":          {"", "", "device", func(a *asking) string { return a.Interaction.Complete }, exitDone},
		"nobody to paste": {"-consent=paste", "", "paste", func(*asking) string { return "" }, exitNeedsPerson},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(askingConfig), 0o600); err != nil {
				t.Fatal(err)
			}
			args := "-chdir=" + dir + " apply -json -auto-approve -input=true -sandbox -sandbox-consent=browser " + tc.args
			app, _, errs := testApp(strings.Fields(args)...)
			app.Now, app.Rand, app.Stdin = time.Now, rand.Reader, strings.NewReader("")
			app.LookupEnv = func(name string) (string, bool) {
				v, ok := map[string]string{"HOME": filepath.Join(dir, "home"), "SSH_TTY": "/dev/pts/0", "BROWSER": tc.browser}[name]
				return v, ok
			}
			r, w := io.Pipe()
			app.Stdout = w
			code := make(chan int, 1)
			go func() {
				code <- app.Run(t.Context())
				_ = w.Close()
			}()
			asked := 0
			for lines := bufio.NewScanner(r); lines.Scan(); {
				var a asking
				if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
					t.Fatalf("%q: %v", lines.Text(), err)
				}
				if strings.Contains(lines.Text(), "code_verifier") || strings.Contains(lines.Text(), "device_code\"") {
					t.Errorf("an event tells a secret: %s", lines.Text())
				}
				if a.Type != "interaction_required" || a.Interaction == nil {
					continue
				}
				asked++
				if a.Addr != "connection.calendar" || a.Interaction.Way != tc.way || a.Interaction.Until.IsZero() {
					t.Errorf("asked: %s", lines.Text())
				}
				if (a.Interaction.UserCode == "") != (tc.way != "device") || (a.Interaction.URL == "") != (tc.way == "device") {
					t.Errorf("asked: %s", lines.Text())
				}
				if page := tc.open(&a); page != "" {
					if err := browseTo(page, "allow"); err != nil {
						t.Error(err)
					}
				}
			}
			if got := <-code; got != tc.code || asked != 1 {
				t.Errorf("exit %d, asked %d times; want %d, once\n%s", got, asked, tc.code, errs)
			}
		})
	}
}
