package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// drawer is an [engine.Rescuer] in memory.
type drawer struct {
	copies map[string][]byte
	looks  int
	broken error
}

func (d *drawer) Keep(name string, sealed []byte) (string, error) {
	if d.broken != nil {
		return "", d.broken
	}
	place := fmt.Sprintf("%s%d", name, len(d.copies))
	d.copies[place] = sealed
	return place, nil
}

func (d *drawer) Find(name string) iter.Seq[engine.EmergencyCopy] {
	d.looks++
	var found []engine.EmergencyCopy
	for place, sealed := range d.copies {
		if strings.HasPrefix(place, name) {
			found = append(found, engine.EmergencyCopy{Place: place, Sealed: sealed})
		}
	}
	return slices.Values(found)
}

func (d *drawer) Drop(place string) error { delete(d.copies, place); return nil }

// rescued is a kit whose state stopped taking writes when the server had
// answered a refresh with access-2.
func rescued(t *testing.T, why error) (*kit, *drawer) {
	t.Helper()
	k := newKit(t)
	d := &drawer{copies: map[string][]byte{}}
	k.options.Rescuer = d
	k.engine = engine.New(k.options)
	k.applied(one)
	d.looks = 0
	k.clock.pass(2 * time.Hour)
	k.server.setFault(func(http.ResponseWriter, *http.Request, url.Values) bool { k.fail("write", why); return false })
	tok, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{})
	if tok != nil || err == nil {
		t.Fatalf("token %+v, error %v", tok, err)
	}
	if len(d.copies) != 1 || d.looks != 0 {
		t.Fatalf("%d copies, %d looks", len(d.copies), d.looks)
	}
	for place, sealed := range d.copies {
		if !strings.Contains(err.Error(), place) || !strings.Contains(err.Error(), "oauthctl recover") {
			t.Errorf("the error does not name the copy: %v", err)
		}
		if bytes.Contains(sealed, []byte("access-2")) || bytes.Contains(sealed, []byte("refresh-2")) || strings.Contains(err.Error(), "access-2") {
			t.Error("a token is in clear")
		}
	}
	k.server.setFault(nil)
	k.server.journal.take()
	return k, d
}

// wantRescued: the tokens of the copy are in the state, nothing was sent for
// them, and the copy is gone.
func wantRescued(t *testing.T, k *kit, d *drawer) {
	t.Helper()
	wantRescuedAt(t, k, d, graph)
}

func wantRescuedAt(t *testing.T, k *kit, d *drawer, a addr.Addr) {
	t.Helper()
	rec := k.record(a)
	if rec.Tokens.AccessToken != "access-2" || rec.Tokens.RefreshToken != "refresh-2" || rec.Status != state.StatusOK || rec.Info.Intent != nil {
		t.Errorf("tokens %s %s, %s, %+v", rec.Tokens.AccessToken.Reveal(), rec.Tokens.RefreshToken.Reveal(), rec.Status, rec.Info.Intent)
	}
	if n := count(k.server.journal.take(), "token"); n != 0 {
		t.Errorf("%d requests", n)
	}
	if len(d.copies) != 0 {
		t.Errorf("left behind: %d copies", len(d.copies))
	}
}

func TestEmergencyCopyIsFoundAgain(t *testing.T) {
	for _, why := range []error{state.ErrUnwritable, syscall.EIO} {
		for name, next := range map[string]func(*testing.T, *kit){
			"token": func(t *testing.T, k *kit) {
				if tok := k.token(graph, engine.TokenOptions{}); tok.AccessToken != "access-2" {
					t.Errorf("%+v", tok)
				}
			},
			"token -force-refresh": func(_ *testing.T, k *kit) { k.token(graph, engine.TokenOptions{ForceRefresh: true}) },
			"refresh": func(t *testing.T, k *kit) {
				if out, err := k.engine.Refresh(k.ctx, []addr.Addr{graph}); err != nil || out.Results[0].Err != nil {
					t.Errorf("%v %+v", err, out)
				}
			},
			"apply": func(_ *testing.T, k *kit) { k.apply(k.config(one), plan.Options{}) },
			"recover": func(t *testing.T, k *kit) {
				if out, err := k.engine.Recover(k.ctx, nil, false); err != nil || len(out) != 1 || out[0].Err != nil || out[0].Addr != graph {
					t.Errorf("%v %+v", err, out)
				}
			},
		} {
			t.Run(fmt.Sprintf("%s after %v", name, why), func(t *testing.T) {
				k, d := rescued(t, why)
				k.fail("write", nil)
				next(t, k)
				wantRescued(t, k, d)
			})
		}
	}
}

