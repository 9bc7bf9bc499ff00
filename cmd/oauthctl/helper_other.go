//go:build !linux && !darwin

package main

import (
	"io"
	"os"

	"github.com/oauthctl/oauthctl/engine"
)

// startHelper: locks are not handed to other processes here.
func startHelper([]byte, *os.File, io.Writer) ([]byte, error) { return nil, engine.ErrNotCarried }

func inheritedLock() *os.File { return nil }
