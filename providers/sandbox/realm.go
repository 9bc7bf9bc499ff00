package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/providers/quirk"
)

// SharePoint farms that trust Azure ACS, by the quirk realm_challenge. Sources:
// https://learn.microsoft.com/sharepoint/dev/sp-add-ins/authorization-code-oauth-flow-for-sharepoint-add-ins;
// TokenHelper.cs of https://github.com/pnp/PnP-Sites-Core. Made up: what a denied consent answers.

// The roles of endpoints beside those of the standards.
const (
	RoleRealm   Role = "realm"   // names the site's realm in a challenge
	RoleService Role = "service" // describes the token service of a realm
	roleNoRealm Role = "no_realm"
)

const (
	realmPath   = "/_vti_bin/client.svc"
	sitePage    = "/_layouts/15/OAuthAuthorize.aspx"
	servicePath = "/metadata/json/1"
	tokensPath  = "/tokens/OAuth/2"
	// sharePoint is SharePoint's principal in every realm.
	sharePoint = "00000003-0000-0ff1-ce00-000000000000"
)

// placeSite fills the endpoints of a farm. Its realm is made up of its host, if
// the preset does not name one: several sites of a host are one farm.
func (prof *profile) placeSite(p *providers.Preset, set map[Role]string) {
	site := strings.TrimSuffix(p.Args["site_url"], "/")
	u, err := url.Parse(site)
	if err != nil || u.Host == "" {
		return
	}
	u.Host = strings.ToLower(u.Host)
	prof.Sites = []string{u.String()}
	prof.Issuer, set[RoleAuthorize] = "", "" // every site has its own page
	if set[RoleToken] == "" {
		sum := sha256.Sum256([]byte(u.Host))
		h := hex.EncodeToString(sum[:16])
		realm := h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-8" + h[17:20] + "-" + h[20:]
		set[RoleToken] = "https://" + quirk.ServiceHost(p.Args) + "/" + realm + tokensPath
	}
	if token, err := url.Parse(set[RoleToken]); err == nil {
		set[RoleService] = token.Scheme + "://" + token.Host + servicePath
	}
}

// siteURLs are what each site of a farm has.
func (prof *profile) siteURLs() map[string]Role {
	out := map[string]Role{}
	for _, site := range prof.Sites {
		out[site+realmPath], out[site+sitePage] = RoleRealm, RoleAuthorize
	}
	return out
}

// join adds the sites of the same farm that are known already.
func (prof *profile) join(old *profile) *profile {
	if len(prof.Sites) == 0 {
		return prof
	}
	all := *prof
	all.Sites = slices.Compact(slices.Sorted(slices.Values(slices.Concat(prof.Sites, old.Sites))))
	return &all
}

