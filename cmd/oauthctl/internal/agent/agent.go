// Package agent is the socket of "oauthctl agent": what is asked and answered
// there (docs/agent.md), who may ask, and how the socket is made.
//
// The package does not know the state, keys, flags, or how a token is had.
package agent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// Version of the protocol. Members may be added to it; what is taken away, or
// means something else, makes a new one.
const Version = 1

const (
	maxRequest = 16 << 10 // bytes
	maxAnswer  = 4 << 20
	maxSpan    = 10 * 365 * 24 * time.Hour // of what is asked for
)

// Why an agent gives no answer: the caller goes on without it.
const (
	DeclinedVersion = "version"  // it speaks another protocol
	DeclinedRequest = "request"  // that was no request
	DeclinedNotMine = "not mine" // another state, or a connection that it does not keep
	DeclinedState   = "state"    // it cannot open the state any more
)

// Request is one line that is asked.
type Request struct {
	State       *File // that the token is in; nil: the agent's, whichever it is
	Addr        addr.Addr
	Options     engine.TokenOptions
	LockTimeout time.Duration // 0: as the agent likes
}

// File is which file something is, whatever it is called: two programs need not
// see it at the same path.
type File struct {
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
}

// Answer is one line that comes back: one of its members.
type Answer struct {
	Token    *engine.Token
	Err      *engine.Error // what token would have said, without an agent
	Declined string
}

// errVersion: a line of another protocol.
var errVersion = errors.New("another version of the protocol")

type wireRequest struct {
	Version     int      `json:"version"`
	State       *File    `json:"state,omitempty"`
	Address     string   `json:"address"`
	MinTTL      float64  `json:"min_ttl,omitempty"` // seconds
	Force       bool     `json:"force_refresh,omitempty"`
	Scopes      []string `json:"scopes,omitempty"`
	LockTimeout float64  `json:"lock_timeout,omitempty"` // seconds
}

type wireAnswer struct {
	Version  int        `json:"version"`
	Token    *wireToken `json:"token,omitempty"`
	Error    *wireError `json:"error,omitempty"`
	Declined string     `json:"declined,omitempty"`
}

type wireToken struct {
	AccessToken string     `json:"access_token"`
	TokenType   string     `json:"token_type,omitempty"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty"`
	ReceivedAt  *time.Time `json:"received_at,omitempty"`
	Scopes      []string   `json:"scopes,omitempty"`
	Account     string     `json:"account,omitempty"`
	Hosts       []string   `json:"hosts,omitempty"`
	Preset      string     `json:"preset,omitempty"`
	Refreshed   bool       `json:"refreshed,omitempty"`
	Warning     string     `json:"warning,omitempty"`
}

type wireError struct {
	Class  engine.Class `json:"class"`
	Doing  string       `json:"doing,omitempty"`
	Cause  string       `json:"cause,omitempty"`
	Remedy string       `json:"remedy,omitempty"`
}

// encode writes a request as a line.
func (r *Request) encode() ([]byte, error) {
	line, err := json.Marshal(wireRequest{
		Version: Version, State: r.State, Address: r.Addr.String(), MinTTL: r.Options.MinTTL.Seconds(),
		Force: r.Options.ForceRefresh, Scopes: r.Options.Scopes, LockTimeout: r.LockTimeout.Seconds(),
	})
	if len(line) >= maxRequest {
		return nil, errors.New("the request is too long")
	}
	return append(line, '\n'), err
}

// parseRequest reads a line.
func parseRequest(line []byte) (*Request, error) {
	var w wireRequest
	if err := json.Unmarshal(line, &w); err != nil {
		return nil, errors.New("it is not JSON as it should be") // the decoder would quote from it
	}
	if w.Version != Version {
		return nil, errVersion
	}
	a, err := addr.Parse(w.Address)
	if err != nil {
		return nil, errors.New("its address is not one")
	}
	r := &Request{State: w.State, Addr: a, Options: engine.TokenOptions{ForceRefresh: w.Force, Scopes: w.Scopes}}
	for _, d := range []struct {
		to   *time.Duration
		from float64
	}{{&r.Options.MinTTL, w.MinTTL}, {&r.LockTimeout, w.LockTimeout}} {
		if d.from < 0 || d.from > maxSpan.Seconds() {
			return nil, errors.New("a time in it is out of bounds")
		}
		*d.to = time.Duration(d.from * float64(time.Second))
	}
	for _, s := range w.Scopes {
		if s == "" {
			return nil, errors.New("a scope in it is empty")
		}
	}
	return r, nil
}

// encode writes an answer as a line. The token stands in it: the line is for
// the one who asked, and for nobody else.
func (a *Answer) encode() ([]byte, error) {
	w := wireAnswer{Version: Version, Declined: a.Declined}
	if t := a.Token; t != nil {
		w.Token = &wireToken{
			AccessToken: t.AccessToken.Reveal(), TokenType: t.TokenType, ExpiresAt: known(t.ExpiresAt), ReceivedAt: known(t.ReceivedAt),
			Scopes: t.Scopes, Account: t.Account, Hosts: t.Hosts, Preset: t.Preset, Refreshed: t.Refreshed, Warning: t.Warning,
		}
	}
	if e := a.Err; e != nil {
		w.Error = &wireError{Class: e.Class, Doing: e.Doing, Cause: e.Cause(), Remedy: e.Remedy}
	}
	line, err := json.Marshal(w)
	return append(line, '\n'), err
}

// parseAnswer reads what came back about a connection.
func parseAnswer(line []byte, a addr.Addr) (*Answer, error) {
	var w wireAnswer
	if err := json.Unmarshal(bytes.TrimLeft(line, " "), &w); err != nil {
		return nil, errors.New("the agent's answer is not JSON as it should be")
	}
	if w.Version != Version {
		return nil, errVersion
	}
	switch {
	case w.Token != nil && w.Token.AccessToken != "":
		t := w.Token
		return &Answer{Token: &engine.Token{
			Addr: a, AccessToken: secret.Secret(t.AccessToken), TokenType: t.TokenType, ExpiresAt: moment(t.ExpiresAt), ReceivedAt: moment(t.ReceivedAt),
			Scopes: t.Scopes, Account: t.Account, Hosts: t.Hosts, Preset: t.Preset, Refreshed: t.Refreshed, Warning: t.Warning,
		}}, nil
	case w.Error != nil:
		e := &engine.Error{Class: w.Error.Class, Addr: a, Doing: w.Error.Doing, Remedy: w.Error.Remedy}
		if w.Error.Cause != "" {
			e.Err = errors.New(w.Error.Cause)
		}
		return &Answer{Err: e}, nil
	case w.Declined != "":
		return &Answer{Declined: w.Declined}, nil
	}
	return nil, fmt.Errorf("the agent's answer says nothing")
}

func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func moment(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
