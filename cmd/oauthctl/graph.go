package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/view"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
)

func (c *cli) graphCommand() *cobra.Command {
	var vars varFlags
	kind := choice{value: "config", of: []string{"config", "plan"}}
	format := choice{value: "dot", of: []string{"dot", "mermaid"}}
	cmd := &cobra.Command{
		Use:   "graph",
		Short: "Draw what depends on what",
		Long: "Print the connections and sinks with what they depend on, and the imports they begin with, for Graphviz (dot) or for Mermaid in Markdown. " +
			"With -type=plan it is every instance, and what a plan would do to it.",
		Example: "oauthctl graph -type=plan | dot -Tsvg > graph.svg",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.view = c.newView(false, false)
			g, err := c.graph(cmd.Context(), &vars, kind.value == "plan")
			if err != nil {
				return err
			}
			if format.value == "mermaid" {
				return view.Mermaid(&c.out, g)
			}
			return view.DOT(&c.out, g)
		},
	}
	fs := cmd.Flags()
	fs.Var(&kind, "type", "`TYPE` is config (the blocks) or plan (the instances, and what would happen to them)")
	fs.Var(&format, "format", "`FORMAT` is dot or mermaid")
	vars.register(fs)
	_ = cmd.RegisterFlagCompletionFunc("type", kind.complete)
	_ = cmd.RegisterFlagCompletionFunc("format", format.complete)
	return cmd
}

func (c *cli) graph(ctx context.Context, vars *varFlags, planned bool) (g view.Graph, err error) {
	if planned {
		return c.planGraph(ctx, vars)
	}
	src, err := c.source(vars)
	if err != nil {
		return g, err
	}
	src.Partial = true // what depends on what is known without the environment
	cfg, diags := schema.Load(ctx, src)
	if err := c.show(diags, cfg.Sources); err != nil {
		return g, err
	}
	return configGraph(cfg), nil
}

// configGraph has a node for each block.
func configGraph(cfg *schema.Config) view.Graph {
	var g view.Graph
	for from := 0; from < len(cfg.Connections); {
		block, to := cfg.Connections[from].Addr.Block(), from
		n := view.GraphNode{Addr: block}
		for ; to < len(cfg.Connections) && cfg.Connections[to].Addr.Block() == block; to++ {
			n.Needs = append(n.Needs, cfg.Connections[to].DependsOn...)
		}
		if p := cfg.Connections[from].Provider; p != "" {
			n.Lines = append(n.Lines, p)
		}
		if cfg.Connections[from].Addr.Keyed {
			n.Lines = append(n.Lines, "instances: "+strconv.Itoa(to-from))
		}
		n.Needs = blocksOf(n.Needs)
		g.Nodes = append(g.Nodes, n)
		from = to
	}
	for i, b := range cfg.Sinks {
		if i == 0 || cfg.Sinks[i-1].Addr().Block() != b.Addr().Block() {
			g.Nodes = append(g.Nodes, view.GraphNode{Addr: b.Addr().Block()})
		}
		n := &g.Nodes[len(g.Nodes)-1]
		if n.Needs = blocksOf(append(n.Needs, b.Needs()...)); b.Addr().Keyed {
			n.Lines = []string{"instances: " + strconv.Itoa(instances(cfg.Sinks, n.Addr))}
		}
	}
	slices.SortFunc(g.Nodes, func(a, b view.GraphNode) int { return addr.Compare(a.Addr, b.Addr) })
	for _, im := range cfg.Imports {
		g.Imports = append(g.Imports, im.To)
	}
	g.Imports = blocksOf(g.Imports)
	return g
}

func instances(sinks []*schema.Block, block addr.Addr) (n int) {
	for _, b := range sinks {
		if b.Addr().Block() == block {
			n++
		}
	}
	return n
}

func blocksOf(list []addr.Addr) []addr.Addr {
	for i := range list {
		list[i] = list[i].Block()
	}
	slices.SortFunc(list, addr.Compare)
	return slices.Compact(list)
}

func (c *cli) planGraph(ctx context.Context, vars *varFlags) (g view.Graph, err error) {
	f := planFlags{vars: *vars, input: inputFlags{set: true}, work: workFlags{parallelism: 1}}
	s, err := c.begin(ctx, &f)
	if err != nil {
		return g, err
	}
	defer s.close()
	p, err := s.plan(ctx, &f)
	if err != nil {
		return g, err
	}
	for i := range p.Changes {
		ch := &p.Changes[i]
		n := view.GraphNode{Addr: ch.Addr, Lines: []string{ch.Action.Symbol() + " " + string(ch.Action)}, Needs: ch.DependsOn}
		if ch.Action == plan.NoOp {
			n.Lines, n.Faint = []string{string(plan.NoOp)}, true
		}
		if ch.NeedsUser {
			n.Lines = append(n.Lines, "needs a person")
		}
		if ch.Action == plan.Import {
			g.Imports = append(g.Imports, ch.Addr)
		}
		g.Nodes = append(g.Nodes, n)
	}
	return g, nil
}

// choice is a flag with one of some values.
type choice struct {
	value string
	of    []string
}

func (f *choice) String() string { return f.value }

// Type implements pflag.Value.
func (f *choice) Type() string { return "WORD" }

// Set implements pflag.Value.
func (f *choice) Set(s string) error {
	if !slices.Contains(f.of, s) {
		return fmt.Errorf("want %s%s", strings.Join(f.of, " or "), didYouMean(schema.Suggest(s, f.of)))
	}
	f.value = s
	return nil
}

func (f *choice) complete(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return f.of, cobra.ShellCompDirectiveNoFileComp
}
