// Package schema knows the language: which blocks and attributes a
// configuration has, how expressions are evaluated, and where everything is
// written.
//
// [Load] reads the files of a directory and gives a [Config] together with
// diagnostics that carry file, line and address. Bodies of provider, grant,
// state and sink blocks stay undecoded ([Block]) for the package that owns them.
//
// The package does not know the network, the clock, the state, which presets
// and grants exist, or how diagnostics look on a screen.
package schema

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// loader carries one Load from phase to phase. Every phase reports what it
// finds; a mistake in one does not hide those that another would find.
type loader struct {
	src   Source
	cfg   *Config
	eval  *evaluator
	seen  map[string]hcl.Range // where each name is declared
	diags hcl.Diagnostics

	settingsContent *content

	// Functions are called after Load too, by those who decode blocks.
	mu    sync.Mutex
	texts map[string]string // what file() has read

	variables   []*variableDecl
	valuesLost  bool               // some source of values could not be read
	connections []*connectionBlock // in the order of the files
	outputs     []*outputBlock
	imports     []importBlock
	sinks       []sinkBlock
	idle        []*Block        // of sinks that have no instances
	unfit       *hcl.Diagnostic // required_version is another one
}

// Load reads and checks a configuration. The Config is never nil; it is usable
// only if the diagnostics have no errors.
func Load(ctx context.Context, src Source) (*Config, hcl.Diagnostics) {
	sources := newSources()
	l := &loader{
		src: src,
		cfg: &Config{
			src:       src,
			Variables: map[string]*Variable{},
			Providers: map[string]*Block{},
			Partial:   src.Partial,
			Sources:   sources,
		},
		seen:  map[string]hcl.Range{},
		texts: map[string]string{},
	}
	files := l.readFiles(ctx)
	l.eval = newEvaluator(l.functions(), sources)
	l.cfg.eval, l.eval.makeUp = l.eval, l.src.MakeUp
	if err := ctx.Err(); err != nil {
		l.diags = append(l.diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Interrupted", Detail: "Reading the configuration was interrupted."})
		return l.cfg, l.diags
	}
	if l.diags.HasErrors() { // what follows from half a text is noise
		return l.cfg, tidy(l.diags)
	}
	blocks := l.skeleton(files)
	l.settings(blocks["oauthctl"])
	if l.unfit != nil { // what is a mistake here may be none to a version that fits
		return l.cfg, hcl.Diagnostics{l.unfit}
	}
	l.declareVariables(blocks["variable"])
	l.declareLocals(blocks["locals"])
	l.declareProviders(blocks["provider"])
	l.declareConnections(blocks["connection"])
	l.declareOutputs(blocks["output"])
	l.declareSinks(blocks["sink"])
	l.declareMoved(blocks["moved"])
	l.declareRemoved(blocks["removed"])
	l.declareImports(blocks["import"])
	l.declareChecks(blocks["check"])
	l.assignVariables(ctx)
	l.eval.guessed = l.diags.HasErrors() || src.Partial
	l.resolveOrder()
	l.decodeSettings()
	if !src.OutputsOnly {
		l.evaluateConnections()
		l.checkMoved()
		l.checkRemoved()
		l.expandImports()
		l.checkImports()
	}
	l.expandSinks()
	l.checkUndecoded()
	l.checkOutputs()
	l.checkChecks()
	return l.cfg, tidy(l.diags)
}

// skeleton sorts the top-level blocks of all files by type.
func (l *loader) skeleton(files []*hcl.File) map[string]hcl.Blocks {
	blocks := map[string]hcl.Blocks{}
	for _, f := range files {
		c, diags := readBody(f.Body, fileSpec, "a configuration", f.Body.MissingItemRange())
		l.diags = append(l.diags, diags...)
		for ty, bs := range c.blocks {
			blocks[ty] = append(blocks[ty], bs...)
		}
	}
	return blocks
}

// declare reports a name that is not a name, or that was declared before.
func (l *loader) declare(kind, name string, nameRange, rng hcl.Range) bool {
	if !addr.IsName(name) {
		l.diags = append(l.diags, errorAt(nameRange, "Invalid name",
			"A name starts with a letter or underscore and continues with letters, digits, underscores and dashes, at most 100 of them. %q does not.", name))
		return false
	}
	id := kind + "." + name
	if first, ok := l.seen[id]; ok {
		d := errorAt(rng, fmt.Sprintf("Duplicate %s", kind), "There is already a %s named %q at %s. Rename one of them.", kind, name, place(first))
		if kind == "connection" {
			d.Extra = DiagExtra{Addr: addr.Connection(name)}
		}
		l.diags = append(l.diags, d)
		return false
	}
	l.seen[id] = rng
	return true
}

func (l *loader) declareProviders(blocks hcl.Blocks) {
	for _, b := range blocks {
		if l.declare("provider", b.Labels[0], b.LabelRanges[0], b.DefRange) {
			l.cfg.Providers[b.Labels[0]] = newBlock(b, l.eval, scope{place: "a provider block", variables: true, locals: true})
		}
	}
}

// checkUndecoded evaluates the bodies that other packages decode, so that
// references to nothing are found now, and so that what they need from outside
// is known.
func (l *loader) checkUndecoded() {
	undecoded := slices.Concat(l.cfg.Sinks, l.idle)
	for _, name := range sortedKeys(l.cfg.Providers) {
		undecoded = append(undecoded, l.cfg.Providers[name])
	}
	if l.cfg.Settings.State != nil {
		undecoded = append(undecoded, l.cfg.Settings.State)
	}
	for _, b := range undecoded {
		sc := b.scope
		if b.Type == "provider" {
			sc.extra = map[string]cty.Value{"arg": cty.DynamicVal}
		}
		body, diags := l.eval.expand(b.body, sc)
		l.diags = append(l.diags, about(sc.addr, diags)...)
		if body == b.body && len(dynamics(body)) > 0 {
			continue // not expanded, so that its iterators are nothing
		}
		for _, a := range allAttrs(body) {
			if sc.forEach != nil && a.Expr.Range() == sc.forEach.Expr.Range() {
				continue // it has been evaluated, once for all instances
			}
			sc.secret = sensitiveName(a.Name)
			_, _, diags := l.eval.value(a, sc)
			l.diags = append(l.diags, about(sc.addr, diags)...)
		}
	}
}

// madeUp notes what was invented, once.
func (l *loader) madeUp(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.cfg.MadeUp, what) {
		l.cfg.MadeUp = append(l.cfg.MadeUp, what)
	}
}
