package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// prevented says which changes prevent_destroy forbids, and where it is written.
func prevented(cfg *schema.Config, p *plan.Plan) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, a := range p.Prevented {
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  "Connection cannot be destroyed",
			Detail: fmt.Sprintf("The plan would end the grant of %s, which has prevent_destroy. "+
				"Take prevent_destroy away if that is meant, or leave the connection out: -exclude='%s'", a, a),
			Subject: cfg.Lifecycle(a).PreventRange.Ptr(),
			Extra:   schema.DiagExtra{Addr: a},
		})
	}
	return diags
}

// preconditions checks what can be known before apply.
func preconditions(cfg *schema.Config, p *plan.Plan, known schema.Known) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for i := range p.Changes {
		if c := &p.Changes[i]; !leaves(c.Action) {
			diags = append(diags, cfg.Preconditions(c.Addr, known)...)
		}
	}
	return diags
}

// AfterPlan is what is known of connections while the plan is not applied: not
// those that will get a new grant.
func AfterPlan(p *plan.Plan, inState schema.Known) schema.Known {
	return func(a addr.Addr) (cty.Value, bool) {
		if getsGrant(p, a) {
			return cty.NilVal, false
		}
		return inState(a)
	}
}

// getsGrant: the plan gives a connection another grant.
func getsGrant(p *plan.Plan, a addr.Addr) bool {
	i, ok := slices.BinarySearchFunc(p.Changes, a, func(c plan.Change, a addr.Addr) int { return addr.Compare(c.Addr, a) })
	return ok && slices.Contains([]plan.Action{plan.Authorize, plan.Reauthorize, plan.Import}, p.Changes[i].Action)
}

// ready checks the preconditions of a change once more: what it depends on has
// been applied now.
func (a *applier) ready(ctx context.Context, c *plan.Change) error {
	if a.p.Options.RefreshOnly || leaves(c.Action) {
		return nil
	}
	var problems error
	diags := a.cfg.Preconditions(c.Addr, a.known(ctx, &problems))
	return conditionError(c.Addr, "check the preconditions of ", diags)
}

// satisfied checks the postconditions of a change that was made and saved.
func (a *applier) satisfied(ctx context.Context, c *plan.Change) error {
	if leaves(c.Action) {
		return nil
	}
	a.mu.Lock()
	rec := a.held[c.Addr]
	a.mu.Unlock()
	if rec == nil {
		return nil
	}
	var problems error
	diags := a.cfg.Postconditions(c.Addr, attributes(rec), a.known(ctx, &problems))
	return conditionError(c.Addr, "check the postconditions of ", diags)
}

func conditionError(a addr.Addr, doing string, diags hcl.Diagnostics) error {
	if !diags.HasErrors() {
		return nil
	}
	return &Error{Class: ClassError, Addr: a, Doing: doing + a.String(), Err: errorsOf(diags)}
}

// ignoredBy are the attributes whose differences the configuration ignores.
func ignoredBy(client *grant.Client) []string {
	if client.Conn.Lifecycle == nil {
		return nil
	}
	return client.Conn.Lifecycle.IgnoreChanges
}

// keepIgnored puts back what ignore_changes names, after the configuration was
// laid over a record. A new grant has everything from the configuration.
func keepIgnored(rec, before *state.Record, ignored []string) {
	now, old := rec.Info, before.Info
	for _, name := range ignored {
		switch name {
		case "client_id":
			now.Client.ClientID = old.Client.ClientID
		case "client_secret":
			rec.Tokens.ClientSecret = before.Tokens.ClientSecret
		case "client_auth":
			now.Client.Auth = old.Client.Auth
		case "client_assertion":
			rec.Tokens.ClientKey = before.Tokens.ClientKey
			keepAssertion(&now.Client, &old.Client)
		case "scopes":
			now.Requested = old.Requested
		case "redirect_uris":
			now.RedirectURI = old.RedirectURI
		case "hosts":
			now.Hosts = old.Hosts
		case "resource":
			now.Client.Resource = old.Client.Resource
		case "token_params":
			now.Client.TokenParams = old.Client.TokenParams
		case "grant":
			now.Grant, now.Exchange = old.Grant, old.Exchange
			rec.Tokens.GrantKey, rec.Tokens.SubjectToken, rec.Tokens.ActorToken = before.Tokens.GrantKey, before.Tokens.SubjectToken, before.Tokens.ActorToken
		case "token_lifetimes":
			now.Access, now.Refresh, now.RefreshBefore = old.Access, old.Refresh, old.RefreshBefore
			rec.ExpiresAt, rec.RefreshExpiresAt = before.ExpiresAt, before.RefreshExpiresAt
		}
	}
	keepFingerprints(now, old, ignored)
}

func keepAssertion(now, old *state.Client) {
	now.AssertionAlgorithm, now.AssertionKeyID, now.AssertionAudience = old.AssertionAlgorithm, old.AssertionKeyID, old.AssertionAudience
	now.AssertionLifetime, now.AssertionFile, now.AssertionEnv = old.AssertionLifetime, old.AssertionFile, old.AssertionEnv
	now.AssertionGitHub = old.AssertionGitHub
	now.CertificateSHA256, now.CertificateSHA1, now.CertificateEnds = old.CertificateSHA256, old.CertificateSHA1, old.CertificateEnds
}

// keepFingerprints keeps the digests of what is ignored. Those that are of no
// attribute are of the grant.
func keepFingerprints(now, old *state.Info, ignored []string) {
	has := func(name string) bool { return slices.Contains(ignored, name) }
	keep := func(name string) bool {
		switch name {
		case "client_secret", "resource", "authorize_params":
			return has(name) || name == "authorize_params" && has("grant")
		case "private_key":
			return has("client_assertion")
		}
		return has("grant")
	}
	prints := maps.Clone(now.Fingerprint)
	maps.DeleteFunc(prints, func(name, _ string) bool { return keep(name) })
	for name, digest := range old.Fingerprint {
		if keep(name) {
			if prints == nil {
				prints = map[string]string{}
			}
			prints[name] = digest
		}
	}
	now.Fingerprint = prints
}
