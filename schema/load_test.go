package schema_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
)

const simple = "connection \"graph\" {\n  provider  = \"acme\"\n  client_id = \"x\"\n}\n"

func TestOneFileIsAConfiguration(t *testing.T) {
	dir := write(t, map[string]string{"a.hcl": simple, "b.hcl": "nonsense {"})
	cfg, diags := schema.Load(context.Background(), schema.Source{File: filepath.Join(dir, "a.hcl")})
	if diags.HasErrors() || len(cfg.Connections) != 1 {
		t.Error(diags, len(cfg.Connections))
	}
}

func TestNothingToLoad(t *testing.T) {
	empty := t.TempDir()
	for name, src := range map[string]schema.Source{
		"no files":     {Dir: empty},
		"no directory": {Dir: filepath.Join(empty, "nope")},
		"no file":      {File: filepath.Join(empty, "nope.hcl")},
		"a directory":  {File: empty},
	} {
		cfg, diags := schema.Load(context.Background(), src)
		if !diags.HasErrors() || cfg == nil || cfg.Sources == nil {
			t.Errorf("%s: %v", name, diags)
		}
	}
}

func TestInterruptedLoad(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, diags := schema.Load(ctx, schema.Source{Dir: write(t, map[string]string{"a.hcl": simple})}); !diags.HasErrors() {
		t.Error("no error")
	}
}

func TestTextThatIsNoText(t *testing.T) {
	for name, text := range map[string]string{
		"File too large":                     strings.Repeat("# x\n", 300_000),
		"File is in UTF-16":                  "\xff\xfea\x00",
		"File is not in UTF-8":               "# caf\xe9\n",
		"NUL byte in file":                   "a = \"\x00\"\n",
		"File starts with a byte order mark": "\xef\xbb\xbfa = 1\n",
	} {
		for _, file := range []string{"a.hcl", "a.hcl.json"} {
			_, diags := schema.Load(context.Background(), schema.Source{Dir: write(t, map[string]string{file: text})})
			if name == "File too large" {
				name = "File cannot be read"
			}
			if len(diags) != 1 || diags[0].Summary != name || diags[0].Subject == nil {
				t.Errorf("%s, %s: %v", file, name, diags)
			}
		}
	}
}

