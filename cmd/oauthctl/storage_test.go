//go:build linux || darwin

package main

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3/vfs"
)

// failingDisk is the file system under the states of this process. The calls for
// one file can be counted, and made to fail from the nth on.
type failingDisk struct {
	vfs.VFSFilename
	mu    sync.Mutex
	plans map[string]*diskPlan // by the path of the state
}

// diskPlan is what happens to the calls for one state.
type diskPlan struct {
	calls   int
	names   []string
	failAt  int // the call that fails, from 1; 0: none
	forever bool
	err     error
}

// name says what the nth call was.
func (p *diskPlan) name(n int) string {
	if n > len(p.names) {
		return "which did not come"
	}
	return p.names[n-1]
}

// under puts the failing disk under all states, until the test ends.
func under(t *testing.T) *failingDisk {
	t.Helper()
	newCourier(t, false) // opens a state, which makes the real one known
	real, ok := vfs.Find("oauthctl").(vfs.VFSFilename)
	if !ok {
		t.Fatal("the states' file system is not known by this name")
	}
	d := &failingDisk{VFSFilename: real, plans: map[string]*diskPlan{}}
	vfs.Register("oauthctl", d)
	t.Cleanup(func() { vfs.Register("oauthctl", real) })
	return d
}

// plan begins to count, and to fail, the calls for a state.
func (d *failingDisk) plan(path string, p *diskPlan) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.plans[path] = p
}

// calls is how many calls there were for a state.
func (d *failingDisk) calls(path string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.plans[path].calls
}

// touch counts a call, and is its error.
func (d *failingDisk) touch(file, call string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.plans[strings.TrimSuffix(file, "-journal")]
	if p == nil {
		return nil
	}
	p.calls++
	p.names = append(p.names, call)
	if p.failAt == 0 || p.calls < p.failAt || p.calls > p.failAt && !p.forever {
		return nil
	}
	return &fs.PathError{Op: call, Path: file, Err: p.err}
}

func (d *failingDisk) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if err := d.touch(name.String(), "open"); err != nil {
		return nil, flags, err
	}
	f, flags, err := d.VFSFilename.OpenFilename(name, flags)
	if err != nil {
		return nil, flags, err
	}
	return &failingFile{f, d, name.String()}, flags, nil
}

func (d *failingDisk) Delete(name string, syncDir bool) error {
	if err := d.touch(name, "delete"); err != nil {
		return err
	}
	return d.VFSFilename.Delete(name, syncDir)
}

func (d *failingDisk) Access(name string, flags vfs.AccessFlag) (bool, error) {
	if err := d.touch(name, "access"); err != nil {
		return false, err
	}
	return d.VFSFilename.Access(name, flags)
}

// failingFile is a file of a failing disk.
type failingFile struct {
	vfs.File
	d    *failingDisk
	name string
}

