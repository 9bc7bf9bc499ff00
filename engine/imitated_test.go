package engine_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/providers/sandbox"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// imitated is a kit whose servers are imitated by the sandbox, and whose person
// walks the sandbox's pages.
type imitated struct {
	*kit
	box  *sandbox.Server
	page *visitor
	cfg  *schema.Config
	seen int // requests that wire has shown
}

// newImitated applies nothing yet. What the client draws is always the same.
func newImitated(t *testing.T, text string) *imitated {
	t.Helper()
	i := &imitated{kit: newKit(t)}
	var err error
	if i.box, err = sandbox.New(sandbox.Options{Now: i.clock.now, Rand: rand.Reader}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.box.Close() })
	i.page = &visitor{box: i.box, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	t.Cleanup(i.page.wait.Wait)
	i.options.HTTP, i.options.User, i.options.Rand = grant.NewHTTPClient(grant.HTTPOptions{Transport: i.box.Transport()}), i.page, &counter{}
	i.engine = engine.New(i.options)
	i.use(text)
	return i
}

// use reads another configuration and imitates its servers.
func (i *imitated) use(text string) {
	i.t.Helper()
	file := filepath.Join(i.t.TempDir(), "main.hcl")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		i.t.Fatal(err)
	}
	var diags hcl.Diagnostics
	if i.cfg, diags = schema.Load(i.ctx, schema.Source{File: file, LookupEnv: environment}); diags.HasErrors() {
		i.t.Fatal(diags)
	}
	for _, conn := range i.cfg.Connections {
		if err := i.box.Mount(i.preset(conn.Addr)); err != nil {
			i.t.Fatal(err)
		}
	}
}

// environment has a value for every secret.
func environment(name string) (string, bool) {
	if v, ok := strings.CutPrefix(name, "OAUTHCTL_VAR_"); ok && !strings.Contains(v, "secret") {
		return "", false
	}
	return "secret-" + strings.ToLower(name), true
}

func (i *imitated) preset(a addr.Addr) *providers.Preset {
	i.t.Helper()
	n := slices.IndexFunc(i.cfg.Connections, func(c *schema.Connection) bool { return c.Addr == a })
	p, diags := i.options.Catalog.Resolve(i.cfg, i.cfg.Connections[n])
	if diags.HasErrors() {
		i.t.Fatal(diags)
	}
	return p
}

// connect applies and insists that all went well.
func (i *imitated) connect() {
	i.t.Helper()
	for _, r := range i.apply(i.cfg, plan.Options{}).Results {
		if r.State != engine.Done {
			i.t.Fatalf("%s: %s: %v", r.Addr, r.State, r.Err)
		}
	}
}

// refused applies and returns the error of a connection that must fail.
func (i *imitated) refused(a addr.Addr) error {
	i.t.Helper()
	r := result(i.t.(*testing.T), i.apply(i.cfg, plan.Options{}), a.Short())
	if r.State != engine.Failed || r.Err == nil {
		i.t.Fatalf("%s: %s: %v", r.Addr, r.State, r.Err)
	}
	return r.Err
}

// quiet insists that a plan has nothing to do.
func (i *imitated) quiet() {
	i.t.Helper()
	if p := i.plan(i.cfg, plan.Options{}); !p.Empty() {
		i.t.Fatalf("%s: the plan is not empty: %+v", i.clock.now(), p.Changes)
	}
}

// drawn are values that are different every time.
var drawn = map[string]string{"code": "CODE", "refresh_token": "REFRESH", "code_verifier": "VERIFIER", "device_code": "DEVICE", "token": "TOKEN"}

var localPort = regexp.MustCompile(`(localhost|127\.0\.0\.1):\d{5}`)

// wire shows the requests since the last call: method, URL and query, the
// headers that mean something, and the form. GET requests of people are left out.
func (i *imitated) wire() string {
	var b strings.Builder
	all := i.box.Requests()
	for _, r := range all[i.seen:] {
		if r.Role == sandbox.RoleAuthorize || r.Role == sandbox.RoleVerify {
			continue
		}
		fmt.Fprintf(&b, "%s %s\n", r.Method, r.URL)
		for _, h := range []string{"Authorization", "Content-Type", "Origin"} {
			if v := r.Header[h]; len(v) > 0 {
				fmt.Fprintf(&b, "  %s: %s\n", h, localPort.ReplaceAllString(strings.TrimSpace(v[0].Reveal()), "$1:PORT"))
			}
		}
		for _, k := range slices.Sorted(maps.Keys(r.Query)) {
			v, ok := drawn[k]
			if !ok {
				v = r.Query[k][0].Reveal()
			}
			fmt.Fprintf(&b, "  ?%s=%s\n", k, v)
		}
		for _, k := range slices.Sorted(maps.Keys(r.Form)) {
			v := localPort.ReplaceAllString(r.Form[k][0].Reveal(), "$1:PORT")
			if name, ok := drawn[k]; ok && v != "" {
				v = name
			}
			fmt.Fprintf(&b, "  %s=%s\n", k, v)
		}
	}
	i.seen = len(all)
	return b.String()
}

