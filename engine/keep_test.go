package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"filippo.io/age"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/backendtest"
)

// den is a Keeper over a state in memory, in a bubble whose time the test
// moves. asleep is how long the machine was suspended: the wall clock went on,
// and timers did not.
type den struct {
	t      *testing.T
	store  *state.Store
	keeper *engine.Keeper
	events []engine.Event

	mu       sync.Mutex
	asleep   time.Duration
	requests map[string]int // by client
	live     map[string]string
	n        int
	fault    func(client string) (*http.Response, error)
}

const fiveMinutes = 5 * time.Minute

func newDen(t *testing.T, o engine.KeeperOptions) *den {
	t.Helper()
	d := &den{t: t, requests: map[string]int{}, live: map[string]string{}}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	d.store, err = state.Open(t.Context(), &backendtest.Memory{}, state.Options{
		Identities: func() ([]age.Identity, error) { return []age.Identity{id}, nil },
		Recipients: []string{id.Recipient().String()}, Now: d.now,
	})
	if err == nil {
		err = d.store.Create(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	o.Now = d.now
	o.OnEvent = func(ev engine.Event) { d.events = append(d.events, ev) }
	o.Open = func(_ context.Context, patience time.Duration) (*engine.Engine, func(), error) {
		return engine.New(engine.Options{
			Store: d.store, Catalog: providers.New(), HTTP: grant.NewHTTPClient(grant.HTTPOptions{Transport: d}), Now: d.now, LockTimeout: patience,
		}), func() {}, nil
	}
	d.keeper = engine.NewKeeper(o)
	return d
}

func (d *den) now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Now().Add(d.asleep)
}

// suspend lets the wall clock go on alone.
func (d *den) suspend(how time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asleep += how
}

// pass lets time go by, and what happens in it be done.
func (d *den) pass(how time.Duration) {
	time.Sleep(how)
	synctest.Wait()
}

// RoundTrip is the server: it rotates strictly, and its tokens live five minutes.
func (d *den) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	time.Sleep(100 * time.Millisecond)
	d.mu.Lock()
	defer d.mu.Unlock()
	client := form.Get("client_id")
	d.requests[client]++
	if d.fault != nil {
		if res, err := d.fault(client); res != nil || err != nil {
			return res, err
		}
	}
	if d.live[client] != form.Get("refresh_token") {
		return answer(http.StatusBadRequest, `{"error":"invalid_grant"}`), nil
	}
	d.n++
	d.live[client] = fmt.Sprintf("refresh-%d", d.n)
	return answer(http.StatusOK, fmt.Sprintf(`{"access_token":"access-%d","refresh_token":%q,"token_type":"Bearer","expires_in":300}`, d.n, d.live[client])), nil
}

func answer(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}
}

// add puts a connection into the state, as an apply does.
func (d *den) add(name string) addr.Addr {
	d.t.Helper()
	a := addr.Connection(name)
	d.mu.Lock()
	d.n++
	d.live[name] = fmt.Sprintf("refresh-%d", d.n)
	r := &state.Record{
		Info: &state.Info{Provider: "acme", Grant: "authorization_code", Client: state.Client{
			TokenEndpoint: "https://acme.example/token", ClientID: name, Auth: "none", Rotation: "single_use",
		}},
		Tokens: &state.Tokens{AccessToken: secret.Secret("access-0"), RefreshToken: secret.Secret(d.live[name]), TokenType: "Bearer"},
	}
	d.mu.Unlock()
	r.Summary = state.Summary{Addr: a, Provider: "acme", Status: state.StatusOK, ExpiresAt: d.now().Add(fiveMinutes), UpdatedAt: d.now()}
	r.Info.ReceivedAt = d.now()
	if old, err := d.store.Get(d.t.Context(), a, state.PartInfo); err == nil {
		r.Generation = old.Generation
	}
	d.put(r)
	return a
}

func (d *den) put(r *state.Record) {
	d.t.Helper()
	if err := d.store.Put(d.t.Context(), r); err != nil {
		d.t.Fatal(err)
	}
}

