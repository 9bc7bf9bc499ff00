package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/sqlite"
)

const (
	soakLife   = 5 * time.Minute // of access tokens
	soakMargin = soakLife / 10   // what refresh_before is for them
	soakGrace  = time.Minute     // in which the server forgives a second use
	soakTick   = 15 * time.Second
	soakFiles  = 20 // that may be open at the end: a few of the state, and what is under way
)

// soakServer rotates refresh tokens and keeps the last one for soakGrace. It is
// the judge of what is lost.
type soakServer struct {
	clock                      *clock
	mu                         sync.Mutex
	rand                       *rand.Rand
	grants                     map[string]*soakGrant // by client id
	requests, refreshes, fault int
	reuses                     int
}

// soakGrant is one connection at the server.
type soakGrant struct {
	n       int       // the refresh token that works
	at      time.Time // it was handed out
	dropped bool      // an answer was lost, and none has come since
}

// ServeHTTP answers a refresh. One request in a hundred fails: with 503, with
// 500, before it was carried out, or after. No answer is lost twice in a row for
// one connection: that needs a person, by design (docs/refresh.md).
func (s *soakServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.grants[r.PostForm.Get("client_id")]
	s.requests++
	kind := s.rand.IntN(400)
	if kind < 4 {
		s.fault++
	}
	lose := kind < 2 && !g.dropped
	g.dropped = g.dropped || lose
	switch {
	case lose && kind == 0:
		panic(http.ErrAbortHandler)
	case kind == 2:
		w.Header().Set("Retry-After", "10")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case kind == 3:
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	now, sent := s.clock.now(), r.PostForm.Get("refresh_token")
	if sent != g.token(g.n) && (sent != g.token(g.n-1) || now.Sub(g.at) >= soakGrace) {
		s.reuses++
		oauthError(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	g.n++
	g.at = now
	s.refreshes++
	if lose {
		panic(http.ErrAbortHandler)
	}
	g.dropped = false
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"access_token": fmt.Sprintf("access-%d", g.n), "refresh_token": g.token(g.n), "token_type": "Bearer", "expires_in": int(soakLife.Seconds()),
	})
}

func (g *soakGrant) token(n int) string { return fmt.Sprintf("refresh-%d", n) }

// RoundTrip is the way to the server without a network.
func (s *soakServer) RoundTrip(r *http.Request) (res *http.Response, err error) {
	defer func() {
		if recover() != nil {
			res, err = nil, errors.New("the connection was closed")
		}
	}()
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, r)
	return rec.Result(), nil
}

// soak is fifty connections that are asked for their tokens for a long time.
type soak struct {
	t      *testing.T
	kit    *kit
	server *soakServer
	addrs  []addr.Addr

	mu          sync.Mutex
	calls, late int // late: no valid token for a moment, try again
	lost        int

	goroutines, files int // open before all this
	ends              []func()
}

// newSoak makes the connections. With a file, the state is one, and the server
// is reached by the network.
func newSoak(t *testing.T, file bool) *soak {
	t.Helper()
	k := newKit(t)
	goroutines, files := open()
	s := &soak{t: t, kit: k, goroutines: goroutines, files: files, server: &soakServer{clock: k.clock, rand: rand.New(rand.NewPCG(5, 72)), grants: map[string]*soakGrant{}}}
	endpoint, transport := "http://127.0.0.1:1", http.RoundTripper(s.server)
	if file {
		db, err := sqlite.Open(filepath.Join(t.TempDir(), "oauthctl.state"), sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		k.store = k.open(db)
		srv := httptest.NewServer(s.server)
		s.ends = append(s.ends, srv.Close, func() { _ = k.store.Close() })
		endpoint, transport = srv.URL, nil
	}
	if err := k.store.Create(k.ctx); err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		id := fmt.Sprintf("c%02d", i)
		s.server.grants[id] = &soakGrant{n: 1, at: k.clock.now()}
		r := s.record(id, endpoint)
		if err := k.store.Put(k.ctx, r); err != nil {
			t.Fatal(err)
		}
		s.addrs = append(s.addrs, r.Addr)
	}
	k.options.Store = k.store
	k.options.HTTP = grant.NewHTTPClient(grant.HTTPOptions{Transport: transport})
	s.ends = append(s.ends, k.options.HTTP.CloseIdleConnections)
	k.engine = engine.New(k.options)
	return s
}

