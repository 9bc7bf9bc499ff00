package state

import (
	"bytes"
	"context"
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state/seal"
)

const (
	documentFormat  = "oauthctl-state"
	documentVersion = 1
	plainFormat     = "oauthctl-state-plaintext"
)

// document is a whole state as text, sealed: docs/state-format.md. One state has
// one document, byte for byte.
type document struct {
	Format  string           `json:"format"`
	Version int              `json:"version"`
	Sandbox bool             `json:"sandbox,omitempty"` // of a consent
	Lineage string           `json:"lineage"`
	Serial  uint64           `json:"serial"`
	Header  []byte           `json:"header"`
	Records []documentRecord `json:"records"`
	MAC     []byte           `json:"mac,omitempty"`
}

type documentRecord struct {
	Address          string `json:"address"`
	Generation       uint64 `json:"generation"`
	Provider         string `json:"provider"`
	Status           Status `json:"status"`
	ExpiresAt        int64  `json:"expires_at"`
	RefreshExpiresAt int64  `json:"refresh_expires_at"`
	UpdatedAt        int64  `json:"updated_at"`
	Info             []byte `json:"info"`
	Tokens           []byte `json:"tokens"`
}

func recordOf(r Row) documentRecord {
	return documentRecord{
		Address: r.Addr.String(), Generation: r.Generation, Provider: r.Provider, Status: r.Status,
		ExpiresAt: toUnix(r.ExpiresAt), RefreshExpiresAt: toUnix(r.RefreshExpiresAt), UpdatedAt: toUnix(r.UpdatedAt),
		Info: r.Info, Tokens: r.Tokens,
	}
}

// encode writes the document in its one form: a line of JSON.
func (d *document) encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(d)
	return b.Bytes(), err
}

// sign computes the MAC, which covers the document without it.
func (d document) sign(box *seal.Box) ([]byte, error) {
	d.MAC = nil
	text, err := d.encode()
	return box.DocumentMAC(text), err
}

// Export is the whole state as one document, sealed as it is kept: for [Store.Push].
// Earlier generations are not part of it. Every record is opened first: what is
// damaged is not passed on.
func (s *Store) Export(ctx context.Context) ([]byte, error) {
	return s.export(ctx, func(*opened, []Row) error { return nil })
}

// ExportNext is Export of the state as it will be when save has saved next, which
// is there already: for whoever has to say where a document is before it is there.
// The record is sealed once: what save writes is what the document has.
func (s *Store) ExportNext(ctx context.Context, next *Record) (text []byte, save func(context.Context) error, err error) {
	sum, info, err := s.next(ctx, next)
	if err != nil {
		return nil, nil, err
	}
	var sealed Row
	var under string
	text, err = s.export(ctx, func(o *opened, rows []Row) error {
		i := slices.IndexFunc(rows, func(r Row) bool { return r.Addr == next.Addr })
		if i < 0 || rows[i].Generation != next.Generation {
			return fmt.Errorf("%w: %s was written meanwhile", ErrConflict, next.Addr)
		}
		var err error
		sealed, err = sealRow(o.box, &Record{Summary: sum, Info: info, Tokens: next.Tokens})
		rows[i], under = sealed, o.box.Commitment()
		return err
	})
	return text, func(ctx context.Context) error {
		return s.put(ctx, next, sum, info, func(box *seal.Box) (Row, error) {
			if box.Commitment() == under {
				return sealed, nil
			}
			return sealRow(box, &Record{Summary: sum, Info: info, Tokens: next.Tokens})
		})
	}, err
}

