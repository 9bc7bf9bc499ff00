package main

import (
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/view"
)

// baseVersion is the version of the language between releases.
const baseVersion = "0.1.0"

// Set by the linker in release builds.
var (
	version = baseVersion + "-dev"
	commit  = ""
	date    = ""
)

// stateFormat is the version of docs/state-format.md that this program writes.
const stateFormat = 1

func (c *cli) versionCommand() *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Show the version",
		Long:    "Show the version of the program, what it was built from, and the state format it writes.",
		Example: "oauthctl version -json",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			c.view = c.newView(json, false)
			c.view.Version(versionInfo())
			return nil
		},
	}
	jsonFlag(cmd, &json)
	return cmd
}

func versionInfo() view.VersionInfo {
	v := view.VersionInfo{
		Version: version, Commit: commit, Date: date, Go: runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH, StateFormat: stateFormat,
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && v.Commit == "":
			v.Commit = s.Value
		case s.Key == "vcs.time" && v.Date == "":
			v.Date = s.Value
		}
	}
	return v
}

// languageVersion is what required_version is compared with: the release, also
// between releases, where the version is what git describes.
func languageVersion() string {
	number, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), "-")
	if strings.Count(number, ".") == 2 && strings.Trim(number, "0123456789.") == "" {
		return number
	}
	return baseVersion
}
