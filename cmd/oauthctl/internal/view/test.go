package view

import (
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema"
)

// TestStatus is what became of a test.
type TestStatus string

// The ends of a test. An error stops the file: what comes after it is skipped.
const (
	TestPass  TestStatus = "pass"
	TestFail  TestStatus = "fail"
	TestError TestStatus = "error"
	TestSkip  TestStatus = "skip"
)

// TestFile is what became of a file of tests.
type TestFile struct {
	Name   string
	Status TestStatus
	Runs   []TestRun
	// What is wrong with the file itself, or with what was left at its end.
	Diags   hcl.Diagnostics
	Sources *schema.Sources
	Errs    []error
}

// TestRun is what became of one run.
type TestRun struct {
	File, Name string
	Status     TestStatus
	Diags      hcl.Diagnostics
	Sources    *schema.Sources
	Errs       []error
	Elapsed    time.Duration
	Plan       *plan.Plan      // with -verbose
	Outputs    []schema.Output // likewise, of an apply
}

// testCounts are how many runs ended how.
func testCounts(files []TestFile) map[TestStatus]int {
	n := map[TestStatus]int{}
	for _, f := range files {
		for _, r := range f.Runs {
			n[r.Status]++
		}
	}
	return n
}

// testsStatus is what became of all of them.
func testsStatus(files []TestFile) TestStatus {
	status := TestPass
	for _, f := range files {
		if f.Status == TestError || f.Status == TestFail && status == TestPass {
			status = f.Status
		}
	}
	return status
}

// testSummary is the last line: "Success! 3 passed, 0 failed.".
func testSummary(files []TestFile) (head, rest string) {
	if len(files) == 0 {
		return "No tests.", ""
	}
	n := testCounts(files)
	head = "Success!"
	if testsStatus(files) != TestPass {
		head = "Failure!"
	}
	rest = number(n[TestPass]) + " passed, " + number(n[TestFail]+n[TestError]) + " failed"
	if n[TestSkip] > 0 {
		rest += ", " + number(n[TestSkip]) + " skipped"
	}
	if broken := brokenFiles(files); broken > 0 {
		rest += "; " + count(broken, "file") + " with errors"
	}
	return head, rest + "."
}

// brokenFiles counts files with problems of their own.
func brokenFiles(files []TestFile) int {
	n := 0
	for _, f := range files {
		if f.Diags.HasErrors() || len(f.Errs) > 0 {
			n++
		}
	}
	return n
}

func (p *page) testStatus(s TestStatus) string {
	switch s {
	case TestPass:
		return p.Good.On(string(s))
	case TestSkip:
		return p.Dim.On(string(s))
	}
	return p.Bad.On(string(s))
}

// TestedRun implements View.
func (h *human) TestedRun(r TestRun) {
	p := h.out()
	p.line(`  run "`, Safe(r.Name), `"... `, p.testStatus(r.Status))
	p.flush()
	if r.Plan != nil {
		h.Plan(r.Plan)
	}
	if len(r.Outputs) > 0 {
		h.Outputs(r.Outputs)
	}
	h.Diagnostics(r.Diags, r.Sources)
	for _, err := range r.Errs {
		h.Error(err)
	}
}

// TestingFile implements View.
func (h *human) TestingFile(name string) {
	p := h.out()
	defer p.flush()
	p.line(Safe(name))
}

// TestedFile implements View.
func (h *human) TestedFile(f TestFile) {
	h.Diagnostics(f.Diags, f.Sources)
	for _, err := range f.Errs {
		h.Error(err)
	}
	if f.Status != TestPass {
		p := h.out()
		defer p.flush()
		p.line(Safe(f.Name), "... ", p.testStatus(f.Status))
	}
}

// Tested implements View.
func (h *human) Tested(files []TestFile, looked string) {
	p := h.out()
	defer p.flush()
	head, rest := testSummary(files)
	paint := p.Good
	switch {
	case len(files) == 0:
		p.flow(0, 0, seg{p.Warn, head, false}, seg{Paint{}, " There is no *.oauthtest.hcl in " + Safe(looked) + ".", false})
		return
	case testsStatus(files) != TestPass:
		paint = p.Bad
	}
	p.line()
	p.flow(0, 0, seg{paint, head, false}, seg{Paint{}, " " + rest, false})
}
