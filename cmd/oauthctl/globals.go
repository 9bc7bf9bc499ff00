package main

import (
	"fmt"

	"github.com/spf13/pflag"
)

// globals are the options that every command has.
type globals struct {
	chdir    string
	config   string
	state    string
	stateOut string
	identity string
	sandbox  bool
	consent  consentMode
	noColor  bool
}

func (g *globals) registerGlobals(fs *pflag.FlagSet) {
	fs.StringVar(&g.chdir, "chdir", "", "work in `DIR` instead of the current directory")
	fs.StringVar(&g.config, "config", "", "read the configuration at `PATH`, a directory or a single file (default: the current directory)")
	fs.StringVar(&g.state, "state", "", "keep the state in `FILE` (default: what the configuration says, else oauthctl.state); the sandbox has its own, whatever this says")
	fs.StringVar(&g.identity, "identity", "", "open the state with the age identity or SSH key in `FILE`, or with keyring:age1…")
	fs.StringVar(&g.stateOut, "state-out", "", "when the command has ended, write the sealed state to `FILE`, in the form of OAUTHCTL_STATE")
	fs.BoolVar(&g.sandbox, "sandbox", false, "run against an imitation of the servers, with a state of its own")
	g.consent = consentAuto
	fs.Var(&g.consent, "sandbox-consent", "who consents in the sandbox: `MODE` is auto, or browser for a real one")
	fs.BoolVar(&g.noColor, "no-color", false, "no colours")
}

// again lists the options that a later command about the same connections has
// to be given as well.
func (g *globals) again() []string {
	var list []string
	for _, f := range []struct{ name, value string }{
		{"chdir", g.chdir}, {"config", g.config}, {"state", g.state}, {"state-out", g.stateOut}, {"identity", g.identity},
	} {
		if f.value != "" {
			list = append(list, "-"+f.name+"="+f.value)
		}
	}
	if g.sandbox {
		list = append(list, "-sandbox")
	}
	if g.consent != consentAuto && g.consent != "" {
		list = append(list, "-sandbox-consent="+string(g.consent))
	}
	return list
}

// consentMode says who answers the sandbox's consent pages.
type consentMode string

const (
	consentAuto    consentMode = "auto"
	consentBrowser consentMode = "browser"
)

func (m *consentMode) String() string { return string(*m) }

func (m *consentMode) Type() string { return "MODE" }

func (m *consentMode) Set(s string) error {
	switch consentMode(s) {
	case consentAuto, consentBrowser:
		*m = consentMode(s)
		return nil
	}
	return fmt.Errorf("want auto or browser")
}
