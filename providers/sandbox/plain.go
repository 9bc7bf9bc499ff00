package sandbox

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/oauthctl/oauthctl/providers"
)

// plainIssuer is the sandbox's own issuer at one base URL: a modern server for
// clients of any kind.
type plainIssuer struct {
	*profile
	urls map[string]Role
}

// maxPlain is how many bases are kept ready; there is one for each way to write
// the address that is listened on.
const maxPlain = 16

// plain is the issuer at a base URL, which is a loopback address.
func (s *Server) plain(base string) (*plainIssuer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if own, ok := s.plains[base]; ok {
		return own, nil
	}
	prof, err := newProfile(&providers.Preset{
		Name: "sandbox", Title: "oauthctl sandbox", Issuer: base, Discovery: "oidc",
		IDToken: true, RequireIss: true, PKCE: "supported",
		Rotation: providers.Rotation{Kind: "single_use", BlastRadius: "grant"},
	})
	if err != nil {
		return nil, err
	}
	prof.Plain = true
	own := &plainIssuer{profile: prof}
	if own.urls, err = prof.urls(); err != nil {
		return nil, err
	}
	if len(s.plains) < maxPlain {
		s.plains[base] = own
	}
	return own, nil
}

// serves reports whether Serve listens under this host.
func (s *Server) serves(host string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.serving[host]
}

// profileOf finds a server by its ID; nil if there is none.
func (s *Server) profileOf(t *tx, id string) *profile {
	if prof, ok := t.realms[id]; ok {
		return prof
	}
	base := strings.TrimSuffix(id, "/token")
	if _, host, _ := strings.Cut(base, "://"); s.serves(host) {
		if own, err := s.plain(base); err == nil {
			return own.profile
		}
	}
	return nil
}

// welcome says at the base URL what this is.
func (s *Server) welcome(w http.ResponseWriter, r *http.Request, base string) {
	if !allow(w, r, http.MethodGet) {
		return
	}
	own, err := s.plain(base)
	if err != nil {
		fail(w, err)
		return
	}
	p := page{Title: "Welcome", Fields: []field{{"issuer", text(base)}}}
	for _, role := range []Role{RoleAuthorize, RoleToken, RoleDevice} {
		p.Fields = append(p.Fields, field{text(role), text(own.Endpoints[role])})
	}
	err = s.book.view(func(t *tx) {
		for _, id := range slices.Sorted(maps.Keys(t.realms)) {
			p.Servers = append(p.Servers, field{text(t.realms[id].Title), text(id)})
		}
	})
	if err != nil {
		fail(w, err)
		return
	}
	s.show(w, http.StatusOK, "welcome", "", p)
}
