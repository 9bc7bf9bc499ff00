package outlet

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/oauthctl/oauthctl/engine"
)

// Formats lists the formats; the first is the default. They are made when they
// are asked for, and not at every start.
func Formats() []Format {
	return []Format{
		{Name: "raw", Doc: "the token and a newline", encode: rawText},
		{Name: "json", Doc: "a JSON object with access_token, token_type, expires_at and scopes", encode: jsonText},
		{Name: "env", Doc: "NAME_ACCESS_TOKEN=… and NAME_EXPIRES_AT=…, for eval or an env file", encode: envText},
		{Name: "header", Doc: "a line for curl -H: Authorization: Bearer …", encode: headerText},
		{Name: "curl", Doc: "a configuration for curl -K -", encode: curlText},
		{Name: "netrc", Doc: "lines of a .netrc, for the hosts of the connection", encode: netrcText},
		{Name: "exec-credential", Doc: "what kubectl takes from a credential plugin", check: kubeCheck, encode: kubeText},
		{Name: "git-credential", Doc: "lines of git's credential protocol", encode: gitText},
		{Name: "docker-credential", Doc: "JSON of docker's credential protocol", encode: dockerText},
		{Name: "xoauth2", Doc: "the SASL string for IMAP, SMTP and POP", encode: xoauth2Text},
		{Name: "github-actions", Doc: "masks the token in the job's log and sets an output of the step", check: outputs.check, encode: actionsText, then: outputs.write},
		{Name: "github-actions-env", Doc: "masks the token and sets a variable for the later steps", check: variables.check, encode: actionsText, then: variables.write},
		{Name: "terraform-external", Doc: "what Terraform's external data source takes", check: terraformCheck, encode: terraformText},
	}
}

func rawText(t *engine.Token, _ *Options) (string, error) {
	s, err := plain(t)
	return s + "\n", err
}

func headerText(t *engine.Token, _ *Options) (string, error) {
	s, err := plain(t)
	if err != nil {
		return "", err
	}
	kind, err := scheme(t.TokenType)
	return "Authorization: " + kind + " " + s + "\n", err
}

// curlText is an option in a file for curl -K. The value stands between quotes,
// where a backslash means something.
func curlText(t *engine.Token, o *Options) (string, error) {
	line, err := headerText(t, o)
	if err != nil {
		return "", err
	}
	return `header = "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(strings.TrimSuffix(line, "\n")) + "\"\n", nil
}

func jsonText(t *engine.Token, _ *Options) (string, error) {
	kind, err := scheme(t.TokenType)
	if err != nil {
		return "", err
	}
	return asJSON(struct {
		AccessToken string   `json:"access_token"`
		TokenType   string   `json:"token_type"`
		ExpiresAt   string   `json:"expires_at,omitempty"`
		Scopes      []string `json:"scopes,omitempty"`
		Address     string   `json:"address"`
	}{t.AccessToken.Reveal(), kind, rfc3339(t.ExpiresAt), t.Scopes, t.Addr.String()})
}

// asJSON is one line of JSON.
func asJSON(v any) (string, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.String(), err
}

func envText(t *engine.Token, _ *Options) (string, error) {
	s, err := plain(t)
	if err != nil {
		return "", err
	}
	prefix := EnvName(t.Addr)
	text := prefix + "_ACCESS_TOKEN=" + ShellQuote(s) + "\n"
	if !t.ExpiresAt.IsZero() {
		text += prefix + "_EXPIRES_AT=" + rfc3339(t.ExpiresAt) + "\n"
	}
	return text, nil
}

func rfc3339(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// ShellQuote quotes s for a POSIX shell if it has to be; tokens of the usual
// alphabet (RFC 6750 §2.1) stay bare, which suits env files too.
func ShellQuote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._+/=") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// netrcText is a line for each host. The file knows no ports: a host with one
// would get the token at every other port too.
func netrcText(t *engine.Token, o *Options) (string, error) {
	s, err := plain(t)
	if err != nil {
		return "", err
	}
	name := cmp.Or(o.User, GitUser(t.Preset))
	if !isWord(name) {
		return "", errors.New("the name of the user is not one word")
	}
	if strings.ContainsAny(s+name, `"'\#`) {
		return "", errors.New("there are quotes, backslashes or # in it, which programs read differently there")
	}
	if len(t.Hosts) == 0 {
		return "", errNoHosts
	}
	var b strings.Builder
	for _, h := range t.Hosts {
		if strings.Contains(h, ":") {
			return "", fmt.Errorf("the host %s has a port, and a .netrc would send the token to every port of it", h)
		}
		b.WriteString("machine " + h + " login " + name + " password " + s + "\n")
	}
	return b.String(), nil
}

var errNoHosts = errors.New(`the connection does not say where the token may go: set hosts = ["git.example.com"] in the configuration, and apply`)

// xoauth2Text is the initial response of XOAUTH2, in base64 as the protocols of mail want it.
func xoauth2Text(t *engine.Token, o *Options) (string, error) {
	s, err := plain(t)
	if err != nil {
		return "", err
	}
	name, err := user(t, o)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString([]byte("user="+name+"\x01auth=Bearer "+s+"\x01\x01")) + "\n", nil
}
