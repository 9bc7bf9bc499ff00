package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// The end of a client secret is said from 30 days before, whatever else is to
// be done, and not when everything is destroyed.
func TestEndOfClientSecret(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		ends time.Time
		want string
	}{
		{time.Time{}, ""},
		{now.AddDate(0, 0, 31), ""},
		{now.AddDate(0, 0, 30), "The client secret expires in 30 days"},
		{now.AddDate(0, 0, 12).Add(time.Hour), "The client secret expires in 12 days"},
		{now.Add(47 * time.Hour), "The client secret expires in 47 hours"},
		{now.Add(time.Hour), "The client secret expires in less than two hours"},
		{now, "The client secret has expired"},
		{now.AddDate(-1, 0, 0), "The client secret has expired"},
	} {
		in := plan.Input{Now: now, Wants: []plan.Want{{Addr: addr.Connection("print"), SecretEnds: tc.ends}}}
		p, err := plan.Compute(in)
		if err != nil {
			t.Fatal(err)
		}
		var got string
		for _, w := range p.Warnings {
			got = w.Summary
			if !strings.Contains(w.Detail, tc.ends.Format("2006-01-02 15:04 UTC")) || w.Addr != in.Wants[0].Addr {
				t.Errorf("the warning does not say when, and of what: %+v", w)
			}
		}
		if got != tc.want || len(p.Warnings) > 1 {
			t.Errorf("ends %s: %q, want %q", tc.ends, got, tc.want)
		}
		in.Options.Destroy = true
		if p, err := plan.Compute(in); err != nil || len(p.Warnings) > 0 {
			t.Errorf("destroy: %v, %v", p.Warnings, err)
		}
	}
}
