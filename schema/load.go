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

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// Load reads and checks a configuration. The Config is never nil; it is usable
// only if the diagnostics have no errors.
func Load(ctx context.Context, src Source) (*Config, hcl.Diagnostics) { panic("contract") }

// Resolve evaluates one connection again, with the attributes of the
// connections it depends on as known gives them.
func (c *Config) Resolve(a addr.Addr, known Known) (*Connection, hcl.Diagnostics) { panic("contract") }

// Outputs evaluates the output blocks, sorted by name.
func (c *Config) Outputs(known Known) ([]Output, hcl.Diagnostics) { panic("contract") }

// Decode evaluates the body by the table. extra adds variables to the scope
// (for example "arg" in provider blocks).
func (b *Block) Decode(spec *Spec, extra map[string]cty.Value) (*Object, hcl.Diagnostics) {
	panic("contract")
}

// ParseBlocks parses text that is not part of a configuration (the embedded
// presets) into its top-level blocks of the given type; the scope has functions only.
func ParseBlocks(filename string, text []byte, blockType string) ([]*Block, hcl.Diagnostics) {
	panic("contract")
}

type evaluator struct{}
