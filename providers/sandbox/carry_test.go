package sandbox_test

import (
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// A browser that is sent to an https redirect URI ends at the listener behind
// the proxy, which sees the Host of the URI; other URLs go nowhere.
func TestCarry(t *testing.T) {
	const back = "https://audits-a.example.com/auth/callback"
	seen := make(chan *http.Request, 1)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		seen <- r
		_, _ = io.WriteString(w, "done")
	}))
	defer app.Close()

	for _, mode := range []string{"query", "form_post"} {
		r := newRig(t, acme())
		base, err := r.s.Serve(t.Context(), "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		r.s.Carry(back, strings.TrimPrefix(app.URL, "http://"))
		r.s.Carry("https://evil.example/x", "192.0.2.1:80") // not this machine
		q := url.Values{"response_type": {"code"}, "client_id": {"app"}, "redirect_uri": {back}, "state": {"st"}, "response_mode": {mode}}
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		if got := browse(t, client, r.s.BrowserURL(base, issuer+"/authorize?"+q.Encode())); got != "done" {
			t.Errorf("%s: the browser ends at %q", mode, got)
		}
		at := <-seen
		if at.Host != "audits-a.example.com" || at.URL.Path != "/auth/callback" || at.Form.Get("code") == "" || at.Form.Get("state") != "st" {
			t.Errorf("%s: %s %s%s %v", mode, at.Method, at.Host, at.URL, at.Form)
		}
		for _, u := range []string{"/~/evil.example/x", "/~/audits-b.example.com/auth/callback", "/~/audits-a.example.com/auth"} {
			res, err := client.Get(base + u)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if res.StatusCode != http.StatusNotFound {
				t.Errorf("%s: HTTP %d", u, res.StatusCode)
			}
		}
	}
}

var (
	formTag  = regexp.MustCompile(`(?s)<form[^>]*action="([^"]*)"[^>]*>(.*?)</form>`)
	inputTag = regexp.MustCompile(`<input[^>]*>`)
	attrs    = regexp.MustCompile(`(name|value|type|checked)(?:="([^"]*)")?`)
)

// browse opens a page, agrees to what it asks, and returns where that ends.
func browse(t *testing.T, client *http.Client, address string) string {
	t.Helper()
	res, err := client.Get(address)
	for range 5 {
		if err != nil {
			t.Fatal(err)
		}
		body, err2 := io.ReadAll(res.Body)
		_ = res.Body.Close()
		form := formTag.FindSubmatch(body)
		if err2 != nil || form == nil {
			return string(body)
		}
		values := url.Values{"decision": {"allow"}}
		for _, input := range inputTag.FindAll(form[2], -1) {
			a := map[string]string{}
			for _, m := range attrs.FindAllSubmatch(input, -1) {
				a[string(m[1])] = html.UnescapeString(string(m[2]))
			}
			if _, checked := a["checked"]; checked || a["type"] != "radio" && a["type"] != "checkbox" {
				values.Add(a["name"], a["value"])
			}
		}
		to, err2 := res.Request.URL.Parse(html.UnescapeString(string(form[1])))
		if err2 != nil {
			t.Fatal(err2)
		}
		res, err = client.PostForm(to.String(), values)
	}
	return "no end"
}
