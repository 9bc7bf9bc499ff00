package state_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

func put(t *testing.T, s *state.Store, records ...*state.Record) {
	t.Helper()
	for _, r := range records {
		if err := s.Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

func created(t *testing.T, b state.Backend) *state.Store {
	t.Helper()
	s := openStore(t, b, newPerson(t))
	if err := s.Create(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// A renamed record is all there under its new address, and nowhere else; what
// depends on it follows.
func TestRename(t *testing.T) {
	onAll(t, func(t *testing.T, b state.Backend) {
		s := created(t, b)
		a, other := record("a"), record("other")
		other.Info.DependsOn = []string{"connection.a", "connection.z"}
		fed := record("fed") // by a, whether or not its depends_on says so
		fed.Info.Exchange = &state.Exchange{Subject: state.Source{Connection: "connection.a", Attribute: "access_token"}, Actor: state.Source{Connection: "connection.z"}}
		put(t, s, a, other, fed)
		to := addr.Connection("b").Instance("eu")
		if _, err := s.Rename(t.Context(), []state.Rename{{From: a.Addr, To: to}}, time.Second); err != nil {
			t.Fatal(err)
		}
		got, err := s.Get(t.Context(), to, state.PartAll)
		if err != nil {
			t.Fatal(err)
		}
		want := *a
		want.Addr, want.Generation = to, 2
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("the record changed (-want +got):\n%s", diff)
		}
		if _, err := s.Get(t.Context(), a.Addr, state.PartInfo); !errors.Is(err, state.ErrNotFound) {
			t.Errorf("the old address gives %v, want ErrNotFound", err)
		}
		dep, err := s.Get(t.Context(), other.Addr, state.PartAll)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{to.String(), "connection.z"}, dep.Info.DependsOn); diff != "" {
			t.Errorf("what depends on it does not follow (-want +got):\n%s", diff)
		}
		if dep, err = s.Get(t.Context(), fed.Addr, state.PartAll); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{to.String(), "connection.z"}, dep.Info.Exchange.Feeders()); diff != "" {
			t.Errorf("what it feeds does not follow (-want +got):\n%s", diff)
		}
		got.Tokens.AccessToken = "at-later" // it can be written as any other
		put(t, s, got)
	})
}

func TestRenameRefuses(t *testing.T) {
	x, y, z := addr.Connection("x"), addr.Connection("y"), addr.Connection("z")
	for _, c := range []struct {
		name    string
		renames []state.Rename
		want    error
	}{
		{"nothing there", []state.Rename{{From: z, To: addr.Connection("n")}}, state.ErrNotFound},
		{"taken", []state.Rename{{From: x, To: y}}, state.ErrConflict},
		{"one of two taken", []state.Rename{{From: x, To: z}, {From: addr.Connection("w"), To: y}}, state.ErrConflict},
		{"two to one", []state.Rename{{From: x, To: z}, {From: y, To: z}}, nil},
		{"one after the other", []state.Rename{{From: x, To: y}, {From: y, To: z}}, nil},
		{"to itself", []state.Rename{{From: x, To: x}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			onAll(t, func(t *testing.T, b state.Backend) {
				s := created(t, b)
				put(t, s, record("w"), record("x"), record("y"))
				before, err := s.All(t.Context(), state.PartAll)
				if err != nil {
					t.Fatal(err)
				}
				_, err = s.Rename(t.Context(), c.renames, time.Second)
				if err == nil || c.want != nil && !errors.Is(err, c.want) {
					t.Errorf("got %v, want %v", err, c.want)
				}
				after, err := s.All(t.Context(), state.PartAll)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(before, after); diff != "" {
					t.Errorf("a refused rename changed something (-before +after):\n%s", diff)
				}
			})
		})
	}
}

// A rename waits for a refresh under way, whose new token would be lost else.
func TestRenameWaitsForRefresh(t *testing.T) {
	onAll(t, func(t *testing.T, b state.Backend) {
		s := created(t, b)
		r := record("a")
		put(t, s, r)
		unlock, err := s.Lock(t.Context(), r.Addr, "refresh")
		if err != nil {
			t.Fatal(err)
		}
		rename := []state.Rename{{From: r.Addr, To: addr.Connection("b")}}
		if _, err := s.Rename(t.Context(), rename, 10*time.Millisecond); !errors.Is(err, state.ErrBusy) {
			t.Fatalf("a rename under a refresh gives %v, want ErrBusy", err)
		}
		done := make(chan error, 1)
		go func() {
			_, err := s.Rename(t.Context(), rename, time.Minute)
			done <- err
		}()
		r.Tokens.RefreshToken = "rt-rotated"
		put(t, s, r)
		unlock()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		got, err := s.Get(t.Context(), addr.Connection("b"), state.PartAll)
		if err != nil || got.Tokens.RefreshToken != "rt-rotated" {
			t.Errorf("after the rename: %v, %v; want the rotated token", got, err)
		}
	})
}

// All instances of a large block move, however many locks one process may hold.
func TestRenameMany(t *testing.T) {
	onAll(t, func(t *testing.T, b state.Backend) {
		s := created(t, b)
		var renames []state.Rename
		for i := range 230 {
			r := record("a")
			r.Addr = r.Addr.Instance(fmt.Sprint(i))
			put(t, s, r)
			renames = append(renames, state.Rename{From: r.Addr, To: addr.Connection("b").Instance(fmt.Sprint(i))})
		}
		if _, err := s.Rename(t.Context(), renames, time.Second); err != nil {
			t.Fatal(err)
		}
		rows, err := s.Summaries(t.Context())
		if err != nil || len(rows) != len(renames) {
			t.Fatalf("%d records after the rename (%v), want %d", len(rows), err, len(renames))
		}
		for _, r := range rows {
			if r.Addr.Name != "b" {
				t.Errorf("%s is left behind", r.Addr)
			}
		}
	})
}

// Where a record comes back to, nothing but its own generations is kept: that it was away
// takes the place of none.
func TestRenameBackAgain(t *testing.T) {
	onAll(t, func(t *testing.T, b state.Backend) {
		s := created(t, b)
		a, away := record("a"), addr.Connection("away")
		put(t, s, a)
		for _, r := range []state.Rename{{From: a.Addr, To: away}, {From: away, To: a.Addr}} {
			if _, err := s.Rename(t.Context(), []state.Rename{r}, time.Second); err != nil {
				t.Fatal(err)
			}
		}
		past, err := s.History(t.Context(), a.Addr, state.PartAll)
		must(t, err)
		for _, r := range past {
			if r.Status != state.StatusOK || r.Tokens.RefreshToken.Empty() || r.Generation <= 2 {
				t.Errorf("kept is generation %d, %s", r.Generation, r.Status)
			}
		}
		if now, err := s.Get(t.Context(), a.Addr, state.PartInfo); err != nil || len(past) != 2 || now.Generation <= past[1].Generation {
			t.Errorf("%+v, %v, %d are kept", now, err, len(past))
		}
	})
}
