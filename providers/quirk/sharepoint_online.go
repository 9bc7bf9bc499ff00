package quirk

import (
	"fmt"
	"net/url"
	"strings"
)

// online are the hosts of SharePoint Online, where ACS has ended:
// https://learn.microsoft.com/sharepoint/dev/sp-add-ins/retirement-announcement-for-azure-acs.
var online = []struct {
	suffix string // of the host
	cloud  string // argument of the preset microsoft; "" public
	domain string // of tenants that have no domain of their own
	closed bool   // the cloud itself is gone
}{
	{suffix: ".sharepoint.com", domain: ".onmicrosoft.com"},
	{suffix: ".sharepoint.us", cloud: "us-gov", domain: ".onmicrosoft.us"},
	{suffix: ".sharepoint-mil.us", cloud: "us-dod", domain: ".onmicrosoft.us"},
	{suffix: ".sharepoint.cn", cloud: "china", domain: ".partner.onmschina.cn"},
	{suffix: ".sharepoint.de", closed: true},
}

// retiredSite refuses SharePoint Online and says what to write instead.
func retiredSite(d *Draft, site *url.URL) (Finding, bool) {
	host := strings.ToLower(site.Hostname())
	for _, o := range online {
		name, ok := strings.CutSuffix(host, o.suffix)
		if !ok || name == "" {
			continue
		}
		if o.closed {
			return Errorf("site_url", "Closed cloud",
				"%s belongs to Microsoft Cloud Germany, which closed on 2021-10-29. Use the preset microsoft with the tenant's new address at sharepoint.com.", host), true
		}
		tenant := strings.TrimSuffix(strings.TrimSuffix(name, "-my"), "-admin") + o.domain
		return Errorf("site_url", "Retired at Microsoft",
			"%s is SharePoint Online. Azure ACS, which gave out the tokens of this flow, ended there on 2026-04-02, for every tenant and without extension; "+
				"the preset sharepoint is for SharePoint Server farms that trust ACS.\n\n%s", host, migration(d, "https://"+host, tenant, o.cloud)), true
	}
	return Finding{}, false
}

// migration is a connection with the same rights at Microsoft Entra ID, ready to
// be pasted, and every right that grows by it.
func migration(d *Draft, resource, tenant, cloud string) string {
	rows, problems := parseScopes(strings.Fields(strings.Join(d.Scopes, " ")))
	name := d.Name
	if name == "" {
		name = "sharepoint"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Register an application in Microsoft Entra ID, platform \"Mobile and desktop applications\", with the redirect URI http://localhost, and write:\n\n")
	fmt.Fprintf(&b, "  connection %q {\n    provider  = \"microsoft\"\n    tenant    = %q\n", name, tenant)
	if cloud != "" {
		fmt.Fprintf(&b, "    cloud     = %q\n", cloud)
	}
	b.WriteString("    client_id = \"00000000-0000-0000-0000-000000000000\" # of the new application\n    scopes = [\n")
	scopes, remarks := successorsOf(rows)
	width := 0
	for _, s := range scopes {
		width = max(width, len(s.to))
	}
	for _, s := range scopes { // aligned as "oauthctl fmt" does
		fmt.Fprintf(&b, "      %q,%*s # %s\n", resource+"/"+s.to, width-len(s.to), "", strings.Join(s.from, ", "))
	}
	b.WriteString("    ]\n    redirect_uris = [\"http://localhost\"]\n  }\n")
	if len(remarks) > 0 {
		b.WriteString("\nWhat changes with it:\n")
	}
	for _, r := range remarks {
		b.WriteString("- " + r + "\n")
	}
	for _, p := range problems {
		b.WriteString("- " + p.Detail + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// succession is one scope of Microsoft Entra ID and what it stands for.
type succession struct {
	to   string
	from []string
}

// successorsOf lists the delegated successors of scopes, and what a person has
// to know about each: it is wider, needs an administrator, or there is none.
func successorsOf(rows []ScopeRow) (scopes []succession, remarks []string) {
	for _, r := range rows {
		if containing(rows, r) != "" {
			continue
		}
		if r.Delegated == nil || r.Caveat == projectOnline {
			remarks = append(remarks, r.Scope+" has no successor here: "+r.Caveat+".")
			continue
		}
		found := false
		for i := range scopes {
			if scopes[i].to == r.Delegated.Name {
				scopes[i].from, found = append(scopes[i].from, r.Scope), true
			}
		}
		if !found {
			scopes = append(scopes, succession{r.Delegated.Name, []string{r.Scope}})
		}
		remarks = append(remarks, remarksOn(r)...)
	}
	return scopes, remarks
}

func remarksOn(r ScopeRow) []string {
	var out []string
	if r.Wider != "" {
		s := fmt.Sprintf("%s becomes wider: %s reaches %s.", r.Scope, r.Delegated.Name, r.Wider)
		if r.Narrower != "" {
			s += " Narrower: " + r.Narrower + "."
		}
		out = append(out, s)
	}
	if r.Delegated.Admin {
		out = append(out, fmt.Sprintf("%s: an administrator has to consent to %s.", r.Scope, r.Delegated.Name))
	}
	if r.Caveat != "" {
		out = append(out, r.Scope+": "+r.Caveat+".")
	}
	return out
}
