package schema

import "github.com/hashicorp/hcl/v2"

// Format brings native syntax into the canonical layout. Text that does not
// parse is returned as it is, with the reasons.
func Format(src []byte, filename string) ([]byte, hcl.Diagnostics) {
	if isJSON(filename) {
		return src, hcl.Diagnostics{errorAt(hcl.Range{Filename: filename, Start: hcl.InitialPos, End: hcl.InitialPos},
			"JSON is not formatted", "Only files in native syntax have a canonical layout.")}
	}
	if _, diags := parseFile(filename, src); diags.HasErrors() {
		return src, diags
	}
	return layout(src), nil
}
