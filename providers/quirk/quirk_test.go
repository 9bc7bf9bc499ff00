package quirk_test

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/providers/quirk"
)

// server answers every request with the same bytes and keeps what it was sent.
type server struct {
	status int
	header http.Header
	answer string

	request http.Header
	body    string
	err     error
}

func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	s.request = r.Header
	if r.Body != nil {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		if r.ContentLength != int64(len(text)) {
			return nil, errors.New("wrong Content-Length")
		}
		s.body = string(text)
	}
	if s.err != nil {
		return nil, s.err
	}
	h := s.header
	if h == nil {
		h = http.Header{"Content-Type": {"application/json"}}
	}
	return &http.Response{
		StatusCode: s.status, Status: http.StatusText(s.status), Header: h,
		Body: io.NopCloser(strings.NewReader(s.answer)), ContentLength: int64(len(s.answer)), Request: r,
	}, nil
}

func send(t *testing.T, names []string, s *server, method, body string) (int, string) {
	t.Helper()
	rt, err := quirk.Wrap(names, s)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "https://login.acme.example/token", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth("id", "secret")
	before := req.Header.Clone()
	resp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.ContentLength != int64(len(text)) {
		t.Errorf("ContentLength = %d of %d bytes", resp.ContentLength, len(text))
	}
	if len(before) != len(req.Header) || before.Get("Content-Type") != req.Header.Get("Content-Type") {
		t.Error("the caller's request was changed")
	}
	return resp.StatusCode, string(text)
}

// What each quirk makes of an answer, byte by byte.
func TestAnswers(t *testing.T) {
	big := `{"error":"` + strings.Repeat("x", 1<<20) + `"}`
	for _, tc := range []struct {
		quirk      string
		status     int
		in         string
		wantStatus int
		want       string
	}{
		{"error_in_200", 200, `{"error":"bad_code","error_description":"no"}`, 400, `{"error":"bad_code","error_description":"no"}`},
		{"error_in_200", 200, `{"ok":false,"error":"invalid_code"}`, 400, `{"error":"invalid_code","ok":false}`},
		{"error_in_200", 200, `{"access_token":"at", "error":""}`, 200, `{"access_token":"at", "error":""}`},
		{"error_in_200", 200, `{"access_token":"at", "error":"odd"}`, 200, `{"access_token":"at", "error":"odd"}`},
		{"error_in_200", 200, `{"error":{"code":1}}`, 200, `{"error":{"code":1}}`},
		{"error_in_200", 503, `{"error":"down"}`, 503, `{"error":"down"}`},
		{"error_in_200", 200, `access_token=at&scope=repo`, 200, `access_token=at&scope=repo`},
		{"error_in_200", 200, `[{"error":"x"}]`, 200, `[{"error":"x"}]`},
		{"error_in_200", 200, `null`, 200, `null`},
		{"error_in_200", 200, ``, 200, ``},
		{"error_in_200", 200, big, 200, big},

		{"aadsts", 400, `{"error":"invalid_grant","error_description":"AADSTS50173: Revoked.\r\nTrace ID: 0-1\r\nCorrelation ID: 2\r\nTimestamp: 3Z","error_codes":[50173]}`, 400, `{"error":"invalid_grant","error_codes":[50173],"error_description":"AADSTS50173: Revoked. (trace id 0-1)"}`},
		{"aadsts", 400, `{"error":"invalid_grant","error_codes":[50173]}`, 400, `{"error":"invalid_grant","error_codes":[50173],"error_description":"AADSTS50173"}`},
		{"aadsts", 400, `{"error":"invalid_grant","error_description":"Gone.","error_codes":[50173]}`, 400, `{"error":"invalid_grant","error_codes":[50173],"error_description":"AADSTS50173: Gone."}`},
		{"aadsts", 400, `{"error" : "invalid_grant","error_description":"AADSTS70000: Bad.","error_codes":[70000]}`, 400, `{"error" : "invalid_grant","error_description":"AADSTS70000: Bad.","error_codes":[70000]}`},
		{"aadsts", 400, `{"error" : "invalid_grant","error_codes":["x"]}`, 400, `{"error" : "invalid_grant","error_codes":["x"]}`},
		{"aadsts", 200, `{"access_token" : "at"}`, 200, `{"access_token" : "at"}`},

		{"error_names", 400, `{"error":"bad_refresh_token"}`, 400, `{"error":"invalid_grant","error_description":"bad_refresh_token"}`},
		{"error_names", 400, `{"error":"bad_refresh_token","error_description":"spent"}`, 400, `{"error":"invalid_grant","error_description":"bad_refresh_token: spent"}`},
		{"error_names", 400, `{"error":"authorization_declined"}`, 400, `{"error":"access_denied","error_description":"authorization_declined"}`},
		{"error_names", 400, `{"error":"token_expired"}`, 400, `{"error":"expired_token","error_description":"token_expired"}`},
		{"error_names", 400, `{"error" : "invalid_grant"}`, 400, `{"error" : "invalid_grant"}`},
		{"error_names", 200, `{"access_token":"at"}`, 200, `{"access_token":"at"}`},

		{"scope_list", 200, `{"access_token":"at","scope":"repo,read:org, gist"}`, 200, `{"access_token":"at","scope":"repo read:org gist"}`},
		{"scope_list", 200, `{"scope":["chat:read","chat:edit"]}`, 200, `{"scope":"chat:read chat:edit"}`},
		{"scope_list", 200, `{"scope":[]}`, 200, `{"scope":""}`},
		{"scope_list", 200, `{"scope" : "repo gist"}`, 200, `{"scope" : "repo gist"}`},
		{"scope_list", 200, `{"scope" : null}`, 200, `{"scope" : null}`},
		{"scope_list", 200, `{"scope" : 3}`, 200, `{"scope" : 3}`},
		{"scope_list", 200, `{"a" : 1}`, 200, `{"a" : 1}`},

		{
			"authed_user", 200, `{"ok":true,"authed_user":{"id":"U1","access_token":"at","scope":"a,b","expires_in":43200,"refresh_token":"rt","token_type":"user"}}`,
			200, `{"access_token":"at","authed_user":{"id":"U1"},"expires_in":43200,"ok":true,"refresh_token":"rt","scope":"a,b","token_type":"user"}`,
		},
		{"authed_user", 200, `{"access_token":"bot", "authed_user":{"access_token":"user"}}`, 200, `{"access_token":"bot", "authed_user":{"access_token":"user"}}`},
		{"authed_user", 200, `{"authed_user":{"id" : "U1"}}`, 200, `{"authed_user":{"id" : "U1"}}`},
		{"authed_user", 200, `{"authed_user" : null}`, 200, `{"authed_user" : null}`},
	} {
		status, got := send(t, []string{tc.quirk}, &server{status: tc.status, answer: tc.in}, http.MethodPost, "a=b")
		if status != tc.wantStatus || got != tc.want {
			t.Errorf("%s: %d %.100s\n  gives %d %.100s\n   want %d %.100s", tc.quirk, tc.status, tc.in, status, got, tc.wantStatus, tc.want)
		}
	}
}

