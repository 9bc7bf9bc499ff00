package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/outlet"
	"github.com/oauthctl/oauthctl/engine/sink"
	"github.com/oauthctl/oauthctl/schema"
)

// programsFile holds the programs that configurations may name: a file of the
// user's own, so that nothing that comes with a repository runs by itself.
const programsFile = "programs.hcl"

// programSpec is the table of a program block.
func programSpec() *schema.Spec {
	return &schema.Spec{Attrs: []schema.Attr{
		{Name: "command", Kind: schema.Strings, Required: true, Doc: "The program, by its full path, and its arguments. No shell reads them."},
		{Name: "timeout", Kind: schema.Duration, Doc: "How long it may run.", Default: `"1m"`},
	}}
}

// runProgram runs a program of the user's own.
func (c *cli) runProgram(ctx context.Context, name string, input []byte) error {
	command, timeout, err := c.program(name)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // the user's own settings name it
	cmd.Env = withoutOwn(os.Environ())
	cmd.Stdin = bytes.NewReader(input)
	var said bounded
	cmd.Stdout, cmd.Stderr = io.Discard, &said
	cmd.WaitDelay = time.Second // for what it has started and left behind
	err = cmd.Run()
	if ctx.Err() != nil && err != nil {
		return &sink.Error{Kind: sink.Temporary, Detail: fmt.Sprintf("it did not end within %s", schema.FormatDuration(timeout)),
			Remedy: "let it have more time with timeout in " + programsFile + ", or try again"}
	}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() == programTryLater:
		return &sink.Error{Kind: sink.Temporary, Detail: "it says that it may work later" + said.after(input), Remedy: "try again later"}
	case errors.As(err, &exit):
		return fmt.Errorf("%w%s", exit, said.after(input))
	}
	return reasonOf(err)
}

// programTryLater is what a program exits with for a failure that may pass: EX_TEMPFAIL of sysexits.h.
const programTryLater = 75

// program finds a program in the user's settings.
func (c *cli) program(name string) ([]string, time.Duration, error) {
	dir, err := c.configHome()
	if err != nil {
		return nil, 0, err
	}
	path := filepath.Join(dir, programsFile)
	refuse := func(format string, args ...any) ([]string, time.Duration, error) {
		return nil, 0, &sink.Error{Kind: sink.Config, Detail: fmt.Sprintf(format, args...),
			Remedy: fmt.Sprintf("write into %s what it is: program %q { command = [\"/full/path\"] }", path, name)}
	}
	text, err := c.readPrograms(path)
	if errors.Is(err, fs.ErrNotExist) {
		return refuse("your settings name no programs: there is no %s", path)
	}
	if err != nil {
		return refuse("%s cannot be used: %s", path, reasonOf(err))
	}
	blocks, diags := schema.ParseBlocks(path, text, "program")
	var names []string
	for _, b := range blocks {
		if diags.HasErrors() {
			break
		}
		if b.Labels[0] != name {
			names = append(names, b.Labels[0])
			continue
		}
		o, more := b.Decode(programSpec(), nil)
		if diags = append(diags, more...); diags.HasErrors() {
			break
		}
		command, timeout := o.Strings("command"), time.Minute
		if o.Has("timeout") {
			timeout = o.Duration("timeout")
		}
		if len(command) == 0 || !filepath.IsAbs(command[0]) {
			return refuse("%s: the command of the program %s must begin with a full path", path, name)
		}
		return command, timeout, nil
	}
	if diags.HasErrors() {
		return refuse("%s", problem(path, diags))
	}
	return refuse("%s has no program %q%s", path, name, didYouMean(schema.Suggest(name, names)))
}

// problem is the first error of a file, with its line.
func problem(path string, diags hcl.Diagnostics) string {
	for _, d := range diags {
		if d.Severity == hcl.DiagError && d.Subject != nil {
			return fmt.Sprintf("%s line %d: %s; %s", path, d.Subject.Start.Line, d.Summary, d.Detail)
		}
	}
	return path + " cannot be read"
}

// readPrograms reads the file, if nobody else could have written it.
func (c *cli) readPrograms(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a regular file")
	}
	if err == nil && writableByOthers(info) {
		err = errors.New("others can write it; run: chmod go-w " + outlet.ShellQuote(path))
	}
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path) //nolint:gosec // below the user's own directory
}

// bounded keeps the first bytes of what a program says.
type bounded struct{ bytes.Buffer }

const mostSaid = 4 << 10

// Write implements [io.Writer].
func (b *bounded) Write(p []byte) (int, error) {
	if left := mostSaid - b.Len(); left > 0 {
		_, _ = b.Buffer.Write(p[:min(left, len(p))])
	}
	return len(p), nil
}

// after is the last line that was said, behind a colon. A line that repeats a
// value of the input is not repeated.
func (b *bounded) after(input []byte) string {
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	line := strings.TrimSpace(lines[len(lines)-1])
	if line == "" {
		return ""
	}
	if repeats(line, input) {
		return "; what it said has a value in it and is not shown"
	}
	return ": " + line
}

// repeats reports whether a line has a value of the input in it, or a part of one.
func repeats(line string, input []byte) bool {
	var in struct {
		Values map[string]string `json:"values"`
	}
	if json.Unmarshal(input, &in) != nil {
		return true
	}
	const telling = 8 // characters, from which on a word is no coincidence
	for _, v := range in.Values {
		if v != "" && strings.Contains(line, v) {
			return true
		}
		for _, word := range strings.Fields(line) {
			if len(word) >= telling && strings.Contains(v, word) {
				return true
			}
		}
	}
	return false
}
