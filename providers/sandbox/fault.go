package sandbox

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// FaultKind is a way in which an answer goes wrong.
type FaultKind string

// The kinds of faults.
const (
	FaultRefuse      FaultKind = "refuse"   // no connection: the request is never sent
	FaultDrop        FaultKind = "drop"     // the connection ends without an answer
	FaultHang        FaultKind = "hang"     // no answer until the client gives up
	FaultSlow        FaultKind = "slow"     // the right answer, after Delay
	FaultBusy        FaultKind = "429"      // too many requests, with Retry-After
	FaultError       FaultKind = "500"      // internal error
	FaultBadGateway  FaultKind = "502"      // an HTML page of a gateway
	FaultUnavailable FaultKind = "503"      // unavailable, with Retry-After
	FaultTruncate    FaultKind = "truncate" // half the answer, ended as if it were whole
	FaultCut         FaultKind = "cut"      // half the answer, then the connection ends
	FaultHTML        FaultKind = "html"     // an HTML page with status 200
	FaultRedirect    FaultKind = "redirect" // 307 to another host
	FaultBadJSON     FaultKind = "json"     // JSON that is not an object
	FaultTooLong     FaultKind = "long"     // more than a client should read
)

// faultElsewhere is where FaultRedirect sends a client: a place that must never
// see a credential.
const faultElsewhere = "https://elsewhere.sandbox.example/token"

// Fault makes the next requests to an endpoint fail.
type Fault struct {
	Role  Role // endpoint; RoleRefresh: any request that refreshes; "": every one
	Kind  FaultKind
	After bool // the request is carried out first, and its answer is lost
	Count int  // how many requests; 0: one; negative: all

	Delay      time.Duration // of FaultSlow
	RetryAfter time.Duration // of FaultBusy and FaultUnavailable; 0: 1 s
}

// faultKinds are the kinds that ParseFault reads.
var faultKinds = []FaultKind{
	FaultRefuse, FaultDrop, FaultHang, FaultSlow, FaultBusy, FaultError, FaultBadGateway, FaultUnavailable,
	FaultTruncate, FaultCut, FaultHTML, FaultRedirect, FaultBadJSON, FaultTooLong,
}

// ParseFault reads ROLE:KIND[:after][:COUNT][:DURATION], for example
// "refresh:drop:after" or "token:429:3:30s". ROLE may be "any".
func ParseFault(s string) (Fault, error) {
	role, rest, _ := strings.Cut(s, ":")
	kind, rest, _ := strings.Cut(rest, ":")
	f := Fault{Role: Role(role), Kind: FaultKind(kind)}
	if f.Role == "any" {
		f.Role = ""
	}
	if _, ok := endpoints[f.Role]; !ok && f.Role != "" {
		roles := slices.Sorted(maps.Keys(endpoints))
		return Fault{}, fmt.Errorf("fault %q: no endpoint %q; want any or one of %v", s, role, roles)
	}
	if !slices.Contains(faultKinds, f.Kind) {
		return Fault{}, fmt.Errorf("fault %q: no kind %q; want one of %v", s, kind, faultKinds)
	}
	for word := range strings.SplitSeq(rest, ":") {
		n, err := strconv.Atoi(word)
		d, derr := time.ParseDuration(word)
		switch {
		case word == "":
		case word == "after":
			f.After = true
		case err == nil:
			f.Count = n
		case derr == nil && f.Kind == FaultSlow:
			f.Delay = d
		case derr == nil:
			f.RetryAfter = d
		default:
			return Fault{}, fmt.Errorf(`fault %q: want "after", a number or a duration instead of %q`, s, word)
		}
	}
	return f, nil
}

// Inject makes requests fail from now on. Faults of the same endpoint are used
// up in the order in which they were injected.
func (s *Server) Inject(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// ClearFaults takes back what Inject did and has not happened yet.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// takeFault finds the fault for a request and counts it down.
func (s *Server) takeFault(role Role, refreshing bool) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if f.Role != "" && f.Role != role && (f.Role != RoleRefresh || !refreshing) {
			continue
		}
		switch {
		case f.Count < 0:
		case f.Count > 1:
			s.faults[i].Count--
		default:
			s.faults = slices.Delete(s.faults, i, i+1)
		}
		return f, true
	}
	return Fault{}, false
}

// serveFault answers a request as the fault says. next is the right answer.
func (s *Server) serveFault(f Fault, w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	lost := newRecorder()
	if f.After || f.Kind == FaultTruncate || f.Kind == FaultCut {
		next(lost, r)
	}
	retry := strconv.Itoa(int(max(f.RetryAfter, time.Second).Seconds()))
	switch f.Kind {
	case FaultRefuse, FaultDrop:
		if rec, ok := w.(*recorder); ok {
			rec.refused = f.Kind == FaultRefuse
		}
		panic(http.ErrAbortHandler)
	case FaultHang:
		s.wait(r, nil)
		panic(http.ErrAbortHandler)
	case FaultSlow:
		timer := time.NewTimer(f.Delay)
		defer timer.Stop()
		s.wait(r, timer.C)
		if f.After {
			lost.copyTo(w)
		} else {
			next(w, r)
		}
	case FaultBusy, FaultUnavailable:
		w.Header().Set("Retry-After", retry)
		status, _ := strconv.Atoi(string(f.Kind))
		http.Error(w, http.StatusText(status), status)
	case FaultError:
		http.Error(w, "internal error", http.StatusInternalServerError)
	case FaultBadGateway:
		barePage(w, http.StatusBadGateway, "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>")
	case FaultTruncate:
		lost.body.Truncate(lost.body.Len() / 2)
		lost.copyTo(w)
	case FaultCut:
		w.Header().Set("Content-Length", strconv.Itoa(lost.body.Len()))
		lost.body.Truncate(lost.body.Len() / 2)
		lost.copyTo(w)
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		panic(http.ErrAbortHandler)
	case FaultHTML:
		barePage(w, http.StatusOK, "<html><head><title>Sign in</title></head><body>Please sign in.</body></html>")
	case FaultRedirect:
		http.Redirect(w, r, faultElsewhere, http.StatusTemporaryRedirect)
	case FaultBadJSON:
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `["access_token"]`)
	case FaultTooLong:
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"`+strings.Repeat("x", 4<<20)+`","token_type":"Bearer"}`)
	default:
		next(w, r)
	}
}

func barePage(w http.ResponseWriter, status int, page string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, page)
}

// wait until the client gives up, the server closes, or something comes.
func (s *Server) wait(r *http.Request, c <-chan time.Time) {
	select {
	case <-r.Context().Done():
	case <-s.closed:
	case <-c:
	}
}

// recorder keeps an answer in memory.
type recorder struct {
	header  http.Header
	status  int
	body    bytes.Buffer
	refused bool // by a fault: as if there were no connection
}

func newRecorder() *recorder { return &recorder{header: http.Header{}} }

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}

func (r *recorder) copyTo(w http.ResponseWriter) {
	for k, v := range r.header {
		if _, set := w.Header()[k]; !set {
			w.Header()[k] = v
		}
	}
	w.WriteHeader(max(r.status, http.StatusOK))
	_, _ = w.Write(r.body.Bytes())
}