// As long as the state takes no writes, nothing is sent and the copy stays.
func TestEmergencyCopyWaitsForTheState(t *testing.T) {
	k, d := rescued(t, state.ErrUnwritable)
	for range 3 {
		if _, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{}); !errors.Is(err, state.ErrUnwritable) {
			t.Errorf("error %v", err)
		}
	}
	if n := count(k.server.journal.take(), "token"); n != 0 || len(d.copies) != 1 {
		t.Errorf("%d requests, %d copies", n, len(d.copies))
	}
}

func TestEmergencyCopyThatCannotBeMade(t *testing.T) {
	k := newKit(t)
	k.options.Rescuer = &drawer{copies: map[string][]byte{}, broken: syscall.ENOSPC}
	k.engine = engine.New(k.options)
	k.applied(one)
	k.clock.pass(2 * time.Hour)
	k.server.setFault(func(http.ResponseWriter, *http.Request, url.Values) bool { k.fail("write", syscall.EIO); return false })
	_, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{})
	if !errors.Is(err, syscall.EIO) || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "-replace=") {
		t.Errorf("error %v", err)
	}
}

// A copy that is not the answer to the refresh that the state has an intent of
// is never put back.
// A copy that was not found when the refresh token was sent once more is still the answer
// to that token: with it, nobody has to consent again. But not if it is older than what is there.
func TestEmergencyCopyIsFoundAfterARefusal(t *testing.T) {
	for name, s := range map[string]struct {
		do   func(*testing.T, *kit)
		fits bool
	}{
		"refused": {func(t *testing.T, k *kit) {
			k.server.setFault(func(w http.ResponseWriter, _ *http.Request, _ url.Values) bool {
				oauthError(w, http.StatusBadRequest, "invalid_grant")
				return true
			})
			if _, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{}); class(err) != engine.ClassNeedsUser || k.record(graph).Info.Intent != nil {
				t.Fatalf("%v, %+v", err, k.record(graph).Info.Intent)
			}
		}, true},
		"restored": {func(t *testing.T, k *kit) {
			r, err := k.engine.PlanRestore(k.ctx, graph, k.record(graph).Generation-1)
			if err == nil {
				err = k.engine.Restore(k.ctx, r)
			}
			if err != nil {
				t.Fatal(err)
			}
		}, true},
		"answered again, with the same refresh token": {func(t *testing.T, k *kit) {
			rec := k.record(graph)
			rec.Tokens.AccessToken, rec.Info.Intent, rec.Info.ReceivedAt = "access-new", nil, k.clock.now().Add(time.Second)
			if err := k.store.Put(k.ctx, rec); err != nil {
				t.Fatal(err)
			}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			k, d := rescued(t, state.ErrUnwritable)
			k.fail("write", nil)
			copies := d.copies
			d.copies = map[string][]byte{}
			s.do(t, k)
			d.copies = copies
			k.server.setFault(nil)
			k.server.journal.take()
			out, err := k.engine.Recover(k.ctx, nil, false)
			if err != nil || len(out) != 1 || (out[0].Err == nil) != s.fits {
				t.Fatalf("%v %+v", err, out)
			}
			if s.fits {
				wantRescued(t, k, d)
			}
		})
	}
}

