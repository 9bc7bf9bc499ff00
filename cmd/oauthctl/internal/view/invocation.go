package view

import (
	"slices"
	"strings"
)

// repeatable are the commands that mean something else without the global flags
// of the run that names them.
var repeatable = []string{
	"apply", "destroy", "output", "plan", "refresh", "show", "state list", "state rm", "state show", "status", "token", "validate",
}

// commands puts the global flags of this run into the command lines that a text
// names, so that they work as they are printed: "oauthctl apply" becomes
// "oauthctl apply -sandbox".
func (o *Options) commands(text string) string {
	const program = "oauthctl "
	if len(o.Flags) == 0 || !strings.Contains(text, program) {
		return text
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, program)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString(program)
		verb := verbOf(after)
		if verb != "" && startsWord(before) && !strings.HasPrefix(after[len(verb):], " -help") {
			b.WriteString(verb)
			for _, f := range o.Flags {
				b.WriteString(" " + shellWord(f))
			}
			after = after[len(verb):]
		}
		text = after
	}
}

// verbOf is the command that a text begins with, "" if it is none of the
// repeatable ones.
func verbOf(text string) string {
	i := slices.IndexFunc(repeatable, func(verb string) bool {
		rest, ok := strings.CutPrefix(text, verb)
		return ok && (rest == "" || strings.ContainsRune(" \n.,;:)\"'`", rune(rest[0])))
	})
	if i < 0 {
		return ""
	}
	return repeatable[i]
}

// startsWord reports whether a word can begin behind a text.
func startsWord(before string) bool {
	return before == "" || strings.ContainsRune(" \n(\"'`", rune(before[len(before)-1]))
}
