package outlet

import (
	"cmp"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// Request is what a helper is asked.
type Request struct {
	// Host is the server that the token would go to, as [schema.ParseHost] writes
	// it. It is empty for a place that no token goes to: http, ssh, no host.
	Host     string
	User     string        // that is asked for; "": any
	Password secret.Secret // of git's erase: what the server refused
}

// secureHost is the host of a place that a token may go to, or "": https, and
// http on this machine.
func secureHost(protocol, host string) string {
	switch {
	case protocol == "http" && !hasPort(host):
		host += ":80" // which is another than that of https
	case protocol != "http" && protocol != "https":
		return ""
	}
	parsed, err := schema.ParseHost(host)
	if err != nil || protocol == "http" && !schema.LoopbackHost(parsed) {
		return ""
	}
	return parsed
}

func hasPort(host string) bool {
	return strings.LastIndexByte(host, ':') > strings.LastIndexByte(host, ']')
}

// ReadGit reads a request of git's credential protocol: lines of NAME=VALUE up to
// an empty one, of which the last of a name counts.
func ReadGit(r io.Reader) (Request, error) {
	text, err := readRequest(r)
	if err != nil {
		return Request{}, err
	}
	var q Request
	var protocol, host string
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			break
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok || strings.ContainsRune(line, 0) {
			return Request{}, errors.New("a line of git's request is not NAME=VALUE")
		}
		switch name {
		case "protocol":
			protocol = value
		case "host":
			host = value
		case "username":
			q.User = value
		case "password":
			q.Password = secret.Secret(value)
		}
	}
	q.Host = secureHost(protocol, host)
	return q, nil
}

// GitUser is the user name that a server wants beside an access token. Most take
// any.
func GitUser(preset string) string {
	switch preset {
	case "github", "github-app":
		return "x-access-token"
	case "bitbucket":
		return "x-token-auth"
	}
	return "oauth2"
}

// gitText answers git. The refresh token stays here: git would store it.
func gitText(t *engine.Token, o *Options) (string, error) {
	s, err := plain(t)
	if err != nil {
		return "", err
	}
	name := cmp.Or(o.User, GitUser(t.Preset))
	if strings.ContainsAny(name, "\n\r\x00") {
		return "", errors.New("the name of the user is not one line")
	}
	text := "username=" + name + "\npassword=" + s + "\n"
	if !t.ExpiresAt.IsZero() {
		text += "password_expiry_utc=" + strconv.FormatInt(t.ExpiresAt.Unix(), 10) + "\n"
	}
	return text, nil
}
