package view

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/oauthctl/oauthctl/engine"
)

// RecoverMode is what "recover" does with emergency copies.
type RecoverMode int

// The modes of "recover".
const (
	RecoverNow    RecoverMode = iota // puts back what fits
	RecoverDryRun                    // says what it would put back
	RecoverList                      // says what can be put back
)

// Recovered implements View.
func (h *human) Recovered(found []engine.Recovered, mode RecoverMode) {
	if len(found) == 0 {
		h.Note("There are no emergency copies of this state.")
	}
	for _, r := range found {
		h.Note("%s", recovered(r, mode))
	}
}

// EmergencyCopies says that copies wait, of which there is at least one.
func EmergencyCopies(files []string) string {
	more := ""
	if n := len(files) - 1; n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return "Tokens that could not be saved wait in " + Safe(files[0]) + more + "."
}

// recovered is what is told of one copy.
func recovered(r engine.Recovered, mode RecoverMode) string {
	of := ""
	if !r.Addr.IsZero() {
		of = " of " + r.Addr.String()
	}
	switch {
	case errors.Is(r.Err, fs.ErrNotExist):
		return "There is no file " + r.Place
	case mode == RecoverList && r.Err == nil:
		return fmt.Sprintf("%s: tokens%s, can be put back", r.Place, of)
	case mode == RecoverList:
		return fmt.Sprintf("%s%s: %v", r.Place, of, r.Err)
	case r.Err != nil:
		return fmt.Sprintf("Left %s%s: %v. If you are sure that nobody needs it, remove it.", r.Place, of, r.Err)
	case mode == RecoverDryRun:
		return fmt.Sprintf("Would put the tokens%s back from %s", of, r.Place)
	}
	return fmt.Sprintf("Put the tokens%s back from %s", of, r.Place)
}

// Recovered implements View.
func (j *programs) Recovered(found []engine.Recovered, mode RecoverMode) {
	type emergencyCopy struct {
		Place   string `json:"place"`
		Address string `json:"address,omitempty"`
		Result  string `json:"result"`
		Reason  string `json:"reason,omitempty"`
	}
	out := make([]emergencyCopy, len(found))
	for i, r := range found {
		c := emergencyCopy{Place: r.Place, Result: "put_back"}
		if !r.Addr.IsZero() {
			c.Address = r.Addr.String()
		}
		switch {
		case errors.Is(r.Err, fs.ErrNotExist):
			c.Result, c.Reason = "missing", "there is no such file"
		case r.Err != nil:
			c.Result, c.Reason = "left", r.Err.Error()
		case mode != RecoverNow:
			c.Result = "fits"
		}
		out[i] = c
	}
	write(j.o.Out, struct {
		jsonHead
		Copies []emergencyCopy `json:"copies"`
	}{j.head(), out})
}
