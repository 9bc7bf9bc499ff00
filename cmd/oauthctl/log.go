package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/view"
)

// logged lets requests be logged on stderr, if OAUTHCTL_LOG says so: what was
// asked where and how it ended. Bodies, headers and the values of queries are not
// looked at, so that a log can be shown to anybody.
func (c *cli) logged(client *http.Client) *http.Client {
	level := c.env("OAUTHCTL_LOG")
	if level == "" || level == "off" {
		return client
	}
	out := c.logFile()
	var h slog.Handler = slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug})
	switch strings.ToLower(level) {
	case "debug", "trace":
	case "info":
		h = slog.NewTextHandler(out, nil)
	case "warn", "error":
		h = slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelWarn})
	case "json":
		h = slog.NewJSONHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug})
	default:
		fmt.Fprintln(c.Stderr, "Warning: OAUTHCTL_LOG: want debug, info, warn, json or off; taken as debug")
	}
	client.Transport = &logging{next: client.Transport, log: slog.New(clocked{h, c.Now}), now: c.Now}
	return client
}

// logFile is where the log goes: to the end of the file of OAUTHCTL_LOG_PATH, or to
// stderr. A command is not given up because it cannot be logged, nor kept waiting by a pipe
// that nobody reads.
func (c *cli) logFile() io.Writer {
	stderr := c.console().Wrap(c.Stderr)
	path := c.path(c.env("OAUTHCTL_LOG_PATH"))
	if path == "" {
		return stderr
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NONBLOCK, 0o600) //nolint:gosec // the person named it
	if err != nil {
		fmt.Fprintf(c.Stderr, "Warning: OAUTHCTL_LOG_PATH: cannot write to %s: %v; the log is here\n", path, reasonOf(err))
		return stderr
	}
	c.ends = append(c.ends, f.Close)
	return f
}

// clocked gives records the time of the App.
type clocked struct {
	slog.Handler
	now func() time.Time
}

// Handle implements [slog.Handler].
func (h clocked) Handle(ctx context.Context, r slog.Record) error {
	r.Time = h.now()
	return h.Handler.Handle(ctx, r)
}

// logging logs requests.
type logging struct {
	next http.RoundTripper
	log  *slog.Logger
	now  func() time.Time
}

// CloseIdleConnections is found by [http.Client.CloseIdleConnections].
func (l *logging) CloseIdleConnections() { closeIdle(l.next) }

// RoundTrip implements [http.RoundTripper].
func (l *logging) RoundTrip(r *http.Request) (*http.Response, error) {
	start := l.now()
	what := []any{"method", view.Safe(r.Method), "url", shownURL(r.URL)}
	l.log.Debug("request", what...)
	res, err := l.next.RoundTrip(r)
	what = append(what, "elapsed", l.now().Sub(start).Round(time.Millisecond).String())
	if err != nil {
		l.log.Warn("no answer", append(what, "error", kindOfError(err))...)
		return res, err
	}
	l.log.Info("answer", append(what, "status", res.StatusCode)...)
	return res, err
}

// longest is the length from which a part of a path, or the name of a parameter,
// may be something else than it should.
const longest = 64

// shownURL is a URL without what may be secret in it: who logs in, the values of
// the query, the fragment.
func shownURL(u *url.URL) string {
	parts := strings.Split(u.EscapedPath(), "/")
	for i, p := range parts {
		if len(p) > longest {
			parts[i] = "…"
		}
	}
	s := u.Scheme + "://" + u.Host + strings.Join(parts, "/")
	if u.RawQuery == "" {
		return view.Safe(s)
	}
	var names []string
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		name, _, ok := strings.Cut(pair, "=")
		if !ok || len(name) > longest { // a value without a name
			name = "…"
		}
		names = append(names, name+"=…")
	}
	slices.Sort(names)
	return view.Safe(s + "?" + strings.Join(names, "&"))
}

// kindOfError says why there was no answer, in words of ours: the text of an
// error may quote what the server sent.
func kindOfError(err error) string {
	var (
		dns  *net.DNSError
		cert *tls.CertificateVerificationError
		op   *net.OpError
		slow net.Error
	)
	switch {
	case errors.Is(err, context.Canceled):
		return "interrupted"
	case errors.As(err, &cert):
		return "the certificate is not trusted"
	case errors.As(err, &dns):
		return "the name was not found"
	case errors.As(err, &slow) && slow.Timeout():
		return "it took too long"
	case errors.As(err, &op):
		return "could not " + op.Op
	}
	return "the request failed"
}
