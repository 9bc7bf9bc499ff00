package agent

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/state"
)

// Build is what the metrics say about the program.
type Build struct{ Version, Commit, Go string }

// metric is one family of the page: its samples are what add writes.
type metric struct {
	name, kind, help string
	samples          func(add func(labels string, value int64))
}

// Metrics writes the page of a keeper in the text format of Prometheus. Names of
// connections and times are on it; tokens, scopes, accounts and servers are not.
func Metrics(list []engine.Kept, broken error, b Build) string {
	each := func(f func(k engine.Kept, conn string, add func(string, int64))) func(func(string, int64)) {
		return func(add func(string, int64)) {
			for _, k := range list {
				f(k, label("connection", k.Addr.String()), add)
			}
		}
	}
	moments := func(of func(engine.Kept) time.Time) func(func(string, int64)) {
		return each(func(k engine.Kept, conn string, add func(string, int64)) {
			if t := of(k); !t.IsZero() {
				add(conn, t.Unix())
			}
		})
	}
	var out strings.Builder
	for _, m := range []metric{
		{"oauthctl_build_info", "gauge", "What runs.", func(add func(string, int64)) {
			add(label("version", b.Version)+","+label("commit", b.Commit)+","+label("goversion", b.Go), 1)
		}},
		{"oauthctl_state_readable", "gauge", "Whether the state could be read when it was last looked at.", func(add func(string, int64)) {
			add("", bit(broken == nil))
		}},
		{"oauthctl_connection_status", "gauge", "The condition of a connection: 1 for the one that it is in.", each(
			func(k engine.Kept, conn string, add func(string, int64)) {
				for _, s := range []state.Status{state.StatusOK, state.StatusNeedsConsent, state.StatusUnknown} {
					add(conn+","+label("status", string(s)), bit(k.Status == s))
				}
			})},
		{"oauthctl_token_expires_timestamp_seconds", "gauge", "When the access token ends.",
			moments(func(k engine.Kept) time.Time { return k.ExpiresAt })},
		{"oauthctl_refresh_token_expires_timestamp_seconds", "gauge", "When a new consent is due.",
			moments(func(k engine.Kept) time.Time { return k.RefreshExpiresAt })},
		{"oauthctl_refreshes_total", "counter", "Refreshes since the agent started.", each(
			func(k engine.Kept, conn string, add func(string, int64)) {
				add(conn+","+label("result", "success"), int64(k.Refreshed))
				add(conn+","+label("result", "failure"), int64(k.Failed))
			})},
	} {
		m.write(&out)
	}
	return out.String()
}

// write leaves out a family without samples.
func (m *metric) write(out *strings.Builder) {
	head := fmt.Sprintf("# HELP %s %s\n# TYPE %s %s\n", m.name, m.help, m.name, m.kind)
	m.samples(func(labels string, value int64) {
		if labels != "" {
			labels = "{" + labels + "}"
		}
		fmt.Fprintf(out, "%s%s%s %d\n", head, m.name, labels, value)
		head = ""
	})
}

func label(name, value string) string {
	return name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(value) + `"`
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// MetricsServer serves page at /metrics. A name that leads to this machine is
// not answered to: a web page could have a browser ask by it.
func MetricsServer(page func() string) *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if !loopbackHost(r.Host) {
			http.Error(w, "ask by the address, not by a name", http.StatusMisdirectedRequest)
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = io.WriteString(w, page())
	})
	return &http.Server{
		Handler: mux, ReadTimeout: askTime, WriteTimeout: 2 * askTime, IdleTimeout: time.Minute, MaxHeaderBytes: maxRequest,
	}
}

func loopbackHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && ip.IsLoopback()
}