func TestEmergencyCopyThatDoesNotFit(t *testing.T) {
	spoil := map[string]struct {
		do   func(*testing.T, *kit, *drawer)
		want string
	}{
		"the record has moved on": {func(t *testing.T, k *kit, _ *drawer) {
			rec := k.record(graph)
			rec.Tokens.AccessToken, rec.Tokens.RefreshToken, rec.Info.Intent = "access-new", "refresh-new", nil
			if err := k.store.Put(k.ctx, rec); err != nil {
				t.Fatal(err)
			}
		}, "other tokens by now"},
		"other tokens, the intent left over": {func(t *testing.T, k *kit, _ *drawer) {
			rec := k.record(graph)
			rec.Tokens.AccessToken, rec.Tokens.RefreshToken = "access-new", "refresh-new"
			if err := k.store.Put(k.ctx, rec); err != nil {
				t.Fatal(err)
			}
		}, "other tokens by now"},
		"the intent is of another token": {func(t *testing.T, k *kit, _ *drawer) {
			rec := k.record(graph)
			intent := *rec.Info.Intent
			intent.Digest = strings.Repeat("0", 64)
			rec.Info.Intent = &intent
			if err := k.store.Put(k.ctx, rec); err != nil {
				t.Fatal(err)
			}
		}, "other tokens by now"},
		"removed": {func(t *testing.T, k *kit, _ *drawer) {
			if err := k.store.Delete(k.ctx, graph, k.record(graph).Generation); err != nil {
				t.Fatal(err)
			}
		}, "not in the state"},
		"damaged": {func(_ *testing.T, _ *kit, d *drawer) {
			for place, b := range d.copies {
				d.copies[place] = bytes.Replace(b, []byte(`"sealed":"`), []byte(`"sealed":"AAAA`), 1)
			}
		}, "changed outside"},
		"cut": {func(_ *testing.T, _ *kit, d *drawer) {
			for place, b := range d.copies {
				d.copies[place] = b[:len(b)/2]
			}
		}, "not an emergency copy"},
		"said to be of another connection": {func(_ *testing.T, _ *kit, d *drawer) {
			for place, b := range d.copies {
				d.copies[place] = bytes.Replace(b, []byte("connection.graph"), []byte("connection.mails"), 1)
			}
		}, "changed outside"},
		"of another state": {func(t *testing.T, _ *kit, d *drawer) {
			_, others := rescued(t, state.ErrUnwritable)
			for place := range d.copies {
				for _, foreign := range others.copies {
					d.copies[place] = foreign
				}
			}
		}, "belongs to another state"},
	}
	for name, s := range spoil {
		t.Run(name, func(t *testing.T) {
			k, d := rescued(t, state.ErrUnwritable)
			k.fail("write", nil)
			s.do(t, k, d)
			out, err := k.engine.Recover(k.ctx, nil, false)
			if err != nil || len(out) != 1 || out[0].Err == nil || !strings.Contains(out[0].Err.Error(), s.want) {
				t.Errorf("%v %+v", err, out)
			}
			_, _ = k.engine.Token(k.ctx, graph, engine.TokenOptions{})
			if rec, err := k.store.Get(k.ctx, graph, state.PartAll); err == nil && rec.Tokens.AccessToken == "access-2" {
				t.Error("it was put back")
			}
			if len(d.copies) != 1 {
				t.Errorf("%d copies", len(d.copies))
			}
		})
	}
}

// The data key may change between the copy and its return.
func TestEmergencyCopyOutlivesTheDataKey(t *testing.T) {
	k, d := rescued(t, state.ErrUnwritable)
	k.fail("write", nil)
	own := k.id.Recipient().String()
	other, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for _, recipients := range [][]string{{own, other.Recipient().String()}, {own}} { // the second changes the key
		if err := k.store.Rekey(k.ctx, recipients); err != nil {
			t.Fatal(err)
		}
	}
	k.token(graph, engine.TokenOptions{})
	wantRescued(t, k, d)
}

func TestRecoverDryRunChangesNothing(t *testing.T) {
	k, d := rescued(t, state.ErrUnwritable)
	k.fail("write", nil)
	before := k.record(graph).Generation
	out, err := k.engine.Recover(k.ctx, nil, true)
	if err != nil || len(out) != 1 || out[0].Err != nil || len(d.copies) != 1 || k.record(graph).Generation != before {
		t.Errorf("%v %+v, %d copies", err, out, len(d.copies))
	}
}

