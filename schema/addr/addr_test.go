package addr_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/schema/addr"
)

func TestParse(t *testing.T) {
	for s, want := range map[string]addr.Addr{
		"graph":                      addr.Connection("graph"),
		"connection.graph":           addr.Connection("graph"),
		`graph["eu"]`:                addr.Connection("graph").Instance("eu"),
		`connection.graph["a.b[0]"]`: addr.Connection("graph").Instance("a.b[0]"),
		`connection.graph["\"ü\n"]`:  addr.Connection("graph").Instance("\"ü\n"),
		`connection.graph[""]`:       addr.Connection("graph").Instance(""),
		"connection.connection":      addr.Connection("connection"),
		"_a-1":                       addr.Connection("_a-1"),
		"sink.github_actions.deploy": {Kind: addr.KindSink, Type: "github_actions", Name: "deploy"},
	} {
		got, err := addr.Parse(s)
		if err != nil || got != want {
			t.Errorf("%s: %#v, %v", s, got, err)
			continue
		}
		if again, err := addr.Parse(got.String()); err != nil || again != got {
			t.Errorf("%s is written as %s and read as %#v, %v", s, got, again, err)
		}
		if again, err := addr.Parse(got.Short()); err != nil || again != got {
			t.Errorf("%s is shortened to %s and read as %#v, %v", s, got.Short(), again, err)
		}
	}
	for _, s := range []string{
		"", ".", "a.", ".a", "1a", "a b", "connection.", "connection.a.b", "sink.a", "provider.x", "a.b", "connection.a[0]", "connection.a[eu]",
		"a[\"eu\"", "a[\"eu\"]x", "a[]", "a[", "a['x']", "a[`x`]", "a[\"\xff\"]", "ä", strings.Repeat("a", 101),
	} {
		if got, err := addr.Parse(s); err == nil || !got.IsZero() {
			t.Errorf("%q is %#v", s, got)
		} else if !strings.Contains(err.Error(), "connection.NAME") {
			t.Errorf("%q: the error does not say what to write: %v", s, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"graph", `connection.a["b"]`, "sink.a.b", `a["\u00fc\x00"]`, `a["]"]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := addr.Parse(s)
		if err != nil {
			return
		}
		if again, err := addr.Parse(a.String()); err != nil || again != a {
			t.Errorf("%q is %#v, written as %s and read as %#v, %v", s, a, a, again, err)
		}
		if again, err := addr.Parse(a.Short()); err != nil || again != a {
			t.Errorf("%q is %#v, shortened to %s and read as %#v, %v", s, a, a.Short(), again, err)
		}
	})
}

func TestOrderAndContainment(t *testing.T) {
	want := []string{"connection.a", `connection.a[""]`, `connection.a["b"]`, `connection.a["c"]`, "connection.b", "sink.a.z", "sink.b.a"}
	var as []addr.Addr
	for _, s := range slices.Backward(want) {
		a, err := addr.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		as = append(as, a)
	}
	slices.SortFunc(as, addr.Compare)
	for i, a := range as {
		if a.String() != want[i] {
			t.Errorf("place %d: %s, want %s", i, a, want[i])
		}
	}
	block, inst := addr.Connection("a"), addr.Connection("a").Instance("b")
	if !block.Contains(inst) || !block.Contains(block) || inst.Contains(block) || !inst.Contains(inst) || block.Contains(addr.Connection("b")) || inst.Block() != block {
		t.Error("containment")
	}
	if (addr.Addr{}).String() != "" || !(addr.Addr{}).IsZero() || block.IsZero() {
		t.Error("zero")
	}
}
