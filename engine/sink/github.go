package sink

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/crypto/nacl/box"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/secret"
)

func githubType() Type {
	return Type{
		Name: "github_actions",
		Doc: "Secrets of GitHub Actions: of a repository, of an environment of a repository, or of an organization. " +
			"Values are encrypted for the repository's public key before they are sent. The token needs the right to write secrets.",
		Spec: &schema.Spec{Attrs: []schema.Attr{
			{Name: "repository", Kind: schema.String, Doc: "The repository, as \"owner/name\". Either this or organization."},
			{Name: "environment", Kind: schema.String, Doc: "An environment of the repository, whose secrets they are then."},
			{Name: "organization", Kind: schema.String, Doc: "The organization whose secrets they are."},
			{Name: "visibility", Kind: schema.String, OneOf: []string{"all", "private", "selected"}, Default: `"private"`, Doc: "Which repositories of the organization can read them."},
			{Name: "selected_repository_ids", Kind: schema.Strings, Doc: "With visibility = \"selected\": the repositories, by their numbers."},
			{Name: "token", Kind: schema.Sensitive, Required: true, Doc: "A token of GitHub: env(\"GITHUB_TOKEN\"), a sensitive variable, or the access_token of a connection."},
			{Name: "url", Kind: schema.String, Default: `"https://api.github.com"`, Doc: "The address of the API, for GitHub Enterprise Server: https://HOST/api/v3."},
		}},
		New: newGitHub,
	}
}

// github is one store of secrets of GitHub Actions.
type github struct {
	base     string // of the API
	host     string
	what     string // "octo/app", "the environment prod of octo/app"
	path     string // of the secrets, below base
	org      bool
	visible  string
	selected []int64
	token    secret.Secret
}

// isGitHubName reports whether s can be the name of an owner or of a repository.
func isGitHubName(s string) bool {
	return s != "" && s != "." && s != ".." && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '_' && r != '-'
	})
}

func newGitHub(o *schema.Object) (Target, hcl.Diagnostics) {
	g := &github{base: "https://api.github.com", token: o.Secret("token")}
	if o.Has("url") {
		g.base = strings.TrimRight(o.String("url"), "/")
	}
	var diags hcl.Diagnostics
	fail := func(name, summary, detail string, args ...any) {
		diags = append(diags, o.ErrorAt(name, summary, detail, args...))
	}
	u, err := url.Parse(g.base)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		fail("url", "Invalid address of the API", "The argument \"url\" must be an https address without a query, such as https://github.example/api/v3.")
	} else {
		g.host = u.Host
	}
	repo, org, env := o.String("repository"), o.String("organization"), o.String("environment")
	owner, name, found := strings.Cut(repo, "/")
	switch {
	case (repo == "") == (org == ""):
		fail("repository", "Repository or organization", "Set either \"repository\" or \"organization\".")
	case repo != "" && (!found || !isGitHubName(owner) || !isGitHubName(name)):
		fail("repository", "Invalid repository", "The argument \"repository\" must be written as \"owner/name\", not %q.", repo)
	case repo != "":
		g.what, g.path = repo, "/repos/"+repo+"/actions/secrets"
		if env != "" {
			g.what, g.path = "the environment "+env+" of "+repo, "/repos/"+repo+"/environments/"+url.PathEscape(env)+"/secrets"
		}
	case env != "":
		fail("environment", "Environment of an organization", "Environments belong to repositories: set \"repository\" in place of \"organization\".")
	case !isGitHubName(org):
		fail("organization", "Invalid organization", "The argument \"organization\" must be the name of an organization, not %q.", org)
	default:
		g.what, g.path, g.org = "the organization "+org, "/orgs/"+org+"/actions/secrets", true
	}
	diags = append(diags, g.visibility(o)...)
	return g, diags
}

