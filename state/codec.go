package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// codecVersion is the version of the plaintext inside the seal. A member that
// this version does not know is refused with ErrFormat, as is a newer version:
// dropping it on the next write would lose what somebody else stored. Members
// are left out when empty, so that a new one hurts nobody until it is used.
const codecVersion = 1

// wireSummary is the copy of the clear columns inside both sealed parts.
type wireSummary struct {
	Address          string `json:"address"`
	Provider         string `json:"provider"`
	Status           string `json:"status"`
	ExpiresAt        int64  `json:"expires_at,omitempty"` // seconds since 1970
	RefreshExpiresAt int64  `json:"refresh_expires_at,omitempty"`
	UpdatedAt        int64  `json:"updated_at,omitempty"`
	Generation       uint64 `json:"generation"`
}

type wireInfoPart struct {
	Version int         `json:"v"`
	Clear   wireSummary `json:"clear"`
	Info    wireInfo    `json:"info"`
}

type wireTokensPart struct {
	Version int         `json:"v"`
	Clear   wireSummary `json:"clear"`
	Tokens  wireTokens  `json:"tokens"`
}

type wireInfo struct {
	ConfigSerial  uint64            `json:"config_serial,omitempty"`
	Provider      string            `json:"provider,omitempty"`
	Preset        string            `json:"preset,omitempty"`
	Title         string            `json:"title,omitempty"`
	Grant         string            `json:"grant,omitempty"`
	Client        wireClient        `json:"client"`
	Requested     []string          `json:"requested_scopes,omitempty"`
	Granted       []string          `json:"granted_scopes,omitempty"`
	Account       string            `json:"account,omitempty"`
	Subject       string            `json:"subject,omitempty"`
	RedirectURI   string            `json:"redirect_uri,omitempty"`
	Fingerprint   map[string]string `json:"fingerprint,omitempty"`
	Access        time.Duration     `json:"access_lifetime_ns,omitempty"`
	Refresh       time.Duration     `json:"refresh_lifetime_ns,omitempty"`
	RefreshBefore time.Duration     `json:"refresh_before_ns,omitempty"`
	AuthorizedAt  time.Time         `json:"authorized_at,omitzero"`
	RefreshedAt   time.Time         `json:"refreshed_at,omitzero"`
	ReceivedAt    time.Time         `json:"received_at,omitzero"`
	HasRefresh    bool              `json:"has_refresh_token,omitempty"`
	DependsOn     []string          `json:"depends_on,omitempty"`
	Intent        *wireIntent       `json:"intent,omitempty"`
	Reject        *wireReject       `json:"reject,omitempty"`
}

type wireClient struct {
	Issuer                string            `json:"issuer,omitempty"`
	TokenEndpoint         string            `json:"token_endpoint,omitempty"`
	RefreshEndpoint       string            `json:"refresh_endpoint,omitempty"`
	RevocationEndpoint    string            `json:"revocation_endpoint,omitempty"`
	IntrospectionEndpoint string            `json:"introspection_endpoint,omitempty"`
	JWKSURI               string            `json:"jwks_uri,omitempty"`
	ClientID              string            `json:"client_id,omitempty"`
	Auth                  string            `json:"auth,omitempty"`
	ScopeSeparator        string            `json:"scope_separator,omitempty"`
	TokenParams           map[string]string `json:"token_params,omitempty"`
	Resource              []string          `json:"resource,omitempty"`
	Rotation              string            `json:"rotation,omitempty"`
	Grace                 time.Duration     `json:"grace_ns,omitempty"`
	BlastRadius           string            `json:"blast_radius,omitempty"`
	RevocationNote        string            `json:"revocation_note,omitempty"`
	Quirks                []string          `json:"quirks,omitempty"`
	RefreshFixed          bool              `json:"refresh_fixed,omitempty"`
	Origin                string            `json:"origin,omitempty"`
	Guarded               bool              `json:"guarded,omitempty"`
	AssertionAlgorithm    string            `json:"assertion_algorithm,omitempty"`
	AssertionKeyID        string            `json:"assertion_key_id,omitempty"`
	AssertionAudience     string            `json:"assertion_audience,omitempty"`
	AssertionLifetime     time.Duration     `json:"assertion_lifetime_ns,omitempty"`
	AssertionFile         string            `json:"assertion_file,omitempty"`
	AssertionEnv          string            `json:"assertion_env,omitempty"`
	CertificateSHA256     string            `json:"certificate_sha256,omitempty"`
	CertificateSHA1       string            `json:"certificate_sha1,omitempty"`
	CertificateEnds       time.Time         `json:"certificate_ends,omitzero"`
}

