package schema_test

import (
	"context"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/schema"
)

const plannedConfig = `
variable "plain" { default = "eu" }
variable "many" {
  type    = map(list(number))
  default = { a = [1, 2.5] }
}
variable "none" {
  type    = string
  default = null
}
variable "anything" { default = [true, "x"] }
variable "declared" { sensitive = true }
variable "used" {}
variable "my_password" {}
connection "a" {
  provider      = "github"
  client_id     = "a"
  client_secret = "${var.used}"
}
`

func plannedEnv() map[string]string {
	return map[string]string{
		"OAUTHCTL_VAR_declared": "canary-1", "OAUTHCTL_VAR_used": "canary-2", "OAUTHCTL_VAR_my_password": "canary-3",
	}
}

// What a saved plan keeps of the inputs: everything but secrets, whether they
// are declared as such, called so, or used so.
func TestInputsHaveNoSecrets(t *testing.T) {
	in, err := load(t, plannedConfig, plannedEnv()).Inputs()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range in.Values {
		if strings.Contains(string(text), "canary") {
			t.Errorf("the secret of var.%s is written down", name)
		}
	}
	for _, name := range []string{"declared", "used", "my_password"} {
		if in.Secrets[name].Empty() {
			t.Errorf("var.%s is no secret", name)
		}
	}
	for _, name := range []string{"plain", "many", "none", "anything"} {
		if in.Values[name] == nil {
			t.Errorf("the value of var.%s is not kept", name)
		}
	}
	if _, ok := in.Files["main.hcl"]; !ok || len(in.Files) != 1 {
		t.Errorf("the files are %d", len(in.Files))
	}
}

// The values of a saved plan count. Another one on the command line is an error,
// another one from elsewhere a warning, the same one nothing.
func TestPlannedValuesCount(t *testing.T) {
	in, err := load(t, plannedConfig, plannedEnv()).Inputs()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		vars     []schema.VarInput
		env      map[string]string
		error    string
		warnings int
	}{
		"nothing given":            {},
		"the same given":           {vars: []schema.VarInput{{Name: "many", Value: "{a=[1,2.5]}"}, {Name: "plain", Value: "eu"}}, env: map[string]string{"OAUTHCTL_VAR_plain": "eu"}},
		"another given":            {vars: []schema.VarInput{{Name: "plain", Value: "us"}}, error: "Other value than in the saved plan"},
		"another type of the same": {vars: []schema.VarInput{{Name: "many", Value: `{a=["1","2.5"]}`}}},
		"another in the file":      {vars: []schema.VarInput{{File: "more.oauthvars"}}, error: "Other value than in the saved plan"},
		"another in the env":       {env: map[string]string{"OAUTHCTL_VAR_plain": "us"}, warnings: 1},
	} {
		t.Run(name, func(t *testing.T) {
			dir := write(t, map[string]string{"main.hcl": plannedConfig, "more.oauthvars": `plain = "us"`})
			t.Chdir(dir)
			env := plannedEnv()
			for k, v := range c.env {
				env[k] = v
			}
			cfg, diags := schema.Load(context.Background(), schema.Source{
				Dir: ".", Vars: c.vars, Planned: in.Values,
				LookupEnv: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
			})
			switch {
			case c.error == "" && diags.HasErrors(), c.error != "" && !strings.Contains(diags.Error(), c.error):
				t.Fatalf("want %q, got %v", c.error, diags)
			case c.error == "" && len(diags) != c.warnings:
				t.Errorf("want %d warnings, got %v", c.warnings, diags)
			}
			if v := cfg.Variables["plain"].Value.AsString(); v != "eu" {
				t.Errorf("var.plain is %q", v)
			}
		})
	}
}

// A value that is needed again is asked for like any other.
func TestSecretsAreNeededAgain(t *testing.T) {
	in, err := load(t, plannedConfig, plannedEnv()).Inputs()
	if err != nil {
		t.Fatal(err)
	}
	_, diags := schema.Load(context.Background(), schema.Source{Dir: write(t, map[string]string{"main.hcl": plannedConfig}), Planned: in.Values})
	if n := strings.Count(diags.Error(), "No value"); !diags.HasErrors() || n == 0 {
		t.Errorf("nothing is missing: %v", diags)
	}
}
