package quirk

import (
	"slices"
	"strings"
)

// accountScopes adds what a declared account is verified by. On the v2.0
// endpoints an ID token comes with openid only, and its preferred_username with
// profile only: https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference.
func accountScopes(d *Draft) []Finding {
	if !d.Interactive || d.Account == "" && d.Knows("account") || !d.Knows("scopes") {
		return nil
	}
	for _, s := range []string{"openid", "profile"} {
		if !slices.Contains(d.Scopes, s) {
			d.Scopes = append(slices.Clone(d.Scopes), s)
			d.Added = append(slices.Clone(d.Added), s)
		}
	}
	return nil
}

// freeScopes belong to no resource:
// https://learn.microsoft.com/entra/identity-platform/scopes-oidc.
var freeScopes = []string{"openid", "profile", "email", "offline_access"}

// graphs are the addresses of Microsoft Graph by the argument cloud:
// https://learn.microsoft.com/graph/deployments.
var graphs = map[string]string{
	"us-gov": "https://graph.microsoft.us",
	"us-dod": "https://dod-graph.microsoft.us",
	"china":  "https://microsoftgraph.chinacloudapi.cn",
}

// graphID is Microsoft Graph's application id, the same in every cloud.
const graphID = "00000003-0000-0000-c000-000000000000"

const allStatic = ".default"

// resourceScopes are the scopes of one resource, in the order of the request.
type resourceScopes struct {
	resource string // as first written, or Graph's address
	scopes   []string
}

// singleResource checks the rules of
// https://learn.microsoft.com/entra/identity-platform/scopes-oidc and
// v2-oauth2-client-creds-grant-flow: an access token is for one resource.
func singleResource(d *Draft) []Finding {
	var out []Finding
	if len(d.Resource) > 0 || d.Authorize["resource"] != "" || d.Token["resource"] != "" {
		out = append(out, Errorf(resourceAttr(d), "Parameter of the old endpoints",
			"%s answers the parameter resource with AADSTS901002: the v2.0 endpoints take the resource from the scopes. "+
				"Remove resource, and write scopes = [%q].", d.Server, suggestDefault(d)))
	}
	if !d.Knows("scopes") {
		return out
	}
	groups := byResource(d)
	if d.Grant == "client_credentials" {
		return append(out, credentialScopes(d, groups)...)
	}
	switch {
	case len(groups) > 1:
		out = append(out, severalResources(d, groups))
	case len(groups) == 1 && len(groups[0].scopes) > 1 && slices.ContainsFunc(groups[0].scopes, isDefault):
		out = append(out, Errorf("scopes", "Scope .default beside others",
			"%s asks for everything that the registration lists, and %s takes no single scopes of the same resource beside it. "+
				"Remove it, or remove %s.", join(filter(groups[0].scopes, isDefault)), d.Server,
			join(filter(groups[0].scopes, func(s string) bool { return !isDefault(s) }))))
	}
	return out
}

func resourceAttr(d *Draft) string {
	switch {
	case len(d.Resource) > 0:
		return "resource"
	case d.Token["resource"] != "":
		return "token_params"
	}
	return "authorize_params"
}

// suggestDefault is a scope that says what the v1 parameter resource said.
func suggestDefault(d *Draft) string {
	for _, r := range append(slices.Clone(d.Resource), d.Token["resource"], d.Authorize["resource"]) {
		if r != "" {
			return r + "/" + allStatic
		}
	}
	return graphOf(d) + "/" + allStatic
}

// byResource groups scopes by their resource; those of OpenID Connect have none.
func byResource(d *Draft) []resourceScopes {
	var groups []resourceScopes
	for _, s := range d.Scopes {
		if slices.Contains(freeScopes, strings.ToLower(s)) {
			continue
		}
		r := resourceOf(s, graphOf(d))
		i := slices.IndexFunc(groups, func(g resourceScopes) bool { return sameResource(g.resource, r) })
		if i < 0 {
			groups = append(groups, resourceScopes{resource: r})
			i = len(groups) - 1
		}
		groups[i].scopes = append(groups[i].scopes, s)
	}
	return groups
}

func graphOf(d *Draft) string {
	if g := graphs[d.Args["cloud"]]; g != "" {
		return g
	}
	return "https://graph.microsoft.com"
}

// resourceOf is what stands before the last slash; a scope without one is
// Graph's. A resource that itself ends in a slash is followed by two.
func resourceOf(scope, graph string) string {
	i := strings.LastIndex(scope, "/")
	if i < 0 || strings.EqualFold(scope[:i], graphID) {
		return graph
	}
	return scope[:i]
}

func sameResource(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "/"), strings.TrimSuffix(b, "/"))
}

func isDefault(scope string) bool {
	return scope == allStatic || strings.HasSuffix(scope, "/"+allStatic)
}

func severalResources(d *Draft, groups []resourceScopes) Finding {
	var named []string
	for _, g := range groups {
		named = append(named, g.resource+" ("+strings.Join(g.scopes, ", ")+")")
	}
	return Errorf("scopes", "Scopes of several resources",
		"A token of %s is for one resource, and these scopes name %d: %s. Split the connection into one for each resource; "+
			"they may share client_id and redirect_uris.", d.Server, len(groups), join(named))
}

// credentialScopes: without a person nobody consents to single scopes.
func credentialScopes(d *Draft, groups []resourceScopes) []Finding {
	var scopes []string
	for _, g := range groups {
		scopes = append(scopes, g.scopes...)
	}
	fine := len(scopes) > 0 && len(scopes) == len(d.Scopes) && !slices.ContainsFunc(scopes, func(s string) bool { return !isDefault(s) })
	switch {
	case len(groups) > 1 && fine:
		return []Finding{severalResources(d, groups)}
	case fine && len(scopes) == 1:
		return nil
	}
	resource := graphOf(d)
	if len(groups) > 0 {
		resource = groups[0].resource
	}
	return []Finding{Errorf("scopes", "Scopes that client credentials cannot have",
		"With client_credentials %s takes RESOURCE/.default and nothing else: all application permissions that an administrator has granted "+
			"to the client. Write scopes = [%q].", d.Server, resource+"/"+allStatic)}
}

func filter(list []string, keep func(string) bool) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return !keep(s) })
}

// join writes a list for a sentence.
func join(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}
