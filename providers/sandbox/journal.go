package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

var errNewer = errors.New("the journal was written by a newer version")

// journal is an append-only file of JSON lines that many processes share. Who
// holds its lock first reads what the others appended, then decides, then
// appends one line: there is one history.
type journal struct {
	f    *os.File
	path string
	read int64 // bytes applied so far, always whole lines
	size int64 // of the file, when it was last looked at
	line int
}

func openJournal(path string) (*journal, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	// Not O_APPEND: a torn line has to be cut off, and the lock orders writers.
	f, err := openRegular(path)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	return &journal{f: f, path: path}, nil
}

// openRegular opens a file, or makes it. What is no regular file is left alone:
// a link could lead to a file of the person, of which a journal would cut off
// what is no whole line.
func openRegular(path string) (*os.File, error) {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file; remove it", path)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	opened, err := f.Stat()
	if err == nil {
		var named os.FileInfo
		if named, err = os.Lstat(path); err == nil && !os.SameFile(opened, named) {
			err = fmt.Errorf("%s was exchanged while it was opened", path)
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (j *journal) lock() error {
	if err := lockFile(j.f); err != nil {
		return fmt.Errorf("lock the journal %s: %w", j.path, err)
	}
	return nil
}

func (j *journal) unlock() { _ = unlockFile(j.f) }

func (j *journal) close() error { return j.f.Close() }

// catchUp applies the lines that were appended since. The caller holds the
// lock, so a line without an end is the remains of a process that was killed:
// it is left out here and cut off by append.
func (j *journal) catchUp(apply func(*change) error) error {
	info, err := j.f.Stat()
	if err != nil {
		return fmt.Errorf("read the journal %s: %w", j.path, err)
	}
	j.size = info.Size()
	if j.size == j.read {
		return nil
	}
	if j.size < j.read {
		return fmt.Errorf("the journal %s was cut while it was in use; start again", j.path)
	}
	buf := make([]byte, j.size-j.read)
	if _, err := j.f.ReadAt(buf, j.read); err != nil {
		return fmt.Errorf("read the journal %s: %w", j.path, err)
	}
	for {
		end := bytes.IndexByte(buf, '\n')
		if end < 0 {
			return nil
		}
		var c change
		if err := json.Unmarshal(buf[:end], &c); err != nil {
			return fmt.Errorf("the journal %s is damaged in line %d; delete it to start over: %w", j.path, j.line+1, err)
		}
		if err := apply(&c); err != nil {
			return fmt.Errorf("the journal %s, line %d: %w", j.path, j.line+1, err)
		}
		buf = buf[end+1:]
		j.read += int64(end) + 1
		j.line++
	}
}

// append writes one line after the last whole one. What it could not write in
// full it takes back.
func (j *journal) append(c *change) error {
	line, err := json.Marshal(c)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	if j.size > j.read {
		err = j.f.Truncate(j.read)
	}
	if err == nil {
		_, err = j.f.WriteAt(line, j.read)
	}
	if err != nil {
		_ = j.f.Truncate(j.read)
		return fmt.Errorf("write the journal %s: %w", j.path, err)
	}
	j.read += int64(len(line))
	j.size = j.read
	j.line++
	return nil
}
