package sqlite

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/oauthctl/oauthctl/state"
)

// place is what is known of the directory of a state.
type place struct {
	fileSystem string // name of one whose locks cannot be relied upon; "": none that is known
	network    bool   // it is a network file system for certain
	owner      int
	mode       fs.FileMode
}

// verdict says whether the state may be written there: an error, or a warning.
// me is who asks; root may write everywhere.
func (p place) verdict(dir string, me int) (warning string, err error) {
	switch {
	case p.network:
		return "", state.WithAdvice(fmt.Errorf("%w: %s is on a network file system (%s), where two machines can hold one lock", state.ErrUnwritable, dir, p.fileSystem),
			"keep the state on a disk of this machine (-state or OAUTHCTL_STATE_PATH), or carry it in OAUTHCTL_STATE")
	case me > 0 && p.owner > 0 && p.owner != me:
		return "", state.WithAdvice(fmt.Errorf("%w: the directory %s belongs to user %d and you are %d: they can replace the state", state.ErrUnwritable, dir, p.owner, me),
			"run as its owner, or name a file in a directory of your own with -state")
	case p.fileSystem != "":
		return fmt.Sprintf("%s is on %s, where locks may not keep out other machines; use the state on one machine only", dir, p.fileSystem), nil
	case p.mode.Perm()&0o002 != 0 && p.mode&fs.ModeSticky == 0:
		return fmt.Sprintf("everybody on this machine may replace files in %s; run: chmod o-w %s", dir, dir), nil
	}
	return "", nil
}

// trust looks once, before the first write or lock, whether the place can be relied upon.
func (d *DB) trust() error {
	d.looked.Do(func() {
		dir := filepath.Dir(d.path)
		info, err := os.Stat(dir)
		if err != nil {
			return // whoever makes or opens the file says so
		}
		p := d.lookAt(dir, info)
		var warning string
		if warning, d.distrust = p.verdict(dir, os.Geteuid()); warning != "" && d.o.Warn != nil {
			d.o.Warn(warning)
		}
	})
	return d.distrust
}
