package state_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// bigState makes a file with n records of about 5 KB.
func bigState(b *testing.B, p person, n int) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "oauthctl.state")
	s := create(b, openStore(b, openFile(b, path), p))
	work := make(chan int)
	done := make(chan error)
	for range 64 {
		go func() {
			var first error
			for i := range work {
				r := record(fmt.Sprintf("c%05d", i))
				r.Tokens.AccessToken = secret.Secret(strings.Repeat("a", 2500))
				r.Tokens.RefreshToken = secret.Secret(strings.Repeat("r", 1500))
				if err := s.Put(context.Background(), r); err != nil && first == nil {
					first = err
				}
			}
			done <- first
		}()
	}
	for i := range n {
		work <- i
	}
	close(work)
	for range 64 {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	return path
}

// BenchmarkColdGet is what "oauthctl token" does: open the file, unwrap the
// data key, read one record.
func BenchmarkColdGet(b *testing.B) {
	for _, n := range []int{1, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := newPerson(b)
			path := bigState(b, p, n)
			pins := b.TempDir()
			for b.Loop() {
				s := openStore(b, openFile(b, path), p, func(o *state.Options) { o.PinDir = pins })
				if _, err := s.Get(b.Context(), addr.Connection("c00000"), state.PartAll); err != nil {
					b.Fatal(err)
				}
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkGet(b *testing.B) {
	for _, n := range []int{1, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := newPerson(b)
			s := openStore(b, openFile(b, bigState(b, p, n)), p)
			for b.Loop() {
				if _, err := s.Get(b.Context(), addr.Connection("c00000"), state.PartAll); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPut(b *testing.B) {
	b.Run("one", func(b *testing.B) {
		p := newPerson(b)
		s := openStore(b, openFile(b, bigState(b, p, 1)), p)
		r, err := s.Get(b.Context(), addr.Connection("c00000"), state.PartAll)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if err := s.Put(b.Context(), r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("64 at once, 1000", func(b *testing.B) {
		for b.Loop() {
			bigState(b, newPerson(b), 1000)
		}
	})
}

func BenchmarkAll(b *testing.B) {
	p := newPerson(b)
	s := openStore(b, openFile(b, bigState(b, p, 10_000)), p)
	for name, parts := range map[string]state.Part{"info": state.PartInfo, "all": state.PartAll} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.All(b.Context(), parts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("summaries", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Summaries(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkProbe(b *testing.B) {
	p := newPerson(b)
	s := openStore(b, openFile(b, bigState(b, p, 1)), p)
	for b.Loop() {
		if err := s.Probe(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
