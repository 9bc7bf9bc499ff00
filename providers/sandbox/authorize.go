package sandbox

import (
	"cmp"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// request is an authorization request (RFC 6749 §4.1.1) that was checked.
type request struct {
	clientID  string
	redirect  string // where the browser is sent
	carried   string // where a proxy would carry it; "" if there is none
	sent      string // redirect_uri as it was sent; "" if it was left out
	state     string
	mode      string // "query" or "form_post"
	scopes    []string
	nonce     string
	challenge string
	hint      string // login_hint
	offline   bool
}

// authorize shows the login page, then the consent page, then sends the browser
// back. The pages post to the URL that they were found at, with the same query:
// nothing is remembered in between.
func (v *visit) authorize(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet, http.MethodPost) {
		return
	}
	params := r.URL.Query()
	answered := r.Method == http.MethodPost && r.PostForm.Has(ticketField)
	if r.Method == http.MethodPost && !answered { // OpenID Connect Core 1.0 §3.1.2.1
		params = r.Form
	}
	req, problem := v.checkClient(params)
	if problem != "" {
		v.errorPage(w, problem)
		return
	}
	if r.Context().Value(inProcess{}) == nil {
		req.carried = v.s.carriedTo(req.redirect)
	}
	if err := v.checkRequest(params, req); err != nil {
		v.sendRefusal(w, req, err)
		return
	}
	if ask := v.manner().ask; ask != nil {
		if problem := ask(v, req); problem != "" {
			v.errorPage(w, problem)
			return
		}
	}
	if !answered {
		v.loginPage(w, req, params)
		return
	}
	v.answerPage(w, r, req, params)
}

// answerPage takes what a person did on the login or the consent page.
func (v *visit) answerPage(w http.ResponseWriter, r *http.Request, req *request, params url.Values) {
	form := r.PostForm
	switch form.Get(stepField) {
	case stepLogin:
		p, ok := v.s.personOf(form, req.hint)
		if !v.s.ticketFits(form, stepLogin, params.Encode()) || !ok {
			v.loginPage(w, req, params)
			return
		}
		if turnAway := v.manner().turnAway; turnAway != nil {
			if refused := turnAway(v, req, p); refused != nil {
				v.sendRefusal(w, req, refused)
				return
			}
		}
		v.consentPage(w, req, params, p)
	case stepConsent:
		p, ok := v.s.personOf(form, req.hint)
		if !v.s.ticketFits(form, stepConsent, params.Encode(), p.Email) || !ok {
			v.errorPage(w, "This page is not the one that was shown. Start again in the application.")
			return
		}
		if !v.allowed(form, req.scopes) {
			v.sendRefusal(w, req, refuse("access_denied", "the person said no").because(whyDenied))
			return
		}
		v.giveCode(w, req, p, form[scopeField])
	default:
		v.loginPage(w, req, params)
	}
}

// allowed reports whether the person said yes to anything of what was asked.
func (v *visit) allowed(form url.Values, asked []string) bool {
	ticked := func(s string) bool { return slices.Contains(form[scopeField], s) }
	if v.manner().whole && !slices.Equal(form[scopeField], asked) {
		return false
	}
	return form.Get(decisionField) == decisionAllow && (len(asked) == 0 || slices.ContainsFunc(asked, ticked))
}

// giveCode makes a code for what was allowed and sends the browser back with it.
func (v *visit) giveCode(w http.ResponseWriter, req *request, p Person, ticked []string) {
	scopes := slices.DeleteFunc(slices.Clone(req.scopes), func(s string) bool { return !slices.Contains(ticked, s) })
	var value string
	err := v.s.book.update(func(t *tx) error {
		var err error
		if value, err = t.random("sandbox_ac_", 24); err != nil {
			return err
		}
		v.learnRedirect(t, req)
		t.put.Codes = append(t.put.Codes, code{
			Hash: digestOf(value), Realm: v.ID, Client: req.clientID, Redirect: req.sent,
			Challenge: req.challenge, Nonce: req.nonce, Scopes: scopes, Person: p,
			Offline: req.offline && (v.Offline == "" || slices.Contains(scopes, v.Offline)),
			Expires: t.now.add(cmp.Or(v.manner().codeLife, codeLife)),
		})
		return nil
	})
	if err != nil {
		fail(w, err)
		return
	}
	back := url.Values{"code": {value}}
	for _, name := range v.Callback {
		back.Set(name, "sandbox-"+name)
		if name == "scope" {
			back.Set(name, strings.Join(scopes, v.Separator))
		}
	}
	v.sendBack(w, req, back)
}

