package sandbox_test

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/providers/sandbox"
)

var update = flag.Bool("update", false, "write the golden files")

// outline is the structure of a page without its style: elements, texts, and the
// attributes that matter to a person or a form.
func outline(t *testing.T, page string) string {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var b strings.Builder
	depth, skip := 0, false
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			skip = tok.Name.Local == "style"
			b.WriteString(strings.Repeat("  ", depth) + "<" + tok.Name.Local)
			for _, a := range tok.Attr {
				value := a.Value
				if tok.Attr[len(tok.Attr)-1] == a && strings.Contains(b.String()[strings.LastIndex(b.String(), "<"):], "sandbox_ticket") {
					value = "(ticket)"
				}
				b.WriteString(" " + a.Name.Local + "=" + value)
			}
			b.WriteString(">\n")
			depth++
		case xml.EndElement:
			depth--
			skip = false
		case xml.CharData:
			if text := strings.Join(strings.Fields(string(tok)), " "); text != "" && !skip {
				b.WriteString(strings.Repeat("  ", depth) + text + "\n")
			}
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; look at it, then run with -update\ngot:\n%s", path, got)
	}
}

// allPages fetches one of each page.
func allPages(t *testing.T, r *rig) map[string]*http.Response {
	t.Helper()
	pages := map[string]*http.Response{}
	open := func(name, method, u string, form url.Values) string {
		var body io.Reader
		if form != nil {
			body = strings.NewReader(form.Encode())
		}
		req, err := http.NewRequest(method, u, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := r.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		resp.Body = io.NopCloser(strings.NewReader(string(b)))
		pages[name] = resp
		return string(b)
	}
	post := authorizeURL("response_mode", "form_post", "login_hint", "alice@contoso.com")
	form := hidden(open("login", http.MethodGet, post, nil))
	form.Set("account", "alice@contoso.com")
	form = hidden(open("consent", http.MethodPost, post, form))
	form.Set("decision", "deny")
	open("post", http.MethodPost, post, form)
	open("error", http.MethodGet, authorizeURL("-client_id", ""), nil)

	d := r.startDevice()
	at := issuer + "/device?user_code=" + d["user_code"].(string)
	form = hidden(open("code", http.MethodGet, at, nil))
	form.Set("user_code", d["user_code"].(string))
	form.Set("account", "kim@sandbox.example")
	form = hidden(open("device consent", http.MethodPost, at, form))
	form.Set("decision", "allow")
	open("done", http.MethodPost, at, form)
	return pages
}

func TestPagesAreSealedOff(t *testing.T) {
	r := newRig(t, acme())
	for name, resp := range allPages(t, r) {
		b, _ := io.ReadAll(resp.Body)
		page := string(b)
		csp := resp.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(csp, part) {
				t.Errorf("%s: no %s in %q", name, part, csp)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "script-src") {
			t.Errorf("%s: %q", name, csp)
		}
		if name == "login" && !strings.Contains(csp, "form-action 'self' http://127.0.0.1:1234;") {
			t.Errorf("the browser may not follow the redirect: %q", csp)
		}
		for header, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
		} {
			if got := resp.Header.Get(header); got != want {
				t.Errorf("%s: %s is %q", name, header, got)
			}
		}
		if bad := regexp.MustCompile(`(?i)<script|<img|<link|<iframe|\son\w+=|src=|url\(`).FindString(page); bad != "" {
			t.Errorf("%s: %q in the page", name, bad)
		}
		if !strings.Contains(page, "Nothing here is real") {
			t.Errorf("%s does not say that it is a sandbox", name)
		}
	}
}

func TestPageStructure(t *testing.T) {
	pages := allPages(t, newRig(t, acme()))
	for _, name := range []string{"login", "consent", "post", "error"} {
		b, _ := io.ReadAll(pages[name].Body)
		golden(t, name, outline(t, string(b)))
	}
}

func TestHostileTextIsShownHarmlessly(t *testing.T) {
	r := newRig(t, acme())
	_, page := r.do(http.MethodGet, authorizeURL("client_id", "<script>x\u202e\x1b[31m"+strings.Repeat("y", 1000)), nil)
	text := page["text"].(string)
	body := text[strings.Index(text, "<h1>"):]
	if i := strings.Index(body, "<form"); i >= 0 {
		body = body[:i]
	}
	if strings.Contains(body, "<script") || strings.ContainsAny(body, "\u202e\x1b") || strings.Contains(body, strings.Repeat("y", 400)) {
		t.Errorf("%.400s", body)
	}
}

