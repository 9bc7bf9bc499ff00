package sink

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/oauthctl/oauthctl/schema/secret"
)

// cluster is how to reach an API server.
type cluster struct {
	server string
	tls    *tls.Config
	token  secret.Secret // "" with a client certificate
}

// kubeconfig is what counts here of such a file. What changes how a server is
// reached, and is not supported, is read so that it is not overlooked.
type kubeconfig struct {
	Current  string        `yaml:"current-context"`
	Contexts []kubeContext `yaml:"contexts"`
	Clusters []kubeCluster `yaml:"clusters"`
	Users    []kubeUser    `yaml:"users"`
}

type kubeContext struct {
	Name    string `yaml:"name"`
	Context struct {
		Cluster string `yaml:"cluster"`
		User    string `yaml:"user"`
	} `yaml:"context"`
}

type kubeCluster struct {
	Name    string `yaml:"name"`
	Cluster struct {
		Server     string `yaml:"server"`
		CAFile     string `yaml:"certificate-authority"`
		CA         string `yaml:"certificate-authority-data"`
		ServerName string `yaml:"tls-server-name"`
		Insecure   bool   `yaml:"insecure-skip-tls-verify"`
		Proxy      string `yaml:"proxy-url"`
	} `yaml:"cluster"`
}

type kubeUser struct {
	Name string `yaml:"name"`
	User struct {
		Token        string `yaml:"token"`
		TokenFile    string `yaml:"tokenFile"`
		CertFile     string `yaml:"client-certificate"`
		Cert         string `yaml:"client-certificate-data"`
		KeyFile      string `yaml:"client-key"`
		Key          string `yaml:"client-key-data"`
		Exec         any    `yaml:"exec"`
		AuthProvider any    `yaml:"auth-provider"`
		As           string `yaml:"as"`
	} `yaml:"user"`
}

// Limits of a kubeconfig. The decoder is slow with deep nesting, of which such a
// file has none, so it never sees any.
const (
	maxKubeconfig = 256 << 10
	maxBrackets   = 4096
	maxIndent     = 200
)

// parseKubeconfig reads the text of a kubeconfig. Errors repeat nothing of it.
func parseKubeconfig(text []byte) (k *kubeconfig, err error) {
	if len(text) > maxKubeconfig {
		return nil, fmt.Errorf("it is larger than %d KiB", maxKubeconfig>>10)
	}
	brackets := bytes.Count(text, []byte("[")) + bytes.Count(text, []byte("{"))
	for line := range bytes.Lines(text) {
		if indent := len(line) - len(bytes.TrimLeft(line, " \t-?:\"'&!")); indent > maxIndent || brackets > maxBrackets {
			return nil, errors.New("it is nested more deeply than a kubeconfig is")
		}
	}
	defer func() { // a decoder of a language this large has mistakes
		if recover() != nil {
			k, err = nil, errors.New("it is not YAML that can be read")
		}
	}()
	k = &kubeconfig{}
	if err := yaml.Unmarshal(text, k); err != nil {
		var at yaml.Error
		if errors.As(err, &at) && at.GetToken() != nil && at.GetToken().Position != nil {
			return nil, fmt.Errorf("it is not a kubeconfig: see line %d", at.GetToken().Position.Line)
		}
		return nil, errors.New("it is not a kubeconfig") // the decoder's own words show lines, and with them secrets
	}
	return k, nil
}

// find finds the cluster and the user of a context, by default the current one.
func (k *kubeconfig) find(context string) (*kubeCluster, *kubeUser, error) {
	if context = cmp.Or(context, k.Current); context == "" {
		return nil, nil, errors.New("it has no current context: name one in the argument context")
	}
	of := slices.IndexFunc(k.Contexts, func(c kubeContext) bool { return c.Name == context })
	if of < 0 {
		var names []string
		for _, c := range k.Contexts {
			names = append(names, c.Name)
		}
		return nil, nil, fmt.Errorf("it has no context %q, only: %s", context, clean(strings.Join(names, ", ")))
	}
	c := k.Contexts[of].Context
	at := slices.IndexFunc(k.Clusters, func(k kubeCluster) bool { return k.Name == c.Cluster })
	who := slices.IndexFunc(k.Users, func(u kubeUser) bool { return u.Name == c.User })
	if at < 0 || who < 0 {
		return nil, nil, fmt.Errorf("the context %q names a cluster or a user that it does not have", context)
	}
	return &k.Clusters[at], &k.Users[who], nil
}

