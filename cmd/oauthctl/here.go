package main

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/engine/plan"
)

// surroundings are what tells whether a browser can be opened.
type surroundings struct {
	system    string // GOOS
	ci        bool
	env       func(name string) string
	exists    func(path string) bool
	read      func(path string) string // "" if it cannot be read
	installed func(program string) bool
}

func (c *cli) surroundings() surroundings {
	return surroundings{
		system: runtime.GOOS, ci: c.inCI(), env: c.env, exists: exists,
		read:      func(path string) string { b, _ := os.ReadFile(path); return string(b) },
		installed: func(program string) bool { _, err := exec.LookPath(program); return err == nil },
	}
}

// noBrowser says why no browser can be opened, "" if one may.
func (s surroundings) noBrowser() string {
	launchers := launchersOf(s.system)
	switch {
	case s.env("SSH_CONNECTION") != "" || s.env("SSH_TTY") != "":
		return "this is an SSH session"
	case s.ci:
		return "this is CI"
	case s.env("KUBERNETES_SERVICE_HOST") != "":
		return "this is a Kubernetes pod"
	case s.inContainer():
		return "this is a container"
	case s.system != "linux":
		return ""
	case s.env("DISPLAY") == "" && s.env("WAYLAND_DISPLAY") == "" && !s.inWSL():
		return "there is no display"
	}
	for _, program := range launchers {
		if s.installed(program) {
			return ""
		}
	}
	if s.inWSL() {
		return "this is WSL without wslview (package wslu)"
	}
	return "none of " + strings.Join(launchers, ", ") + " is installed"
}

// inWSL: the browser is the one of Windows, and reaches listeners of Linux by localhost.
func (s surroundings) inWSL() bool {
	return s.env("WSL_DISTRO_NAME") != "" || s.env("WSL_INTEROP") != ""
}

// inContainer goes by what Docker and Podman leave behind, and with the first
// version of cgroups by the name of the first process's.
func (s surroundings) inContainer() bool {
	if s.system != "linux" {
		return false
	}
	if s.exists("/.dockerenv") || s.exists("/run/.containerenv") {
		return true
	}
	groups := s.read("/proc/1/cgroup")
	for _, mark := range []string{"/docker", "/kubepods", "/libpod", "/lxc/", "/containerd"} {
		if strings.Contains(groups, mark) {
			return true
		}
	}
	return false
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// noBrowser says why no browser can be opened here, "" if one may: one that
// BROWSER names, or that -consent=browser insists on.
func (c *cli) noBrowser() string {
	if c.env("BROWSER") != "" || c.way == wayBrowser {
		return ""
	}
	return c.surroundings().noBrowser()
}

// here is what consents can count on.
func (c *cli) here(f *planFlags) plan.Consent {
	h := plan.Consent{Way: c.way.wanted()}
	if c.sandbox && c.consent == consentAuto {
		return h // the sandbox's own person needs no browser
	}
	h.NoBrowser = c.noBrowser()
	// Where nobody is, the plan says what somebody would be asked.
	h.NoKeys = c.canConsent(&f.input) && (!c.canAsk(&f.input) || f.json && !isTerminal(c.Stdin))
	return h
}

// consentWay is -consent.
type consentWay string

const (
	wayAuto    consentWay = "auto"
	wayBrowser consentWay = "browser"
	wayDevice  consentWay = "device"
	wayPaste   consentWay = "paste"
)

func completeWays(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{
		string(wayAuto) + "\tchosen by what is here", string(wayBrowser) + "\tin a browser on this machine",
		string(wayDevice) + "\ta code, entered on any device", string(wayPaste) + "\tthe address that a browser anywhere ends at",
	}, cobra.ShellCompDirectiveNoFileComp
}

// wanted is the way that is insisted on, "" if it is chosen.
func (w consentWay) wanted() string {
	if w == wayAuto {
		return ""
	}
	return string(w)
}

func (w *consentWay) String() string { return string(*w) }
func (*consentWay) Type() string     { return "WAY" }

// Set implements pflag.Value.
func (w *consentWay) Set(s string) error {
	switch consentWay(s) {
	case wayAuto, wayBrowser, wayDevice, wayPaste:
		*w = consentWay(s)
		return nil
	}
	return errors.New("want auto, browser, device or paste")
}
