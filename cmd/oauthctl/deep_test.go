package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A stack that overflows ends the process, and no recover holds it: so each of
// these texts is given to a process of its own, which has to say what is wrong.
func TestDeepNestingDoesNotEndTheProcess(t *testing.T) {
	const n = 100_000
	rep := strings.Repeat
	local := func(value string) string { return "locals {\n a = " + value + "\n}\n" }
	texts := map[string]string{
		"(":            local(rep("(", n) + "1" + rep(")", n)),
		"( open":       local(rep("(", n)),
		"[":            local(rep("[", n) + rep("]", n)),
		"{":            local(rep("{a=", n) + "1" + rep("}", n)),
		"[for]":        local(rep("[for x in ", n) + "1" + rep(": x]", n)),
		"{for}":        local(rep("{for x in ", n) + "1" + rep(": x => x}", n)),
		"block":        rep("a {\n", n) + rep("}\n", n),
		"block, label": rep("a \"b\" {\n", n) + rep("}\n", n),
		"${":           local(rep(`"${`, n) + "1" + rep(`}"`, n)),
		"${ open":      local(rep(`"${`, n)),
		"%{if":         local(`"` + rep("%{if true}", n) + rep("%{endif}", 5) + `"`),
		"%{for":        local("<<E\n" + rep("%{for x in y}", 70_000) + "\nE"),
		"heredoc":      local(rep("<<E\n${", n)),
		"!":            local(rep("!", n) + "true"),
		"-":            local(rep("-", n) + "1"),
		"+":            local("1" + rep("+1", n)),
		"*":            local("1" + rep("*1", n)),
		"&&":           local("true" + rep("&&true", n)),
		"==":           local("1" + rep("==1", n)),
		"?:":           local(rep("true?1:", n) + "1"),
		"[index]":      local("b" + rep("[b]", n)),
		"[*]":          local("b" + rep("[*]", n)),
		".attr":        local("b" + rep(".b", n)),
		"f(":           local(rep("f(", n) + rep(")", n)),
		"f(x...":       local("f(" + rep("[", n) + rep("]", n) + "...)"),
		"dynamic":      "connection \"a\" {\n" + rep("dynamic \"grant\" {\n content {\n", 30_000),
	}
	jsons := map[string]string{
		"array":    `{"locals":` + rep("[", n) + rep("]", n) + "}",
		"object":   rep(`{"a":`, n) + "1" + rep("}", n),
		"template": `{"locals":{"a":"` + rep("${[", n) + `1"}}`,
		"type":     `{"variable":{"a":{"type":"` + rep("list(", n) + `"}}}`,
	}
	values := map[string]string{"values (": "a = " + rep("(", n), "values [": "a = " + rep("[", n) + rep("]", n)}
	run := func(name, file, text string, args ...string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), "oauthctl", args...) // this binary: see TestMain
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_STATE_HOME="+dir, "NO_COLOR=1")
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != exitError {
				t.Errorf("ended with %v", err)
			}
			if said := string(out); !strings.Contains(said, "Error: ") || strings.Contains(said, "goroutine") || strings.Contains(said, "crashed") || len(said) > 8<<10 {
				t.Errorf("said %d bytes: %.600s", len(said), said)
			}
		})
	}
	for name, text := range texts {
		run("validate "+name, "main.hcl", text, "validate")
	}
	for _, name := range []string{"(", "block", "${", "-", "dynamic"} {
		run("fmt "+name, "main.hcl", texts[name], "fmt")
	}
	for name, text := range jsons {
		run("validate json "+name, "main.hcl.json", text, "validate")
	}
	for name, text := range values {
		run("plan "+name, "oauthctl.oauthvars", text, "plan")
	}
}
