package sqlite

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// The lock file is empty but for slots that say who holds what. The locks are
// single bytes far behind its end, one for each address by a 62-bit hash.
const (
	lockBase     = 1 << 62
	createOffset = 1 << 61 // the lock for making the state file
	slotSize     = 512
	slots        = 64

	firstPause = 2 * time.Millisecond
	lastPause  = 200 * time.Millisecond // a thousand waiters must leave the holder some processor
)

// Lock implements [state.Backend].
func (d *DB) Lock(ctx context.Context, a addr.Addr, who state.Holder) (state.Unlock, error) {
	return d.claim(ctx, a, false, who)
}

// Lease implements [state.Backend].
func (d *DB) Lease(ctx context.Context, a addr.Addr, who state.Holder) (state.Unlock, error) {
	return d.claim(ctx, a, true, who)
}

func (d *DB) claim(ctx context.Context, a addr.Addr, lease bool, who state.Holder) (state.Unlock, error) {
	offset, s := placeOf(a, lease)
	s.who = who
	f, unlock, err := d.lockRange(ctx, offset, s)
	if b := (*state.BusyError)(nil); errors.As(err, &b) {
		b.Addr, b.Lease = a, lease
		return nil, b
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", a, err)
	}
	if lease {
		return unlock, nil
	}
	d.hold(a, f)
	return func() {
		d.hold(a, nil)
		unlock()
	}, nil
}

func (d *DB) hold(a addr.Addr, f *os.File) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f == nil {
		delete(d.held, a)
		return
	}
	if d.held == nil {
		d.held = map[addr.Addr]*os.File{}
	}
	d.held[a] = f
}

// LockFile is the open file that carries the lock of a connection, while this
// process holds it; else nil. A child process that inherits it holds the lock
// with this one, until both have closed it or one of them has unlocked it.
func (d *DB) LockFile(a addr.Addr) *os.File {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.held[a]
}

// Adopt says in the lock file that this process holds the lock of a connection,
// by a file that it has inherited: see LockFile. It does not take it.
func (d *DB) Adopt(f *os.File, a addr.Addr, who state.Holder) {
	_, s := placeOf(a, false)
	s.who = who
	s.write(f)
}

// leasePrefix tells leases from locks; no address begins like this.
const leasePrefix = "consent "

// placeOf is the byte that stands for a lock or lease, and the slot of its holder.
func placeOf(a addr.Addr, lease bool) (offset int64, s *slot) {
	name := a.String()
	if lease {
		name = leasePrefix + name
	}
	sum := sha256.Sum256([]byte(name))
	h := binary.BigEndian.Uint64(sum[:8]) >> 2 // 62 bits
	return lockBase + int64(h), &slot{at: int64(h%slots) * slotSize, key: hex.EncodeToString(sum[:8]), name: name}
}

// Held implements [state.Backend].
func (d *DB) Held(_ context.Context, addrs []addr.Addr) ([]state.Held, error) {
	f, err := openNoFollow(LockPath(d.path), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", state.ErrPlace, err)
	}
	defer f.Close() // nothing was written
	var out []state.Held
	seen := map[int64]bool{}
	look := func(a addr.Addr, lease bool) error {
		offset, s := placeOf(a, lease)
		if seen[offset] {
			return nil
		}
		seen[offset] = true
		held, err := locked(f, offset)
		if held && err == nil {
			out = append(out, state.Held{Addr: a, Lease: lease, Holder: s.read(f)})
		}
		return err
	}
	for i := range int64(slots) { // names of those that are in no state yet
		if a, lease, ok := nameIn(f, i*slotSize); ok {
			if err := look(a, lease); err != nil {
				return nil, fmt.Errorf("look at the locks in %s: %w", f.Name(), err)
			}
		}
	}
	for _, a := range addrs {
		if err := errors.Join(look(a, false), look(a, true)); err != nil {
			return nil, fmt.Errorf("look at the locks in %s: %w", f.Name(), err)
		}
	}
	return out, nil
}

// nameIn is the address that a slot tells of.
func nameIn(f *os.File, at int64) (a addr.Addr, lease, ok bool) {
	h, ok := readSlot(f, at)
	if !ok {
		return addr.Addr{}, false, false
	}
	name, lease := strings.CutPrefix(h.Name, leasePrefix)
	a, err := addr.ParseKept(name)
	if err != nil {
		return addr.Addr{}, false, false
	}
	_, s := placeOf(a, lease)
	return a, lease, s.key == h.Key
}

