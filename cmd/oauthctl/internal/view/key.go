package view

import "strings"

// Key is what may be told of the key that opens a state.
type Key struct {
	Source     string // a path, or the name of a variable
	Kept       Kept
	Recipients []string // the public halves
	States     []KeyState
}

// Kept says how a key is guarded.
type Kept string

// How a key is kept.
const (
	KeptInClear       Kept = "clear"
	KeptProtected     Kept = "passphrase"
	KeptInKeyring     Kept = "keyring"
	KeptInEnvironment Kept = "environment"
)

func (k Kept) words() string {
	switch k {
	case KeptInClear:
		return "in clear, in a file that only you can read"
	case KeptProtected:
		return "with a passphrase"
	case KeptInKeyring:
		return "in the keyring of the system; the file only points there"
	}
	return "in the environment"
}

// KeyState is a state that was seen on this machine.
type KeyState struct {
	Location   string
	Opens      bool // it is sealed for the key
	Recipients []string
	Problem    string // why nothing is known
}

// Key implements View.
func (h *human) Key(k Key) {
	p := h.out()
	defer p.flush()
	p.field("source", Safe(k.Source))
	p.field("kept", k.Kept.words())
	for _, r := range k.Recipients {
		p.whole("public key", Paint{}, r)
	}
	for _, s := range k.States {
		switch {
		case s.Problem != "":
			p.paintField("unreadable", p.Bad, Safe(s.Problem))
		case s.Opens:
			p.whole("opens", p.Good, s.Location)
		default:
			p.whole("does not open", p.Warn, s.Location)
		}
	}
}

// whole is a field on one line, however long: to be copied.
func (p *page) whole(label string, paint Paint, value string) {
	p.line(strings.Repeat(" ", recordIndent), p.Dim.On(pad(label, 16)), paint.On(Safe(value)))
}

// Key implements View.
func (j *programs) Key(k Key) {
	type keyState struct {
		Location   string   `json:"location"`
		Opens      bool     `json:"opens"`
		Recipients []string `json:"recipients"`
		Problem    string   `json:"problem,omitempty"`
	}
	states := make([]keyState, len(k.States))
	for i, s := range k.States {
		states[i] = keyState{s.Location, s.Opens, list(s.Recipients), s.Problem}
	}
	write(j.o.Out, struct {
		jsonHead
		Source     string     `json:"source"`
		Kept       Kept       `json:"kept"`
		Recipients []string   `json:"recipients"`
		States     []keyState `json:"states"`
	}{j.head(), k.Source, k.Kept, list(k.Recipients), states})
}
