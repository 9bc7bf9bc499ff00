package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const hello = "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(\"hello\") }\n"

// token compares the CPU time of printing a valid token with a hello-world.
func (b *bench) token(ctx context.Context) error {
	src := filepath.Join(b.dir, "hello.go")
	if err := os.WriteFile(src, []byte(hello), 0o600); err != nil {
		return err
	}
	helloBin := filepath.Join(b.dir, "hello")
	build := exec.CommandContext(ctx, "go", "build", "-ldflags=-s -w", "-o", helloBin, src)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	helloBin, err := b.install(helloBin, "hello-installed")
	if err != nil {
		return err
	}
	small, err := b.project("one", b.issuer, 1, false)
	if err != nil {
		return err
	}
	large, err := b.project("large", b.issuer, b.large, false)
	if err != nil {
		return err
	}
	for _, dir := range []string{small, large} {
		if _, err := b.measure(ctx, dir, b.bin, "apply", "-auto-approve"); err != nil {
			return err
		}
	}
	const name = `c["c00000"]`
	var hellos, ones, larges []usage
	for range b.runs { // one after the other, so that noise falls on all alike
		for _, m := range []struct {
			to   *[]usage
			dir  string
			bin  string
			args []string
		}{
			{&hellos, b.dir, helloBin, nil},
			{&ones, small, b.bin, []string{"token", name}},
			{&larges, large, b.bin, []string{"token", name}},
		} {
			u, err := b.measure(ctx, m.dir, m.bin, m.args...)
			if err != nil {
				return err
			}
			*m.to = append(*m.to, u)
		}
	}
	h, one, many := median(hellos, cpu), median(ones, cpu), median(larges, cpu)
	fmt.Printf("token, CPU, medians of %d: hello-world %v; 1 connection %v = %s× (at most 3.5×); %d connections %v = %s×, %s of 1 (within 0.85–1.15)\n",
		b.runs, h, one, ratio(one, h), b.large, many, ratio(many, h), ratio(many, one))
	return nil
}
