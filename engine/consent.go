package engine

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/state"
)

// ErrConsentEnded says that the refresh token is dead, and a person has to connect again.
// It is in every error of class [ClassNeedsUser] that Token returns for that reason.
var ErrConsentEnded = errors.New("the consent has ended")

// consentEnded is the error for a connection whose refresh token the server
// refused: whose consent at which server has to be renewed, and why. The
// server's own words stay out of it, except the codes that a person can look up.
func consentEnded(r *state.Record, g *grant.Error) *Error {
	whose := "the consent"
	if r.Info.Account != "" {
		whose += " of " + r.Info.Account
	}
	if at := cmp.Or(r.Info.Title, r.Provider); at != "" {
		whose += " at " + at
	}
	short := *g
	short.Detail, short.Remedy, short.Err = numberIn(g.Detail), "", ErrConsentEnded
	switch i := r.Info.Intent; {
	case i != nil && i.Sends > 1:
		short.Hint = "an earlier refresh with the same refresh token was cut off before its answer was saved, " +
			"and its outcome is unknown: the server most likely takes this one for a reuse"
	case short.Hint == "":
		short.Hint = "the server refused the refresh token"
	}
	return &Error{
		Class: ClassNeedsUser, Addr: r.Addr, Doing: "get a token for " + r.Addr.String(), Remedy: applyCommand(r.Addr),
		Err: fmt.Errorf("%s has to be renewed: %w", whose, &short),
	}
}

// numberIn is the number that some servers put in front of what they say:
// AADSTS700082, ACS50012. "" if there is none.
func numberIn(detail string) string {
	word, _, _ := strings.Cut(detail, " ")
	word = strings.TrimRight(word, ":.")
	letters := strings.TrimRight(word, "0123456789")
	if letters == "" || letters == word || len(word) > 24 || strings.Trim(letters, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return ""
	}
	return word
}

// refusal is what is kept of g in the record, for those who ask later.
func refusal(g *grant.Error) *state.Reject {
	return &state.Reject{Error: strings.TrimSpace(g.Code + " " + numberIn(g.Detail))}
}

// refusedBefore is the refusal that a record remembers.
func refusedBefore(r *state.Record) *grant.Error {
	g := &grant.Error{Kind: grant.Rejected, Outcome: grant.Answered, Doing: "refresh the token at " +
		cmp.Or(r.Info.Client.RefreshEndpoint, r.Info.Client.TokenEndpoint)}
	if j := r.Info.Reject; j != nil {
		g.Code, g.Detail, _ = strings.Cut(j.Error, " ")
		if h, ok := providers.Explain(nil, g.Code, g.Detail); ok {
			g.Hint = h.Cause
		}
	}
	return g
}
