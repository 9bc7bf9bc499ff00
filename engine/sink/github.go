package sink

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/crypto/nacl/box"

	"github.com/oauthctl/oauthctl/schema"
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
			{Name: "token", Kind: schema.Sensitive, Required: true, Ephemeral: true, Doc: "A token of GitHub: env(\"GITHUB_TOKEN\"), a sensitive variable, or the access_token of a connection."},
			{Name: "url", Kind: schema.String, Default: `"https://api.github.com"`, Doc: "The address of the API, for GitHub Enterprise Server: https://HOST/api/v3."},
		}},
		New: newGitHub,
	}
}

// github is one store of secrets of GitHub Actions.
type github struct {
	api
	what     string // "octo/app", "the environment prod of octo/app"
	path     string // of the secrets, below base
	org      bool
	visible  string
	selected []int64
}

func newGitHub(o *schema.Object) (Target, hcl.Diagnostics) {
	g := &github{}
	g.api = api{token: o.Secret("token"), said: messageOf, remedy: g.remedy, sign: g.bearer,
		header: http.Header{"Accept": {"application/vnd.github+json"}, "X-Github-Api-Version": {"2022-11-28"}}}
	diags := g.address(o, "https://api.github.com", "https://github.example/api/v3")
	fail := func(name, summary, detail string, args ...any) {
		diags = append(diags, o.ErrorAt(name, summary, detail, args...))
	}
	repo, org, env := o.String("repository"), o.String("organization"), o.String("environment")
	owner, name, found := strings.Cut(repo, "/")
	switch {
	case (repo == "") == (org == ""):
		fail("repository", "Repository or organization", "Set either \"repository\" or \"organization\".")
	case repo != "" && (!found || !isPathName(owner) || !isPathName(name)):
		fail("repository", "Invalid repository", "The argument \"repository\" must be written as \"owner/name\", not %q.", repo)
	case repo != "":
		g.what, g.path = repo, "/repos/"+repo+"/actions/secrets"
		if env != "" {
			g.what, g.path = "the environment "+env+" of "+repo, "/repos/"+repo+"/environments/"+url.PathEscape(env)+"/secrets"
		}
	case env != "":
		fail("environment", "Environment of an organization", "Environments belong to repositories: set \"repository\" in place of \"organization\".")
	case !isPathName(org):
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

// Place implements Target.
func (g *github) Place() string { return "the Actions secrets of " + g.what + " at " + g.host }

// Check implements Target.
func (g *github) Check(names []string) error {
	return checkActions(names, "GitHub", "GITHUB_")
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
	if _, err := g.call(ctx, env, request{doing: doing, method: http.MethodGet, path: g.path + "/public-key", out: &key}); err != nil {
		return err
	}
	raw, err := base64.StdEncoding.DecodeString(key.Key)
	if err != nil || len(raw) != 32 || key.ID == "" {
		return &Error{Kind: Protocol, Doing: doing, Detail: "the answer has no key that can be used", Remedy: "check the argument url"}
	}
	return each(values, func(v Value) error { return g.put(ctx, env, key.ID, (*[32]byte)(raw), v) })
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
	_, err = g.call(ctx, env, request{doing: doing, method: http.MethodPut, path: g.path + "/" + v.Name, body: body, secret: []string{v.Secret.Reveal()}})
	return err
}

// Remove implements Target.
func (g *github) Remove(ctx context.Context, env Env, names []string) error {
	return g.remove(ctx, env, names, func(name string) (doing, path string) {
		return "remove the secret " + name + " of " + g.what + " at " + g.base, g.path + "/" + name
	})
}

// remedy is what to do about an answer that is no success.
func (g *github) remedy(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "the token is not valid any more: give the argument token another one"
	case http.StatusForbidden:
		return "the token may not write secrets of " + g.what + ": give it that right (Secrets: read and write; the scope repo, or admin:org for an organization)"
	case http.StatusNotFound:
		return "check that " + g.what + " exists and that the token can see it: GitHub answers so to both"
	case http.StatusUnprocessableEntity, http.StatusConflict:
		return "see what GitHub says of the secret, correct it, and apply again"
	}
	return ""
}
