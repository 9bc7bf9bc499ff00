package state

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// codecVersion is the version of the plaintext inside the seal. A member that
// this version does not know is refused with ErrFormat, as is a newer version:
// dropping it on the next write would lose what somebody else stored. Members
// are left out when empty, so that a new one hurts nobody until it is used.
const codecVersion = 1

// wireSummary is the copy of the clear columns inside both sealed parts.
type wireSummary struct {
	Address          column
	Provider         column
	Status           column
	ExpiresAt        int64 // seconds since 1970
	RefreshExpiresAt int64
	UpdatedAt        int64
	Generation       uint64
}

// column is a text that is written even if it is empty.
type column string

// normal gives a summary the form in which it is stored: UTC, whole seconds.
func (s Summary) normal() Summary {
	s.ExpiresAt = wholeSecond(s.ExpiresAt)
	s.RefreshExpiresAt = wholeSecond(s.RefreshExpiresAt)
	s.UpdatedAt = wholeSecond(s.UpdatedAt)
	return s
}

func wholeSecond(t time.Time) time.Time { return fromUnix(toUnix(t)) }

// toUnix is the stored form of a clear time: seconds since 1970, 0 for unknown.
func toUnix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func fromUnix(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

func (s Summary) wire() wireSummary {
	return wireSummary{
		Address: column(s.Addr.String()), Provider: column(s.Provider), Status: column(s.Status),
		ExpiresAt: toUnix(s.ExpiresAt), RefreshExpiresAt: toUnix(s.RefreshExpiresAt),
		UpdatedAt: toUnix(s.UpdatedAt), Generation: s.Generation,
	}
}

// differs names the clear column that is not what the sealed copy says, or "".
func (w wireSummary) differs(s Summary) string {
	c := s.wire()
	switch {
	case w == c:
		return ""
	case w.Address != c.Address:
		return "address"
	case w.Provider != c.Provider:
		return "provider"
	case w.Status != c.Status:
		return "status"
	case w.ExpiresAt != c.ExpiresAt:
		return "expires_at"
	case w.RefreshExpiresAt != c.RefreshExpiresAt:
		return "refresh_expires_at"
	case w.UpdatedAt != c.UpdatedAt:
		return "updated_at"
	}
	return "generation"
}

func encodeInfo(s Summary, i *Info) ([]byte, error) { return encodePart(s, "info", i.members()) }

func decodeInfo(b []byte, s Summary) (*Info, error) { return new(infoReader).read(b, s) }

// infoReader decodes one part after the other with one list of members, which
// costs more to make than what it names.
type infoReader struct {
	info Info
	part *partReader
	text []byte // of the last one, to be written over
}

func (r *infoReader) read(b []byte, s Summary) (*Info, error) {
	if r.part == nil {
		r.part = newPartReader("info", r.info.members())
		r.part.keep = func(s string) string { return s } // most of it is kept, and no secrets are in it
	}
	r.info = Info{}
	err := r.part.read(b, s)
	i := r.info
	return &i, err
}

func encodeTokens(s Summary, t *Tokens) ([]byte, error) { return encodePart(s, "tokens", t.members()) }

func decodeTokens(b []byte, s Summary) (*Tokens, error) {
	t := &Tokens{}
	return t, newPartReader("tokens", t.members()).read(b, s)
}

func encodePart(s Summary, part string, content []member) ([]byte, error) {
	version, clear := codecVersion, s.wire()
	b, err := appendObject(make([]byte, 0, 1<<10), []member{{"v", &version}, {"clear", clear.members()}, {part, content}})
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return b, nil
}

// partReader decodes parts whose content is kept where its members point to.
type partReader struct {
	version int
	clear   wireSummary
	members []member
	keep    func(string) string
}

func newPartReader(part string, content []member) *partReader {
	r := &partReader{keep: strings.Clone}
	r.members = []member{{"v", &r.version}, {"clear", r.clear.members()}, {part, content}}
	return r
}

// read decodes strictly and compares the clear columns. Its errors do not repeat
// what is in b.
func (r *partReader) read(b []byte, s Summary) error {
	r.version, r.clear = 0, wireSummary{}
	if err := readTexts(b, r.members, r.keep); err != nil || r.version > codecVersion {
		return unreadable(b)
	}
	if r.version < 1 {
		return errNotARecord
	}
	if column := r.clear.differs(s); column != "" {
		return fmt.Errorf("%w: the column %s is not what was sealed", ErrTampered, column)
	}
	return nil
}

var errNotARecord = fmt.Errorf("%w: what is sealed in it is not a record", ErrTampered)

// unreadable says why a part was not read: it is newer than this program, or nothing at all.
func unreadable(b []byte) error {
	var part struct {
		Version int `json:"v"`
	}
	if err := json.Unmarshal(b, &part); err == nil && part.Version > codecVersion {
		return fmt.Errorf("%w: record format %d, this program knows %d: upgrade oauthctl", ErrFormat, part.Version, codecVersion)
	}
	if json.Valid(b) {
		return fmt.Errorf("%w: the record has a member that this program does not know: upgrade oauthctl", ErrFormat)
	}
	return errNotARecord
}

// checkAddr refuses addresses that could not be read back.
func checkAddr(a addr.Addr) error {
	if back, err := addr.ParseKept(a.String()); err != nil || back != a {
		return fmt.Errorf("%q cannot be an address of the state", a.String())
	}
	return nil
}
