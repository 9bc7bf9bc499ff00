package providers

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
)

//go:embed catalog/*.hcl
var files embed.FS

// Catalog is the set of presets, and a cache of what has been resolved. Its zero
// value is not usable: see [New]. It may be used from several goroutines.
type Catalog struct {
	mu       sync.Mutex
	blocks   map[string]*schema.Block  // parsed files by preset name
	chains   map[*schema.Block]*chain  // by the topmost block
	resolved map[resolvedKey]*resolved // by block and argument values
}

type resolvedKey struct {
	block *schema.Block
	args  string
}

// resolved is a preset together with what is wrong with it.
type resolved struct {
	preset *Preset
	diags  hcl.Diagnostics
}

// New returns the embedded catalogue. It parses nothing: a preset's file is
// parsed when it is asked for.
func New() *Catalog {
	return &Catalog{
		blocks:   map[string]*schema.Block{},
		chains:   map[*schema.Block]*chain{},
		resolved: map[resolvedKey]*resolved{},
	}
}

// Names lists the presets, sorted.
func (c *Catalog) Names() []string {
	matches, err := fs.Glob(files, "catalog/*.hcl")
	if err != nil { // only for a malformed pattern
		return nil
	}
	names := make([]string, 0, len(matches))
	for _, m := range matches {
		names = append(names, strings.TrimSuffix(strings.TrimPrefix(m, "catalog/"), ".hcl"))
	}
	slices.Sort(names)
	return names
}

// List returns the catalogue sorted by name.
func (c *Catalog) List() []Entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []Entry
	for _, name := range c.Names() {
		block, diags := c.block(name)
		if diags.HasErrors() {
			continue // cannot be: a test resolves every file
		}
		ch := c.chain(block, name)
		list = append(list, Entry{
			Name:      name,
			Title:     ch.layers.str("title"),
			Docs:      ch.layers.str("docs"),
			Arguments: slices.Clone(ch.args),
		})
	}
	return list
}

// Source returns the HCL text of a preset; false if there is none of that name.
func (c *Catalog) Source(name string) (string, bool) {
	if !addr.IsName(name) {
		return "", false
	}
	text, err := files.ReadFile("catalog/" + name + ".hcl")
	return string(text), err == nil
}

// Resolve finds the server of a connection: its provider block or preset, the
// arguments filled in from the connection and the block. Errors carry the place
// in the configuration; unknown arguments get a suggestion. It makes no request.
//
// Connections with the same server and arguments get the same *Preset; see there.
func (c *Catalog) Resolve(cfg *schema.Config, conn *schema.Connection) (*Preset, hcl.Diagnostics) {
	c.mu.Lock()
	defer c.mu.Unlock()
	block, base, diags := c.find(cfg, conn)
	if diags.HasErrors() {
		return nil, diags
	}
	ch := c.chain(block, base)
	if ch.diags.HasErrors() {
		return nil, ch.diags
	}
	values, diags := ch.values(conn, cfg.Partial)
	if diags.HasErrors() {
		return nil, diags
	}
	key := resolvedKey{block, values.key()}
	r, ok := c.resolved[key]
	if !ok {
		r = c.build(ch, values, place(conn, "provider"))
		if ch.user > 0 || !r.diags.HasErrors() { // errors of a preset name the connection
			c.resolved[key] = r
		}
	}
	if r.diags.HasErrors() {
		if ch.user == 0 { // nothing but the connection's arguments can be wrong
			for i, d := range r.diags {
				r.diags[i] = about(conn, d)
			}
		}
		return nil, r.diags
	}
	return r.preset, nil
}

// Named is what is known of a preset whatever its arguments are; nil if there is
// none of that name. It explains the errors of a server that only the name of
// its preset is known of.
func (c *Catalog) Named(name string) *Preset {
	c.mu.Lock()
	defer c.mu.Unlock()
	block, diags := c.block(name)
	if diags.HasErrors() {
		return nil
	}
	ch := c.chain(block, name)
	values, diags := ch.values(nil, false)
	if ch.diags.HasErrors() || diags.HasErrors() {
		return nil
	}
	return c.build(ch, values, block.Range).preset
}

