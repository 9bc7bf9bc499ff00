package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// Graph is what depends on what. Imports are those of the nodes that begin with a
// refresh token: each depends on a node of its own.
type Graph struct {
	Nodes   []GraphNode
	Imports []addr.Addr
}

// GraphNode is a connection or a sink. Needs are those of the other nodes that
// it depends on; addresses that are no nodes are left out.
type GraphNode struct {
	Addr  addr.Addr
	Lines []string // below the address
	Faint bool     // nothing happens to it
	Needs []addr.Addr
}

// index is the place of each node, by its address.
func (g *Graph) index() map[addr.Addr]int {
	at := make(map[addr.Addr]int, len(g.Nodes))
	for i := range g.Nodes {
		at[g.Nodes[i].Addr] = i
	}
	return at
}

// DOT writes a graph in the language of Graphviz. An arrow leads from what
// depends to what it depends on, as in Terraform.
func DOT(w io.Writer, g Graph) error {
	var b strings.Builder
	b.WriteString("digraph {\n  rankdir = \"RL\"\n  node [shape = \"box\"]\n")
	for _, n := range g.Nodes {
		attrs := "label = " + dotQuote(strings.Join(append([]string{n.Addr.String()}, n.Lines...), "\n"))
		if n.Addr.Kind == addr.KindSink {
			attrs += `, shape = "cds"`
		}
		if n.Faint {
			attrs += `, style = "dashed"`
		}
		fmt.Fprintf(&b, "  %s [%s]\n", dotQuote(n.Addr.String()), attrs)
	}
	for _, a := range g.Imports {
		fmt.Fprintf(&b, "  %s [shape = \"note\"]\n", dotQuote("import "+a.String()))
	}
	at := g.index()
	for _, n := range g.Nodes {
		for _, need := range n.Needs {
			if _, ok := at[need]; ok {
				fmt.Fprintf(&b, "  %s -> %s\n", dotQuote(n.Addr.String()), dotQuote(need.String()))
			}
		}
	}
	for _, a := range g.Imports {
		fmt.Fprintf(&b, "  %s -> %s\n", dotQuote(a.String()), dotQuote("import "+a.String()))
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// dotQuote writes a string: a backslash begins an escape in a label, so that
// every one is doubled, and lines are parted by \n.
func dotQuote(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(Safe(l))
	}
	return `"` + strings.Join(lines, `\n`) + `"`
}

// Mermaid writes a graph as a flowchart for Markdown.
func Mermaid(w io.Writer, g Graph) error {
	var b strings.Builder
	b.WriteString("flowchart RL\n")
	for i, n := range g.Nodes {
		open, shut := `["`, `"]`
		if n.Addr.Kind == addr.KindSink {
			open, shut = `>"`, `"]`
		}
		lines := append([]string{n.Addr.String()}, n.Lines...)
		for k, l := range lines {
			lines[k] = mermaidText(l)
		}
		fmt.Fprintf(&b, "  n%d%s%s%s\n", i, open, strings.Join(lines, "<br/>"), shut)
	}
	at := g.index()
	for k, a := range g.Imports {
		fmt.Fprintf(&b, "  i%d[/\"%s\"/]\n", k, mermaidText("import "+a.String()))
	}
	for i, n := range g.Nodes {
		for _, need := range n.Needs {
			if k, ok := at[need]; ok {
				fmt.Fprintf(&b, "  n%d --> n%d\n", i, k)
			}
		}
	}
	for k, a := range g.Imports {
		if i, ok := at[a]; ok {
			fmt.Fprintf(&b, "  n%d --> i%d\n", i, k)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// mermaidText writes what Mermaid, or the page around it, would take for markup
// as character codes.
func mermaidText(s string) string {
	var b strings.Builder
	for _, r := range Safe(s) {
		if strings.ContainsRune("\"#&;<>`\\*%{}|", r) {
			fmt.Fprintf(&b, "#%d;", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
