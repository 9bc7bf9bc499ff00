package sink

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"
)

func byName(a, b Value) int { return cmp.Compare(a.Name, b.Name) }

// isVariable reports whether a name can be that of an environment variable in a shell.
func isVariable(name string) bool {
	for i, r := range name {
		switch {
		case r == '_', r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z':
		case i > 0 && r >= '0' && r <= '9':
		default:
			return false
		}
	}
	return name != ""
}

// checkVariables is a Check for places that names become variables of.
func checkVariables(names []string) error {
	for _, name := range names {
		if !isVariable(name) {
			return fmt.Errorf("%q cannot be the name of a variable: letters, digits and underscores are allowed, and no digit at the start", name)
		}
	}
	return nil
}

// checkActions is a Check for secrets of Actions, whose names are not told apart by case.
func checkActions(names []string, server string, reserved ...string) error {
	if err := checkVariables(names); err != nil {
		return err
	}
	seen := map[string]string{}
	for _, name := range names {
		upper := strings.ToUpper(name)
		for _, prefix := range reserved {
			if strings.HasPrefix(upper, prefix) {
				return fmt.Errorf("%q cannot be the name of a secret: names that start with %s are %s's own", name, prefix, server)
			}
		}
		if other := seen[upper]; other != "" {
			return fmt.Errorf("%q and %q are one secret: %s does not tell capital letters from small ones", other, name, server)
		}
		seen[upper] = name
	}
	return nil
}

// clean makes text from outside fit to be shown: one line, no control
// characters, at most 200 characters.
func clean(text string) string {
	const most = 200
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " ")
	var b strings.Builder
	n := 0
	for _, r := range text {
		if n++; n > most {
			b.WriteString("…")
			break
		}
		if !unicode.IsPrint(r) {
			r = '?'
		}
		b.WriteRune(r)
	}
	return b.String()
}