// What comes from a request cannot leave its place in a page: between tags, in
// an attribute, or in the address of a form.
func TestHostileTextStaysWhereItIs(t *testing.T) {
	r := newRig(t, acme())
	const hostile = `"><b id='x'>&amp;</b> onload="` + "`"
	for name, resp := range map[string]string{
		"client": authorizeURL("client_id", hostile), "scope": authorizeURL("scope", hostile), "hint": authorizeURL("login_hint", hostile),
		"state": authorizeURL("state", hostile, "response_mode", "form_post"), "redirect": authorizeURL("redirect_uri", "http://127.0.0.1:1/"+hostile), "code": issuer + "/device?user_code=" + url.QueryEscape(hostile),
	} {
		_, page := r.do(http.MethodGet, resp, nil)
		text, _ := page["text"].(string)
		for range 3 { // and on the pages behind it
			if strings.Contains(text, "<b id") || strings.Contains(text, "onload=\"") || strings.Contains(text, "id='x'") {
				t.Errorf("%s: %s", name, text)
			}
			form := hidden(text)
			if len(form) == 0 {
				break
			}
			form.Set("account", "sam@sandbox.example")
			form.Set("decision", "allow")
			_, page = r.post(resp, form)
			text, _ = page["text"].(string)
		}
	}
}

func TestAnswersThatNoPageAskedFor(t *testing.T) {
	r := newRig(t, acme())
	steal := func(u string, form url.Values) string {
		resp, err := r.http.PostForm(u, form)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.Header.Get("Location")
	}
	form := url.Values{"sandbox_step": {"consent"}, "account": {"sam@sandbox.example"}, "decision": {"allow"}, "scope": {"mail.read"}, "sandbox_ticket": {"x"}}
	if to := steal(authorizeURL(), form); to != "" {
		t.Errorf("without a ticket: %s", to)
	}
	_, page := r.do(http.MethodGet, authorizeURL(), nil)
	login := hidden(page["text"].(string))
	login.Set("account", "sam@sandbox.example")
	_, page = r.post(authorizeURL(), login)
	form.Set("sandbox_ticket", hidden(page["text"].(string)).Get("sandbox_ticket"))
	if to := steal(authorizeURL("client_id", "other"), form); to != "" {
		t.Errorf("with the ticket of another request: %s", to)
	}
	form.Set("account", "kim@sandbox.example")
	if to := steal(authorizeURL(), form); to != "" {
		t.Errorf("with the ticket of another person: %s", to)
	}
	form.Set("account", "sam@sandbox.example")
	if to := steal(authorizeURL(), form); !strings.Contains(to, "code=") {
		t.Errorf("with the right ticket: %s", to)
	}
}

func TestQuirksAreImitated(t *testing.T) {
	p := acme()
	p.Quirks = []string{"accept_json", "error_in_200", "error_names", "scope_list"}
	r := newRig(t, p)
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"a"}, "client_secret": {"b"}, "scope": {"one two"}}
	_, page := r.post(issuer+"/token", form)
	if q, err := url.ParseQuery(page["text"].(string)); err != nil || q.Get("scope") != "one,two" || q.Get("token_type") != "Bearer" || q.Get("expires_in") != "3600" {
		t.Errorf("form data: %v, %v", page, err)
	}
	if _, got := r.post(issuer+"/token", form, "Accept", "application/json"); got["scope"] != "one,two" || got["access_token"] == nil {
		t.Errorf("JSON: %v", got)
	}
	form.Set("grant_type", "nonsense")
	if status, got := r.post(issuer+"/token", form, "Accept", "application/json"); status != 200 || got["error"] != "unsupported_grant_type" {
		t.Errorf("error: %d %v", status, got)
	}
}

func TestRequestsAreRecordedWithoutSecretsInSight(t *testing.T) {
	r := newRig(t, acme())
	r.refresh("my-refresh-token")
	list := r.s.Requests()
	last := list[len(list)-1]
	if last.URL != issuer+"/token" || last.Role != sandbox.RoleToken || last.Method != http.MethodPost {
		t.Errorf("%s %s %s", last.Method, last.URL, last.Role)
	}
	if last.Get("refresh_token").Reveal() != "my-refresh-token" {
		t.Error("the form is not there")
	}
	if st := r.stats(); st.Requests != len(list) || st.ByRole[sandbox.RoleToken] != 1 {
		t.Errorf("%+v", st)
	}
	if shown := showAll(list); strings.Contains(shown, "my-refresh-token") || strings.Contains(shown, "hush") {
		t.Errorf("printing shows secrets: %s", shown)
	}
}
