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

	"github.com/rogpeppe/go-internal/diff"

	"github.com/oauthctl/oauthctl/schema"
)

const maxStdin = 8 << 20 // package schema has a smaller limit, and says so

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
	changed, failed := false, false
	for _, file := range files {
		did, err := c.formatFile(file, f)
		var shown *shownError
		if err != nil && !errors.As(err, &shown) {
			c.view.Error(err)
		}
		failed = failed || err != nil
		changed = changed || did
	}
	if failed {
		return &shownError{exitError}
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
		return nil, fmt.Errorf("could not format %s: %w", path, errors.Unwrap(err))
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
	text, diags := schema.Format(old, file)
	if err := c.show(diags, schema.SourceOf(old, file, diags)); err != nil || bytes.Equal(old, text) {
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
	old, err := io.ReadAll(io.LimitReader(c.Stdin, maxStdin))
	if err != nil {
		return err
	}
	text, diags := schema.Format(old, "<stdin>")
	if err := c.show(diags, schema.SourceOf(old, "<stdin>", diags)); err != nil {
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
