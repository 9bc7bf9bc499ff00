package sink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/schema"
)

func gitlabType() Type {
	return Type{
		Name: "gitlab",
		Doc: "CI/CD variables of GitLab: of a project, or of a group. Unlike GitLab's own defaults, variables are masked and raw: " +
			"a token is not shown in the logs of jobs, and a $ in it stays what it is.",
		Spec: &schema.Spec{Attrs: []schema.Attr{
			{Name: "project", Kind: schema.String, Doc: "The project, by its path \"group/project\" or its number. Either this or group."},
			{Name: "group", Kind: schema.String, Doc: "The group, by its path or its number."},
			{Name: "environment_scope", Kind: schema.String, Default: `"*"`, Doc: "The environments whose jobs get the variables. Variables with the same name and another scope are left alone."},
			{Name: "masked", Kind: schema.Bool, Default: "true", Doc: "Whether values are hidden in the logs of jobs. They must be single lines of at least 8 characters then, without white space."},
			{Name: "hidden", Kind: schema.Bool, Default: "false", Doc: "Whether values are also never shown in the settings again. Only a new variable can be made so, from GitLab 17.4 on."},
			{Name: "protected", Kind: schema.Bool, Default: "false", Doc: "Whether only jobs of protected branches and tags get the variables."},
			{Name: "raw", Kind: schema.Bool, Default: "true", Doc: "Whether a $ in a value is left alone; otherwise what follows it is expanded."},
			{Name: "variable_type", Kind: schema.String, OneOf: []string{"env_var", "file"}, Default: `"env_var"`, Doc: "What a job gets: the value, or the name of a file with the value."},
			{Name: "token", Kind: schema.Sensitive, Required: true, Ephemeral: true, Doc: "A token of GitLab with the scope api: env(\"GITLAB_TOKEN\"), a sensitive variable, or the access_token of a connection."},
			{Name: "token_type", Kind: schema.String, OneOf: []string{"private", "oauth", "job"}, Default: `"private"`, Doc: "How the token is sent: private for personal, project and group access tokens (PRIVATE-TOKEN), " +
				"oauth for the access_token of a connection (Authorization: Bearer), job for a CI_JOB_TOKEN (JOB-TOKEN) where the server lets it write variables."},
			{Name: "url", Kind: schema.String, Default: `"https://gitlab.com"`, Doc: "The address of GitLab."},
		}},
		New: newGitLab,
	}
}

// gitlab is the CI/CD variables of a project or a group.
type gitlab struct {
	api
	what   string // "the project octo/app"
	path   string // of the variables, below base
	scope  string
	masked bool
	hidden bool
	raw    bool
	rest   map[string]any // what else is said of every variable
}

func newGitLab(o *schema.Object) (Target, hcl.Diagnostics) {
	g := &gitlab{scope: "*", hidden: o.Bool("hidden"), masked: !o.Has("masked") || o.Bool("masked"), raw: !o.Has("raw") || o.Bool("raw")}
	g.api = api{token: o.Secret("token"), said: gitlabSays, remedy: g.remedy, sign: g.bearer}
	switch o.String("token_type") {
	case "", "private":
		g.sign = func(h http.Header) { h.Set("PRIVATE-TOKEN", g.token.Reveal()) }
	case "job":
		g.sign = func(h http.Header) { h.Set("JOB-TOKEN", g.token.Reveal()) }
	}
	diags := g.address(o, "https://gitlab.com", "https://gitlab.example")
	g.base = strings.TrimSuffix(g.base, "/api/v4")
	g.rest = map[string]any{"masked": g.masked, "protected": o.Bool("protected"), "raw": g.raw, "variable_type": "env_var"}
	if t := o.String("variable_type"); t != "" {
		g.rest["variable_type"] = t
	}
	if o.Has("environment_scope") {
		g.scope = o.String("environment_scope")
	}
	project, group := o.String("project"), o.String("group")
	switch {
	case (project == "") == (group == ""):
		diags = append(diags, o.ErrorAt("project", "Project or group", "Set either \"project\" or \"group\"."))
	case project != "" && !isGitLabPath(project, 2):
		diags = append(diags, o.ErrorAt("project", "Invalid project", "The argument \"project\" must be the path of a project with that of its group, such as \"group/project\", or its number, not %q.", project))
	case group != "" && !isGitLabPath(group, 1):
		diags = append(diags, o.ErrorAt("group", "Invalid group", "The argument \"group\" must be the path of a group, such as \"group\" or \"group/subgroup\", or its number, not %q.", group))
	case project != "":
		g.what, g.path = "the project "+project, "/api/v4/projects/"+url.PathEscape(project)+"/variables"
	default:
		g.what, g.path = "the group "+group, "/api/v4/groups/"+url.PathEscape(group)+"/variables"
	}
	if g.scope == "" || len(g.scope) > 255 {
		diags = append(diags, o.ErrorAt("environment_scope", "Invalid environment scope", "The argument \"environment_scope\" is the name of an environment, \"review/*\" for several, or \"*\" for all."))
	}
	if g.hidden && !g.masked {
		diags = append(diags, o.ErrorAt("hidden", "Hidden and not masked", "Only masked variables can be hidden: take \"masked\" out."))
	}
	return g, diags
}

// isGitLabPath reports whether s is a number, or names joined by slashes, at least so many.
func isGitLabPath(s string, atLeast int) bool {
	names := strings.Split(s, "/")
	return !slices.ContainsFunc(names, func(name string) bool { return !isPathName(name) }) &&
		(len(names) >= atLeast || strings.Trim(s, "0123456789") == "")
}

