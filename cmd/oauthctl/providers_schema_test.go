package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/view"
	"github.com/oauthctl/oauthctl/schema"
)

// configSchema is what "providers schema -format=json-schema" prints, compiled.
func configSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	var b bytes.Buffer
	if err := view.WriteJSONSchema(&b, view.Options{Version: "1.2.3"}, language()); err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(&b)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("oauthctl.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("oauthctl.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, text []byte) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return s.Validate(doc)
}

// The JSON form of every configuration that is right is right by the schema,
// and means the same to the language.
func TestJSONSchemaTakesWhatIsRight(t *testing.T) {
	s := configSchema(t)
	total := 0
	check := func(name string, texts map[string]string, load bool) {
		dir := t.TempDir()
		for file, text := range texts {
			if filepath.Ext(file) == ".hcl" && !schema.IsTestFile(file) && !strings.HasPrefix(file, ".") {
				total++
				form := jsonForm(t, file, []byte(text))
				if err := validate(t, s, form); err != nil {
					t.Errorf("%s/%s: %v\n%s", name, file, err, form)
				}
				file, text = file+".json", string(form)
			}
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, file)), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, diags := schema.Load(t.Context(), schema.Source{Dir: dir, MakeUp: true, Version: "1.0.0"}); load && diags.HasErrors() {
			t.Errorf("%s: the JSON form is wrong: %s", name, diags)
		}
	}
	examples, err := filepath.Glob("../../examples/*.hcl")
	if err != nil || len(examples) < 10 {
		t.Fatalf("%d examples, %v", len(examples), err)
	}
	for _, file := range examples {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		check(file, map[string]string{filepath.Base(file): string(text)}, true)
	}
	cases, err := filepath.Glob("../../schema/testdata/good/*.txtar")
	if err != nil || len(cases) < 5 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, file := range cases {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts := map[string]string{}
		for _, f := range archive.Files {
			texts[f.Name] = string(f.Data)
			if strings.HasSuffix(f.Name, ".hcl.json") {
				total++
				if err := validate(t, s, f.Data); err != nil {
					t.Errorf("%s: %v", file, err)
				}
			}
		}
		check(file, texts, false) // their environment is theirs
	}
	if total < 20 {
		t.Errorf("only %d files were looked at", total)
	}
}

// It refuses what an editor should underline.
func TestJSONSchemaRefusesWhatIsWrong(t *testing.T) {
	s := configSchema(t)
	for name, text := range map[string]string{
		"block type":       `{"connexion": {"a": {"provider": "x", "client_id": "y"}}}`,
		"missing":          `{"connection": {"a": {"provider": "x"}}}`,
		"literal secret":   `{"connection": {"a": {"provider": "x", "client_id": "y", "client_secret": "hunter2"}}}`,
		"grant":            `{"connection": {"a": {"provider": "x", "client_id": "y", "grant": {"implicit": {}}}}}`,
		"grant's argument": `{"connection": {"a": {"provider": "x", "client_id": "y", "grant": {"device_code": {"promt": "x"}}}}}`,
		"word":             `{"connection": {"a": {"provider": "x", "client_id": "y", "client_auth": "basic"}}}`,
		"type":             `{"variable": {"a": {"sensitive": "yes"}}}`,
		"scopes":           `{"connection": {"a": {"provider": "x", "client_id": "y", "scopes": {"a": 1}}}}`,
		"no label":         `{"connection": {"provider": "x", "client_id": "y"}}`,
		"state":            `{"oauthctl": {"state": {"sqlight": {}}}}`,
	} {
		if err := validate(t, s, []byte(text)); err == nil {
			t.Errorf("%s: taken: %s", name, text)
		}
	}
	for name, text := range map[string]string{
		"comment":    `{"//": "x", "locals": {"a": 1}}`,
		"lists":      `{"connection": [{"a": [{"provider": "x", "client_id": "y"}]}]}`,
		"expression": `{"connection": {"a": {"provider": "${var.p}", "client_id": 7, "client_secret": "${env(\"S\")}", "tenant": "t", "client_auth": null}}}`,
	} {
		if err := validate(t, s, []byte(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Nothing of the tables is missing in the data.
func TestLanguageIsWhole(t *testing.T) {
	var b bytes.Buffer
	view.WriteLanguage(&b, view.Options{Version: "1.2.3"}, language())
	var doc any
	if err := json.Unmarshal(b.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"blocks.connection.body.attributes.client_secret.sensitive=true",
		"blocks.connection.body.attributes.scopes.kind=scopes",
		"blocks.connection.body.blocks.grant.bodies.device_code.attributes.timeout.kind=duration",
		"blocks.provider.body.blocks.redirect.body.attributes.fixed_port.kind=bool",
		"blocks.oauthctl.body.blocks.state.bodies.sqlite.attributes.path.kind=string",
		"test_blocks.run.body.blocks.sandbox.body.attributes.consent.kind=string",
		"connection_attributes.access_token.sensitive=true",
		"connection_attributes.account.sensitive=false",
		"presets.microsoft.title=Microsoft Entra ID",
		"schema_version=1",
	} {
		path, want, _ := strings.Cut(path, "=")
		at := doc
		for step := range strings.SplitSeq(path, ".") {
			m, _ := at.(map[string]any)
			at = m[step]
		}
		if got := fmt.Sprint(at); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
}

// jsonForm writes native syntax as JSON: what is constant as it is, everything
// else as an expression in a string.
func jsonForm(t *testing.T, name string, text []byte) []byte {
	t.Helper()
	file, diags := hclsyntax.ParseConfig(text, name, hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	out, err := json.MarshalIndent(jsonBody(text, file.Body.(*hclsyntax.Body)), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func jsonBody(text []byte, body *hclsyntax.Body) map[string]any {
	out := map[string]any{}
	for name, a := range body.Attributes {
		out[name] = jsonExpr(text, name, a.Expr)
	}
	for _, b := range body.Blocks {
		if b.Type == "grant" && language().Owned["grant"][b.Labels[0]] == nil {
			continue // the cases of package schema have grants that this version does not
		}
		var inner any = jsonBody(text, b.Body)
		for i := len(b.Labels) - 1; i >= 0; i-- {
			inner = map[string]any{b.Labels[i]: inner}
		}
		list, _ := out[b.Type].([]any)
		out[b.Type] = append(list, inner)
	}
	return out
}

// references are arguments that are read and not evaluated: their text is the value.
var references = map[string]bool{
	"type": true, "from": true, "to": true, "depends_on": true, "replace_triggered_by": true, "ignore_changes": true, "iterator": true,
}

func jsonExpr(text []byte, name string, expr hclsyntax.Expression) any {
	source := string(expr.Range().SliceBytes(text))
	if tuple, ok := expr.(*hclsyntax.TupleConsExpr); ok {
		list := []any{}
		for _, e := range tuple.Exprs {
			list = append(list, jsonExpr(text, name, e))
		}
		return list
	}
	if references[name] {
		return source
	}
	if v, diags := expr.Value(nil); !diags.HasErrors() && v.IsWhollyKnown() && !v.IsNull() && v.Type().IsPrimitiveType() {
		if v.Type() == cty.String {
			return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(v.AsString())
		}
		raw, err := ctyjson.Marshal(v, v.Type())
		if err == nil {
			return json.RawMessage(raw)
		}
	}
	return "${" + source + "}"
}