// reach finds how a context is reached. Files that it names are read; relative names
// start at the directory of the kubeconfig.
func (k *kubeconfig) reach(context, dir string, readFile func(string) ([]byte, error)) (*cluster, error) {
	at, who, err := k.find(context)
	if err != nil {
		return nil, err
	}
	files := kubeFiles{dir, readFile}
	out, err := at.reach(files)
	if err == nil {
		err = who.sign(out, files)
	}
	return out, err
}

// kubeFiles reads what a kubeconfig has inside, or in a file.
type kubeFiles struct {
	dir  string
	read func(string) ([]byte, error)
}

func (f kubeFiles) get(what, inside, name string) ([]byte, error) {
	switch {
	case inside != "":
		text, err := base64.StdEncoding.DecodeString(inside)
		if err != nil {
			return nil, fmt.Errorf("%s-data is not base64", what)
		}
		return text, nil
	case name == "":
		return nil, nil
	case !filepath.IsAbs(name):
		name = filepath.Join(f.dir, name)
	}
	text, err := f.read(name)
	if err != nil {
		return nil, fmt.Errorf("read the %s %s: %w", what, name, withoutPath(err))
	}
	return text, nil
}

// reach checks how the server is known.
func (k *kubeCluster) reach(files kubeFiles) (*cluster, error) {
	c := &k.Cluster
	switch _, ok := apiAddress(c.Server); {
	case !ok:
		return nil, fmt.Errorf("the server of the cluster %q is not an https address", k.Name)
	case c.Insecure:
		return nil, fmt.Errorf("the cluster %q has insecure-skip-tls-verify, with which anybody could read what is published: give it certificate-authority-data", k.Name)
	case c.Proxy != "":
		return nil, fmt.Errorf("the cluster %q has a proxy-url, which is not supported: set HTTPS_PROXY", k.Name)
	}
	out := newCluster(c.Server)
	out.tls.ServerName = c.ServerName
	pem, err := files.get("certificate-authority", c.CA, c.CAFile)
	if err != nil || pem == nil {
		return out, err
	}
	return out, out.trust(pem)
}

func newCluster(server string) *cluster {
	return &cluster{server: strings.TrimRight(server, "/"), tls: &tls.Config{MinVersion: tls.VersionTLS12}}
}

// trust takes the authorities in PEM in place of the system's.
func (c *cluster) trust(pem []byte) error {
	c.tls.RootCAs = x509.NewCertPool()
	if !c.tls.RootCAs.AppendCertsFromPEM(pem) {
		return errors.New("there is no certificate in the certificate-authority")
	}
	return nil
}

// sign adds the credentials of a user.
func (u *kubeUser) sign(c *cluster, files kubeFiles) error {
	user := &u.User
	switch {
	case user.Exec != nil || user.AuthProvider != nil:
		return fmt.Errorf("the user %q gets its credentials from a program, and a configuration must not be able to run one: make a token, for example with kubectl create token, and put it into a kubeconfig of its own", u.Name)
	case user.As != "":
		return fmt.Errorf("the user %q acts as another one, which is not supported", u.Name)
	}
	cert, err := files.get("client-certificate", user.Cert, user.CertFile)
	if err != nil {
		return err
	}
	key, err := files.get("client-key", user.Key, user.KeyFile)
	if err != nil {
		return err
	}
	if cert != nil || key != nil {
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return fmt.Errorf("the client certificate and the key of the user %q do not fit together, or are not PEM", u.Name)
		}
		c.tls.Certificates = []tls.Certificate{pair}
	}
	text := []byte(user.Token)
	if user.TokenFile != "" { // it wins, as with kubectl: somebody keeps it fresh
		if text, err = files.get("tokenFile", "", user.TokenFile); err != nil {
			return err
		}
		if !isJWT(strings.TrimSpace(string(text))) {
			return fmt.Errorf("there is no JWT in the tokenFile %s, and nothing else is sent from a file", user.TokenFile)
		}
	}
	if c.token = secret.Secret(strings.TrimSpace(string(text))); c.token.Empty() && cert == nil {
		return fmt.Errorf("the user %q has neither a token nor a client certificate", u.Name)
	}
	return nil
}

// isJWT reports whether s has the form of a JWT. A configuration can name any file
// as that of a token; what is none must not get to a server of its choice.
func isJWT(s string) bool {
	parts := strings.Split(s, ".")
	return len(parts) == 3 && strings.HasPrefix(s, "eyJ") && !slices.ContainsFunc(parts, func(p string) bool {
		return p == "" || strings.ContainsFunc(p, func(r rune) bool { return !isAlnum(r) && r != '-' && r != '_' })
	})
}