// run starts the keeper; what it returns ends it.
func (d *den) run() (stop func()) {
	ctx, cancel := context.WithCancel(d.t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { d.keeper.Run(ctx) })
	return func() {
		cancel()
		wg.Wait()
	}
}

// stale counts the connections whose token has ended.
func (d *den) stale() int {
	d.t.Helper()
	rows, err := d.store.Summaries(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	n := 0
	for _, r := range rows {
		if !r.ExpiresAt.After(d.now()) {
			n++
		}
	}
	return n
}

func (d *den) asked(client string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.requests[client]
}

func (d *den) types(a addr.Addr) (list []engine.EventType) {
	for _, ev := range d.events {
		if ev.Addr == a {
			list = append(list, ev.Type)
		}
	}
	return list
}

// Twenty connections with tokens of five minutes, for a day in which the machine
// is suspended for three hours: no token ever ends while the machine is awake,
// all are fresh within a minute after it has slept, and nothing is refreshed
// more often than it must be.
func TestKeeperKeepsFreshThroughASuspend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDen(t, engine.KeeperOptions{})
		const connections = 20
		for i := range connections {
			d.add(fmt.Sprintf("c%02d", i))
		}
		stop := d.run()
		watch := func(hours int) {
			for range hours * 60 {
				d.pass(time.Minute)
				if n := d.stale(); n > 0 {
					t.Fatalf("%v: %d tokens have ended", d.now(), n)
				}
			}
		}
		watch(10)
		d.suspend(3 * time.Hour)
		if n := d.stale(); n != connections {
			t.Fatalf("after the suspend %d tokens have ended: the test does not test", n)
		}
		watch(11)
		stop()
		// A token of five minutes is due after four to four and a half.
		ideal := int(21*time.Hour/(4*time.Minute+15*time.Second)) * connections
		got := 0
		for _, n := range d.requests {
			got += n
		}
		if got < ideal*95/100 || got > ideal*105/100 {
			t.Errorf("%d refreshes, and %d would do", got, ideal)
		}
		list, err := d.keeper.Kept()
		if err != nil || len(list) != connections {
			t.Fatalf("%d kept, %v", len(list), err)
		}
		told := 0
		for _, k := range list {
			told += k.Refreshed
			if k.Failed != 0 || k.Status != state.StatusOK {
				t.Errorf("%s: %d failed, %s", k.Addr, k.Failed, k.Status)
			}
		}
		if told != got || len(d.events) != got {
			t.Errorf("%d refreshes counted and %d told of %d", told, len(d.events), got)
		}
	})
}

// A token that is not due for long, on a machine that is suspended until it has
// ended: the sleep before does not go on for long after it.
func TestKeeperWakesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDen(t, engine.KeeperOptions{})
		a := d.add("a")
		r, err := d.store.Get(t.Context(), a, state.PartAll)
		if err != nil {
			t.Fatal(err)
		}
		r.ExpiresAt = d.now().Add(time.Hour)
		d.put(r)
		stop := d.run()
		defer stop()
		d.pass(time.Second)
		d.suspend(3 * time.Hour)
		d.pass(time.Minute)
		if d.stale() != 0 || d.asked("a") != 1 {
			t.Errorf("a minute after it woke up: %d tokens have ended, %d requests", d.stale(), d.asked("a"))
		}
	})
}

