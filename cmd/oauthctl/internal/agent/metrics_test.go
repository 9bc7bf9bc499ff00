package agent

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// parseMetrics reads the text format of Prometheus: families with HELP and TYPE
// before their samples, samples by name and labels.
func parseMetrics(t *testing.T, text string) map[string]float64 {
	t.Helper()
	head := regexp.MustCompile(`^# (HELP|TYPE) ([a-z_]+) (.+)$`)
	sample := regexp.MustCompile(`^([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)+)\})? (-?[0-9.e+]+)$`)
	out, typed := map[string]float64{}, map[string]bool{}
	if !strings.HasSuffix(text, "\n") {
		t.Errorf("the page ends without a line feed")
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		if m := head.FindStringSubmatch(line); m != nil {
			if m[1] == "TYPE" && (typed[m[2]] || m[3] != "gauge" && m[3] != "counter") {
				t.Errorf("line %q", line)
			}
			typed[m[2]] = typed[m[2]] || m[1] == "TYPE"
			continue
		}
		m := sample.FindStringSubmatch(line)
		if m == nil || !typed[m[1]] {
			t.Errorf("line %q", line)
			continue
		}
		v, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			t.Error(err)
		}
		key := m[1] + "{" + m[2] + "}"
		if _, twice := out[key]; twice {
			t.Errorf("%s is there twice", key)
		}
		out[key] = v
	}
	return out
}

func TestMetrics(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	odd := addr.Addr{Kind: graphAddr.Kind, Name: "shop", Keyed: true, Key: "a\"\\\nb"}
	list := []engine.Kept{
		{Summary: state.Summary{Addr: graphAddr, Status: state.StatusOK, ExpiresAt: at, RefreshExpiresAt: at.Add(time.Hour)}, Refreshed: 3, Failed: 1},
		{Summary: state.Summary{Addr: odd, Status: state.StatusNeedsConsent}},
	}
	got := parseMetrics(t, Metrics(list, nil, Build{Version: "1.0", Go: "go1"}))
	escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(odd.String())
	want := map[string]float64{
		`oauthctl_build_info{version="1.0",commit="",goversion="go1"}`:                               1,
		`oauthctl_state_readable{}`:                                                                  1,
		`oauthctl_connection_status{connection="connection.graph",status="ok"}`:                      1,
		`oauthctl_connection_status{connection="connection.graph",status="needs_consent"}`:           0,
		`oauthctl_connection_status{connection="connection.graph",status="unknown_outcome"}`:         0,
		fmt.Sprintf(`oauthctl_connection_status{connection="%s",status="ok"}`, escaped):              0,
		fmt.Sprintf(`oauthctl_connection_status{connection="%s",status="needs_consent"}`, escaped):   1,
		fmt.Sprintf(`oauthctl_connection_status{connection="%s",status="unknown_outcome"}`, escaped): 0,
		`oauthctl_token_expires_timestamp_seconds{connection="connection.graph"}`:                    float64(at.Unix()),
		`oauthctl_refresh_token_expires_timestamp_seconds{connection="connection.graph"}`:            float64(at.Add(time.Hour).Unix()),
		`oauthctl_refreshes_total{connection="connection.graph",result="success"}`:                   3,
		`oauthctl_refreshes_total{connection="connection.graph",result="failure"}`:                   1,
		fmt.Sprintf(`oauthctl_refreshes_total{connection="%s",result="success"}`, escaped):           0,
		fmt.Sprintf(`oauthctl_refreshes_total{connection="%s",result="failure"}`, escaped):           0,
	}
	for k, v := range want {
		if g, ok := got[k]; !ok || g != v {
			t.Errorf("%s is %v, %v; want %v", k, g, ok, v)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d samples, want %d: %v", len(got), len(want), got)
	}
	if got := parseMetrics(t, Metrics(nil, http.ErrServerClosed, Build{})); got["oauthctl_state_readable{}"] != 0 || len(got) != 2 {
		t.Errorf("without a state: %v", got)
	}
}

var graphAddr = addr.Connection("graph")

// A page in a browser, which comes by a name, reads nothing; nor is anything
// else served than the page.
func TestMetricsServer(t *testing.T) {
	h := MetricsServer(func() string { return "the page\n" }).Handler
	for _, c := range []struct {
		method, url, host string
		want              int
	}{
		{"GET", "/metrics", "127.0.0.1:9464", 200}, {"GET", "/metrics", "[::1]:9464", 200}, {"GET", "/metrics", "localhost:9464", 200},
		{"GET", "/metrics", "evil.example:9464", 421}, {"GET", "/metrics", "127.0.0.1.evil.example", 421}, {"GET", "/metrics", "192.0.2.1", 421},
		{"POST", "/metrics", "127.0.0.1:9464", 405}, {"GET", "/", "127.0.0.1:9464", 404}, {"GET", "/debug/pprof/", "127.0.0.1:9464", 404},
	} {
		r := httptest.NewRequest(c.method, c.url, nil)
		r.Host = c.host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.want || (w.Body.String() == "the page\n") != (c.want == 200) {
			t.Errorf("%s %s at %s: %d %q", c.method, c.url, c.host, w.Code, w.Body)
		}
	}
}
