package grant

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/providers/quirk"
)

// Shared is what the flows of one run find out once for all of them: metadata
// documents (a thousand connections at one server need one), and the endpoints
// that a server is asked for in a way of its own. It holds no tokens.
// Its zero value is empty; nil shares nothing.
type Shared struct {
	mu        sync.Mutex
	found     map[string]*finding
	documents map[string]*document
}

type document struct {
	mu     sync.Mutex // held while somebody asks
	m      *metadata  // nil: not known; never changed
	public bool       // it came from an address of the public internet
}

// document reads the metadata document at an address, unless it is known
// already. Errors are not kept.
func (s *Shared) document(at string, fetch func() (*metadata, bool, *Error)) (m *metadata, public bool, e *Error) {
	if s == nil {
		return fetch()
	}
	s.mu.Lock()
	d := s.documents[at]
	if d == nil {
		d = &document{}
		if s.documents == nil {
			s.documents = map[string]*document{}
		}
		s.documents[at] = d
	}
	s.mu.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.m == nil {
		if m, public, e = fetch(); e != nil {
			return nil, false, e
		}
		d.m, d.public = m, public
	}
	return d.m, d.public, nil
}

type finding struct {
	mu        sync.Mutex // held while somebody asks
	endpoints *quirk.Endpoints
}

// endpoints asks, unless it is known already. Errors are not kept.
func (s *Shared) endpoints(p *providers.Preset, ask func(*quirk.Endpoints) error) (quirk.Endpoints, error) {
	e := quirk.Endpoints{Args: p.Args, Authorization: p.AuthorizationEndpoint, Token: p.TokenEndpoint}
	if s == nil {
		err := ask(&e)
		return e, err
	}
	s.mu.Lock()
	f := s.found[keyOf(p)]
	if f == nil {
		f = &finding{}
		if s.found == nil {
			s.found = map[string]*finding{}
		}
		s.found[keyOf(p)] = f
	}
	s.mu.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.endpoints != nil {
		return *f.endpoints, nil
	}
	if err := ask(&e); err != nil {
		return e, err
	}
	f.endpoints = &e
	return e, nil
}

// keyOf is equal for presets whose endpoints are found in the same way.
func keyOf(p *providers.Preset) string {
	var b strings.Builder
	for _, s := range append([]string{p.AuthorizationEndpoint, p.TokenEndpoint}, p.Quirks...) {
		b.WriteString(strconv.Quote(s))
	}
	for _, name := range slices.Sorted(maps.Keys(p.Args)) {
		b.WriteString(strconv.Quote(name) + "=" + strconv.Quote(p.Args[name]))
	}
	return b.String()
}