// What lies outside of the directory is not read, by whatever way it is named.
func TestNothingOutsideIsRead(t *testing.T) {
	outside := write(t, map[string]string{"secret.txt": "outside-canary", "x.hcl": "outside-canary {"})
	dir := write(t, map[string]string{"in.txt": "inside", "sub/deep.txt": "deep", "big.txt": strings.Repeat("x", 1<<20+1), "bin.txt": "\xff"})
	link := func(target, name string) {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	link(filepath.Join(outside, "secret.txt"), "link.txt")
	link(outside, "linkdir")
	link("in.txt", "inner.txt")
	for path, want := range map[string]string{
		"in.txt":             "inside",
		"./sub/deep.txt":     "deep",
		"inner.txt":          "inside",
		"link.txt":           "",
		"linkdir/secret.txt": "",
		"../" + filepath.Base(outside) + "/secret.txt": "",
		filepath.Join(outside, "secret.txt"):           "",
		"sub/../../x":                                  "",
		"sub":                                          "",
		"big.txt":                                      "",
		"bin.txt":                                      "",
		"/dev/zero":                                    "",
		"":                                             "",
	} {
		if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte("output \"o\" {\n  value = file(\""+path+"\")\n}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, diags := schema.Load(context.Background(), schema.Source{Dir: dir})
		if want == "" {
			if !diags.HasErrors() {
				t.Errorf("%s: read", path)
			}
			continue
		}
		outs, more := cfg.Outputs(nil)
		if diags.HasErrors() || more.HasErrors() || outs[0].Value.AsString() != want {
			t.Errorf("%s: %v %v", path, diags, outs)
		}
	}
	link(filepath.Join(outside, "x.hcl"), "x.hcl")
	cfg, diags := schema.Load(context.Background(), schema.Source{Dir: dir})
	if text := render(t, dir, cfg, diags); !strings.Contains(text, "x.hcl cannot be read") || strings.Contains(text, "canary") {
		t.Error(text)
	}
}

// A FIFO would block, a device would never end.
func TestOnlyRegularFilesAreRead(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // there are none
	}
	dir := write(t, map[string]string{"main.hcl": "output \"o\" {\n  value = fileexists(\"pipe.hcl\")\n}\n"})
	makeFIFO(t, filepath.Join(dir, "pipe.hcl"))
	done := make(chan bool)
	go func() {
		defer close(done)
		if _, diags := schema.Load(context.Background(), schema.Source{Dir: dir}); !diags.HasErrors() {
			t.Error("no error")
		}
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("blocked")
	}
}

// The same configuration in both syntaxes means the same.
func TestJSONIsEqual(t *testing.T) {
	native := `
variable "tenants" {
  type    = map(string)
  default = { eu = "1", us = "2" }
}
variable "s" {
  sensitive = true
  validation {
    condition     = length(var.s) > 2
    error_message = "short"
  }
}
locals {
  later = connection.graph.account
}
provider "contoso" {
  preset = "microsoft"
}
connection "graph" {
  provider      = "contoso"
  client_id     = "app-${var.tenants["eu"]}"
  client_secret = var.s
  scopes        = ["a", "b"]
  redirect_uris = ["http://localhost"]
  tenant        = upper("x")
  token_params  = { resource = "r" }
  grant "authorization_code" {
    prompt = "login"
  }
  token_lifetimes {
    access  = "1h"
    refresh = 3600
  }
}
connection "audit" {
  for_each   = var.tenants
  provider   = "microsoft"
  client_id  = each.value
  account    = local.later
  depends_on = [connection.graph]
}
connection "down" {
  provider  = "acme"
  client_id = "w"
  grant "token_exchange" {
    subject_token = connection.audit["eu"].access_token
  }
}
output "o" {
  value     = connection.graph.access_token
  sensitive = true
}
`
	json := `{
  "//": "a comment",
  "variable": {
    "tenants": {"type": "map(string)", "default": {"eu": "1", "us": "2"}},
    "s": {"sensitive": true, "validation": {"condition": "${length(var.s) > 2}", "error_message": "short"}}
  },
  "locals": {"later": "${connection.graph.account}"},
  "provider": {"contoso": {"preset": "microsoft"}},
  "connection": {
    "graph": {
      "provider": "contoso",
      "client_id": "app-${var.tenants[\"eu\"]}",
      "client_secret": "${var.s}",
      "scopes": ["a", "b"],
      "redirect_uris": ["http://localhost"],
      "tenant": "${upper(\"x\")}",
      "token_params": {"resource": "r"},
      "grant": {"authorization_code": {"prompt": "login"}},
      "token_lifetimes": {"access": "1h", "refresh": 3600}
    },
    "audit": {
      "for_each": "${var.tenants}",
      "provider": "microsoft",
      "client_id": "${each.value}",
      "account": "${local.later}",
      "depends_on": ["connection.graph"]
    },
    "down": {
      "provider": "acme",
      "client_id": "w",
      "grant": {"token_exchange": {"subject_token": "${connection.audit[\"eu\"].access_token}"}}
    }
  },
  "output": {"o": {"value": "${connection.graph.access_token}", "sensitive": true}}
}`
	dumped := func(name, text string) string {
		cfg, diags := schema.Load(context.Background(), schema.Source{
			Dir:       write(t, map[string]string{name: text}),
			LookupEnv: func(name string) (string, bool) { return "value", name == "OAUTHCTL_VAR_s" },
		})
		if diags.HasErrors() {
			t.Fatal(name, diags)
		}
		return dump(t, cfg)
	}
	if diff := cmp.Diff(dumped("a.hcl", native), dumped("a.hcl.json", json)); diff != "" {
		t.Errorf("(-native +json):\n%s", diff)
	}
}

func TestPromptAsksForWhatIsMissing(t *testing.T) {
	dir := write(t, map[string]string{"a.hcl": `
variable "name" {
  description = "Who are you?"
}
variable "list" {
  type = list(string)
}
variable "given" {
  default = "x"
}
output "o" {
  value = [var.name, var.list[1], var.given]
}`})
	var asked []string
	src := schema.Source{Dir: dir, Prompt: func(v *schema.Variable) (string, error) {
		asked = append(asked, v.Name+" "+v.Description)
		return map[string]string{"name": "[", "list": `["a", "b"]`}[v.Name], nil
	}}
	cfg, diags := schema.Load(context.Background(), src)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	slices.Sort(asked)
	if diff := cmp.Diff([]string{"list ", "name Who are you?"}, asked); diff != "" {
		t.Error(diff)
	}
	outs, _ := cfg.Outputs(nil)
	if want := cty.TupleVal([]cty.Value{cty.StringVal("["), cty.StringVal("b"), cty.StringVal("x")}); !outs[0].Value.RawEquals(want) {
		t.Errorf("%#v", outs[0].Value)
	}
	src.Prompt = func(*schema.Variable) (string, error) { return "", errors.New("nobody is here") }
	if _, diags := schema.Load(context.Background(), src); !diags.HasErrors() || !strings.Contains(diags[0].Detail, "nobody is here") {
		t.Error(diags)
	}
}

// Nobody types values for what fails anyway, and what was perhaps in a file that
// cannot be read is not reported as missing.
func TestPromptAsksOnlyForWhatCanBeLoaded(t *testing.T) {
	const text = `variable "a" {}
variable "b" {}
`
	for name, test := range map[string]struct {
		text  string
		vars  []schema.VarInput
		asked []string
		want  []string
	}{
		"nothing wrong":         {text: text, asked: []string{"a", "b"}},
		"an unreadable file":    {text: text, vars: []schema.VarInput{{File: "none.oauthvars"}}, want: []string{"File cannot be read"}},
		"an undeclared name":    {text: text, vars: []schema.VarInput{{Name: "c", Value: "1"}}, want: []string{"Value for an undeclared variable"}},
		"an unknown block":      {text: text + `provder "x" {}`, want: []string{"Unsupported block type"}},
		"an answer that is bad": {text: text + `variable "c" { type = number }`, asked: []string{"a", "b", "c"}, want: []string{"Invalid value for variable"}},
		"the first answer is bad": {text: `variable "c" { type = number }
` + text, asked: []string{"c"}, want: []string{"Invalid value for variable"}},
	} {
		t.Run(name, func(t *testing.T) {
			var asked, got []string
			src := schema.Source{Dir: write(t, map[string]string{"a.hcl": test.text}), Vars: test.vars, Prompt: func(v *schema.Variable) (string, error) {
				asked = append(asked, v.Name)
				return "x", nil
			}}
			_, diags := schema.Load(context.Background(), src)
			for _, d := range diags {
				got = append(got, d.Summary)
			}
			if diff := cmp.Diff(test.asked, asked); diff != "" {
				t.Errorf("asked: %s", diff)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("said: %s", diff)
			}
		})
	}
}

// known gives every connection the same attributes.
func known(account string) schema.Known {
	return func(a addr.Addr) (cty.Value, bool) {
		attrs := map[string]cty.Value{}
		for name, ty := range schema.AttributesType().AttributeTypes() {
			attrs[name] = cty.NullVal(ty)
		}
		attrs["account"] = cty.StringVal(account + " of " + a.String())
		attrs["access_token"] = cty.StringVal("token-canary of " + a.String()).Mark(schema.Sensitive)
		return cty.ObjectVal(attrs), true
	}
}

func TestResolveFillsInWhatWasUnknown(t *testing.T) {
	cfg := load(t, `
locals {
  who = upper(connection.audit["eu"].account)
}
connection "audit" {
  for_each  = toset(["eu", "us"])
  provider  = "acme"
  client_id = each.key
}
connection "down" {
  for_each      = connection.audit
  provider      = "acme"
  client_id     = "w"
  account       = local.who
  client_secret = each.value.access_token
  description   = "of ${each.value.account}"
  grant "token_exchange" {
    subject_token = connection.audit[each.key].access_token
  }
}
`, nil)
	a := addr.Connection("down").Instance("us")
	i := slices.IndexFunc(cfg.Connections, func(c *schema.Connection) bool { return c.Addr == a })
	before := cfg.Connections[i]
	if diff := cmp.Diff([]string{"account", "client_secret", "description", "grant"}, before.Unknown); diff != "" {
		t.Error(diff)
	}
	if got := len(before.DependsOn); got != 2 { // audit["eu"] through the local, audit["us"] by each
		t.Error(before.DependsOn)
	}
	// The engine resolves from many goroutines.
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			c, diags := cfg.Resolve(a, known("x"))
			if diags.HasErrors() || len(c.Unknown) != 0 {
				t.Error(diags, c.Unknown)
				return
			}
			if c.Account != `X OF CONNECTION.AUDIT["EU"]` || c.Description != `of x of connection.audit["us"]` || c.ClientSecret.Reveal() != `token-canary of connection.audit["us"]` {
				t.Error(c.Account, c.Description)
			}
			if diff := cmp.Diff(before.DependsOn, c.DependsOn); diff != "" {
				t.Error(diff)
			}
			o, diags := c.Grant.Decode(&schema.Spec{Attrs: []schema.Attr{{Name: "subject_token", Kind: schema.Sensitive, Required: true}}}, nil)
			if diags.HasErrors() || o.Secret("subject_token").Reveal() != `token-canary of connection.audit["us"]` {
				t.Error(diags)
			}
		})
	}
	wg.Wait()
	if _, diags := cfg.Resolve(addr.Connection("nope"), known("x")); !diags.HasErrors() {
		t.Error("resolved what does not exist")
	}
	if c, diags := cfg.Resolve(a, nil); diags.HasErrors() || len(c.Unknown) != 4 {
		t.Error("without attributes everything stays unknown", diags)
	}
}