// What each quirk makes of a request.
func TestRequests(t *testing.T) {
	for _, tc := range []struct {
		quirk, header, want string
		in, body            string
	}{
		{"accept_json", "Accept", "application/json", "code=1", "code=1"},
		{"notion_version", "Notion-Version", "2022-06-28", "code=1", "code=1"},
		{"json_request", "Content-Type", "application/json", "code=a%2Bb&grant_type=authorization_code", `{"code":"a+b","grant_type":"authorization_code"}`},
		{"json_request", "Content-Type", "application/json", "resource=a&resource=b", `{"resource":["a","b"]}`},
		{"json_request", "Content-Type", "application/json", "", `{}`},
	} {
		s := &server{status: 200, answer: "{}"}
		send(t, []string{tc.quirk}, s, http.MethodPost, tc.in)
		if s.request.Get(tc.header) != tc.want || s.body != tc.body {
			t.Errorf("%s: %s = %q, body %s, want %q, %s", tc.quirk, tc.header, s.request.Get(tc.header), s.body, tc.want, tc.body)
		}
		if s.request.Get("Authorization") == "" {
			t.Errorf("%s: the client's authentication is gone", tc.quirk)
		}
	}
}

// A one-time code that was rewritten cannot be sent again by the layers below.
func TestJSONRequestCannotBeRepeated(t *testing.T) {
	var below *http.Request
	rt, err := quirk.Wrap([]string{"json_request"}, roundTripper(func(r *http.Request) (*http.Response, error) {
		below = r
		return nil, errors.New("cut")
	}))
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://login.acme.example/token", strings.NewReader("code=1"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if _, err := rt.RoundTrip(req); err == nil || below.GetBody != nil {
		t.Errorf("err = %v, GetBody set: %v", err, below.GetBody != nil)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Discovery, keys and userinfo pass all quirks untouched.
func TestGetPasses(t *testing.T) {
	s := &server{status: 200, answer: `{"error":"bad_refresh_token","scope":["a"]}`}
	status, got := send(t, quirk.Names(), s, http.MethodGet, "")
	if status != 200 || got != s.answer || s.request.Get("Accept") != "" {
		t.Errorf("%d %s, %v", status, got, s.request)
	}
}

func TestFailurePasses(t *testing.T) {
	cut := errors.New("connection reset")
	rt, err := quirk.Wrap(quirk.Names(), &server{err: cut})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://login.acme.example/token", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rt.RoundTrip(req); !errors.Is(err, cut) {
		t.Errorf("err = %v", err)
	}
}

// GitHub's answers, through all of its quirks.
func TestTogether(t *testing.T) {
	names := []string{"accept_json", "error_in_200", "error_names", "scope_list"}
	for in, want := range map[string]string{
		`{"error":"bad_verification_code","error_description":"old"}`: `{"error":"invalid_grant","error_description":"bad_verification_code: old"}`,
		`{"access_token":"gho_x","scope":"repo,gist"}`:                `{"access_token":"gho_x","scope":"repo gist"}`,
	} {
		status, got := send(t, names, &server{status: 200, answer: in}, http.MethodPost, "code=1")
		if got != want || (status == 400) != strings.Contains(want, "error") {
			t.Errorf("%d %s, want %s", status, got, want)
		}
	}
}

func TestWrapUnknown(t *testing.T) {
	_, err := quirk.Wrap([]string{"accept_json", "make_coffee"}, &server{})
	if err == nil || !strings.Contains(err.Error(), "make_coffee") || !strings.Contains(err.Error(), "scope_list") {
		t.Errorf("err = %v, want the name and the list", err)
	}
	next := &server{}
	if rt, err := quirk.Wrap(nil, next); err != nil || rt != http.RoundTripper(next) {
		t.Errorf("no names: %v, %v", rt, err)
	}
}

func TestTable(t *testing.T) {
	names := quirk.Names()
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("names are not sorted and unique: %v", names)
	}
	for _, n := range names {
		if quirk.Doc(n) == "" {
			t.Errorf("%s has no doc", n)
		}
	}
}
