package sandbox

import (
	"errors"
	"fmt"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/netip"
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
	RoleRealm:      (*visit).challenge,
	RoleService:    (*visit).service,
	roleNoRealm:    (*visit).unknownRealm,
}

// route finds out which URL a request means and lets its endpoint answer.
func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	target, plain, ok := s.target(r)
	if !ok {
		http.Error(w, fmt.Sprintf("sandbox: there is no host %q here", r.Host), http.StatusMisdirectedRequest)
		return
	}
	if r.Context().Value(inProcess{}) == nil {
		if address, ok := s.carries(target); ok {
			s.carry(w, r, target, address)
			return
		}
	}
	if target == jobTokenURL {
		s.jobToken(w, r)
		return
	}
	v, err := s.find(target, plain)
	if err != nil {
		http.Error(w, "sandbox: "+err.Error(), http.StatusInternalServerError)
		return
	}
	var role Role
	if v != nil {
		role = v.role
	}
	readErr := v.readBody(r)
	s.record(r, target, role)
	switch {
	case v == nil && plain != "" && r.URL.Path == "/":
		s.welcome(w, r, plain)
	case v == nil:
		s.nothingHere(w, target, plain)
	case readErr != nil:
		v.fail(w, r, refuse("invalid_request", "the request cannot be read: "+readErr.Error()))
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
		if s.serves(r.Host) {
			plain = "http://" + r.Host
		}
		return endpointKey(r.URL.Scheme, r.Host, path), plain, true
	}
	if !isLoopback(r.Host) {
		return endpointKey("https", r.Host, path), "", s.book.imitates(r.Host)
	}
	if rest, found := strings.CutPrefix(path, browserHTTPS); found {
		return prefixed("https", rest), "", true
	}
	if rest, found := strings.CutPrefix(path, browserHTTP); found {
		return prefixed("http", rest), "", true
	}
	return endpointKey("http", r.Host, path), "http://" + r.Host, true
}

// prefixed is the imitated URL behind HOST/PATH.
func prefixed(scheme, rest string) string {
	host, path, _ := strings.Cut(rest, "/")
	return endpointKey(scheme, host, "/"+path)
}

// find returns the endpoint at a URL, or nil. What is mounted goes before the
// plain issuer.
func (s *Server) find(target, plain string) (*visit, error) {
	var v *visit
	err := s.book.view(func(t *tx) {
		if c, ok := t.urls[target]; ok {
			v = &visit{profile: t.realms[c.realm[0]], s: s, role: c.role, realms: slices.Clone(c.realm)}
		} else if prof := t.noRealm(target); prof != nil {
			v = &visit{profile: prof, s: s, role: roleNoRealm}
		}
	})
	if v != nil || err != nil || plain == "" {
		return v, err
	}
	own, err := s.plain(plain)
	if err != nil {
		return nil, err
	}
	if role, ok := own.urls[target]; ok {
		v = &visit{profile: own.profile, s: s, role: role, realms: []string{own.ID}}
	}
	return v, nil
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
	s.book.mu.Lock()
	known := slices.Collect(maps.Keys(s.book.urls))
	s.book.mu.Unlock()
	if plain != "" {
		if own, err := s.plain(plain); err == nil {
			known = slices.AppendSeq(known, maps.Keys(own.urls))
		}
	}
	slices.Sort(known)
	text := "sandbox: nothing here imitates " + target + "\n"
	if len(known) == 0 {
		text += "no server is imitated yet\n"
	} else {
		text += "imitated are:\n  " + strings.Join(known, "\n  ") + "\n"
	}
	http.Error(w, text, http.StatusNotFound)
}

// readBody reads a request's parameters in the manner of the server; v may be nil.
func (v *visit) readBody(r *http.Request) error {
	if v != nil && v.role != RoleAuthorize && v.role != RoleVerify {
		for _, name := range v.Quirks {
			if read, ok := readers[name]; ok {
				return read(r)
			}
		}
	}
	return readForm(r)
}

// readForm parses query and body; the body of a POST must be form data.
func readForm(r *http.Request) error {
	if r.Method == http.MethodPost && r.ContentLength != 0 {
		mt, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || mt != "application/x-www-form-urlencoded" {
			return errors.New("the body is not application/x-www-form-urlencoded")
		}
	}
	return r.ParseForm()
}
