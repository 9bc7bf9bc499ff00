package view

import (
	"bytes"
	"encoding/json"
	"io"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/state"
)

// FormatVersion is the version of every JSON document. The minor part rises
// with members that are added, the major part with anything else.
const FormatVersion = "1.0"

// programs is the view for programs.
type programs struct {
	o     Options
	began bool // the version event of a stream has been written
}

var _ View = (*programs)(nil)

// NewJSON returns the view for programs: one JSON document for plan, show,
// status, validate and version; newline-delimited events for apply.
func NewJSON(o Options) View {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &programs{o: o}
}

// write sends one document as one line.
func write(w io.Writer, v any) {
	doc, err := marshal(v)
	if err != nil {
		// Only a value that JSON cannot hold gets here; the types below have none.
		doc = []byte(`{"format_version":"` + FormatVersion + `","type":"internal_error"}`)
	}
	_, _ = w.Write(append(safeJSON(doc), '\n'))
}

// marshal leaves <, > and & alone: nobody puts this into a web page unescaped,
// and URLs stay readable.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// jsonHead stands at the start of every document.
type jsonHead struct {
	FormatVersion string `json:"format_version"`
	Version       string `json:"oauthctl_version,omitempty"`
	Sandbox       bool   `json:"sandbox,omitempty"`
}

func (j *programs) head() jsonHead {
	return jsonHead{FormatVersion: FormatVersion, Version: j.o.Version, Sandbox: j.o.Sandbox}
}

// list makes an empty list of a nil one: consumers iterate without asking.
func list[T any](in []T) []T {
	if in == nil {
		return []T{}
	}
	return in
}

// at writes an instant, or nothing.
func at(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Second)
	return &t
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// Note implements View: nothing for programs.
func (j *programs) Note(string, ...any) {}

// Version implements View.
func (j *programs) Version(v VersionInfo) {
	write(j.o.Out, struct {
		FormatVersion string `json:"format_version"`
		Version       string `json:"version"`
		Commit        string `json:"commit,omitempty"`
		Date          string `json:"date,omitempty"`
		Go            string `json:"go,omitempty"`
		Platform      string `json:"platform,omitempty"`
		StateFormat   int    `json:"state_format,omitempty"`
	}{FormatVersion, v.Version, v.Commit, v.Date, v.Go, v.Platform, v.StateFormat})
}

// Addresses implements View.
func (j *programs) Addresses(rows []state.Summary) {
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = r.Addr.String()
	}
	write(j.o.Out, struct {
		jsonHead
		Addresses []string `json:"addresses"`
	}{j.head(), names})
}

// Providers implements View.
func (j *programs) Providers(all []providers.Entry) {
	type argument struct {
		Name     string `json:"name"`
		Required bool   `json:"required"`
		Default  string `json:"default,omitempty"`
		Doc      string `json:"description,omitempty"`
		Pattern  string `json:"pattern,omitempty"`
		Example  string `json:"example,omitempty"`
	}
	type entry struct {
		Name      string     `json:"name"`
		Title     string     `json:"title"`
		Docs      string     `json:"docs,omitempty"`
		Arguments []argument `json:"arguments"`
	}
	out := make([]entry, len(all))
	for i, e := range all {
		out[i] = entry{e.Name, e.Title, e.Docs, []argument{}}
		for _, a := range e.Arguments {
			out[i].Arguments = append(out[i].Arguments, argument{a.Name, a.Required, a.Default, a.Doc, a.Pattern, a.Example})
		}
	}
	write(j.o.Out, struct {
		jsonHead
		Providers []entry `json:"providers"`
	}{j.head(), out})
}

// Diagnostics implements View.
func (j *programs) Diagnostics(diags hcl.Diagnostics, src *schema.Sources) {
	for _, d := range sorted(diags) {
		j.message(j.o.jsonDiag(d, src))
	}
}

// Error implements View.
func (j *programs) Error(err error) {
	for _, f := range failures(err) {
		j.message(j.o.jsonDiagOfFailure(f))
	}
}

// message writes a diagnostic as an event: into the stream, or beside the document.
func (j *programs) message(d jsonDiag) {
	w := j.o.Err
	if j.o.Stream {
		j.begin()
		w = j.o.Out
	}
	e := j.event("diagnostic", d.Severity, capitalSeverity(d.Severity)+": "+d.Summary)
	e.Diagnostic = &d
	write(w, e)
}

func capitalSeverity(s string) string {
	if s == "warning" {
		return "Warning"
	}
	return "Error"
}

// Validated implements View.
func (j *programs) Validated(diags hcl.Diagnostics, src *schema.Sources) {
	errs, warns := tally(diags)
	doc := struct {
		FormatVersion string     `json:"format_version"`
		Valid         bool       `json:"valid"`
		ErrorCount    int        `json:"error_count"`
		WarningCount  int        `json:"warning_count"`
		Diagnostics   []jsonDiag `json:"diagnostics"`
	}{FormatVersion, errs == 0, errs, warns, []jsonDiag{}}
	for _, d := range sorted(diags) {
		doc.Diagnostics = append(doc.Diagnostics, j.o.jsonDiag(d, src))
	}
	write(j.o.Out, doc)
}

// jsonCounts are the numbers of a plan or of an apply.
type jsonCounts struct {
	Authorize   int `json:"authorize"`
	Import      int `json:"import"`
	Reauthorize int `json:"reauthorize"`
	Refresh     int `json:"refresh"`
	Update      int `json:"update"`
	Revoke      int `json:"revoke"`
	Forget      int `json:"forget"`
	Publish     int `json:"publish"`
	Remove      int `json:"remove"`
	Move        int `json:"move"`
	NoOp        int `json:"no_op"`
	NeedUser    int `json:"needs_user"`
}
