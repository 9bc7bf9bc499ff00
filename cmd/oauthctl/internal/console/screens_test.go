package console

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// What a person sees, on a terminal and without one.
func TestScreens(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	deadline := now.Add(161 * time.Second)
	screens := map[string]func(c *Console) (func(), error){
		"open": func(c *Console) (func(), error) { return c.Open(t.Context(), visit(deadline)) },
		"code": func(c *Console) (func(), error) { return c.Code(t.Context(), device(deadline)) },
		"paste": func(c *Console) (func(), error) {
			v := visit(deadline)
			v.Listening, v.RedirectURI = "", "https://contoso.example/accept"
			_, err := c.Paste(t.Context(), v)
			return func() {}, err
		},
		"elsewhere": func(c *Console) (func(), error) {
			_, err := c.Paste(t.Context(), visit(deadline))
			return func() {}, err
		},
		"confirm": func(c *Console) (func(), error) {
			_, err := c.Confirm(t.Context(), "Do you want to carry this out?")
			return func() {}, err
		},
		"no_browser": func(c *Console) (func(), error) {
			c.o.OpenBrowser = func(context.Context, string) error { return errors.New("xdg-open: no display") }
			return c.Open(t.Context(), visit(deadline))
		},
	}
	for name, show := range screens {
		for _, f := range []struct {
			name string
			o    Options
		}{
			{"80", Options{Interactive: true, Width: 80, Dark: true}},
			{"40", Options{Interactive: true, Width: 40, Dark: true}},
			{"120", Options{Interactive: true, Width: 120, Dark: true}},
			{"80.dark", Options{Interactive: true, Width: 80, Color: true, Dark: true}},
			{"80.light", Options{Interactive: true, Width: 80, Color: true}},
			{"pipe", Options{Width: 80}},
		} {
			t.Run(name+"/"+f.name, func(t *testing.T) {
				var b bytes.Buffer
				f.o.In, f.o.Out, f.o.Now = strings.NewReader("http://127.0.0.1:53682/?code=x\n"), &b, func() time.Time { return now }
				done, err := show(New(f.o))
				if err != nil {
					t.Fatal(err)
				}
				text := b.String() // the live line included
				done()
				golden(t, fmt.Sprintf("%s.%s", name, f.name), text)
			})
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); look, then go test -update:\n%s", path, diff)
	}
}