func (s *soak) record(id, endpoint string) *state.Record {
	now := s.kit.clock.now()
	return &state.Record{
		Summary: state.Summary{Addr: addr.Connection(id), Provider: "acme", Status: state.StatusOK, ExpiresAt: now.Add(soakLife), UpdatedAt: now},
		Info: &state.Info{
			Provider: "acme", Title: "Acme", Grant: "authorization_code", AuthorizedAt: now, ReceivedAt: now,
			Client: state.Client{
				TokenEndpoint: endpoint + "/token", ClientID: id, Auth: "none",
				Rotation: "single_use", Grace: soakGrace, BlastRadius: "grant",
			},
		},
		Tokens: &state.Tokens{AccessToken: "access-1", RefreshToken: "refresh-1", TokenType: "Bearer"},
	}
}

// ask asks for all tokens, eight at a time.
func (s *soak) ask(ctx context.Context) {
	var wg sync.WaitGroup
	for part := range 8 {
		wg.Go(func() {
			for i := part; i < len(s.addrs); i += 8 {
				tok, err := s.kit.engine.Token(ctx, s.addrs[i], engine.TokenOptions{})
				s.count(s.addrs[i], tok, err)
			}
		})
	}
	wg.Wait()
}

func (s *soak) count(a addr.Addr, tok *engine.Token, err error) {
	now := s.kit.clock.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	switch {
	case class(err) == engine.ClassTemporary:
		s.late++
	case err != nil:
		s.lost++
		s.t.Errorf("%s: %v", a, err)
	case !now.Before(tok.ExpiresAt):
		s.t.Errorf("%s: a token that has ended", a)
	}
}

// last looks at what there is after all: the state holds what works at the server.
func (s *soak) last() {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	for _, a := range s.addrs {
		r, err := s.kit.store.Get(s.kit.ctx, a, state.PartAll)
		if err != nil {
			s.t.Fatal(err)
		}
		g := s.server.grants[a.Name]
		have := r.Tokens.RefreshToken
		if have != secret.Secret(g.token(g.n)) && (have != secret.Secret(g.token(g.n-1)) || !g.dropped) {
			s.lost++
			s.t.Errorf("%s: the state has %s, and the server knows %s", a, have.Reveal(), g.token(g.n))
		}
	}
}

// open counts goroutines and, where the system tells, open files.
func open() (goroutines, files int) {
	entries, _ := os.ReadDir("/dev/fd")
	return runtime.NumGoroutine(), len(entries)
}

// ideal is how often tokens would be refreshed if nothing ever failed. A token
// is due between its margin and twice that before its end, on average one and a
// half margins; whoever asks every soakTick finds it due half a tick later; and
// when the time is over, half a turn is under way.
func (s *soak) ideal(span time.Duration) int {
	each := soakLife - soakMargin*3/2 + soakTick/2
	return int(float64(len(s.addrs)) * (float64(span)/float64(each) - 0.5))
}

func (s *soak) run(what string, span time.Duration) {
	for passed := time.Duration(0); passed <= span; passed += soakTick {
		s.ask(s.kit.ctx)
		s.kit.clock.pass(soakTick)
	}
	s.last()
	_, kept := open()
	for _, end := range s.ends {
		end()
	}
	goroutines, files := s.left()
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	ideal := s.ideal(span)
	off := 100 * (float64(s.server.refreshes)/float64(ideal) - 1)
	s.t.Logf("proof: soak, %s: %s, %d connections, tokens of five minutes: %d requests, %d of them failed: %d lost, %d reuses; "+
		"%d refreshes, %+.1f %% of the ideal %d; of %d calls %d had to try again; %d goroutines and %d open files left behind, %d more files open at the end",
		what, span, len(s.addrs), s.server.requests, s.server.fault, s.lost, s.server.reuses, s.server.refreshes, off, ideal, s.calls, s.late,
		goroutines, files, kept-s.files)
	if s.lost+s.server.reuses+goroutines+files > 0 || off < -5 || off > 5 || s.server.fault == 0 || kept-s.files > soakFiles {
		s.t.Error("want faults, and yet nothing lost, nothing left behind, and refreshes within 5 % of the ideal")
	}
}

// left is what is open of what was opened; what ends by itself is waited for.
func (s *soak) left() (goroutines, files int) {
	for range 100 {
		g, f := open()
		if goroutines, files = max(g-s.goroutines, 0), max(f-s.files, 0); goroutines+files == 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	return goroutines, files
}

// Days of fifty connections, on a clock of the test: nothing is lost or leaks,
// and no more is asked of the server than has to be.
func TestSoak(t *testing.T) {
	spans := map[bool]time.Duration{false: 3 * time.Hour, true: 20 * time.Minute}
	if os.Getenv("OAUTHCTL_PROOF") == "full" {
		spans = map[bool]time.Duration{false: 72 * time.Hour, true: 3 * time.Hour}
	}
	t.Run("in memory", func(t *testing.T) { newSoak(t, false).run("in memory", spans[false]) })
	t.Run("a file and a network", func(t *testing.T) { newSoak(t, true).run("a file and a network", spans[true]) })
}
