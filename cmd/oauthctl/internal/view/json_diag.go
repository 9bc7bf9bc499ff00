package view

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema"
)

// jsonDiag is a diagnostic in the shape of "terraform validate -json"; what
// errors of oauthctl know besides is in members of our own.
type jsonDiag struct {
	Severity string       `json:"severity"`
	Summary  string       `json:"summary"`
	Detail   string       `json:"detail"`
	Address  string       `json:"address,omitempty"`
	Range    *jsonRange   `json:"range,omitempty"`
	Snippet  *jsonSnippet `json:"snippet,omitempty"`
	Error    *jsonError   `json:"error,omitempty"`
}

type jsonRange struct {
	Filename string  `json:"filename"`
	Start    jsonPos `json:"start"`
	End      jsonPos `json:"end"`
}

type jsonPos struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

// jsonSnippet is the first line of the range, sensitive values replaced.
type jsonSnippet struct {
	Context   *string `json:"context"`
	Code      string  `json:"code"`
	StartLine int     `json:"start_line"`
	// Offsets in bytes of Code.
	HighlightStart int         `json:"highlight_start_offset"`
	HighlightEnd   int         `json:"highlight_end_offset"`
	Values         []jsonValue `json:"values"`
}

// jsonValue is the value of a reference in a snippet, in words.
type jsonValue struct {
	Traversal string `json:"traversal"`
	Statement string `json:"statement"`
}

// jsonFailure is an error as it stands in events and results.
type jsonFailure struct {
	Summary string `json:"summary"`
	Detail  string `json:"detail"`
	jsonError
}

// jsonError is what an engine or flow error knows.
type jsonError struct {
	Class      string `json:"class"`
	Code       string `json:"code,omitempty"`
	Step       string `json:"step,omitempty"`
	Hint       string `json:"hint,omitempty"`
	Remedy     string `json:"remedy,omitempty"`
	Outcome    string `json:"outcome,omitempty"`
	HTTPStatus int    `json:"http_status,omitempty"`
	RetryAfter int64  `json:"retry_after_seconds,omitempty"`
}

func (o *Options) jsonDiag(d *hcl.Diagnostic, src *schema.Sources) jsonDiag {
	out := jsonDiag{Severity: "error", Summary: d.Summary, Detail: o.commands(d.Detail), Address: schema.AddrOf(d).String()}
	if d.Severity == hcl.DiagWarning {
		out.Severity = "warning"
	}
	r := d.Subject
	if r == nil {
		return out
	}
	out.Range = &jsonRange{
		Filename: r.Filename,
		Start:    jsonPos{r.Start.Line, r.Start.Column, r.Start.Byte},
		End:      jsonPos{r.End.Line, r.End.Column, r.End.Byte},
	}
	if src == nil {
		return out
	}
	code, ok := src.Snippet(*r)
	if !ok {
		return out
	}
	from, to := span(code)
	out.Snippet = &jsonSnippet{Code: code.Text, StartLine: r.Start.Line, HighlightStart: from, HighlightEnd: to, Values: []jsonValue{}}
	for _, v := range schema.ValuesOf(d) {
		out.Snippet.Values = append(out.Snippet.Values, jsonValue{v.Expr, statement(v.Value)})
	}
	if in := enclosing(src, r); in != "" {
		out.Snippet.Context = &in
	}
	return out
}

// jsonDiagOfFailure is an error that is not about a place in a file.
func (o *Options) jsonDiagOfFailure(f failure) jsonDiag {
	e := o.jsonError(f)
	return jsonDiag{Severity: "error", Summary: f.Title, Detail: f.what(), Address: f.Addr.String(), Error: &e}
}

// jsonFailureOf is the first of what an error holds, or nil.
func (o *Options) jsonFailure(err error) *jsonFailure {
	fs := failures(err)
	if len(fs) == 0 {
		return nil
	}
	return &jsonFailure{fs[0].Title, fs[0].what(), o.jsonError(fs[0])}
}

func (o *Options) jsonError(f failure) jsonError {
	class := f.Class
	if class == "" {
		class = engine.ClassError
	}
	return jsonError{
		Class: string(class), Code: f.Code, Step: f.Step, Hint: f.Hint, Remedy: o.commands(f.Remedy),
		Outcome: string(f.Outcome), HTTPStatus: f.Status, RetryAfter: seconds(f.Retry),
	}
}
