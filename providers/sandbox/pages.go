package sandbox

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/template"
	"unicode"
)

//go:embed pages/pages.gohtml
var pagesSource string

//go:embed pages/style.css
var styleSource string

// Names of form fields and their values.
const (
	stepField     = "sandbox_step"
	ticketField   = "sandbox_ticket"
	accountField  = "account"
	addressField  = "address" // of somebody who is not on the list
	scopeField    = "scope"
	userCodeField = "user_code"
	decisionField = "decision"

	stepLogin     = "login"
	stepConsent   = "consent"
	decisionAllow = "allow"
	decisionDeny  = "deny"
)

// pages are the parsed templates and the hash of their style for the CSP.
type pages struct {
	t     *template.Template
	style string
}

func loadPages() *pages {
	sum := sha256.Sum256([]byte(styleSource))
	return &pages{
		t:     template.Must(template.New("").Funcs(template.FuncMap{"plain": plainText}).Parse(pagesSource)),
		style: "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'",
	}
}

// text is what a page shows of anything but itself. A template can print it in
// one way only, which is safe between tags and in quoted attributes.
//
// This does what html/template would do here; that package would be prepared at
// every start of the program, and hardly any start shows a page.
type text string

// String implements [fmt.Stringer]: it gives HTML.
func (t text) String() string { return template.HTMLEscapeString(string(t)) }

func texts(list []string) []text {
	out := make([]text, len(list))
	for i, s := range list {
		out[i] = text(s)
	}
	return out
}

// plainText is text of a request as it may be shown: no characters that do not
// show or that turn the reading direction, and not too much of it.
func plainText(s text) text {
	clean := strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, string(s))
	if runes := []rune(clean); len(runes) > 300 {
		return text(runes[:300]) + "…"
	}
	return text(clean)
}

type (
	field   struct{ Name, Value text }
	visitor struct{ Name, Email text }
)

func visitors(list ...Person) []visitor {
	out := make([]visitor, len(list))
	for i, p := range list {
		out[i] = visitor{text(p.Name), text(p.Email)}
	}
	return out
}

// page is what the templates show: text, and nothing else but our own style.
type page struct {
	CSS      string
	Title    text
	Server   text
	Imitates bool
	Client   text
	Action   text // a URL
	Ticket   text
	People   []visitor
	Person   visitor
	Scopes   []text
	Target   text // where the answer goes
	UserCode text
	Problem  text
	Allowed  bool
	Fields   []field
	Servers  []field
}

// show renders a page. formTo is where its form may lead besides itself: the
// redirect URI, since browsers apply form-action to redirects too.
func (s *Server) show(w http.ResponseWriter, status int, name, formTo string, p page) {
	pages := s.pages()
	p.CSS = styleSource
	var b bytes.Buffer
	if err := pages.t.ExecuteTemplate(&b, name, p); err != nil {
		http.Error(w, "sandbox: "+err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src "+pages.style+
		"; form-action "+strings.TrimSpace("'self' "+formTo)+"; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

func (v *visit) show(w http.ResponseWriter, status int, name, formTo string, p page) {
	p.Server, p.Imitates = text(v.Title), !v.Plain
	v.s.show(w, status, name, formTo, p)
}

// formTarget is a redirect URI as a CSP source: its origin, or its scheme.
func formTarget(redirect string) string {
	u, err := url.Parse(redirect)
	switch {
	case err != nil:
		return ""
	case u.Host == "":
		return u.Scheme + ":"
	}
	return u.Scheme + "://" + u.Host
}

func (v *visit) loginPage(w http.ResponseWriter, req *request, params url.Values) {
	query := params.Encode()
	v.show(w, http.StatusOK, "login", formTarget(req.redirect), page{
		Title: "Sign in", Client: text(req.clientID), Action: text("?" + query),
		Ticket: v.s.ticket(stepLogin, query), People: visitors(v.s.people(req.hint)...),
	})
}

func (v *visit) consentPage(w http.ResponseWriter, req *request, params url.Values, p Person) {
	query := params.Encode()
	v.show(w, http.StatusOK, "consent", formTarget(req.redirect), page{
		Title: "Allow?", Client: text(req.clientID), Action: text("?" + query),
		Ticket: v.s.ticket(stepConsent, query, p.Email), Person: visitors(p)[0], Scopes: texts(req.scopes), Target: text(formTarget(req.redirect)),
	})
}

func (v *visit) postPage(w http.ResponseWriter, redirect string, values url.Values) {
	p := page{
		Title: "Back to the application", Target: text(formTarget(redirect)),
		Action: text(redirect), // checkRedirect knows the scheme
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		p.Fields = append(p.Fields, field{text(name), text(values.Get(name))})
	}
	v.show(w, http.StatusOK, "post", formTarget(redirect), p)
}

func (v *visit) errorPage(w http.ResponseWriter, problem string) {
	v.show(w, http.StatusBadRequest, "error", "", page{Title: "This request cannot be answered", Problem: text(problem)})
}

func (v *visit) codePage(w http.ResponseWriter, userCode, problem string) {
	v.show(w, http.StatusOK, "code", "", page{
		Title: "Connect a device", Action: "?", Ticket: v.s.ticket(stepLogin, ""),
		People: visitors(v.s.people("")...), UserCode: text(userCode), Problem: text(problem),
	})
}

func (v *visit) deviceConsentPage(w http.ResponseWriter, row device, p Person) {
	v.show(w, http.StatusOK, "consent", "", page{
		Title: "Allow?", Client: text(row.Client), Action: "?", Ticket: v.s.ticket(stepConsent, row.UserCode, p.Email),
		Person: visitors(p)[0], Scopes: texts(row.Scopes), UserCode: text(row.UserCode),
	})
}

func (v *visit) donePage(w http.ResponseWriter, allowed bool) {
	title := text("Denied")
	if allowed {
		title = "Connected"
	}
	v.show(w, http.StatusOK, "done", "", page{Title: title, Allowed: allowed})
}

// ticket proves that a page was shown for this very request: nobody else's page
// can post an answer.
func (s *Server) ticket(parts ...string) text {
	mac := hmac.New(sha256.New, s.salt)
	for _, p := range append([]string{"ticket"}, parts...) {
		fmt.Fprintf(mac, "%d:%s", len(p), p)
	}
	return text(base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:18]))
}

func (s *Server) ticketFits(form url.Values, parts ...string) bool {
	return hmac.Equal([]byte(form.Get(ticketField)), []byte(s.ticket(parts...)))
}

// personOf is who was chosen on a login page, or carried on by a consent page.
func (s *Server) personOf(form url.Values, hint string) (Person, bool) {
	address := form.Get(accountField)
	if typed := strings.TrimSpace(form.Get(addressField)); typed != "" {
		address = typed // who types an address means it, whichever button is on
	}
	for _, p := range s.people(hint) {
		if strings.EqualFold(p.Email, address) {
			return p, true
		}
	}
	return personAt(address), isAddress(address)
}
