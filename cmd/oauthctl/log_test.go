package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// A log has what is needed to see what happened, and nothing that is secret.
func TestLogsTellNoSecrets(t *testing.T) {
	const canary = "canary-0123456789"
	for _, level := range []string{"debug", "info", "warn", "json", "nonsense"} {
		for _, fails := range []bool{false, true} {
			app, _, errs := testApp()
			app.LookupEnv = func(name string) (string, bool) {
				if name == "OAUTHCTL_LOG" {
					return level, true
				}
				return "", false
			}
			c := &cli{App: app}
			client := c.logged(&http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
				if fails {
					return nil, errors.New("malformed answer: " + canary)
				}
				return &http.Response{StatusCode: http.StatusTeapot, Status: "418 " + canary, Header: http.Header{"X": {canary}}, Body: http.NoBody}, nil
			})})
			req, err := http.NewRequest(http.MethodPost, "https://"+canary+":"+canary+"@login.acme.example/token/"+strings.Repeat("x", 70)+
				"?token="+canary+"&"+canary+"&a=%63anary#"+canary, strings.NewReader(canary))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+canary)
			if res, err := client.Transport.RoundTrip(req); err == nil {
				_ = res.Body.Close()
			}
			log := errs.String()
			if strings.Contains(log, "canary") || strings.Contains(log, "xxx") {
				t.Errorf("%s: the log tells a secret: %s", level, log)
			}
			if level == "warn" && !fails {
				if log != "" {
					t.Errorf("warn: an answer is logged: %s", log)
				}
				continue
			}
			if !strings.Contains(log, "https://login.acme.example/token/…?a=…&token=…") || !strings.Contains(log, "POST") || !fails && !strings.Contains(log, "418") {
				t.Errorf("%s: the log does not say what happened: %s", level, log)
			}
			if n := strings.Count(log, "login.acme"); (n == 1) != (level == "info" || level == "warn") || n > 2 {
				t.Errorf("%s: %d lines: %s", level, n, log)
			}
			for line := range bytes.Lines(errs.Bytes()) {
				if level == "json" && !json.Valid(line) {
					t.Errorf("not JSON: %s", line)
				}
			}
		}
	}
}

// Without OAUTHCTL_LOG nothing stands between the client and its transport.
func TestNoLogByDefault(t *testing.T) {
	app, _, _ := testApp()
	own := roundTrip(nil)
	client := (&cli{App: app}).logged(&http.Client{Transport: own})
	if _, ok := client.Transport.(roundTrip); !ok {
		t.Errorf("the transport is a %T", client.Transport)
	}
}

// What a server's name can hold cannot act on a terminal.
func TestShownURLIsHarmless(t *testing.T) {
	got := shownURL(&url.URL{Scheme: "https", Host: "a\x1b[31m", Path: "/\u202e"})
	if strings.ContainsAny(got, "\x1b\u202e") {
		t.Errorf("%q", got)
	}
}

func TestShellSplit(t *testing.T) {
	for in, want := range map[string][]string{
		"":                        nil,
		"  ":                      nil,
		"-a -b=c":                 {"-a", "-b=c"},
		" -a\t-b \n":              {"-a", "-b"},
		`-var='a=b c' -x`:         {"-var=a=b c", "-x"},
		`-var="a=\"b\" \c \\"`:    {`-var=a="b" \c \`},
		`a\ b '' "" \'`:           {"a b", "", "", "'"},
		`'a\b' "a'b"`:             {`a\b`, "a'b"},
		"$HOME `x` $(x) * ~ ; #a": {"$HOME", "`x`", "$(x)", "*", "~", ";", "#a"},
	} {
		if got, err := shellSplit(in); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v, want %q", in, got, err, want)
		}
	}
	for _, in := range []string{`'a`, `"a`, `a\`, `"a\"`} {
		if got, err := shellSplit(in); err == nil || strings.Contains(err.Error(), in) {
			t.Errorf("%s: %q, %v", in, got, err)
		}
	}
}
