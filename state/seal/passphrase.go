package seal

import (
	"bytes"
	"crypto"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"
	"golang.org/x/crypto/ssh"
)

const (
	ageHeader = "age-encryption.org/v1"
	// maxWorkFactor bounds what an identity file may cost to open: 2^20 take some
	// seconds and 1 GiB. Age itself writes 2^18, and would read 2^22.
	maxWorkFactor = 20
	maxIdentity   = 64 << 10
)

// Protected reports whether an identity file opens with a passphrase only: an
// age file, armored or not, or an ssh private key that is encrypted.
func Protected(text string) bool {
	if isAgeFile(text) {
		return true
	}
	_, missing := sshPassphrase(strings.TrimSpace(text) + "\n")
	return missing
}

func isAgeFile(text string) bool {
	text = strings.TrimSpace(text)
	return strings.HasPrefix(text, armor.Header) || strings.HasPrefix(text, ageHeader)
}

// sshPassphrase reports whether text is an ssh private key that is encrypted,
// and its public key if that can be read without the passphrase.
func sshPassphrase(text string) (public ssh.PublicKey, missing bool) {
	if !strings.HasPrefix(text, "-----BEGIN ") {
		return nil, false
	}
	_, err := ssh.ParseRawPrivateKey([]byte(text))
	var e *ssh.PassphraseMissingError
	if !errors.As(err, &e) {
		return nil, false
	}
	return e.PublicKey, true
}

// PublicOf is the name of the recipient of a protected identity, as far as the
// file tells it without the passphrase: OpenSSH keys do, age files do not.
func PublicOf(text string) (string, bool) {
	public, _ := sshPassphrase(strings.TrimSpace(text) + "\n")
	if public == nil {
		return "", false
	}
	r, err := sshRecipient(public)
	return r.Name, err == nil
}

// Protect encrypts an identity file with a passphrase, in the format of
// "age -p -a". workFactor is the logarithm of scrypt's cost; 0: age's own.
func Protect(text, passphrase string, workFactor int) (string, error) {
	r, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return "", errors.New("the passphrase is empty")
	}
	if workFactor > 0 {
		r.SetWorkFactor(min(workFactor, maxWorkFactor))
	}
	var b bytes.Buffer
	a := armor.NewWriter(&b)
	w, err := age.Encrypt(a, r)
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err == nil {
		err = errors.Join(w.Close(), a.Close())
	}
	if err != nil {
		return "", fmt.Errorf("encrypt the identity: %w", err)
	}
	return b.String(), nil
}

// Unprotect is the text of a protected identity file without its passphrase.
// ErrWrongPassphrase. The errors repeat neither the text nor the passphrase.
func Unprotect(text, passphrase string) (string, error) {
	if !isAgeFile(text) {
		return unprotectSSH(text, passphrase)
	}
	var src io.Reader = strings.NewReader(text)
	if trimmed := strings.TrimSpace(text); strings.HasPrefix(trimmed, armor.Header) {
		src = armor.NewReader(strings.NewReader(trimmed + "\n"))
	}
	id, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return "", ErrWrongPassphrase // an empty one
	}
	id.SetMaxWorkFactor(maxWorkFactor)
	r, err := age.Decrypt(src, id)
	if err != nil {
		return "", ageFailure(err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, maxIdentity+1))
	switch {
	case err != nil:
		return "", errors.New("the encrypted identity is damaged, or cut off")
	case len(plain) > maxIdentity:
		return "", errors.New("what is encrypted is too large for an identity")
	}
	return string(plain), nil
}

// ageFailure says why an age file did not open with a passphrase.
func ageFailure(err error) error {
	var none *age.NoIdentityMatchError
	switch {
	case errors.As(err, &none) && slices.Contains(none.StanzaTypes, "scrypt"):
		return ErrWrongPassphrase
	case errors.As(err, &none):
		return errors.New("it is encrypted for a key, and not with a passphrase: decrypt it first (age -d)")
	case strings.Contains(err.Error(), "work factor too large"):
		return fmt.Errorf("its passphrase is too costly to check: the scrypt work factor is above 2^%d", maxWorkFactor)
	}
	return errors.New("the encrypted identity is damaged, or cut off")
}

// unprotectSSH writes an ssh private key without its passphrase.
func unprotectSSH(text, passphrase string) (string, error) {
	raw, err := ssh.ParseRawPrivateKeyWithPassphrase([]byte(strings.TrimSpace(text)+"\n"), []byte(passphrase))
	if err != nil {
		if _, missing := sshPassphrase(strings.TrimSpace(text) + "\n"); missing {
			return "", ErrWrongPassphrase
		}
		return "", errors.New("the private key cannot be read: want an OpenSSH ed25519 or RSA key")
	}
	block, err := ssh.MarshalPrivateKey(crypto.PrivateKey(raw), "")
	if err != nil {
		return "", errors.New("the private key cannot be read: want an OpenSSH ed25519 or RSA key")
	}
	return string(pem.EncodeToMemory(block)), nil
}

// Lazy is an identity of a known recipient that is opened when a key that is
// wrapped for this recipient is to be unwrapped, and not before.
func Lazy(recipient string, open func() ([]age.Identity, error)) age.Identity {
	return lazyIdentity{recipient, open}
}

type lazyIdentity struct {
	name string
	open func() ([]age.Identity, error)
}

// Unwrap implements [age.Identity].
func (l lazyIdentity) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	ids, err := l.open()
	if err != nil {
		return nil, &LockedError{err}
	}
	for _, id := range ids {
		if name, ok := RecipientOf(id); ok && name == l.name {
			return id.Unwrap(stanzas)
		}
	}
	return nil, &LockedError{fmt.Errorf("it is not the private key of %s", short(l.name))}
}

// LockedError says that the identity that fits was not opened. The wrapped key
// may be sound.
type LockedError struct{ Err error }

// Error is why it was not opened.
func (e *LockedError) Error() string { return e.Err.Error() }

// Unwrap gives the reason.
func (e *LockedError) Unwrap() error { return e.Err }
