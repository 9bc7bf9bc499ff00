package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
)

func jsonFlag(cmd *cobra.Command, json *bool) {
	cmd.Flags().BoolVar(json, "json", false, "print JSON for programs instead of text")
}

// wantsJSON reports whether a command that was not begun, because of a mistake on
// the command line, was asked to write for programs.
func (c *cli) wantsJSON(cmd *cobra.Command) bool {
	if cmd.Flags().Lookup("json") == nil && !cmd.HasAvailableSubCommands() {
		return false // the rest is for another program, or a mistake of its own
	}
	args := c.args
	if i := slices.Index(args, "--"); i >= 0 {
		args = args[:i]
	}
	return slices.Contains(args, "--json") || slices.Contains(args, "--json=true")
}

// streams reports whether a command writes events as things happen, and errors among
// them, rather than one document.
func streams(cmd *cobra.Command) bool {
	switch cmd.Name() {
	case "apply", "destroy", "import", "login", "logout", "refresh", "test":
		return true
	}
	return false
}

// rollbackFlag is -accept-rollback, of the commands that spend refresh tokens, and of
// plan, which says what they would do.
func rollbackFlag(fs *pflag.FlagSet, accept *bool) {
	fs.BoolVar(accept, "accept-rollback", false, "work with a state that is older than one this machine has seen; its refresh tokens may be spent")
}

// varFlags are -var and -var-file, kept in the order given.
type varFlags struct{ inputs []schema.VarInput }

func (v *varFlags) register(fs *pflag.FlagSet) {
	fs.Var(varValue{v}, "var", "set a variable: `NAME=VALUE` (repeatable)")
	fs.Var(varFileValue{v}, "var-file", "read variables from `FILE` (repeatable)")
}

// resolved are the inputs with their files below -chdir.
func (v *varFlags) resolved(c *cli) []schema.VarInput {
	if v == nil {
		return nil
	}
	var out []schema.VarInput
	for _, in := range v.inputs {
		if in.File != "" {
			in.File = c.path(in.File)
		}
		out = append(out, in)
	}
	return out
}

type varValue struct{ *varFlags }

func (varValue) String() string { return "" }
func (varValue) Type() string   { return "NAME=VALUE" }

// Set never quotes what it got: the value may be a secret.
func (v varValue) Set(s string) error {
	name, value, ok := strings.Cut(s, "=")
	if !ok || !addr.IsName(strings.TrimSpace(name)) {
		return errors.New("want NAME=VALUE")
	}
	v.inputs = append(v.inputs, schema.VarInput{Name: strings.TrimSpace(name), Value: value})
	return nil
}

type varFileValue struct{ *varFlags }

func (varFileValue) String() string { return "" }
func (varFileValue) Type() string   { return "FILE" }

func (v varFileValue) Set(s string) error {
	if s == "" {
		return errors.New("want a file name")
	}
	v.inputs = append(v.inputs, schema.VarInput{File: filepath.Clean(s)})
	return nil
}

// inputFlags say whether a person may be asked.
type inputFlags struct{ input, set bool }

func (f *inputFlags) register(fs *pflag.FlagSet) {
	f.input = true
	fs.Var((*inputValue)(f), "input", "ask a person (default: on a terminal, outside CI)")
	fs.Lookup("input").NoOptDefVal = "true"
}

type inputValue inputFlags

func (*inputValue) String() string   { return "" }
func (*inputValue) Type() string     { return "bool" }
func (*inputValue) IsBoolFlag() bool { return true }

func (f *inputValue) Set(s string) error {
	switch s {
	case "true", "1":
		f.input, f.set = true, true
	case "false", "0":
		f.input, f.set = false, true
	default:
		return errors.New("want true or false")
	}
	return nil
}

// workFlags are about how much happens at once and how long to wait.
type workFlags struct {
	parallelism int
	lockTimeout time.Duration
}

func (f *workFlags) register(fs *pflag.FlagSet) {
	fs.IntVar(&f.parallelism, "parallelism", 10, "work on at most `N` connections at once")
	lockTimeoutFlag(fs, &f.lockTimeout)
}

func (f *workFlags) check() error {
	if f.parallelism < 1 {
		return fmt.Errorf("-parallelism=%d: want at least 1", f.parallelism)
	}
	return nil
}

// addrFlag is a repeatable flag that holds addresses.
type addrFlag struct{ list *[]addr.Addr }

func (addrFlag) String() string { return "" }
func (addrFlag) Type() string   { return "ADDR" }

func (f addrFlag) Set(s string) error {
	a, err := addr.Parse(s)
	if err == nil {
		*f.list = append(*f.list, a)
	}
	return err
}
