package e2e

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// pageRE finds the sandbox's pages on the screen. The program never breaks a URL.
var pageRE = regexp.MustCompile(`http://127\.0\.0\.1:\d+/~/\S+`)

// A person with a real browser tries the systems that the product is for: each
// example, on the sandbox's own pages, however the answer comes back.
func TestExamplesInBrowser(t *testing.T) {
	ctx := chromium(t)
	for _, name := range []string{"microsoft365", "servicenow", "customer-subdomains", "onedrive", "sharepoint"} {
		t.Run(name, func(t *testing.T) {
			config, err := os.ReadFile("../../../../examples/" + name + ".hcl")
			if err != nil {
				t.Fatal(err)
			}
			// Tests of other packages run the examples at the same time.
			ports := strings.NewReplacer(":8400", ":28400", ":8401", ":28401", ":8405", ":28405", ":18085", ":28085")
			u := newUser(t, ports.Replace(string(config)))
			s := u.terminal("apply", "-sandbox", "-sandbox-consent=browser", "-auto-approve")
			ended := make(chan int, 1)
			go func() { ended <- s.wait() }()
			seen, consents := map[string]bool{}, 0
			for {
				select {
				case code := <-ended:
					if code != 0 || consents == 0 {
						t.Fatalf("exit %d after %d consents\n%s", code, consents, s.plain())
					}
					first := strings.Split(u.ok("state", "list", "-sandbox").stdout, "\n")[0]
					if token := u.ok("token", "-sandbox", first).stdout; len(token) < 10 {
						t.Errorf("token printed %q", token)
					}
					return
				case <-time.After(50 * time.Millisecond):
				}
				for _, page := range pageRE.FindAllString(s.plain(), -1) {
					if seen[page] {
						continue
					}
					seen[page] = true
					consents++
					allow(t, ctx, s, page)
				}
			}
		})
	}
}

// allow signs in and consents at a page of the sandbox. If the browser ends at
// an address that is not on this machine, the person pastes it.
func allow(t *testing.T, ctx context.Context, s *screen, page string) {
	t.Helper()
	do(t, ctx,
		chromedp.Navigate(page),
		chromedp.WaitVisible(chromedp.CSS(`button[type=submit]`)),
	)
	if asksForCode, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`!!document.querySelector("input[name=user_code]")`)); err != nil {
		t.Fatal(err)
	} else if asksForCode {
		code := regexp.MustCompile(`\b[A-Z0-9]{4}-?[A-Z0-9]{4,5}\b`).FindAllString(s.plain(), -1)
		do(t, ctx, chromedp.SendKeys(chromedp.CSS(`input[name=user_code]`), code[len(code)-1]))
	}
	do(t, ctx,
		chromedp.Click(chromedp.CSS(`button[type=submit]`)),
		chromedp.WaitVisible(chromedp.CSS(`button[value=allow]`)),
		chromedp.Click(chromedp.CSS(`button[value=allow]`)),
	)
	before := strings.Count(s.plain(), ": authorized")
	pasted := false
	for range 400 {
		time.Sleep(50 * time.Millisecond)
		if strings.Count(s.plain(), ": authorized") > before {
			return
		}
		history, err := chromedp.Run(ctx, chromedp.NavigationEntries())
		if err != nil || pasted {
			continue // between two pages
		}
		// With form_post the sandbox, which runs no scripts, shows one more button.
		_ = chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](`!document.querySelector("button[value=allow]") && document.querySelector("form button")?.click()`))
		if at := history.Entries[history.CurrentIndex].URL; strings.HasPrefix(at, "https://") {
			s.typeIn(at + "\r")
			pasted = true
		}
	}
	t.Fatalf("the consent at %s led nowhere\n%s", page, s.plain())
}
