package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"golang.org/x/crypto/ssh"

	"github.com/oauthctl/oauthctl/state"
)

const maxIdentity = 64 << 10

// identitySource is one place where the key to the state may be.
type identitySource struct {
	name     string // for messages
	path     string // "" if text is the key itself
	text     string
	optional bool // looked for, not asked for
}

// identitySources lists where the identity is looked for, in order.
func (c *cli) identitySources() []identitySource {
	if c.identity != "" {
		return []identitySource{{name: "-identity", path: c.path(c.identity)}}
	}
	if key := c.env("OAUTHCTL_IDENTITY"); key != "" {
		return []identitySource{{name: "OAUTHCTL_IDENTITY", text: key}}
	}
	if file := c.env("OAUTHCTL_IDENTITY_FILE"); file != "" {
		return []identitySource{{name: "OAUTHCTL_IDENTITY_FILE", path: c.path(file)}}
	}
	var list []identitySource
	if file, err := c.identityFile(); err == nil {
		list = append(list, identitySource{name: "the identity", path: file, optional: true})
	}
	if file := c.homeFile(".ssh", "id_ed25519"); file != "" {
		list = append(list, identitySource{name: "the SSH key", path: file, optional: true})
	}
	return list
}

// identityFile is where init puts the identity.
func (a *App) identityFile() (string, error) {
	dir, err := a.configHome()
	return filepath.Join(dir, "identity.txt"), err
}

// errNoIdentity: no source has a key.
var errNoIdentity = errors.New("no identity: neither -identity, OAUTHCTL_IDENTITY, OAUTHCTL_IDENTITY_FILE, " +
	"the file that `oauthctl init` makes, nor ~/.ssh/id_ed25519 is there")

// identities reads the first source that has a key.
func (c *cli) identities() ([]age.Identity, error) {
	for _, src := range c.identitySources() {
		ids, _, err := src.load()
		if src.optional && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, errPassphrase)) {
			continue
		}
		return ids, err
	}
	return nil, fmt.Errorf("%w: %w", state.ErrNoKey, errNoIdentity)
}

// ownRecipients are the public halves of the identities, for a new state.
func (c *cli) ownRecipients() ([]string, error) {
	for _, src := range c.identitySources() {
		_, recipients, err := src.load()
		if src.optional && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, errPassphrase)) {
			continue
		}
		return recipients, err
	}
	return nil, errNoIdentity
}

func (s identitySource) load() ([]age.Identity, []string, error) {
	text := []byte(s.text)
	name := s.name
	if s.path != "" {
		name = s.path
		var err error
		if text, err = readPrivate(s.path); err != nil {
			return nil, nil, err
		}
	}
	ids, recipients, err := parseIdentity(text)
	if err != nil {
		return nil, nil, fmt.Errorf("identity in %s: %w", name, err)
	}
	return ids, recipients, nil
}

// readPrivate reads a key file that nobody else can read.
func readPrivate(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by others (mode %04o), so its key may be known; fix it with: chmod 600 %s", path, mode, path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxIdentity+1))
	if len(text) > maxIdentity {
		return nil, fmt.Errorf("%s is too large for a key", path)
	}
	return text, err
}

var (
	errPassphrase = errors.New("the SSH key has a passphrase, which oauthctl does not ask for; " +
		"make an identity of its own with: oauthctl init")
	errNotAKey = errors.New("want an age identity (AGE-SECRET-KEY-1…) or an OpenSSH private key")
)

// parseIdentity reads age identities or an SSH key. Errors never quote the text.
func parseIdentity(text []byte) ([]age.Identity, []string, error) {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("-----BEGIN")) {
		return parseSSH(text)
	}
	ids, err := age.ParseIdentities(bytes.NewReader(text))
	if err != nil {
		return nil, nil, errNotAKey
	}
	var recipients []string
	for _, id := range ids {
		switch id := id.(type) {
		case *age.X25519Identity:
			recipients = append(recipients, id.Recipient().String())
		case *age.HybridIdentity:
			recipients = append(recipients, id.Recipient().String())
		}
	}
	return ids, recipients, nil
}

func parseSSH(text []byte) ([]age.Identity, []string, error) {
	id, err := agessh.ParseIdentity(text)
	var missing *ssh.PassphraseMissingError
	if errors.As(err, &missing) {
		return nil, nil, errPassphrase
	}
	if err != nil {
		return nil, nil, errNotAKey
	}
	signer, err := ssh.ParsePrivateKey(text)
	if err != nil {
		return nil, nil, errNotAKey
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	return []age.Identity{id}, []string{line}, nil
}

// ensureIdentity makes an identity if no source has one, and says where.
func (c *cli) ensureIdentity() (made string, err error) {
	if _, err := c.ownRecipients(); !errors.Is(err, errNoIdentity) {
		return "", err
	}
	path, err := c.identityFile()
	if err != nil {
		return "", err
	}
	_, err = makeIdentity(path, c.Now())
	return path, err
}

// makeIdentity writes a new age identity, in the format of age-keygen, to a
// file that must not exist, and returns its recipient.
func makeIdentity(path string, now time.Time) (recipient string, err error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	recipient = id.Recipient().String()
	text := fmt.Sprintf("# created: %s by oauthctl\n# public key: %s\n%s\n", now.Format(time.RFC3339), recipient, id)
	return recipient, writeNew(path, []byte(text))
}

// writeNew writes a file of mode 0600 that must not exist, whatever the umask,
// and leaves none behind if it cannot.
func writeNew(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(0o600), f.Sync(), f.Close())
	if err != nil {
		_ = os.Remove(path)
	}
	return err
}
