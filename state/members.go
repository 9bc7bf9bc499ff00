package state

// member is a member of a JSON object: its name, and a pointer to where its
// value is kept. The lists below are the format of what is sealed; encoding and
// decoding both go by them. Package encoding/json would find the same lists by
// reflection, and does so anew in every process: for a program that reads one
// record and ends, that was a tenth of all its work.
type member struct {
	name string
	at   any
}

func (w *wireSummary) members() []member {
	return []member{
		{"address", &w.Address},
		{"provider", &w.Provider},
		{"status", &w.Status},
		{"expires_at", &w.ExpiresAt},
		{"refresh_expires_at", &w.RefreshExpiresAt},
		{"updated_at", &w.UpdatedAt},
		{"generation", &w.Generation},
	}
}

func (i *Info) members() []member {
	return []member{
		{"config_serial", &i.ConfigSerial},
		{"provider", &i.Provider},
		{"preset", &i.Preset},
		{"title", &i.Title},
		{"grant", &i.Grant},
		{"way", &i.Way},
		{"client", i.Client.members()},
		{"requested_scopes", &i.Requested},
		{"granted_scopes", &i.Granted},
		{"account", &i.Account},
		{"subject", &i.Subject},
		{"redirect_uri", &i.RedirectURI},
		{"hosts", &i.Hosts},
		{"fingerprint", &i.Fingerprint},
		{"access_lifetime_ns", &i.Access},
		{"refresh_lifetime_ns", &i.Refresh},
		{"refresh_before_ns", &i.RefreshBefore},
		{"authorized_at", &i.AuthorizedAt},
		{"refreshed_at", &i.RefreshedAt},
		{"received_at", &i.ReceivedAt},
		{"has_refresh_token", &i.HasRefresh},
		{"depends_on", &i.DependsOn},
		{"exchange", &i.Exchange},
		{"handed_over_to", &i.HandedTo},
		{"handed_over_at", &i.HandedAt},
		{"intent", &i.Intent},
		{"reject", &i.Reject},
		{"published", &i.Published},
		{"outputs", &i.Outputs},
	}
}

func (p *Published) members() []member {
	return []member{
		{"place", &p.Place},
		{"hosts", &p.Hosts},
		{"settings", &p.Settings},
		{"names", &p.Names},
		{"digests", &p.Digests},
		{"at", &p.At},
	}
}

func (c *Client) members() []member {
	return []member{
		{"issuer", &c.Issuer},
		{"token_endpoint", &c.TokenEndpoint},
		{"refresh_endpoint", &c.RefreshEndpoint},
		{"revocation_endpoint", &c.RevocationEndpoint},
		{"introspection_endpoint", &c.IntrospectionEndpoint},
		{"jwks_uri", &c.JWKSURI},
		{"client_id", &c.ClientID},
		{"auth", &c.Auth},
		{"scope_separator", &c.ScopeSeparator},
		{"token_params", &c.TokenParams},
		{"resource", &c.Resource},
		{"rotation", &c.Rotation},
		{"grace_ns", &c.Grace},
		{"blast_radius", &c.BlastRadius},
		{"unknown_outcome", &c.UnknownOutcome},
		{"revocation_note", &c.RevocationNote},
		{"quirks", &c.Quirks},
		{"refresh_fixed", &c.RefreshFixed},
		{"origin", &c.Origin},
		{"guarded", &c.Guarded},
		{"assertion_algorithm", &c.AssertionAlgorithm},
		{"assertion_key_id", &c.AssertionKeyID},
		{"assertion_audience", &c.AssertionAudience},
		{"assertion_lifetime_ns", &c.AssertionLifetime},
		{"assertion_file", &c.AssertionFile},
		{"assertion_env", &c.AssertionEnv},
		{"assertion_github", &c.AssertionGitHub},
		{"certificate_sha256", &c.CertificateSHA256},
		{"certificate_sha1", &c.CertificateSHA1},
		{"certificate_ends", &c.CertificateEnds},
	}
}

func (x *Exchange) members() []member {
	return []member{
		{"subject_connection", &x.Subject.Connection},
		{"subject_attribute", &x.Subject.Attribute},
		{"subject_file", &x.Subject.File},
		{"subject_env", &x.Subject.Env},
		{"actor_connection", &x.Actor.Connection},
		{"actor_attribute", &x.Actor.Attribute},
		{"actor_file", &x.Actor.File},
		{"actor_env", &x.Actor.Env},
		{"subject_token_type", &x.SubjectType},
		{"actor_token_type", &x.ActorType},
		{"requested_token_type", &x.RequestedType},
		{"audience", &x.Audience},
		{"on_behalf_of", &x.OnBehalfOf},
		{"signed", &x.Signed},
		{"algorithm", &x.Algorithm},
		{"key_id", &x.KeyID},
		{"iss", &x.Issuer},
		{"sub", &x.SubjectID},
		{"aud", &x.For},
		{"claims", &x.Claims},
		{"lifetime_ns", &x.Lifetime},
		{"scope_claim", &x.ScopeClaim},
	}
}

func (i *Intent) members() []member {
	return []member{
		{"at", &i.At},
		{"digest", &i.Digest},
		{"pid", &i.PID},
		{"host", &i.Host},
		{"sends", &i.Sends},
	}
}

func (r *Reject) members() []member {
	return []member{
		{"error", &r.Error},
		{"class", &r.Class},
		{"until", &r.Until},
	}
}

func (t *Tokens) members() []member {
	return []member{
		{"access_token", &t.AccessToken},
		{"refresh_token", &t.RefreshToken},
		{"id_token", &t.IDToken},
		{"client_secret", &t.ClientSecret},
		{"client_key", &t.ClientKey},
		{"grant_key", &t.GrantKey},
		{"subject_token", &t.SubjectToken},
		{"actor_token", &t.ActorToken},
		{"token_type", &t.TokenType},
		{"extra", &t.Extra},
	}
}
