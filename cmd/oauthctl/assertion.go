package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/providers/sandbox"
	"github.com/oauthctl/oauthctl/schema"
)

// maxToken is the size in bytes from which a file does not hold a token.
const maxToken = 64 << 10

// readToken reads a file that somebody else keeps a token fresh in. In clusters
// such files are links to links; what they lead to has to be a regular file.
func readToken(name string) ([]byte, error) { return readSmall(name, maxToken, "a token") }

// readSmall reads a file of at most so many bytes.
func readSmall(name string, most int64, what string) ([]byte, error) {
	info, err := os.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a regular file")
	}
	if err != nil {
		return nil, err
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = errors.New("it is larger than " + what)
	}
	return text, err
}

// tokenSources lets the engine read the tokens with which clients authenticate.
func (c *cli) tokenSources(o *engine.Options) {
	o.ReadFile, o.LookupEnv = readToken, c.LookupEnv
}

// sandboxSources does the same in the sandbox, which makes up a token where
// there is none.
func (c *cli) sandboxSources(o *engine.Options, srv *sandbox.Server) {
	o.ReadFile = func(name string) ([]byte, error) {
		text, err := readToken(name)
		if errors.Is(err, fs.ErrNotExist) {
			made, err := srv.WorkloadToken()
			return []byte(made.Reveal()), err
		}
		return text, err
	}
	o.LookupEnv = func(name string) (string, bool) {
		switch at, bearer := srv.JobToken(); name { // also where there is a real one: nothing is asked of it here
		case "ACTIONS_ID_TOKEN_REQUEST_URL":
			return at, true
		case "ACTIONS_ID_TOKEN_REQUEST_TOKEN":
			return bearer.Reveal(), true
		}
		if text, ok := c.LookupEnv(name); ok {
			return text, true
		}
		made, err := srv.WorkloadToken()
		return made.Reveal(), err == nil
	}
}

// register tells the sandbox the keys of a connection, as their owner would tell
// the server, and notes tokens that will be made up.
func (s *session) register(srv *sandbox.Server, conn *schema.Connection) error {
	if conn.ClientAssertion == nil && conn.Grant == nil {
		return nil
	}
	preset, diags := s.o.Catalog.Resolve(s.cfg, conn)
	if diags.HasErrors() {
		return nil // is said where the connection is planned
	}
	client, diags := grant.NewClient(conn, preset)
	if diags.HasErrors() {
		return nil // likewise
	}
	if a := conn.ClientAssertion; a != nil && a.GitHub {
		s.note("the ID token of GitHub Actions")
	} else if a != nil && a.Federated() {
		s.noteMadeUp(a.TokenFile, a.TokenEnv)
	}
	if x := client.Exchange(); x != nil {
		s.noteMadeUp(x.Subject.File, x.Subject.Env)
		s.noteMadeUp(x.Actor.File, x.Actor.Env)
		if key := client.GrantKey(); key != nil {
			if err := srv.LearnIssuer(preset, x.Issuer, key); err != nil {
				return err
			}
		}
	}
	if client.PublicKey() == nil {
		return nil
	}
	return srv.LearnKey(preset, conn.ClientID, client.PublicKey())
}

// noteMadeUp notes the token of a file or variable that is not there.
func (s *session) noteMadeUp(file, env string) {
	if env != "" {
		if _, ok := s.c.LookupEnv(env); !ok {
			s.note("the token in " + env)
		}
	} else if file != "" {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			s.note("the token in " + file)
		}
	}
}

func (s *session) note(what string) {
	if !slices.Contains(s.cfg.MadeUp, what) {
		s.cfg.MadeUp = append(s.cfg.MadeUp, what)
	}
}
