package quirk

import (
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
)

// personalTenant is the tenant of all personal accounts, also known as "consumers":
// https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc.
const personalTenant = "9188040d-6c67-4c5b-b112-36a304b66dad"

// sharedTenants are authorities for accounts of many tenants.
var sharedTenants = []string{"common", "organizations", "consumers", personalTenant}

// tenantRules checks what the registration and the authority allow together.
func tenantRules(d *Draft) []Finding {
	var out []Finding
	tenant, cloud := strings.ToLower(d.Args["tenant"]), d.Args["cloud"]
	personal := tenant == "consumers" || tenant == personalTenant
	if personal && cloud != "" && cloud != "public" {
		out = append(out, Errorf("cloud", "No personal accounts in a national cloud",
			"The tenant %s holds personal accounts, which the cloud %q does not have. Remove cloud, or set tenant to the id or a domain of a tenant in that cloud.",
			tenant, cloud))
	}
	if d.Grant == "client_credentials" && slices.Contains(sharedTenants, tenant) {
		out = append(out, Errorf("tenant", "Client credentials without a tenant",
			"With client_credentials the client signs in to one tenant, and %q is none (AADSTS9001023). "+
				"Set tenant to the id or a domain of the tenant, for example tenant = \"contoso.onmicrosoft.com\".", tenant))
	}
	if d.RedirectURI == "" || !d.RedirectDeclared {
		return out
	}
	return append(out, redirectLimits(d, personal)...)
}

// redirectLimits are those of https://learn.microsoft.com/entra/identity-platform/reply-url.
func redirectLimits(d *Draft, personal bool) []Finding {
	uri := d.RedirectURI
	u, err := url.Parse(uri)
	switch {
	case err != nil:
		return nil
	case len(uri) > 256:
		return []Finding{Errorf("redirect_uris", "Redirect URI too long", "%s registers redirect URIs of at most 256 characters; this one has %d.", d.Server, len(uri))}
	case strings.ContainsAny(uri, "!$'(),;"):
		return []Finding{Errorf("redirect_uris", "Redirect URI that cannot be registered",
			"%s does not register redirect URIs with one of the characters ! $ ' ( ) , ; as in %q.", d.Server, uri)}
	case personal && u.RawQuery != "":
		return []Finding{Errorf("redirect_uris", "Redirect URI that cannot be registered",
			"%s registers no redirect URI with a query for clients that personal accounts use. Remove the query of %q.", d.Server, uri)}
	}
	return nil
}

// spaLife is the fixed life of the refresh tokens of a single-page registration:
// https://learn.microsoft.com/entra/identity-platform/refresh-tokens.
const spaLife = 24 * time.Hour

// spaOrigin: https://learn.microsoft.com/entra/identity-platform/reply-url and
// AADSTS9002326, AADSTS9002327.
func spaOrigin(d *Draft) []Finding {
	if d.ApplicationType != "spa" {
		return nil
	}
	var out []Finding
	if d.Grant != "authorization_code" {
		return append(out, Errorf("application_type", "Grant that single-page applications do not have",
			"A single-page registration of %s has the grant authorization_code only, not %s. Remove application_type, or the grant block.", d.Server, d.Grant))
	}
	if d.HasSecret {
		out = append(out, Errorf("client_secret", "Secret of a single-page application",
			"%s refuses a secret from a single-page registration (AADSTS700025). Remove client_secret; or, if the redirect URI is registered for the platform Web, remove application_type.", d.Server))
	} else if d.ClientAuth == "private_key_jwt" || d.ClientAuth == "federated" {
		out = append(out, Errorf("client_assertion", "Single-page applications are public",
			"%s refuses an assertion from a single-page registration (AADSTS700025). Remove the client_assertion block; or, if the redirect URI is registered for the platform Web, remove application_type.", d.Server))
	} else if d.ClientAuth != "" && d.ClientAuth != "none" {
		out = append(out, Errorf("client_auth", "Single-page applications are public",
			"%s takes no client authentication from a single-page registration, but client_auth is %q. Remove client_auth.", d.Server, d.ClientAuth))
	}
	if u, err := url.Parse(d.RedirectURI); d.RedirectURI != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		out = append(out, Errorf("redirect_uris", "Redirect URI of another platform",
			"%q has no web origin, so it cannot be registered for the platform \"Single-page application\". Use an https URI, or http://localhost.", d.RedirectURI))
	}
	d.Refresh, d.RefreshFixed = spaLife, true
	note := "a single-page registration: its refresh tokens end 24 hours after the consent, however often they are used"
	if u, err := url.Parse(d.RedirectURI); err == nil && isLocal(u) {
		note += "; register the redirect URI under \"Mobile and desktop applications\" instead, and remove application_type, to get 90 days"
	}
	d.Notes = append(d.Notes, note)
	return out
}

func isLocal(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
