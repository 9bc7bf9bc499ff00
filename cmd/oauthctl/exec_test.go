//go:build unix

package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// What does not fit into an environment is announced, and explained when the
// system refuses it.
func TestExecNearTheLimits(t *testing.T) {
	large := []handover{{variable: "T", addr: addr.Connection("graph"), token: secret.Secret(strings.Repeat("x", 8<<20))}}
	p := &program{path: "/bin/sh", argv: []string{"sh", "-c", ":"}, env: withTokensIn([]string{"T=old", "PATH=/bin"}, large)}
	app, _, errs := testApp()
	(&cli{App: app}).warnOfSize(p, large)
	for _, want := range []string{"the token of connection.graph has 8388608 bytes", "near the limit"} {
		if !strings.Contains(errs.String(), want) {
			t.Errorf("%q is missing in %s", want, errs)
		}
	}
	_, err := become(p)
	var e *engine.Error
	if err = notStarted(p, err); exitCode(context.Background(), err) != exitCannotRun || !errors.As(err, &e) || !strings.Contains(e.Remedy, "-fd") || strings.Contains(err.Error(), "xxx") {
		t.Errorf("%v", err)
	}
	if _, err := become(&program{path: "/bin/sh", argv: []string{"sh"}, pipes: large}); err == nil || !strings.Contains(err.Error(), "connection.graph") {
		t.Errorf("%v", err)
	}
	small := []handover{{variable: "T", addr: addr.Connection("graph"), token: "x"}}
	errs.Reset()
	p.env = withTokensIn([]string{"T=old", "PATH=/bin"}, small)
	if (&cli{App: app}).warnOfSize(p, small); errs.Len() > 0 || !slices.Equal(p.env, []string{"PATH=/bin", "T=x"}) {
		t.Errorf("%q %s", p.env, errs)
	}
}
