package sqlite

import (
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/ncruces/go-sqlite3/vfs"
)

// vfsName is the name under which SQLite finds fileVFS.
const vfsName = "oauthctl"

// fileVFS is the library's file system with three differences: names are taken
// as they are (Open has resolved the directories, and the file must not be a
// link), journals are private whatever the umask, and a new journal's name has
// reached the disk before the database file changes.
type fileVFS struct{ vfs.VFSFilename }

// registerVFS makes fileVFS known; doing it again changes nothing, also where a
// test has put something in its place.
func registerVFS() {
	if base, ok := vfs.Find("").(vfs.VFSFilename); ok && vfs.Find(vfsName) == nil {
		vfs.Register(vfsName, fileVFS{base})
	}
}

// FullPathname implements [vfs.VFS].
func (fileVFS) FullPathname(name string) (string, error) { return name, nil }

// OpenFilename implements [vfs.VFSFilename].
func (v fileVFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := v.VFSFilename.OpenFilename(name, flags)
	if err != nil || flags&vfs.OPEN_MAIN_JOURNAL == 0 || flags&vfs.OPEN_CREATE == 0 {
		return f, flags, err
	}
	err = private(f, name.Database())
	if err == nil {
		err = syncDir(filepath.Dir(name.String()))
	}
	if err != nil {
		_ = f.Close()
		return nil, flags, err
	}
	return f, flags, nil
}

// private makes a new journal readable for its owner only.
func private(f vfs.File, database string) error {
	file, ok := f.(interface {
		Chmod(fs.FileMode) error
		Chown(uid, gid int) error
	})
	if !ok {
		return fmt.Errorf("the journal %T cannot be made private", f)
	}
	if err := file.Chmod(0o600); err != nil {
		return err
	}
	return ownLike(file.Chown, database)
}
