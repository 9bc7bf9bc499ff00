package main

import (
	"context"
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

	"github.com/oauthctl/oauthctl/schema/secret"
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
	borrowed bool // the person's, for other purposes: it opens what is sealed for it, and nothing new is
}

// identitySources lists where the identity is looked for, in order.
func (c *cli) identitySources() []identitySource {
	if c.identity != "" {
		return []identitySource{{name: "-identity", path: c.identityPath(c.identity)}}
	}
	if key := c.env("OAUTHCTL_IDENTITY"); key != "" {
		return []identitySource{{name: "OAUTHCTL_IDENTITY", text: key}}
	}
	if file := c.env("OAUTHCTL_IDENTITY_FILE"); file != "" {
		return []identitySource{{name: "OAUTHCTL_IDENTITY_FILE", path: c.identityPath(file)}}
	}
	var list []identitySource
	if file, err := c.identityFile(); err == nil {
		list = append(list, identitySource{name: "the identity", path: file, optional: true})
	}
	if file := c.homeFile(".ssh", "id_ed25519"); file != "" {
		list = append(list, identitySource{name: "the SSH key", path: file, optional: true, borrowed: true})
	}
	return list
}

// identityPath is the path that a person gave, or the name of an identity in the keyring.
func (c *cli) identityPath(p string) string {
	if strings.HasPrefix(p, keyringPrefix) {
		return p
	}
	return c.path(p)
}

// identityFile is where init puts the identity.
func (a *App) identityFile() (string, error) {
	dir, err := a.configHome()
	return filepath.Join(dir, "identity.txt"), err
}

// errNoIdentity: no source has a key.
var errNoIdentity = errors.New("there is no identity here")

// identity is what one source holds.
type identity struct {
	src  identitySource
	text string         // as it stands there, secret unless it is protected or a pointer
	ids  []age.Identity // perhaps to be opened when they are needed
	// How it is kept: in the keyring under the name of a recipient, behind a
	// passphrase, or in clear.
	keyring   string
	protected bool
	plain     secret.Secret // what is behind the passphrase or in the keyring, if it was opened
	pass      secret.Secret
}

// place is where the identity is, for messages.
func (k *identity) place() string {
	if k.src.path == "" {
		return k.src.name
	}
	return k.src.path
}

// recipients are the public halves, as far as they are known.
func (k *identity) recipients() []string {
	var out []string
	for _, id := range k.ids {
		if r, ok := seal.RecipientOf(id); ok {
			out = append(out, r)
		}
	}
	return out
}

// find reads the first source that has a key. A source that was only looked
// for, and not asked for, may be missing or unusable; one that holds a key that
// is locked is no reason to take a weaker one.
func (c *cli) find(ctx context.Context) (*identity, error) {
	if c.key != nil {
		return c.key, nil
	}
	var looked []string
	for _, src := range c.identitySources() {
		key, err := c.load(ctx, src)
		switch {
		case err == nil:
			c.key = key
			return key, nil
		case !src.optional, errors.Is(err, state.ErrNoKey), errors.Is(err, context.Canceled):
			return nil, err
		case errors.Is(err, fs.ErrNotExist):
			looked = append(looked, src.path+" (not there)")
		default:
			looked = append(looked, err.Error())
		}
	}
	places := "nor is there a home to look in"
	if len(looked) > 0 {
		places = "looked at " + strings.Join(looked, " and ")
	}
	return nil, fmt.Errorf("%w: neither -identity, OAUTHCTL_IDENTITY nor OAUTHCTL_IDENTITY_FILE is set; %s", errNoIdentity, places)
}

// identities are those that open the state.
func (c *cli) identities(ctx context.Context) ([]age.Identity, error) {
	key, err := c.find(ctx)
	if err != nil {
		return nil, err
	}
	return key.ids, nil
}

// ownRecipients are the public halves of the identities, for a new state.
func (c *cli) ownRecipients(ctx context.Context) ([]string, error) {
	key, err := c.find(ctx)
	if errors.Is(err, state.ErrNoKey) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", state.ErrNoKey, err)
	}
	return key.recipients(), nil
}

