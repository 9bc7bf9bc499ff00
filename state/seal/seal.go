// Package seal turns bytes into sealed bytes and back, and makes the header
// that says who can open them.
//
// A random data key seals everything (XChaCha20-Poly1305 under keys derived
// with HKDF-SHA-256). The data key itself is wrapped by age once for every
// recipient, each time in a small age file of its own that is found by the
// recipient's name, so that opening costs one unwrap for a team of any size.
// docs/state-format.md specifies every byte.
//
// Start-up: x/crypto/ssh (under agessh) costs about 0.1 ms of initialisation in
// every process that links this package, age itself 0.04 ms. Keeping ssh keys
// in a package of their own would not help a single binary.
//
// The package does no I/O. It does not know what is inside the sealed bytes,
// where they are kept, or where identities come from.
package seal

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"
)

// Format is the version of the format that this package reads and writes.
const Format = 1

const (
	keySize = 32
	// Overhead is how many bytes sealing adds: nonce and tag.
	Overhead = chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead
)

// Errors of the package.
var (
	// ErrOpen: the bytes were not sealed under this key for this place, or were changed.
	ErrOpen = errors.New("does not open: changed, or moved from another place")
	// ErrNewer: the header was written by a newer version.
	ErrNewer = errors.New("written in a newer format")
	// ErrHeader: the header does not follow the format, or its MAC is wrong.
	ErrHeader = errors.New("the header is damaged or was changed")
	// ErrNoIdentity: no identity opens a wrapped key.
	ErrNoIdentity = errors.New("no identity fits")
	// ErrPassphrase: an identity that opens with a passphrase only, see [Unprotect].
	ErrPassphrase = errors.New("the identity is protected by a passphrase")
	// ErrWrongPassphrase: the passphrase is not the right one.
	ErrWrongPassphrase = errors.New("the passphrase is wrong")
)

// Key is a data key. It prints as "(sensitive)".
type Key struct{ b [keySize]byte }

// NewKey makes a random data key.
func NewKey() *Key {
	k := &Key{}
	_, _ = rand.Read(k.b[:]) // never fails: crypto/rand ends the program instead
	return k
}

// Format implements [fmt.Formatter] for every verb.
func (*Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "(sensitive)") }

// Box seals and opens under the keys derived from one data key for one lineage.
// It may be used by many goroutines.
type Box struct {
	key        *Key
	lineage    string
	part       cipher.AEAD // seals the parts of records
	inner      cipher.AEAD // seals the keys that the header carries
	header     []byte      // key of the header's MAC
	commitment []byte
}

// NewBox derives the keys. lineage separates states that would share a data key.
func NewBox(k *Key, lineage string) (*Box, error) {
	b := &Box{key: k, lineage: lineage}
	derived := map[string][]byte{}
	for _, purpose := range []string{"part", "inner", "header", "commitment"} {
		d, err := hkdf.Key(sha256.New, k.b[:], []byte(lineage), "oauthctl state 1 "+purpose, keySize)
		if err != nil {
			return nil, fmt.Errorf("derive the %s key: %w", purpose, err)
		}
		derived[purpose] = d
	}
	b.header, b.commitment = derived["header"], derived["commitment"]
	var err error
	if b.part, err = chacha20poly1305.NewX(derived["part"]); err != nil {
		return nil, err
	}
	if b.inner, err = chacha20poly1305.NewX(derived["inner"]); err != nil {
		return nil, err
	}
	return b, nil
}

// Format implements [fmt.Formatter]: a Box holds keys.
func (*Box) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "(sensitive)") }

// Lineage is the lineage that the keys were derived for.
func (b *Box) Lineage() string { return b.lineage }

// Commitment (hex) tells two data keys of one lineage apart without saying anything about them.
func (b *Box) Commitment() string { return hex.EncodeToString(b.commitment) }

// Place is where sealed bytes belong. They do not open at any other place.
type Place struct {
	Address    string
	Generation uint64
	Part       string // "info" or "tokens"
}

