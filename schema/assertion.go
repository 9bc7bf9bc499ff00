package schema

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema/secret"
)

// Assertion is a client_assertion block: a signed JWT with which the client
// authenticates instead of a secret (RFC 7523 §2.2, OpenID Connect Core §9).
// It has exactly one source: a private key, a file or an environment variable.
type Assertion struct {
	PrivateKey  secret.Secret // PEM: PKCS #8, PKCS #1 or SEC 1, a certificate may stand beside it; or a JWK
	Certificate string        // PEM
	Algorithm   string        // RFC 7518 §3.1; "": by the server and the kind of key
	KeyID       string        // kid
	SHA1        bool          // x5t too
	Audience    string        // "": what the server wants
	Lifetime    time.Duration // 0: five minutes

	TokenFile string // a JWT that somebody else keeps fresh: absolute path
	TokenEnv  string // or the name of an environment variable
	GitHub    bool   // or GitHub Actions is asked for one

	Unknown []string             // names of its attributes that are not known yet
	Ranges  map[string]hcl.Range // where each attribute that is set is written
	Range   hcl.Range            // of the block's header
}

// Federated reports whether the assertion is somebody else's JWT, and not made
// with a key of the client.
func (a *Assertion) Federated() bool {
	_, file := a.Ranges["token_file"]
	_, env := a.Ranges["token_env"]
	_, github := a.Ranges["github_actions"]
	return file || env || github
}

// maxAssertionLife is how long an assertion may live: it is used at once, and
// servers refuse what lives much longer.
const maxAssertionLife = 10 * time.Minute

// SignatureAlgorithms are those that client assertions may be signed with.
func SignatureAlgorithms() []string { return slices.Clone(signatures) }

// signatures are asymmetric algorithms (RFC 7518 §3.1, RFC 8037 §3.1).
var signatures = []string{"PS256", "PS384", "PS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA"}

var assertionSpec = &Spec{Attrs: []Attr{
	{Name: "private_key", Kind: Sensitive, Doc: "The client's private key in PEM (PKCS #8, PKCS #1 or SEC 1) or as a JWK; never a literal: use env(), file() or a sensitive variable."},
	{Name: "certificate", Kind: Any, Doc: "The certificate of the key in PEM. Its thumbprint goes into the header (x5t#S256).", Default: "the certificate beside the private key, if there is one"},
	{Name: "algorithm", Kind: String, OneOf: signatures, Doc: "How assertions are signed.", Default: "what the server takes: PS256 for RSA keys, ES256, ES384 or ES512 by the curve, EdDSA for Ed25519"},
	{Name: "key_id", Kind: String, Doc: "The kid under which the server knows the key."},
	{Name: "sha1_thumbprint", Kind: Bool, Doc: "Send x5t, the SHA-1 thumbprint, too: for servers such as AD FS that do not know x5t#S256.", Default: "false"},
	{Name: "audience", Kind: String, Doc: "The aud claim, also of a token that GitHub Actions is asked for.", Default: "what the server wants, else its token endpoint"},
	{Name: "lifetime", Kind: Duration, Doc: "How long an assertion is valid; each is made for one request. At most ten minutes.", Default: `"5m"`},
	{Name: "token_file", Kind: String, Doc: "Absolute path of a file with a JWT that somebody else keeps fresh, such as a Kubernetes service account token. It is read for each request."},
	{Name: "token_env", Kind: String, Doc: "Name of an environment variable with such a JWT. It is read for each request."},
	{Name: "github_actions", Kind: Bool, Doc: "Ask GitHub Actions for the ID token of the job, for each request. The job needs the permission id-token: write."},
}}

// sourcesOfAssertions are the attributes of which exactly one is set.
var sourcesOfAssertions = []string{"private_key", "token_file", "token_env", "github_actions"}

