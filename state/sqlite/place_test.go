//go:build unix

package sqlite_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/sqlite"
)

var graph = addr.Connection("graph")

func first() state.Batch {
	return state.Batch{Header: &state.Header{Version: 1, Epoch: 1, Bytes: []byte("header")}}
}

func change(a addr.Addr, generation uint64) state.Batch {
	return state.Batch{Epoch: 1, Changes: []state.Change{{
		Row: state.Row{Summary: state.Summary{Addr: a, Status: state.StatusOK, Generation: generation}, Info: []byte("i"), Tokens: []byte("t")},
		Was: generation - 1,
	}}}
}

// newState makes a state with one record and returns its path.
func newState(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "oauthctl.state")
	d := open(t, path)
	for _, b := range []state.Batch{first(), change(graph, 1)} {
		if err := d.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return strings.Join(out, " ")
}

func TestFilesArePrivateWhateverTheUmask(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	for _, umask := range []int{0, 0o777} {
		syscall.Umask(umask)
		dir := filepath.Join(t.TempDir())
		path := filepath.Join(dir, "oauthctl.state")
		d := open(t, path)
		if err := d.Write(t.Context(), first()); err != nil {
			t.Fatal(err)
		}
		unlock, err := d.Lock(t.Context(), graph, state.Holder{PID: 1})
		if err != nil {
			t.Fatal(err)
		}
		unlock()
		if err := d.Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		syscall.Umask(0o022)
		for _, f := range []string{path, path + ".lock"} {
			if m := mode(t, f); m != 0o600 {
				t.Errorf("umask %04o: %s has mode %04o", umask, f, m)
			}
		}
		if got := names(t, dir); got != "oauthctl.state oauthctl.state.lock" {
			t.Errorf("files at rest: %s", got)
		}
	}
}

func TestWideModesAreTightened(t *testing.T) {
	path := newState(t)
	if err := os.Chmod(path, 0o664); err != nil {
		t.Fatal(err)
	}
	d := open(t, path)
	defer d.Close() // only read
	if _, err := d.Header(t.Context()); err != nil {
		t.Fatal(err)
	}
	if m := mode(t, path); m != 0o600 {
		t.Errorf("mode %04o after reading", m)
	}
}

