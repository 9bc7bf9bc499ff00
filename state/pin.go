package state

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/oauthctl/oauthctl/state/seal"
)

// pins remember, outside the state, what this machine has seen: per lineage the
// data key's commitment and the highest serial, and per place the lineage that
// lives there. Whoever knows the public recipients can make a whole state of
// their own; only the pins tell it from the right one.
type pins struct {
	dir      string // "": none are kept
	location string // "": the place is made for this run, and nothing is remembered of it
	accept   bool   // an older state than was seen, on purpose
	sandbox  bool   // what is seen here was looked at in the sandbox only
}

type lineagePin struct {
	Version    int    `json:"v"`
	Lineage    string `json:"lineage"`
	Commitment string `json:"commitment"`
	// Pending is the commitment of a data key whose first write is under way.
	Pending string `json:"pending,omitempty"`
	Epoch   uint64 `json:"epoch"`
	Serial  uint64 `json:"serial"`
	Sandbox bool   `json:"sandbox,omitempty"` // it was seen in the sandbox alone
}

type placePin struct {
	Version  int    `json:"v"`
	Location string `json:"location"`
	Lineage  string `json:"lineage"`
}

func (p *lineagePin) members() []member {
	return []member{
		{"v", &p.Version}, {"lineage", &p.Lineage}, {"commitment", &p.Commitment}, {"pending", &p.Pending},
		{"epoch", &p.Epoch}, {"serial", &p.Serial}, {"sandbox", &p.Sandbox},
	}
}

func (p *placePin) members() []member {
	return []member{{"v", &p.Version}, {"location", &p.Location}, {"lineage", &p.Lineage}}
}

func (p pins) lineageFile(lineage string) string { return filepath.Join(p.dir, lineage+".json") }

func (p pins) placeFile() string {
	sum := sha256.Sum256([]byte(p.location))
	return filepath.Join(p.dir, "place-"+hex.EncodeToString(sum[:12])+".json")
}

// check compares a verified header with the pins, and raises them. A pin that
// cannot be written (a read-only home) does not stop a reader.
func (p pins) check(h *seal.Header, box *seal.Box) error {
	if p.dir == "" {
		return nil
	}
	var place placePin
	switch found, err := p.readPlace(&place); {
	case err != nil:
		return err
	case p.location == "":
	case found && place.Lineage != h.Lineage:
		return WithAdvice(fmt.Errorf("%w: %s held the state %s on this machine before, and now holds %s", ErrTampered, p.location, place.Lineage, h.Lineage),
			"if you replaced it yourself, remove "+p.placeFile()+"; otherwise do not use it")
	case !found:
		_ = writePin(p.placeFile(), placePin{Version: 1, Location: p.location, Lineage: h.Lineage})
	}
	pin, err := p.seen(h, box)
	if err != nil {
		return err
	}
	if now := p.of(h, pin); pin != now {
		_ = writePin(p.lineageFile(h.Lineage), now)
	}
	return nil
}

func (p pins) readPlace(place *placePin) (found bool, err error) {
	if p.location == "" {
		return false, nil
	}
	return readPin(p.placeFile(), place)
}

// seen compares a verified header with the pin of its lineage, and gives that pin.
func (p pins) seen(h *seal.Header, box *seal.Box) (pin lineagePin, err error) {
	if p.dir == "" {
		return pin, nil
	}
	file := p.lineageFile(h.Lineage)
	found, err := readPin(file, &pin)
	if err != nil || !found {
		return pin, err
	}
	return pin, p.compare(pin, h, box, file)
}

// of is the pin of what is seen now, after before; zero: there was none.
func (p pins) of(h *seal.Header, before lineagePin) lineagePin {
	return lineagePin{
		Version: 1, Lineage: h.Lineage, Commitment: h.Commitment, Epoch: h.Epoch, Serial: h.Serial,
		Sandbox: p.sandbox && (before == lineagePin{} || before.Sandbox),
	}
}

// next is of, after what is on the disk; a pin that cannot be read is replaced.
func (p pins) next(h *seal.Header) lineagePin {
	var before lineagePin
	_, _ = readPin(p.lineageFile(h.Lineage), &before)
	return p.of(h, before)
}

func (p pins) compare(pin lineagePin, h *seal.Header, box *seal.Box, file string) error {
	known := h.Commitment == pin.Commitment || pin.Pending != "" && h.Commitment == pin.Pending ||
		h.Epoch > pin.Epoch && h.Succeeds(box, pin.Commitment) // somebody changed the data key; they had the one we know
	older := h.Epoch < pin.Epoch // under which a pin does not tell a right data key from another
	switch {
	case !known && !older: // an earlier serial is no excuse
	case p.accept && (older || h.Serial < pin.Serial):
		return nil
	case older, h.Serial < pin.Serial:
		return WithAdvice(fmt.Errorf("%w: %s is at serial %d with data key %d, this machine has seen serial %d with data key %d",
			ErrRollback, p.location, h.Serial, h.Epoch, pin.Serial, pin.Epoch),
			"bring back the newer file; if you restored a backup on purpose, accept it with -accept-rollback of token, exec, refresh, plan or apply, or by removing "+file+" (refresh tokens in it may be spent)")
	default:
		return nil
	}
	return WithAdvice(fmt.Errorf("%w: the data key of %s is not the one that this machine has seen, nor its successor", ErrTampered, p.location),
		"the file may be forged; if you know that it is right, accept it by removing "+file)
}

// ready tells whether pins can be kept, before a state is made that would need them.
func (p pins) ready() error {
	if p.dir == "" {
		return nil
	}
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return notPinned(err)
	}
	f, err := os.CreateTemp(p.dir, ".pin-*")
	if err != nil {
		return notPinned(err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

func notPinned(err error) error {
	return WithAdvice(fmt.Errorf("keep the pin of the state: %w", err), "set XDG_STATE_HOME to a directory that you can write to")
}

// announce records, before it is written, a data key that this process made.
// Here an error counts: without the pin the next reader would call it forged.
func (p pins) announce(h *seal.Header, commitment string) error {
	if p.dir == "" {
		return nil
	}
	pin := p.next(h)
	pin.Pending = commitment
	return writePin(p.lineageFile(h.Lineage), pin)
}

// created records a state that this process has just made at its place.
func (p pins) created(h *seal.Header) error {
	if p.dir == "" {
		return nil
	}
	err := writePin(p.lineageFile(h.Lineage), p.next(h))
	if p.location == "" {
		return err
	}
	return errors.Join(err, writePin(p.placeFile(), placePin{Version: 1, Location: p.location, Lineage: h.Lineage}))
}

func readPin(file string, into interface{ members() []member }) (found bool, err error) {
	b, err := os.ReadFile(file) // the directory is the caller's, the name ours
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil && readObject(b, into.members()) != nil {
		err = json.Unmarshal(b, into) // of a later version, perhaps, or it says what is wrong
	}
	if err != nil {
		return false, WithAdvice(fmt.Errorf("%w: the pin %s cannot be read (%w)", ErrTampered, file, err), "remove it if you trust the state")
	}
	return true, nil
}

// writePin replaces a pin atomically.
func writePin(file string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return replacePrivate(file, append(b, '\n'))
}

// replacePrivate replaces a file of this machine's memory, 0600.
func replacePrivate(file string, text []byte) (err error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return notPinned(err)
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".pin-*") // 0600
	if err != nil {
		return notPinned(err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
			err = fmt.Errorf("keep the pin of the state: %w", err)
		}
	}()
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}
