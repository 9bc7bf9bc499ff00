package main

import "strings"

// normalise lets -name and -name=v stand for --name and --name=v, as Terraform
// users type them. There are no one-letter flags but -h. "-" and everything
// after "--" stay as they are.
func normalise(args []string) []string {
	out := make([]string, len(args))
	copy(out, args)
	for i, arg := range out {
		if arg == "--" {
			break
		}
		if len(arg) > 1 && arg[0] == '-' && arg[1] != '-' && arg != "-h" {
			out[i] = "-" + arg
		}
	}
	return out
}

// places keeps of a stack trace what cannot hold a value: the lines that name
// a file, without the addresses behind it.
func places(stack []byte) []byte {
	var b strings.Builder
	for line := range strings.Lines(string(stack)) {
		if place, ok := strings.CutPrefix(line, "\t"); ok {
			place, _, _ = strings.Cut(strings.TrimSpace(place), " +0x")
			b.WriteString("  " + place + "\n")
		}
	}
	return []byte(b.String())
}
