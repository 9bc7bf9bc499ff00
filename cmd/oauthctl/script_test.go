package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"oauthctl":                   scriptMain,
		"git-credential-oauthctl":    scriptMain,
		"docker-credential-oauthctl": scriptMain,
		"browser-agree":              browserAgree,
		"browser-deny":               browserDeny,
		"browser-idle":               func() {},
		"browser-env":                browserEnviron,
		"secret-tool":                secretTool,
	})
}

// scriptMain is main with a clock that a script can put forward:
// TEST_CLOCK=90m.
func scriptMain() {
	ctx, in := interruptible(context.Background())
	app := osApp(helperArgs(os.Args), in)
	app.PassphraseCost = 10
	if shift, err := time.ParseDuration(os.Getenv("TEST_CLOCK")); err == nil {
		app.Now = func() time.Time { return time.Now().Add(shift) }
	}
	os.Exit(app.Run(ctx))
}

// One page per story: what a person types, and what they get.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			home := filepath.Join(e.WorkDir, "home")
			e.Setenv("HOME", home)
			e.Setenv("USERPROFILE", home)
			e.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
			e.Setenv("XDG_STATE_HOME", filepath.Join(home, "state"))
			e.Setenv("COLUMNS", "200")
			examples, err := filepath.Abs("../../examples")
			if err != nil {
				return err
			}
			e.Setenv("EXAMPLES", examples)
			e.Setenv("TERM", "xterm-256color")
			return os.MkdirAll(home, 0o700)
		},
		Cmds: scriptCmds(),
	})
}