func TestResolvedTokenIsNotShownInAnError(t *testing.T) {
	cfg := load(t, simple+`
connection "b" {
  provider    = "acme"
  client_id   = "x"
  description = nonsensitive(parseint(connection.graph.access_token, 10))
  account     = nonsensitive(connection.graph.access_token) == "x" ? "y" : tonumber(nonsensitive(connection.graph.access_token))
}`, nil)
	_, diags := cfg.Resolve(addr.Connection("b"), known("x"))
	if !diags.HasErrors() {
		t.Fatal("no error")
	}
	for _, d := range diags {
		if strings.Contains(d.Error(), "canary") {
			t.Error(d)
		}
		if schema.AddrOf(d) != addr.Connection("b") {
			t.Errorf("%s is about %s", d.Summary, schema.AddrOf(d))
		}
	}
}

func TestOutputs(t *testing.T) {
	cfg := load(t, simple+`
output "b" {
  value = connection.graph.account
}
output "a" {
  value     = connection.graph.access_token
  sensitive = true
}`, nil)
	outs, diags := cfg.Outputs(known("me"))
	if diags.HasErrors() || len(outs) != 2 || outs[0].Name != "a" || !outs[0].Sensitive || outs[0].Value.IsMarked() || outs[1].Value.AsString() != "me of connection.graph" {
		t.Error(diags, outs)
	}
}

