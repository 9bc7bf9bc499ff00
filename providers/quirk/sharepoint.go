package quirk

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// sharePoint is the principal of SharePoint in every realm.
const sharePoint = "00000003-0000-0ff1-ce00-000000000000"

// The access control services (ACS) that give out tokens for farms. Sources: TokenHelper.cs of
// https://github.com/pnp/PnP-Sites-Core, for China https://github.com/s-KaiNet/node-sp-auth.
const (
	acsGlobal = "accounts.accesscontrol.windows.net"
	acsChina  = "accounts.accesscontrol.chinacloudapi.cn"
)

// ServiceHost is where tokens come from at a server whose quirk is realm_challenge,
// by the arguments of its preset.
func ServiceHost(args map[string]string) string { return acsHost(args) }

// acsHost is where the farm's tokens come from: as said, else by the host of the site.
func acsHost(args map[string]string) string {
	switch args["cloud"] {
	case "china":
		return acsChina
	case "public":
		return acsGlobal
	}
	if u, err := url.Parse(args["site_url"]); err == nil && strings.HasSuffix(strings.ToLower(u.Hostname()), ".cn") {
		return acsChina
	}
	return acsGlobal
}

// authority is host and port of a site as ACS names it: the port only where it
// is not the scheme's own.
func authority(u *url.URL) string {
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "https":
		return strings.TrimSuffix(host, ":443")
	case "http":
		return strings.TrimSuffix(host, ":80")
	}
	return host
}

// realmClient checks a client of a farm that trusts ACS, and names the resource
// of its tokens: SharePoint at the host of the site.
// https://learn.microsoft.com/sharepoint/dev/sp-add-ins/authorization-code-oauth-flow-for-sharepoint-add-ins,
// https://learn.microsoft.com/sharepoint/dev/sp-add-ins/register-sharepoint-add-ins.
func realmClient(d *Draft) []Finding {
	site, err := url.Parse(d.Args["site_url"])
	if err != nil || site.Host == "" {
		return []Finding{Errorf("site_url", "Invalid site", "The argument site_url must be the https URL of a SharePoint site.")}
	}
	if f, retired := retiredSite(d, site); retired {
		return []Finding{f}
	}
	var out []Finding
	if path := strings.ToLower(site.Path); strings.Contains(path, "/_layouts/") || strings.Contains(path, "/_vti_bin/") || strings.HasSuffix(path, ".aspx") {
		out = append(out, Errorf("site_url", "Page instead of a site",
			"The argument site_url names a page. Write the address of the site that it belongs to, such as %q.", site.Scheme+"://"+site.Host+sitePath(site.Path)))
	}
	out = append(out, checkPrincipal(d)...)
	if len(d.Resource) > 0 {
		out = append(out, Errorf("resource", "Resource that is known already",
			"The resource of a SharePoint token is the site's host, which is sent without being asked for. Remove resource."))
	}
	if d.Token["resource"] == "" {
		d.Token["resource"] = sharePoint + "/" + authority(site)
	}
	d.Hosts = append(d.Hosts, acsHost(d.Args))
	if d.Interactive {
		d.Notes = append(d.Notes, "whoever consents needs the permission level Manage on what is asked for, even if only Read is asked; it is all or nothing")
	}
	return out
}

// checkPrincipal checks the client id, which AppRegNew.aspx wants in lower case.
func checkPrincipal(d *Draft) []Finding {
	id := d.ClientID
	bare, realm, suffixed := strings.Cut(id, "@")
	switch {
	case !d.Knows("client_id"):
		return nil
	case suffixed:
		return []Finding{Errorf("client_id", "Client id with a realm",
			"The realm is found out and added. Write client_id = %q; to name the realm, write realm = %q.", strings.TrimSpace(bare), realm)}
	case strings.TrimSpace(id) != id:
		return []Finding{Errorf("client_id", "Client id with spaces", "Write client_id = %q.", strings.TrimSpace(id))}
	case strings.ToLower(id) != id:
		return []Finding{Warnf("client_id", "Client id in upper case",
			"AppRegNew.aspx demands lower case. Write client_id = %q.", strings.ToLower(id))}
	}
	return nil
}

// sitePath is the path of the site that a page belongs to, as far as its path tells.
func sitePath(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		switch s := strings.ToLower(s); {
		case s == "_layouts", s == "_vti_bin", s == "sitepages", s == "pages", s == "lists", s == "forms", strings.HasSuffix(s, ".aspx"):
			return strings.Join(segments[:i], "/")
		}
	}
	return path
}

// realmScopes gives scopes their canonical names, leaves out what a wider right
// contains, and shows which URI stands behind each.
func realmScopes(d *Draft) []Finding {
	if !d.Knows("scopes") {
		return nil
	}
	rows, problems := parseScopes(strings.Fields(strings.Join(d.Scopes, " ")))
	if len(problems) > 0 {
		return problems
	}
	if len(rows) == 0 {
		return []Finding{Errorf("scopes", "No scopes", "The consent page has to be asked for something, such as scopes = \"Web.Read\". The scopes are %s.", aliasList())}
	}
	d.Scopes, d.ScopeNames = nil, map[string]string{}
	for _, r := range rows {
		if wider := containing(rows, r); wider != "" {
			d.Notes = append(d.Notes, wider+" contains "+r.Scope+", which is not asked for by itself")
			continue
		}
		d.Scopes = append(d.Scopes, r.Scope)
		d.ScopeNames[r.Scope] = r.URI
	}
	return nil
}

// containing is the scope of the same alias with a wider right; "" if there is none.
func containing(rows []ScopeRow, of ScopeRow) string {
	best, top := "", rung(of.Right)
	for _, r := range rows {
		if n := rung(r.Right); r.Alias == of.Alias && top >= 0 && n > top {
			best, top = r.Scope, n
		}
	}
	return best
}

// rung is the height of a right on the ladder; -1 for a right of its own kind.
func rung(right string) int {
	for i, r := range ladder {
		if r == right {
			return i
		}
	}
	return -1
}

var guid = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
})

// realmPrincipals names client and resource as ACS wants to hear them:
// client@realm, principal/host@realm. The realm stands in the path of the token
// endpoint. Source: TokenHelper.cs, GetFormattedPrincipal.
func realmPrincipals(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		realm, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if r.Method != http.MethodPost || r.Body == nil || !isForm(r.Header) || !guid().MatchString(realm) {
			return next.RoundTrip(r)
		}
		form, err := readForm(r.Body)
		if err != nil {
			return nil, err
		}
		for _, name := range []string{"client_id", "resource"} {
			if v := form.Get(name); v != "" && !strings.Contains(v, "@") {
				form.Set(name, v+"@"+realm)
			}
		}
		return next.RoundTrip(withForm(r, form))
	})
}

// epochLifetime is for answers that say when a token ends in seconds since 1970
// and not how long it lives.
func epochLifetime(m *message) bool {
	if _, ok := m.members["expires_in"]; ok {
		return false
	}
	from, ok := m.number("not_before")
	until, ok2 := m.number("expires_on")
	if !ok || !ok2 || until <= from {
		return false
	}
	m.setNumber("expires_in", until-from)
	return true
}