// lockRange locks one byte of the lock file, trying until ctx ends.
func (d *DB) lockRange(ctx context.Context, offset int64, s *slot) (*os.File, state.Unlock, error) {
	if err := d.trust(); err != nil {
		return nil, nil, err
	}
	f, err := d.openLockFile()
	if err != nil {
		return nil, nil, err
	}
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		ok, err := tryLock(f, offset)
		if err != nil {
			_ = f.Close()
			return nil, nil, fmt.Errorf("%w: %s: %w: is it on a file system without locks?", state.ErrUnwritable, f.Name(), err)
		}
		if ok {
			break
		}
		t := time.NewTimer(pause/2 + rand.N(pause)) // jitter
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			busy := &state.BusyError{Holder: s.read(f), Cause: context.Cause(ctx)}
			_ = f.Close()
			return nil, nil, busy
		}
	}
	d.turns.Add(1)
	s.write(f)
	var once sync.Once
	return f, func() {
		once.Do(func() {
			s.clear(f)
			d.turns.Add(1)
			_ = unlockRange(f, offset)
			_ = f.Close()
		})
	}, nil
}

// LockPath is the lock file of the state at path.
func LockPath(path string) string { return path + ".lock" }

// openLockFile opens the lock file, making it if it is missing. It is never removed:
// two processes must not lock two files of one name.
func (d *DB) openLockFile() (*os.File, error) {
	name := LockPath(d.path)
	f, err := openNoFollow(name, os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, errLink) {
		return nil, fmt.Errorf("%w: %s is a symbolic link: remove it", state.ErrPlace, name)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", state.ErrUnwritable, err)
	}
	info, err := f.Stat()
	switch {
	case err == nil && !info.Mode().IsRegular():
		err = fmt.Errorf("%w: %s is not a regular file", state.ErrPlace, name)
	case err == nil && info.Mode().Perm() != 0o600 && checkOwner(info) == nil:
		_ = f.Chmod(0o600) // tightened, and made usable whatever the umask was
	}
	if err == nil && info.Size() == 0 {
		_ = ownLike(f.Chown, d.path) // no state yet: then root makes both
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// slot is a place in the lock file where the holder of a lock says who it is.
// All of it is best effort; several addresses share a slot.
type slot struct {
	at   int64
	key  string
	name string
	who  state.Holder
}

type holderText struct {
	Key       string `json:"key"`
	Name      string `json:"name,omitempty"` // whose hash Key is; left out if it is long
	PID       int    `json:"pid"`
	Host      string `json:"host,omitempty"`
	User      string `json:"user,omitempty"`
	Operation string `json:"op,omitempty"`
	Since     string `json:"since,omitempty"`
}

func (s *slot) write(f *os.File) {
	if s == nil {
		return
	}
	name := s.name
	if len(name) > slotSize/3 {
		name = ""
	}
	b, err := json.Marshal(holderText{
		Key: s.key, Name: name, PID: s.who.PID, Host: clip(s.who.Host, 64), User: clip(s.who.User, 32),
		Operation: clip(s.who.Operation, 16), Since: clip(s.who.Since, 32),
	})
	if err != nil || len(b) >= slotSize {
		return
	}
	b = append(b, bytes.Repeat([]byte{' '}, slotSize-1-len(b))...)
	_, _ = f.WriteAt(append(b, '\n'), s.at)
}

// clear removes what write wrote, unless another lock has taken the slot since.
func (s *slot) clear(f *os.File) {
	if s == nil || s.read(f) == (state.Holder{}) {
		return
	}
	_, _ = f.WriteAt(append(bytes.Repeat([]byte{' '}, slotSize-1), '\n'), s.at)
}

func readSlot(f *os.File, at int64) (h holderText, ok bool) {
	b := make([]byte, slotSize)
	_, err := f.ReadAt(b, at)
	return h, err == nil && json.Unmarshal(b, &h) == nil
}

// read gives the holder of the same address, or the zero Holder.
func (s *slot) read(f *os.File) state.Holder {
	if s == nil {
		return state.Holder{}
	}
	h, ok := readSlot(f, s.at)
	if !ok || h.Key != s.key {
		return state.Holder{}
	}
	return state.Holder{
		PID: h.PID, Host: printable(h.Host), User: printable(h.User),
		Operation: printable(h.Operation), Since: printable(h.Since),
	}
}

func clip(s string, n int) string { return printable(s[:min(n, len(s))]) }