// What is added, removed and consented to again while the keeper runs is noticed.
func TestKeeperNoticesWhatOthersDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDen(t, engine.KeeperOptions{Only: []addr.Addr{addr.Connection("a"), addr.Connection("b"), {Kind: addr.KindSink, Type: "file", Name: "a"}}})
		a := d.add("a")
		d.add("other")
		d.put(&state.Record{
			Summary: state.Summary{Addr: addr.Addr{Kind: addr.KindSink, Type: "file", Name: "a"}, Provider: "file", Status: state.StatusOK},
			Info:    &state.Info{Published: &state.Published{}}, Tokens: &state.Tokens{},
		})
		stop := d.run()
		defer stop()
		d.pass(time.Minute)
		b := d.add("b")
		d.pass(10 * time.Minute)
		if list, err := d.keeper.Kept(); d.asked("a") != 2 || d.asked("b") != 2 || d.asked("other") != 0 || len(list) != 2 {
			t.Fatalf("requests: %v, kept %v, %v", d.requests, list, err)
		}

		// The server takes the grant away: it is told once, and nobody asks again.
		d.mu.Lock()
		d.live["a"] = "gone"
		d.mu.Unlock()
		asked := d.asked("a")
		d.pass(time.Hour)
		if n := d.asked("a") - asked; n != 1 {
			t.Errorf("%d requests with a refresh token that was refused", n)
		}
		waits := 0
		for _, typ := range d.types(a) {
			if typ == engine.EventWaiting {
				waits++
			}
		}
		if waits != 1 {
			t.Errorf("events: %v", d.types(a))
		}

		// A new consent makes it go on.
		d.add("a")
		asked = d.asked("a")
		d.pass(10 * time.Minute)
		if n := d.asked("a") - asked; n != 2 {
			t.Errorf("%d refreshes after the new consent", n)
		}

		r, err := d.store.Get(t.Context(), b, state.PartInfo)
		if err == nil {
			err = d.store.Delete(t.Context(), b, r.Generation)
		}
		if err != nil {
			t.Fatal(err)
		}
		asked = d.asked("b")
		d.pass(time.Hour)
		if list, _ := d.keeper.Kept(); d.asked("b") != asked || len(list) != 1 || list[0].Addr != a {
			t.Errorf("b is gone: %d requests, kept %v", d.asked("b")-asked, list)
		}
	})
}

// Without a network it tries at most once a minute, says so once, and goes on
// within a minute when the network is back.
func TestKeeperBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDen(t, engine.KeeperOptions{})
		a := d.add("a")
		d.fault = func(string) (*http.Response, error) {
			return answer(http.StatusServiceUnavailable, `{"error":"temporarily_unavailable"}`), nil
		}
		stop := d.run()
		defer stop()
		d.pass(2 * time.Hour)
		if n := d.asked("a"); n < 60 || n > 125 {
			t.Errorf("%d requests in two hours", n)
		}
		if types := d.types(a); len(types) != 1 || types[0] != engine.EventFailed {
			t.Errorf("events: %v", types)
		}
		d.mu.Lock()
		d.fault = nil
		d.mu.Unlock()
		d.pass(61 * time.Second)
		if types := d.types(a); d.stale() != 0 || types[len(types)-1] != engine.EventDone {
			t.Errorf("a minute after the network is back: %v", types)
		}
	})
}

// What is under way when the keeper ends is saved before it has ended.
func TestKeeperSavesWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDen(t, engine.KeeperOptions{})
		a := d.add("a")
		d.suspend(time.Hour)
		stop := d.run()
		d.pass(50 * time.Millisecond) // half of what the server takes
		if d.asked("a") != 0 || d.stale() != 1 {
			t.Fatal("the answer is there already: the test does not test")
		}
		stop()
		r, err := d.store.Get(t.Context(), a, state.PartAll)
		if err != nil || d.stale() != 0 || string(r.Tokens.RefreshToken) != d.live["a"] {
			t.Errorf("%v, %+v", err, r)
		}
	})
}

// A state that cannot be read is told once, and looked at again.
func TestKeeperOutlivesAStateThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDen(t, engine.KeeperOptions{})
		d.add("a")
		var back atomic.Bool
		o := engine.KeeperOptions{Now: d.now, OnEvent: func(ev engine.Event) { d.events = append(d.events, ev) }}
		o.Open = func(context.Context, time.Duration) (*engine.Engine, func(), error) {
			if !back.Load() {
				return nil, nil, errors.New("away")
			}
			return engine.New(engine.Options{Store: d.store, Now: d.now}), func() {}, nil
		}
		d.keeper = engine.NewKeeper(o)
		stop := d.run()
		defer stop()
		d.pass(3 * time.Minute)
		if _, err := d.keeper.Kept(); err == nil || len(d.events) != 1 {
			t.Errorf("%v, events %v", err, d.events)
		}
		back.Store(true)
		d.pass(time.Minute)
		if list, err := d.keeper.Kept(); err != nil || len(list) != 1 {
			t.Errorf("%v %v", list, err)
		}
	})
}