// Check decodes every provider block of a configuration, used or not. It gives
// every error and warning of a block once; an argument without a value is none,
// since a connection may give it.
func (c *Catalog) Check(cfg *schema.Config) hcl.Diagnostics {
	c.mu.Lock()
	defer c.mu.Unlock()
	var diags hcl.Diagnostics
	for _, name := range slices.Sorted(maps.Keys(cfg.Providers)) {
		block := cfg.Providers[name]
		ch := c.chain(block, "")
		diags = append(diags, ch.diags...)
		if ch.diags.HasErrors() {
			continue
		}
		values, more := ch.values(nil, cfg.Partial)
		diags = append(diags, more...)
		if more.HasErrors() {
			continue
		}
		diags = append(diags, c.build(ch, values, block.Range).diags...)
	}
	return diags
}

// find returns the block that describes a connection's server, and the name of
// the preset if the block is one of the catalogue.
func (c *Catalog) find(cfg *schema.Config, conn *schema.Connection) (*schema.Block, string, hcl.Diagnostics) {
	if block, ok := cfg.Providers[conn.Provider]; ok {
		return block, "", nil
	}
	if block, ok := c.blocks[conn.Provider]; ok {
		return block, conn.Provider, nil
	}
	if _, ok := c.Source(conn.Provider); ok {
		block, diags := c.block(conn.Provider)
		return block, conn.Provider, diags
	}
	known := append(slices.Collect(maps.Keys(cfg.Providers)), c.Names()...)
	return nil, "", hcl.Diagnostics{about(conn, &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  "Unknown provider",
		Detail: fmt.Sprintf("%s names the provider %q, which is neither a provider block of this configuration nor a preset.%s "+
			"Run \"oauthctl providers\" for the list, or describe the server in a provider block.",
			conn.Addr, conn.Provider, didYouMean(conn.Provider, known)),
		Subject: place(conn, "provider").Ptr(),
	})}
}

// block parses the file of a preset, once.
func (c *Catalog) block(name string) (*schema.Block, hcl.Diagnostics) {
	if b, ok := c.blocks[name]; ok {
		return b, nil
	}
	text, ok := c.Source(name)
	if !ok {
		return nil, hcl.Diagnostics{{
			Severity: hcl.DiagError,
			Summary:  "Unknown preset",
			Detail: fmt.Sprintf("There is no preset %q.%s Run \"oauthctl providers\" for the list.",
				name, didYouMean(name, c.Names())),
		}}
	}
	blocks, diags := schema.ParseBlocks("catalog/"+name+".hcl", []byte(text), "provider")
	if diags.HasErrors() {
		return nil, diags
	}
	if len(blocks) != 1 {
		return nil, hcl.Diagnostics{{
			Severity: hcl.DiagError,
			Summary:  "Broken preset",
			Detail:   fmt.Sprintf("The file of the preset %q has %d provider blocks instead of one.", name, len(blocks)),
		}}
	}
	c.blocks[name] = blocks[0]
	return blocks[0], nil
}

// place is where an attribute of a connection is written, else its header.
func place(conn *schema.Connection, attrs ...string) hcl.Range {
	for _, a := range attrs {
		if r, ok := conn.Ranges[a]; ok {
			return r
		}
	}
	return conn.Range
}

// about ties a diagnostic to a connection.
func about(conn *schema.Connection, d *hcl.Diagnostic) *hcl.Diagnostic {
	d.Extra = schema.DiagExtra{Addr: conn.Addr}
	return d
}

// didYouMean is a sentence with a leading space, or nothing.
func didYouMean(given string, candidates []string) string {
	if s := schema.Suggest(given, candidates); s != "" {
		return fmt.Sprintf(" Did you mean %q?", s)
	}
	return ""
}