// Without an unfinished refresh nothing is looked for: token stays as fast as it is.
func TestEmergencyCopiesAreLookedForOnlyAfterAnUnfinishedRefresh(t *testing.T) {
	k := newKit(t)
	d := &drawer{copies: map[string][]byte{}}
	k.options.Rescuer = d
	k.engine = engine.New(k.options)
	k.applied(one)
	d.looks = 0
	k.token(graph, engine.TokenOptions{})
	k.clock.pass(2 * time.Hour)
	k.token(graph, engine.TokenOptions{})
	if d.looks != 0 {
		t.Errorf("%d looks", d.looks)
	}
}

// Settings that changed meanwhile stay; only what the server gave is put back.
func TestEmergencyCopyKeepsNewerSettings(t *testing.T) {
	k, d := rescued(t, state.ErrUnwritable)
	k.fail("write", nil)
	rec := k.record(graph)
	rec.Info.RefreshBefore, rec.Tokens.ClientSecret = 7*time.Minute, "newer"
	if err := k.store.Put(context.Background(), rec); err != nil {
		t.Fatal(err)
	}
	k.token(graph, engine.TokenOptions{})
	wantRescued(t, k, d)
	if rec := k.record(graph); rec.Info.RefreshBefore != 7*time.Minute || rec.Tokens.ClientSecret != "newer" {
		t.Errorf("%v %s", rec.Info.RefreshBefore, rec.Tokens.ClientSecret.Reveal())
	}
}

// granted is a kit whose state stopped taking writes when a person had consented:
// for the first time, or once more.
func granted(t *testing.T, again bool) (*kit, *drawer) {
	t.Helper()
	k := newKit(t)
	d := &drawer{copies: map[string][]byte{}}
	k.options.Rescuer = d
	k.engine = engine.New(k.options)
	cfg, want := k.config(one), "access-1"
	o := plan.Options{}
	if again {
		k.apply(cfg, o)
		o.Replace, want = []addr.Addr{graph}, "access-2"
	}
	k.server.setFault(func(http.ResponseWriter, *http.Request, url.Values) bool {
		k.fail("write", syscall.ENOSPC)
		return false
	})
	r := result(t, k.apply(cfg, o), "graph")
	if r.State != engine.Failed || !errors.Is(r.Err, syscall.ENOSPC) || len(d.copies) != 1 {
		t.Fatalf("%+v, %d copies", r, len(d.copies))
	}
	for place, sealed := range d.copies {
		if !strings.Contains(r.Err.Error(), place) || !strings.Contains(r.Err.Error(), "oauthctl recover") {
			t.Errorf("the error does not name the copy: %v", r.Err)
		}
		if bytes.Contains(sealed, []byte(want)) || strings.Contains(r.Err.Error(), want) {
			t.Error("a token is in clear")
		}
	}
	k.server.setFault(nil)
	k.server.journal.take()
	return k, d
}

func eachConsent(t *testing.T, f func(*testing.T, bool)) {
	for name, again := range map[string]bool{"the first": false, "once more": true} {
		t.Run(name, func(t *testing.T) { f(t, again) })
	}
}

// A consent is not asked for twice because the disk was full.
func TestEmergencyCopyOfAConsentIsFoundAgain(t *testing.T) {
	eachConsent(t, func(t *testing.T, again bool) {
		for name, next := range map[string]func(*testing.T, *kit){
			"recover": func(t *testing.T, k *kit) {
				if out, err := k.engine.Recover(k.ctx, nil, false); err != nil || len(out) != 1 || out[0].Err != nil || out[0].Addr != graph {
					t.Errorf("%v %+v", err, out)
				}
			},
			"a plan from before": func(t *testing.T, k *kit) {
				p := k.plan(k.config(one), plan.Options{Replace: []addr.Addr{graph}})
				if _, err := k.engine.Apply(k.ctx, k.config(one), p); err == nil || !strings.Contains(err.Error(), "plan is stale") {
					t.Errorf("error %v", err)
				}
			},
		} {
			t.Run(name, func(t *testing.T) {
				k, d := granted(t, again)
				k.fail("write", nil)
				visits := k.person.visits.Load()
				next(t, k)
				n := "1"
				if again {
					n = "2"
				}
				rec := k.record(graph)
				if rec.Tokens.AccessToken.Reveal() != "access-"+n || rec.Tokens.RefreshToken.Reveal() != "refresh-"+n || rec.Status != state.StatusOK {
					t.Errorf("tokens %s %s, %s", rec.Tokens.AccessToken.Reveal(), rec.Tokens.RefreshToken.Reveal(), rec.Status)
				}
				if p := k.plan(k.config(one), plan.Options{}); !p.Empty() {
					t.Errorf("there is something left to do: %+v", p.Changes)
				}
				if k.person.visits.Load() != visits || count(k.server.journal.take(), "token") != 0 || len(d.copies) != 0 {
					t.Errorf("somebody was asked, or %d copies are left behind", len(d.copies))
				}
				k.token(graph, engine.TokenOptions{ForceRefresh: true}) // it is a record as any other
			})
		}
	})
}

