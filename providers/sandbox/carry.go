package sandbox

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
)

// Carry plays the proxy in front of an application, for real browsers: what they
// bring to an https redirect URI goes to a loopback address, with the Host of the
// URI, as from a proxy that ends TLS.
func (s *Server) Carry(redirectURI, address string) {
	key, err := urlKey(redirectURI)
	if err != nil || !strings.HasPrefix(key, "https://") || !isLoopback(address) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.carried[key] = address
}

func (s *Server) carries(key string) (address string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	address, ok = s.carried[key]
	return address, ok
}

// carriedTo is the path here that stands for a redirect URI; "" if nothing does.
func (s *Server) carriedTo(redirectURI string) string {
	key, err := urlKey(redirectURI)
	if err != nil {
		return ""
	}
	if _, ok := s.carries(key); !ok {
		return ""
	}
	u, err := url.Parse(redirectURI)
	if err != nil {
		return ""
	}
	to := browserHTTPS + u.Host + u.EscapedPath()
	if u.RawQuery != "" {
		to += "?" + u.RawQuery
	}
	return to
}

// carry hands a request on to where the application listens.
func (s *Server) carry(w http.ResponseWriter, r *http.Request, key, address string) {
	u, err := url.Parse(key)
	if err != nil {
		http.Error(w, "sandbox: "+err.Error(), http.StatusInternalServerError)
		return
	}
	p := &httputil.ReverseProxy{
		Transport: &http.Transport{DisableKeepAlives: true},
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host, p.Out.Host = "http", address, u.Host
			p.Out.URL.Path, p.Out.URL.RawPath = u.Path, u.RawPath
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, "sandbox: nobody listens any more: "+err.Error(), http.StatusBadGateway)
		},
	}
	p.ServeHTTP(w, r)
}
