package seal

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Header is the clear text that says which state this is and who can open it.
// Its MAC can be checked only with the data key.
type Header struct {
	Lineage    string // 32 hex digits, made once
	Serial     uint64 // of the configuration that was applied last
	Epoch      uint64 // number of the data key, from 1
	Commitment string // of the data key, 64 hex digits
	Digest     []byte // key of the digests, sealed under the data key
	Keys       []Wrapped
	// Past holds older data keys, each sealed under the present one, oldest
	// first. They prove the succession to a machine that last saw an older key.
	Past [][]byte

	text []byte // what the MAC covers, as read
	mac  []byte
}

// Wrapped is the data key for one recipient.
type Wrapped struct {
	Recipient string // canonical, see [ParseRecipient]
	File      []byte // an age file with the 32 bytes of the data key
}

const (
	magic        = "oauthctl-state/"
	maxPast      = 16
	maxKeys      = 4096
	maxHeaderLen = 8 << 20
)

// NewHeader is the header of a new state, not yet wrapped for anybody.
func NewHeader(box *Box) *Header {
	return &Header{
		Lineage: box.lineage, Epoch: 1, Commitment: box.Commitment(),
		Digest: box.sealInner("digest", NewKey().b[:]),
	}
}

// Recipients are the names that the data key is wrapped for, in the order of the header.
func (h *Header) Recipients() []string {
	out := make([]string, len(h.Keys))
	for i, k := range h.Keys {
		out[i] = k.Recipient
	}
	return out
}

// Encode writes the header with the MAC of box.
func (h *Header) Encode(box *Box) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s%d\n", magic, Format)
	fmt.Fprintf(&b, "lineage %s\nserial %d\nepoch %d\ncommitment %s\ndigest %s\n",
		h.Lineage, h.Serial, h.Epoch, h.Commitment, encode64(h.Digest))
	for _, k := range h.Keys {
		fmt.Fprintf(&b, "key %s %s\n", encode64(k.File), k.Recipient)
	}
	for _, p := range h.Past {
		fmt.Fprintf(&b, "past %s\n", encode64(p))
	}
	mac := box.mac(b.Bytes())
	fmt.Fprintf(&b, "mac %s\n", encode64(mac))
	return b.Bytes()
}

func encode64(b []byte) string { return base64.RawStdEncoding.EncodeToString(b) }

func decode64(s string) ([]byte, error) {
	return base64.RawStdEncoding.Strict().DecodeString(s)
}

// ParseHeader reads a header. It checks the form only; what it says is to be
// believed after [Header.Verify]. ErrNewer, ErrHeader.
func ParseHeader(text []byte) (*Header, error) {
	if len(text) > maxHeaderLen {
		return nil, fmt.Errorf("%w: %d bytes is too long", ErrHeader, len(text))
	}
	p := &headerParser{rest: string(text)}
	p.version()
	h := &Header{}
	h.Lineage = p.value("lineage")
	h.Serial = p.number("serial")
	h.Epoch = p.number("epoch")
	h.Commitment = p.value("commitment")
	h.Digest = p.bytes(p.value("digest"))
	for p.next("key") && len(h.Keys) < maxKeys {
		file, name, _ := strings.Cut(p.value("key"), " ")
		h.Keys = append(h.Keys, Wrapped{Recipient: name, File: p.bytes(file)})
	}
	for p.next("past") && len(h.Past) < maxPast {
		h.Past = append(h.Past, p.bytes(p.value("past")))
	}
	h.text = text[:len(text)-len(p.rest)]
	h.mac = p.bytes(p.value("mac"))
	if p.err == nil {
		p.err = h.check(p.rest)
	}
	if p.err != nil {
		return nil, p.err
	}
	return h, nil
}

