package schema_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/schema"
)

// What a configuration says is the same in both syntaxes.
func TestJSONSaysTheSame(t *testing.T) {
	for _, c := range []struct{ name, native, json string }{
		{
			"moved",
			`moved {
  from = connection.z
  to   = connection.a
}
moved {
  from = connection.b["eu"]
  to   = connection.b["us"]
}`,
			`{"moved": [{"from": "connection.z", "to": "connection.a"}, {"from": "connection.b[\"eu\"]", "to": "connection.b[\"us\"]"}]}`,
		},
		{
			"removed",
			`removed {
  from = connection.z
  lifecycle {
    destroy = false
  }
}`,
			`{"removed": {"from": "connection.z", "lifecycle": {"destroy": false}}}`,
		},
		{
			"import",
			`import {
  to            = connection.b["us"]
  refresh_token = env("OLD")
}`,
			`{"import": {"to": "connection.b[\"us\"]", "refresh_token": "${env(\"OLD\")}"}}`,
		},
		{
			"import with for_each",
			`import {
  for_each      = { us = "OLD" }
  to            = connection.b[each.key]
  refresh_token = env("${each.value}_${each.key}")
}`,
			`{"import": {"for_each": {"us": "OLD"}, "to": "connection.b[each.key]", "refresh_token": "${env(\"${each.value}_${each.key}\")}"}}`,
		},
		{
			"ephemeral",
			`variable "v" {
  ephemeral = true
  default   = null
}`,
			`{"variable": {"v": {"ephemeral": true, "default": null}}}`,
		},
		{
			"check",
			`check "c" {
  assert {
    condition     = 1 > 2
    error_message = "no ${1 + 1}"
  }
}`,
			`{"check": {"c": {"assert": {"condition": "${1 > 2}", "error_message": "no ${1 + 1}"}}}}`,
		},
		{
			"output",
			`output "o" {
  value = 3
  precondition {
    condition     = 1 > 2
    error_message = "no ${1 + 1}"
  }
}`,
			`{"output": {"o": {"value": 3, "precondition": {"condition": "${1 > 2}", "error_message": "no ${1 + 1}"}}}}`,
		},
		{
			"dynamic",
			`connection "x" {
  provider  = "github"
  client_id = "x"
  dynamic "token_lifetimes" {
    for_each = ["3h"]
    content {
      access = token_lifetimes.value
    }
  }
}`,
			`{"connection": {"x": {"provider": "github", "client_id": "x", "dynamic": {"token_lifetimes": {"for_each": ["3h"],
  "content": {"access": "${token_lifetimes.value}"}}}}}}`,
		},
		{
			"lifecycle",
			`connection "x" {
  provider  = "github"
  client_id = "x"
  lifecycle {
    prevent_destroy      = true
    ignore_changes       = [scopes, client_id]
    replace_triggered_by = [connection.a, connection.b["us"].account]
    precondition {
      condition     = connection.a.account == "x"
      error_message = "no ${connection.a.account}"
    }
    postcondition {
      condition     = self.account == "x"
      error_message = "no"
    }
  }
}`,
			`{"connection": {"x": {"provider": "github", "client_id": "x", "lifecycle": {
  "prevent_destroy": true, "ignore_changes": ["scopes", "client_id"],
  "replace_triggered_by": ["connection.a", "connection.b[\"us\"].account"],
  "precondition": {"condition": "${connection.a.account == \"x\"}", "error_message": "no ${connection.a.account}"},
  "postcondition": [{"condition": "${self.account == \"x\"}", "error_message": "no"}]}}}}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			const base = `connection "a" {
  provider  = "github"
  client_id = "a"
}
connection "b" {
  for_each  = toset(["us"])
  provider  = "github"
  client_id = each.key
}
`
			said := func(name, text string) string {
				cfg, diags := schema.Load(context.Background(), schema.Source{
					Dir:       write(t, map[string]string{"base.hcl": base, name: text}),
					LookupEnv: func(name string) (string, bool) { return "given-" + name, true },
				})
				if len(diags) > 0 {
					t.Fatal(render(t, "", cfg, diags))
				}
				return sayings(cfg)
			}
			native := said("x.hcl", c.native)
			if diff := cmp.Diff(native, said("x.hcl.json", c.json)); diff != "" {
				t.Errorf("(-native +JSON):\n%s", diff)
			}
			if native == said("x.hcl", "") {
				t.Error("the text says nothing, so the test shows nothing")
			}
		})
	}
}

// sayings is what a configuration says, places left out.
func sayings(cfg *schema.Config) string {
	var b strings.Builder
	for _, m := range cfg.Moved {
		fmt.Fprintln(&b, "moved", m.From, m.To)
	}
	for _, im := range cfg.Imports {
		token, diags := cfg.ImportToken(im.To)
		fmt.Fprintln(&b, "import", im.To, token.Reveal(), diags)
	}
	for _, v := range cfg.Variables {
		fmt.Fprintln(&b, "variable", v.Name, v.Ephemeral)
	}
	for _, c := range cfg.Checks(nil) {
		fmt.Fprintln(&b, "check", c.Name, c.Verdict, c.Problems)
	}
	_, wrong := cfg.Outputs(nil)
	for _, d := range wrong {
		fmt.Fprintln(&b, d.Detail)
	}
	for _, r := range cfg.Removed {
		fmt.Fprintln(&b, "removed", r.From, r.Destroy)
	}
	for _, c := range cfg.Connections {
		fmt.Fprintln(&b, c.Addr, c.Provider, c.ClientID, c.Scopes, c.DependsOn, c.TriggeredBy, c.Lifetimes)
		if lc := c.Lifecycle; lc != nil {
			fmt.Fprintln(&b, "  lifecycle", lc.PreventDestroy, lc.IgnoreChanges)
		}
	}
	return b.String()
}
