// Package planfile knows the format of a saved plan: what "plan -out" writes,
// "show" shows and "apply" carries out. docs/plan.md describes it.
//
// A file has no secret in it. It says which state, which files and which values
// of variables the plan was made from, by digests where the values are nobody's
// business, and is authenticated with a key of the state, if there is a state.
//
// The package does not know files, keys, the state, HCL, or when a plan is stale.
package planfile

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/oauthctl/oauthctl/engine/plan"
)

// FormatVersion is the version of the format. A file of another version is
// refused: what is not understood cannot be carried out.
const FormatVersion = "1.0"

// kind tells a saved plan from other JSON.
const kind = "oauthctl_plan"

// File is a saved plan.
type File struct {
	Program string // version of oauthctl that wrote it
	Sandbox bool
	Plan    *plan.Plan
	// Salt keys the digests of Files.
	Salt string
	// Files are digests of the configuration's files, by name; see [Digest].
	Files map[string]string
	// Values are those of variables, as package schema writes them down.
	Values map[string]json.RawMessage
	// Secrets names the variables whose values have to be given again. With a
	// state, each has a digest under a key of the state; without, it has none.
	Secrets map[string]string
	// Inputs are digests of what the configuration wants of each connection that
	// changes, by address.
	Inputs map[string]string
}

// Sign makes a keyed digest of a text, with a key that only readers of the state have.
type Sign func(text string) (string, error)

// Errors of the package.
var (
	ErrNotPlan = errors.New("it is not a saved plan")
	ErrFormat  = errors.New("it was saved by another version of oauthctl, in a format that this one does not know")
	ErrChanged = errors.New("it was changed after it had been saved, or is damaged")
)

// envelope is the file; the MAC is over the bytes of the body as they stand there.
type envelope struct {
	Type          string          `json:"type"`
	FormatVersion string          `json:"format_version"`
	MAC           string          `json:"mac,omitempty"`
	Body          json.RawMessage `json:"body"`
}

// Encode writes a saved plan; sign is nil where there is no state.
func (f *File) Encode(sign Sign) ([]byte, error) {
	text, err := json.Marshal(bodyOf(f))
	if err != nil {
		return nil, err
	}
	e := envelope{Type: kind, FormatVersion: FormatVersion, Body: text}
	if sign != nil {
		if e.MAC, err = sign(e.signed()); err != nil {
			return nil, err
		}
	}
	text, err = json.Marshal(e)
	return append(text, '\n'), err
}

// signed is the text that the MAC is of.
func (e *envelope) signed() string { return e.FormatVersion + "\n" + string(e.Body) }

// Looks reports whether a file that begins like this may be a saved plan.
func Looks(start []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(start, " \t\r\n"), []byte(`{"type":"`+kind+`"`))
}

// Saved is a file that was read, and that nobody has verified yet.
type Saved struct {
	*File
	envelope envelope
}

// Decode reads a saved plan. What it says is to be shown, and to be believed
// only after [Saved.Verify]: ErrNotPlan, ErrFormat, ErrChanged.
func Decode(text []byte) (*Saved, error) {
	if !Looks(text) {
		return nil, ErrNotPlan
	}
	var s Saved
	if err := strict(text, &s.envelope); err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrChanged, err)
	}
	if s.envelope.FormatVersion != FormatVersion {
		return nil, ErrFormat
	}
	var b body
	if err := strict(s.envelope.Body, &b); err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrChanged, err)
	}
	f, err := b.file()
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrChanged, err)
	}
	s.File = f
	return &s, nil
}

// Verify checks that somebody who can read the state saved this very plan. sign
// is nil where the plan was made without a state. ErrChanged.
func (s *Saved) Verify(sign Sign) error {
	if sign == nil {
		if s.envelope.MAC != "" {
			return ErrChanged
		}
		return nil
	}
	mac, err := sign(s.envelope.signed())
	if err != nil {
		return err
	}
	if !hmac.Equal([]byte(mac), []byte(s.envelope.MAC)) {
		return ErrChanged
	}
	return nil
}

// strict decodes one JSON value without members that nobody knows.
func strict(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return errors.New("there is something behind the plan")
	}
	return nil
}

// Digest is a digest of a text under a salt, hex. It tells whoever does not have
// the text nothing, and whoever has it that it is the same.
func Digest(salt, label, text string) string {
	m := hmac.New(sha256.New, []byte(salt))
	fmt.Fprintf(m, "%d %s ", len(label), label)
	m.Write([]byte(text))
	return hex.EncodeToString(m.Sum(nil))
}

// SameChanges reports whether two plans would do the same for the same reasons.
// When and from what they were made does not count, nor what they warn of.
func SameChanges(a, b *plan.Plan) bool {
	x, errA := json.Marshal(changesOf(a.Changes))
	y, errB := json.Marshal(changesOf(b.Changes))
	return errA == nil && errB == nil && bytes.Equal(x, y)
}
