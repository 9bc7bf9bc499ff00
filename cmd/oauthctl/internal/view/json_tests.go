package view

import (
	"html"
	"io"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// jsonTest is what test_file, test_run and test_summary tell.
type jsonTest struct {
	File    string     `json:"file,omitempty"`
	Run     string     `json:"run,omitempty"`
	Status  TestStatus `json:"status"`
	Passed  *int       `json:"passed,omitempty"`
	Failed  *int       `json:"failed,omitempty"`
	Errored *int       `json:"errored,omitempty"`
	Skipped *int       `json:"skipped,omitempty"`
}

func (j *programs) testEvent(kind, message string, t jsonTest) {
	j.begin()
	level := "info"
	if t.Status == TestFail || t.Status == TestError {
		level = "error"
	}
	e := j.event(kind, level, message)
	e.Test = &t
	write(j.o.Out, e)
}

// TestingFile implements View: the events of its runs say where they are.
func (j *programs) TestingFile(string) {}

// TestedRun implements View.
func (j *programs) TestedRun(r TestRun) {
	j.testEvent("test_run", r.File+": run "+strconv.Quote(r.Name)+": "+string(r.Status), jsonTest{File: r.File, Run: r.Name, Status: r.Status})
	if r.Plan != nil {
		j.planEvents(r.Plan)
	}
	j.Diagnostics(r.Diags, r.Sources)
	for _, err := range r.Errs {
		j.Error(err)
	}
}

// TestedFile implements View.
func (j *programs) TestedFile(f TestFile) {
	j.Diagnostics(f.Diags, f.Sources)
	for _, err := range f.Errs {
		j.Error(err)
	}
	j.testEvent("test_file", f.Name+": "+string(f.Status), jsonTest{File: f.Name, Status: f.Status})
}

// Tested implements View.
func (j *programs) Tested(files []TestFile, _ string) {
	head, rest := testSummary(files)
	n := testCounts(files)
	number := func(s TestStatus) *int { v := n[s]; return &v }
	j.testEvent("test_summary", strings.TrimSpace(head+" "+rest), jsonTest{
		Status: testsStatus(files),
		Passed: number(TestPass), Failed: number(TestFail), Errored: number(TestError), Skipped: number(TestSkip),
	})
}

// JUnit writes results in the XML that build servers read.
func JUnit(w io.Writer, files []TestFile) error {
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
	n := testCounts(files)
	b.WriteString("<testsuites" + junitCounts(n) + ">\n")
	for _, f := range files {
		n := testCounts([]TestFile{f})
		if brokenFiles([]TestFile{f}) > 0 {
			n[TestError]++
		}
		b.WriteString("  <testsuite" + attribute("name", f.Name) + junitCounts(n) + ">\n")
		for _, r := range f.Runs {
			junitCase(&b, f.Name, r)
		}
		if brokenFiles([]TestFile{f}) > 0 {
			junitCase(&b, f.Name, TestRun{Name: "(file)", Status: TestError, Diags: f.Diags, Errs: f.Errs})
		}
		b.WriteString("  </testsuite>\n")
	}
	b.WriteString("</testsuites>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func junitCounts(n map[TestStatus]int) string {
	total := n[TestPass] + n[TestFail] + n[TestError] + n[TestSkip]
	return attribute("tests", itoa(total)) + attribute("failures", itoa(n[TestFail])) +
		attribute("errors", itoa(n[TestError])) + attribute("skipped", itoa(n[TestSkip]))
}

func junitCase(b *strings.Builder, file string, r TestRun) {
	b.WriteString("    <testcase" + attribute("name", r.Name) + attribute("classname", file) +
		attribute("time", strconv.FormatFloat(r.Elapsed.Seconds(), 'f', 3, 64)))
	if r.Status == TestPass {
		b.WriteString("/>\n")
		return
	}
	b.WriteString(">\n")
	element := map[TestStatus]string{TestFail: "failure", TestError: "error", TestSkip: "skipped"}[r.Status]
	if r.Status == TestSkip {
		b.WriteString("      <skipped/>\n")
	} else {
		title, text := junitText(r)
		b.WriteString("      <" + element + attribute("message", title) + ">" + html.EscapeString(SafeText(text)) + "</" + element + ">\n")
	}
	b.WriteString("    </testcase>\n")
}

// junitText is the first problem of a run, and all of them.
func junitText(r TestRun) (title, text string) {
	var all []string
	for _, d := range r.Diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		where := ""
		if d.Subject != nil {
			where = d.Subject.Filename + ":" + itoa(d.Subject.Start.Line) + ": "
		}
		all = append(all, where+d.Summary+": "+d.Detail)
		title = firstOf(title, d.Summary)
	}
	for _, err := range r.Errs {
		for _, f := range failures(err) {
			line := f.Title
			if f.what() != "" {
				line += ": " + f.what()
			}
			all = append(all, line)
			title = firstOf(title, f.Title)
		}
	}
	return title, strings.Join(all, "\n")
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func attribute(name, value string) string {
	return " " + name + `="` + html.EscapeString(Safe(value)) + `"`
}