// A local can fail only when the connections are known; that is said, too.
func TestLocalThatFailsLater(t *testing.T) {
	cfg := load(t, simple+`
locals {
  n = tonumber(connection.graph.account)
}
connection "b" {
  provider    = "acme"
  client_id   = "x"
  description = "n is ${local.n}"
}
output "n" {
  value = local.n
}`, nil)
	if _, diags := cfg.Resolve(addr.Connection("b"), known("x")); !diags.HasErrors() || schema.AddrOf(diags[0]) != addr.Connection("b") {
		t.Error(diags)
	}
	if _, diags := cfg.Outputs(known("x")); !diags.HasErrors() {
		t.Error(diags)
	}
}

// Grants and providers are decoded from several goroutines.
func TestDecodeFromManyGoroutines(t *testing.T) {
	cfg := load(t, simple+`
locals {
  token = connection.graph.access_token
}
provider "p" {
  secret = env("S")
  file   = fileexists("main.hcl") ? file("main.hcl") : ""
}
connection "b" {
  provider  = "acme"
  client_id = "x"
  grant "token_exchange" {
    subject_token = "${local.token}${connection.graph.id_token}"
  }
}`, map[string]string{"S": "x"})
	spec := &schema.Spec{Open: true}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, b := range []*schema.Block{cfg.Connections[0].Grant, cfg.Providers["p"]} {
				if o, diags := b.Decode(spec, nil); diags.HasErrors() || len(o.Rest) == 0 {
					t.Error(diags)
				}
			}
		})
	}
	wg.Wait()
}
