package grant

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/providers/quirk"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// party is the client as a token endpoint sees it: made from a Client for a
// consent, and from a record for a refresh.
type party struct {
	state.Client
	secret secret.Secret
	key    secret.Secret            // private key of the client, PEM
	preset *providers.Preset        // explains errors; nil if only the record is known
	lookup func() *providers.Preset // finds it then, when there is something to explain; may be nil

	// Of a grant that presents a token.
	exchange       *state.Exchange
	grantKey       secret.Secret
	subject, actor secret.Secret // as they are kept
	fed            Fed           // as other connections have them

	// Of the consent, to be named in explanations of errors.
	redirect string
	asked    []string
}

// post is one POST to the token endpoint.
type post struct {
	doing string // without the address: "refresh the token"
	url   string
	form  url.Values
	once  bool // form holds a code or refresh token, which must not be sent twice
}

// send makes one token request, exactly once, through x/oauth2: it encodes the
// form, authenticates the client in the pinned style and reads errors. The
// answer is read a second time by us, because x/oauth2 refuses a whole answer
// for an expires_in that it cannot read and loses digits of large numbers. With
// an error comes the answer too if the server gave one that can be read.
func (p *party) send(ctx context.Context, env Env, req post) (*answer, *Error) {
	doing := req.doing + " at " + req.url
	if err := checkEndpoint(req.url); err != nil {
		return nil, fail(Config, doing, "correct the endpoint in the provider block", "%s", err)
	}
	ctx, w := watch(guard(ctx, p.Guarded), req.once)
	rec := &recorder{wire: w, origin: p.Origin}
	client, err := p.client(env, rec)
	if err != nil {
		return nil, fail(Config, doing, "", "%s", err)
	}
	if e := p.authenticate(ctx, env, doing, req.form); e != nil {
		return nil, e
	}
	conf := clientcredentials.Config{
		ClientID: p.ClientID, TokenURL: req.url, AuthStyle: oauth2.AuthStyleInParams,
		EndpointParams: req.form, // its grant_type replaces the one of x/oauth2
	}
	if p.Auth == authBasic || p.Auth == authPost { // RFC 6749 §2.3: never in two ways
		conf.ClientSecret = p.secret.Reveal()
	}
	if p.Auth == authNone && p.exchange != nil && p.exchange.Signed && req.form.Get("grant_type") == bearerType {
		conf.ClientID = "" // the assertion says who asks (RFC 7521 §4.1)
	}
	if p.Auth == authBasic {
		conf.AuthStyle = oauth2.AuthStyleInHeader
	}
	_, err = conf.Token(context.WithValue(ctx, oauth2.HTTPClient, client))
	if err == nil {
		rec.answer.at = env.Now()
		return rec.answer, nil
	}
	e, words := classify(err, rec)
	e.Doing = doing
	p.explain(e, req, words)
	return rec.answer, e
}

// client is env's client with the quirks of the server and the recorder over it.
func (p *party) client(env Env, rec *recorder) (*http.Client, error) {
	client := *env.HTTP
	next := client.Transport
	if next == nil {
		return nil, errors.New("the HTTP client has no transport: make it with NewHTTPClient")
	}
	next, err := quirk.Wrap(p.Quirks, next)
	if err != nil {
		return nil, err
	}
	rec.next = next
	client.Transport = rec
	client.Jar = nil
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client, nil
}

// recorder is the RoundTripper right under x/oauth2: it keeps what came, and
// hands on a plain JSON answer.
type recorder struct {
	next   http.RoundTripper
	wire   *wire
	origin string
	raw    bool // hand the answer on as it came

	status  int // 0: no answer came
	header  http.Header
	answer  *answer // of a complete answer that could be read
	problem error   // why the answer cannot be used
	cut     error   // why its body ended early
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	out := req.Clone(req.Context())
	if r.wire.once {
		out.GetBody = nil // without it net/http cannot send the body a second time
	}
	out.Header.Set("Accept", "application/json")
	if r.origin != "" {
		out.Header.Set("Origin", r.origin)
	}
	resp, err := r.next.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	r.status, r.header = resp.StatusCode, resp.Header
	if r.raw {
		return resp, nil
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		r.problem, r.cut = err, err
		return nil, err
	}
	r.answer, r.problem = parseAnswer(resp.Header.Get("Content-Type"), body)
	return r.plain(resp), nil
}

// plain is the response for x/oauth2: JSON with the members that it reads.
func (r *recorder) plain(resp *http.Response) *http.Response {
	var text []byte
	if r.answer != nil {
		text = r.answer.plain()
	}
	out := *resp
	out.Header = resp.Header.Clone()
	out.Header.Set("Content-Type", "application/json")
	out.Body = io.NopCloser(bytes.NewReader(text))
	out.ContentLength = int64(len(text))
	return &out
}
