package engine_test

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// Every preset of the catalogue goes the whole way in the sandbox, by its first
// grant: a plan, a consent, a refresh where there is something to refresh with,
// a plan with nothing to do, and the end.
func TestEveryPresetGoesAllTheWay(t *testing.T) {
	cat := providers.New()
	for _, entry := range cat.List() {
		t.Run(entry.Name, func(t *testing.T) {
			t.Parallel()
			i := newImitated(t, ordinary(t, cat, entry))
			x := addr.Connection("x")
			i.connect()
			rec := i.record(x)
			if rec.Info.Preset != entry.Name || rec.Status != state.StatusOK {
				t.Errorf("preset %q, status %s", rec.Info.Preset, rec.Status)
			}
			i.quiet()
			tok, err := i.engine.Token(i.ctx, x, engine.TokenOptions{ForceRefresh: true})
			switch renews := rec.Info.HasRefresh || rec.Info.Grant == "client_credentials"; {
			case renews && (err != nil || !tok.Refreshed):
				t.Errorf("refresh: %v", err)
			case !renews && class(err) != engine.ClassNeedsUser:
				t.Errorf("there is nothing to refresh with, and the error is %v", err)
			}
			i.quiet()
			for _, r := range i.apply(i.cfg, plan.Options{Destroy: true}).Results {
				if r.State != engine.Done {
					t.Errorf("destroy: %s: %v", r.State, r.Err)
				}
			}
			if left, err := i.store.Summaries(i.ctx); err != nil || len(left) > 0 {
				t.Errorf("left in the state: %v, %v", left, err)
			}
		})
	}
}

// ordinary is a configuration with one connection, as the preset wants one.
func ordinary(t *testing.T, cat *providers.Catalog, entry providers.Entry) string {
	t.Helper()
	conn := &schema.Connection{Provider: entry.Name, Args: map[string]schema.Arg{}}
	var b strings.Builder
	fmt.Fprintf(&b, "connection \"x\" {\n  provider = %q\n  client_id = \"6f1c1c9e-0000-4000-8000-000000000001\"\n", entry.Name)
	for _, a := range entry.Arguments {
		if a.Required {
			conn.Args[a.Name] = schema.Arg{Value: cty.StringVal(a.Example)}
			fmt.Fprintf(&b, "  %s = %q\n", a.Name, a.Example)
		}
	}
	p, diags := cat.Resolve(&schema.Config{}, conn)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if len(p.ClientAuth) > 0 && !slices.Contains(p.ClientAuth, "none") {
		b.WriteString("  client_secret = env(\"SECRET\")\n")
	}
	if entry.Name == "sharepoint" {
		b.WriteString("  scopes = \"Web.Read\"\n") // a farm's page has to be asked for something
	}
	switch {
	case p.Redirect.HTTPS:
		b.WriteString("  redirect_uris = [\"https://app.example/callback\"]\n")
	case p.Redirect.FixedPort, entry.Name == "servicenow": // which compares the whole URI, and says nothing if it differs
		fmt.Fprintf(&b, "  redirect_uris = [\"http://%s%s\"]\n", net.JoinHostPort(p.Redirect.LoopbackHost, unusedPort(t)), p.Redirect.Path)
	}
	return b.String() + "}\n"
}

// unusedPort is a port that nobody listens on at the moment.
func unusedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}
