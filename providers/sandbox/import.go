package sandbox

import (
	"fmt"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// Given is a refresh token that somebody has from elsewhere: from another
// program that is the same client, say.
type Given struct {
	Client  string
	Account string // who consented; "": the person of the options
	Scopes  []string
	Token   secret.Secret
}

// LearnToken tells the server of a preset, which it mounts, a refresh token that
// it is to have given out before. One that it knows stays what it has become.
func (s *Server) LearnToken(p *providers.Preset, g Given) error {
	prof, err := newProfile(p)
	if err == nil {
		err = s.book.mount(prof)
	}
	if err == nil {
		person := s.o.Person
		if isAddress(g.Account) {
			person = personAt(g.Account)
		}
		err = s.book.update(func(t *tx) error {
			hash := digestOf(g.Token.Reveal())
			if _, known := t.refreshes[hash]; known {
				return nil
			}
			if _, known := t.clients[clientKey{prof.ID, g.Client}]; !known {
				t.put.Clients = append(t.put.Clients, client{Realm: prof.ID, ID: g.Client})
			}
			row := consent{Realm: prof.ID, Client: g.Client, Person: person, Scopes: g.Scopes, At: t.now}
			if err := t.keep(&row); err != nil {
				return err
			}
			given := refresh{Hash: hash, Grant: row.ID}
			if prof.Refresh > 0 {
				given.Expires = t.now.add(prof.Refresh)
			}
			t.put.Refresh = append(t.put.Refresh, given)
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("sandbox: learn a refresh token of %q at %q: %w", g.Client, p.Name, err)
	}
	return nil
}
