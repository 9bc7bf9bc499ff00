package sandbox

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Redirect is where a browser is sent with the answer to an authorization request.
type Redirect struct {
	URL  string
	Form url.Values // to post there, with response_mode=form_post; else nil
}

// Request is the request that the browser would make.
func (r Redirect) Request(ctx context.Context) (*http.Request, error) {
	if r.Form == nil {
		return http.NewRequestWithContext(ctx, http.MethodGet, r.URL, nil)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, strings.NewReader(r.Form.Encode()))
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return req, err
}

// String is the whole answer as one URL, as a person would paste it: the fields
// of a form stand in the query.
func (r Redirect) String() string {
	if r.Form == nil {
		return r.URL
	}
	return appendQuery(r.URL, r.Form)
}

// Visitor is what a person does on the pages.
type Visitor struct {
	Account string // who signs in; "": who is preselected: the login_hint, else Options.Person
	Deny    bool
}

// Consent signs in and consents to an authorization URL as a person would, and
// returns the URL that the browser is sent to, see [Redirect.String]. It
// delivers nothing. A login_hint in the URL says who signs in, else
// Options.Person.
func (s *Server) Consent(ctx context.Context, authorizeURL string) (redirect string, err error) {
	r, err := s.Visit(ctx, authorizeURL, Visitor{})
	return r.String(), err
}

// Visit walks the pages of an authorization URL and returns where the browser
// is sent.
func (s *Server) Visit(ctx context.Context, authorizeURL string, who Visitor) (Redirect, error) {
	r, err := (&browser{s, who}).walk(ctx, authorizeURL)
	if err == nil && r.URL == "" {
		err = errors.New("the pages did not end in a redirect")
	}
	if err != nil {
		return Redirect{}, fmt.Errorf("sandbox: consent: %w", err)
	}
	return r, nil
}

// ConsentDevice enters a user code and consents, as Options.Person.
func (s *Server) ConsentDevice(ctx context.Context, userCode string) error {
	return s.VisitDevice(ctx, userCode, Visitor{})
}

// VisitDevice enters a user code and walks the pages.
func (s *Server) VisitDevice(ctx context.Context, userCode string, who Visitor) error {
	var page string
	err := s.book.view(func(t *tx) {
		row := t.devices[t.userCodes[plainUserCode(userCode)]]
		if prof := s.profileOf(t, row.Realm); prof != nil {
			page = prof.Endpoints[RoleVerify]
		}
	})
	if err == nil && page == "" {
		err = fmt.Errorf("there is no user code %q", userCode)
	}
	if err == nil {
		_, err = (&browser{s, who}).walk(ctx, page+"?"+url.Values{userCodeField: {userCode}}.Encode())
	}
	if err != nil {
		return fmt.Errorf("sandbox: consent on a device: %w", err)
	}
	return nil
}

// browser walks the sandbox's own pages.
type browser struct {
	s   *Server
	who Visitor
}

// walk opens a page and fills in its forms until it is sent elsewhere or there
// is no form any more.
func (b *browser) walk(ctx context.Context, address string) (Redirect, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	for range 5 {
		if err != nil {
			return Redirect{}, err
		}
		resp, err := b.s.Transport().RoundTrip(req)
		if err != nil {
			return Redirect{}, err
		}
		form, problem, err := readPage(resp.Body)
		_ = resp.Body.Close()
		switch {
		case err != nil:
			return Redirect{}, err
		case resp.StatusCode == http.StatusSeeOther:
			return Redirect{URL: resp.Header.Get("Location")}, nil
		case resp.StatusCode != http.StatusOK:
			return Redirect{}, fmt.Errorf("%s: %s", resp.Status, problem)
		case problem != "":
			return Redirect{}, errors.New(problem)
		case form == nil:
			return Redirect{}, nil
		case !form.values.Has(ticketField):
			return Redirect{URL: form.action, Form: form.values}, nil
		}
		target, err := req.URL.Parse(form.action)
		if err != nil {
			return Redirect{}, err
		}
		b.fill(form.values)
		req, err = Redirect{URL: target.String(), Form: form.values}.Request(ctx)
		if err != nil {
			return Redirect{}, err
		}
	}
	return Redirect{}, errors.New("the pages do not end")
}

func (b *browser) fill(values url.Values) {
	switch values.Get(stepField) {
	case stepLogin:
		if b.who.Account != "" {
			values.Set(addressField, b.who.Account)
		}
	case stepConsent:
		values.Set(decisionField, decisionAllow)
		if b.who.Deny {
			values.Set(decisionField, decisionDeny)
		}
	}
}

// pageForm is a form as a browser would submit it untouched.
type pageForm struct {
	action string
	values url.Values
}

// readPage finds the form of a page of the sandbox, and what it complains about.
func readPage(r io.Reader) (form *pageForm, problem string, err error) {
	b, err := io.ReadAll(io.LimitReader(r, 1<<20))
	if err != nil {
		return nil, "", fmt.Errorf("read the page: %w", err)
	}
	for rest := string(b); ; {
		_, after, found := strings.Cut(rest, "<")
		if !found {
			return form, problem, nil
		}
		var tag string
		tag, rest, _ = strings.Cut(after, ">") // in attributes our pages write &gt;
		name, attrs, _ := strings.Cut(tag, " ")
		switch {
		case attr(attrs, "class") == "problem":
			shown, _, _ := strings.Cut(rest, "<")
			problem += html.UnescapeString(shown)
		case name == "form":
			form = &pageForm{action: attr(attrs, "action"), values: url.Values{}}
		case name == "input" && form != nil:
			form.add(attrs)
		}
	}
}

func (f *pageForm) add(attrs string) {
	switch attr(attrs, "type") {
	case "radio", "checkbox":
		if !strings.HasSuffix(attrs, " checked") {
			return
		}
	}
	f.values.Add(attr(attrs, "name"), attr(attrs, "value"))
}

// attr is the value of an attribute; "" if there is none.
func attr(attrs, name string) string {
	_, after, _ := strings.Cut(" "+attrs, " "+name+`="`)
	value, _, _ := strings.Cut(after, `"`)
	return html.UnescapeString(value)
}
