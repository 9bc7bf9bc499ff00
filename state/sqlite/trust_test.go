package sqlite

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

func TestVerdictOfAPlace(t *testing.T) {
	for _, c := range []struct {
		name    string
		p       place
		me      int
		refused string
		warned  string
	}{
		{"a directory of one's own", place{owner: 1000, mode: 0o700}, 1000, "", ""},
		{"a directory of root", place{mode: 0o755}, 1000, "", ""},
		{"somebody else's", place{owner: 1001, mode: 0o777}, 1000, "belongs to user 1001 and you are 1000", ""},
		{"somebody else's, for root", place{owner: 1001, mode: 0o700}, 0, "", ""},
		{"NFS", place{owner: 1000, fileSystem: "NFS", network: true}, 1000, "network file system (NFS)", ""},
		{"NFS, for root", place{fileSystem: "NFS", network: true}, 0, "network file system (NFS)", ""},
		{"FUSE", place{owner: 1000, fileSystem: "fuse.rclone"}, 1000, "", "is on fuse.rclone"},
		{"open to everybody", place{owner: 1000, mode: 0o777}, 1000, "", "chmod o-w"},
		{"open to everybody, as /tmp is", place{mode: 0o777 | fs.ModeSticky}, 1000, "", ""},
	} {
		warning, err := c.p.verdict("/d", c.me)
		switch {
		case (err != nil) != (c.refused != "") || err != nil && (!errors.Is(err, state.ErrUnwritable) || !strings.Contains(err.Error(), c.refused)):
			t.Errorf("%s: error %v, want %q", c.name, err, c.refused)
		case (warning != "") != (c.warned != "") || !strings.Contains(warning, c.warned):
			t.Errorf("%s: warning %q, want %q", c.name, warning, c.warned)
		}
	}
}

// A place that cannot be relied upon is refused before anything is sent, and can still be read.
func TestAPlaceThatIsNotTrustedIsReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "oauthctl.state")
	open := func(p place) (*DB, *[]string) {
		var warnings []string
		d, err := Open(path, Options{Warn: func(w string) { warnings = append(warnings, w) }})
		if err != nil {
			t.Fatal(err)
		}
		d.lookAt = func(string, fs.FileInfo) place { return p }
		t.Cleanup(func() { _ = d.Close() })
		return d, &warnings
	}
	h := state.Header{Version: 1, Epoch: 1, Bytes: []byte("header")}
	nfs, _ := open(place{fileSystem: "NFS", network: true})
	if err := nfs.Write(t.Context(), state.Batch{Header: &h}); !errors.Is(err, state.ErrUnwritable) {
		t.Errorf("made: %v", err)
	}
	fuse, warnings := open(place{fileSystem: "fuse.x"})
	for range 2 {
		_ = fuse.Write(t.Context(), state.Batch{Header: &h})
		if err := fuse.Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(*warnings) != 1 {
		t.Errorf("warnings: %q", *warnings)
	}
	nfs, _ = open(place{fileSystem: "NFS", network: true})
	if _, err := nfs.Header(t.Context()); err != nil {
		t.Errorf("read: %v", err)
	}
	if err := nfs.Probe(t.Context()); !errors.Is(err, state.ErrUnwritable) || !strings.Contains(err.Error(), "OAUTHCTL_STATE") {
		t.Errorf("probe: %v", err)
	}
	if _, err := nfs.Lock(t.Context(), addr.Connection("a"), state.Holder{}); !errors.Is(err, state.ErrUnwritable) {
		t.Errorf("lock: %v", err)
	}
}
