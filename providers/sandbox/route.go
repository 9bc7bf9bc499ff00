package sandbox

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// maxBody is how much of a request is read.
const maxBody = 64 << 10

// visit is one request to one endpoint of one imitated server.
type visit struct {
	*profile
	s      *Server
	role   Role
	realms []string // that have this URL too, userinfo: the token decides
	url    string   // the imitated one, without query
}

// endpoints has the handler of each role.
var endpoints = map[Role]func(*visit, http.ResponseWriter, *http.Request){
	RoleDiscovery:  (*visit).discovery,
	RoleAuthorize:  (*visit).authorize,
	RoleToken:      (*visit).token,
	RoleRefresh:    (*visit).token,
	RoleDevice:     (*visit).device,
	RoleVerify:     (*visit).verify,
	RoleRevoke:     (*visit).revoke,
	RoleIntrospect: (*visit).introspect,
	RoleUserinfo:   (*visit).userinfo,
	RoleJWKS:       (*visit).jwks,
}

// route finds out which URL a request means and lets its endpoint answer.
func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	target, plain, ok := s.target(r)
	if !ok {
		http.Error(w, fmt.Sprintf("sandbox: there is no host %q here", r.Host), http.StatusMisdirectedRequest)
		return
	}
	v, err := s.find(target, plain)
	if err != nil {
		http.Error(w, "sandbox: "+err.Error(), http.StatusInternalServerError)
		return
	}
	if v == nil && plain != "" && r.URL.Path == "/" {
		s.welcome(w, r, plain)
		return
	}
	var role Role
	if v != nil {
		role = v.role
	}
	readErr := readForm(r)
	s.record(r, target, role)
	switch {
	case v == nil:
		s.nothingHere(w, target, plain)
	case readErr != nil:
		fail(w, refuse("invalid_request", "the request cannot be read: "+readErr.Error()))
	default:
		next := func(w http.ResponseWriter, r *http.Request) { endpoints[role](v, w, r) }
		if f, ok := s.takeFault(role, isRefresh(v, r)); ok {
			s.serveFault(f, w, r, next)
			return
		}
		next(w, r)
	}
}

func isRefresh(v *visit, r *http.Request) bool {
	return (v.role == RoleToken || v.role == RoleRefresh) && r.PostForm.Get("grant_type") == "refresh_token"
}

// target is the URL that a request means, without its query, and the base of
// the plain issuer if it may be meant. False: a host that is not ours, as in DNS
// rebinding.
func (s *Server) target(r *http.Request) (target, plain string, ok bool) {
	path := r.URL.EscapedPath()
	if r.Context().Value(inProcess{}) != nil {
		return endpointKey(r.URL.Scheme, r.Host, path), "", true
	}
	if s.book.imitates(r.Host) {
		return endpointKey("https", r.Host, path), "", true
	}
	if !isLoopback(r.Host) {
		return "", "", false
	}
	for prefix, scheme := range map[string]string{browserHTTPS: "https", browserHTTP: "http"} {
		if rest, found := strings.CutPrefix(path, prefix); found {
			host, rest, _ := strings.Cut(rest, "/")
			return endpointKey(scheme, host, "/"+rest), "", true
		}
	}
	return endpointKey("http", r.Host, path), "http://" + r.Host, true
}

// find returns the endpoint at a URL, or nil.
func (s *Server) find(target, plain string) (*visit, error) {
	if plain != "" {
		prof := plainProfile(plain)
		if prof == nil {
			return nil, nil
		}
		urls, err := prof.urls()
		if err != nil {
			return nil, err
		}
		role, ok := urls[target]
		if !ok {
			return nil, nil
		}
		return &visit{profile: prof, s: s, role: role, realms: []string{prof.ID}, url: target}, nil
	}
	var v *visit
	err := s.book.view(func(t *tx) {
		if c, ok := t.urls[target]; ok {
			v = &visit{profile: t.realms[c.realm[0]], s: s, role: c.role, realms: slices.Clone(c.realm), url: target}
		}
	})
	return v, err
}

func (b *book) imitates(host string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.hosts[strings.ToLower(host)] && !isLoopback(host)
}

func hostOf(key string) string {
	_, rest, _ := strings.Cut(key, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// isLoopback reports whether a Host header names this machine.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.IsLoopback()
}

// nothingHere says what is imitated.
func (s *Server) nothingHere(w http.ResponseWriter, target, plain string) {
	var known []string
	if plain != "" {
		if urls, err := plainProfile(plain).urls(); err == nil {
			known = slices.Sorted(maps.Keys(urls))
		}
	} else {
		s.book.mu.Lock()
		known = slices.Sorted(maps.Keys(s.book.urls))
		s.book.mu.Unlock()
	}
	text := "sandbox: nothing here imitates " + target + "\n"
	if len(known) == 0 {
		text += "no server is imitated yet\n"
	} else {
		text += "imitated are:\n  " + strings.Join(known, "\n  ") + "\n"
	}
	http.Error(w, text, http.StatusNotFound)
}

// readForm parses the body of a POST, which must be a form.
func readForm(r *http.Request) error {
	if r.Method != http.MethodPost {
		return nil
	}
	if err := r.ParseForm(); err != nil {
		return err
	}
	_, err := url.ParseQuery(r.URL.RawQuery)
	return err
}
