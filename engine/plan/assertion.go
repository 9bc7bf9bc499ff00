package plan

// assertion compares what the client's assertions are made with (RFC 7523
// §2.2). Another key or certificate is the same client: nobody has to consent
// again, and a refresh proves that the server knows it.
func (d *difference) assertion() {
	if d.w.Client == nil || !d.known("client_assertion") {
		return
	}
	old, now := &d.info.Client, d.w.Client
	if d.digestDiffers("private_key") {
		d.show("client_assertion.private_key", "(sensitive)", "(sensitive, changed)")
		d.add(d.renew(), ReasonClientChanged)
	}
	algorithm := now.AssertionAlgorithm
	if algorithm == "" { // discovery or the key has said it
		algorithm = old.AssertionAlgorithm
	}
	for _, f := range []struct{ name, before, after string }{
		{"certificate", old.CertificateSHA256, now.CertificateSHA256},
		{"sha1_thumbprint", old.CertificateSHA1, now.CertificateSHA1},
		{"algorithm", old.AssertionAlgorithm, algorithm},
		{"key_id", old.AssertionKeyID, now.AssertionKeyID},
		{"audience", old.AssertionAudience, now.AssertionAudience},
		{"token_file", old.AssertionFile, now.AssertionFile},
		{"token_env", old.AssertionEnv, now.AssertionEnv},
		{"github_actions", yes(old.AssertionGitHub), yes(now.AssertionGitHub)},
	} {
		if f.before != f.after {
			d.show("client_assertion."+f.name, f.before, f.after)
			d.add(d.renew(), ReasonClientChanged)
		}
	}
	if old.AssertionLifetime != now.AssertionLifetime {
		d.show("client_assertion.lifetime", lifetime(old.AssertionLifetime), lifetime(now.AssertionLifetime))
		d.add(Update, ReasonSettingsChanged)
	}
}
