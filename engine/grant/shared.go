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

// Shared is what the flows of one run find out once for all of them: the
// endpoints that a server is asked for in a way of its own. It holds no tokens.
// Its zero value is empty; nil shares nothing.
type Shared struct {
	mu    sync.Mutex
	found map[string]*finding
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