func (h *Header) check(rest string) error {
	switch {
	case rest != "":
		return fmt.Errorf("%w: bytes after its end", ErrHeader)
	case !isHex(h.Lineage, 16):
		return fmt.Errorf("%w: lineage", ErrHeader)
	case !isHex(h.Commitment, keySize):
		return fmt.Errorf("%w: commitment", ErrHeader)
	case h.Epoch == 0:
		return fmt.Errorf("%w: epoch", ErrHeader)
	case len(h.Keys) == 0:
		return fmt.Errorf("%w: wrapped for nobody", ErrHeader)
	}
	for _, k := range h.Keys {
		if k.Recipient == "" || strings.IndexFunc(k.Recipient, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 {
			return fmt.Errorf("%w: name of a recipient", ErrHeader)
		}
	}
	return nil
}

// Verify checks that the holder of the data key wrote this header. ErrHeader.
func (h *Header) Verify(box *Box) error {
	if box.lineage != h.Lineage || !equal(box.Commitment(), h.Commitment) {
		return fmt.Errorf("%w: it wraps another data key", ErrHeader)
	}
	if !equal(string(box.mac(h.text)), string(h.mac)) {
		return fmt.Errorf("%w: wrong MAC", ErrHeader)
	}
	return nil
}

// Succeeds reports whether the data key with the older commitment was handed on
// to this header's key, which only somebody who had the older one can do.
func (h *Header) Succeeds(box *Box, commitment string) bool {
	return slices.ContainsFunc(h.Past, func(sealed []byte) bool {
		older, err := box.past(sealed)
		return err == nil && equal(older.Commitment(), commitment)
	})
}

// Older gives the data keys that came before this header's, the newest first,
// as far as they are kept.
func (h *Header) Older(box *Box) []*Box {
	var boxes []*Box
	for _, sealed := range slices.Backward(h.Past) {
		if older, err := box.past(sealed); err == nil {
			boxes = append(boxes, older)
		}
	}
	return boxes
}

// Next is the header of a new data key, not yet wrapped for anybody, that
// succeeds this one. The key of the digests stays. ErrOpen if old is not the box of h.
func (h *Header) Next(old, box *Box) (*Header, error) {
	digest, err := old.openInner("digest", h.Digest)
	if err != nil {
		return nil, err
	}
	n := &Header{
		Lineage: h.Lineage, Serial: h.Serial, Epoch: h.Epoch + 1, Commitment: box.Commitment(),
		Digest: box.sealInner("digest", digest),
	}
	for _, sealed := range h.Past {
		older, err := old.openInner("past", sealed)
		if err != nil {
			return nil, err
		}
		n.Past = append(n.Past, box.sealInner("past", older))
	}
	n.Past = append(n.Past, box.sealInner("past", old.key.b[:]))
	n.Past = n.Past[max(0, len(n.Past)-maxPast):]
	return n, nil
}

func isHex(s string, n int) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == n && s == strings.ToLower(s)
}

// headerParser reads lines "name value"; the first error sticks.
type headerParser struct {
	rest string
	err  error
}

func (p *headerParser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("%w: %s", ErrHeader, fmt.Sprintf(format, args...))
	}
}

func (p *headerParser) version() {
	line, rest, ok := strings.Cut(p.rest, "\n")
	v, isState := strings.CutPrefix(line, magic)
	n, err := parseNumber(v)
	switch {
	case !ok || !isState || err != nil || n == 0:
		p.fail("its first line is not %s%d", magic, Format)
	case n > Format:
		p.err = fmt.Errorf("%w: %d, this program knows %d", ErrNewer, n, Format)
	}
	p.rest = rest
}

func (p *headerParser) next(name string) bool {
	return p.err == nil && strings.HasPrefix(p.rest, name+" ")
}

func (p *headerParser) value(name string) string {
	line, rest, ok := strings.Cut(p.rest, "\n")
	v, found := strings.CutPrefix(line, name+" ")
	if !ok || !found {
		p.fail("no line %q", name)
		return ""
	}
	p.rest = rest
	return v
}

func (p *headerParser) number(name string) uint64 {
	n, err := parseNumber(p.value(name))
	if err != nil {
		p.fail("%s", name)
	}
	return n
}

func (p *headerParser) bytes(s string) []byte {
	b, err := decode64(s)
	if err != nil || len(b) == 0 {
		p.fail("base64")
	}
	return b
}

// parseNumber reads a number in the one way that Encode writes it. Generations
// and serials stay below 2^63, which every database can hold.
func parseNumber(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 63)
	if err == nil && strconv.FormatUint(n, 10) != s {
		err = strconv.ErrSyntax
	}
	return n, err
}
