package schema

import (
	"slices"
	"sync"

	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// FunctionNames lists all functions of the language, sorted.
func FunctionNames() []string {
	names := slices.Concat(sortedKeys(pureFunctions()), outside)
	slices.Sort(names)
	return names
}

// leftOut are Terraform's functions that the language does not have, and why.
func leftOut() map[string]string {
	return map[string]string{
		"abspath":          whyPaths,
		"basename":         whyPaths,
		"dirname":          whyPaths,
		"filebase64":       whyFiles,
		"filebase64sha256": whyFiles,
		"filebase64sha512": whyFiles,
		"filemd5":          whyFiles,
		"fileset":          whyFiles,
		"filesha1":         whyFiles,
		"filesha256":       whyFiles,
		"filesha512":       whyFiles,
		"pathexpand":       whyPaths,
		"bcrypt":           whyChanges,
		"plantimestamp":    whyChanges,
		"timestamp":        whyChanges,
		"uuid":             whyChanges,
		"md5":              whyHashes,
		"sha1":             whyHashes,
		"base64sha256":     whyUse,
		"base64sha512":     whyUse,
		"uuidv5":           whyUse,
		"rsadecrypt":       "private keys have no place in a configuration",
		"base64gzip":       whyUse,
		"textdecodebase64": whyUse,
		"textencodebase64": whyUse,
		"cidrhost":         whyUse,
		"cidrnetmask":      whyUse,
		"cidrsubnet":       whyUse,
		"cidrsubnets":      whyUse,
		"yamldecode":       "write the data as JSON and use jsondecode()",
		"yamlencode":       "use jsonencode()",
		"type":             "it stands in the console only, around a whole expression",
	}
}

const (
	whyPaths   = "paths are relative to the configuration directory, and nothing outside of it can be read"
	whyFiles   = "file() is the one way to read a file"
	whyChanges = "its result differs from run to run, so a plan would never be empty"
	whyHashes  = "the hash is broken; use sha256()"
	whyUse     = "a connection has no use for it"
)

// pureFunctions are the functions whose results depend on their arguments only.
// They have Terraform's names; docs/functions.md lists them. The table is made
// when the first configuration is read, not when the program starts.
var pureFunctions = sync.OnceValue(func() map[string]function.Function {
	return map[string]function.Function{
		"abs":             stdlib.AbsoluteFunc,
		"alltrue":         boolsFunc(true),
		"anytrue":         boolsFunc(false),
		"base64decode":    base64DecodeFunc(),
		"base64encode":    base64EncodeFunc(),
		"can":             tryfunc.CanFunc,
		"ceil":            stdlib.CeilFunc,
		"chomp":           stdlib.ChompFunc,
		"chunklist":       stdlib.ChunklistFunc,
		"coalesce":        stdlib.CoalesceFunc,
		"coalescelist":    stdlib.CoalesceListFunc,
		"compact":         stdlib.CompactFunc,
		"concat":          stdlib.ConcatFunc,
		"contains":        stdlib.ContainsFunc,
		"csvdecode":       stdlib.CSVDecodeFunc,
		"distinct":        stdlib.DistinctFunc,
		"element":         stdlib.ElementFunc,
		"endswith":        endsWithFunc(),
		"flatten":         stdlib.FlattenFunc,
		"ephemeralasnull": ephemeralAsNullFunc(),
		"floor":           stdlib.FloorFunc,
		"format":          stdlib.FormatFunc,
		"formatdate":      stdlib.FormatDateFunc,
		"formatlist":      stdlib.FormatListFunc,
		"indent":          stdlib.IndentFunc,
		"index":           indexFunc(),
		"issensitive":     isSensitiveFunc(),
		"join":            stdlib.JoinFunc,
		"jsondecode":      jsonDecodeFunc(),
		"jsonencode":      stdlib.JSONEncodeFunc,
		"keys":            stdlib.KeysFunc,
		"length":          lengthFunc(),
		"log":             stdlib.LogFunc,
		"lookup":          lookupFunc(),
		"lower":           stdlib.LowerFunc,
		"matchkeys":       matchKeysFunc(),
		"max":             stdlib.MaxFunc,
		"merge":           stdlib.MergeFunc,
		"min":             stdlib.MinFunc,
		"nonsensitive":    nonsensitiveFunc(),
		"one":             oneFunc(),
		"parseint":        stdlib.ParseIntFunc,
		"pow":             stdlib.PowFunc,
		"range":           stdlib.RangeFunc,
		"regex":           stdlib.RegexFunc,
		"regexall":        stdlib.RegexAllFunc,
		"replace":         replaceFunc(),
		"reverse":         stdlib.ReverseListFunc,
		"sensitive":       sensitiveFunc(),
		"setintersection": stdlib.SetIntersectionFunc,
		"setproduct":      stdlib.SetProductFunc,
		"setsubtract":     stdlib.SetSubtractFunc,
		"setunion":        stdlib.SetUnionFunc,
		"sha256":          sha256Func(),
		"sha512":          sha512Func(),
		"signum":          stdlib.SignumFunc,
		"slice":           stdlib.SliceFunc,
		"sort":            stdlib.SortFunc,
		"split":           stdlib.SplitFunc,
		"startswith":      startsWithFunc(),
		"strcontains":     strContainsFunc(),
		"strrev":          stdlib.ReverseFunc,
		"substr":          stdlib.SubstrFunc,
		"sum":             sumFunc(),
		"timeadd":         stdlib.TimeAddFunc,
		"timecmp":         timeCmpFunc(),
		"title":           stdlib.TitleFunc,
		"tobool":          stdlib.MakeToFunc(cty.Bool),
		"tolist":          toCollectionFunc(cty.List),
		"tomap":           stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)),
		"tonumber":        stdlib.MakeToFunc(cty.Number),
		"toset":           toCollectionFunc(cty.Set),
		"tostring":        stdlib.MakeToFunc(cty.String),
		"transpose":       transposeFunc(),
		"trim":            stdlib.TrimFunc,
		"trimprefix":      stdlib.TrimPrefixFunc,
		"trimspace":       stdlib.TrimSpaceFunc,
		"trimsuffix":      stdlib.TrimSuffixFunc,
		"try":             tryfunc.TryFunc,
		"upper":           stdlib.UpperFunc,
		"urldecode":       urlDecodeFunc(),
		"urlencode":       urlEncodeFunc(),
		"values":          stdlib.ValuesFunc,
		"zipmap":          stdlib.ZipmapFunc,
	}
})

// FunctionsLeftOut lists Terraform's functions that the language does not have.
func FunctionsLeftOut() []string { return sortedKeys(leftOut()) }