type wireIntent struct {
	At     time.Time `json:"at,omitzero"`
	Digest string    `json:"digest,omitempty"`
	PID    int       `json:"pid,omitempty"`
	Host   string    `json:"host,omitempty"`
	Sends  int       `json:"sends,omitempty"`
}

type wireReject struct {
	Error string    `json:"error,omitempty"`
	Class string    `json:"class,omitempty"`
	Until time.Time `json:"until,omitzero"`
}

// wireTokens holds strings: secret.Secret would not show itself to the encoder.
type wireTokens struct {
	AccessToken  string            `json:"access_token,omitempty"`
	RefreshToken string            `json:"refresh_token,omitempty"`
	IDToken      string            `json:"id_token,omitempty"`
	ClientSecret string            `json:"client_secret,omitempty"`
	ClientKey    string            `json:"client_key,omitempty"`
	TokenType    string            `json:"token_type,omitempty"`
	Extra        map[string]string `json:"extra,omitempty"`
}

// normal gives a summary the form in which it is stored: UTC, whole seconds.
func (s Summary) normal() Summary {
	s.ExpiresAt = wholeSecond(s.ExpiresAt)
	s.RefreshExpiresAt = wholeSecond(s.RefreshExpiresAt)
	s.UpdatedAt = wholeSecond(s.UpdatedAt)
	return s
}

func wholeSecond(t time.Time) time.Time { return fromUnix(toUnix(t)) }

