package state

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state/seal"
)

// ErrForeign says that an emergency copy belongs to another state.
var ErrForeign = errors.New("it belongs to another state")

// Rescue is what an emergency copy holds: the record that a refresh, or a new
// grant, would have made of a connection, had the state taken it. What it follows
// is told by the Digest; for a new grant, which has none, by what it replaces.
type Rescue struct {
	Record *Record // with the generation that it would have had
	Digest string  // of the refresh token that was sent: see Intent; "": a new grant
	// Replaces is the generation of the record that a new grant takes the place
	// of, 0 if there is none. That record has no later ConfigSerial than Record.
	Replaces uint64
}

// rescueVersion is the version of the format of emergency copies.
const rescueVersion = 1

// rescueFile is an emergency copy as it is written. What is in clear says whose
// it is, and is bound to what is sealed.
type rescueFile struct {
	Version    int    `json:"oauthctl_emergency_copy"`
	Lineage    string `json:"lineage"`
	Address    string `json:"address"`
	Generation uint64 `json:"generation"`
	Sealed     []byte `json:"sealed"`
}

// rescueText is what is sealed in it.
type rescueText struct {
	Digest           string `json:"digest"`
	Replaces         uint64 `json:"replaces,omitempty"`
	Provider         string `json:"provider"`
	Status           Status `json:"status"`
	ExpiresAt        int64  `json:"expires_at"`
	RefreshExpiresAt int64  `json:"refresh_expires_at"`
	UpdatedAt        int64  `json:"updated_at"`
	Info             []byte `json:"info"`
	Tokens           []byte `json:"tokens"`
}

// RescueName is the name that the emergency copies of a connection begin with;
// with the zero Addr, those of all connections of the state. It says nothing to
// whoever does not know the lineage, and needs no key.
func (s *Store) RescueName(ctx context.Context, a addr.Addr) (string, error) {
	lineage := s.KnownLineage() // of a state that can perhaps not be read any more
	if lineage == "" {
		var err error
		if lineage, _, err = s.Lineage(ctx); err != nil {
			return "", err
		}
	}
	all := sha256.Sum256([]byte("oauthctl emergency copy\x00" + lineage))
	name := hex.EncodeToString(all[:4]) + "-"
	if !a.IsZero() {
		one := sha256.Sum256([]byte("oauthctl emergency copy\x00" + lineage + "\x00" + a.String()))
		name += hex.EncodeToString(one[:8]) + "-"
	}
	return name, nil
}

// SealRescue seals a record for a place outside the state, under the data key of
// the state: who can open the one can open the other. It does not touch the backend.
func (s *Store) SealRescue(ctx context.Context, rescued *Rescue) ([]byte, error) {
	o, err := s.open(ctx, nil)
	if err != nil {
		return nil, err
	}
	sum, info, err := ready(rescued.Record)
	if err != nil {
		return nil, err
	}
	text := rescueText{
		Digest: rescued.Digest, Replaces: rescued.Replaces, Provider: sum.Provider, Status: sum.Status, ExpiresAt: toUnix(sum.ExpiresAt),
		RefreshExpiresAt: toUnix(sum.RefreshExpiresAt), UpdatedAt: toUnix(sum.UpdatedAt),
	}
	if text.Info, err = encodeInfo(sum, info); err != nil {
		return nil, err
	}
	if text.Tokens, err = encodeTokens(sum, rescued.Record.Tokens); err != nil {
		return nil, err
	}
	plain, err := json.Marshal(text)
	if err != nil {
		return nil, err
	}
	f := rescueFile{Version: rescueVersion, Lineage: o.box.Lineage(), Address: sum.Addr.String(), Generation: sum.Generation}
	f.Sealed = o.box.Seal(plain, f.place())
	b, err := json.Marshal(f)
	return append(b, '\n'), err
}

func (f *rescueFile) place() seal.Place {
	return seal.Place{Address: f.Address, Generation: f.Generation, Part: "emergency copy"}
}

// OpenRescue opens an emergency copy, also one that was sealed before the data
// key was changed: ErrForeign, ErrTampered, ErrFormat.
func (s *Store) OpenRescue(ctx context.Context, b []byte) (*Rescue, error) {
	var f rescueFile
	if err := json.Unmarshal(b, &f); err != nil || f.Version < 1 {
		return nil, fmt.Errorf("%w: it is not an emergency copy, or only a piece of one", ErrTampered)
	}
	if f.Version > rescueVersion {
		return nil, fmt.Errorf("%w: upgrade oauthctl", ErrFormat)
	}
	a, err := addr.Parse(f.Address)
	if err != nil {
		return nil, fmt.Errorf("%w: its address is none", ErrTampered)
	}
	o, err := s.fresh(ctx)
	if err != nil {
		return nil, err
	}
	if f.Lineage != o.box.Lineage() {
		return nil, ErrForeign
	}
	var plain []byte
	for _, box := range append([]*seal.Box{o.box}, o.header.Older(o.box)...) {
		if plain, err = box.Open(f.Sealed, f.place()); err == nil {
			break
		}
	}
	if err != nil {
		return nil, tampered(err)
	}
	return openRescued(a, f.Generation, plain)
}

func openRescued(a addr.Addr, generation uint64, plain []byte) (*Rescue, error) {
	var text rescueText
	if err := json.Unmarshal(plain, &text); err != nil {
		return nil, errNotARecord
	}
	sum := Summary{
		Addr: a, Provider: text.Provider, Status: text.Status, ExpiresAt: fromUnix(text.ExpiresAt),
		RefreshExpiresAt: fromUnix(text.RefreshExpiresAt), UpdatedAt: fromUnix(text.UpdatedAt), Generation: generation,
	}
	r := &Record{Summary: sum}
	var err error
	if r.Info, err = decodeInfo(text.Info, sum); err != nil {
		return nil, err
	}
	if r.Tokens, err = decodeTokens(text.Tokens, sum); err != nil {
		return nil, err
	}
	return &Rescue{Record: r, Digest: text.Digest, Replaces: text.Replaces}, nil
}

// KnownLineage is the lineage of a state that has been opened, without a look at
// the backend; "" before.
func (s *Store) KnownLineage() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opened == nil {
		return ""
	}
	return s.opened.box.Lineage()
}
