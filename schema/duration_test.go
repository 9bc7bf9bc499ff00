package schema_test

import (
	"math"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/schema"
)

func TestDurations(t *testing.T) {
	const day = 24 * time.Hour
	for s, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "90": 90 * time.Second, "90s": 90 * time.Second, "5m": 5 * time.Minute,
		"1h30m": 90 * time.Minute, "90d": 90 * day, "1d12h": 36 * time.Hour, "1500ms500ms": 2 * time.Second, "106751d": 106751 * day,
	} {
		if got, err := schema.ParseDuration(s); err != nil || got != want {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "d", "-1s", "-5", "+5s", "1.5", "1.5s", "500ms", "5 m", "1h1d", "1dd", "1d-1h", "soon", "106752d", "9223372037", "99999999999999999999", "106751d24h", "1d9223372036s"} {
		if got, err := schema.ParseDuration(s); err == nil {
			t.Errorf("%q is %v", s, got)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "0s", time.Second: "1s", 90 * time.Minute: "1h30m", 90 * day: "90d", 36*time.Hour + 5*time.Second: "1d12h5s",
		1500 * time.Millisecond: "1s", -time.Hour: "-1h", math.MinInt64: "-106751d23h47m16s",
	} {
		if got := schema.FormatDuration(d); got != want {
			t.Errorf("%d: %q, want %q", d, got, want)
		}
	}
}

func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"90d", "1h30m", "5", "1d12h", "-1s", "1.5s", "9223372036s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := schema.ParseDuration(s)
		if err != nil {
			return
		}
		if d < 0 || d%time.Second != 0 {
			t.Errorf("%q is %d", s, d)
		}
		if again, err := schema.ParseDuration(schema.FormatDuration(d)); err != nil || again != d {
			t.Errorf("%q: %v is written as %q and read as %v, %v", s, d, schema.FormatDuration(d), again, err)
		}
	})
}

func TestSuggest(t *testing.T) {
	names := []string{"client_id", "client_secret", "scopes", "var", "b"}
	for given, want := range map[string]string{
		"client_secert": "client_secret", "Client_ID": "client_id", "scope": "scopes", "vars": "var", "vr": "var", "x": "", "B": "b", "tenant": "", "": "",
	} {
		if got := schema.Suggest(given, names); got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
}
