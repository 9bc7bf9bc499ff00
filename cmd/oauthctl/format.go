package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/rogpeppe/go-internal/diff"
)

const (
	maxConfigFile = 1 << 20 // as in package schema
	maxNesting    = 100     // brackets: hcl's parser recurses, and a stack overflow cannot be recovered
)

// exitNotInForm is fmt's own code, the one that Terraform's fmt -check has.
const exitNotInForm = 3

// format is the fmt command.
func (c *cli) format(args []string, f *fmtFlags) error {
	if len(args) == 1 && args[0] == "-" {
		return c.formatStdin(f)
	}
	if len(args) == 0 {
		args = []string{c.configPath()}
	} else {
		for i := range args {
			args[i] = c.path(args[i])
		}
	}
	var files []string
	for _, arg := range args {
		found, err := hclFiles(arg, f.recursive)
		if err != nil {
			return err
		}
		files = append(files, found...)
	}
	changed := false
	var failed []error
	for _, file := range files {
		did, err := c.formatFile(file, f)
		failed = append(failed, err)
		changed = changed || did
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	if f.check && changed {
		return &shownError{exitNotInForm}
	}
	return nil
}

// hclFiles lists the *.hcl files of a directory, or the one file.
func hclFiles(path string, recursive bool) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		if filepath.Ext(path) != ".hcl" {
			return nil, fmt.Errorf("%s: only *.hcl files can be formatted", path)
		}
		return []string{path}, nil
	}
	var files []string
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case p != path && d.IsDir() && (!recursive || strings.HasPrefix(d.Name(), ".")):
			return filepath.SkipDir
		case d.Type().IsRegular() && filepath.Ext(p) == ".hcl":
			files = append(files, p)
		}
		return nil
	})
	return files, err
}

func (c *cli) formatFile(file string, f *fmtFlags) (changed bool, err error) {
	old, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	text, err := formatted(file, old)
	if err != nil || bytes.Equal(old, text) {
		return false, err
	}
	if f.list {
		fmt.Fprintln(&c.out, file)
	}
	if f.diff {
		_, _ = c.out.Write(diff.Diff("old/"+file, old, "new/"+file, text))
	}
	if f.write && !f.check {
		err = rewrite(file, text)
	}
	return true, err
}

func (c *cli) formatStdin(f *fmtFlags) error {
	old, err := io.ReadAll(io.LimitReader(c.Stdin, maxConfigFile+1))
	if err != nil {
		return err
	}
	text, err := formatted("<stdin>", old)
	if err != nil {
		return err
	}
	switch {
	case f.diff:
		_, err = c.out.Write(diff.Diff("old/<stdin>", old, "new/<stdin>", text))
	case !f.check:
		_, err = c.out.Write(text)
	}
	if err == nil && f.check && !bytes.Equal(old, text) {
		return &shownError{exitNotInForm}
	}
	return err
}

// formatted is the text in the usual form; the error of text that is not HCL
// names its line and never quotes it.
func formatted(file string, text []byte) ([]byte, error) {
	if len(text) > maxConfigFile {
		return nil, fmt.Errorf("%s: larger than 1 MiB", file)
	}
	if nesting(file, text) > maxNesting {
		return nil, fmt.Errorf("%s: nested too deeply", file)
	}
	_, diags := hclsyntax.ParseConfig(text, file, hcl.InitialPos)
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			return nil, fmt.Errorf("%s: %s; fix the syntax first", d.Subject, strings.ToLower(d.Summary))
		}
	}
	return hclwrite.Format(text), nil
}

// nesting is how deep the brackets of a text go.
func nesting(file string, text []byte) int {
	tokens, _ := hclsyntax.LexConfig(text, file, hcl.InitialPos)
	depth, deepest := 0, 0
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			depth++
			deepest = max(deepest, depth)
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd:
			depth--
		}
	}
	return deepest
}

// rewrite replaces a file's text and keeps its mode.
func rewrite(file string, text []byte) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if err := replaceFile(file, text); err != nil {
		return err
	}
	return os.Chmod(file, info.Mode().Perm())
}
