package sandbox

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/oauthctl/oauthctl/schema/secret"
)

// Stats are counts. All but Requests and ByRole cover every process that shares
// the journal.
type Stats struct {
	Requests int          // to this Server
	ByRole   map[Role]int // of these, by endpoint; "": to no endpoint

	Codes       int // redeemed
	Devices     int // device codes redeemed
	Clients     int // client credentials answered
	Exchanges   int // tokens and assertions exchanged
	Refreshes   int // answered with tokens
	Reuses      int // refresh tokens that came again after they were rotated away
	CodeReuses  int
	Revocations int
	LiveRefresh int // refresh tokens that could be used now
	LiveAccess  int
}

// Stats counts.
func (s *Server) Stats() (Stats, error) {
	s.mu.Lock()
	out := Stats{Requests: s.log.total, ByRole: map[Role]int{}}
	for role, n := range s.log.byRole {
		out.ByRole[role] = n
	}
	s.mu.Unlock()
	err := s.book.view(func(t *tx) {
		out.Codes, out.Devices, out.Clients = t.counts[eventCode], t.counts[eventDevice], t.counts[eventClient]
		out.Exchanges = t.counts[eventExchange]
		out.Refreshes, out.Reuses = t.counts[eventRefresh], t.counts[eventReuse]
		out.CodeReuses, out.Revocations = t.counts[eventCodeReuse], t.counts[eventRevoke]
		for _, r := range t.refreshes {
			if g := t.grants[r.Grant]; r.Used == 0 && !g.Revoked && !r.Expires.passed(t.now) {
				out.LiveRefresh++
			}
		}
		for _, a := range t.accesses {
			if !a.Revoked && !t.grants[a.Grant].Revoked && !a.Expires.passed(t.now) {
				out.LiveAccess++
			}
		}
	})
	return out, err
}

// Request is one request as it arrived, for tests that judge clients. What may
// be secret is a [secret.Secret].
type Request struct {
	At     time.Time
	Method string
	URL    string // as imitated, without the query
	Role   Role   // "" if nothing is there
	Query  map[string][]secret.Secret
	Form   map[string][]secret.Secret
	Header map[string][]secret.Secret
}

// Get is the first value of a form field, else of a query parameter.
func (r Request) Get(name string) secret.Secret {
	for _, m := range []map[string][]secret.Secret{r.Form, r.Query} {
		if v := m[name]; len(v) > 0 {
			return v[0]
		}
	}
	return ""
}

// maxLog is how many requests are remembered; older ones are forgotten.
const maxLog = 4096

type requestLog struct {
	total  int
	byRole map[Role]int
	list   []Request
}

// Requests are the last requests, oldest first, at most 4096.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log.list)
}

func (s *Server) record(r *http.Request, target string, role Role) {
	entry := Request{
		At: s.o.Now(), Method: r.Method, URL: target, Role: role,
		Query: concealed(r.URL.Query()), Form: concealed(r.PostForm), Header: concealed(url.Values(r.Header)),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.total++
	if s.log.byRole == nil {
		s.log.byRole = map[Role]int{}
	}
	s.log.byRole[role]++
	if len(s.log.list) >= maxLog {
		s.log.list = slices.Delete(s.log.list, 0, maxLog/4)
	}
	s.log.list = append(s.log.list, entry)
}

func concealed(values url.Values) map[string][]secret.Secret {
	out := make(map[string][]secret.Secret, len(values))
	for name, list := range values {
		for _, v := range list {
			out[name] = append(out[name], secret.Secret(v))
		}
	}
	return out
}
