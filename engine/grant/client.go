package grant

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/providers/quirk"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// defaultTimeout is how long a person has for a consent in a browser.
const defaultTimeout = 3 * time.Minute

// The client authentication methods (RFC 7591 §2).
const (
	authNone  = "none"
	authBasic = "client_secret_basic"
	authPost  = "client_secret_post"
)

// Client is everything that a flow has to know: one connection at one server.
type Client struct {
	Addr     addr.Addr
	Preset   *providers.Preset // endpoints filled by Discover
	Conn     *schema.Connection
	Settings Settings // of the grant block
	// Auth is the pinned client authentication method; "" if neither connection
	// nor preset says one, until Discover.
	Auth   string
	Scopes []string // to ask for, what the provider's rules add included
	Added  []string // of these, what the rules added
	Notes  []string // that the server's behaviours want said in the plan
	// ScopeNames is what the server calls some of the scopes, to be shown beside them.
	ScopeNames map[string]string

	discovered bool // Discover has looked, and need not look again
	located    bool // the server's own way has found the endpoints
	assertion  assertion
	exchange   exchange
	guarded    bool // endpoints come from the metadata of a public issuer
	draft      quirk.Draft

	own       Way            // what the redirect URI and the grant need, before Choose
	otherwise Way            // if the server gives no device code; WayNone: then it has failed
	block     *schema.Object // of the grant; nil if there is none
}

// Settings is a decoded grant block with the preset's defaults.
type Settings struct {
	Type         string
	Interactive  bool
	RedirectURI  string // chosen from the connection's redirect_uris; "" if the grant has none
	Way          Way
	WayReason    string // why it is this one, if the configuration alone does not say so
	Listen       string // address of a listener behind a proxy
	Prompt       string
	LoginHint    string
	DomainHint   string
	ResponseMode string
	Params       map[string]string // further parameters of the authorization request
	Timeout      time.Duration
}

// Way says how the answer of an authorization comes back.
type Way string

// The ways.
const (
	WayNone    Way = ""        // nobody is needed
	WayBrowser Way = "browser" // a listener on this machine gets it
	WayPaste   Way = "paste"   // a person pastes the final URL
	WayDevice  Way = "device"  // a person types a code on another device
)

// Lifetimes are the connection's, else what the server's behaviours say, else
// the preset's. Where nobody consents, no consent ends: Refresh is zero.
func (c *Client) Lifetimes() schema.Lifetimes {
	own, preset := c.Conn.Lifetimes, c.Preset.Lifetimes
	l := schema.Lifetimes{
		Access:        cmp.Or(own.Access, preset.Access),
		RefreshBefore: cmp.Or(own.RefreshBefore, preset.RefreshBefore),
	}
	if c.Settings.Interactive {
		l.Refresh = cmp.Or(own.Refresh, c.draft.Refresh, preset.Refresh)
		if c.draft.RefreshFixed && c.draft.Refresh > 0 { // no wish moves that
			l.Refresh = min(l.Refresh, c.draft.Refresh)
		}
	}
	return l
}

// Hosts are the hosts that the flow will speak to, as far as they are known
// before discovery, sorted.
func (c *Client) Hosts() []string {
	p := c.Preset
	urls := []string{p.TokenEndpoint, p.RefreshEndpoint, p.RevocationEndpoint}
	switch c.flow() {
	case AuthorizationCode:
		urls = append(urls, p.AuthorizationEndpoint)
	case DeviceCodeGrant:
		urls = append(urls, p.DeviceEndpoint)
	}
	if c.wantsIDToken() {
		urls = append(urls, p.JWKSURI)
	}
	if c.Conn.Account != "" {
		urls = append(urls, p.UserinfoEndpoint)
	}
	if len(c.missing()) > 0 && canDiscover(p) {
		urls = append(urls, p.Issuer)
	}
	hosts := slices.Clone(c.draft.Hosts)
	for _, raw := range urls {
		if raw == "" {
			continue
		}
		if u, err := url.Parse(raw); err == nil && u.Host != "" && !slices.Contains(hosts, u.Host) {
			hosts = append(hosts, u.Host)
		}
	}
	slices.Sort(hosts)
	return hosts
}

// StateClient is the part of c that a later refresh needs.
func (c *Client) StateClient() state.Client {
	p := c.Preset
	params := map[string]string{}
	maps.Copy(params, p.TokenParams)
	if (c.Settings.Type == ClientCredentials || c.Settings.Type == JWTBearer) && c.Conn.Audience != "" {
		params["audience"] = c.Conn.Audience
	}
	maps.Copy(params, c.draft.Token) // holds those of the connection
	if len(params) == 0 {
		params = nil
	}
	sc := state.Client{
		Issuer: p.Issuer, TokenEndpoint: p.TokenEndpoint, RefreshEndpoint: p.RefreshEndpoint,
		RevocationEndpoint: p.RevocationEndpoint, IntrospectionEndpoint: p.IntrospectionEndpoint, JWKSURI: p.JWKSURI,
		ClientID: c.Conn.ClientID, Auth: c.Auth, ScopeSeparator: p.ScopeSeparator, TokenParams: params,
		Resource: slices.Clone(c.draft.Resource), Rotation: p.Rotation.Kind, Grace: p.Rotation.Grace,
		BlastRadius: p.Rotation.BlastRadius, RevocationNote: p.RevocationNote, Quirks: slices.Clone(p.Quirks),
	}
	if c.Conn.UnknownOutcome != "retry_once" { // which is the default: a record of it says nothing
		sc.UnknownOutcome = c.Conn.UnknownOutcome
	}
	c.fillAssertion(&sc)
	sc.Origin, sc.RefreshFixed, sc.Guarded = c.draft.Origin, c.draft.RefreshFixed, c.guarded
	return sc
}