func TestWhatIsNoStateIsRefusedAndLeftAsItIs(t *testing.T) {
	tests := []struct {
		name string
		make func(t *testing.T, path string)
		want error
		text string
	}{
		{"a symbolic link", func(t *testing.T, path string) {
			must(t, os.Symlink(newState(t), path))
		}, state.ErrPlace, "symbolic link"},
		{"a link to nothing", func(t *testing.T, path string) {
			must(t, os.Symlink(path+".elsewhere", path))
		}, state.ErrPlace, "symbolic link"},
		{"a directory", func(t *testing.T, path string) { must(t, os.Mkdir(path, 0o700)) }, state.ErrPlace, "regular file"},
		{"a pipe", func(t *testing.T, path string) { must(t, syscall.Mkfifo(path, 0o600)) }, state.ErrPlace, "regular file"},
		{"an empty file", func(t *testing.T, path string) { must(t, os.WriteFile(path, nil, 0o600)) }, state.ErrTampered, "empty"},
		{"another file", func(t *testing.T, path string) {
			must(t, os.WriteFile(path, bytes.Repeat([]byte("text\n"), 1000), 0o600))
		}, state.ErrTampered, "not a state file"},
		{"a short file", func(t *testing.T, path string) {
			must(t, os.WriteFile(path, []byte("SQLite format 3\x00"), 0o600))
		}, state.ErrTampered, ""},
		{"a database of another program", func(t *testing.T, path string) {
			foreign(t, path, "PRAGMA application_id=0x12345678; CREATE TABLE record (address TEXT)")
		}, state.ErrTampered, "another program (application id 0x12345678)"},
		{"a database of no program", func(t *testing.T, path string) {
			foreign(t, path, "CREATE TABLE x (y)")
		}, state.ErrTampered, "another program"},
		{"a newer layout", func(t *testing.T, path string) {
			edit(t, path, "PRAGMA user_version=3")
		}, state.ErrFormat, "upgrade oauthctl"},
		{"write-ahead mode", func(t *testing.T, path string) {
			edit(t, path, "PRAGMA journal_mode=WAL")
		}, state.ErrTampered, "journal_mode=DELETE"},
		{"a table is missing", func(t *testing.T, path string) {
			edit(t, path, "DROP TABLE header")
		}, state.ErrTampered, ""},
		{"a column is missing", func(t *testing.T, path string) {
			edit(t, path, "ALTER TABLE header DROP COLUMN epoch")
		}, state.ErrTampered, ""},
		{"no header", func(t *testing.T, path string) {
			edit(t, path, "DELETE FROM header")
		}, state.ErrTampered, ""},
		{"a negative epoch", func(t *testing.T, path string) {
			edit(t, path, "UPDATE header SET epoch = -1")
		}, state.ErrTampered, ""},
		{"a cut file", func(t *testing.T, path string) {
			edit(t, path, "")
			must(t, os.Truncate(path, 5000))
		}, state.ErrTampered, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "oauthctl.state")
			test.make(t, path)
			before := content(t, path)
			d := open(t, path)
			_, err := d.Header(t.Context())
			if !errors.Is(err, test.want) || !strings.Contains(fmt.Sprint(err), test.text) {
				t.Errorf("header: %v\nwant %v with %q", err, test.want, test.text)
			}
			if errors.Is(err, state.ErrNoState) {
				t.Error("damage was taken for absence")
			}
			if err := d.Write(t.Context(), first()); err == nil {
				t.Error("a state was made over it")
			}
			if err := d.Write(t.Context(), change(graph, 2)); err == nil {
				t.Error("a record was written into it")
			}
			if err := d.Probe(t.Context()); err == nil {
				t.Error("the probe found it writable")
			}
			must(t, d.Close())
			if !bytes.Equal(before, content(t, path)) {
				t.Error("the file was changed")
			}
		})
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, path string) []byte {
	t.Helper()
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	b, err := os.ReadFile(path)
	must(t, err)
	return b
}

func foreign(t *testing.T, path, sql string) {
	t.Helper()
	db, err := sqlite3.Open(path)
	must(t, err)
	must(t, db.Exec(sql))
	must(t, db.Close())
}

// edit changes a good state by SQL behind the back of the backend.
func edit(t *testing.T, path, sql string) {
	t.Helper()
	good, err := os.ReadFile(newState(t))
	must(t, err)
	must(t, os.WriteFile(path, good, 0o600))
	foreign(t, path, sql)
}

func TestTheLockFileMayNotBeALink(t *testing.T) {
	path := newState(t)
	victim := filepath.Join(t.TempDir(), "victim")
	must(t, os.WriteFile(victim, []byte("precious"), 0o600))
	must(t, os.Remove(path+".lock"))
	must(t, os.Symlink(victim, path+".lock"))
	d := open(t, path)
	defer d.Close() // nothing was written
	if _, err := d.Lock(t.Context(), graph, state.Holder{PID: 1}); !errors.Is(err, state.ErrPlace) {
		t.Errorf("lock: %v", err)
	}
	if b, _ := os.ReadFile(victim); string(b) != "precious" {
		t.Errorf("the target of the link was written: %q", b)
	}
}

func TestADirectoryIsMadeOnlyWhenAsked(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	path := filepath.Join(dir, "oauthctl.state")
	d := open(t, path)
	if _, err := d.Header(t.Context()); !errors.Is(err, state.ErrNoState) {
		t.Errorf("header: %v", err)
	}
	if err := d.Write(t.Context(), first()); !errors.Is(err, state.ErrUnwritable) || !strings.Contains(err.Error(), dir) {
		t.Errorf("write: %v", err)
	}
	must(t, d.Close())
	d, err := sqlite.Open(path, sqlite.Options{MakeDir: true})
	must(t, err)
	must(t, d.Write(t.Context(), first()))
	must(t, d.Close())
	if m := mode(t, dir); m != 0o700 {
		t.Errorf("mode %04o of the directory", m)
	}
}

