package outlet

import (
	"encoding/hex"
	"errors"
	"io"
	"strings"

	"github.com/oauthctl/oauthctl/engine"
)

// commandFile is a file from which the runner of GitHub Actions takes values,
// by the name of the variable that holds its path.
type commandFile string

const (
	outputs   commandFile = "GITHUB_OUTPUT"
	variables commandFile = "GITHUB_ENV"
)

func (f commandFile) check(o *Options) error {
	if path, _ := o.LookupEnv(string(f)); path == "" {
		return errors.New(string(f) + " is not set: this is not a step of a job of GitHub Actions")
	}
	return nil
}

// actionsText masks the token in the log, before anything can print it.
func actionsText(t *engine.Token, _ *Options) (string, error) {
	s, err := plain(t)
	return mask(s), err
}

// mask has the runner of GitHub Actions, or of Gitea and Forgejo, put *** for s
// wherever the job prints it.
func mask(s string) string {
	return "::add-mask::" + strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s) + "\n"
}

// masks are the masks for a text with a token: for the token, and where the text
// has it encoded, for each line of it.
func masks(text, token string) string {
	out := mask(token)
	if strings.Contains(text, token) || strings.HasPrefix(text, out) {
		return out
	}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out += mask(line)
		}
	}
	return out
}

// CheckMask says why no runner would take masks here.
func CheckMask(lookupEnv func(string) (string, bool)) error {
	if v, _ := lookupEnv("GITHUB_ACTIONS"); v != "true" {
		return errors.New("GITHUB_ACTIONS is not true: no runner reads masks here, and they have the token in them")
	}
	return nil
}

// write appends the values to the file, between lines that nobody can guess.
func (f commandFile) write(t *engine.Token, o *Options) error {
	if err := f.check(o); err != nil {
		return err
	}
	s, err := plain(t)
	if err != nil {
		return err
	}
	name := EnvName(t.Addr)
	text, err := o.heredoc(name+"_ACCESS_TOKEN", s)
	if err != nil {
		return err
	}
	if !t.ExpiresAt.IsZero() {
		more, err := o.heredoc(name+"_EXPIRES_AT", rfc3339(t.ExpiresAt))
		if err != nil {
			return err
		}
		text += more
	}
	path, _ := o.LookupEnv(string(f))
	return o.Append(path, []byte(text))
}

func (o *Options) heredoc(name, value string) (string, error) {
	random := make([]byte, 16)
	if _, err := io.ReadFull(o.Rand, random); err != nil {
		return "", err
	}
	end := "ghadelimiter_" + hex.EncodeToString(random)
	if strings.Contains(value, end) || strings.ContainsAny(value, "\r\n") {
		return "", errors.New("the value has the end of the value in it")
	}
	return name + "<<" + end + "\n" + value + "\n" + end + "\n", nil
}