// challenge answers as SharePoint does: 401, and among the schemes of Windows
// the realm.
func (v *visit) challenge(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet, http.MethodPost) {
		return
	}
	h := w.Header()
	h.Add("WWW-Authenticate", "NTLM")
	h.Add("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s",client_id="%s",trusted_issuers="00000001-0000-0000-c000-000000000000@*"`, v.tenantSegment(), sharePoint))
	w.WriteHeader(http.StatusUnauthorized)
}

// service is the document of ACS. Without a realm, its locations lack one.
func (v *visit) service(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet) {
		return
	}
	u, err := url.Parse(v.Endpoints[RoleToken])
	if err != nil {
		fail(w, err)
		return
	}
	base := u.Scheme + "://" + u.Host
	if realm := strings.ToLower(r.URL.Query().Get("realm")); realm != "" {
		base += "/" + realm
		if !slices.Contains(v.realms, base+tokensPath) {
			v.unknownRealm(w, r)
			return
		}
	}
	type endpoint struct {
		Location string `json:"location"`
		Protocol string `json:"protocol"`
		Usage    string `json:"usage"`
	}
	answer(w, http.StatusOK, map[string]any{"keys": []any{}, "endpoints": []endpoint{
		{base + "/tokens/delegation/1", "DelegationIssuance1.0", "issuance"},
		{base + tokensPath, "OAuth2", "issuance"},
		{base + "/mgmt/delegation/1", "DelegationManagement1.0", "management"},
	}})
}

// noRealm finds who answers for a realm that does not exist: the service of
// those that do.
func (t *tx) noRealm(target string) *profile {
	for _, prof := range t.realms {
		if u, err := url.Parse(prof.Endpoints[RoleToken]); err == nil && len(prof.Sites) > 0 &&
			strings.HasPrefix(target, u.Scheme+"://"+u.Host+"/") && strings.HasSuffix(target, tokensPath) {
			return prof
		}
	}
	return nil
}

func (v *visit) unknownRealm(w http.ResponseWriter, r *http.Request) {
	realm := r.URL.Query().Get("realm")
	if realm == "" {
		realm, _, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	}
	v.fail(w, r, aadstsError(90002, "invalid_request", "Requested tenant identifier '"+realm+"' is not valid."))
}

// askRealm reads what the consent page is asked for. SharePoint ignores what it
// does not know, and refuses FullControl.
func askRealm(_ *visit, req *request) string {
	var known []string
	for _, s := range req.scopes {
		if _, right, _ := strings.Cut(s, "."); strings.EqualFold(right, "FullControl") {
			return "The app cannot ask for the right FullControl while it runs."
		}
		if rows, err := providers.ExplainScopes(s); err == nil && !slices.Contains(known, rows[0].Scope) {
			known = append(known, rows[0].Scope)
		}
	}
	if len(known) == 0 {
		return "The app asks for no permission that there is."
	}
	req.scopes = known
	return ""
}

// presentRealm: ACS knows clients by id@realm, and gives tokens for SharePoint
// at the hosts of the farm.
func presentRealm(v *visit, creds *credentials, form url.Values) *refusal {
	realm := v.tenantSegment()
	id, ok := strings.CutSuffix(creds.id, "@"+realm)
	if !ok {
		return aadstsError(700016, "unauthorized_client", "Application with identifier '"+creds.id+"' was not found in the directory '"+realm+"'.")
	}
	creds.id = id
	resource := form.Get("resource")
	for _, site := range v.Sites {
		if u, err := url.Parse(site); err == nil && resource == sharePoint+"/"+hostOf(endpointKey(u.Scheme, u.Host, "/"))+"@"+realm {
			return nil
		}
	}
	return aadstsError(500011, "invalid_resource", "The resource principal named "+resource+" was not found in the tenant named "+realm+".")
}

// wordRealm writes errors as ACS does: with the numbers of Microsoft Entra ID.
func wordRealm(v *visit, e *refusal) (*refusal, any) {
	if e.why == whyDenied { // by the farm's own page
		return e, e
	}
	if e.why == whyRefreshExpired {
		own := aadstsError(700082, "invalid_grant", "The refresh token has expired due to inactivity.")
		own.status, e = e.status, own
	}
	worded, body := wordEntra(v, e)
	if b, ok := body.(entraError); ok {
		b.URI = ""
		body = b
	}
	return worded, body
}

// realmMembers: every value is a string, the times are told three ways, the
// resource is named, and scopes are not.
func realmMembers(r *http.Request, a *strange) {
	if a.members["access_token"] == nil {
		return
	}
	delete(a.members, "scope")
	delete(a.members, "ext_expires_in")
	life, _ := a.members["expires_in"].(float64)
	a.members["expires_in"] = strconv.FormatInt(int64(life), 10)
	a.members["not_before"] = strconv.FormatInt(a.now.Unix(), 10)
	a.members["expires_on"] = strconv.FormatInt(a.now.Add(time.Duration(life)*time.Second).Unix(), 10)
	a.members["resource"] = r.PostForm.Get("resource")
}