func TestLinkedDirectoriesAreResolved(t *testing.T) {
	path := newState(t)
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(filepath.Dir(path), link))
	d := open(t, filepath.Join(link, "oauthctl.state"))
	defer d.Close() // only read
	if _, err := d.Header(t.Context()); err != nil {
		t.Error(err)
	}
	if d.Location() != path {
		t.Errorf("location %s, want %s: pins and locks would not meet", d.Location(), path)
	}
}

func TestPathsWithUnusualNames(t *testing.T) {
	for _, name := range []string{"a b", "a?vfs=memdb", "a#b", "100%", "%41", "ä", ":memory:", "file:x", "-x", "a;b"} {
		path := filepath.Join(t.TempDir(), name)
		d := open(t, path)
		must(t, d.Write(t.Context(), first()))
		must(t, d.Close())
		if info, err := os.Lstat(path); err != nil || info.Size() == 0 {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestAJournalWithoutItsStateIsNotPlayedIntoANewOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "oauthctl.state")
	must(t, os.WriteFile(path+"-journal", []byte("old"), 0o600))
	d := open(t, path)
	defer d.Close() // nothing was written
	if err := d.Write(t.Context(), first()); !errors.Is(err, state.ErrUnwritable) || !strings.Contains(err.Error(), "-journal") {
		t.Errorf("write: %v", err)
	}
}

func TestWhatIsForgottenIsNotInTheFileAnyMore(t *testing.T) {
	path := newState(t)
	d := open(t, path)
	old := bytes.Repeat([]byte("an older generation "), 500)
	b := change(graph, 2)
	b.Changes[0].Row.Tokens = old
	must(t, d.Write(t.Context(), b))
	if !bytes.Contains(content(t, path), old[:1000]) {
		t.Fatal("the test looks for the wrong bytes")
	}
	generation := uint64(2)
	for range state.KeptGenerations {
		generation++
		must(t, d.Write(t.Context(), change(graph, generation)))
		if !bytes.Contains(content(t, path), old[:40]) {
			t.Fatalf("at generation %d the second is not kept", generation)
		}
	}
	generation++
	must(t, d.Write(t.Context(), change(graph, generation)))
	if bytes.Contains(content(t, path), old[:40]) {
		t.Error("a generation that is not kept is still in the file")
	}
	gone := change(graph, generation)
	gone.Changes[0].Was, gone.Changes[0].Delete = generation, true
	must(t, d.Write(t.Context(), gone))
	none := state.Batch{Header: &state.Header{Version: 2, Epoch: 2, Bytes: []byte("header 2")}, Epoch: 2, Past: []state.Row{}}
	must(t, d.Write(t.Context(), none))
	must(t, d.Close())
	if bytes.Contains(content(t, path), []byte("connection.graph")) {
		t.Error("a record is still in the file when nothing of it is kept")
	}
}

// A file of the first layout is read as it is, and upgraded with the first write.
func TestAFileOfTheFirstLayoutIsUpgradedByTheFirstWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "oauthctl.state")
	edit(t, path, "DROP TABLE past; PRAGMA user_version=1")
	before := content(t, path)
	d := open(t, path)
	count := func() (n int) {
		must(t, d.Past(t.Context(), addr.Addr{}, 0, func(state.Row) error { n++; return nil }))
		return n
	}
	if r, err := d.Get(t.Context(), graph, state.PartAll); err != nil || r.Generation != 1 || count() != 0 {
		t.Errorf("%+v, %v", r.Summary, err)
	}
	must(t, d.Probe(t.Context()))
	if !bytes.Equal(before, content(t, path)) {
		t.Error("reading and probing upgraded it")
	}
	must(t, d.Write(t.Context(), change(graph, 2)))
	if content(t, path)[63] != 2 || count() != 1 {
		t.Errorf("layout %d, %d kept", content(t, path)[63], count())
	}
	must(t, d.Close())
}

func TestTriggersInAForgedFileDoNotRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "oauthctl.state")
	edit(t, path, "CREATE TRIGGER evil AFTER UPDATE ON record BEGIN DELETE FROM record; END")
	d := open(t, path)
	defer d.Close() // written below
	must(t, d.Write(t.Context(), change(graph, 2)))
	if _, err := d.Get(t.Context(), graph, 0); err != nil {
		t.Errorf("the record after an update: %v", err)
	}
}

func TestNoByteOfTheFileCanCrashAReader(t *testing.T) {
	path := newState(t)
	good, err := os.ReadFile(path)
	must(t, err)
	bad := filepath.Join(t.TempDir(), "bad.state")
	refused := 0
	for i := 0; i < len(good); i += 1 + i/512 {
		b := bytes.Clone(good)
		b[i] ^= 0xff
		must(t, os.WriteFile(bad, b, 0o600))
		d := open(t, bad)
		_, herr := d.Header(t.Context())
		lerr := d.List(t.Context(), state.PartAll, func(state.Row) error { return nil })
		if herr != nil || lerr != nil {
			refused++
		}
		if errors.Is(herr, state.ErrNoState) {
			t.Errorf("byte %d: damage was taken for absence", i)
		}
		must(t, d.Close())
	}
	if refused == 0 {
		t.Error("no damage was noticed at all")
	}
}

// asOther runs the test again as a user without rights, when it runs as root.
func asOther(t *testing.T, dir string) bool {
	t.Helper()
	if os.Getuid() != 0 {
		return false
	}
	exe, err := os.Executable()
	must(t, err)
	copied := filepath.Join(dir, "test.bin")
	b, err := os.ReadFile(exe)
	must(t, err)
	must(t, os.WriteFile(copied, b, 0o755)) // a program
	must(t, os.Chmod(dir, 0o777))           // another user works in it
	for p := filepath.Dir(dir); len(p) > len(os.TempDir()); p = filepath.Dir(p) {
		must(t, os.Chmod(p, 0o755)) // a way to it
	}
	cmd := exec.CommandContext(t.Context(), copied, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
		t.Errorf("as another user: %v\n%s", err, out)
	}
	return true
}

func TestAReadOnlyDirectoryCanBeReadAndNotWritten(t *testing.T) {
	if asOther(t, t.TempDir()) {
		return
	}
	path := newState(t)
	dir := filepath.Dir(path)
	must(t, os.Remove(path+".lock"))
	must(t, os.Chmod(path, 0o400))
	must(t, os.Chmod(dir, 0o500)) // on purpose
	defer os.Chmod(dir, 0o700)    // for the cleanup
	d := open(t, path)
	defer d.Close() // nothing can be written
	if _, err := d.Get(t.Context(), graph, state.PartAll); err != nil {
		t.Errorf("read: %v", err)
	}
	_, lockErr := d.Lock(t.Context(), graph, state.Holder{PID: 1})
	for doing, err := range map[string]error{
		"write": d.Write(t.Context(), change(graph, 2)), "probe": d.Probe(t.Context()), "lock": lockErr,
	} {
		if !errors.Is(err, state.ErrUnwritable) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", doing, err)
		}
	}
	must(t, os.Chmod(path, 0o600)) // the file is writable, the directory is not
	if err := d.Probe(t.Context()); !errors.Is(err, state.ErrUnwritable) {
		t.Errorf("probe: %v", err)
	}
	must(t, os.Chmod(path, 0))
	e := open(t, path)
	defer e.Close() // nothing can be read
	if _, err := e.Header(t.Context()); !errors.Is(err, state.ErrPlace) || !errors.Is(err, fs.ErrPermission) || !strings.Contains(state.Advice(err), "the user it belongs to") {
		t.Errorf("unreadable file: %v", err)
	}
}