// aad is the associated data of a part: every field with its length before it,
// so that no two places give the same bytes.
func (b *Box) aad(p Place) []byte {
	out := make([]byte, 0, 64+len(b.lineage)+len(p.Address))
	out = appendField(out, "oauthctl state 1")
	out = appendField(out, b.lineage)
	out = appendField(out, p.Address)
	out = binary.BigEndian.AppendUint32(out, 8)
	out = binary.BigEndian.AppendUint64(out, p.Generation)
	return appendField(out, p.Part)
}

func appendField(out []byte, s string) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(s))) // far below 4 GiB
	return append(out, s...)
}

// Seal seals plaintext for one place: nonce (24 bytes), ciphertext, tag (16 bytes).
func (b *Box) Seal(plaintext []byte, p Place) []byte {
	return sealWith(b.part, plaintext, b.aad(p))
}

// Open opens what Seal made for the same place, or returns ErrOpen.
func (b *Box) Open(sealed []byte, p Place) ([]byte, error) { return b.OpenTo(nil, sealed, p) }

// OpenTo is Open that writes over into if that is large enough.
func (b *Box) OpenTo(into, sealed []byte, p Place) ([]byte, error) {
	return openWith(b.part, into, sealed, b.aad(p))
}

func sealWith(a cipher.AEAD, plaintext, aad []byte) []byte {
	out := make([]byte, chacha20poly1305.NonceSizeX, len(plaintext)+Overhead)
	_, _ = rand.Read(out)
	return a.Seal(out, out, plaintext, aad)
}

func openWith(a cipher.AEAD, into, sealed, aad []byte) ([]byte, error) {
	if len(sealed) < Overhead {
		return nil, ErrOpen
	}
	nonce, text := sealed[:chacha20poly1305.NonceSizeX], sealed[chacha20poly1305.NonceSizeX:]
	out, err := a.Open(into[:0], nonce, text, aad)
	if err != nil {
		return nil, ErrOpen
	}
	return out, nil
}

// Digest is a keyed digest (hex) of value under label: equal inputs give equal
// digests in one state, and without its keys a digest says nothing. Its key is
// in the header and outlives the data key.
func (b *Box) Digest(h *Header, label, value string) (string, error) {
	key, err := b.openInner("digest", h.Digest)
	if err != nil {
		return "", err
	}
	m := hmac.New(sha256.New, key)
	m.Write(appendField(nil, label))
	m.Write([]byte(value))
	return hex.EncodeToString(m.Sum(nil)), nil
}

// sealInner seals a key of the header under the data key.
func (b *Box) sealInner(name string, key []byte) []byte {
	return sealWith(b.inner, key, b.innerAAD(name))
}

func (b *Box) openInner(name string, sealed []byte) ([]byte, error) {
	raw, err := openWith(b.inner, nil, sealed, b.innerAAD(name))
	if err != nil || len(raw) != keySize {
		return nil, ErrOpen
	}
	return raw, nil
}

func (b *Box) innerAAD(name string) []byte {
	return appendField(appendField(appendField(nil, "oauthctl state 1"), b.lineage), name)
}

// past opens an older data key of the same lineage.
func (b *Box) past(sealed []byte) (*Box, error) {
	raw, err := b.openInner("past", sealed)
	if err != nil {
		return nil, err
	}
	return NewBox(&Key{b: [keySize]byte(raw)}, b.lineage)
}

// mac authenticates header bytes.
func (b *Box) mac(text []byte) []byte {
	m := hmac.New(sha256.New, b.header)
	m.Write(text)
	return m.Sum(nil)
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// DocumentMAC authenticates a whole document of a state, so that no record can be left out of it.
func (b *Box) DocumentMAC(text []byte) []byte {
	key, err := hkdf.Key(sha256.New, b.key.b[:], []byte(b.lineage), "oauthctl state 1 document", keySize)
	if err != nil {
		panic(err) // only of lengths that are constants here
	}
	m := hmac.New(sha256.New, key)
	m.Write(text)
	return m.Sum(nil)
}
