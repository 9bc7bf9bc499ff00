package main

import (
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

	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/seal"
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
var errNoIdentity = errors.New("there is no identity here")

// identities reads the first source that has a key. A source that was only
// looked for, and not asked for, may be missing or unusable.
func (c *cli) identities() ([]age.Identity, error) {
	var looked []string
	for _, src := range c.identitySources() {
		ids, err := src.load()
		switch {
		case err == nil:
			return ids, nil
		case !src.optional:
			return nil, err
		case errors.Is(err, fs.ErrNotExist):
			looked = append(looked, src.path+" (not there)")
		default:
			looked = append(looked, err.Error())
		}
	}
	return nil, fmt.Errorf("%w: neither -identity, OAUTHCTL_IDENTITY nor OAUTHCTL_IDENTITY_FILE is set; looked at %s",
		errNoIdentity, strings.Join(looked, " and "))
}

// ownRecipients are the public halves of the identities, for a new state.
func (c *cli) ownRecipients() ([]string, error) {
	ids, err := c.identities()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", state.ErrNoKey, err)
	}
	var recipients []string
	for _, id := range ids {
		if r, ok := seal.RecipientOf(id); ok {
			recipients = append(recipients, r)
		}
	}
	return recipients, nil
}

func (s identitySource) load() ([]age.Identity, error) {
	text, name := s.text, s.name
	if s.path != "" {
		raw, err := readPrivate(s.path)
		if err != nil {
			return nil, err
		}
		text, name = string(raw), s.path
	}
	ids, err := seal.ParseIdentities(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return ids, nil
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
	text, recipient, err := seal.NewIdentity()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	return recipient, writeNew(path, []byte("# created: "+now.Format(time.RFC3339)+" by oauthctl\n"+text))
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