// A disk that fails cannot be read either.
func TestEmergencyCopyOfAConsentWhenNothingCanBeRead(t *testing.T) {
	k := newKit(t)
	d := &drawer{copies: map[string][]byte{}}
	k.options.Rescuer = d
	k.engine = engine.New(k.options)
	cfg := k.applied(one)
	k.server.setFault(func(http.ResponseWriter, *http.Request, url.Values) bool { k.fail("get", syscall.EIO); return false })
	r := result(t, k.apply(cfg, plan.Options{Replace: []addr.Addr{graph}}), "graph")
	if !errors.Is(r.Err, syscall.EIO) || len(d.copies) != 1 || !strings.Contains(r.Err.Error(), "oauthctl recover") {
		t.Fatalf("%v, %d copies", r.Err, len(d.copies))
	}
	k.fail("get", nil)
	k.server.setFault(nil)
	k.server.journal.take()
	if out, err := k.engine.Recover(k.ctx, nil, false); err != nil || len(out) != 1 || out[0].Err != nil {
		t.Errorf("%v %+v", err, out)
	}
	wantRescued(t, k, d)
}

// A consent at an address that the same apply has moved the connection to.
func TestEmergencyCopyOfAConsentAfterAMove(t *testing.T) {
	mail := addr.Connection("mail")
	for broken, why := range map[string]error{"write": syscall.ENOSPC, "get": syscall.EIO} {
		t.Run(broken, func(t *testing.T) {
			k := newKit(t)
			d := &drawer{copies: map[string][]byte{}}
			k.options.Rescuer = d
			k.engine = engine.New(k.options)
			k.applied(one)
			k.token(graph, engine.TokenOptions{ForceRefresh: true}) // a generation of which there is none at the new address
			k.server.setFault(func(http.ResponseWriter, *http.Request, url.Values) bool { k.fail(broken, why); return false })
			r := result(t, k.apply(k.config(renamed(one)), plan.Options{Replace: []addr.Addr{mail}}), "mail")
			if !errors.Is(r.Err, why) || len(d.copies) != 1 {
				t.Fatalf("%+v, %d copies", r, len(d.copies))
			}
			k.fail(broken, nil)
			k.server.setFault(nil)
			k.server.journal.take()
			if out, err := k.engine.Recover(k.ctx, nil, false); err != nil || len(out) != 1 || out[0].Err != nil {
				t.Errorf("%v %+v", err, out)
			}
			if rec := k.record(mail); rec.Tokens.AccessToken != "access-3" || len(d.copies) != 0 {
				t.Errorf("%s, %d copies", rec.Tokens.AccessToken.Reveal(), len(d.copies))
			}
		})
	}
}

func TestEmergencyCopyOfAConsentThatCannotBeMade(t *testing.T) {
	k := newKit(t)
	k.options.Rescuer = &drawer{copies: map[string][]byte{}, broken: syscall.EROFS}
	k.engine = engine.New(k.options)
	k.server.setFault(func(http.ResponseWriter, *http.Request, url.Values) bool {
		k.fail("write", syscall.ENOSPC)
		return false
	})
	r := result(t, k.apply(k.config(one), plan.Options{}), "graph")
	if !errors.Is(r.Err, syscall.ENOSPC) || !errors.Is(r.Err, syscall.EROFS) {
		t.Errorf("error %v", r.Err)
	}
}