func (g *github) visibility(o *schema.Object) hcl.Diagnostics {
	g.visible = "private"
	if o.Has("visibility") {
		g.visible = o.String("visibility")
	}
	ids := o.Strings("selected_repository_ids")
	var diags hcl.Diagnostics
	switch {
	case !g.org && (o.Has("visibility") || len(ids) > 0):
		diags = append(diags, o.ErrorAt("visibility", "Visibility without an organization", "Only secrets of an organization have a visibility."))
	case g.visible == "selected" && len(ids) == 0:
		diags = append(diags, o.ErrorAt("visibility", "No repositories selected", "With visibility = \"selected\", list the repositories in \"selected_repository_ids\"."))
	case g.visible != "selected" && len(ids) > 0:
		diags = append(diags, o.ErrorAt("selected_repository_ids", "Repositories without effect", "They count only with visibility = \"selected\"."))
	}
	for _, id := range ids {
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil || n <= 0 {
			diags = append(diags, o.ErrorAt("selected_repository_ids", "Invalid number of a repository", "%q is not a number: gh api repos/OWNER/NAME --jq .id prints it.", id))
		}
		g.selected = append(g.selected, n)
	}
	return diags
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Place implements Target.
func (g *github) Place() string { return "the Actions secrets of " + g.what + " at " + g.host }

// Hosts implements Target.
func (g *github) Hosts() []string { return []string{g.host} }

// Check implements Target.
func (g *github) Check(names []string) error {
	if err := checkVariables(names); err != nil {
		return err
	}
	seen := map[string]string{}
	for _, name := range names {
		upper := strings.ToUpper(name)
		if strings.HasPrefix(upper, "GITHUB_") {
			return fmt.Errorf("%q cannot be the name of a secret: names that start with GITHUB_ are GitHub's own", name)
		}
		if other := seen[upper]; other != "" {
			return fmt.Errorf("%q and %q are one secret: GitHub does not tell capital letters from small ones", other, name)
		}
		seen[upper] = name
	}
	return nil
}

// publicKey is what values are encrypted for.
type publicKey struct {
	ID  string `json:"key_id"`
	Key string `json:"key"`
}

// Publish implements Target.
func (g *github) Publish(ctx context.Context, env Env, values []Value) error {
	if len(values) == 0 {
		return nil
	}
	doing := "read the public key of " + g.what + " at " + g.base
	var key publicKey
	if err := g.call(ctx, env, doing, http.MethodGet, "/public-key", nil, &key); err != nil {
		return err
	}
	raw, err := base64.StdEncoding.DecodeString(key.Key)
	if err != nil || len(raw) != 32 || key.ID == "" {
		return &Error{Kind: Protocol, Doing: doing, Detail: "the answer has no key that can be used", Remedy: "check the argument url"}
	}
	var written []string
	for _, v := range values {
		written = append(written, v.Name) // from when it is sent, it may have been written
		if err := g.put(ctx, env, key.ID, (*[32]byte)(raw), v); err != nil {
			var e *Error
			if errors.As(err, &e) {
				e.Written = written
			}
			return err
		}
	}
	return nil
}

func (g *github) put(ctx context.Context, env Env, id string, key *[32]byte, v Value) error {
	doing := "write the secret " + v.Name + " of " + g.what + " at " + g.base
	random := env.Rand
	if random == nil {
		random = rand.Reader
	}
	sealed, err := box.SealAnonymous(nil, []byte(v.Secret.Reveal()), key, random)
	if err != nil {
		return &Error{Kind: Protocol, Doing: doing, Detail: "the value could not be encrypted", Err: err}
	}
	body := map[string]any{"encrypted_value": base64.StdEncoding.EncodeToString(sealed), "key_id": id}
	if g.org {
		body["visibility"] = g.visible
		if g.visible == "selected" {
			body["selected_repository_ids"] = g.selected
		}
	}
	return g.call(ctx, env, doing, http.MethodPut, "/"+v.Name, body, nil)
}

// Remove implements Target.
func (g *github) Remove(ctx context.Context, env Env, names []string) error {
	for _, name := range names {
		err := g.call(ctx, env, "remove the secret "+name+" of "+g.what+" at "+g.base, http.MethodDelete, "/"+name, nil, nil)
		var e *Error
		if errors.As(err, &e) && e.Status == http.StatusNotFound {
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// maxAnswer is how much of an answer is read.
const maxAnswer = 64 << 10

// call makes one request. The answer is decoded into out, if that is not nil.
func (g *github) call(ctx context.Context, env Env, doing, method, path string, body, out any) error {
	failed := &Error{Kind: Protocol, Doing: doing}
	if g.token.Empty() {
		failed.Kind, failed.Detail, failed.Remedy = Config, "there is no token", "give the argument token a value"
		return failed
	}
	var text io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			failed.Err = err
			return failed
		}
		text = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, g.base+g.path+path, text)
	if err != nil {
		failed.Kind, failed.Detail = Config, "the address cannot be used"
		return failed
	}
	req.Header.Set("Accept", "application/vnd.github+json")
	req.Header.Set("Authorization", "Bearer "+g.token.Reveal())
	req.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := env.HTTP.Do(req)
	if err != nil {
		failed.Kind, failed.Detail, failed.Remedy, failed.Err = Temporary, reason(err), "try again later", err
		return failed
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	failed.Status = res.StatusCode
	switch {
	case err != nil:
		failed.Kind, failed.Detail, failed.Remedy = Temporary, "the answer broke off", "try again later"
		return failed
	case slices.Contains([]int{200, 201, 204}, res.StatusCode):
		if out != nil && json.Unmarshal(answer, out) != nil {
			failed.Detail, failed.Remedy = "the answer is not JSON", "check the argument url"
			return failed
		}
		return nil
	}
	g.explain(failed, res, answer, env.Now())
	return failed
}

// reason is why a request got no answer, without the address, which has been said.
func reason(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return clean(err.Error())
}

// explain turns an answer that is no success into what to do.
func (g *github) explain(e *Error, res *http.Response, answer []byte, now time.Time) {
	var said struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(answer, &said) == nil {
		e.Detail = clean(said.Message)
	}
	wait := retryAfter(res.Header, now)
	switch code := res.StatusCode; {
	case code == http.StatusTooManyRequests, code == http.StatusForbidden && (wait > 0 || res.Header.Get("X-RateLimit-Remaining") == "0"):
		e.Kind, e.RetryAfter, e.Remedy = Temporary, wait, "try again later: GitHub limits how often it is asked"
		if wait > 0 {
			e.Remedy = "try again in " + schema.FormatDuration(wait)
		}
	case code >= 500:
		e.Kind, e.Remedy = Temporary, "try again later"
	case code == http.StatusUnauthorized:
		e.Kind, e.Remedy = Config, "the token is not valid any more: give the argument token another one"
	case code == http.StatusForbidden:
		e.Kind, e.Remedy = Config, "the token may not write secrets of "+g.what+": give it that right (Secrets: read and write; the scope repo, or admin:org for an organization)"
	case code == http.StatusNotFound:
		e.Kind, e.Remedy = Config, "check that "+g.what+" exists and that the token can see it: GitHub answers so to both"
	case code == http.StatusUnprocessableEntity, code == http.StatusConflict:
		e.Kind, e.Remedy = Config, "see what GitHub says of the secret, correct it, and apply again"
	default:
		e.Remedy = "check the argument url"
	}
}

// retryAfter is how long the server wants not to be asked; 0 if it does not say.
func retryAfter(h http.Header, now time.Time) time.Duration {
	const longest = 24 * time.Hour
	if n, err := strconv.Atoi(h.Get("Retry-After")); err == nil && n > 0 {
		return min(time.Duration(min(n, 1<<20))*time.Second, longest)
	}
	if h.Get("X-RateLimit-Remaining") != "0" {
		return 0
	}
	n, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
	if left := time.Unix(n, 0).Sub(now); err == nil && left > 0 {
		return min(left.Round(time.Second), longest)
	}
	return 0
}
