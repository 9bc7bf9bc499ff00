package plan_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// worlds draws what a configuration wants and what a state holds: names
// overlap in part, and connections depend on earlier ones only.
func worlds(t *rapid.T) plan.Input {
	in := plan.Input{Now: now, Lineage: "L", Serial: 1}
	n := rapid.IntRange(0, 12).Draw(t, "names")
	var wanted []addr.Addr
	for i := range n {
		a := addr.Connection(fmt.Sprintf("c%02d", i))
		where := rapid.SampledFrom([]string{"both", "both", "want", "state"}).Draw(t, "where")
		if where != "state" {
			w := drawWant(t, a)
			for _, b := range wanted {
				if rapid.IntRange(0, 5).Draw(t, "dep") == 0 {
					w.DependsOn = append(w.DependsOn, b)
				}
			}
			if len(w.DependsOn) > 0 && rapid.Bool().Draw(t, "uses") {
				w.FromState = []string{"account"}
			}
			wanted = append(wanted, a)
			in.Wants = append(in.Wants, w)
		}
		if where != "want" {
			in.Records = append(in.Records, drawRecord(t, a))
		}
	}
	return in
}

func drawWant(t *rapid.T, a addr.Addr) plan.Want {
	pick := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(t, label) }
	w := plan.Want{
		Addr: a, Provider: pick("provider", "p", "q"), Issuer: "https://" + pick("issuer", "a", "b"), ClientID: pick("client", "x", "y"),
		Grant: "authorization_code", Interactive: true, Way: "browser", Scopes: drawScopes(t), Account: pick("account", "", "alice"),
		RedirectURI: pick("redirect", "http://127.0.0.1", "http://localhost"),
		Access:      time.Duration(rapid.IntRange(0, 2).Draw(t, "access")) * time.Hour,
		Fingerprint: map[string]string{"client_secret": pick("secret", "", "1", "2")},
	}
	if rapid.IntRange(0, 3).Draw(t, "machine") == 0 {
		w.Grant, w.Interactive, w.Way, w.Account, w.CanNarrow = "client_credentials", false, "", "", true
	}
	return w
}

func drawScopes(t *rapid.T) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"read", "write", "send", "openid"}), 0, 4, rapid.ID).Draw(t, "scopes")
}

func drawRecord(t *rapid.T, a addr.Addr) *state.Record {
	w := drawWant(t, a)
	r := applied(&w, nil)
	r.Status = rapid.SampledFrom([]state.Status{state.StatusOK, state.StatusOK, state.StatusNeedsConsent, state.StatusUnknown}).Draw(t, "status")
	r.ExpiresAt = now.Add(time.Duration(rapid.IntRange(-3, 3).Draw(t, "expires")) * time.Hour)
	r.RefreshExpiresAt = now.Add(time.Duration(rapid.IntRange(-3, 3).Draw(t, "ends")) * time.Hour)
	r.Info.Granted, r.Info.HasRefresh = drawScopes(t), rapid.Bool().Draw(t, "has refresh")
	return r
}

// applied is the record that carrying out a change leaves behind.
func applied(w *plan.Want, old *state.Record) *state.Record {
	r := &state.Record{
		Summary: state.Summary{Addr: w.Addr, Provider: w.Provider, Status: state.StatusOK, Generation: 1, ExpiresAt: now.Add(time.Hour)},
		Info: &state.Info{
			Provider: w.Provider, Grant: w.Grant, Requested: w.Scopes, Granted: w.Scopes, Account: "alice", RedirectURI: w.RedirectURI,
			Fingerprint: w.Fingerprint, Access: w.Access, Refresh: w.Refresh, RefreshBefore: w.RefreshBefore, AuthorizedAt: now,
			Client: state.Client{Issuer: w.Issuer, TokenEndpoint: w.TokenEndpoint, ClientID: w.ClientID, Auth: w.ClientAuth},
		},
	}
	if old != nil {
		r.Generation = old.Generation + 1
	}
	for _, d := range w.DependsOn {
		r.Info.DependsOn = append(r.Info.DependsOn, d.String())
	}
	return r
}

// carryOut imitates an apply in which everything works.
func carryOut(in plan.Input, p *plan.Plan) []*state.Record {
	var out []*state.Record
	for _, c := range p.Changes {
		old := find(in.Records, c.Addr)
		switch c.Action {
		case plan.Revoke, plan.Forget:
			continue
		case plan.NoOp:
			out = append(out, old)
		case plan.Update, plan.Refresh:
			i, _ := slices.BinarySearchFunc(in.Wants, c.Addr, func(w plan.Want, a addr.Addr) int { return addr.Compare(w.Addr, a) })
			next := applied(&in.Wants[i], old)
			next.Info.Granted, next.Info.Account = old.Info.Granted, old.Info.Account
			next.Status, next.RefreshExpiresAt, next.Info.HasRefresh = old.Status, old.RefreshExpiresAt, old.Info.HasRefresh
			if c.Action == plan.Refresh {
				next.Status = state.StatusOK
			}
			out = append(out, next)
		default:
			i, _ := slices.BinarySearchFunc(in.Wants, c.Addr, func(w plan.Want, a addr.Addr) int { return addr.Compare(w.Addr, a) })
			out = append(out, applied(&in.Wants[i], old))
		}
	}
	return out
}

