package view

import (
	"errors"
	"strings"
	"time"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// failure is an error taken apart: what was being done, what went wrong, what
// to do now. Both views show it.
type failure struct {
	Title   string // what could not be done, or the whole text of a plain error
	Addr    addr.Addr
	Class   engine.Class
	Before  string // what is said around the server's words
	Cause   string // what went wrong
	Step    string // that failed
	Code    string // of the server
	Hint    string
	Remedy  string
	Retry   time.Duration
	Status  int
	Outcome grant.Outcome
	brief   bool // the step is of no interest
}

// failures takes an error apart; joined errors become one failure each.
func failures(err error) []failure {
	if err == nil {
		return nil
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var out []failure
		for _, e := range many.Unwrap() {
			out = append(out, failures(e)...)
		}
		if len(out) > 0 && !oneText(err, many.Unwrap()) {
			return out
		}
	}
	return []failure{explain(err)}
}

// oneText reports whether an error that wraps several is one sentence (as
// fmt.Errorf with two %w makes) and not a list (as errors.Join makes).
func oneText(err error, parts []error) bool {
	texts := make([]string, 0, len(parts))
	for _, e := range parts {
		if e != nil {
			texts = append(texts, e.Error())
		}
	}
	return err.Error() != strings.Join(texts, "\n")
}

// explain takes one error apart.
func explain(err error) failure {
	var f failure
	var ee *engine.Error
	var ge *grant.Error
	isEngine, isGrant := errors.As(err, &ee), errors.As(err, &ge)
	switch {
	case isEngine:
		f.Title, f.Addr, f.Class, f.Remedy = joined(around(err, ee), could(ee.Doing)), ee.Addr, ee.Class, ee.Remedy
		if isGrant {
			f.server(ge)
			f.Before = around(ee.Err, ge)
			f.step(ee.Doing, ge.Doing)
		} else {
			f.Cause = ee.Cause()
		}
	case isGrant:
		f.Title = joined(around(err, ge), could(ge.Doing))
		f.server(ge)
	default:
		f.Title = err.Error()
	}
	if f.Title == "" {
		f.Title, f.Cause = f.Cause, ""
	}
	return f
}

// step keeps the step that failed, if it says more than the title. One that
// begins with what the title says takes its place.
func (f *failure) step(doing, step string) {
	more, same := strings.CutPrefix(step, doing)
	switch {
	case !same:
		f.Step = step
	case strings.HasPrefix(more, " "):
		f.Title += more
	}
}

// server adds what a flow knows.
func (f *failure) server(ge *grant.Error) {
	if ge.Kind == grant.Interrupted {
		f.brief = true
	}
	f.Code, f.Hint, f.Retry, f.Status, f.Outcome = ge.Code, ge.Hint, ge.RetryAfter, ge.Status, ge.Outcome
	f.Cause = ge.Detail
	if f.Cause == "" && ge.Err != nil {
		f.Cause = ge.Err.Error()
	}
	if f.Remedy == "" {
		f.Remedy = ge.Remedy
	}
}

// around is what an error that wraps another one says before it.
func around(outer, inner error) string {
	before, ok := strings.CutSuffix(outer.Error(), inner.Error())
	if !ok {
		return ""
	}
	return strings.TrimSuffix(strings.TrimSpace(before), ":")
}

// joined joins what is said before with what follows.
func joined(before, text string) string {
	if before == "" || text == "" {
		return before + text
	}
	return before + ": " + text
}

// could puts "refresh connection.graph" into "could not refresh connection.graph".
func could(doing string) string {
	if doing == "" {
		return ""
	}
	return "could not " + doing
}

// what is the server's code and its explanation, or the cause.
func (f failure) what() string {
	status := ""
	if f.Status != 0 {
		status = " (HTTP " + itoa(f.Status) + ")"
	}
	said := ""
	switch {
	case f.Code != "" && (f.Cause == "" || f.Cause == f.Code):
		said = "the server said " + f.Code + status
	case f.Code != "":
		said = "the server said " + f.Code + status + ": " + f.Cause
	case f.Cause != "":
		said = f.Cause + status
	case status != "":
		said = "the answer of the server cannot be used" + status
	}
	return joined(f.Before, said)
}
