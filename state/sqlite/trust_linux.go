package sqlite

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// lookAt asks the kernel what a directory is on.
func lookAt(dir string, info fs.FileInfo) place {
	p := place{mode: info.Mode()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		p.owner = int(st.Uid)
	}
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err == nil {
		p.fileSystem, p.network = kindOf(int64(s.Type), func() string { return mountType(dir) }) // of several sizes
	}
	return p
}

// kindOf names a file system whose locks cannot be relied upon (statfs(2)).
func kindOf(magic int64, mounted func() string) (name string, network bool) {
	switch uint32(magic) {
	case unix.NFS_SUPER_MAGIC:
		return "NFS", true
	case unix.SMB_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC:
		return "SMB", true
	case unix.AFS_SUPER_MAGIC, unix.AFS_FS_MAGIC, unix.CODA_SUPER_MAGIC, unix.NCP_SUPER_MAGIC:
		return "a file system of the AFS kind", true
	case unix.V9FS_MAGIC: // of a virtual machine's host, most often
		return "9p", false
	case unix.FUSE_SUPER_MAGIC:
		kind := mounted()
		return kind, strings.Contains(kind, "sshfs")
	}
	return "", false
}

// mountType is the type of the mount that a directory is on, as /proc says.
func mountType(dir string) string {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "FUSE"
	}
	return mountTypeIn(string(text), dir)
}

// mountTypeIn finds the longest mount point above dir (proc(5), mountinfo).
func mountTypeIn(text, dir string) string {
	kind, longest := "FUSE", -1
	for line := range strings.Lines(text) {
		left, right, ok := strings.Cut(line, " - ")
		f, g := strings.Fields(left), strings.Fields(right)
		if !ok || len(f) < 5 || len(g) < 1 {
			continue
		}
		point := strings.ReplaceAll(f[4], `\040`, " ")
		if rel, err := filepath.Rel(point, dir); err == nil && rel != ".." && !strings.HasPrefix(rel, "../") && len(point) >= longest {
			kind, longest = g[0], len(point)
		}
	}
	return kind
}