func find(records []*state.Record, a addr.Addr) *state.Record {
	for _, r := range records {
		if r.Addr == a {
			return r
		}
	}
	return nil
}

func compute(t *rapid.T, in plan.Input) *plan.Plan {
	p, err := plan.Compute(in)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What has been applied needs nothing more.
func TestPlanOfAppliedPlanIsEmpty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := worlds(t)
		in.Records = carryOut(in, compute(t, in))
		if again := compute(t, in); !again.Empty() {
			t.Fatalf("the second plan is not empty:\n%s", render(again))
		}
	})
}

// Every connection is there once, in order, and the counts add up.
func TestPlanIsComplete(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := worlds(t)
		p := compute(t, in)
		seen := map[addr.Addr]bool{}
		for _, w := range in.Wants {
			seen[w.Addr] = true
		}
		for _, r := range in.Records {
			seen[r.Addr] = true
		}
		if len(p.Changes) != len(seen) || !slices.IsSortedFunc(p.Changes, func(a, b plan.Change) int { return addr.Compare(a.Addr, b.Addr) }) {
			t.Fatalf("want %d changes in order, got:\n%s", len(seen), render(p))
		}
		n := p.Counts()
		if sum := n.Authorize + n.Reauthorize + n.Refresh + n.Update + n.Revoke + n.Forget + n.Publish + n.NoOp; sum != len(p.Changes) {
			t.Fatalf("counts add up to %d of %d", sum, len(p.Changes))
		}
		for _, c := range p.Changes {
			if (c.Action == plan.NoOp) != (len(c.Reasons) == 0) {
				t.Fatalf("%s: action %s with reasons %v", c.Addr, c.Action, c.Reasons)
			}
			if c.NeedsUser && c.Action != plan.Authorize && c.Action != plan.Reauthorize {
				t.Fatalf("%s: %s needs a person", c.Addr, c.Action)
			}
		}
	})
}

// What happens to one connection does not depend on others that it has nothing to do with.
func TestStrangersDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := worlds(t)
		before := compute(t, in)
		alone := in
		alone.Wants, alone.Records = nil, nil
		a := addr.Connection("c05")
		for _, w := range in.Wants {
			if w.Addr == a && len(w.DependsOn) == 0 {
				alone.Wants = append(alone.Wants, w)
			} else if w.Addr == a {
				return
			}
		}
		if r := find(in.Records, a); r != nil {
			alone.Records = append(alone.Records, r)
		}
		for _, c := range compute(t, alone).Changes {
			i := slices.IndexFunc(before.Changes, func(b plan.Change) bool { return b.Addr == a })
			if diff := cmp.Diff(c, before.Changes[i]); diff != "" {
				t.Fatalf("a stranger changed the plan of %s:\n%s", a, diff)
			}
		}
	})
}

// Targets and their complement together are the whole plan, where nothing depends on anything.
func TestTargetsAndExcludesAreComplements(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := worlds(t)
		for i := range in.Wants {
			in.Wants[i].DependsOn, in.Wants[i].FromState = nil, nil
		}
		all := compute(t, in)
		if len(all.Changes) == 0 {
			return
		}
		some := []addr.Addr{rapid.SampledFrom(all.Changes).Draw(t, "some").Addr}
		in.Options = plan.Options{Targets: some}
		n := len(compute(t, in).Changes)
		in.Options = plan.Options{Excludes: some}
		if m := len(compute(t, in).Changes); n != 1 || n+m != len(all.Changes) {
			t.Fatalf("%d targeted and %d not, of %d", n, m, len(all.Changes))
		}
	})
}

// BenchmarkCompute plans unchanged connections; the time for each must not
// grow with their number.
func BenchmarkCompute(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			in := plan.Input{Now: now}
			for i := range n {
				w := plan.Want{Addr: addr.Connection(fmt.Sprintf("c%06d", i)), Issuer: "https://a", ClientID: "x", Grant: "authorization_code",
					Interactive: true, Scopes: []string{"read", "write"}, Fingerprint: map[string]string{"client_secret": "1"}}
				in.Wants, in.Records = append(in.Wants, w), append(in.Records, applied(&w, nil))
			}
			for b.Loop() {
				if p, err := plan.Compute(in); err != nil || !p.Empty() {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/connection")
		})
	}
}
