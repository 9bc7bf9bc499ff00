package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A released program leaves no core file, and keeps its memory and its environment,
// where an identity may be, from other programs of the same user, as far as the
// kernel lets it.
func TestReleasesAreHardened(t *testing.T) {
	const mark = "core limit %d, dumpable %d"
	if commitOf := os.Getenv("TEST_HARDEN"); commitOf != "" {
		commit = strings.TrimPrefix(commitOf, "-")
		harden()
		var core syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &core); err != nil {
			t.Fatal(err)
		}
		dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf(mark+"\n", core.Cur, dumpable)
		return
	}
	for commitOf, want := range map[string]bool{"abc1234": true, "-": false} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestReleasesAreHardened$", "-test.v")
		cmd.Env = append(os.Environ(), "TEST_HARDEN="+commitOf)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if hardened := strings.Contains(string(out), fmt.Sprintf(mark, 0, 0)); hardened != want {
			t.Errorf("commit %q: %s", commitOf, out)
		}
	}
}
