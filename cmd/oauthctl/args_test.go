package main

import (
	"slices"
	"strings"
	"testing"
)

func TestNormalise(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"plan -json", "plan --json"},
		{"plan --json", "plan --json"},
		{"plan -var=a=-1", "plan --var=a=-1"},
		{"-chdir=x plan", "--chdir=x plan"},
		{"plan -h", "plan -h"},
		{"fmt -", "fmt -"},
		{"fmt -check -- -odd.hcl", "fmt --check -- -odd.hcl"},
		{"plan -x", "plan --x"},
	} {
		if got := normalise(strings.Fields(tt.in)); !slices.Equal(got, strings.Fields(tt.want)) {
			t.Errorf("normalise(%q) = %q, want %q", tt.in, strings.Join(got, " "), tt.want)
		}
	}
}