// learnRedirect remembers where a client that was never registered is sent.
func (v *visit) learnRedirect(t *tx, req *request) {
	key := clientKey{v.ID, req.clientID}
	row, known := t.clients[key]
	if !known {
		row = client{Realm: v.ID, ID: req.clientID}
	}
	if row.Strict || len(row.Redirects) >= maxLearned || v.redirectKnown(row.Redirects, req.redirect) {
		return
	}
	row.Redirects = append(slices.Clone(row.Redirects), req.redirect)
	t.put.Clients = append(t.put.Clients, row)
}

// checkClient finds the client and where to send the browser. If either is in
// doubt the person is told, and nobody is sent anywhere (RFC 6749 §4.1.2.1).
func (v *visit) checkClient(params url.Values) (*request, string) {
	for _, name := range []string{"client_id", "redirect_uri"} {
		if len(params[name]) > 1 {
			return nil, name + " is given more than once."
		}
	}
	req := &request{
		clientID: params.Get("client_id"), sent: params.Get("redirect_uri"),
		state: params.Get("state"), mode: "query",
	}
	if req.clientID == "" {
		return nil, "client_id is missing."
	}
	var row client
	if err := v.s.book.view(func(t *tx) { row = t.clients[clientKey{v.ID, req.clientID}] }); err != nil {
		return nil, err.Error()
	}
	req.redirect = req.sent
	if req.sent == "" {
		if len(row.Redirects) != 1 {
			return nil, "redirect_uri is missing."
		}
		req.redirect = row.Redirects[0]
	}
	if problem := v.checkRedirect(req.redirect); problem != "" {
		return nil, "redirect_uri " + problem
	}
	if first := v.manner().firstRedirect; first && row.Strict && len(row.Redirects) > 0 {
		if !slices.Contains(row.Redirects, req.redirect) {
			req.redirect = row.Redirects[0]
		}
		return req, ""
	}
	if row.Strict && !v.redirectKnown(row.Redirects, req.redirect) {
		if strayed := v.manner().strayed; strayed != nil {
			return nil, strayed(v, req.clientID, req.redirect)
		}
		return nil, "redirect_uri is not registered for this client: " + req.redirect
	}
	if mode := params.Get("response_mode"); mode == "form_post" {
		req.mode = mode
	}
	return req, ""
}

// checkRedirect says what is wrong with a redirect URI, whoever sends it.
func (v *visit) checkRedirect(raw string) string {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Scheme == "" || len(raw) > 2000:
		return "is not an absolute URI."
	case strings.Contains(raw, "#"):
		return "has a fragment (RFC 6749 §3.1.2)."
	case u.User != nil:
		return "has a user name in it."
	case strings.ContainsFunc(u.Host, strangeInHost):
		return "has a host with strange characters."
	case slices.Contains(v.Refused, u.Hostname()):
		return "is for " + u.Hostname() + ", which " + v.Title + " does not accept."
	case u.Scheme == "https" && u.Host != "":
		return ""
	case u.Scheme == "http" && u.Host != "":
		if v.HTTPS {
			return "is not https, and " + v.Title + " accepts nothing else."
		}
		return ""
	case strings.Contains(u.Scheme, "."): // a private-use scheme, RFC 8252 §7.1
		return ""
	}
	return "has a scheme that is not http, https or a reversed domain name (RFC 8252 §7.1)."
}

func strangeInHost(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(".-_:[]", r)
}

// redirectKnown compares redirect URIs as RFC 6749 §3.1.2.3 and RFC 8252 §7.3
// want it: byte by byte, but for the port of a loopback address.
func (v *visit) redirectKnown(known []string, raw string) bool {
	return slices.ContainsFunc(known, func(k string) bool {
		return k == raw || !v.FixedPort && withoutLoopbackPort(k) == withoutLoopbackPort(raw)
	})
}

func withoutLoopbackPort(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" || !isLoopback(u.Host) {
		return raw
	}
	if name, _, err := net.SplitHostPort(u.Host); err == nil {
		if strings.Contains(name, ":") {
			name = "[" + name + "]"
		}
		u.Host = name
	}
	return u.String()
}