// assertionOf takes a client_assertion block into the connection. What could not
// be evaluated (broken) has been reported, and is not missed a second time.
func (e *evaluator) assertionOf(conn *Connection, o *Object, n NestedObject, broken bool) hcl.Diagnostics {
	a := &Assertion{
		PrivateKey: n.Secret("private_key"), Algorithm: n.String("algorithm"), KeyID: n.String("key_id"),
		SHA1: n.Bool("sha1_thumbprint"), Audience: n.String("audience"), Lifetime: n.Duration("lifetime"),
		TokenFile: n.String("token_file"), TokenEnv: n.String("token_env"), GitHub: n.Bool("github_actions"),
		Unknown: n.Unknown, Ranges: map[string]hcl.Range{}, Range: n.Range,
	}
	for name, r := range n.Ranges {
		if name == "github_actions" && n.Has(name) && !a.GitHub {
			continue // false is as good as left out
		}
		if n.Has(name) || slices.Contains(n.Unknown, name) { // and so is null
			a.Ranges[name] = r
			conn.Ranges["client_assertion."+name] = r
		}
	}
	conn.ClientAssertion, conn.Ranges["client_assertion"] = a, n.Range
	if len(n.Unknown) > 0 {
		conn.Unknown = append(conn.Unknown, "client_assertion")
	}
	var diags hcl.Diagnostics
	if v, ok := n.value("certificate"); ok {
		if v.Type() == cty.String {
			a.Certificate = v.AsString()
		} else {
			diags = append(diags, errorAt(a.Ranges["certificate"], "Wrong type of value",
				"The argument \"certificate\" must be a string, not %s.", typeName(v.Type())))
		}
	}
	if missing := a.checkSource(); !broken {
		diags = append(diags, missing...)
	}
	if r, ok := o.Ranges["client_secret"]; ok && (o.Has("client_secret") || slices.Contains(o.Unknown, "client_secret")) {
		diags = append(diags, errorAt(r, "Two ways to authenticate",
			"The client authenticates with client_assertion, and a request must not carry a secret as well (RFC 6749 §2.3). Remove client_secret or the client_assertion block."))
	}
	diags = append(diags, a.checkValues()...)
	if e.makeUp && !diags.HasErrors() {
		a.makeUp()
	}
	return diags
}

// checkSource demands one source, and nothing that belongs to another.
func (a *Assertion) checkSource() hcl.Diagnostics {
	var set []string
	for _, name := range sourcesOfAssertions {
		if _, ok := a.Ranges[name]; ok {
			set = append(set, name)
		}
	}
	switch {
	case len(set) == 0:
		return hcl.Diagnostics{errorAt(a.Range, "Assertion without a source",
			"Set private_key = env(\"APP_KEY_PEM\") to sign assertions with a key of the client, or token_file, token_env or github_actions to send the JWT of somebody else.")}
	case len(set) > 1:
		return hcl.Diagnostics{errorAt(a.Ranges[set[1]], "Several sources of an assertion",
			"An assertion has one source, and both %s and %s are set. Remove one of them.", set[0], set[1])}
	case !a.Federated():
		return nil
	}
	var diags hcl.Diagnostics
	for _, name := range []string{"certificate", "algorithm", "key_id", "sha1_thumbprint", "audience", "lifetime"} {
		if r, ok := a.Ranges[name]; ok && (name != "audience" || !a.GitHub) {
			diags = append(diags, errorAt(r, "Argument for a private key",
				"With %s the JWT is sent as it is, so %s would change nothing. Remove it; what it stands for is decided by whoever issues the JWT.", set[0], name))
		}
	}
	return diags
}

// envName is a name that every shell can set.
var envName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
})

// checkValues finds values that could never work.
func (a *Assertion) checkValues() hcl.Diagnostics {
	var diags hcl.Diagnostics
	wrong := func(name, detail string, args ...any) {
		diags = append(diags, errorAt(a.Ranges[name], fmt.Sprintf("Invalid value for %s", name), detail, args...))
	}
	has := func(name string) bool {
		_, ok := a.Ranges[name]
		return ok && !slices.Contains(a.Unknown, name)
	}
	if has("private_key") && strings.TrimSpace(a.PrivateKey.Reveal()) == "" {
		wrong("private_key", "The private key is empty.")
	}
	if has("lifetime") && (a.Lifetime < time.Second || a.Lifetime > maxAssertionLife) {
		wrong("lifetime", "An assertion is used at once, so it lives between one second and ten minutes, not %s.", FormatDuration(a.Lifetime))
	}
	if has("token_file") {
		if problem := CheckTokenFile(a.TokenFile); problem != "" {
			wrong("token_file", "%s", problem)
		}
	}
	if has("token_env") {
		if problem := CheckTokenEnv(a.TokenEnv); problem != "" {
			wrong("token_env", "%s", problem)
		}
	}
	return diags
}

// CheckTokenFile says what is wrong with the path of a file that is read at
// every renewal, or "".
func CheckTokenFile(name string) string {
	if filepath.IsAbs(name) || path.IsAbs(name) {
		return ""
	}
	return fmt.Sprintf("The path %q is not absolute. The file is read at every refresh, whatever the working directory is then: write the whole path.", name)
}

// CheckTokenEnv does the same for the name of an environment variable.
func CheckTokenEnv(name string) string {
	switch {
	case keyVariable(name):
		return fmt.Sprintf("The environment variable %s opens the state, and is never sent anywhere.", name)
	case envName().MatchString(name):
		return ""
	}
	return fmt.Sprintf("%q is not the name of an environment variable. Write the name without a dollar sign; the value is read at every request.", name)
}
