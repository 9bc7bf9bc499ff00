package engine_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// example is a file under examples; old and new are replaced in it by pairs.
func example(t *testing.T, name string, pairs ...string) string {
	t.Helper()
	text, err := os.ReadFile("../examples/" + name)
	if err != nil {
		t.Fatal(err)
	}
	for k := 0; k < len(pairs); k += 2 {
		if !strings.Contains(string(text), pairs[k]) {
			t.Fatalf("%s has no %q", name, pairs[k])
		}
	}
	pairs = append(pairs, "127.0.0.1:8405", freeAddress(t))
	return strings.NewReplacer(pairs...).Replace(string(text))
}

// customers are the connections of examples/customer-subdomains.hcl.
func customers() (northwind, tailspin, wingtip addr.Addr) {
	audit := addr.Connection("audit")
	return audit.Instance("northwind"), audit.Instance("tailspin"), audit.Instance("wingtip")
}

// Every customer consents at a redirect URI of their own, which a proxy carries
// to one listener, with a state of their own.
func TestCustomersBehindAProxy(t *testing.T) {
	i := newImitated(t, example(t, "customer-subdomains.hcl"))
	i.connect()
	states := map[string]bool{}
	for _, v := range i.page.visits {
		u, _ := url.Parse(v.URL)
		q := u.Query()
		want := "https://audits-" + v.Addr.Key + ".example.com/auth/oauth2/microsoft/callback"
		if q.Get("redirect_uri") != want || v.Listening != i.page.visits[0].Listening {
			t.Errorf("%s: %s at %s", v.Addr, q.Get("redirect_uri"), v.Listening)
		}
		if st := q.Get("state"); !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(st) || states[st] {
			t.Errorf("state %q is not 32 random bytes, or was used before", st)
		}
		states[q.Get("state")] = true
		if q.Get("scope") != "User.Read Files.ReadWrite.All offline_access" {
			t.Errorf("scope %s", q.Get("scope"))
		}
	}
	if len(states) != 3 {
		t.Errorf("%d consents", len(states))
	}
	i.quiet()
}

// A proxy that does not keep the header Host is not believed.
func TestProxyHasToKeepTheHost(t *testing.T) {
	i := newImitated(t, example(t, "customer-subdomains.hcl", `["northwind", "tailspin", "wingtip"]`, `["northwind"]`, `prompt = "select_account"`, `timeout = "1s"`))
	i.options.User = wrongHost{i.page}
	i.engine = engine.New(i.options)
	northwind, _, _ := customers()
	out := i.apply(i.cfg, plan.Options{})
	if r := result(t, out, northwind.Short()); class(r.Err) != engine.ClassNeedsUser || i.page.status != http.StatusMisdirectedRequest {
		t.Errorf("%v, HTTP %d", r.Err, i.page.status)
	}
}

// wrongHost delivers answers as a proxy does that replaces the Host.
type wrongHost struct{ *visitor }

func (w wrongHost) Open(ctx context.Context, v grant.Visit) (func(), error) {
	answer, err := w.visit(ctx, v)
	if err != nil {
		return nil, err
	}
	req, err := answer.Request(ctx)
	if err != nil {
		return nil, err
	}
	req.URL.Scheme, req.URL.Host, req.Host = "http", v.Listening, ""
	res, err := w.client.Do(req)
	if err != nil {
		return nil, err
	}
	w.status = res.StatusCode
	return func() {}, res.Body.Close()
}

// Without listen, the address that the browser ended at is pasted.
func TestCustomersPaste(t *testing.T) {
	i := newImitated(t, example(t, "customer-subdomains.hcl", "    listen = \"127.0.0.1:8405\"\n", ""))
	if way := i.plan(i.cfg, plan.Options{}).Changes[0].Way; way != "paste" {
		t.Errorf("the answer comes by %s", way)
	}
	i.connect()
	for _, v := range i.page.visits {
		if v.Listening != "" {
			t.Errorf("%s listens on %s", v.Addr, v.Listening)
		}
	}
	i.quiet()
}

// One customer disconnects and connects again; the others notice nothing.
func TestDisconnectAndReconnectACustomer(t *testing.T) {
	i := newImitated(t, example(t, "customer-subdomains.hcl"))
	i.connect()
	northwind, tailspin, wingtip := customers()
	kept := map[addr.Addr]uint64{northwind: i.record(northwind).Generation, wingtip: i.record(wingtip).Generation}

	i.apply(i.cfg, plan.Options{Destroy: true, Targets: []addr.Addr{tailspin}})
	if _, err := i.store.Get(i.ctx, tailspin, state.PartInfo); !errors.Is(err, state.ErrNotFound) {
		t.Fatalf("tailspin is still there: %v", err)
	}
	p := i.plan(i.cfg, plan.Options{})
	if n := p.Counts(); n.Authorize != 1 || n.NoOp != 2 {
		t.Errorf("%+v", n)
	}
	i.connect()
	first := i.record(tailspin)
	i.apply(i.cfg, plan.Options{Replace: []addr.Addr{tailspin}})
	if now := i.record(tailspin); now.Tokens.RefreshToken.Equal(first.Tokens.RefreshToken) {
		t.Error("-replace brought no new grant")
	}
	for a, generation := range kept {
		if i.record(a).Generation != generation {
			t.Errorf("%s was touched", a)
		}
	}
	i.quiet()
}