// counter is randomness that a test can foresee: 0, 1, 2, …
type counter struct {
	mu sync.Mutex
	n  byte
}

func (c *counter) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k := range p {
		p[k] = c.n
		c.n++
	}
	return len(p), nil
}

// visitor consents on the sandbox's pages and brings the answer back.
type visitor struct {
	box    *sandbox.Server
	client *http.Client
	deny   bool
	as     string                   // who signs in; "" whom the client suggests
	divert func(grant.Visit) string // where a hostile server sends the browser on to
	status int                      // of the listener's answer to something wrong
	wait   sync.WaitGroup

	mu     sync.Mutex
	visits []grant.Visit
}

func (v *visitor) last() grant.Visit {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.visits[len(v.visits)-1]
}

// url is the last authorization URL, a parameter a line, without its port.
func (v *visitor) url() string {
	u, err := url.Parse(v.last().URL)
	if err != nil {
		return err.Error()
	}
	q := u.Query()
	u.RawQuery = ""
	var b strings.Builder
	b.WriteString(u.String() + "\n")
	for _, k := range slices.Sorted(maps.Keys(q)) {
		b.WriteString("  " + k + "=" + localPort.ReplaceAllString(q.Get(k), "$1:PORT") + "\n")
	}
	return b.String()
}

func (v *visitor) visit(ctx context.Context, visit grant.Visit) (sandbox.Redirect, error) {
	v.mu.Lock()
	v.visits = append(v.visits, visit)
	v.mu.Unlock()
	page := visit.URL
	if v.divert != nil {
		page = v.divert(visit)
	}
	return v.box.Visit(ctx, page, sandbox.Visitor{Account: v.as, Deny: v.deny})
}

func (v *visitor) Open(ctx context.Context, visit grant.Visit) (func(), error) {
	answer, err := v.visit(ctx, visit)
	if err != nil {
		return nil, err
	}
	req, err := answer.Request(context.WithoutCancel(ctx))
	if err != nil {
		return nil, err
	}
	req.Host = req.URL.Host // as a proxy hands it on
	req.URL.Scheme, req.URL.Host = "http", visit.Listening
	v.wait.Go(func() {
		if res, err := v.client.Do(req); err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
	})
	return func() {}, nil
}

func (v *visitor) Code(ctx context.Context, d grant.DeviceCode) (func(), error) {
	return func() {}, v.box.VisitDevice(ctx, d.UserCode, sandbox.Visitor{Account: v.as, Deny: v.deny})
}

func (v *visitor) Paste(ctx context.Context, visit grant.Visit) (secret.Secret, error) {
	answer, err := v.visit(ctx, visit)
	return secret.Secret(answer.String()), err
}

// patient is an Env whose waiting moves the clock.
func (i *imitated) patient() grant.Env {
	return grant.Env{HTTP: i.options.HTTP, User: i.page, Now: i.clock.now, Sleep: func(_ context.Context, d time.Duration) error {
		i.clock.pass(d)
		return nil
	}}
}

// absent is a person who does nothing.
type absent struct{}

func (absent) Open(context.Context, grant.Visit) (func(), error) { return func() {}, nil }

func (absent) Code(context.Context, grant.DeviceCode) (func(), error) { return func() {}, nil }

func (absent) Paste(ctx context.Context, _ grant.Visit) (secret.Secret, error) {
	<-ctx.Done()
	return "", ctx.Err()
}

// problems are the diagnostics of a configuration, one a line.
func (k *kit) problems(text string) string {
	k.t.Helper()
	var b strings.Builder
	for _, d := range k.engine.Validate(k.ctx, k.config(text)) {
		if d.Severity == hcl.DiagError && d.Subject == nil {
			k.t.Errorf("no place: %s", d.Summary)
		}
		fmt.Fprintf(&b, "%s: %s\n", d.Summary, d.Detail)
	}
	return b.String()
}
