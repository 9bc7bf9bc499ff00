package schema

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/json"
)

// maxFile is the size in bytes from which a file is not read.
const maxFile = 1 << 20

// readFiles reads and parses the files of the configuration.
func (l *loader) readFiles(ctx context.Context) []*hcl.File {
	if l.src.recorded != nil {
		return l.recordedFiles()
	}
	dir, names, err := l.list()
	if err != nil {
		l.diags = append(l.diags, &hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  "Cannot read the configuration",
			Detail:   capital(err.Error()) + ".",
		})
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		l.diags = append(l.diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Cannot read the configuration", Detail: capital(reason(err)) + "."})
		return nil
	}
	defer root.Close() // only read
	var parsed []*parsedFile
	var parsing sync.WaitGroup
	for _, name := range names {
		if ctx.Err() != nil {
			break
		}
		shown := filepath.ToSlash(filepath.Join(dir, name))
		text, err := readIn(root, name)
		if err != nil {
			l.diags = append(l.diags, unreadable(shown, err))
			continue
		}
		p := &parsedFile{source: l.cfg.Sources.add(shown, text)}
		parsed = append(parsed, p)
		parsing.Go(func() { // most of what loading a large configuration costs
			p.file, p.diags = parseFile(shown, text)
		})
	}
	parsing.Wait()
	return l.whole(parsed)
}

// recordedFiles parses what an apply recorded.
func (l *loader) recordedFiles() []*hcl.File {
	var parsed []*parsedFile
	for _, name := range sortedKeys(l.src.recorded.Files) {
		text := []byte(l.src.recorded.Files[name])
		shown := "recorded " + name
		p := &parsedFile{source: l.cfg.Sources.add(shown, text)}
		p.file, p.diags = parseSized(shown, text) // it came of several files, and lists instances
		parsed = append(parsed, p)
	}
	return l.whole(parsed)
}

// whole tells what is wrong with files, and gives those that are right.
func (l *loader) whole(parsed []*parsedFile) []*hcl.File {
	var files []*hcl.File
	for _, p := range parsed {
		p.source.broken = p.diags.HasErrors()
		l.diags = append(l.diags, p.diags...)
		if p.file != nil {
			files = append(files, p.file)
		}
	}
	return files
}

// parsedFile is one file of the configuration.
type parsedFile struct {
	source *sourceFile
	file   *hcl.File
	diags  hcl.Diagnostics
}

// list names the files of the configuration and the directory they are in.
func (l *loader) list() (dir string, names []string, err error) {
	if l.src.File != "" {
		return filepath.Dir(l.src.File), []string{filepath.Base(l.src.File)}, nil
	}
	dir = l.src.Dir
	if dir == "" {
		dir = "."
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return dir, nil, fmt.Errorf("the directory %s cannot be read: %s", dir, reason(err))
	}
	terraform := ""
	for _, e := range entries {
		name := e.Name()
		switch {
		case strings.HasSuffix(name, ".tf"):
			terraform = name
		case strings.HasPrefix(name, "."), strings.HasSuffix(name, "~"), IsTestFile(name):
		case strings.HasSuffix(name, ".hcl"), strings.HasSuffix(name, ".hcl.json"):
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		where := dir
		if dir == "." { // "in .. Write" would name the directory above
			where = "this directory"
		}
		if terraform != "" {
			return dir, nil, fmt.Errorf("there are no *.hcl files in %s, only Terraform's, such as %s. Write the connections in a file main.hcl, or name another place with -chdir=DIR or -config=PATH", where, terraform)
		}
		return dir, nil, fmt.Errorf("there are no *.hcl files in %s. Write one, or name another place with -chdir=DIR or -config=PATH", where)
	}
	slices.Sort(names)
	return dir, names, nil
}

var (
	errNotRegular = errors.New("it is not a regular file")
	errTooLarge   = fmt.Errorf("it is larger than %d MiB", maxFile>>20)
)

// readBelow reads a file of the directory dir.
func readBelow(dir, name string) ([]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close() // only read
	return readIn(root, name)
}

// readIn reads a regular file of at most maxFile bytes below root. Links that
// lead out of root are refused.
func readIn(root *os.Root, name string) ([]byte, error) {
	// A look before opening, so that a FIFO does not block and a device is not touched.
	if info, err := root.Stat(name); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	return readCapped(f)
}

func readCapped(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = errTooLarge
	}
	return text, err
}

func unreadable(name string, err error) *hcl.Diagnostic {
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "File cannot be read", Detail: fmt.Sprintf("The file %s cannot be read: %s.", name, reason(err))}
	if !errors.Is(err, fs.ErrNotExist) { // what is not there has no first line
		d.Subject = &hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
	}
	return d
}

// reason is an error of the file system without the path, which the caller names.
func reason(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return err.Error()
}

// capital makes a sentence of an error's text.
func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// parseFile parses one file, native or JSON by its name.
func parseFile(name string, text []byte) (*hcl.File, hcl.Diagnostics) {
	if d := checkSize(name, text); d != nil {
		return nil, hcl.Diagnostics{d}
	}
	return parseSized(name, text)
}

// parseSized is parseFile for a text of any size. It has to pass checkText first:
// hcl's parsers are recursive, and a stack that overflows cannot be recovered from.
func parseSized(name string, text []byte) (*hcl.File, hcl.Diagnostics) {
	parts, diags := checkParts(name, text)
	if diags.HasErrors() {
		return nil, diags
	}
	if isJSON(name) {
		f, diags := json.Parse(text, name)
		return f, diags
	}
	if f := parseParts(name, text, parts); f != nil {
		return f, nil
	}
	f, diags := hclsyntax.ParseConfig(text, name, hcl.InitialPos)
	return f, firstOfString(diags)
}

// parseParts parses a text that starts anew at several places. It gives nil for one
// that has anything but blocks at its top, and for one with mistakes, of which the
// parser has to see all that follows.
func parseParts(name string, text []byte, starts []hcl.Pos) *hcl.File {
	if len(starts) < 2 {
		return nil
	}
	var whole *hclsyntax.Body
	for i, start := range starts {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1].Byte
		}
		f, diags := hclsyntax.ParseConfig(text[start.Byte:end], name, start)
		body, ok := f.Body.(*hclsyntax.Body)
		switch {
		case len(diags) > 0 || !ok || len(body.Attributes) > 0:
			return nil
		case whole == nil:
			whole = body
		default:
			whole.Blocks = append(whole.Blocks, body.Blocks...)
			whole.SrcRange, whole.EndRange = hcl.RangeBetween(whole.SrcRange, body.SrcRange), body.EndRange
		}
	}
	return &hcl.File{Body: whole, Bytes: text}
}

// firstOfString keeps one error of a string that is not closed: it turns the rest
// of the file inside out, and everything said of that is noise.
func firstOfString(diags hcl.Diagnostics) hcl.Diagnostics {
	for _, d := range diags {
		if d.Summary == "Invalid multi-line string" {
			d.Detail = "The string is not closed on its line. Close it with a quote, or write a text of several lines as <<EOT … EOT."
			return hcl.Diagnostics{d}
		}
	}
	return diags
}

// IsTestFile reports whether a file has tests of a configuration in it by its name.
func IsTestFile(name string) bool {
	return strings.HasSuffix(name, ".oauthtest.hcl") || strings.HasSuffix(name, ".oauthtest.hcl.json")
}

func isJSON(name string) bool { return strings.HasSuffix(name, ".json") }
