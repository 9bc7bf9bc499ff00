package state

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Places are the locations of the states that this machine has opened, as the
// pins in dir remember them, sorted. A state may be gone from there meanwhile.
func Places(dir string) ([]string, error) {
	if dir == "" {
		return nil, nil
	}
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []string
	for _, f := range files {
		if !strings.HasPrefix(f.Name(), "place-") || filepath.Ext(f.Name()) != ".json" {
			continue
		}
		var pin placePin
		if found, err := readPin(filepath.Join(dir, f.Name()), &pin); err != nil {
			return nil, err
		} else if found {
			out = append(out, pin.Location)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
