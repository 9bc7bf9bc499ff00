package main

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/providers/sandbox"
	"github.com/oauthctl/oauthctl/schema"
)

// maxToken is the size in bytes from which a file does not hold a token.
const maxToken = 64 << 10

// readToken reads a file that somebody else keeps a token fresh in. In clusters
// such files are links to links; what they lead to has to be a regular file.
func readToken(name string) ([]byte, error) {
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
	text, err := io.ReadAll(io.LimitReader(f, maxToken+1))
	if err == nil && len(text) > maxToken {
		err = errors.New("it is larger than a token")
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
		if text, ok := c.LookupEnv(name); ok {
			return text, true
		}
		made, err := srv.WorkloadToken()
		return made.Reveal(), err == nil
	}
}

// registerKey tells the sandbox the key of a client, as its owner would tell
// the server, and notes a token that will be made up.
func (s *session) registerKey(srv *sandbox.Server, conn *schema.Connection) error {
	a := conn.ClientAssertion
	if a == nil {
		return nil
	}
	preset, diags := s.o.Catalog.Resolve(s.cfg, conn)
	if diags.HasErrors() {
		return nil // is said where the connection is planned
	}
	if a.Federated() {
		s.noteMadeUp(a)
		return nil
	}
	client, diags := grant.NewClient(conn, preset)
	if diags.HasErrors() || client.PublicKey() == nil {
		return nil // likewise
	}
	return srv.LearnKey(preset, conn.ClientID, client.PublicKey())
}

func (s *session) noteMadeUp(a *schema.Assertion) {
	what := ""
	if a.TokenEnv != "" {
		if _, ok := s.c.LookupEnv(a.TokenEnv); !ok {
			what = "the token in " + a.TokenEnv
		}
	} else if _, err := os.Stat(a.TokenFile); errors.Is(err, fs.ErrNotExist) {
		what = "the token in " + a.TokenFile
	}
	for _, known := range s.cfg.MadeUp {
		if known == what {
			return
		}
	}
	if what != "" {
		s.cfg.MadeUp = append(s.cfg.MadeUp, what)
	}
}
