package state

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/oauthctl/oauthctl/state/seal"
)

// consentFormat is a document of one record, for one other state: it is read by
// [Store.OpenConsent] alone, and no state can be pushed with it.
const consentFormat = "oauthctl-consent"

// SealConsent seals one record for the recipients of another state, under a data
// key of its own. What only means something in its own state is left out: serials,
// generations, digests, what is under way. One that was given in the sandbox says so.
func SealConsent(r *Record, recipients []string, sandbox bool) ([]byte, error) {
	parsed, err := seal.ParseRecipients(recipients)
	if err != nil {
		return nil, err
	}
	if r.Info == nil || r.Tokens == nil {
		return nil, fmt.Errorf("seal %s: both parts are needed", r.Addr)
	}
	var lineage [16]byte
	_, _ = rand.Read(lineage[:])
	box, err := seal.NewBox(seal.NewKey(), hex.EncodeToString(lineage[:]))
	if err != nil {
		return nil, err
	}
	h := seal.NewHeader(box)
	if err := wrapFor(h, box, parsed); err != nil {
		return nil, err
	}
	row, err := sealRow(box, travelling(r))
	if err != nil {
		return nil, err
	}
	d := document{
		Format: consentFormat, Version: documentVersion, Sandbox: sandbox, Lineage: h.Lineage, Serial: h.Serial,
		Header: h.Encode(box), Records: []documentRecord{recordOf(row)},
	}
	if d.MAC, err = d.sign(box); err != nil {
		return nil, err
	}
	return d.encode()
}

// travelling is a record as it leaves its state.
func travelling(r *Record) *Record {
	out, info := *r, *r.Info
	out.Summary = r.normal()
	out.Generation, out.Info = 1, &info
	info.ConfigSerial, info.Fingerprint, info.Intent, info.Reject = 0, nil, nil, nil
	return &out
}

// OpenConsent opens what [SealConsent] has sealed for one of this store's
// identities: ErrFormat, ErrNoKey, ErrTampered. The seal says that nobody but its
// recipients can have read it, and not who made it.
func (s *Store) OpenConsent(text []byte) (r *Record, sandbox bool, err error) {
	defer func() { err = ofConsent(err) }()
	d, err := parseDocument(text, consentFormat)
	if err != nil {
		return nil, false, err
	}
	c, err := s.openDocument(d)
	if err != nil {
		return nil, false, err
	}
	if len(c.rows) != 1 {
		return nil, false, damagedDocument("it has more than one record, or none")
	}
	r, err = openRow(c.box, c.rows[0], PartAll)
	if err != nil {
		return nil, false, tampered(err)
	}
	r.Generation = 0
	return r, d.Sandbox, nil
}

// ofConsent gives the errors of documents the advice that fits a consent.
func ofConsent(err error) error {
	var damaged documentError
	var advised *adviceError
	switch {
	case errors.As(err, &damaged) && Advice(err) == pullAgain:
		return WithAdvice(damaged, "export it again")
	case Advice(err) == noKeyAdvice && errors.As(err, &advised):
		return WithAdvice(advised.err, "let it be exported for the key of this machine: oauthctl key show")
	}
	return err
}
