package outlet

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/oauthctl/oauthctl/engine"
)

// DockerNotFound is how a helper says on stdout that it has nothing for a
// server: docker compares the words.
const DockerNotFound = "credentials not found in native keychain"

// identityToken is the user name with which docker takes a secret for a refresh
// token of the registry, and not for a password.
const identityToken = "<token>"

// ReadDocker reads the address of a registry: https://HOST/v1/, or HOST alone,
// with which docker speaks https.
func ReadDocker(r io.Reader) (Request, error) {
	text, err := readRequest(r)
	if err != nil {
		return Request{}, err
	}
	return Request{Host: registryHost(strings.TrimSpace(text))}, nil
}

// ReadDockerStored reads what docker login wants to be kept, as far as it says for whom.
func ReadDockerStored(r io.Reader) (Request, error) {
	text, err := readRequest(r)
	if err != nil {
		return Request{}, err
	}
	server, err := dockerServer(text)
	return Request{Host: registryHost(server)}, err
}

func dockerServer(text string) (string, error) {
	var stored struct{ ServerURL string }
	if err := json.Unmarshal([]byte(text), &stored); err != nil {
		return "", errors.New("docker's request is not a JSON object") // and not a word of it: there is a password in it
	}
	return stored.ServerURL, nil
}

func registryHost(address string) string {
	protocol, rest, ok := strings.Cut(address, "://")
	if !ok {
		protocol, rest = "https", address
	}
	host, _, _ := strings.Cut(rest, "/")
	return secureHost(strings.ToLower(protocol), host)
}

func dockerText(t *engine.Token, o *Options) (string, error) {
	s, err := plain(t)
	if err != nil {
		return "", err
	}
	name := cmp.Or(o.User, DockerUser(t.Preset))
	if name == identityToken {
		return "", errors.New("the user name <token> makes docker send the secret as a refresh token of the registry, which an access token is not: give another name")
	}
	return asJSON(struct {
		Username string
		Secret   string
	}{name, s})
}

// DockerUser is the user name that a registry wants beside an access token.
func DockerUser(preset string) string {
	if preset == "google" {
		return "oauth2accesstoken"
	}
	return GitUser(preset)
}

// DockerList is the answer to list: the user name of each host.
func DockerList(users map[string]string) (string, error) { return asJSON(users) }
