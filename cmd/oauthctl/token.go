package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// tokenFlags are the flags of token, for the command tree and for the short way.
type tokenFlags struct {
	format      tokenFormat
	opts        engine.TokenOptions
	lockTimeout time.Duration
}

func (f *tokenFlags) register(fs *pflag.FlagSet) {
	f.format = tokenFormats[0]
	fs.Var(&f.format, "format", "print as `FORMAT`: "+strings.Join(formatNames(), ", "))
	fs.DurationVar(&f.opts.MinTTL, "min-ttl", 0, "refresh a token that is valid for less than `DURATION`")
	fs.BoolVar(&f.opts.ForceRefresh, "force-refresh", false, "refresh even if the token is valid")
	fs.DurationVar(&f.lockTimeout, "lock-timeout", 10*time.Second, "wait for another process at most `DURATION`")
}

// runToken is the short way: token is what scripts call a thousand times, so it
// runs before the command tree is built. Whatever is unusual about the command
// line (-help, a mistake) is left to the tree. The heap stays below the size at
// which the first collection would run.
func (c *cli) runToken(ctx context.Context) (code int, done bool) {
	leading := pflag.NewFlagSet("", pflag.ContinueOnError)
	leading.SetInterspersed(false)
	leading.SetOutput(io.Discard)
	leading.Usage = func() {}
	c.globals.register(leading)
	if leading.Parse(c.args) != nil || leading.Arg(0) != "token" {
		c.globals = globals{}
		return 0, false
	}
	var f tokenFlags
	fs := pflag.NewFlagSet("token", pflag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	fs.AddFlagSet(leading)
	f.register(fs)
	if fs.Parse(leading.Args()[1:]) != nil || fs.NArg() != 1 {
		c.globals = globals{}
		return 0, false
	}
	if err := c.checkDir(); err != nil {
		return c.finish(ctx, err), true
	}
	return c.finish(ctx, c.token(ctx, fs.Arg(0), &f)), true
}

func (c *cli) tokenCommand() *cobra.Command {
	var f tokenFlags
	cmd := &cobra.Command{
		Use:   "token NAME",
		Short: "Print a valid access token",
		Long: "Print the access token of a connection, and nothing else, on stdout; refresh it first when it is due. " +
			"However many processes ask at once, it is refreshed once. The configuration is not read, and no browser is opened.",
		Example: "curl -H \"$(oauthctl token -format=header graph)\" https://graph.example/v1.0/me",
		Args:    exactArgs(1, "the name of a connection"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.token(cmd.Context(), args[0], &f)
		},
		ValidArgsFunction: c.completeAddrs,
	}
	f.register(cmd.Flags())
	return cmd
}

func (c *cli) token(ctx context.Context, name string, f *tokenFlags) error {
	a, err := addr.Parse(name)
	if err != nil {
		return err
	}
	store, err := c.openState(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	o := engine.Options{Store: store, Now: c.Now, Rand: c.Rand, LockTimeout: f.lockTimeout, PID: os.Getpid(), Host: hostname()}
	done, err := c.connectStored(&o)
	if err != nil {
		return err
	}
	defer done()
	t, err := engine.New(o).Token(ctx, a, f.opts)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err // refreshed and saved, and nobody wants it any more
	}
	if t.Warning != "" {
		fmt.Fprintf(c.Stderr, "Warning: %s\n", t.Warning)
	}
	if err := f.format.write(&c.out, t); err != nil {
		return fmt.Errorf("print the token of %s: %w", a, err)
	}
	return nil
}

// tokenFormat is one way to print a token.
type tokenFormat struct {
	name, doc string
	write     func(io.Writer, *engine.Token) error
}

// The formats; the first is the default.
var tokenFormats = []tokenFormat{
	{"raw", "the token and a newline", writeRaw},
	{"json", "a JSON object with access_token, token_type, expires_at and scopes", writeJSON},
	{"env", "NAME_ACCESS_TOKEN=… and NAME_EXPIRES_AT=…, for eval or an env file", writeEnv},
	{"header", "a line for curl -H: Authorization: Bearer …", writeHeader},
}

func formatNames() []string {
	var names []string
	for _, f := range tokenFormats {
		names = append(names, f.name)
	}
	return names
}

// String implements [pflag.Value].
func (f *tokenFormat) String() string { return f.name }

// Type implements [pflag.Value].
func (f *tokenFormat) Type() string { return "FORMAT" }

// Set implements [pflag.Value].
func (f *tokenFormat) Set(s string) error {
	for _, g := range tokenFormats {
		if g.name == s {
			*f = g
			return nil
		}
	}
	return errors.New("want one of " + strings.Join(formatNames(), ", "))
}

func writeRaw(w io.Writer, t *engine.Token) error {
	_, err := io.WriteString(w, t.AccessToken.Reveal()+"\n")
	return err
}

func writeHeader(w io.Writer, t *engine.Token) error {
	_, err := io.WriteString(w, "Authorization: "+scheme(t.TokenType)+" "+t.AccessToken.Reveal()+"\n")
	return err
}

// scheme is the authentication scheme of a token type. The type is not
// case-sensitive (RFC 6749 §5.1), but servers that compare the scheme want "Bearer".
func scheme(tokenType string) string {
	if tokenType == "" || strings.EqualFold(tokenType, "bearer") {
		return "Bearer"
	}
	return tokenType
}

func writeJSON(w io.Writer, t *engine.Token) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(struct {
		AccessToken string   `json:"access_token"`
		TokenType   string   `json:"token_type"`
		ExpiresAt   string   `json:"expires_at,omitempty"`
		Scopes      []string `json:"scopes,omitempty"`
		Address     string   `json:"address"`
	}{t.AccessToken.Reveal(), scheme(t.TokenType), rfc3339(t.ExpiresAt), t.Scopes, t.Addr.String()})
}

func writeEnv(w io.Writer, t *engine.Token) error {
	prefix := envName(t.Addr)
	text := prefix + "_ACCESS_TOKEN=" + shellQuote(t.AccessToken.Reveal()) + "\n"
	if !t.ExpiresAt.IsZero() {
		text += prefix + "_EXPIRES_AT=" + rfc3339(t.ExpiresAt) + "\n"
	}
	_, err := io.WriteString(w, text)
	return err
}

func rfc3339(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// envName is the prefix of a connection's variables: graph["eu"] is GRAPH_EU.
func envName(a addr.Addr) string {
	name := a.Name
	if a.Keyed {
		name += "_" + a.Key
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_':
			return r
		}
		return '_'
	}, name)
}

// shellQuote quotes s for a POSIX shell if it has to be; tokens of the usual
// alphabet (RFC 6750 §2.1) stay bare, which suits env files too.
func shellQuote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._+/=") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
