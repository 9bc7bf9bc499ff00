package sandbox

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
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

// plainText is text of a request as it may be shown: no characters that do not
// show or that turn the reading direction, and not too much of it.
func plainText(s string) string {
	clean := strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
	if runes := []rune(clean); len(runes) > 300 {
		return string(runes[:300]) + "…"
	}
	return clean
}

type field struct{ Name, Value string }

// page is what the templates show.
type page struct {
	Title    string
	CSS      template.CSS
	Server   string
	Imitates bool
	Client   string
	Action   template.URL
	Ticket   string
	People   []Person
	Person   Person
	Scopes   []string
	Target   string // where the answer goes
	UserCode string
	Problem  string
	Allowed  bool
	Fields   []field
	Servers  []field
}

// show renders a page. formTo is where its form may lead besides itself: the
// redirect URI, since browsers apply form-action to redirects too.
func (s *Server) show(w http.ResponseWriter, status int, name, formTo string, p page) {
	pages := s.pages()
	p.CSS = template.CSS(styleSource) // our own file
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
	p.Server, p.Imitates = v.Title, !v.Plain
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
		Title: "Sign in", Client: req.clientID, Action: template.URL("?" + query), // url.Values.Encode
		Ticket: v.s.ticket(stepLogin, query), People: v.s.people(req.hint),
	})
}

func (v *visit) consentPage(w http.ResponseWriter, req *request, params url.Values, p Person) {
	query := params.Encode()
	v.show(w, http.StatusOK, "consent", formTarget(req.redirect), page{
		Title: "Allow?", Client: req.clientID, Action: template.URL("?" + query), // url.Values.Encode
		Ticket: v.s.ticket(stepConsent, query, p.Email), Person: p, Scopes: req.scopes, Target: formTarget(req.redirect),
	})
}

func (v *visit) postPage(w http.ResponseWriter, redirect string, values url.Values) {
	p := page{
		Title: "Back to the application", Target: formTarget(redirect),
		Action: template.URL(redirect), // checkRedirect knows the scheme
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		p.Fields = append(p.Fields, field{name, values.Get(name)})
	}
	v.show(w, http.StatusOK, "post", formTarget(redirect), p)
}

func (v *visit) errorPage(w http.ResponseWriter, problem string) {
	v.show(w, http.StatusBadRequest, "error", "", page{Title: "This request cannot be answered", Problem: problem})
}

func (v *visit) codePage(w http.ResponseWriter, userCode, problem string) {
	v.show(w, http.StatusOK, "code", "", page{
		Title: "Connect a device", Action: "?", Ticket: v.s.ticket(stepLogin, ""),
		People: v.s.people(""), UserCode: userCode, Problem: problem,
	})
}

func (v *visit) deviceConsentPage(w http.ResponseWriter, row device, p Person) {
	v.show(w, http.StatusOK, "consent", "", page{
		Title: "Allow?", Client: row.Client, Action: "?", Ticket: v.s.ticket(stepConsent, row.UserCode, p.Email),
		Person: p, Scopes: row.Scopes, UserCode: row.UserCode,
	})
}

func (v *visit) donePage(w http.ResponseWriter, allowed bool) {
	title := "Denied"
	if allowed {
		title = "Connected"
	}
	v.show(w, http.StatusOK, "done", "", page{Title: title, Allowed: allowed})
}

// ticket proves that a page was shown for this very request: nobody else's page
// can post an answer.
func (s *Server) ticket(parts ...string) string {
	mac := hmac.New(sha256.New, s.salt)
	for _, p := range append([]string{"ticket"}, parts...) {
		fmt.Fprintf(mac, "%d:%s", len(p), p)
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:18])
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