// toUnix is the stored form of a clear time: seconds since 1970, 0 for unknown.
func toUnix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func fromUnix(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

func (s Summary) wire() wireSummary {
	return wireSummary{
		Address: s.Addr.String(), Provider: s.Provider, Status: string(s.Status),
		ExpiresAt: toUnix(s.ExpiresAt), RefreshExpiresAt: toUnix(s.RefreshExpiresAt),
		UpdatedAt: toUnix(s.UpdatedAt), Generation: s.Generation,
	}
}

// differs names the clear column that is not what the sealed copy says, or "".
func (w wireSummary) differs(s Summary) string {
	c := s.wire()
	switch {
	case w == c:
		return ""
	case w.Address != c.Address:
		return "address"
	case w.Provider != c.Provider:
		return "provider"
	case w.Status != c.Status:
		return "status"
	case w.ExpiresAt != c.ExpiresAt:
		return "expires_at"
	case w.RefreshExpiresAt != c.RefreshExpiresAt:
		return "refresh_expires_at"
	case w.UpdatedAt != c.UpdatedAt:
		return "updated_at"
	}
	return "generation"
}

func encodeInfo(s Summary, i *Info) ([]byte, error) {
	w := wireInfo{
		ConfigSerial: i.ConfigSerial, Provider: i.Provider, Preset: i.Preset, Title: i.Title, Grant: i.Grant,
		Client: wireClient(i.Client), Requested: i.Requested, Granted: i.Granted,
		Account: i.Account, Subject: i.Subject, RedirectURI: i.RedirectURI, Fingerprint: i.Fingerprint,
		Access: i.Access, Refresh: i.Refresh, RefreshBefore: i.RefreshBefore,
		AuthorizedAt: i.AuthorizedAt, RefreshedAt: i.RefreshedAt, ReceivedAt: i.ReceivedAt,
		HasRefresh: i.HasRefresh, DependsOn: i.DependsOn, Intent: (*wireIntent)(i.Intent), Reject: (*wireReject)(i.Reject),
	}
	return encodePart(wireInfoPart{Version: codecVersion, Clear: s.wire(), Info: w})
}

func decodeInfo(b []byte, s Summary) (*Info, error) {
	var p wireInfoPart
	if err := decodePart(b, &p, &p.Version, &p.Clear, s); err != nil {
		return nil, err
	}
	w := p.Info
	return &Info{
		ConfigSerial: w.ConfigSerial, Provider: w.Provider, Preset: w.Preset, Title: w.Title, Grant: w.Grant,
		Client: Client(w.Client), Requested: w.Requested, Granted: w.Granted,
		Account: w.Account, Subject: w.Subject, RedirectURI: w.RedirectURI, Fingerprint: w.Fingerprint,
		Access: w.Access, Refresh: w.Refresh, RefreshBefore: w.RefreshBefore,
		AuthorizedAt: w.AuthorizedAt, RefreshedAt: w.RefreshedAt, ReceivedAt: w.ReceivedAt,
		HasRefresh: w.HasRefresh, DependsOn: w.DependsOn, Intent: (*Intent)(w.Intent), Reject: (*Reject)(w.Reject),
	}, nil
}

func encodeTokens(s Summary, t *Tokens) ([]byte, error) {
	w := wireTokens{
		AccessToken: t.AccessToken.Reveal(), RefreshToken: t.RefreshToken.Reveal(),
		IDToken: t.IDToken.Reveal(), ClientSecret: t.ClientSecret.Reveal(), ClientKey: t.ClientKey.Reveal(), TokenType: t.TokenType,
	}
	if len(t.Extra) > 0 {
		w.Extra = make(map[string]string, len(t.Extra))
		for k, v := range t.Extra {
			w.Extra[k] = v.Reveal()
		}
	}
	return encodePart(wireTokensPart{Version: codecVersion, Clear: s.wire(), Tokens: w})
}

func decodeTokens(b []byte, s Summary) (*Tokens, error) {
	var p wireTokensPart
	if err := decodePart(b, &p, &p.Version, &p.Clear, s); err != nil {
		return nil, err
	}
	w := p.Tokens
	t := &Tokens{
		AccessToken: secret.Secret(w.AccessToken), RefreshToken: secret.Secret(w.RefreshToken),
		IDToken: secret.Secret(w.IDToken), ClientSecret: secret.Secret(w.ClientSecret), ClientKey: secret.Secret(w.ClientKey), TokenType: w.TokenType,
	}
	if len(w.Extra) > 0 {
		t.Extra = make(map[string]secret.Secret, len(w.Extra))
		for k, v := range w.Extra {
			t.Extra[k] = secret.Secret(v)
		}
	}
	return t, nil
}

func encodePart(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	out := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if replaced(out) {
		return nil, errors.New("a text in the record is not UTF-8")
	}
	return out, nil
}

// replaced reports whether the encoder put an escape in the place of bytes that
// are not UTF-8. A real U+FFFD is not escaped, and a backslash before the u may
// itself be an escaped one.
func replaced(b []byte) bool {
	for i := 0; ; {
		n := bytes.Index(b[i:], []byte(`\ufffd`))
		if n < 0 {
			return false
		}
		i += n + 1
		slashes := len(b[:i]) - len(bytes.TrimRight(b[:i], `\`))
		if slashes%2 == 1 {
			return true
		}
	}
}

// decodePart decodes strictly and compares the clear columns. Its errors do not
// repeat what is in b.
func decodePart(b []byte, into any, version *int, clear *wireSummary, s Summary) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if *version > codecVersion {
		return fmt.Errorf("%w: record format %d, this program knows %d: upgrade oauthctl", ErrFormat, *version, codecVersion)
	}
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("bytes after the end")
		}
	}
	switch {
	case err != nil && json.Valid(b):
		return fmt.Errorf("%w: the record has a member that this program does not know: upgrade oauthctl", ErrFormat)
	case err != nil, *version < 1:
		return fmt.Errorf("%w: what is sealed in it is not a record", ErrTampered)
	}
	if column := clear.differs(s); column != "" {
		return fmt.Errorf("%w: the column %s is not what was sealed", ErrTampered, column)
	}
	return nil
}

// checkAddr refuses addresses that could not be read back.
func checkAddr(a addr.Addr) error {
	if back, err := addr.Parse(a.String()); err != nil || back != a {
		return fmt.Errorf("%q cannot be an address of the state", a.String())
	}
	return nil
}