// Place implements Target.
func (g *gitlab) Place() string {
	if g.scope != "*" {
		return "the variables of " + g.what + " for " + g.scope + " at " + g.host
	}
	return "the variables of " + g.what + " at " + g.host
}

// Check implements Target.
func (g *gitlab) Check(names []string) error {
	for _, name := range names {
		if len(name) == 0 || len(name) > 255 || strings.ContainsFunc(name, func(r rune) bool { return r != '_' && !isAlnum(r) }) {
			return fmt.Errorf("%q cannot be the name of a variable: GitLab takes letters, digits and underscores, at most 255", name)
		}
	}
	return nil
}

func isAlnum(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
}

// maskable says why GitLab would not mask a value, nil if it would.
func (g *gitlab) maskable(value string) error {
	switch {
	case !g.masked:
		return nil
	case len([]rune(value)) < 8:
		return errors.New("it is shorter than 8 characters")
	case strings.ContainsAny(value, "\r\n"):
		return errors.New("it has several lines")
	case strings.ContainsFunc(value, unicode.IsSpace):
		return errors.New("there is white space in it")
	case !g.raw && strings.ContainsFunc(value, func(r rune) bool { return !isAlnum(r) && !strings.ContainsRune("_+=/@:.~-", r) }):
		return errors.New("there are characters in it that are masked in raw variables only: take raw = false out")
	}
	return nil
}

// Publish implements Target. Nothing is sent before it is known that GitLab would take it all.
func (g *gitlab) Publish(ctx context.Context, env Env, values []Value) error {
	for _, v := range values {
		if err := g.maskable(v.Secret.Reveal()); err != nil {
			return &Error{Kind: Config, Doing: g.doing("write", v.Name), Detail: "GitLab cannot mask the value: " + err.Error(), Err: err,
				Remedy: "publish it with a sink that has masked = false, and take care of what jobs print"}
		}
	}
	return each(values, func(v Value) error { return g.write(ctx, env, v) })
}

// write replaces the variable of this scope, or makes one.
func (g *gitlab) write(ctx context.Context, env Env, v Value) error {
	body := map[string]any{"value": v.Secret.Reveal()}
	for name, setting := range g.rest {
		body[name] = setting
	}
	var now struct {
		Hidden bool `json:"hidden"`
	}
	r := request{doing: g.doing("write", v.Name), method: http.MethodPut, path: g.variable(v.Name), body: body, out: &now,
		secret: []string{v.Secret.Reveal()}, accept: []int{http.StatusNotFound}}
	status, err := g.call(ctx, env, r)
	remedy := "remove the variable at GitLab, then apply again: only a new one can be hidden"
	if err == nil && status == http.StatusNotFound {
		body["key"] = v.Name
		if g.scope != "*" {
			body["environment_scope"] = g.scope
		}
		if g.hidden {
			body["masked_and_hidden"] = true
		}
		r.method, r.path, r.accept = http.MethodPost, g.path, nil
		remedy = "take hidden out: this GitLab is older than 17.4 and hides nothing"
		_, err = g.call(ctx, env, r)
	}
	if err == nil && g.hidden && !now.Hidden {
		return &Error{Kind: Config, Doing: r.doing, Detail: "it was written, and is masked, but not hidden", Remedy: remedy}
	}
	return err
}

func (g *gitlab) variable(name string) string {
	return g.path + "/" + name + "?" + url.Values{"filter[environment_scope]": {g.scope}}.Encode()
}

func (g *gitlab) doing(verb, name string) string {
	doing := verb + " the variable " + name + " of " + g.what
	if g.scope != "*" {
		doing += " for " + g.scope
	}
	return doing + " at " + g.base
}

// Remove implements Target.
func (g *gitlab) Remove(ctx context.Context, env Env, names []string) error {
	return g.remove(ctx, env, names, func(name string) (doing, path string) { return g.doing("remove", name), g.variable(name) })
}

// remedy is what to do about an answer that is no success.
func (g *gitlab) remedy(status int) string {
	switch status {
	case http.StatusBadRequest, http.StatusConflict, http.StatusUnprocessableEntity:
		return "see what GitLab says of the variable, correct it, and apply again"
	case http.StatusUnauthorized:
		return "the token is not valid any more, or of another type: give the argument token another one, or see token_type"
	case http.StatusForbidden:
		return "the token may not write variables of " + g.what + ": it needs the scope api and the role Maintainer, for a group Owner"
	case http.StatusNotFound:
		return "check that " + g.what + " exists and that the token can see it: GitLab answers so to both"
	}
	return ""
}

// gitlabSays is the reason in an answer: a text, or texts by what they are about.
func gitlabSays(answer []byte) string {
	var said struct {
		Message     any    `json:"message"`
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	_ = json.Unmarshal(answer, &said)
	text := flat(said.Message)
	for _, more := range []string{said.Error, said.Description} {
		if more != "" {
			text = strings.TrimPrefix(text+": "+more, ": ")
		}
	}
	return text
}

// flat writes texts in lists and objects in one line.
func flat(v any) string {
	var parts []string
	switch v := v.(type) {
	case string:
		return v
	case []any:
		for _, e := range v {
			parts = append(parts, flat(e))
		}
	case map[string]any:
		for name, e := range v {
			parts = append(parts, name+" "+flat(e))
		}
		slices.Sort(parts)
	}
	return strings.Join(parts, ", ")
}