func (f *failingFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.d.touch(f.name, "read"); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

// WriteAt writes a half of what a failing disk takes: that is how disks fill up.
func (f *failingFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.d.touch(f.name, "write"); err != nil {
		n, _ := f.File.WriteAt(p[:len(p)/2], off)
		return n, err
	}
	return f.File.WriteAt(p, off)
}

func (f *failingFile) Truncate(size int64) error {
	if err := f.d.touch(f.name, "truncate"); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

func (f *failingFile) Sync(flags vfs.SyncFlag) error {
	if err := f.d.touch(f.name, "sync"); err != nil {
		return err
	}
	return f.File.Sync(flags)
}

func (f *failingFile) Size() (int64, error) {
	if err := f.d.touch(f.name, "size"); err != nil {
		return 0, err
	}
	return f.File.Size()
}

func (f *failingFile) Lock(lock vfs.LockLevel) error {
	if err := f.d.touch(f.name, "lock"); err != nil {
		return err
	}
	return f.File.Lock(lock)
}

// What SQLite asks of the files underneath.

func (f *failingFile) LockState() vfs.LockLevel { return f.File.(vfs.FileLockState).LockState() }
func (f *failingFile) HasMoved() (bool, error)  { return f.File.(vfs.FileHasMoved).HasMoved() }
func (f *failingFile) PowersafeOverwrite() bool {
	return f.File.(vfs.FilePowersafeOverwrite).PowersafeOverwrite()
}
func (f *failingFile) SetPowersafeOverwrite(on bool) {
	f.File.(vfs.FilePowersafeOverwrite).SetPowersafeOverwrite(on)
}

var diskErrors = []syscall.Errno{syscall.ENOSPC, syscall.EIO, syscall.EROFS, syscall.EMFILE}

// storageTrial is one state whose refresh meets a failing disk, and a server
// whose refresh tokens work once.
type storageTrial struct {
	*courier
	disk *failingDisk
	good []byte // the state as it was
	held int    // calls before the request came

	mu     sync.Mutex
	live   int // number of the refresh token that works
	reuses int
}

func newStorageTrial(t *testing.T, disk *failingDisk) *storageTrial {
	t.Helper()
	s := &storageTrial{courier: newCourier(t, false), disk: disk}
	real, err := filepath.EvalSymlinks(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	s.dir = real
	if s.good, err = os.ReadFile(s.path()); err != nil {
		t.Fatal(err)
	}
	s.asked = make(chan struct{}, 1<<20)
	s.answer = s.judge
	close(s.release)
	return s
}

// judge answers as a server would that allows one use.
func (s *storageTrial) judge(w http.ResponseWriter, _ int) {
	s.courier.mu.Lock()
	sent := s.sent[len(s.sent)-1]
	s.courier.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = s.disk.calls(s.path())
	if sent != fmt.Sprintf("refresh-%d", s.live) {
		s.reuses++
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
		return
	}
	s.live++
	rotating(w, s.live)
}

// seen is what the server can tell: the token that works, reuses, and the
// storage calls that came before the request.
func (s *storageTrial) seen() (live, reuses, held int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live, s.reuses, s.held
}

// token runs "oauthctl token graph" in this process.
func (s *storageTrial) token() ran {
	app, out, errs := testApp("-chdir="+s.dir, "token", "graph")
	app.Now = time.Now
	app.LookupEnv = func(name string) (string, bool) {
		for _, v := range s.env {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				return value, true
			}
		}
		return "", false
	}
	code := app.Run(s.t.Context())
	return ran{out.String(), errs.String(), code}
}

// again puts everything back as it was before the refresh.
func (s *storageTrial) again() error {
	s.mu.Lock()
	s.live, s.reuses, s.held = 1, 0, 0
	s.mu.Unlock()
	s.courier.mu.Lock()
	s.sent = nil
	s.courier.mu.Unlock()
	for _, side := range []string{s.path() + "-journal", filepath.Join(s.dir, "xdg")} { // and what was seen of newer states
		if err := os.RemoveAll(side); err != nil {
			return err
		}
	}
	return os.WriteFile(s.path(), s.good, 0o600)
}

// storageCounts is what all trials came to.
type storageCounts struct {
	mu                                        sync.Mutex
	faults, refused, harmless, after, copies  int
	early                                     int // requests after a fault that came before them
	lost, unreadable, wrong, again, forgotten int
}

// fail runs a refresh whose nth call fails, then one on a disk that is well again.
func (s *storageTrial) fail(n int, failure error, forever bool, c *storageCounts) {
	if err := s.again(); err != nil {
		s.t.Error(err)
		return
	}
	p := &diskPlan{failAt: n, err: failure, forever: forever}
	s.disk.plan(s.path(), p)
	first := s.token()
	sent := s.requests()
	_, _, held := s.seen()
	s.disk.plan(s.path(), &diskPlan{})
	copies := s.copies()
	second := s.token()
	live, reuses, _ := s.seen()

	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults++
	c.copies += len(copies)
	before := sent == 0 || n <= held
	switch {
	case first.code == exitDone:
		c.harmless++
	case before:
		c.refused++
	default:
		c.after++
	}
	right := fmt.Sprintf("access-%d\n", live)
	for _, wrong := range []struct {
		what  string
		found bool
		count *int
	}{
		{"a request after the fault", before && (forever || first.code != exitDone) && sent > 0, &c.early},
		{"unreadable", second.code == exitState, &c.unreadable},
		{"lost", second.code != exitDone && second.code != exitState, &c.lost},
		{"a wrong token", first.code != exitDone && first.stdout != "" || first.code == exitDone && first.stdout != right || second.code == exitDone && second.stdout != right, &c.wrong},
		{"sent again", s.requests() != 1 || reuses != 0, &c.again},
		{"a copy that was not put back", len(s.copies()) > 0, &c.forgotten},
	} {
		if wrong.found {
			*wrong.count++
			s.t.Errorf("%s: call %d, %s, fails with %v, for ever: %v; %d requests\nfirst %+v\nthen %+v", wrong.what, n, p.name(n), failure, forever, sent, first, second)
		}
	}
	for _, path := range s.copies() {
		_ = os.Remove(path)
	}
}

func (s *storageTrial) copies() []string {
	found, err := filepath.Glob(filepath.Join(s.dir, "oauthctl-*.emergency"))
	if err != nil {
		s.t.Error(err)
	}
	return found
}

// Every call that a refresh makes to its disk fails in turn, once and for ever:
// nothing is lost, nothing is sent unless the answer can be kept, and what could
// not be saved is found again.
func TestEveryStorageCallFails(t *testing.T) {
	disk := under(t)
	whole := newStorageTrial(t, disk)
	if err := whole.again(); err != nil {
		t.Fatal(err)
	}
	disk.plan(whole.path(), &diskPlan{})
	r := whole.token()
	calls := disk.calls(whole.path())
	if _, _, held := whole.seen(); r.code != exitDone || r.stdout != "access-2\n" || held == 0 || held >= calls {
		t.Fatalf("without a fault: %+v; %d calls, %d of them before the request", r, calls, held)
	}
	step := 7 // a sample: every kind, at every seventh place
	if os.Getenv("OAUTHCTL_PROOF") == "full" {
		step = 1
	}
	type fault struct {
		n       int
		err     error
		forever bool
	}
	faults := make(chan fault)
	var c storageCounts
	var wg sync.WaitGroup
	for range 8 {
		trial := newStorageTrial(t, disk)
		wg.Go(func() {
			for f := range faults {
				trial.fail(f.n, f.err, f.forever, &c)
			}
		})
	}
	i := 0
	for n := 1; n <= calls; n++ {
		for _, err := range diskErrors {
			for _, forever := range []bool{false, true} {
				if i++; i%step == 0 {
					faults <- fault{n, err, forever}
				}
			}
		}
	}
	close(faults)
	wg.Wait()
	t.Logf("proof: storage: %d faults at the %d calls of a refresh to its disk (ENOSPC, EIO, EROFS, EMFILE; once, for ever): %d before the request, and %d requests; "+
		"%d after it, and %d emergency copies, %d of them not put back; %d did no harm. Afterwards %d lost, %d unreadable, %d wrong tokens, %d refresh tokens sent twice",
		c.faults, calls, c.refused, c.early, c.after, c.copies, c.forgotten, c.harmless, c.lost, c.unreadable, c.wrong, c.again)
	if c.refused == 0 || c.copies == 0 || c.copies != c.after {
		t.Errorf("want faults before and after the request, and a copy for each of these: %+v", &c)
	}
}
