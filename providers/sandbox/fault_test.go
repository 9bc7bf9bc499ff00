package sandbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/providers/sandbox"
)

func TestFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		fault   sandbox.Fault
		check   func(*http.Response, []byte, error) bool
		carried bool // the refresh happened at the server
	}{
		"refuse": {sandbox.Fault{Kind: sandbox.FaultRefuse}, func(_ *http.Response, _ []byte, err error) bool {
			var op *net.OpError
			return errors.As(err, &op) && op.Op == "dial"
		}, false},
		"drop":       {sandbox.Fault{Kind: sandbox.FaultDrop}, failed(io.EOF), false},
		"drop after": {sandbox.Fault{Kind: sandbox.FaultDrop, After: true}, failed(io.EOF), true},
		"429": {sandbox.Fault{Kind: sandbox.FaultBusy, RetryAfter: 30 * time.Second}, func(r *http.Response, _ []byte, err error) bool {
			return err == nil && r.StatusCode == http.StatusTooManyRequests && r.Header.Get("Retry-After") == "30"
		}, false},
		"503":       {sandbox.Fault{Kind: sandbox.FaultUnavailable}, status(503), false},
		"500":       {sandbox.Fault{Kind: sandbox.FaultError}, status(500), false},
		"502":       {sandbox.Fault{Kind: sandbox.FaultBadGateway}, status(502), false},
		"502 after": {sandbox.Fault{Kind: sandbox.FaultBadGateway, After: true}, status(502), true},
		"truncate": {sandbox.Fault{Kind: sandbox.FaultTruncate}, func(r *http.Response, b []byte, err error) bool {
			return err == nil && r.StatusCode == http.StatusOK && !json.Valid(b) && strings.HasPrefix(string(b), `{"access_token"`)
		}, true},
		"cut": {sandbox.Fault{Kind: sandbox.FaultCut}, failed(io.ErrUnexpectedEOF), true},
		"html": {sandbox.Fault{Kind: sandbox.FaultHTML}, func(r *http.Response, b []byte, err error) bool {
			return err == nil && r.StatusCode == http.StatusOK && strings.HasPrefix(string(b), "<html>")
		}, false},
		"redirect": {sandbox.Fault{Kind: sandbox.FaultRedirect}, func(r *http.Response, _ []byte, err error) bool {
			return err == nil && r.StatusCode == http.StatusTemporaryRedirect && !strings.HasPrefix(r.Header.Get("Location"), issuer)
		}, false},
		"json": {sandbox.Fault{Kind: sandbox.FaultBadJSON}, status(200), false},
		"long": {sandbox.Fault{Kind: sandbox.FaultTooLong}, func(_ *http.Response, b []byte, err error) bool {
			return err == nil && len(b) > 1<<20
		}, false},
		"slow": {sandbox.Fault{Kind: sandbox.FaultSlow, Delay: time.Millisecond}, status(200), true},
	} {
		for _, over := range []string{"in process", "over TCP"} {
			t.Run(name+" "+over, func(t *testing.T) {
				r := newRig(t, acme())
				form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {r.authorize().RefreshToken}, "client_id": {"app"}, "client_secret": {"hush"}}
				at, c := issuer+"/token", r.http
				if over == "over TCP" {
					front := httptest.NewServer(r.s.Handler())
					defer front.Close()
					at = r.s.BrowserURL(front.URL, at)
					c = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: c.CheckRedirect}
				}
				tt.fault.Role = sandbox.RoleRefresh
				r.s.Inject(tt.fault)
				resp, err := c.PostForm(at, form)
				var body []byte
				if err == nil {
					body, err = io.ReadAll(resp.Body)
					_ = resp.Body.Close()
				}
				if over == "over TCP" && name == "refuse" {
					if err == nil {
						t.Error("there was an answer")
					}
				} else if !tt.check(resp, body, err) {
					t.Errorf("%v %v %.80s", resp, err, body)
				}
				if st := r.stats(); (st.Refreshes == 1) != tt.carried {
					t.Errorf("refreshes = %d, carried out %t", st.Refreshes, tt.carried)
				}
				if !tt.carried {
					if status, got := r.refresh(form.Get("refresh_token")); status != 200 {
						t.Errorf("the next request: %d %v", status, got["error"])
					}
				}
			})
		}
	}
}

func failed(with error) func(*http.Response, []byte, error) bool {
	return func(_ *http.Response, _ []byte, err error) bool { return errors.Is(err, with) }
}

func status(want int) func(*http.Response, []byte, error) bool {
	return func(r *http.Response, _ []byte, err error) bool { return err == nil && r.StatusCode == want }
}

func TestHangingRequestEndsWithItsContextOrTheServer(t *testing.T) {
	r := newRig(t, acme())
	r.s.Inject(sandbox.Fault{Role: sandbox.RoleToken, Kind: sandbox.FaultHang, Count: 2})
	ctx, cancel := context.WithCancel(t.Context())
	sent, to := false, ""
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:      func(i httptrace.GotConnInfo) { to = i.Conn.RemoteAddr().String() },
		WroteRequest: func(httptrace.WroteRequestInfo) { sent = true },
	})
	time.AfterFunc(time.Millisecond, cancel)
	req, _ := http.NewRequestWithContext(ctx, http.MethodPost, issuer+"/token", nil)
	if _, err := r.http.Do(req); !errors.Is(err, context.Canceled) || !sent || to != "127.0.0.1:0" {
		t.Errorf("%v, sent %t to %s", err, sent, to)
	}
	time.AfterFunc(time.Millisecond, func() { _ = r.s.Close() })
	if _, err := r.http.PostForm(issuer+"/token", nil); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

func TestFaultsAreCounted(t *testing.T) {
	r := newRig(t, acme())
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"a"}, "client_secret": {"b"}}
	r.s.Inject(
		sandbox.Fault{Role: sandbox.RoleRefresh, Kind: sandbox.FaultError, Count: -1},
		sandbox.Fault{Role: sandbox.RoleToken, Kind: sandbox.FaultBusy, Count: 2},
	)
	for i, want := range []int{429, 429, 200} {
		if got, _ := r.post(issuer+"/token", form); got != want {
			t.Errorf("request %d: %d, want %d", i, got, want)
		}
	}
	if got, _ := r.refresh("x"); got != 500 {
		t.Errorf("refresh: %d", got)
	}
	r.s.ClearFaults()
	if got, _ := r.refresh("x"); got != 400 {
		t.Errorf("after ClearFaults: %d", got)
	}
}

func TestParseFault(t *testing.T) {
	for text, want := range map[string]sandbox.Fault{
		"refresh:drop:after": {Role: sandbox.RoleRefresh, Kind: sandbox.FaultDrop, After: true},
		"token:429:3:30s":    {Role: sandbox.RoleToken, Kind: sandbox.FaultBusy, Count: 3, RetryAfter: 30 * time.Second},
		"any:slow:-1:2s":     {Kind: sandbox.FaultSlow, Count: -1, Delay: 2 * time.Second},
		"discovery:html":     {Role: sandbox.RoleDiscovery, Kind: sandbox.FaultHTML},
	} {
		if got, err := sandbox.ParseFault(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "token", "nowhere:drop", "token:nothing", "token:drop:sometimes"} {
		if got, err := sandbox.ParseFault(text); err == nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
}
