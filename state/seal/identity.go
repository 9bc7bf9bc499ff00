package seal

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"golang.org/x/crypto/ssh"
)

// sshIdentity remembers its recipient's name, which agessh does not tell.
type sshIdentity struct {
	age.Identity
	name string
}

// NewIdentity makes an age X25519 identity. text is the content of an identity
// file, secret; recipient is its public key (age1…).
func NewIdentity() (text, recipient string, err error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return "", "", fmt.Errorf("make an identity: %w", err)
	}
	recipient = id.Recipient().String()
	return fmt.Sprintf("# public key: %s\n%s\n", recipient, id), recipient, nil
}

// ParseIdentities reads identities: lines AGE-SECRET-KEY-1… (comments with #),
// or one OpenSSH or PEM private key (ed25519 or RSA). One that is protected is
// ErrPassphrase: see [Unprotect]. The errors never repeat the text.
func ParseIdentities(text string) ([]age.Identity, error) {
	trimmed := strings.TrimSpace(text)
	switch {
	case trimmed == "":
		return nil, errors.New("the identity is empty")
	case isAgeFile(trimmed):
		return nil, ErrPassphrase
	case strings.HasPrefix(trimmed, "-----BEGIN "):
		id, err := parseSSHIdentity([]byte(trimmed + "\n"))
		if err != nil {
			return nil, err
		}
		return []age.Identity{id}, nil
	case strings.HasPrefix(trimmed, "age1"), strings.HasPrefix(trimmed, "ssh-"):
		return nil, errors.New("this is a public key: an identity is the private key that belongs to it (AGE-SECRET-KEY-1…)")
	}
	return parseAgeIdentities(trimmed)
}

func parseAgeIdentities(text string) ([]age.Identity, error) {
	var out []age.Identity
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		var (
			id  age.Identity
			err error
		)
		switch {
		case strings.HasPrefix(line, "AGE-SECRET-KEY-1"):
			id, err = age.ParseX25519Identity(line)
		case strings.HasPrefix(line, "AGE-SECRET-KEY-PQ-1"):
			id, err = age.ParseHybridIdentity(line)
		case strings.HasPrefix(line, "AGE-PLUGIN-"):
			return nil, fmt.Errorf("line %d: identities of age plugins are not supported", i+1)
		default:
			return nil, fmt.Errorf("line %d is not an identity: want AGE-SECRET-KEY-1…, or a whole OpenSSH private key", i+1)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: not a valid age identity (a character wrong or missing)", i+1)
		}
		out = append(out, id)
	}
	if len(out) == 0 {
		return nil, errors.New("there is no identity in it, only comments: want a line AGE-SECRET-KEY-1…")
	}
	return out, nil
}

func parseSSHIdentity(text []byte) (age.Identity, error) {
	if block, rest := pem.Decode(text); block == nil {
		return nil, errors.New("the private key is damaged: its PEM block does not end, or is not base64")
	} else if len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("there is more than one key in it: give one private key")
	}
	raw, err := ssh.ParseRawPrivateKey(text)
	if missing := (*ssh.PassphraseMissingError)(nil); errors.As(err, &missing) {
		return nil, ErrPassphrase
	}
	if err != nil {
		return nil, errors.New("the private key cannot be read: want an OpenSSH ed25519 or RSA key")
	}
	var id age.Identity
	switch k := raw.(type) {
	case *ed25519.PrivateKey:
		raw = *k
		id, err = agessh.NewEd25519Identity(*k)
	case ed25519.PrivateKey:
		id, err = agessh.NewEd25519Identity(k)
	case *rsa.PrivateKey:
		id, err = agessh.NewRSAIdentity(k)
	default:
		return nil, fmt.Errorf("keys of this type (%T) cannot decrypt: use ed25519, RSA or an age identity", raw)
	}
	if err != nil {
		return nil, fmt.Errorf("ssh private key: %w", err)
	}
	signer, err := ssh.NewSignerFromKey(raw)
	if err != nil {
		return nil, fmt.Errorf("ssh private key: %w", err)
	}
	r, err := sshRecipient(signer.PublicKey())
	if err != nil {
		return nil, err
	}
	return sshIdentity{Identity: id, name: r.Name}, nil
}

// RecipientOf is the canonical name of the recipient that an identity opens for;
// false if its kind does not tell.
func RecipientOf(id age.Identity) (string, bool) {
	switch id := id.(type) {
	case *age.X25519Identity:
		return id.Recipient().String(), true
	case *age.HybridIdentity:
		return id.Recipient().String(), true
	case sshIdentity:
		return id.name, true
	case lazyIdentity:
		return id.name, true
	}
	return "", false
}

// Wrap wraps the data key for one recipient.
func (k *Key) Wrap(r Recipient) (Wrapped, error) {
	var b bytes.Buffer
	w, err := age.Encrypt(&b, r.age)
	if err == nil {
		_, err = w.Write(k.b[:])
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return Wrapped{}, fmt.Errorf("wrap the data key for %s: %w", short(r.Name), err)
	}
	return Wrapped{Recipient: r.Name, File: b.Bytes()}, nil
}

// Wrap wraps the data key of the box for one recipient.
func (b *Box) Wrap(r Recipient) (Wrapped, error) { return b.key.Wrap(r) }

// Unwrap opens the data key with the first identity that fits: by name where
// the identity tells its recipient, else by trying. It returns ErrNoIdentity if
// none fits, ErrHeader if one should fit and the wrapped key is damaged, a
// [LockedError] if one fits and was not opened.
func Unwrap(h *Header, ids []age.Identity) (*Box, error) {
	byName := make(map[string][]byte, len(h.Keys))
	for _, k := range h.Keys {
		byName[k.Recipient] = k.File
	}
	var damaged error
	for _, id := range ids {
		if name, ok := RecipientOf(id); ok {
			file, found := byName[name]
			if !found {
				continue
			}
			key, err := unwrapFile(file, id)
			if err == nil {
				return openBox(h, key)
			}
			if locked := (*LockedError)(nil); errors.As(err, &locked) {
				return nil, locked
			}
			damaged = fmt.Errorf("%w: the key wrapped for %s does not open with its identity", ErrHeader, short(name))
			continue
		}
		for _, k := range h.Keys {
			if key, err := unwrapFile(k.File, id); err == nil {
				return openBox(h, key)
			}
		}
	}
	if damaged != nil {
		return nil, damaged
	}
	return nil, ErrNoIdentity
}

func openBox(h *Header, k *Key) (*Box, error) {
	box, err := NewBox(k, h.Lineage)
	if err != nil {
		return nil, err
	}
	if err := h.Verify(box); err != nil {
		return nil, err
	}
	return box, nil
}

func unwrapFile(file []byte, id age.Identity) (*Key, error) {
	r, err := age.Decrypt(bytes.NewReader(file), id)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(r, keySize+1))
	if err != nil {
		return nil, err
	}
	if len(raw) != keySize {
		return nil, ErrHeader
	}
	k := &Key{}
	copy(k.b[:], raw)
	return k, nil
}