// What asks nobody is asked for again: there is nothing to keep.
func TestNoEmergencyCopyOfWhatNobodyWasAskedFor(t *testing.T) {
	k := newKit(t)
	d := &drawer{copies: map[string][]byte{}}
	k.options.Rescuer = d
	k.engine = engine.New(k.options)
	k.server.setFault(func(http.ResponseWriter, *http.Request, url.Values) bool {
		k.fail("write", syscall.ENOSPC)
		return false
	})
	r := result(t, k.apply(k.config(acme+`
connection "worker" {
  provider      = "acme"
  client_id     = "app"
  client_secret = env("SECRET")
  grant "client_credentials" {}
}
`), plan.Options{}), "worker")
	if !errors.Is(r.Err, syscall.ENOSPC) || len(d.copies) != 0 {
		t.Errorf("%v, %d copies", r.Err, len(d.copies))
	}
}

// A consent is put back only where everything is as it was when it was given. What
// was removed does not come back by it.
func TestEmergencyCopyOfAConsentThatDoesNotFit(t *testing.T) {
	remove := func(t *testing.T, k *kit) {
		t.Helper()
		if _, err := k.store.DeleteNext(k.ctx, graph, k.record(graph).Generation); err != nil {
			t.Fatal(err)
		}
	}
	authorize := func(t *testing.T, k *kit) {
		t.Helper()
		if _, err := k.store.Get(k.ctx, graph, state.PartInfo); err == nil {
			remove(t, k)
		}
		rec := &state.Record{Summary: state.Summary{Addr: graph, Provider: "acme", Status: state.StatusOK}, Info: &state.Info{Grant: "authorization_code"},
			Tokens: &state.Tokens{AccessToken: "access-new", RefreshToken: "refresh-new", TokenType: "Bearer"}}
		if err := k.store.PutNext(k.ctx, rec); err != nil {
			t.Fatal(err)
		}
	}
	write := func(t *testing.T, k *kit) {
		t.Helper()
		if err := k.store.Put(k.ctx, k.record(graph)); err != nil {
			t.Fatal(err)
		}
	}
	const other, gone = "other tokens by now", "removed from the state"
	for name, s := range map[string]struct {
		again bool
		do    []func(*testing.T, *kit)
		want  string
	}{
		"authorized meanwhile":              {false, []func(*testing.T, *kit){authorize}, other},
		"authorized and removed":            {false, []func(*testing.T, *kit){authorize, remove}, gone},
		"removed":                           {true, []func(*testing.T, *kit){remove}, gone},
		"removed, then authorized":          {true, []func(*testing.T, *kit){authorize}, other},
		"removed, authorized and removed":   {true, []func(*testing.T, *kit){authorize, remove}, gone},
		"refreshed":                         {true, []func(*testing.T, *kit){write}, other},
		"removed and forgotten, then anew":  {true, []func(*testing.T, *kit){remove, forget, authorize}, other},
		"removed and forgotten, not itself": {true, []func(*testing.T, *kit){remove, forget}, gone},
	} {
		t.Run(name, func(t *testing.T) {
			k, d := granted(t, s.again)
			k.fail("write", nil)
			for _, do := range s.do {
				do(t, k)
			}
			before, _ := k.store.Get(k.ctx, graph, state.PartAll)
			for range 2 {
				out, err := k.engine.Recover(k.ctx, nil, false)
				if err != nil || len(out) != 1 || out[0].Err == nil || !strings.Contains(out[0].Err.Error(), s.want) {
					t.Errorf("%v %+v", err, out)
				}
			}
			after, _ := k.store.Get(k.ctx, graph, state.PartAll)
			if diff := cmp.Diff(before, after); diff != "" || len(d.copies) != 1 {
				t.Errorf("%d copies; the record changed (-before +after):\n%s", len(d.copies), diff)
			}
		})
	}
}

// forget makes the state forget what was removed from it: generations begin again.
func forget(t *testing.T, k *kit) {
	t.Helper()
	h, err := k.backend.Header(k.ctx)
	if err != nil {
		t.Fatal(err)
	}
	h.Version++
	if err := k.backend.Write(k.ctx, state.Batch{Header: &h, Epoch: h.Epoch, Past: []state.Row{}}); err != nil {
		t.Fatal(err)
	}
}

