package outlet

import (
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/oauthctl/oauthctl/engine"
)

// maxRequest is how much of a request is read: they are a few lines.
const maxRequest = 64 << 10

var errLong = errors.New("the request is too long")

// readRequest reads what another program asks on stdin.
func readRequest(r io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxRequest+1))
	switch {
	case err != nil:
		return "", err
	case len(text) > maxRequest:
		return "", errLong
	}
	return string(text), nil
}

// terraformCheck reads the query of the external data source: an object of
// strings, which has to be empty, since nothing can be asked here.
func terraformCheck(o *Options) error {
	text, err := readRequest(o.Stdin)
	if err != nil {
		return err
	}
	if strings.TrimSpace(text) == "" {
		return nil
	}
	var query map[string]string
	if err := json.Unmarshal([]byte(text), &query); err != nil {
		return errors.New("the query on stdin is not a JSON object of strings")
	}
	if len(query) > 0 {
		return errors.New("the external data source has a query, and nothing can be asked: take it out, and give options in program")
	}
	return nil
}

// terraformText is an object of strings, which is all that the protocol knows.
func terraformText(t *engine.Token, _ *Options) (string, error) {
	kind, err := scheme(t.TokenType)
	if err != nil {
		return "", err
	}
	return asJSON(map[string]string{
		"access_token": t.AccessToken.Reveal(), "token_type": kind, "expires_at": rfc3339(t.ExpiresAt),
		"scopes": strings.Join(t.Scopes, " "), "address": t.Addr.String(),
	})
}
