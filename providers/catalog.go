package providers

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/schema"
)

// Catalog is the set of presets. Its zero value is not usable: see New.
type Catalog struct{}

// New returns the embedded catalogue. It parses nothing: a preset's file is
// parsed when it is asked for.
func New() *Catalog { panic("contract") }

// List returns the catalogue sorted by name.
func (c *Catalog) List() []Entry { panic("contract") }

// Source returns the HCL text of a preset; false if there is none of that name.
func (c *Catalog) Source(name string) (string, bool) { panic("contract") }

// Resolve finds the server of a connection: its provider block or preset, the
// arguments filled in from the connection and the block. Errors carry the place
// in the configuration; unknown arguments get a suggestion. It makes no request.
func (c *Catalog) Resolve(cfg *schema.Config, conn *schema.Connection) (*Preset, hcl.Diagnostics) {
	panic("contract")
}

// Check decodes every provider block of a configuration, used or not.
func (c *Catalog) Check(cfg *schema.Config) hcl.Diagnostics { panic("contract") }

// Spec is the table of a provider block.
func Spec() *schema.Spec { panic("contract") }
