package grant

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha1" // x5t is defined with it (RFC 7515 §4.1.7), as a name and not as a protection
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/oauthctl/oauthctl/schema/secret"
)

// minRSA is the smallest RSA key in bits (RFC 7518 §3.3).
const minRSA = 2048

// clientKey is a private key of a client, and what its certificates say.
type clientKey struct {
	signer crypto.Signer
	certs  []*x509.Certificate // that stood beside it
	kid    string              // that a JWK names
}

// parseKey reads a JWK, or the first private key of a PEM text: PKCS #8, PKCS #1
// or SEC 1. Certificates in the same text are kept. Its errors repeat nothing of the text.
func parseKey(text secret.Secret) (*clientKey, error) {
	if strings.HasPrefix(strings.TrimSpace(text.Reveal()), "{") {
		return parseJWK(text)
	}
	k := &clientKey{}
	rest, found := pemText(text.Reveal()), false
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		found = true
		switch {
		case block.Type == "CERTIFICATE":
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, errors.New("a certificate beside the private key cannot be read")
			}
			k.certs = append(k.certs, cert)
		case strings.Contains(block.Type, "ENCRYPTED") || block.Headers["DEK-Info"] != "":
			return nil, errors.New("the private key is protected by a password; take that off: openssl pkey -in KEY -out PLAIN")
		case strings.HasSuffix(block.Type, "PRIVATE KEY") && k.signer == nil:
			signer, err := parseSigner(block)
			if err != nil {
				return nil, err
			}
			k.signer = signer
		}
	}
	switch {
	case !found:
		return nil, errors.New("the private key is neither PEM, which begins with -----BEGIN PRIVATE KEY-----, nor a JWK")
	case k.signer == nil:
		return nil, errors.New("there is no private key in the PEM text, only something else")
	}
	return k, checkStrength(k.signer)
}

// parseJWK reads a private key in JSON (RFC 7517 §4), with its kid and the
// certificates of its x5c. A set is read if there is one key in it.
func parseJWK(text secret.Secret) (*clientKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
		Type string            `json:"type"`
	}
	raw := []byte(text.Reveal())
	if json.Unmarshal(raw, &set) == nil {
		switch {
		case len(set.Keys) == 1:
			raw = set.Keys[0]
		case len(set.Keys) > 1:
			return nil, fmt.Errorf("there are %d keys in the JWK set; give the one to sign with", len(set.Keys))
		case set.Type == "service_account":
			return nil, errors.New("the text is the key file of a service account; the key is one of its members: jsondecode(file(\"key.json\")).private_key")
		}
	}
	var jwk jose.JSONWebKey
	if err := jwk.UnmarshalJSON(raw); err != nil {
		return nil, errors.New("the private key is no JWK that can be read")
	}
	if k, ok := jwk.Key.(*ecdsa.PrivateKey); ok && curveAlgorithm(k.Curve) == "" {
		return nil, checkStrength(k)
	}
	signer, ok := jwk.Key.(crypto.Signer)
	if !ok {
		return nil, errors.New("the JWK has a public or a symmetric key, and a private one is needed to sign")
	}
	return &clientKey{signer: signer, certs: jwk.Certificates, kid: jwk.KeyID}, checkStrength(signer)
}

// pemText undoes what environments do to texts of several lines: line breaks
// that are written as a backslash and an n.
func pemText(s string) []byte {
	s = strings.TrimSpace(s)
	if !strings.Contains(s, "\n") {
		s = strings.NewReplacer(`\r`, "", `\n`, "\n").Replace(s)
	}
	return []byte(s)
}

func parseSigner(block *pem.Block) (crypto.Signer, error) {
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("the private key is of a kind that cannot sign assertions (%s)", Clean(block.Type))
	}
	if err != nil {
		return nil, errors.New("the private key cannot be read: it is damaged")
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("the private key cannot sign")
	}
	return signer, nil
}

// checkStrength refuses keys that no server should take.
func checkStrength(key crypto.Signer) error {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if n := k.N.BitLen(); n < minRSA {
			return fmt.Errorf("the RSA key has %d bits; %d are the least that is safe (RFC 7518 §3.3)", n, minRSA)
		}
	case *ecdsa.PrivateKey:
		if curveAlgorithm(k.Curve) == "" {
			return errors.New("the curve of the key is not one of P-256, P-384 and P-521 (RFC 7518 §3.4)")
		}
	case ed25519.PrivateKey:
	default:
		return errors.New("the private key is neither RSA nor ECDSA nor Ed25519")
	}
	return nil
}

func curveAlgorithm(c elliptic.Curve) string {
	switch c {
	case elliptic.P256():
		return "ES256"
	case elliptic.P384():
		return "ES384"
	case elliptic.P521():
		return "ES512"
	}
	return ""
}

// algorithms are those that a key can sign with, preferred first.
func (k *clientKey) algorithms() []string {
	switch s := k.signer.(type) {
	case *rsa.PrivateKey:
		return []string{"PS256", "RS256", "PS384", "PS512", "RS384", "RS512"}
	case *ecdsa.PrivateKey:
		return []string{curveAlgorithm(s.Curve)}
	}
	return []string{"EdDSA"}
}

// kind names the kind of key for messages.
func (k *clientKey) kind() string {
	switch s := k.signer.(type) {
	case *rsa.PrivateKey:
		return fmt.Sprintf("RSA key of %d bits", s.N.BitLen())
	case *ecdsa.PrivateKey:
		return "ECDSA key on " + s.Params().Name
	}
	return "Ed25519 key"
}

// choose picks an algorithm that the key can sign with: the first of wanted, in
// its order, or the key's first choice if wanted is empty. "" if none fits.
func (k *clientKey) choose(wanted []string) string {
	able := k.algorithms()
	if len(wanted) == 0 {
		return able[0]
	}
	for _, a := range wanted {
		if slices.Contains(able, a) {
			return a
		}
	}
	return ""
}

// certificate finds the certificate that belongs to the key.
func (k *clientKey) certificate(certs []*x509.Certificate) *x509.Certificate {
	type comparable interface{ Equal(crypto.PublicKey) bool }
	own, ok := k.signer.Public().(comparable)
	if !ok {
		return nil
	}
	for _, c := range certs {
		if own.Equal(c.PublicKey) {
			return c
		}
	}
	return nil
}

// parseCertificates reads all certificates of a PEM text.
func parseCertificates(text string) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	rest := pemText(text)
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, errors.New("the certificate cannot be read: it is damaged")
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, errors.New("the certificate is not PEM: it has to begin with -----BEGIN CERTIFICATE-----")
	}
	return out, nil
}

// pem is the form in which the state keeps the key: PKCS #8 in PEM.
func (k *clientKey) pem() (secret.Secret, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.signer)
	if err != nil {
		return "", errors.New("the private key cannot be written as PKCS #8")
	}
	return secret.Secret(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}

// id names the key without telling it: the SHA-256 of its public half (SPKI).
// The same key has the same id however it is written.
func (k *clientKey) id() string {
	der, err := x509.MarshalPKIXPublicKey(k.signer.Public())
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(der)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// thumbprints are the values of x5t#S256 and x5t (RFC 7515 §4.1.7, §4.1.8).
func thumbprints(c *x509.Certificate) (s256, s1 string) {
	sum := sha256.Sum256(c.Raw)
	old := sha1.Sum(c.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:]), base64.RawURLEncoding.EncodeToString(old[:])
}
