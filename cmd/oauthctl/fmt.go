package main

import (
	"github.com/spf13/cobra"
)

// fmtFlags are the flags of fmt, as Terraform has them.
type fmtFlags struct {
	check, diff, recursive bool
	write, list            bool
}

func (c *cli) fmtCommand() *cobra.Command {
	var f fmtFlags
	cmd := &cobra.Command{
		Use:   "fmt [PATH…]",
		Short: "Bring configuration files into the usual form",
		Long: "Rewrite the *.hcl files of the configuration, or of the paths given, in the usual form, and list those that changed. " +
			"- reads stdin and writes stdout. With -check nothing is written, and the exit code is 3 if a file is not in form, as in Terraform.",
		Example: "oauthctl fmt -check -diff",
		RunE: func(_ *cobra.Command, args []string) error {
			c.view = c.newView(false, false)
			return c.format(args, &f)
		},
	}
	fs := cmd.Flags()
	fs.BoolVar(&f.check, "check", false, "write nothing; exit with 3 if a file is not in form")
	fs.BoolVar(&f.diff, "diff", false, "show what changes")
	fs.BoolVar(&f.recursive, "recursive", false, "go into directories below")
	fs.BoolVar(&f.write, "write", true, "write the files (-write=false: only list)")
	fs.BoolVar(&f.list, "list", true, "list the files that are not in form (-list=false: do not)")
	return cmd
}
