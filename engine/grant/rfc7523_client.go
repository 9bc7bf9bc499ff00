package grant

import (
	"cmp"
	"crypto"
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// assertion is a decoded client_assertion block.
type assertion struct {
	key       *clientKey    // nil for a federated one, and while it is not known
	kept      secret.Secret // the key as the state keeps it
	cert      *x509.Certificate
	algorithm string // that was asked for or that the preset prefers; "": discovery or the key says
}

// assertionMethod is the method of the connection's client_assertion block, ""
// if it has none.
func (b *builder) assertionMethod() string {
	switch a := b.conn.ClientAssertion; {
	case a == nil:
		return ""
	case a.Federated():
		return authFederated
	}
	return authKey
}

// assertionExample is what a block may hold.
var assertionExample = map[string]string{
	authKey:       `private_key = env("APP_KEY_PEM")`,
	authFederated: `token_file = "/var/run/secrets/tokens/app"`,
}

// checkAssertion compares the method of the block with the one that is named,
// and with those that the provider has.
func (b *builder) checkAssertion(method, named string, offered []string) {
	at := b.at("client_assertion")
	switch {
	case named != "" && named != method:
		b.errorf(b.at("client_auth"), "Two ways to authenticate",
			"The client_assertion block makes the method %s, and client_auth says %q. Remove client_auth, or the block.", method, named)
	case len(offered) > 0 && !slices.Contains(offered, method):
		b.errorf(at, "Client authentication not accepted by the provider", "%s accepts %s, not %s.", b.server(), list(offered), method)
	default:
		b.assertion()
	}
}

// assertion reads key and certificate.
func (b *builder) assertion() {
	conf := b.conn.ClientAssertion
	if conf == nil || conf.Federated() || slices.Contains(conf.Unknown, "private_key") {
		return
	}
	at := func(attr string) hcl.Range { return b.at("client_assertion." + attr) }
	key, err := parseKey(conf.PrivateKey)
	if err == nil {
		b.c.assertion.kept, err = key.pem()
	}
	if err != nil {
		b.errorf(at("private_key"), "Unusable private key", "%s.", upperFirst(err.Error()))
		return
	}
	b.c.assertion.key = key
	if !b.algorithm(key) {
		return
	}
	switch {
	case slices.Contains(conf.Unknown, "certificate"):
	case conf.Certificate != "":
		certs, err := parseCertificates(conf.Certificate)
		if err != nil {
			b.errorf(at("certificate"), "Unusable certificate", "%s.", upperFirst(err.Error()))
			return
		}
		if b.c.assertion.cert = key.certificate(certs); b.c.assertion.cert == nil {
			b.errorf(at("certificate"), "Certificate of another key",
				"The certificate was made for another key than private_key (an %s). Give the certificate that belongs to it.", key.kind())
		}
	default:
		b.c.assertion.cert = key.certificate(key.certs)
		if b.c.assertion.cert == nil && b.preset.Assertion.Certificate {
			b.errorf(at("private_key"), "Missing certificate",
				"%s knows the key by the thumbprint of its certificate. Set certificate = file(\"app.crt\") to the one that is registered, or put it into the PEM text of private_key.", b.server())
		}
	}
}

// algorithm pins the signature algorithm as far as it is known before
// discovery, and reports whether the key can sign with it.
func (b *builder) algorithm(key *clientKey) bool {
	conf, offered := b.conn.ClientAssertion, b.preset.Assertion.Algorithms
	at := b.at("client_assertion.algorithm")
	switch {
	case slices.Contains(conf.Unknown, "algorithm"):
	case conf.Algorithm == "":
		if len(offered) == 0 {
			return true
		}
		if b.c.assertion.algorithm = key.choose(offered); b.c.assertion.algorithm == "" {
			b.errorf(b.at("client_assertion.private_key"), "Private key of another kind",
				"%s takes assertions that are signed with %s. The private key, an %s, cannot do that.", b.server(), list(offered), key.kind())
			return false
		}
	case !slices.Contains(key.algorithms(), conf.Algorithm):
		b.errorf(at, "Algorithm of another key", "The private key is an %s, which signs with %s, not %s. Remove algorithm, or give another key.",
			key.kind(), list(key.algorithms()), conf.Algorithm)
		return false
	case len(offered) > 0 && !slices.Contains(offered, conf.Algorithm):
		b.errorf(at, "Algorithm not accepted by the provider", "%s takes assertions that are signed with %s, not %s.",
			b.server(), list(offered), conf.Algorithm)
		return false
	default:
		b.c.assertion.algorithm = conf.Algorithm
	}
	return true
}

// upperFirst begins a sentence with what is a Go error otherwise.
func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// discoverAlgorithm picks an algorithm that the metadata document lists
// (token_endpoint_auth_signing_alg_values_supported, RFC 8414 §2), if neither
// connection nor preset said one.
func (c *Client) discoverAlgorithm(offered []string) {
	a := &c.assertion
	if a.key == nil || a.algorithm != "" || len(offered) == 0 {
		return
	}
	for _, alg := range a.key.algorithms() { // in our order: the server's says nothing
		if slices.Contains(offered, alg) {
			a.algorithm = alg
			return
		}
	}
}

// fillAssertion writes what a later request needs to make an assertion.
func (c *Client) fillAssertion(sc *state.Client) {
	conf := c.Conn.ClientAssertion
	if conf == nil {
		return
	}
	sc.AssertionFile, sc.AssertionEnv, sc.AssertionGitHub = conf.TokenFile, conf.TokenEnv, conf.GitHub
	if conf.GitHub {
		sc.AssertionAudience = cmp.Or(conf.Audience, c.Preset.Assertion.TokenAudience)
	}
	if conf.Federated() {
		return
	}
	sc.AssertionAlgorithm, sc.AssertionKeyID, sc.AssertionLifetime = c.assertion.algorithm, conf.KeyID, conf.Lifetime
	if key := c.assertion.key; key != nil && sc.AssertionKeyID == "" {
		sc.AssertionKeyID = key.kid
	}
	switch rule := c.Preset.Assertion.Audience; {
	case conf.Audience != "":
		sc.AssertionAudience = conf.Audience
	case rule == "issuer":
		sc.AssertionAudience = c.Preset.Issuer
	case rule != "" && rule != "token_endpoint":
		sc.AssertionAudience = rule
	}
	if cert := c.assertion.cert; cert != nil {
		s256, s1 := thumbprints(cert)
		sc.CertificateSHA256, sc.CertificateEnds = s256, cert.NotAfter.UTC()
		if conf.SHA1 {
			sc.CertificateSHA1 = s1
		}
	}
}

// Key is the client's private key as the state keeps it, "" if it has none.
func (c *Client) Key() secret.Secret { return c.assertion.kept }

// KeyID names the client's private key without telling it: equal for equal
// keys, "" if it has none.
func (c *Client) KeyID() string {
	if c.assertion.key == nil {
		return ""
	}
	return c.assertion.key.id()
}

// PublicKey is the public half of the client's key, which its registration
// holds; nil if it has none.
func (c *Client) PublicKey() crypto.PublicKey {
	if c.assertion.key == nil {
		return nil
	}
	return c.assertion.key.signer.Public()
}

// certificateMargin is how long before the end of a certificate a plan begins to say so.
const certificateMargin = 14 * 24 * time.Hour

// Expiring warns of a certificate that has ended or will soon.
func (c *Client) Expiring(now time.Time) hcl.Diagnostics {
	cert := c.assertion.cert
	if cert == nil {
		return nil
	}
	b := &builder{conn: c.Conn}
	at := b.at("client_assertion.certificate")
	if _, ok := c.Conn.Ranges["client_assertion.certificate"]; !ok {
		at = b.at("client_assertion.private_key")
	}
	const renew = "Register a new one at the server, then set it here."
	switch ends := cert.NotAfter.UTC().Format("2006-01-02"); {
	case !now.Before(cert.NotAfter):
		b.add(hcl.DiagWarning, at, "Certificate has ended", "The certificate ended on %s: no assertion can be made with it. "+renew, ends)
	case now.Before(cert.NotBefore):
		b.add(hcl.DiagWarning, at, "Certificate is not valid yet", "The certificate begins on %s. Until then the server may refuse it.", cert.NotBefore.UTC().Format("2006-01-02"))
	case cert.NotAfter.Sub(now) < certificateMargin:
		b.add(hcl.DiagWarning, at, "Certificate ends soon", "The certificate ends on %s. "+renew, ends)
	}
	return b.diags
}
