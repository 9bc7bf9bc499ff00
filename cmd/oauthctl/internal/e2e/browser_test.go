package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// chromium starts a headless browser with an empty profile and no network
// beyond what the test opens.
func chromium(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	need(t, "chromium", err == nil)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-sync", true),
		// Fonts and icons that other people's pages want are not on loopback.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"),
	)
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	alloc, cancelAlloc := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(alloc)
	ctx, cancelTimeout := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(func() {
		cancelTimeout()
		cancel()
		cancelAlloc()
	})
	if err := chromedp.Do(ctx); err != nil { // starts the browser
		t.Fatal(err)
	}
	return ctx
}

// shoot keeps a screenshot where OAUTHCTL_SCREENSHOTS says, for people to look at.
func shoot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("OAUTHCTL_SCREENSHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func do(t *testing.T, ctx context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	for i, action := range actions {
		step, cancel := context.WithTimeout(ctx, 20*time.Second)
		err := chromedp.Do(step, action)
		cancel()
		if err != nil {
			shoot(t, ctx, "failed")
			t.Fatalf("step %d: %v", i, err)
		}
	}
}

func text(t *testing.T, ctx context.Context) string {
	t.Helper()
	s, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("body")))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// prefersDark makes pages see a person who likes it dark.
func prefersDark(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
	_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
	})
	return chromedp.Void{}, err
}

// A person with a real browser signs in and consents at a real server, and
// lands on the page that says so.
func TestRealBrowser(t *testing.T) {
	ctx := chromium(t)
	op := startProvider(t)
	u := newUser(t, interactiveConfig(op.issuer, "http://127.0.0.1/callback"))
	wait := u.start("apply", "-auto-approve", "-input=true")
	do(t, ctx,
		chromedp.EmulateViewport(1280, 800),
		chromedp.Navigate(u.visited(0)),
		chromedp.WaitVisible(chromedp.CSS(`input[name=login]`)),
		// account = "alice@example.com" is the login_hint: the page knows who comes.
		chromedp.SendKeys(chromedp.CSS(`input[name=password]`), "any"),
		chromedp.Submit(chromedp.CSS(`input[name=login]`)),
		chromedp.WaitReady(chromedp.CSS(`input[value=consent]`)),
	)
	do(t, ctx, chromedp.Submit(chromedp.CSS(`form`)), chromedp.WaitVisible(chromedp.CSS(`main`)))
	page := text(t, ctx)
	contains(t, page, "terminal")
	if strings.Contains(page, "code=") {
		t.Error("the page shows the code")
	}
	shoot(t, ctx, "callback-desktop")
	do(t, ctx, chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile), prefersDark)
	shoot(t, ctx, "callback-phone-dark")
	wait().want(t, 0)
	if code := op.userinfo(strings.TrimSpace(u.ok("token", "alice").stdout)); code != 200 {
		t.Errorf("the server answers %d", code)
	}
}

// The same at the sandbox's own login and consent page.
func TestSandboxBrowser(t *testing.T) {
	for _, answer := range []string{"allow", "deny"} {
		t.Run(answer, func(t *testing.T) {
			ctx := chromium(t)
			u := newUser(t, `
connection "demo" {
  provider      = "google"
  client_id     = "sandbox-client"
  client_secret = env("SECRET")
  scopes        = ["openid", "email"]
}
`)
			wait := u.start("apply", "-sandbox", "-sandbox-consent=browser", "-auto-approve", "-input=true")
			do(t, ctx, chromedp.Navigate(u.visited(0)), chromedp.WaitVisible(chromedp.CSS(`main`)))
			shoot(t, ctx, "sandbox-login")
			do(t, ctx, chromedp.Click(chromedp.CSS(`button[type=submit]`)), chromedp.WaitVisible(chromedp.CSS("button[value="+answer+"]")))
			shoot(t, ctx, "sandbox-consent")
			do(t, ctx, chromedp.Click(chromedp.CSS("button[value="+answer+"]")), chromedp.Sleep(300*time.Millisecond), chromedp.WaitVisible(chromedp.CSS(`main`)))
			shoot(t, ctx, "sandbox-callback-"+answer)
			contains(t, text(t, ctx), "terminal")
			r := wait()
			if answer == "allow" {
				r.want(t, 0)
				return
			}
			r.want(t, 1)
			contains(t, r.stdout+r.stderr, "denied")
		})
	}
}