// A copy that another machine left, or in a place that was away, is found when its
// connection has moved meanwhile.
func TestEmergencyCopyFollowsItsConnection(t *testing.T) {
	moved := addr.Connection("calendar")
	for name, next := range map[string]func(*testing.T, *kit){
		"token": func(_ *testing.T, k *kit) { k.token(moved, engine.TokenOptions{ForceRefresh: true}) },
		"recover": func(t *testing.T, k *kit) {
			if out, err := k.engine.Recover(k.ctx, nil, false); err != nil || len(out) != 1 || out[0].Err != nil || out[0].Addr != moved {
				t.Errorf("%v %+v", err, out)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			k, d := rescued(t, state.ErrUnwritable)
			k.fail("write", nil)
			if _, err := k.store.Rename(k.ctx, []state.Rename{{From: graph, To: moved}}, time.Second); err != nil {
				t.Fatal(err)
			}
			k.clock.pass(time.Second)
			next(t, k)
			wantRescuedAt(t, k, d, moved)
		})
	}
}

// Where the one moves that was there, another one gets nothing that is not its own.
func TestEmergencyCopyIsNotForWhatIsAtItsAddressNow(t *testing.T) {
	k, d := rescued(t, state.ErrUnwritable)
	k.fail("write", nil)
	moved := addr.Connection("calendar")
	if _, err := k.store.Rename(k.ctx, []state.Rename{{From: graph, To: moved}}, time.Second); err != nil {
		t.Fatal(err)
	}
	other := k.record(moved)
	intent := *other.Info.Intent
	intent.Digest = strings.Repeat("0", 64)
	other.Summary, other.Info.Intent = state.Summary{Addr: graph, Provider: "acme", Status: state.StatusOK}, &intent
	other.Tokens = &state.Tokens{AccessToken: "access-other", RefreshToken: "refresh-other", TokenType: "Bearer"}
	if err := k.store.Put(k.ctx, other); err != nil {
		t.Fatal(err)
	}
	if out, err := k.engine.Recover(k.ctx, nil, false); err != nil || len(out) != 1 || out[0].Err != nil || out[0].Addr != moved {
		t.Errorf("%v %+v", err, out)
	}
	wantRescuedAt(t, k, d, moved)
	if rec := k.record(graph); rec.Tokens.RefreshToken != "refresh-other" {
		t.Errorf("the other one has %s", rec.Tokens.RefreshToken.Reveal())
	}
}

// state mv puts the copy of a consent back first.
func TestEmergencyCopyOfAConsentIsPutBackBeforeItsConnectionMoves(t *testing.T) {
	k, d := granted(t, true)
	k.fail("write", nil)
	moved := addr.Connection("calendar")
	if err := k.engine.Rename(k.ctx, []state.Rename{{From: graph, To: moved}}); err != nil {
		t.Fatal(err)
	}
	wantRescuedAt(t, k, d, moved)
}

// A copy is used in a run whose state is lost with it, and stays for the next one.
func TestEmergencyCopyOutlivesAStateThatIsLost(t *testing.T) {
	for name, kept := range map[string]func() (*kit, *drawer){
		"of a refresh": func() (*kit, *drawer) { return rescued(t, state.ErrUnwritable) },
		"of a consent": func() (*kit, *drawer) { return granted(t, true) },
	} {
		t.Run(name, func(t *testing.T) {
			k, d := kept()
			k.fail("write", nil)
			store, err := state.Open(k.ctx, k.backend, state.Options{
				Identities: func() ([]age.Identity, error) { return []age.Identity{k.id}, nil }, Now: k.clock.now, Lost: errors.New("gone with this run"),
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = store.Close() })
			k.options.Store = store
			k.engine = engine.New(k.options)
			if out, err := k.engine.Recover(k.ctx, nil, false); err != nil || len(out) != 1 || out[0].Err != nil {
				t.Errorf("%+v, %v", out, err)
			}
			if tok := k.token(graph, engine.TokenOptions{}); tok.AccessToken.Empty() {
				t.Errorf("%+v", tok)
			}
			if len(d.copies) != 1 {
				t.Errorf("%d copies are left of the only one", len(d.copies))
			}
		})
	}
}
