package schema

import "github.com/hashicorp/hcl/v2"

func (e *evaluator) refuseLiteral(name string, a *attr) hcl.Diagnostics { return nil }

func (l *loader) checkUndecoded() {}

func explainTerraform(diags hcl.Diagnostics) hcl.Diagnostics { return diags }
