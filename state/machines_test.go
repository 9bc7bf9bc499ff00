package state_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/backendtest"
)

// machines are two that work on one state, each with a memory of its own.
type machines struct {
	t      *testing.T
	r      *rand.Rand
	b      state.Backend
	alice  person
	pins   [2]string
	wrote  [2]map[addr.Addr]bool // refreshed since the snapshot, by this machine
	tokens int
	log    []string
}

func (m *machines) store(i int) *state.Store {
	return openStore(m.t, m.b, m.alice, keepPins(m.pins[i]))
}

func (m *machines) token() secret.Secret {
	m.tokens++
	return secret.Secret(fmt.Sprint("refresh-", m.tokens))
}

// some is a connection that is there, or one that is not.
func (m *machines) some(s *state.Store, there bool) (r *state.Record, a addr.Addr) {
	all, err := s.All(m.t.Context(), state.PartAll)
	must(m.t, err)
	if there {
		if len(all) == 0 {
			return nil, a
		}
		r = all[m.r.IntN(len(all))]
		return r, r.Addr
	}
	free := map[string]bool{"a": true, "b": true, "c": true, "d": true}
	for _, r := range all {
		delete(free, r.Addr.Name)
	}
	for _, n := range []string{"a", "b", "c", "d"} {
		if free[n] && m.r.IntN(2) == 0 {
			return nil, addr.Connection(n)
		}
	}
	return nil, a
}

// did says what one machine did.
func (m *machines) did(i int, format string, args ...any) {
	m.log = append(m.log, fmt.Sprintf("%d: ", i)+fmt.Sprintf(format, args...))
}

// step lets one machine do something that people do every day.
func (m *machines) step() {
	i := m.r.IntN(2)
	s, ctx := m.store(i), m.t.Context()
	old, at := m.some(s, true)
	_, free := m.some(s, false)
	op := m.r.IntN(12)
	switch {
	case op < 2 && !free.IsZero(): // apply a new one, import a consent
		r := record(free.Name)
		r.Tokens.RefreshToken = m.token()
		must(m.t, s.PutNext(ctx, r))
		m.did(i, "create %s at %d", free, r.Generation)
	case old == nil:
	case op < 6:
		old.Tokens.RefreshToken = m.token()
		must(m.t, s.Put(ctx, old))
		m.wrote[i][at] = true
		m.did(i, "refresh %s to %d", at, old.Generation)
	case op == 6 && !free.IsZero():
		_, err := s.Rename(ctx, []state.Rename{{From: at, To: free}}, time.Second)
		must(m.t, err)
		m.did(i, "move %s to %s", at, free)
	case op == 7:
		m.remove(i, s, old)
	case op == 8:
		m.restore(i, s, old)
	case op == 9:
		rotateKey(m.t, s, m.alice)
		m.did(i, "rotate the key")
	case op == 10:
		must(m.t, s.Forget(ctx, at))
		m.did(i, "forget the past of %s", at)
	case op == 11: // to somewhere else and back, and meanwhile on here
		text := export(m.t, s)
		old.Tokens.RefreshToken = m.token()
		must(m.t, s.Put(ctx, old))
		if _, err := m.store(1-i).Push(ctx, text, state.PushOptions{}); !errors.Is(err, state.ErrOlder) {
			m.t.Errorf("a document from before a refresh: %v", err)
		}
		_, err := m.store(1-i).Push(ctx, text, state.PushOptions{Force: true, Wait: time.Second})
		must(m.t, err)
		m.did(i, "pull, refresh %s, and %d pushes by force", at, 1-i)
	}
}

func (m *machines) remove(i int, s *state.Store, r *state.Record) {
	ctx, a := m.t.Context(), r.Addr
	var err error
	how := m.r.IntN(4)
	switch how {
	case 0:
		err = s.Delete(ctx, a, r.Generation)
	case 1:
		_, err = s.DeleteNext(ctx, a, r.Generation)
	case 2:
		err = s.Bury(ctx, r, clock())
	default:
		_, err = s.BuryNext(ctx, r, clock())
	}
	must(m.t, err)
	if m.r.IntN(2) == 0 {
		must(m.t, s.Forget(ctx, a))
	}
	m.did(i, "remove %s in way %d", a, how)
}

func (m *machines) restore(i int, s *state.Store, r *state.Record) {
	past, err := s.History(m.t.Context(), r.Addr, state.PartAll)
	must(m.t, err)
	if len(past) == 0 {
		return
	}
	kept := past[m.r.IntN(len(past))]
	was := kept.Generation
	kept.Generation = r.Generation
	must(m.t, s.PutNext(m.t.Context(), kept))
	m.did(i, "restore generation %d of %s as %d", was, r.Addr, kept.Generation)
}

// look: everything that is there may be used, on both machines.
func (m *machines) look() bool {
	for i := range m.pins {
		s := m.store(i)
		all, err := s.All(m.t.Context(), state.PartInfo)
		if err != nil {
			m.t.Errorf("on machine %d: %v", i, err)
			return false
		}
		for _, r := range all {
			if err := s.MaySpend(m.t.Context(), r, true); err != nil {
				m.t.Errorf("on machine %d: %v", i, err)
				return false
			}
		}
	}
	return true
}

// snapshot is the state as it is now, for later.
func (m *machines) snapshot() state.Backend {
	ctx, b := m.t.Context(), backendtest.NewMemory()
	h, err := m.b.Header(ctx)
	must(m.t, err)
	batch := state.Batch{Header: &state.Header{Version: 1, Epoch: h.Epoch, Bytes: h.Bytes}, Epoch: h.Epoch}
	must(m.t, m.b.List(ctx, state.PartAll, func(r state.Row) error {
		batch.Changes = append(batch.Changes, state.Change{Row: r})
		return nil
	}))
	must(m.t, b.Write(ctx, batch))
	return b
}

// lookBack: of an old state, what this machine has refreshed since is not sent again.
func (m *machines) lookBack(old state.Backend) {
	for i, pins := range m.pins {
		copied := m.t.TempDir()
		copyPins(m.t, pins, copied)
		s := openStore(m.t, old, m.alice, keepPins(copied))
		all, err := s.All(m.t.Context(), state.PartInfo)
		if errors.Is(err, state.ErrRollback) {
			continue
		}
		must(m.t, err)
		for _, r := range all {
			if err := s.MaySpend(m.t.Context(), r, true); m.wrote[i][r.Addr] && !errors.Is(err, state.ErrRollback) {
				m.t.Errorf("machine %d has refreshed %s since, and would send an old token: %v", i, r.Addr, err)
			}
		}
	}
}

// Whatever two machines do to one state, neither takes the work of the other for a
// restored old state; and what is one is noticed where it was refreshed since.
func TestTwoMachinesAndOneState(t *testing.T) {
	for seed := range uint64(8) {
		m := &machines{t: t, r: rand.New(rand.NewPCG(seed, 0)), b: backendtest.NewMemory(), alice: newPerson(t), pins: [2]string{t.TempDir(), t.TempDir()}}
		create(t, m.store(0))
		for range 6 {
			old := m.snapshot()
			m.wrote = [2]map[addr.Addr]bool{{}, {}}
			for range 8 {
				if m.step(); !m.look() {
					t.Fatalf("seed %d: %q", seed, m.log)
				}
			}
			if m.lookBack(old); t.Failed() {
				t.Fatalf("seed %d: %q", seed, m.log)
			}
		}
	}
}
