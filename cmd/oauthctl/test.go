package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/view"
	"github.com/oauthctl/oauthctl/schema"
)

const testDirectory = "tests"

// testFlags are the flags of test.
type testFlags struct {
	vars    varFlags
	filter  []string
	dir     string
	junit   string
	json    bool
	verbose bool
}

func (c *cli) testCommand() *cobra.Command {
	var f testFlags
	cmd := &cobra.Command{
		Use:   "test",
		Short: "Test the configuration on the sandbox",
		Long: "Run the tests of a configuration: the files *.oauthtest.hcl beside it and in tests/. " +
			"Each file gets a sandbox and a state of its own, and everything is destroyed at its end: no server is asked, and the real state is not touched. " +
			"With -config=FILE.hcl, its tests are those in FILE.oauthtest.hcl. The exit code is 1 if a test fails.",
		Example: "oauthctl test -filter=tests/consent.oauthtest.hcl -verbose",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.sandbox = true // whatever is evaluated or shown here belongs to it
			c.view = c.newView(f.json, true)
			return c.test(cmd.Context(), &f)
		},
	}
	fs := cmd.Flags()
	jsonFlag(cmd, &f.json)
	fs.StringArrayVar(&f.filter, "filter", nil, "only the tests in `FILE` (repeatable)")
	fs.StringVar(&f.dir, "test-directory", testDirectory, "look for tests in `DIR` as well, below the configuration")
	fs.StringVar(&f.junit, "junit-xml", "", "write the results to `FILE` in JUnit's XML as well")
	fs.BoolVar(&f.verbose, "verbose", false, "show the plan of each run, and the outputs of each apply")
	f.vars.register(fs)
	_ = cmd.RegisterFlagCompletionFunc("filter", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		names, _ := c.testFiles(f.dir)
		return names, cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

func (c *cli) test(ctx context.Context, f *testFlags) error {
	names, err := c.testFiles(f.dir)
	if err == nil {
		names, err = filterTests(names, f.filter)
	}
	if err != nil {
		return err
	}
	var files []view.TestFile
	for _, name := range names {
		files = append(files, c.testFile(ctx, f, name))
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	c.view.Tested(files, c.configDir()+" or in "+filepath.Join(c.configDir(), f.dir))
	if f.junit != "" {
		var b bytes.Buffer
		if err := errors.Join(view.JUnit(&b, files), os.WriteFile(c.path(f.junit), b.Bytes(), 0o600)); err != nil {
			return advised("give another -junit-xml", "could not write the results to %s: %w", c.path(f.junit), reasonOf(err))
		}
	}
	for _, file := range files {
		if file.Status != view.TestPass {
			return &shownError{exitError}
		}
	}
	return nil
}

// testFiles names the files of tests, relative to the configuration.
func (c *cli) testFiles(below string) ([]string, error) {
	if !filepath.IsLocal(below) {
		return nil, advised("give a path relative to it", "-test-directory=%s is not below the configuration", below)
	}
	only := ""
	if c.configDir() != c.configPath() {
		only = strings.TrimSuffix(filepath.Base(c.configPath()), filepath.Ext(c.configPath()))
	}
	var names []string
	for _, dir := range slices.Compact([]string{".", filepath.Clean(below)}) {
		entries, err := os.ReadDir(filepath.Join(c.configDir(), dir))
		if errors.Is(err, fs.ErrNotExist) && dir != "." {
			continue
		}
		if err != nil {
			return nil, advised("name the configuration with -config or -chdir", "could not look for tests in %s: %w", filepath.Join(c.configDir(), dir), reasonOf(err))
		}
		for _, e := range entries {
			name := e.Name()
			base, _, _ := strings.Cut(name, ".oauthtest.")
			if schema.IsTestFile(name) && !strings.HasPrefix(name, ".") && (only == "" || base == only) {
				names = append(names, filepath.ToSlash(filepath.Join(dir, name)))
			}
		}
	}
	return names, nil
}

func filterTests(names, filter []string) ([]string, error) {
	if len(filter) == 0 {
		return names, nil
	}
	var out []string
	for _, want := range filter {
		want = filepath.ToSlash(filepath.Clean(want))
		if !slices.Contains(names, want) {
			return nil, advised("see: oauthctl test -help", "there is no file of tests %s%s", want, didYouMean(schema.Suggest(want, names)))
		}
		if !slices.Contains(out, want) {
			out = append(out, want)
		}
	}
	return out, nil
}