// checkRequest checks the rest, of which the client is told by redirect.
func (v *visit) checkRequest(params url.Values, req *request) *refusal {
	for name, values := range params {
		if len(values) > 1 && name != "resource" && name != "audience" {
			return refuse("invalid_request", name+" is given more than once")
		}
	}
	switch params.Get("response_type") {
	case "code":
	case "":
		return refuse("invalid_request", "response_type is missing")
	default:
		return refuse("unsupported_response_type", "only the code flow is imitated")
	}
	switch params.Get("response_mode") {
	case "", "query", "form_post":
	default:
		return refuse("invalid_request", "response_mode must be query or form_post")
	}
	if !v.allows("authorization_code") {
		return refuse("unauthorized_client", v.Title+" does not have the authorization code grant")
	}
	if params.Has("request") {
		return refuse("request_not_supported", "request objects are not imitated")
	}
	if params.Has("request_uri") {
		return refuse("request_uri_not_supported", "request objects are not imitated")
	}
	if err := v.checkChallenge(params, req); err != nil {
		return err
	}
	if prompts := strings.Fields(params.Get("prompt")); slices.Contains(prompts, "none") {
		if len(prompts) > 1 {
			return refuse("invalid_request", "prompt=none excludes every other prompt")
		}
		return refuse("login_required", "nobody is signed in, and prompt=none forbids to ask").because(whyNobody)
	}
	scopes, refused := v.readScopes(params.Get("scope"))
	if refused != nil {
		return refused
	}
	req.scopes = scopes
	req.nonce, req.hint = params.Get("nonce"), params.Get("login_hint")
	req.offline = v.offlineAsked(params, req.scopes)
	return nil
}

// checkChallenge is PKCE (RFC 7636 §4.3) with S256 only. A server that is known
// to break on PKCE breaks here too.
func (v *visit) checkChallenge(params url.Values, req *request) *refusal {
	req.challenge = params.Get("code_challenge")
	method := params.Get("code_challenge_method")
	switch {
	case v.PKCE == "broken" && (req.challenge != "" || method != ""):
		return refuse("invalid_request", v.Title+" does not understand PKCE")
	case req.challenge == "" && v.PKCE == "required":
		return refuse("invalid_request", v.Title+" requires PKCE: code_challenge is missing")
	case req.challenge == "" && method != "":
		return refuse("invalid_request", "code_challenge_method without code_challenge")
	case req.challenge == "":
		return nil
	case method != "S256":
		return refuse("invalid_request", "code_challenge_method must be S256")
	case len(req.challenge) != 43:
		return refuse("invalid_request", "code_challenge is not a SHA-256 in base64url")
	}
	return nil
}

// offlineAsked reports whether the request asks for a refresh token in the way
// that the server wants to be asked.
func (v *visit) offlineAsked(params url.Values, scopes []string) bool {
	if !v.allows("refresh_token") {
		return false
	}
	if v.Offline != "" && !slices.Contains(scopes, v.Offline) {
		return false
	}
	for name, want := range v.OfflineBy {
		if got := params.Get(name); got != want && !slices.Contains(strings.Fields(got), want) {
			return false
		}
	}
	return true
}

// sendRefusal sends the browser back with an error (RFC 6749 §4.1.2.1).
func (v *visit) sendRefusal(w http.ResponseWriter, req *request, e *refusal) {
	e, _ = v.worded(e)
	v.sendBack(w, req, url.Values{"error": {e.Code}, "error_description": {e.Description}})
}

// sendBack sends the browser to the redirect URI with an answer (RFC 6749
// §4.1.2, RFC 9207, OAuth 2.0 Form Post Response Mode).
func (v *visit) sendBack(w http.ResponseWriter, req *request, values url.Values) {
	if req.state != "" && !slices.Contains(v.Quirks, "no_state") {
		values.Set("state", req.state)
	}
	if v.Iss {
		values.Set("iss", v.Issuer)
	}
	to := req.redirect
	if req.carried != "" {
		to = req.carried
	}
	if req.mode == "form_post" {
		v.postPage(w, to, values)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Location", appendQuery(to, values))
	w.WriteHeader(http.StatusSeeOther)
}

// appendQuery adds parameters to a URI that checkRedirect has seen.
func appendQuery(uri string, values url.Values) string {
	sep := "?"
	if strings.Contains(uri, "?") {
		sep = "&"
	}
	return uri + sep + values.Encode()
}
