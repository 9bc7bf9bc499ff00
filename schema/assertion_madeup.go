package schema

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"time"

	"github.com/oauthctl/oauthctl/schema/secret"
)

// makeUp puts a key in the place of one that was made up for the sandbox: the
// same one every time, so that a second plan has nothing to do. Everybody can
// know it; it opens nothing.
func (a *Assertion) makeUp() {
	name := a.PrivateKey.Reveal()
	if !strings.HasPrefix(name, madeUpPrefix) && !strings.HasPrefix(a.Certificate, madeUpPrefix) {
		return
	}
	key, err := inventKey(a.Algorithm)
	if err != nil {
		return // what is wrong with the made-up value is said where it is read
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if cert, err := inventCertificate(key); err == nil {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})...)
	}
	a.PrivateKey, a.Certificate = secret.Secret(text), ""
}

// madeUpPrefix begins every text that is made up.
const madeUpPrefix = "made-up-"

// inventKey is the key of the sandbox for an algorithm, RSA if none is said.
func inventKey(algorithm string) (crypto.Signer, error) {
	seed := sha512.Sum512([]byte("the made-up key of the sandbox"))
	switch algorithm {
	case "EdDSA":
		return ed25519.NewKeyFromSeed(seed[:ed25519.SeedSize]), nil
	case "ES256":
		return ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:32])
	case "ES384":
		return ecdsa.ParseRawPrivateKey(elliptic.P384(), seed[:48])
	case "ES512":
		return ecdsa.ParseRawPrivateKey(elliptic.P521(), append([]byte{0, 1}, seed[:64]...))
	}
	p, q := new(big.Int), new(big.Int)
	p.SetString("LGZiFBPM3iZ5bXupwBOtZGCJvl4ydE9TQX7WbpzNStInOP17gC5CcX6EJ4ERNq0vwPUseOhWWfZ37MuqHd5QpJ3K711FiNUMsrs9"+
		"FbtdA87aaRrcR61pG40773owNcSzNgk2T9K2Y4GoLHNZ2UPd6bmKJ1iMLtyXTFy2erTCoiUT", 62)
	q.SetString("PXfecfF1MCwoCJul4orH83CsBYz7NmqxpWEWo2GDNjdXt6Hv1tOp024LljLvQl752ernJ0NqmKhYFHJ963JOkvUT6SFojz7XEhEt"+
		"zy1UUvSt0y6r8IkUsNdMd3muTFzNKt7vahTUU46jxnB3wWc9faPSwxRUhPlktLLV3R6WFcjx", 62)
	one := big.NewInt(1)
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: 65537}, Primes: []*big.Int{p, q}}
	key.D = new(big.Int).ModInverse(big.NewInt(int64(key.E)), phi)
	key.Precompute()
	return key, key.Validate()
}

// inventCertificate is a certificate of the key that signs itself. With a key
// whose signatures are not repeatable, only the signature differs from run to
// run; then there is none, because its thumbprint has to stay.
func inventCertificate(key crypto.Signer) ([]byte, error) {
	if _, ok := key.(*ecdsa.PrivateKey); ok {
		return nil, x509.ErrUnsupportedAlgorithm
	}
	start := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "oauthctl sandbox"},
		NotBefore: start, NotAfter: start.AddDate(100, 0, 0), SubjectKeyId: bytes.Repeat([]byte{1}, 20),
	}
	return x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
}
