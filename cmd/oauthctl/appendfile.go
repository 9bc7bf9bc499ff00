package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// appendFile adds lines to a file of another program, behind the end of its
// last line. A file that is not there is made for its owner alone.
func appendFile(path string, text []byte) error {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return errors.New(path + " is not a regular file")
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600) //nolint:gosec // whoever started us named it
	if err != nil {
		return err
	}
	if info != nil && info.Size() > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, info.Size()-1); err != nil && !errors.Is(err, io.EOF) {
			return errors.Join(err, f.Close())
		}
		if last[0] != '\n' {
			text = append([]byte{'\n'}, text...)
		}
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}
