package view

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema"
)

// sampleTests have a run of every status, and a file that cannot be read.
func sampleTests(t *testing.T) []TestFile {
	t.Helper()
	diags, src := sampleDiags(t)
	failed := &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: "Assertion failed", Detail: "Another <account> has consented.", Subject: diags[1].Subject,
		Extra: schema.DiagExtra{Values: []schema.DiagValue{
			{Expr: "connection.graph.account", Value: cty.StringVal("bob@example.org")},
			{Expr: "connection.graph.access_token", Value: cty.StringVal("hunter2").Mark(schema.Sensitive)},
			{Expr: "connection.crm.expires_at", Value: cty.UnknownVal(cty.String)},
		}},
	}
	const file = "tests/graph.oauthtest.hcl"
	return []TestFile{
		{Name: file, Status: TestError, Runs: []TestRun{
			{File: file, Name: "plan", Status: TestPass, Elapsed: 12 * time.Millisecond},
			{File: file, Name: "consent", Status: TestFail, Diags: hcl.Diagnostics{failed}, Sources: src, Elapsed: time.Second},
			{File: file, Name: "outage", Status: TestError, Errs: sampleErrors()[1:2]},
			{File: file, Name: "after", Status: TestSkip},
		}},
		{Name: "broken.oauthtest.hcl", Status: TestError, Diags: diags[5:6], Sources: src, Errs: []error{errors.New("could not clean up")}},
	}
}

func showTests(t *testing.T, v View) {
	t.Helper()
	files := sampleTests(t)
	for _, f := range files {
		v.TestingFile(f.Name)
		for _, r := range f.Runs {
			v.TestedRun(r)
		}
		v.TestedFile(f)
	}
	v.Tested(files, ".")
}

// The XML is well-formed whatever stands in names and messages.
func TestJUnit(t *testing.T) {
	files := sampleTests(t)
	var b bytes.Buffer
	if err := JUnit(&b, files); err != nil {
		t.Fatal(err)
	}
	golden(t, "junit", b.String())
	files[0].Runs[1].Name = "\x00\x1b]]>&\"<\u202e\xff"
	files[0].Runs[1].Diags[0].Detail = "]]></failure>\x00\n\u0085"
	b.Reset()
	if err := JUnit(&b, files); err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(&b); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