// load reads a source, as far as it can be read without asking anybody; of an
// age file nothing can, not even whose it is.
func (c *cli) load(ctx context.Context, src identitySource) (*identity, error) {
	key := &identity{src: src, text: src.text}
	if src.path != "" {
		var err error
		if key.text, err = keyFile(src.path); err != nil {
			return nil, err
		}
	}
	recipient, ok, err := pointsToKeyring(key.text)
	switch {
	case err != nil:
		return nil, locked("%s: %w", key.place(), err)
	case ok:
		key.keyring, key.ids = recipient, []age.Identity{c.fromKeyring(ctx, recipient)}
		return key, nil
	case seal.Protected(key.text):
		return key, c.loadProtected(ctx, key)
	}
	if key.ids, err = seal.ParseIdentities(key.text); err != nil {
		return nil, fmt.Errorf("%s: %w", key.place(), err)
	}
	return key, nil
}

// loadProtected opens a protected identity: at once, or when it is needed if
// the file tells whom it belongs to.
func (c *cli) loadProtected(ctx context.Context, key *identity) error {
	key.protected = true
	if name, ok := seal.PublicOf(key.text); ok {
		key.ids = []age.Identity{seal.Lazy(name, once(func() ([]age.Identity, error) {
			if err := c.open(ctx, key); err != nil {
				return nil, err
			}
			return seal.ParseIdentities(key.plain.Reveal())
		}))}
		return nil
	}
	if err := c.open(ctx, key); err != nil {
		return err
	}
	ids, err := seal.ParseIdentities(key.plain.Reveal())
	if err != nil {
		return locked("what is encrypted in %s: %w", key.place(), err)
	}
	key.ids = ids
	return nil
}

// open gets hold of what is behind the passphrase or in the keyring.
func (c *cli) open(ctx context.Context, key *identity) (err error) {
	switch {
	case key.plain != "":
	case key.keyring != "":
		key.plain, err = c.keyringText(ctx, key.keyring)
	case key.protected:
		var plain string
		plain, key.pass, err = c.unprotect(ctx, key.place(), key.text)
		key.plain = secret.Secret(plain)
	default:
		key.plain = secret.Secret(key.text)
	}
	return err
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

// ensureIdentity makes an identity if no source has one, and says where. A
// borrowed key with a passphrase would be asked for in every command, and is none.
func (c *cli) ensureIdentity(ctx context.Context) (made string, err error) {
	key, err := c.find(ctx)
	switch {
	case err == nil && key.src.borrowed && key.protected:
		c.key = nil
	case err == nil:
		return "", nil
	case !errors.Is(err, errNoIdentity):
		return "", err
	}
	path, err := c.identityFile()
	if err != nil {
		return "", err
	}
	_, err = c.makeIdentity(path, "")
	return path, err
}

// makeIdentity writes a new age identity, in the format of age-keygen, to a
// file that must not exist, and returns its recipient. A passphrase, if there
// is one, protects it.
func (a *App) makeIdentity(path string, pass secret.Secret) (recipient string, err error) {
	text, recipient, err := newIdentity(a.Now())
	if err != nil {
		return "", err
	}
	file := text.Reveal()
	if pass != "" {
		if file, err = seal.Protect(file, pass.Reveal(), a.PassphraseCost); err != nil {
			return "", err
		}
	}
	err = os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = writeNew(path, []byte(file))
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return "", advised("set XDG_CONFIG_HOME to a directory that you can write to, or give a key with -identity FILE or OAUTHCTL_IDENTITY",
			"cannot keep an identity in %s: %w", path, reasonOf(err))
	}
	return recipient, err
}

func newIdentity(now time.Time) (text secret.Secret, recipient string, err error) {
	plain, recipient, err := seal.NewIdentity()
	return secret.Secret("# created: " + now.Format(time.RFC3339) + " by oauthctl\n" + plain), recipient, err
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