// export writes the document of what there is, after f has looked at the rows.
func (s *Store) export(ctx context.Context, f func(*opened, []Row) error) ([]byte, error) {
	var text []byte
	err := s.whole(ctx, func(o *opened, rows []Row, _ []*Record) error {
		if err := f(o, rows); err != nil {
			return err
		}
		d := document{
			Format: documentFormat, Version: documentVersion, Lineage: o.header.Lineage, Serial: o.header.Serial,
			Header: o.raw.Bytes, Records: make([]documentRecord, len(rows)),
		}
		for i, r := range rows {
			d.Records[i] = recordOf(r)
			if !utf8.ValidString(r.Provider) || !utf8.ValidString(string(r.Status)) {
				return fmt.Errorf("%w: %s: a clear column is not text", ErrTampered, r.Addr)
			}
		}
		var err error
		if d.MAC, err = d.sign(o.box); err != nil {
			return err
		}
		text, err = d.encode()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the state: %w", err)
	}
	return text, nil
}

// whole calls f with everything that is there, as of one header.
func (s *Store) whole(ctx context.Context, f func(*opened, []Row, []*Record) error) error {
	for range attempts {
		o, err := s.fresh(ctx)
		if err != nil {
			return err
		}
		var rows []Row
		var records []*Record
		listErr := s.b.List(ctx, PartAll, func(row Row) error {
			r, err := openRow(o.box, row, PartAll)
			if err != nil {
				return fmt.Errorf("%s: %w", row.Addr, err)
			}
			rows, records = append(rows, row), append(records, r)
			return nil
		})
		if again, err := s.fresh(ctx); err != nil {
			return err
		} else if again != o {
			continue // the header was written meanwhile
		}
		if listErr != nil {
			return fmt.Errorf("%s: %w", s.Location(), tampered(listErr))
		}
		return f(o, rows, records)
	}
	return fmt.Errorf("%w: %s changes all the time", ErrConflict, s.Location())
}

// Plaintext is the whole state decrypted, as JSON: everything that was to be kept
// secret. It is for people who move to another program, and cannot be pushed.
func (s *Store) Plaintext(ctx context.Context) (secret.Secret, error) {
	var text []byte
	err := s.whole(ctx, func(o *opened, _ []Row, records []*Record) (err error) {
		text, err = plaintext(o.header, records)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read the state: %w", err)
	}
	return secret.Secret(text), nil
}

func plaintext(h *seal.Header, records []*Record) ([]byte, error) {
	format, version, lineage, serial := plainFormat, documentVersion, h.Lineage, h.Serial
	b, err := appendObject(nil, []member{{"format", &format}, {"version", &version}, {"lineage", &lineage}, {"serial", &serial}})
	if err != nil {
		return nil, err
	}
	outputs := []byte("}\n")
	if i := slices.IndexFunc(records, func(r *Record) bool { return r.Addr == addr.Outputs() }); i >= 0 {
		r := records[i]
		if outputs, err = appendObject([]byte(`,"outputs":`), []member{{"files", &r.Info.Outputs}, {"values", &r.Tokens.Extra}}); err != nil {
			return nil, err
		}
		records, outputs = slices.Delete(records, i, i+1), append(outputs, "}\n"...)
	}
	b = append(b[:len(b)-1], `,"connections":[`...)
	for i, r := range records {
		if i > 0 {
			b = append(b, ',')
		}
		clear := r.wire()
		if b, err = appendObject(b, append(clear.members(), member{"info", r.Info.members()}, member{"tokens", r.Tokens.members()})); err != nil {
			return nil, err
		}
	}
	var out bytes.Buffer
	if err := json.Indent(&out, append(append(b, ']'), outputs...), "", "  "); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// MaxDocument is how long a document can be: what is longer need not be read.
const MaxDocument = 1 << 30

// checked is a document whose MAC and records have been checked.
type checked struct {
	*opened
	rows []Row
}

// readDocument opens a document with this store's identities: ErrFormat, ErrNoKey,
// ErrTampered. Its base64 will do as well.
func (s *Store) readDocument(text []byte) (*checked, error) {
	d, err := parseDocument(text, documentFormat)
	if err != nil {
		return nil, err
	}
	return s.openDocument(d)
}

func (s *Store) openDocument(d *document) (*checked, error) {
	h, err := seal.ParseHeader(d.Header)
	if err != nil {
		return nil, tampered(err)
	}
	s.mu.Lock()
	o, err := s.unwrap(Header{Epoch: h.Epoch, Bytes: d.Header})
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if mac, err := d.sign(o.box); err != nil || !hmac.Equal(mac, d.MAC) {
		return nil, damagedDocument("its MAC is wrong")
	}
	if d.Lineage != h.Lineage || d.Serial != h.Serial {
		return nil, damagedDocument("its lineage or serial is not what its header says")
	}
	out := &checked{opened: o}
	for _, r := range d.Records {
		row, err := r.row()
		if err != nil {
			return nil, err
		}
		if _, err := openRow(o.box, row, PartAll); err != nil {
			return nil, fmt.Errorf("%s: %w", row.Addr, tampered(err))
		}
		if n := len(out.rows); n > 0 && out.rows[n-1].Addr.String() >= row.Addr.String() {
			return nil, damagedDocument("its records are not in order")
		}
		out.rows = append(out.rows, row)
	}
	return out, nil
}

// documentError is ErrTampered, of a document.
type documentError string

func (e documentError) Error() string        { return string(e) }
func (e documentError) Is(target error) bool { return target == ErrTampered }

const pullAgain = "pull it again"

func damagedDocument(why string) error {
	return WithAdvice(documentError("it was cut or changed: "+why), pullAgain)
}

// parseDocument reads the form of a document; nothing in it is to be believed yet.
func parseDocument(text []byte, format string) (*document, error) {
	text = bytes.TrimSpace(text)
	if len(text) > MaxDocument {
		return nil, damagedDocument("it is too long")
	}
	if raw, err := base64.StdEncoding.DecodeString(string(text)); err == nil {
		text = bytes.TrimSpace(raw)
	}
	var head struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	switch err := json.Unmarshal(text, &head); {
	case len(text) == 0:
		return nil, damagedDocument("it is empty")
	case bytes.HasPrefix(text, []byte("SQLite format 3\x00")):
		return nil, WithAdvice(documentError("it is a state file, and not a document"), "make one of it: oauthctl state pull -state=FILE")
	case err != nil:
		return nil, damagedDocument("it is not JSON")
	case head.Format == plainFormat:
		return nil, WithAdvice(documentError("it is a decrypted copy, which nothing protects"), "push what oauthctl state pull gives without -plaintext")
	case head.Format == consentFormat && format == documentFormat:
		return nil, WithAdvice(documentError("it is one consent, and not a whole state"), "take it in: oauthctl consent import FILE")
	case head.Format == documentFormat && format == consentFormat:
		return nil, WithAdvice(documentError("it is a whole state, and not one consent"), "put it in the place of a state: oauthctl state push FILE")
	case head.Format != format && format == consentFormat:
		return nil, WithAdvice(documentError("it is not a consent that was exported"), "make one: oauthctl consent export NAME")
	case head.Format != format:
		return nil, damagedDocument("it is not the document of a state")
	case head.Version > documentVersion:
		return nil, WithAdvice(fmt.Errorf("%w: document format %d, this program knows %d", ErrFormat, head.Version, documentVersion), "upgrade oauthctl")
	}
	d := &document{}
	if err := json.Unmarshal(text, d); err != nil {
		return nil, damagedDocument("it is not the document of a state")
	}
	if again, err := d.encode(); err != nil || !bytes.Equal(bytes.TrimSpace(again), text) {
		return nil, damagedDocument("it is not in the form in which it was written")
	}
	return d, nil
}

func (r documentRecord) row() (Row, error) {
	a, err := addr.ParseKept(r.Address)
	if err != nil || a.String() != r.Address || r.Generation == 0 {
		return Row{}, damagedDocument("a record of it is not one")
	}
	return Row{
		Summary: Summary{
			Addr: a, Provider: r.Provider, Status: r.Status, Generation: r.Generation,
			ExpiresAt: fromUnix(r.ExpiresAt), RefreshExpiresAt: fromUnix(r.RefreshExpiresAt), UpdatedAt: fromUnix(r.UpdatedAt),
		},
		Info: r.Info, Tokens: r.Tokens,
	}, nil
}
