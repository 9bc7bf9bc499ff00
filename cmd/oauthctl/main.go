// No run is long enough for the limits of its container to change under it.
//go:debug updatemaxprocs=0

// Command oauthctl provisions OAuth connections that are declared in HCL files:
// plan says what is missing, apply walks the consents, token prints a token.
//
// The package knows people: flags, exit codes, and where things are on this
// machine. It does not know protocol, and formats nothing itself: see
// internal/view and internal/console.
package main

import (
	"context"
	"os"
)

func main() {
	harden()
	ctx, in := interruptible(context.Background())
	os.Exit(osApp(helperArgs(os.Args), in).Run(ctx))
}