// The consent of one customer ends; the others go on.
func TestOneCustomersConsentEnds(t *testing.T) {
	i := newImitated(t, example(t, "customer-subdomains.hcl"))
	northwind, tailspin, _ := customers()
	i.page.as = "alice@northwind.example"
	i.apply(i.cfg, plan.Options{Targets: []addr.Addr{northwind}})
	i.page.as = "bob@tailspin.example"
	i.apply(i.cfg, plan.Options{Targets: []addr.Addr{tailspin}})
	if err := i.box.EndSessions(i.preset(northwind), "alice@northwind.example"); err != nil {
		t.Fatal(err)
	}
	i.clock.pass(2 * time.Hour)
	if err := i.dead(northwind); !strings.Contains(err.Error(), "AADSTS50173") {
		t.Errorf("%v", err)
	}
	i.token(tailspin, engine.TokenOptions{})
	p := i.plan(i.cfg, plan.Options{Targets: []addr.Addr{northwind, tailspin}})
	if c := p.Changes[0]; c.Action != plan.Reauthorize || !slices.Contains(c.Reasons, plan.ReasonRefreshRejected) || p.Changes[1].Action != plan.NoOp {
		t.Errorf("%+v", p.Changes)
	}
}

// A personal OneDrive: the requests, and that nobody is asked again while it is
// used: a refresh every 30 days, for a year.
func TestOneDrive(t *testing.T) {
	i := newImitated(t, example(t, "onedrive.hcl"))
	one := addr.Connection("onedrive")
	i.connect()
	want := `https://login.microsoftonline.com/consumers/oauth2/v2.0/authorize
  client_id=11111111-2222-3333-4444-555555555555
  code_challenge=zwkx4Wi0nph1A8rxivb-JTtrPYKoEAjD6OHuZ8fI3FU
  code_challenge_method=S256
  redirect_uri=http://localhost:PORT
  response_type=code
  scope=Files.ReadWrite.All offline_access
  state=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
`
	if d := cmp.Diff(want, i.page.url()); d != "" {
		t.Errorf("supported-accounts-validation (-want +got):\n%s", d)
	}
	v := i.page.last()
	if got := v.Deadline.Sub(i.clock.now()); got != 3*time.Minute {
		t.Errorf("a person has %v", got)
	}
	i.page.wait.Wait()
	if _, err := i.page.client.Get("http://" + v.Listening + "/?state=x"); err == nil {
		t.Error("the listener is still there after its answer")
	}
	i.wire()
	before := i.record(one).Tokens.RefreshToken
	for month := range 12 {
		i.clock.pass(30 * 24 * time.Hour)
		i.quiet()
		i.token(one, engine.TokenOptions{})
		r := i.record(one)
		if r.Tokens.RefreshToken.Equal(before) || r.RefreshExpiresAt.Sub(i.clock.now()) != 90*24*time.Hour {
			t.Fatalf("month %d: replaced %t, ends in %v", month, !r.Tokens.RefreshToken.Equal(before), r.RefreshExpiresAt.Sub(i.clock.now()))
		}
		before = r.Tokens.RefreshToken
		if n := strings.Count(i.wire(), "POST https://login.microsoftonline.com/consumers/oauth2/v2.0/token"); n != 1 {
			t.Errorf("month %d: %d requests", month, n)
		}
		i.quiet()
	}
	if n := len(i.page.visits); n != 1 {
		t.Errorf("%d consents in a year", n)
	}
}

// A foreign answer does not settle the flow, the right one does, and the second
// right one changes nothing.
func TestOneAnswerIsAccepted(t *testing.T) {
	i := newImitated(t, example(t, "onedrive.hcl"))
	i.options.User = prober{i.page}
	i.engine = engine.New(i.options)
	i.connect()
	if i.page.status != http.StatusBadRequest {
		t.Errorf("a foreign state was answered with HTTP %d", i.page.status)
	}
}

// prober sends an answer with a foreign state first.
type prober struct{ *visitor }

func (p prober) Open(ctx context.Context, v grant.Visit) (func(), error) {
	u, err := url.Parse(v.URL)
	if err != nil {
		return nil, err
	}
	res, err := p.client.Get(u.Query().Get("redirect_uri") + "/?code=stolen&state=" + strings.Repeat("0", 64))
	if err != nil {
		return nil, err
	}
	p.status = res.StatusCode
	if err := res.Body.Close(); err != nil {
		return nil, err
	}
	return p.visitor.Open(ctx, v)
}

// The application must be registered for personal accounts.
func TestOneDriveHints(t *testing.T) {
	i := newImitated(t, example(t, "onedrive.hcl"))
	a := &answering{next: i.box.Transport(), status: http.StatusBadRequest,
		body: `{"error":"unauthorized_client","error_description":"The client does not exist or is not enabled for consumers. If you are the application developer, configure a new application."}`}
	i.options.HTTP = grant.NewHTTPClient(grant.HTTPOptions{Transport: a})
	i.engine = engine.New(i.options)
	if err := i.refused(addr.Connection("onedrive")); !strings.Contains(err.Error(), "supported account types") {
		t.Errorf("%v", err)
	}
}
