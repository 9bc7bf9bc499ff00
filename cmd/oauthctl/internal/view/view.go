// Package view is the only room that formats. A [View] says what happened, to a
// person ([NewHuman]) or to a program ([NewJSON], documented in
// docs/json-output.md).
//
// The package does not know flags, files, the network, or how anything is done.
package view

import (
	"io"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/state"
)

// Options of a View.
type Options struct {
	Out, Err io.Writer // results; everything else
	Color    bool
	Dark     bool // the terminal's background
	Width    int  // columns; 0: 80
	Now      func() time.Time
	Version  string
	Sandbox  bool // say so in headers and summaries
	// Flags are the global flags of this run that a later command about the same
	// connections needs as well ("-sandbox", "-chdir=DIR"). They are put into
	// every command line that is printed.
	Flags []string
	// Live: Err is a terminal, with somebody who watches. Elsewhere a log needs
	// one line for what has ended, and none for what has begun.
	Live bool
	// Stream makes a JSON view write everything as events on Out, plans and
	// errors included: for apply, destroy and refresh. Without it a plan is one
	// document on Out, and diagnostics are lines on Err.
	Stream bool
}

// View shows results. Everything that a server said has been escaped before it is written.
type View interface {
	// Diagnostics shows errors and warnings of the configuration, with snippets, on Err.
	Diagnostics(diags hcl.Diagnostics, src *schema.Sources)
	// Validated ends "validate".
	Validated(diags hcl.Diagnostics, src *schema.Sources)
	// Plan shows what would happen and ends with the summary line.
	Plan(p *plan.Plan)
	// Event shows one step of an apply while it runs.
	Event(e engine.Event)
	// Applied ends an apply: what is done, failed, skipped and waiting for whom; then the outputs.
	Applied(out *engine.Outcome, verb string)
	// Status shows the table of connections: what expires when, what needs whom; and
	// the files of emergency copies that wait.
	Status(rows []state.Summary, location string, warn time.Duration, copies []string)
	// Record shows one connection in full, tokens never.
	Record(r *state.Record)
	// Records shows several connections.
	Records(rs []*state.Record, outs []schema.Output)
	// Key shows what may be told of the key that opens the state.
	Key(k Key)
	// Orphans lists what is left at servers of a state that nobody can open.
	Orphans(list []engine.Orphan, location string)
	// Outputs shows output values; sensitive ones are hidden.
	Outputs(outs []schema.Output)
	// Value shows the value of an expression, or its type if typ is not empty; what
	// is sensitive is hidden.
	Value(v cty.Value, typ string)
	// TestingFile says that the tests of a file begin.
	TestingFile(name string)
	// TestedRun and TestedFile say what became of a run, and of a file.
	TestedRun(r TestRun)
	TestedFile(f TestFile)
	// Tested ends "test". looked is where files of tests were looked for.
	Tested(files []TestFile, looked string)
	// Addresses lists addresses, one a line.
	Addresses(rows []state.Summary)
	// Locks lists who is at work on which connection.
	Locks(held []state.Held)
	// History lists generations of records: what made them, when, and their status.
	History(all []engine.Generation)
	// Recovered says what became of emergency copies, or could.
	Recovered(found []engine.Recovered, mode RecoverMode)
	// Providers lists the catalogue.
	Providers(list []providers.Entry)
	// KnownErrors explains what was found in a message, and names what is not known.
	KnownErrors(found []providers.KnownError, unknown []providers.UnknownCode)
	// Scopes explains scope aliases.
	Scopes(rows []providers.ScopeRow)
	// Version shows the program's version.
	Version(v VersionInfo)
	// Error shows a failure on Err: what was being done, what went wrong, what to do now.
	Error(err error)
	// Note says one line to the person on Err; nothing in JSON.
	Note(format string, args ...any)
}

// VersionInfo is what "version" tells.
type VersionInfo struct {
	Version, Commit, Date, Go, Platform string
	StateFormat                         int
}
