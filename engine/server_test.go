package engine_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// journal is what happened, in order, at the server and at the state.
type journal struct {
	mu   sync.Mutex
	list []string
}

func (j *journal) add(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.list = append(j.list, fmt.Sprintf(format, args...))
}

// take returns what happened since the last take.
func (j *journal) take() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := j.list
	j.list = nil
	return out
}

// server is a small authorization server: it rotates refresh tokens strictly,
// and ends a grant when a spent one comes again.
type server struct {
	*httptest.Server
	journal *journal

	mu       sync.Mutex
	n        int               // tokens handed out
	live     map[string]string // refresh token → client id
	spent    map[string]bool
	revoked  []string
	secrets  []string // client secrets seen
	lifetime int      // of access tokens, in seconds
	keep     bool     // refresh tokens are not rotated
	bare     bool     // gives no refresh tokens
	seen     string   // everything that was ever sent here
	// fault answers instead of the server if it returns true.
	fault func(w http.ResponseWriter, r *http.Request, form url.Values) bool
}

func newServer(t testing.TB) *server {
	t.Helper()
	s := &server{journal: &journal{}, live: map[string]string{}, spent: map[string]bool{}, lifetime: 3600}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("POST /revoke", s.revoke)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// setFault replaces fault; nil ends it.
func (s *server) setFault(f func(w http.ResponseWriter, r *http.Request, form url.Values) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

func (s *server) form(w http.ResponseWriter, r *http.Request, what string) (url.Values, bool) {
	_ = r.ParseForm()
	form := r.PostForm
	id, secret, _ := r.BasicAuth()
	if id == "" {
		id, secret = form.Get("client_id"), form.Get("client_secret")
	}
	form.Set("client_id", id)
	s.mu.Lock()
	s.seen += form.Encode() + " " + secret + "\n"
	if secret != "" {
		s.secrets = append(s.secrets, secret)
	}
	fault := s.fault
	s.mu.Unlock()
	s.journal.add("%s %s", strings.TrimSpace(what+" "+form.Get("grant_type")), id)
	if fault != nil && fault(w, r, form) {
		return nil, false
	}
	return form, true
}

func (s *server) token(w http.ResponseWriter, r *http.Request) {
	form, ok := s.form(w, r, "token")
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	client, refresh := form.Get("client_id"), form.Get("refresh_token")
	switch form.Get("grant_type") {
	case "client_credentials":
		s.answer(w, form, "")
		return
	case "refresh_token":
		if s.spent[refresh] { // reuse: the grant ends
			for k, c := range s.live {
				if c == client {
					delete(s.live, k)
				}
			}
		}
		if s.live[refresh] != client {
			oauthError(w, http.StatusBadRequest, "invalid_grant")
			return
		}
		if s.keep {
			s.answer(w, form, "")
			return
		}
		delete(s.live, refresh)
		s.spent[refresh] = true
	}
	next := ""
	if !s.bare {
		next = fmt.Sprintf("refresh-%d", s.n+1)
		s.live[next] = client
	}
	s.answer(w, form, next)
}

func (s *server) answer(w http.ResponseWriter, form url.Values, refresh string) {
	s.n++
	body := map[string]any{"access_token": fmt.Sprintf("access-%d", s.n), "token_type": "Bearer", "expires_in": s.lifetime}
	if refresh != "" {
		body["refresh_token"] = refresh
	}
	if scope := form.Get("scope"); scope != "" {
		body["scope"] = scope
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

func oauthError(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": "because"})
}

func (s *server) revoke(w http.ResponseWriter, r *http.Request) {
	form, ok := s.form(w, r, "revoke")
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.live, form.Get("token"))
	s.revoked = append(s.revoked, form.Get("token"))
	w.WriteHeader(http.StatusOK)
}

// count is how many requests so far began like that.
func count(list []string, prefix string) int {
	n := 0
	for _, l := range list {
		if strings.HasPrefix(l, prefix) {
			n++
		}
	}
	return n
}
