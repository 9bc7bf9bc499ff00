package sink

import (
	"context"
	"net/http"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/schema"
)

func giteaType() Type {
	return Type{
		Name: "gitea",
		Doc:  "Secrets of Gitea Actions, from Gitea 1.21 on, or of Forgejo: of a repository, or of an organization.",
		Spec: &schema.Spec{Attrs: []schema.Attr{
			{Name: "repository", Kind: schema.String, Doc: "The repository, as \"owner/name\". Either this or organization."},
			{Name: "organization", Kind: schema.String, Doc: "The organization whose secrets they are."},
			{Name: "token", Kind: schema.Sensitive, Required: true, Ephemeral: true, Doc: "A token of Gitea with the scope write:repository or write:organization: env(\"GITEA_TOKEN\"), a sensitive variable, or the access_token of a connection."},
			{Name: "url", Kind: schema.String, Required: true, Doc: "The address of Gitea, such as https://gitea.example."},
		}},
		New: newGitea,
	}
}

// gitea is one store of secrets of Gitea Actions.
type gitea struct {
	api
	what string
	path string // of the secrets, below base
}

func newGitea(o *schema.Object) (Target, hcl.Diagnostics) {
	g := &gitea{}
	g.api = api{token: o.Secret("token"), said: messageOf, remedy: g.remedy,
		sign: func(h http.Header) { h.Set("Authorization", "token "+g.token.Reveal()) }}
	diags := g.address(o, "", "https://gitea.example")
	g.base = strings.TrimSuffix(g.base, "/api/v1")
	repo, org := o.String("repository"), o.String("organization")
	owner, name, found := strings.Cut(repo, "/")
	switch {
	case (repo == "") == (org == ""):
		diags = append(diags, o.ErrorAt("repository", "Repository or organization", "Set either \"repository\" or \"organization\"."))
	case repo != "" && (!found || !isPathName(owner) || !isPathName(name)):
		diags = append(diags, o.ErrorAt("repository", "Invalid repository", "The argument \"repository\" must be written as \"owner/name\", not %q.", repo))
	case repo != "":
		g.what, g.path = repo, "/api/v1/repos/"+repo+"/actions/secrets/"
	case !isPathName(org):
		diags = append(diags, o.ErrorAt("organization", "Invalid organization", "The argument \"organization\" must be the name of an organization, not %q.", org))
	default:
		g.what, g.path = "the organization "+org, "/api/v1/orgs/"+org+"/actions/secrets/"
	}
	return g, diags
}

// Place implements Target.
func (g *gitea) Place() string { return "the Actions secrets of " + g.what + " at " + g.host }

// Check implements Target.
func (g *gitea) Check(names []string) error {
	return checkActions(names, "Gitea", "GITEA_", "GITHUB_")
}

// Publish implements Target.
func (g *gitea) Publish(ctx context.Context, env Env, values []Value) error {
	return each(values, func(v Value) error {
		_, err := g.call(ctx, env, request{doing: "write the secret " + v.Name + " of " + g.what + " at " + g.base, method: http.MethodPut, path: g.path + v.Name,
			body: map[string]string{"data": v.Secret.Reveal()}, secret: []string{v.Secret.Reveal()}})
		return err
	})
}

// Remove implements Target.
func (g *gitea) Remove(ctx context.Context, env Env, names []string) error {
	return g.remove(ctx, env, names, func(name string) (doing, path string) {
		return "remove the secret " + name + " of " + g.what + " at " + g.base, g.path + name
	})
}

// remedy is what to do about an answer that is no success.
func (g *gitea) remedy(status int) string {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return "see what Gitea says of the secret, correct it, and apply again"
	case http.StatusUnauthorized:
		return "the token is not valid any more: give the argument token another one"
	case http.StatusForbidden:
		return "the token may not write secrets of " + g.what + ": it needs the scope write:repository, for an organization write:organization, and its user has to be an owner"
	case http.StatusNotFound:
		return "check that " + g.what + " exists, that the token can see it, and that the server is Gitea 1.21 or later, or Forgejo: it answers so to all of these"
	}
	return ""
}
