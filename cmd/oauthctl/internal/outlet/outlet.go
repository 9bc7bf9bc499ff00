// Package outlet writes tokens as other programs take them, and reads what those
// programs ask: shells, curl, git, docker, kubectl, GitHub Actions, Terraform,
// mail clients.
//
// Its rule: no value leaves the place that a format has for it. What a format
// cannot hold is refused, and never written in another way.
//
// The package does not know the state, the flags, files, or the environment.
package outlet

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// Options are what some formats need besides the token.
type Options struct {
	User      string // whose mailbox or machine; "": the account of the connection
	LookupEnv func(string) (string, bool)
	Stdin     io.Reader
	Rand      io.Reader
	Append    func(path string, text []byte) error // to a file of the program that asked
	Mask      io.Writer                            // where a job's runner is told what to mask, before it is printed; nil: nowhere
}

// Format is one way to hand out a token.
type Format struct {
	Name, Doc string
	// check looks, before a token is asked for, whether it could be written; nil: always.
	check  func(*Options) error
	encode func(*engine.Token, *Options) (string, error)
	// then is what is left to do after the text was printed; nil: nothing.
	then func(*engine.Token, *Options) error
}

// Named finds a format.
func Named(name string) (Format, bool) {
	for _, f := range Formats() {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}

// Names lists the formats; the first is the default.
func Names() []string {
	var names []string
	for _, f := range Formats() {
		names = append(names, f.Name)
	}
	return names
}

// Check says early what would keep a token from being written.
func (f *Format) Check(o *Options) error {
	if f.check == nil {
		return nil
	}
	return f.check(o)
}

// Write prints a token: all of it, or nothing.
func (f *Format) Write(w io.Writer, t *engine.Token, o *Options) error {
	text, err := f.encode(t, o)
	if err != nil {
		return fmt.Errorf("as %s: %w", f.Name, err)
	}
	if o.Mask != nil {
		if _, err := io.WriteString(o.Mask, masks(text, t.AccessToken.Reveal())); err != nil {
			return fmt.Errorf("mask it first: %w", err)
		}
	}
	if _, err := io.WriteString(w, text); err != nil || f.then == nil {
		return err
	}
	return f.then(t, o)
}

var errNotPrintable = errors.New("the access token has characters that no access token has (RFC 6749, appendix A.12), and is not written")

// plain is the access token if it is printable ASCII without spaces: then it is
// one word in every format that is made of lines.
func plain(t *engine.Token) (string, error) {
	s := t.AccessToken.Reveal()
	if s == "" || !isWord(s) {
		return "", errNotPrintable
	}
	return s, nil
}

func isWord(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// user is who the token is for, as one line.
func user(t *engine.Token, o *Options) (string, error) {
	name := cmp.Or(o.User, t.Account)
	switch {
	case name == "":
		return "", errors.New("it is not known whose token it is: say so with -user, or set account in the configuration")
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "", errors.New("the name of the user has control characters")
	}
	return name, nil
}

// scheme is the authentication scheme of a token type. The type is not
// case-sensitive (RFC 6749 §5.1), but servers that compare the scheme want "Bearer".
func scheme(tokenType string) (string, error) {
	switch {
	case tokenType == "" || strings.EqualFold(tokenType, "bearer"):
		return "Bearer", nil
	case !isWord(tokenType) || strings.ContainsAny(tokenType, `"\:`):
		return "", errors.New("the type of the token is not a word")
	}
	return tokenType, nil
}

// EnvName is the prefix of a connection's variables: graph["eu"] is GRAPH_EU.
func EnvName(a addr.Addr) string {
	name := a.Name
	if a.Keyed {
		name += "_" + a.Key
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_':
			return r
		}
		return '_'
	}, name)
}
